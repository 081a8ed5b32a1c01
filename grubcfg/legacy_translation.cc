// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_translation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

using Kind = LegacyTranslation::Kind;

std::string_view trimmed_end(std::string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_leading_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

/// In single quotes, for the script.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

/// Whether GRUB could not read the partition of a device name.
bool has_bad_partition(std::string_view name) {
  const std::size_t end = name.starts_with('(') ? name.find_first_of("),") : std::string_view::npos;
  return end != std::string_view::npos && name[end] == ',' &&
         parse_number(name.substr(end + 1), 0).status != kStatusOk;
}

/// The rest of a device name from its partition on, which GRUB counts from 1, in the middle of single quotes.
std::string counted_from_one(std::string_view after_comma) {
  const ParsedNumber number = parse_number(after_comma, 0);
  const auto one_more = [](std::uint64_t value) {
    return std::to_string(static_cast<std::int32_t>(static_cast<std::uint32_t>(value) + 1));
  };
  std::string result = one_more(number.value);
  std::string_view rest = number.rest;
  if (rest.size() >= 2 && rest[0] == ',' && rest[1] >= 'a' && rest[1] <= 'z') {
    result += "," + one_more(static_cast<std::uint64_t>(rest[1] - 'a'));
    rest.remove_prefix(2);
  }
  for (const char c : rest) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

/// A device or file name by GRUB 2's syntax, in single quotes.
std::string file_name(std::string_view name) {
  if (!name.starts_with('(')) return quoted(name);
  const std::size_t end = name.find_first_of("),");
  if (name.starts_with("(nd)")) return "'(tftp)" + quoted(name.substr(4)).substr(1);
  if (end == std::string_view::npos || name[end] == ')') return quoted(name);
  const std::string disk = quoted(name.substr(0, end + 1));
  return disk.substr(0, disk.size() - 1) + counted_from_one(name.substr(end + 1)) + "'";
}

/// The digits at the beginning, as GRUB 2 takes them over: "0" for none.
std::string number(std::string_view text) {
  const bool is_hexadecimal = text.starts_with("0x");
  const bool is_octal = !is_hexadecimal && text.starts_with('0');
  std::size_t end = is_hexadecimal ? 2 : 0;
  for (; end < text.size(); ++end) {
    const char c = text[end];
    const bool is_digit = c >= '0' && c <= (is_octal ? '7' : '9');
    const bool is_letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!is_digit && !(is_hexadecimal && is_letter)) break;
  }
  return end == 0 ? "0" : std::string(text.substr(0, end));
}

/// The arguments of a line, taken one after the other.
class Arguments {
 public:
  explicit Arguments(std::string_view text) : rest_(without_leading_space(text)) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  /// The next word; empty for none.
  std::string_view word() {
    const auto* const end = std::ranges::find_if(rest_, is_space);
    const std::string_view found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_ = without_leading_space(rest_.substr(found.size()));
    return found;
  }
  /// The next word where it is one of these, else nothing is taken.
  template <typename Accepts>
  std::string option(Accepts accepts) {
    Arguments next(*this);
    const std::string_view found = next.word();
    if (found.empty() || !accepts(found)) return {};
    *this = next;
    return std::string(found);
  }
  /// All that is left, without white space at its end.
  [[nodiscard]] std::string_view all() const { return trimmed_end(rest_); }
  /// The words that are left, each in single quotes. More than one character of white space at the end makes
  /// an empty word, as in GRUB.
  [[nodiscard]] std::string each_quoted() const {
    std::string result;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const std::string_view text = without_leading_space(rest_.substr(i));
      const auto* const end = std::ranges::find_if(text, is_space);
      if (!result.empty()) result += ' ';
      result += quoted(text.substr(0, static_cast<std::size_t>(end - text.begin())));
      i = static_cast<std::size_t>(end - rest_.begin());
    }
    return result;
  }

 private:
  std::string_view rest_;
};

bool is_kernel_option(std::string_view word) {
  constexpr std::array<std::string_view, 7> kOptions = {
      "--type=netbsd",   "--type=freebsd",   "--type=openbsd", "--type=linux",
      "--type=biglinux", "--type=multiboot", "--no-mem-option"};
  return std::ranges::find(kOptions, word) != kOptions.end();
}

LegacyTranslation script(std::string text) {
  return {Kind::kScript, std::move(text) + "\n", ""};
}

/// The same of a command that names a device or file.
LegacyTranslation script_with(std::string_view name, std::string text) {
  LegacyTranslation translation = script(std::move(text));
  if (has_bad_partition(name)) translation.error = "unrecognized number";
  return translation;
}

LegacyTranslation kernel(Arguments arguments) {
  const std::string first = arguments.option(is_kernel_option);
  const std::string second = arguments.option(is_kernel_option);
  const std::string_view name = Arguments(arguments).word();
  return script_with(
      name, "legacy_kernel " + first + " " + second + " " + file_name(name) + " " + arguments.each_quoted());
}

/// `command`, the first word as a file, and that word again with all that follow it.
LegacyTranslation with_file_and_all(const std::string& command, const Arguments& arguments) {
  const std::string_view name = Arguments(arguments).word();
  return script_with(name, command + " " + file_name(name) + " " + arguments.each_quoted());
}

LegacyTranslation with_file(const std::string& command, const Arguments& arguments) {
  return script_with(arguments.all(), command + " " + file_name(arguments.all()));
}

LegacyTranslation root(Arguments arguments, bool may_be_empty) {
  if (arguments.empty() && may_be_empty) return script("echo \"$root\"");
  const std::string_view device = arguments.word();
  return script_with(
      device, "set root=" + file_name(device) + "; set legacy_hdbias=" + quoted(number(arguments.all())));
}

LegacyTranslation color(Arguments arguments) {
  const std::string normal(arguments.word());
  std::string highlight(arguments.word());
  if (highlight.empty()) {
    const std::size_t slash = normal.find('/');
    if (slash == std::string::npos)
      return {Kind::kScript, "", "invalid color specification `" + normal + "'"};
    highlight = normal.substr(slash + 1) + "/" + normal.substr(0, slash);
  }
  return script("set color_normal=" + quoted(normal) + "; set color_highlight=" + quoted(highlight));
}

LegacyTranslation default_entry(Arguments arguments) {
  return script("set default=" + quoted(arguments.all()) +
                "; if [ x\"$default\" = xsaved ]; then load_env; set default=\"$saved_entry\"; fi");
}

LegacyTranslation pager(Arguments arguments) {
  if (arguments.empty())
    return script(
        "if [ \"$pager\" = 1 ]; then pager=0; echo Internal pager is now off; "
        "else pager=1; echo Internal pager is now on; fi");
  const bool is_on = arguments.all() == "on";
  return script(is_on ? "set pager=1; echo Internal pager is now on"
                      : "set pager=0; echo Internal pager is now off");
}

// In the header a password makes the user "legacy"; one with a file makes nothing but an entry at the end.
// What GRUB compares $superusers with there is nothing at all, an error of its own. In an entry GRUB's text
// for a password without a file lacks a semicolon, so that the entry is no valid script.
LegacyTranslation password(Arguments arguments, bool in_entry) {
  const std::string option = arguments.option([](std::string_view word) { return word.starts_with("--"); });
  const std::string secret = option + " " + quoted(arguments.word());
  const std::string file = arguments.empty() ? "" : file_name(arguments.word());
  if (in_entry) {
    if (file.empty()) return script("if ! legacy_check_password " + secret + "; then return fi;");
    return script("if legacy_check_password " + secret + "; then configfile " + file + "; else return; fi");
  }
  if (file.empty())
    return script("if [ \"$superusers\" =  ]; then superusers=legacy; fi;\nlegacy_password " + secret);
  return {Kind::kAtEnd, "menuentry \"Superuser menu\" --users \"legacy\" { configfile " + file + "; }\n", ""};
}

/// Commands that GRUB 2 translates to something without effect on what is booted.
bool is_without_effect(std::string_view name) {
  constexpr std::array<std::string_view, 20> kNames = {
      "blocklist", "bootp",    "clear",      "cmp",    "dhcp",     "displayapm", "displaymem",
      "geometry",  "hide",     "makeactive", "map",    "parttype", "read",       "serial",
      "terminal",  "testload", "testvbe",    "unhide", "vbeprobe", "debug"};
  return std::ranges::find(kNames, name) != kNames.end();
}

std::optional<LegacyTranslation> translate_loader(std::string_view name, const Arguments& arguments) {
  if (name == "kernel") return kernel(arguments);
  if (name == "initrd" || name == "module") return with_file_and_all("legacy_initrd", arguments);
  if (name == "modulenounzip") return with_file_and_all("legacy_initrd_nounzip", arguments);
  if (name == "chainloader") {
    Arguments rest = arguments;
    const std::string force = rest.option([](std::string_view word) { return word == "--force"; });
    return with_file("chainloader " + force, rest);
  }
  if (name == "root") return root(arguments, true);
  if (name == "rootnoverify") return root(arguments, false);
  if (name == "uuid") return script("search --set=root --fs-uuid " + quoted(arguments.all()));
  if (name == "find") return with_file("search -f", arguments);
  if (name == "configfile") return with_file("legacy_configfile", arguments);
  if (name == "boot" || name == "reboot") return script(std::string(name));
  if (name == "halt") return script("halt");
  return std::nullopt;
}

std::optional<LegacyTranslation> translate_other(std::string_view name, const Arguments& arguments,
                                                 bool in_entry) {
  if (name == "default") return default_entry(arguments);
  if (name == "fallback") return script("set fallback=" + quoted(arguments.all()));
  if (name == "timeout") return script("set timeout=" + number(arguments.all()));
  if (name == "hiddenmenu")
    return LegacyTranslation{Kind::kAtEnd, "if sleep -i $timeout; then timeout=0; else timeout=-1; fi\n", ""};
  if (name == "password") return password(arguments, in_entry);
  // Without a newline: what follows on the next line is joined to it, and the script is no valid one.
  if (name == "lock")
    return LegacyTranslation{Kind::kScript, "if ! authenticate legacy; then return; fi", ""};
  if (name == "savedefault") return script("saved_entry=${chosen}; save_env saved_entry");
  if (name == "pause")
    return script("echo " + arguments.each_quoted() + "; if ! sleep -i 60; then return; fi");
  if (name == "cat") return with_file("cat", arguments);
  if (name == "color") return color(arguments);
  if (name == "pager") return pager(arguments);
  return std::nullopt;
}

}  // namespace

LegacyTranslation translate_legacy_line(std::string_view line, bool in_entry) {
  const std::string_view text = without_leading_space(line);
  // Comments stay, so that the lines are counted alike.
  if (text.empty() || text.starts_with('#')) return script(std::string(text));
  const auto* const name_end = std::ranges::find_if(text, [](char c) { return is_space(c) || c == '='; });
  const std::string_view name = text.substr(0, static_cast<std::size_t>(name_end - text.begin()));
  std::string_view rest = text.substr(name.size());
  while (!rest.empty() && (is_space(rest.front()) || rest.front() == '=')) rest.remove_prefix(1);
  if (name == "title") return {Kind::kTitle, std::string(trimmed_end(rest)), ""};
  const Arguments arguments(rest);
  if (auto translation = translate_loader(name, arguments)) return *std::move(translation);
  if (auto translation = translate_other(name, arguments, in_entry)) return *std::move(translation);
  return script((is_without_effect(name) ? "# " : "# Unsupported legacy command: ") + std::string(text));
}

}  // namespace pvhgrub::grubcfg
