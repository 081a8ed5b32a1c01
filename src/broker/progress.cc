// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/progress.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/limits.h"

namespace pvhgrub::broker {
namespace {

constexpr unsigned kColumns = 80;
constexpr std::uint64_t kInterval = 100;  // milliseconds
constexpr unsigned kBarWidth = 30;

std::string mebibytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MiB",
                static_cast<double>(bytes) / static_cast<double>(limits::kMiB));
  return text.data();
}

// The pty of libxl has no size.
unsigned columns_of(int fd) {
  winsize size = {};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumns;
  return size.ws_col;
}

}  // namespace

std::string progress_line(std::uint64_t done, std::uint64_t total, std::uint64_t milliseconds,
                          unsigned columns) {
  done = total != 0 ? std::min(done, total) : done;
  std::string line = "Loading ";
  std::string facts = mebibytes(done);
  if (total != 0) facts += " of " + mebibytes(total);
  if (milliseconds > 0 && done > 0) {
    const std::uint64_t rate = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(static_cast<double>(done) * 1000 / static_cast<double>(milliseconds)));
    facts += ", " + mebibytes(rate) + "/s";
    if (total != 0) facts += ", " + std::to_string((total - done + rate - 1) / rate) + " s left";
  }
  if (total != 0 && line.size() + kBarWidth + 3 + facts.size() < columns) {
    const auto filled =
        static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(total) * kBarWidth);
    line += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] ";
  }
  line += facts;
  // The last column stays free: some terminals go on in the next line once it is filled.
  return line.substr(0, columns > 0 ? columns - 1 : 0);
}

Progress::Progress(int fd) : fd_(fd), columns_(columns_of(fd)) {}

Progress::~Progress() {
  if (shown_at_ != 0) (void)show("");
}

bool Progress::show(const std::string& text) {
  pollfd writable{fd_, POLLOUT, 0};
  if (poll(&writable, 1, 0) <= 0 || (writable.revents & POLLOUT) == 0) return false;
  std::string line = "\r" + text;
  if (columns_ > 1 && text.size() < columns_ - 1) line.append(columns_ - 1 - text.size(), ' ');
  line += "\r";
  return write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

void Progress::update(std::uint64_t done, std::uint64_t total, std::uint64_t now_milliseconds) {
  if (started_ == 0) started_ = now_milliseconds;
  if (shown_at_ != 0 && now_milliseconds - shown_at_ < kInterval) return;
  shown_at_ = now_milliseconds;
  (void)show(progress_line(done, total, now_milliseconds - started_, columns_));
}

}  // namespace pvhgrub::broker
