// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/netbsd_boot_cfg.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

/// Only so many are shown where each has a digit and a key is waited for.
constexpr std::size_t kDigits = 9;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_small_letter(char c) {
  return c >= 'a' && c <= 'z';
}

std::string_view without_blanks_around(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

/// As atoi(3): the digits at the beginning, 0 for none; the highest number where they are too many.
std::uint32_t number_at_start(std::string_view text) {
  text = without_blanks_around(text);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return UINT32_MAX;
  return number;
}

class Reader {
 public:
  Reader(std::string_view name, Budget& budget, Diagnostics& diagnostics)
      : name_(name), budget_(budget), diagnostics_(diagnostics) {}

  Result<NetbsdBootCfg> read(std::string_view text);

 private:
  void read_line(std::string_view key, std::string_view value);
  void add_item(std::string_view value);
  void notice(const std::string& text) {
    diagnostics_.notice(std::string(name_) + ":" + std::to_string(number_), text);
  }

  std::string_view name_;
  Budget& budget_;
  Diagnostics& diagnostics_;
  NetbsdBootCfg configuration_;
  std::size_t number_ = 0;
  std::uint32_t default_number_ = 1;
  bool digits_only_ = false;
  bool too_many_ = false;
};

void Reader::add_item(std::string_view value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos) return notice("menu=TITLE:COMMANDS has no ':'; the line is left out");
  if (configuration_.items.size() >= limits::kNetbsdEntries) {
    if (!too_many_)
      notice("NetBSD's loader keeps " + std::to_string(limits::kNetbsdEntries) +
             " items; this one and those after it are left out");
    too_many_ = true;
    return;
  }
  const std::string_view commands = value.substr(colon + 1);
  configuration_.items.push_back(
      {std::string(colon == 0 ? commands : value.substr(0, colon)), std::string(commands)});
}

void Reader::read_line(std::string_view key, std::string_view value) {
  if (key.starts_with("menu")) {
    add_item(value);
  } else if (key.starts_with("timeout")) {
    configuration_.timeout = number_at_start(value);
    if (value.empty() || !is_digit(value.front())) configuration_.timeout = std::nullopt;
  } else if (key.starts_with("default")) {
    default_number_ = number_at_start(value);
  } else if (key.starts_with("root")) {
    configuration_.root = without_blanks_around(value);
  } else if (key.starts_with("load") || key.starts_with("userconf")) {
    if (configuration_.handed_over.size() < limits::kNetbsdEntries)
      configuration_.handed_over.push_back((key.starts_with("load") ? "load " : "userconf ") +
                                           std::string(without_blanks_around(value)));
  } else if (key.starts_with("format")) {
    constexpr std::string_view kNumbers = "nNdD";
    digits_only_ = !value.empty() && kNumbers.find(value.front()) != std::string_view::npos;
  } else if (!key.starts_with("banner") && !key.starts_with("clear") && !key.starts_with("consdev")) {
    // The console of a PVH guest is Xen's, whatever the file says (sys/arch/xen/xen/xen_pvh consinit).
    notice("unknown setting: " + std::string(key));
  }
}

Result<NetbsdBootCfg> Reader::read(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ++number_;
    PVHGRUB_TRY(budget_.charge_steps(1 + end / 16, "reading boot.cfg"));
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      read_line(line.substr(0, equals), line.substr(equals + 1));
    } else if (!without_blanks_around(line).empty()) {
      notice("a setting is written KEYWORD=VALUE; the line is left out");
    }
  }
  if (digits_only_ && configuration_.timeout != 0U && configuration_.items.size() > kDigits)
    configuration_.items.resize(configuration_.timeout ? kDigits : configuration_.items.size());
  const std::size_t count = configuration_.items.size();
  const std::size_t index = default_number_ > 0 ? default_number_ - 1 : 0;
  configuration_.default_index = count == 0 ? 0 : std::min(index, count - 1);
  return std::move(configuration_);
}

/// A command's word and the rest of its line.
struct Command {
  std::string_view name;
  std::string_view arguments;
};

Command split_command(std::string_view text) {
  text = without_blanks_around(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  return {text.substr(0, end), without_blanks_around(text.substr(end))};
}

/// "-as -v", of the letters that <sys/boot_flag.h> has; also nothing at all.
bool are_flags(std::string_view text) {
  constexpr std::string_view kFlags = "abcdmqsvxz1234";
  while (!text.empty()) {
    const Command words = split_command(text);
    if (words.name.size() < 2 || words.name.front() != '-') return false;
    if (words.name.find_first_not_of(kFlags, 1) != std::string_view::npos) return false;
    text = words.arguments;
  }
  return true;
}

class Runner {
 public:
  explicit Runner(const NetbsdBootCfg& configuration) : configuration_(configuration) {}

  void run(std::string_view commands);
  void boot(std::string_view arguments);
  NetbsdCommands take() {
    if (result_.boots.empty() && result_.obstacle.empty()) result_.obstacle = "its commands boot nothing";
    return std::move(result_);
  }
  void enter_default() { entered_default_ = true; }

 private:
  void run_one(const Command& command);
  void complain(std::string text) {
    if (result_.obstacle.empty()) result_.obstacle = std::move(text);
  }
  void stop(std::string text) {
    complain(std::move(text));
    stopped_ = true;
  }

  const NetbsdBootCfg& configuration_;
  NetbsdCommands result_;
  bool entered_default_ = false;
  bool stopped_ = false;
};

// boot [DEVICE:][FILE] [-FLAGS ...]
void Runner::boot(std::string_view arguments) {
  NetbsdBoot boot;
  Command words{{}, arguments};
  if (!arguments.starts_with('-')) words = split_command(arguments);
  boot.file = words.name;
  boot.flags = words.arguments;
  if (!are_flags(boot.flags)) {
    // The loader says so, and goes on with the next command.
    complain("boot takes a file and flags that begin with '-', not \"" + std::string(arguments) + "\"");
    return;
  }
  if (arguments.empty() && !entered_default_ && !configuration_.items.empty()) {
    entered_default_ = true;
    run(configuration_.items[configuration_.default_index].commands);
  }
  if (result_.boots.size() < limits::kNetbsdEntries) result_.boots.push_back(std::move(boot));
}

void Runner::run_one(const Command& command) {
  if (command.name == "boot") {
    boot(command.arguments);
  } else if (command.name == "load" || command.name == "userconf" || command.name == "fs" ||
             command.name == "splash") {
    if (result_.handed_over.size() < limits::kNetbsdEntries)
      result_.handed_over.push_back(std::string(command.name) + " " + std::string(command.arguments));
  } else if (command.name == "multiboot") {
    result_.starts_other = true;
    stop("it starts another kernel, such as Xen, with multiboot: " + std::string(command.arguments));
  } else if (command.name == "pkboot") {
    stop("its kernel is placed at random addresses by NetBSD's prekern, which Xen cannot start");
  } else if (command.name == "prompt") {
    stop("it leads to the prompt of NetBSD's loader, which is not there: choose another item");
  } else if (command.name == "quit") {
    stop("it starts the machine anew");
  }
}

void Runner::run(std::string_view commands) {
  // The text is a line of a file that is bounded, and runs at most twice.
  // What follows the start of another kernel, or the prompt, is never reached.
  while (!commands.empty() && !stopped_) {
    const std::size_t end = std::min(commands.find(';'), commands.size());
    run_one(split_command(commands.substr(0, end)));
    commands.remove_prefix(std::min(end + 1, commands.size()));
  }
}

}  // namespace

Result<NetbsdBootCfg> parse_netbsd_boot_cfg(std::string_view text, std::string_view name, Budget& budget,
                                            Diagnostics& diagnostics) {
  return Reader(name, budget, diagnostics).read(text);
}

NetbsdCommands run_netbsd_commands(const NetbsdBootCfg& configuration, std::optional<std::size_t> item) {
  Runner runner(configuration);
  if (!item) {
    runner.enter_default();
    runner.boot({});
    return runner.take();
  }
  if (*item == configuration.default_index) runner.enter_default();
  runner.run(configuration.items[*item].commands);
  return runner.take();
}

std::optional<NetbsdFile> parse_netbsd_file(std::string_view name) {
  constexpr std::string_view kLabel = "NAME=";
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) return NetbsdFile{std::nullopt, std::string(name)};
  NetbsdFile file{NetbsdDevice{}, std::string(name.substr(colon + 1))};
  std::string_view device = name.substr(0, colon);
  if (device.starts_with(kLabel)) {
    file.device->label = device.substr(kLabel.size());
    return file;
  }
  const auto kind_end = std::ranges::find_if_not(device, is_small_letter);
  file.device->kind = std::string(device.begin(), kind_end);
  if (file.device->kind.empty()) return std::nullopt;
  device.remove_prefix(file.device->kind.size());
  if (!device.empty()) {
    const auto [end, error] =
        std::from_chars(device.data(), device.data() + device.size(), file.device->unit);
    if (error != std::errc()) return std::nullopt;
    device.remove_prefix(static_cast<std::size_t>(end - device.data()));
  }
  if (!device.empty()) {
    if (!is_small_letter(device.front())) return std::nullopt;
    file.device->partition = device.front();
    device.remove_prefix(1);
  }
  if (!device.empty()) return std::nullopt;
  return file;
}

}  // namespace pvhgrub::grubcfg
