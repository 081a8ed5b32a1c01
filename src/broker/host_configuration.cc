// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/host_configuration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/unique_fd.h"
#include "src/broker/firmware_paths.h"
#include "src/broker/version.h"

namespace pvhgrub::broker {
namespace {

constexpr std::array kConfigurableOptions{
    ConfigurableOption{"allow-landlock-only", OptionKind::kFlag},
    ConfigurableOption{"appliance", OptionKind::kText},
    ConfigurableOption{"boot", OptionKind::kText},
    ConfigurableOption{"boot-hypervisor", OptionKind::kFlag},
    ConfigurableOption{"deadline", OptionKind::kNumber},
    ConfigurableOption{"debug", OptionKind::kFlag},
    ConfigurableOption{"explain", OptionKind::kFlag},
    ConfigurableOption{"firmware", OptionKind::kFirmware},
    ConfigurableOption{"grub-platform", OptionKind::kText},
    ConfigurableOption{"grubenv", OptionKind::kText},
    ConfigurableOption{"guest-type", OptionKind::kText},
    ConfigurableOption{"kernel-format", OptionKind::kText},
    ConfigurableOption{"no-boot-image", OptionKind::kFlag},
    ConfigurableOption{"quiet", OptionKind::kFlag},
    ConfigurableOption{"runas", OptionKind::kNumber},
    ConfigurableOption{"sha256", OptionKind::kFlag},
    ConfigurableOption{"shim", OptionKind::kFile},
    ConfigurableOption{"source", OptionKind::kText},
};

constexpr std::string_view kTables = "[options], [policy], [limits], [firmware]";

const ConfigurableOption* find_configurable(std::string_view name) {
  const auto* const found = std::ranges::find(kConfigurableOptions, name, &ConfigurableOption::name);
  return found == kConfigurableOptions.end() ? nullptr : &*found;
}

std::string known_options() {
  std::string text;
  for (const ConfigurableOption& option : kConfigurableOptions)
    text += (text.empty() ? "" : ", ") + std::string(option.name);
  return text;
}

std::string type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::none:
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      break;
  }
  return "a date or time";
}

// One `key = value`, and where it stands.
struct Item {
  std::string_view key;
  const toml::node* node;
  std::uint32_t line;
  std::uint32_t column;
};

// A table's items in the order of the file; toml++ keeps them in that of the alphabet.
std::vector<Item> items_of(const toml::table& table) {
  std::vector<Item> items;
  for (auto&& [key, node] : table) {
    const toml::source_position& begin = key.source().begin;
    items.push_back({.key = key.str(), .node = &node, .line = begin.line, .column = begin.column});
  }
  std::ranges::sort(items, [](const Item& a, const Item& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
  return items;
}

// Takes a parsed file apart into a HostConfiguration.
class Reader {
 public:
  explicit Reader(std::string path) {
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos) directory_ = path.substr(0, slash + 1);
    result_.path = std::move(path);
  }

  Result<HostConfiguration> read(const toml::table& root) {
    for (const Item& item : items_of(root)) {
      const bool known =
          item.key == "options" || item.key == "policy" || item.key == "limits" || item.key == "firmware";
      if (!known)
        return wrong(item, "'" + std::string(item.key) + "' is not known here; the file has the tables " +
                               std::string(kTables));
      const toml::table* table = item.node->as_table();
      if (table == nullptr)
        return wrong(item, "'" + std::string(item.key) + "' is a table, written as [" +
                               std::string(item.key) + "], not " + type_of(*item.node));
      for (const Item& entry : items_of(*table)) PVHGRUB_TRY(read_entry(item.key, entry));
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> wrong(const Item& item, std::string message) const {
    return fail(ErrorCode::kUsage, std::move(message), result_.path + ":" + std::to_string(item.line));
  }

  [[nodiscard]] std::unexpected<Error> wrong_type(const Item& item, const toml::node& node,
                                                  std::string_view wanted) const {
    return wrong(item, std::string(item.key) + " wants " + std::string(wanted) + ", not " + type_of(node));
  }

  [[nodiscard]] Result<void> read_entry(std::string_view table, const Item& item) {
    if (table == "options") return read_option(item);
    if (table == "policy") return read_policy(item);
    if (table == "limits") return read_limit(item);
    return read_firmware(item);
  }

  // Text that becomes a word of a command line or a path: not empty, without control characters.
  [[nodiscard]] Result<std::string> text_of(const Item& item, const toml::node& node) const {
    const toml::value<std::string>* text = node.as_string();
    if (text == nullptr) return wrong_type(item, node, "a string in quotes");
    if (text->get().empty()) return wrong(item, std::string(item.key) + " is empty: leave the line out");
    for (const char c : text->get())
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        return wrong(item, std::string(item.key) + " holds a control character");
    return text->get();
  }

  [[nodiscard]] std::string in_directory(const std::string& path) const {
    return path.starts_with('/') ? path : directory_ + path;
  }

  [[nodiscard]] Result<void> check_firmware(const Item& item, std::string_view name_or_path) const {
    auto checked = check_firmware_choice(name_or_path);
    if (!checked) return wrong(item, std::move(checked).error().message);
    return {};
  }

  [[nodiscard]] Result<std::string> option_value(const Item& item, OptionKind kind) const {
    switch (kind) {
      case OptionKind::kFlag:
        if (const toml::value<bool>* flag = item.node->as_boolean())
          return std::string(flag->get() ? "true" : "false");
        return wrong_type(item, *item.node, "true or false");
      case OptionKind::kNumber: {
        const toml::value<std::int64_t>* number = item.node->as_integer();
        if (number == nullptr) return wrong_type(item, *item.node, "a whole number");
        if (number->get() < 0) return wrong(item, std::string(item.key) + " is 0 or more");
        return std::to_string(number->get());
      }
      case OptionKind::kText:
        return text_of(item, *item.node);
      case OptionKind::kFile: {
        PVHGRUB_TRY_ASSIGN(const std::string path, text_of(item, *item.node));
        return in_directory(path);
      }
      case OptionKind::kFirmware: {
        PVHGRUB_TRY_ASSIGN(std::string choice, text_of(item, *item.node));
        PVHGRUB_TRY(check_firmware(item, choice));
        return choice.find('/') != std::string::npos ? in_directory(choice) : std::move(choice);
      }
    }
    return fail(ErrorCode::kInternal, "an option of no kind");
  }

  [[nodiscard]] Result<void> read_option(const Item& item) {
    const ConfigurableOption* option = find_configurable(item.key);
    if (option == nullptr)
      return wrong(item, "[options] has no '" + std::string(item.key) + "'; it takes " + known_options());
    PVHGRUB_TRY_ASSIGN(std::string value, option_value(item, option->kind));
    result_.options.push_back(
        {.name = std::string(item.key), .kind = option->kind, .value = std::move(value), .line = item.line});
    return {};
  }

  [[nodiscard]] Result<void> read_policy(const Item& item) {
    if (item.key != "overrides")
      return wrong(item, "[policy] has no '" + std::string(item.key) + "'; it takes overrides");
    const toml::array* names = item.node->as_array();
    if (names == nullptr) return wrong_type(item, *item.node, "an array of options' names");
    std::vector<std::string> overrides;
    for (const toml::node& node : *names) {
      // The name's own line, which in an array over several lines is not that of its key.
      const Item at_name{.key = item.key,
                         .node = &node,
                         .line = node.source().begin.line,
                         .column = node.source().begin.column};
      PVHGRUB_TRY_ASSIGN(std::string name, text_of(at_name, node));
      if (find_configurable(name) == nullptr)
        return wrong(at_name,
                     "overrides names '" + name + "', which [options] has not; it has " + known_options());
      overrides.push_back(std::move(name));
    }
    result_.overrides = std::move(overrides);
    return {};
  }

  [[nodiscard]] Result<void> read_limit(const Item& item) {
    const bool is_kernel = item.key == "kernel-mib";
    if (!is_kernel && item.key != "ramdisk-mib")
      return wrong(item, "[limits] has no '" + std::string(item.key) + "'; it takes kernel-mib, ramdisk-mib");
    const toml::value<std::int64_t>* number = item.node->as_integer();
    if (number == nullptr) return wrong_type(item, *item.node, "a whole number");
    const std::uint64_t most = is_kernel ? limits::kKernelBytes : limits::kRamdiskBytes;
    if (number->get() < 1 || static_cast<std::uint64_t>(number->get()) > most / limits::kMiB)
      return wrong(item, std::string(item.key) + " is from 1 to " + std::to_string(most / limits::kMiB) +
                             ", not " + std::to_string(number->get()));
    (is_kernel ? result_.kernel_bytes : result_.ramdisk_bytes) =
        static_cast<std::uint64_t>(number->get()) * limits::kMiB;
    return {};
  }

  [[nodiscard]] Result<void> read_firmware(const Item& item) {
    const bool is_name = !item.key.empty() && std::ranges::all_of(item.key, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!is_name)
      return wrong(item,
                   "a firmware's name is made of a-z, 0-9 and '-', not '" + std::string(item.key) + "'");
    PVHGRUB_TRY(check_firmware(item, item.key));
    FirmwareEntry entry{.name = std::string(item.key), .paths = {}, .line = item.line};
    if (const toml::array* list = item.node->as_array()) {
      for (const toml::node& node : *list) PVHGRUB_TRY(add_firmware_path(item, node, entry.paths));
      if (entry.paths.empty()) return wrong(item, entry.name + " names no file");
    } else {
      PVHGRUB_TRY(add_firmware_path(item, *item.node, entry.paths));
    }
    result_.firmware.push_back(std::move(entry));
    return {};
  }

  [[nodiscard]] Result<void> add_firmware_path(const Item& item, const toml::node& node,
                                               std::vector<std::string>& paths) const {
    if (!node.is_string()) return wrong_type(item, node, "a path in quotes, or an array of them");
    PVHGRUB_TRY_ASSIGN(const std::string path, text_of(item, node));
    paths.push_back(in_directory(path));
    return check_firmware(item, paths.back());
  }

  std::string directory_ = "./";  ///< the file's own, with a '/' behind it
  HostConfiguration result_;
};

Result<void> check_owner(int fd, const std::string& path) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return fail_errno("cannot look at the configuration", path);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::kUsage, "the configuration is not a regular file", path);
  if (status.st_uid != 0 && status.st_uid != geteuid())
    return fail(ErrorCode::kUsage,
                "the configuration belongs to user " + std::to_string(status.st_uid) +
                    ", neither to root nor to who runs this program, and is not trusted; chown it",
                path);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(ErrorCode::kUsage,
                "others than its owner may write the configuration, so it is not trusted; chmod go-w it",
                path);
  return {};
}

Result<std::string> read_text(int fd, const std::string& path) {
  std::string text;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t count = read(fd, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read the configuration", path);
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (text.size() > limits::kHostConfigurationBytes)
      return fail(ErrorCode::kLimit,
                  "the configuration has more than " +
                      std::to_string(limits::kHostConfigurationBytes / limits::kKiB) + " KiB",
                  path);
  }
}

}  // namespace

std::span<const ConfigurableOption> configurable_options() {
  return kConfigurableOptions;
}

std::vector<std::string> HostConfiguration::as_arguments() const {
  std::vector<std::string> words;
  for (const HostOption& option : options) {
    if (option.kind != OptionKind::kFlag)
      words.push_back("--" + option.name + "=" + option.value);
    else if (option.value == "true")
      words.push_back("--" + option.name);
  }
  return words;
}

bool HostConfiguration::may_override(std::string_view option) const {
  return !overrides || std::ranges::find(*overrides, option) != overrides->end();
}

Result<void> HostConfiguration::check_override(std::string_view option) const {
  const HostOption* set = find_option(option);
  if (set == nullptr || may_override(option)) return {};
  return fail(ErrorCode::kUsage,
              "the host sets " + set->name + " to '" + set->value +
                  "', and [policy] overrides does not name it: --" + set->name + " may not be given",
              place_of(*set));
}

const HostOption* HostConfiguration::find_option(std::string_view option) const {
  const auto found = std::ranges::find(options, option, &HostOption::name);
  return found == options.end() ? nullptr : &*found;
}

std::string HostConfiguration::place_of(const HostOption& option) const {
  return path + ":" + std::to_string(option.line);
}

HostConfigurationPath host_configuration_path() {
  const char* named = secure_getenv("PVHGRUB_CONFIGURATION");
  if (named != nullptr && *named != '\0') return {.path = named, .must_exist = true};
  return {.path = kHostConfigurationFile, .must_exist = false};
}

Result<HostConfiguration> load_host_configuration(const std::string& path, bool must_exist) {
  // O_NONBLOCK: opening a FIFO would wait.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) {
    if (!must_exist && errno == ENOENT) return HostConfiguration{};
    return fail_errno("cannot open the configuration", path);
  }
  PVHGRUB_TRY(check_owner(fd.get(), path));
  PVHGRUB_TRY_ASSIGN(const std::string text, read_text(fd.get(), path));
  // toml++ as Debian packages it tells errors by an exception, which ends here.
  try {
    return Reader(path).read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kUsage, std::string(error.description()),
                path + ":" + std::to_string(error.source().begin.line));
  }
}

}  // namespace pvhgrub::broker
