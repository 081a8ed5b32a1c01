// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/console_wait.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace pvhgrub::broker {
namespace {

constexpr std::uint64_t kPollMilliseconds = 20;

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::vector<std::string_view> split_arguments(std::string_view command_line) {
  std::vector<std::string_view> arguments;
  while (!command_line.empty()) {
    const std::size_t end = std::min(command_line.find('\0'), command_line.size());
    arguments.push_back(command_line.substr(0, end));
    command_line.remove_prefix(std::min(end + 1, command_line.size()));
  }
  return arguments;
}

// The parent's pid in /proc/PID/stat: the second field after the name, which is in parentheses and may hold
// any character (proc(5)).
std::optional<pid_t> parent_in_stat(std::string_view stat) {
  const std::size_t close = stat.rfind(')');
  if (close == std::string_view::npos || stat.size() < close + 5) return std::nullopt;
  const std::string_view rest = stat.substr(close + 4);  // ") S "
  pid_t parent = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), parent);
  if (error != std::errc() || end == rest.data()) return std::nullopt;
  return parent;
}

bool has_pty_beside_standard_descriptors(const std::filesystem::path& process) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(process / "fd", error), end; !error && it != end;
       it.increment(error)) {
    const std::string number = it->path().filename().string();
    if (number == "0" || number == "1" || number == "2") continue;
    std::error_code link_error;
    const std::string target = std::filesystem::read_symlink(it->path(), link_error).string();
    if (!link_error && target.starts_with("/dev/pts/")) return true;
  }
  return false;
}

}  // namespace

bool is_create_with_console(std::string_view command_line) {
  const std::vector<std::string_view> arguments = split_arguments(command_line);
  if (arguments.empty()) return false;
  const std::string_view program = arguments[0].substr(arguments[0].rfind('/') + 1);
  if (program != "xl") return false;
  const auto create = std::ranges::find(arguments, "create");
  if (create == arguments.end()) return false;
  return std::any_of(create + 1, arguments.end(), [](std::string_view argument) {
    // "-c" may stand among other letters ("-qc"); "-f FILE" takes all that follows it in its own argument.
    if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return false;
    const std::size_t file = argument.find('f');
    return argument.substr(0, file).find('c') != std::string_view::npos;
  });
}

bool console_is_open(const std::string& proc, pid_t parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(proc, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (parent_in_stat(read_text(it->path() / "stat")) != parent) continue;
    if (read_text(it->path() / "comm") != "xenconsole\n") continue;
    if (has_pty_beside_standard_descriptors(it->path())) return true;
  }
  return false;
}

void wait_for_console(const std::string& proc, pid_t parent, const Termination& termination) {
  const std::string command_line =
      read_text(std::filesystem::path(proc) / std::to_string(parent) / "cmdline");
  if (!is_create_with_console(command_line)) return;
  const std::uint64_t started = monotonic_milliseconds();
  while (monotonic_milliseconds() - started < limits::kConsoleWaitMilliseconds) {
    if (console_is_open(proc, parent) || getppid() != parent) return;
    pollfd signals{termination.fd(), POLLIN, 0};
    if (poll(&signals, 1, static_cast<int>(kPollMilliseconds)) > 0) return;
  }
}

}  // namespace pvhgrub::broker
