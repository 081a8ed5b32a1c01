// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/syslinux_parser.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/number.h"
#include "grubcfg/syslinux_reader.h"

namespace pvhgrub::grubcfg {

namespace {

/// Notices about one configuration: more only repeat themselves.
constexpr std::size_t kNotices = 100;

std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_syslinux_space(text.front())) text.remove_prefix(1);
  return text;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// F1 to F12, and F0 for the tenth: help texts.
bool is_function_key(std::string_view keyword) {
  if (keyword.size() < 2 || keyword.size() > 3 || keyword[0] != 'f') return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::ranges::all_of(keyword.substr(1), is_digit) && parse_number(keyword.substr(1), 10).value <= 12;
}

}  // namespace

std::string_view take_syslinux_word(std::string_view& text) {
  text = skip_space(text);
  std::size_t end = 0;
  while (end < text.size() && !is_syslinux_space(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text = skip_space(text.substr(end));
  return word;
}

std::optional<SyslinuxImage> syslinux_image_named(std::string_view name) {
  using Named = std::pair<std::string_view, SyslinuxImage>;
  constexpr std::array<Named, 9> kNames = {{{"localboot", SyslinuxImage::kLocalboot},
                                            {"kernel", SyslinuxImage::kKernel},
                                            {"linux", SyslinuxImage::kLinux},
                                            {"boot", SyslinuxImage::kBoot},
                                            {"bss", SyslinuxImage::kBss},
                                            {"pxe", SyslinuxImage::kPxe},
                                            {"fdimage", SyslinuxImage::kFdimage},
                                            {"com32", SyslinuxImage::kCom32},
                                            {"config", SyslinuxImage::kConfig}}};
  const auto* const found = std::ranges::find(kNames, name, &Named::first);
  return found != kNames.end() ? std::optional(found->second) : std::nullopt;
}

Result<SyslinuxConfiguration> parse_syslinux(std::span<const SyslinuxText> texts, SyslinuxFiles& files,
                                             Budget& budget, Diagnostics& diagnostics) {
  return SyslinuxReader(files, budget, diagnostics).read(texts);
}

// --- Entries and menus ---

void SyslinuxReader::notice(const SyslinuxOpenFile& file, std::string message) {
  if (++notices_ < kNotices) diagnostics_.notice(where(file), std::move(message));
  if (notices_ == kNotices)
    diagnostics_.notice(where(file), "further notices about this configuration are left out");
}

SyslinuxEntry* SyslinuxReader::entry_for(const SyslinuxOpenFile& file, std::string_view directive) {
  if (entry_) return &*entry_;
  notice(file, std::string(directive) + " is skipped: it belongs to a LABEL, and none is before it");
  return nullptr;
}

SyslinuxEntry* SyslinuxReader::shown(const SyslinuxOpenFile& file) {
  if (entry_) return &*entry_;
  SyslinuxMenu* const above = file.menu->parent;
  return above != nullptr ? &above->items[file.menu->parent_item].entry : nullptr;
}

Result<void> SyslinuxReader::add_item(SyslinuxMenu& menu, SyslinuxItem item) {
  if (++items_ > limits::kMenuEntries)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kMenuEntries) + " menu entries",
                item.entry.where);
  PVHGRUB_TRY(budget_.charge_bytes(sizeof(SyslinuxItem), "making menu entries"));
  menu.items.push_back(std::move(item));
  return {};
}

Result<void> SyslinuxReader::begin_entry(SyslinuxOpenFile& file, std::string_view label) {
  PVHGRUB_TRY(end_entry(file));
  entry_.emplace();
  entry_->label = label;
  entry_->where = where(file);
  entry_->sysappend = configuration_.sysappend;
  entry_append_.reset();
  entry_is_default_ = false;
  return {};
}

Result<void> SyslinuxReader::end_entry(SyslinuxOpenFile& file) {
  if (!entry_) return {};
  SyslinuxEntry entry = std::move(*entry_);
  entry_.reset();
  const std::optional<std::string>& append = entry_append_ ? entry_append_ : append_;
  if (append && *append != "-") {
    PVHGRUB_TRY(budget_.charge_bytes(append->size(), "making menu entries"));
    entry.append = *append;
  }
  const bool can_be_default =
      !entry.hidden && !entry.disabled &&
      (entry.action == SyslinuxAction::kBoot || entry.action == SyslinuxAction::kGoto);
  if (entry_is_default_ && can_be_default) file.menu->default_item = file.menu->items.size();
  return add_item(*file.menu, {std::move(entry), nullptr});
}

// An item of its own that cannot be chosen. It counts: it may be the first one.
Result<void> SyslinuxReader::add_separator(SyslinuxOpenFile& file) {
  PVHGRUB_TRY(end_entry(file));
  SyslinuxEntry separator;
  separator.disabled = true;
  separator.where = where(file);
  return add_item(*file.menu, {std::move(separator), nullptr});
}

Result<void> SyslinuxReader::begin_menu(SyslinuxOpenFile& file, std::string_view tag) {
  PVHGRUB_TRY(end_entry(file));
  unsigned depth = 0;
  for (const SyslinuxMenu* menu = current_; menu != nullptr; menu = menu->parent) ++depth;
  if (depth > limits::kSubmenuDepth)
    return fail(ErrorCode::kLimit,
                "submenus nested deeper than " + std::to_string(limits::kSubmenuDepth) + " levels",
                where(file));
  SyslinuxItem item;
  item.entry.where = where(file);
  item.submenu = std::make_unique<SyslinuxMenu>();
  SyslinuxMenu& menu = *item.submenu;
  menu.tag = tag;
  menu.parent = current_;
  menu.parent_item = current_->items.size();
  menu.timeout = current_->timeout;
  menu.on_timeout = current_->on_timeout;
  menu.on_error = current_->on_error;
  menu.allow_options = current_->allow_options;
  menu.master_password = current_->master_password;
  PVHGRUB_TRY(add_item(*current_, std::move(item)));
  file.menu = current_ = &menu;
  return {};
}

Result<void> SyslinuxReader::end_menu(SyslinuxOpenFile& file) {
  PVHGRUB_TRY(end_entry(file));
  if (current_->parent != nullptr) current_ = current_->parent;
  file.menu = current_;
  return {};
}

// --- Files and lines ---

Result<void> SyslinuxReader::include(SyslinuxOpenFile& file, std::string_view value) {
  const std::string_view written = take_syslinux_word(value);
  if (open_files_.size() > limits::kIncludeDepth) {
    notice(file, "INCLUDE is skipped: files nested deeper than " + std::to_string(limits::kIncludeDepth) +
                     " levels");
    return {};
  }
  if (++files_read_ > limits::kIncludedFiles)
    return fail(ErrorCode::kLimit,
                "more than " + std::to_string(limits::kIncludedFiles) + " INCLUDEs in one configuration",
                where(file));
  std::string name = files_.locate(written);
  if (std::ranges::find(open_files_, name) != open_files_.end()) {
    notice(file, "INCLUDE is skipped: " + name + " would include itself for ever");
    return {};
  }
  std::string why;
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> text, files_.read(name, why));
  if (!text) {
    notice(file, "cannot include " + name + ": " + why);
    return {};
  }
  // "INCLUDE file name" reads as between MENU BEGIN name and MENU END.
  const bool is_submenu = !value.empty();
  if (is_submenu) PVHGRUB_TRY(begin_menu(file, value));
  PVHGRUB_TRY(read_file({std::move(*text), std::move(name)}));
  if (is_submenu) PVHGRUB_TRY(end_menu(file));
  return {};
}

Result<void> SyslinuxReader::skip_text(SyslinuxOpenFile& file) {
  const std::string beginning = where(file);
  std::string_view line;
  while (true) {
    PVHGRUB_TRY_ASSIGN(const bool there, next_line(file, line));
    if (!there) break;
    PVHGRUB_TRY(add_to_source(file, line));
    if (equal_ignoring_case(take_syslinux_word(line), "endtext")) return {};
  }
  diagnostics_.notice(beginning, "the TEXT that begins here has no ENDTEXT: all that follows is part of it");
  return {};
}

Result<bool> SyslinuxReader::next_line(SyslinuxOpenFile& file, std::string_view& line) {
  if (file.rest.empty()) return false;
  const std::size_t end = std::min(file.rest.find('\n'), file.rest.size());
  line = file.rest.substr(0, end);
  file.rest.remove_prefix(std::min(end + 1, file.rest.size()));
  ++file.line;
  PVHGRUB_TRY(budget_.charge_steps(1 + line.size() / 64, "reading a syslinux configuration"));
  // A line ends at a NUL, too. Syslinux cuts it after 4095 bytes, but boots nothing with half as many.
  line = line.substr(0, line.find_first_of(std::string_view("\r\0", 2)));
  return true;
}

Result<void> SyslinuxReader::add_to_source(SyslinuxOpenFile& file, std::string_view line) {
  SyslinuxEntry* const owner = shown(file);
  if (owner == nullptr) return {};
  PVHGRUB_TRY(budget_.charge_bytes(line.size() + 1, "reading a syslinux configuration"));
  owner->source.append(line).append("\n");
  return {};
}

Result<void> SyslinuxReader::follow_line(SyslinuxOpenFile& file, std::string_view line) {
  std::string_view value = line;
  std::string keyword = lower_case(take_syslinux_word(value));
  const SyslinuxDirective* directive = nullptr;
  if (keyword == "menu") {
    if (!entry_) configuration_.has_menu_lines = true;
    const std::string second = lower_case(take_syslinux_word(value));
    directive = find_syslinux_menu_directive(second);
    keyword += " " + second;
  } else {
    directive = find_syslinux_directive(keyword);
  }
  if (directive != nullptr && directive->is_boundary) {
    PVHGRUB_TRY(directive->follow(*this, file, value));
    return add_to_source(file, line);
  }
  PVHGRUB_TRY(add_to_source(file, line));
  if (directive != nullptr) return directive->follow(*this, file, value);
  if (!keyword.empty() && keyword.front() != '#' && !is_function_key(keyword))
    notice(file, "unknown directive `" + keyword + "' is skipped");
  return {};
}

Result<void> SyslinuxReader::read_file(const SyslinuxText& text) {
  SyslinuxOpenFile file{text.name, text.text, 0, current_};
  open_files_.push_back(text.name);
  std::string_view line;
  while (true) {
    PVHGRUB_TRY_ASSIGN(const bool there, next_line(file, line));
    if (!there) break;
    PVHGRUB_TRY(follow_line(file, line));
  }
  open_files_.pop_back();
  return {};
}

Result<SyslinuxConfiguration> SyslinuxReader::read(std::span<const SyslinuxText> texts) {
  configuration_.top = std::make_unique<SyslinuxMenu>();
  configuration_.top->tag = ".top";
  configuration_.start = current_ = configuration_.top.get();
  for (const SyslinuxText& text : texts) PVHGRUB_TRY(read_file(text));
  SyslinuxOpenFile end{"", "", 0, current_};
  PVHGRUB_TRY(end_entry(end));
  return std::move(configuration_);
}

}  // namespace pvhgrub::grubcfg
