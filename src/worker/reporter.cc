// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/reporter.h"

#include <algorithm>

namespace pvhgrub::worker {
namespace {

// A log line's parts are cut here, so that a message always fits its frame; the broker escapes and cuts
// again.
constexpr std::size_t kLogTextBytes = 4096;

}  // namespace

// A screen shows no more of it either.
void Reporter::write(std::string_view line) {
  text_ += line.substr(0, limits::kEchoBytes - std::min<std::size_t>(text_.size(), limits::kEchoBytes));
}

void Reporter::notice(std::string where, std::string message) {
  if (destination_ == Destination::kText) write(message + "\n");
  if (destination_ != Destination::kBroker) return;
  log(protocol::LogLevel::kNotice, std::move(where), std::move(message));
}

void Reporter::explain(std::string text) {
  if (explain_ && destination_ == Destination::kBroker)
    log(protocol::LogLevel::kExplain, {}, std::move(text));
}

Result<void> Reporter::echo(std::string_view text) {
  if (destination_ == Destination::kText) write(text);
  if (destination_ != Destination::kBroker) return {};
  if (!echo_) {
    const std::size_t end = text.find_last_not_of('\n');
    if (end != std::string_view::npos) explain("echo: " + std::string(text.substr(0, end + 1)));
    return {};
  }
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, limits::kFramePayload);
    PVHGRUB_TRY(channel_.send(protocol::FrameType::kEcho, 0, as_bytes(piece)));
    text.remove_prefix(piece.size());
  }
  return {};
}

void Reporter::log(protocol::LogLevel level, std::string where, std::string text) {
  // The broker takes no more, and tells so at the first of them that it leaves out.
  if (records_ > limits::kLogRecords) return;
  ++records_;
  where.resize(std::min(where.size(), kLogTextBytes));
  text.resize(std::min(text.size(), kLogTextBytes));
  const protocol::LogMessage message{level, std::move(where), std::move(text)};
  // A channel that is gone shows at the next send that returns its error; a lost log line is no reason to
  // stop.
  if (channel_.send(protocol::FrameType::kLog, 0, message.encode().payload())) (void)channel_.flush();
}

}  // namespace pvhgrub::worker
