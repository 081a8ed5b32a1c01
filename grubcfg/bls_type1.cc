// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_type1.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/limits.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/key_value_lines.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// Keys of GRUB's reader of these files, which systemd-boot does not know either.
constexpr std::array<std::string_view, 5> kOfGrub = {"grub_users", "grub_hotkey", "grub_class", "grub_arg",
                                                     "id"};

/// Paths are relative to the root, with or without '/'; EFI itself separates by backslashes.
std::string absolute(std::string_view value) {
  std::string path(value);
  std::ranges::replace(path, '\\', '/');
  return join_path("/", path);
}

class Type1Parser {
 public:
  Type1Parser(std::string_view name, std::string_view architecture,
              std::set<std::string, std::less<>>& unknown_keys, Diagnostics& diagnostics)
      : name_(name), architecture_(architecture), unknown_keys_(unknown_keys), diagnostics_(diagnostics) {}

  void read(const KeyValueLine& line);
  [[nodiscard]] Type1Entry& entry() { return entry_; }

 private:
  void read_loader(Type1Entry::Loader loader, std::string_view value);
  bool read_text(std::string_view key, std::string_view value);
  void read_other(std::string_view key, std::string_view value);
  void refuse(std::string why);
  void notice(std::string message) {
    diagnostics_.notice(std::string(name_) + ":" + std::to_string(line_), std::move(message));
  }

  std::string_view name_;
  std::string_view architecture_;
  std::set<std::string, std::less<>>& unknown_keys_;
  Diagnostics& diagnostics_;
  Type1Entry entry_;
  std::size_t line_ = 0;
};

void Type1Parser::refuse(std::string why) {
  entry_.refusal = std::move(why);
  entry_.refusal_line = line_;
}

void Type1Parser::read_loader(Type1Entry::Loader loader, std::string_view value) {
  if (entry_.loader != Type1Entry::Loader::kNone && entry_.loader != loader)
    return refuse("it has more than one of linux, efi, uki and uki-url");
  entry_.loader = loader;
  if (loader != Type1Entry::Loader::kUrl) {
    entry_.path = absolute(value);
  } else if (value.starts_with(':')) {
    refuse("its uki-url is relative to where the boot loader came from, which was no network");
  } else {
    entry_.path = value;
  }
}

bool Type1Parser::read_text(std::string_view key, std::string_view value) {
  if (key == "title") {
    entry_.title = value;
  } else if (key == "version") {
    entry_.version = value;
  } else if (key == "machine-id") {
    entry_.machine_id = value;
  } else if (key == "sort-key") {
    entry_.sort_key = value;
  } else if (key == "options") {
    if (!entry_.options.empty()) entry_.options += ' ';
    entry_.options += value;
  } else {
    return false;
  }
  return true;
}

void Type1Parser::read_other(std::string_view key, std::string_view value) {
  if (key == "initrd") {
    if (entry_.initrds.size() >= limits::kInitrds)
      return refuse("it has more than " + std::to_string(limits::kInitrds) + " initrd lines");
    entry_.initrds.push_back(absolute(value));
  } else if (key == "devicetree") {
    entry_.device_tree = absolute(value);
  } else if (key == "architecture") {
    entry_.is_for_other_machine = !equal_ignoring_case(value, architecture_);
    if (entry_.is_for_other_machine) refuse("it is for another architecture, " + std::string(value));
  } else if (key == "profile") {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size()) {
      entry_.profile = number;
    } else {
      notice("profile is a number: " + std::string(value) + " is left out");
    }
  } else if (key == "devicetree-overlay") {
    notice("devicetree-overlay is left out, as systemd-boot does");
  } else if (key == "extra") {
    notice("credentials, extensions and addons are not handed to the guest: " + std::string(value));
  } else if (std::ranges::find(kOfGrub, key) == kOfGrub.end() && unknown_keys_.emplace(key).second) {
    notice("unknown key: " + std::string(key));
  }
}

void Type1Parser::read(const KeyValueLine& line) {
  line_ = line.number;
  if (!line.value) return notice("a key without a value is left out: " + std::string(line.key));
  if (line.key == "linux") return read_loader(Type1Entry::Loader::kLinux, *line.value);
  if (line.key == "efi") return read_loader(Type1Entry::Loader::kEfi, *line.value);
  if (line.key == "uki") return read_loader(Type1Entry::Loader::kUki, *line.value);
  if (line.key == "uki-url") return read_loader(Type1Entry::Loader::kUrl, *line.value);
  if (!read_text(line.key, *line.value)) read_other(line.key, *line.value);
}

}  // namespace

Result<Type1Entry> parse_type1_entry(std::string_view text, std::string_view name,
                                     std::string_view architecture,
                                     std::set<std::string, std::less<>>& unknown_keys, Budget& budget,
                                     Diagnostics& diagnostics) {
  Type1Parser parser(name, architecture, unknown_keys, diagnostics);
  KeyValueLines lines(text, " \t");
  while (const std::optional<KeyValueLine> line = lines.next()) {
    PVHGRUB_TRY(budget.charge_steps(1, "reading boot entries"));
    parser.read(*line);
    if (!parser.entry().refusal.empty()) break;
  }
  Type1Entry& entry = parser.entry();
  if (entry.refusal.empty() && entry.loader == Type1Entry::Loader::kNone)
    entry.refusal = "it has none of linux, efi, uki and uki-url";
  return std::move(entry);
}

}  // namespace pvhgrub::grubcfg
