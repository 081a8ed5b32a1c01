// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/console.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <termios.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/limits.h"
#include "src/broker/output_files.h"

namespace pvhgrub::broker {
namespace {

constexpr std::size_t kGatheredBytes = 256 * limits::kKiB;
constexpr std::size_t kHeldLines = 1000;

// libxl's pty for the bootloader is raw: a line feed alone would leave the cursor where it is.
bool is_raw_terminal(int fd) {
  termios mode = {};
  if (tcgetattr(fd, &mode) != 0) return false;
  return (mode.c_oflag & OPOST) == 0 || (mode.c_oflag & ONLCR) == 0;
}

std::string with_carriage_returns(std::string_view text) {
  std::string out;
  for (const char character : text) {
    if (character == '\n') out += '\r';
    out += character;
  }
  return out;
}

spdlog::level::level_enum level(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::kNormal:
      return spdlog::level::info;
    case Verbosity::kExplain:
      return spdlog::level::debug;
    case Verbosity::kDebug:
      return spdlog::level::trace;
  }
  return spdlog::level::info;
}

}  // namespace

Console::Console(Verbosity verbosity, bool runtime_error_prefix)
    : runtime_error_prefix_(runtime_error_prefix), output_is_raw_(is_raw_terminal(STDOUT_FILENO)) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  const char* line_end = is_raw_terminal(STDERR_FILENO) ? "\r\n" : "\n";
  sink->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::local, line_end));
  logger_ = std::make_shared<spdlog::logger>("pvhgrub", std::move(sink));
  logger_->set_level(level(verbosity));
}

Console::~Console() {
  (void)flush();
}

void Console::line(int level, const std::string& text) {
  if (holding_ && held_.size() < kHeldLines) {
    held_.emplace_back(level, text);
    return;
  }
  logger_->log(static_cast<spdlog::level::level_enum>(level), "{}", text);
}

void Console::hold(bool hold) {
  holding_ = hold;
  if (hold) return;
  for (const auto& [level, text] : std::exchange(held_, {})) line(level, text);
}

void Console::debug(std::string_view text) {
  line(spdlog::level::trace, "pvhgrub: debug: " + escape_for_terminal(text));
}

void Console::explain(std::string_view text) {
  line(spdlog::level::debug, "pvhgrub: explain: " + escape_for_terminal(text));
}

void Console::notice(std::string_view where, std::string_view text) {
  const std::string place = where.empty() ? "" : escape_for_terminal(where) + ": ";
  line(spdlog::level::info, "pvhgrub: " + place + escape_for_terminal(text));
}

void Console::error(const Error& error) {
  hold(false);
  line(spdlog::level::err, (runtime_error_prefix_ ? "RuntimeError: " : "pvhgrub: error: ") +
                               escape_for_terminal(error.describe()));
}

Result<void> Console::print(std::string_view text) {
  gathered_ += output_is_raw_ ? with_carriage_returns(text) : std::string(text);
  return gathered_.size() >= kGatheredBytes ? flush() : Result<void>();
}

Result<void> Console::print_raw(std::string_view bytes) {
  gathered_ += bytes;
  return gathered_.size() >= kGatheredBytes ? flush() : Result<void>();
}

bool Console::output_is_terminal() const {
  return isatty(STDOUT_FILENO) == 1;
}

Result<void> Console::flush() {
  const std::string text = std::exchange(gathered_, {});
  return text.empty() ? Result<void>() : write_all(STDOUT_FILENO, text, "standard output");
}

}  // namespace pvhgrub::broker
