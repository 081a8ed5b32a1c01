// SPDX-License-Identifier: LGPL-2.1-or-later
// What each directive of a syslinux configuration does to what the loader remembers.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/limits.h"
#include "grubcfg/number.h"
#include "grubcfg/syslinux_reader.h"

namespace pvhgrub::grubcfg {

namespace {

using Reader = SyslinuxReader;
using File = SyslinuxOpenFile;
using Value = std::string_view;

/// The number at the text's beginning as C's atoi() reads it; what is too large is the largest.
std::int64_t leading_integer(Value text) {
  constexpr std::int64_t kMost = 0x7fff'ffff;
  while (!text.empty() && is_syslinux_space(text.front())) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1))
    value = std::min(kMost, value * 10 + (text.front() - '0'));
  return negative ? -value : value;
}

std::uint64_t tenths(Value text) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(leading_integer(text), 0));
}

Result<void> do_nothing(Reader&, File&, Value) {
  return {};
}

// --- Entries ---

Result<void> follow_label(Reader& reader, File& file, Value value) {
  return reader.begin_entry(file, value);
}

template <SyslinuxImage image>
Result<void> follow_image(Reader& reader, File& file, Value value) {
  if (SyslinuxEntry* const entry = reader.entry_for(file, "what loads an image")) {
    entry->kernel = value;
    entry->image = image;
  }
  return {};
}

Result<void> follow_append(Reader& reader, File&, Value value) {
  reader.set_append(value);
  return {};
}

Result<void> follow_initrd(Reader& reader, File& file, Value value) {
  SyslinuxEntry* const entry = reader.entry_for(file, "INITRD");
  if (entry == nullptr) return {};
  if (entry->initrds.size() >= limits::kInitrds)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kInitrds) + " INITRD lines",
                SyslinuxReader::where(file));
  entry->initrds.emplace_back(value);
  return {};
}

Result<void> follow_sysappend(Reader& reader, File&, Value value) {
  SyslinuxEntry* const entry = reader.entry();
  std::uint32_t& bits = entry != nullptr ? entry->sysappend : reader.configuration().sysappend;
  bits = static_cast<std::uint32_t>(parse_number(value, 0).value);
  return {};
}

Result<void> follow_device_tree(Reader& reader, File& file, Value value) {
  reader.configuration().has_device_trees = true;
  SyslinuxEntry* const entry = reader.entry_for(file, "the device tree");
  if (entry != nullptr && !entry->device_tree && !value.empty()) entry->device_tree = value;
  return {};
}

// FDTDIR: only the board's firmware knows which file of the directory is meant. FDTOVERLAYS: changes to it.
Result<void> follow_device_tree_part(Reader& reader, File& file, Value) {
  reader.configuration().has_device_trees = true;
  reader.explain(file, "left out: Xen makes the device tree of a guest");
  return {};
}

// --- Files and texts ---

Result<void> follow_include(Reader& reader, File& file, Value value) {
  return reader.include(file, value);
}

Result<void> follow_text(Reader& reader, File& file, Value) {
  return reader.skip_text(file);
}

Result<void> follow_say(Reader& reader, File& file, Value value) {
  reader.explain(file, "says: " + std::string(value));
  return {};
}

// --- What is booted by itself, and when ---

Result<void> follow_default(Reader& reader, File&, Value value) {
  reader.configuration().default_command = value;
  return {};
}

Result<void> follow_user_interface(Reader& reader, File&, Value value) {
  reader.configuration().user_interface = value;
  return {};
}

Result<void> follow_timeout(Reader& reader, File& file, Value value) {
  file.menu->timeout = reader.configuration().timeout = tenths(value);
  return {};
}

Result<void> follow_total_timeout(Reader& reader, File&, Value value) {
  reader.configuration().total_timeout = tenths(value);
  return {};
}

Result<void> follow_on_timeout(Reader& reader, File& file, Value value) {
  file.menu->on_timeout = value;
  reader.configuration().on_timeout = value;
  return {};
}

Result<void> follow_on_error(Reader& reader, File&, Value value) {
  reader.configuration().on_error = value;
  return {};
}

Result<void> follow_prompt(Reader& reader, File&, Value value) {
  reader.configuration().prompt = leading_integer(value) != 0;
  return {};
}

Result<void> follow_implicit(Reader& reader, File&, Value value) {
  reader.configuration().implicit = leading_integer(value) != 0;
  return {};
}

Result<void> follow_no_escape(Reader& reader, File&, Value value) {
  reader.configuration().no_escape = leading_integer(value) != 0;
  return {};
}

Result<void> follow_allow_options(Reader&, File& file, Value value) {
  file.menu->allow_options = leading_integer(value) != 0;
  return {};
}

// --- MENU ... ---

Result<void> follow_menu_label(Reader& reader, File& file, Value value) {
  if (SyslinuxEntry* const shown = reader.shown(file)) shown->menu_label = value;
  return {};
}

Result<void> follow_menu_title(Reader&, File& file, Value value) {
  file.menu->title = value;
  return {};
}

Result<void> follow_menu_default(Reader& reader, File& file, Value) {
  if (reader.entry() != nullptr) {
    reader.make_entry_default();
  } else if (file.menu->parent != nullptr) {
    file.menu->parent->default_item = file.menu->parent_item;
  }
  return {};
}

Result<void> follow_menu_hide(Reader& reader, File& file, Value) {
  if (SyslinuxEntry* const entry = reader.entry_for(file, "MENU HIDE")) entry->hidden = true;
  return {};
}

Result<void> follow_menu_disable(Reader& reader, File& file, Value) {
  if (SyslinuxEntry* const entry = reader.entry_for(file, "MENU DISABLE")) entry->disabled = true;
  return {};
}

Result<void> follow_menu_separator(Reader& reader, File& file, Value) {
  return reader.add_separator(file);
}

Result<void> follow_menu_password(Reader& reader, File& file, Value value) {
  if (SyslinuxEntry* const shown = reader.shown(file)) shown->password = value;
  return {};
}

// MENU MASTER PASSWD
Result<void> follow_menu_master(Reader&, File& file, Value value) {
  if (equal_ignoring_case(take_syslinux_word(value), "passwd")) file.menu->master_password = value;
  return {};
}

// The menu follows only MENU ONERROR, the prompt follows both.
Result<void> follow_menu_on_error(Reader& reader, File& file, Value value) {
  file.menu->on_error = value;
  reader.configuration().on_error = value;
  return {};
}

Result<void> follow_menu_begin(Reader& reader, File& file, Value value) {
  return reader.begin_menu(file, value);
}

Result<void> follow_menu_end(Reader& reader, File& file, Value) {
  return reader.end_menu(file);
}

Result<void> follow_menu_goto(Reader& reader, File& file, Value value) {
  if (SyslinuxEntry* const entry = reader.entry_for(file, "MENU GOTO")) {
    entry->action = SyslinuxAction::kGoto;
    entry->target = value;
  }
  return {};
}

Result<void> follow_menu_exit(Reader& reader, File& file, Value value) {
  SyslinuxEntry* const entry = reader.entry_for(file, "MENU EXIT");
  if (entry == nullptr) return {};
  if (file.menu->parent == nullptr) {
    reader.notice(file, "MENU EXIT is skipped: there is no menu above this one");
    return {};
  }
  entry->action = SyslinuxAction::kExit;
  entry->target = value;
  return {};
}

Result<void> follow_menu_quit(Reader& reader, File& file, Value) {
  if (SyslinuxEntry* const entry = reader.entry_for(file, "MENU QUIT")) entry->action = SyslinuxAction::kQuit;
  return {};
}

Result<void> follow_menu_help(Reader& reader, File& file, Value value) {
  if (SyslinuxEntry* const entry = reader.entry_for(file, "MENU HELP")) {
    entry->action = SyslinuxAction::kHelp;
    entry->target = take_syslinux_word(value);
  }
  return {};
}

Result<void> follow_menu_start(Reader& reader, File& file, Value) {
  reader.configuration().start = file.menu;
  return {};
}

Result<void> follow_menu_hidden(Reader& reader, File&, Value) {
  reader.configuration().menu_hidden = true;
  return {};
}

Result<void> follow_menu_shift_key(Reader& reader, File&, Value) {
  reader.configuration().menu_shift_key = true;
  return {};
}

Result<void> follow_menu_save(Reader& reader, File&, Value) {
  reader.configuration().menu_saves = true;
  return {};
}

constexpr std::array kDirectives = {
    SyslinuxDirective{"label", follow_label, true},
    SyslinuxDirective{"none", follow_image<SyslinuxImage::kNone>},
    SyslinuxDirective{"localboot", follow_image<SyslinuxImage::kLocalboot>},
    SyslinuxDirective{"kernel", follow_image<SyslinuxImage::kKernel>},
    SyslinuxDirective{"linux", follow_image<SyslinuxImage::kLinux>},
    SyslinuxDirective{"boot", follow_image<SyslinuxImage::kBoot>},
    SyslinuxDirective{"bss", follow_image<SyslinuxImage::kBss>},
    SyslinuxDirective{"pxe", follow_image<SyslinuxImage::kPxe>},
    SyslinuxDirective{"fdimage", follow_image<SyslinuxImage::kFdimage>},
    SyslinuxDirective{"comboot", follow_image<SyslinuxImage::kComboot>},
    SyslinuxDirective{"com32", follow_image<SyslinuxImage::kCom32>},
    SyslinuxDirective{"config", follow_image<SyslinuxImage::kConfig>},
    SyslinuxDirective{"append", follow_append},
    SyslinuxDirective{"initrd", follow_initrd},
    SyslinuxDirective{"sysappend", follow_sysappend},
    SyslinuxDirective{"ipappend", follow_sysappend},
    SyslinuxDirective{"fdt", follow_device_tree},
    SyslinuxDirective{"devicetree", follow_device_tree},
    SyslinuxDirective{"fdtdir", follow_device_tree_part},
    SyslinuxDirective{"devicetreedir", follow_device_tree_part},
    SyslinuxDirective{"fdtoverlays", follow_device_tree_part},
    SyslinuxDirective{"devicetree-overlay", follow_device_tree_part},
    SyslinuxDirective{"kaslrseed", follow_device_tree_part},
    SyslinuxDirective{"include", follow_include},
    SyslinuxDirective{"text", follow_text},
    SyslinuxDirective{"say", follow_say},
    SyslinuxDirective{"default", follow_default},
    SyslinuxDirective{"ui", follow_user_interface},
    SyslinuxDirective{"timeout", follow_timeout},
    SyslinuxDirective{"totaltimeout", follow_total_timeout},
    SyslinuxDirective{"ontimeout", follow_on_timeout},
    SyslinuxDirective{"onerror", follow_on_error},
    SyslinuxDirective{"prompt", follow_prompt},
    SyslinuxDirective{"implicit", follow_implicit},
    SyslinuxDirective{"noescape", follow_no_escape},
    SyslinuxDirective{"allowoptions", follow_allow_options},
    // Without effect on what is booted.
    SyslinuxDirective{"console", do_nothing},
    SyslinuxDirective{"display", do_nothing},
    SyslinuxDirective{"font", do_nothing},
    SyslinuxDirective{"kbdmap", do_nothing},
    SyslinuxDirective{"nocomplete", do_nothing},
    SyslinuxDirective{"nohalt", do_nothing},
    SyslinuxDirective{"path", do_nothing},
    SyslinuxDirective{"pxeretry", do_nothing},
    SyslinuxDirective{"sendcookies", do_nothing},
    SyslinuxDirective{"serial", do_nothing},
};

constexpr std::array kMenuDirectives = {
    SyslinuxDirective{"label", follow_menu_label},
    SyslinuxDirective{"title", follow_menu_title},
    SyslinuxDirective{"default", follow_menu_default},
    SyslinuxDirective{"hide", follow_menu_hide},
    SyslinuxDirective{"disable", follow_menu_disable},
    SyslinuxDirective{"disabled", follow_menu_disable},
    SyslinuxDirective{"separator", follow_menu_separator, true},
    SyslinuxDirective{"passwd", follow_menu_password},
    SyslinuxDirective{"master", follow_menu_master},
    SyslinuxDirective{"begin", follow_menu_begin, true},
    SyslinuxDirective{"end", follow_menu_end, true},
    SyslinuxDirective{"goto", follow_menu_goto},
    SyslinuxDirective{"exit", follow_menu_exit},
    SyslinuxDirective{"quit", follow_menu_quit},
    SyslinuxDirective{"help", follow_menu_help},
    SyslinuxDirective{"start", follow_menu_start},
    SyslinuxDirective{"hidden", follow_menu_hidden},
    SyslinuxDirective{"shiftkey", follow_menu_shift_key},
    SyslinuxDirective{"save", follow_menu_save},
    SyslinuxDirective{"include", follow_include},
    SyslinuxDirective{"onerror", follow_menu_on_error},
    // How the menu looks, and what only its keys do.
    SyslinuxDirective{"autoboot", do_nothing},
    SyslinuxDirective{"background", do_nothing},
    SyslinuxDirective{"clear", do_nothing},
    SyslinuxDirective{"cmdlinerow", do_nothing},
    SyslinuxDirective{"color", do_nothing},
    SyslinuxDirective{"colour", do_nothing},
    SyslinuxDirective{"endrow", do_nothing},
    SyslinuxDirective{"helpmsgendrow", do_nothing},
    SyslinuxDirective{"helpmsgrow", do_nothing},
    SyslinuxDirective{"hiddenkey", do_nothing},
    SyslinuxDirective{"hiddenrow", do_nothing},
    SyslinuxDirective{"hshift", do_nothing},
    SyslinuxDirective{"immediate", do_nothing},
    SyslinuxDirective{"indent", do_nothing},
    SyslinuxDirective{"margin", do_nothing},
    SyslinuxDirective{"msgcolor", do_nothing},
    SyslinuxDirective{"msgcolour", do_nothing},
    SyslinuxDirective{"noimmediate", do_nothing},
    SyslinuxDirective{"nosave", do_nothing},
    SyslinuxDirective{"notabmsg", do_nothing},
    SyslinuxDirective{"passprompt", do_nothing},
    SyslinuxDirective{"passwordmargin", do_nothing},
    SyslinuxDirective{"passwordrow", do_nothing},
    SyslinuxDirective{"resolution", do_nothing},
    SyslinuxDirective{"rows", do_nothing},
    SyslinuxDirective{"tabmsg", do_nothing},
    SyslinuxDirective{"tabmsgrow", do_nothing},
    SyslinuxDirective{"timeoutrow", do_nothing},
    SyslinuxDirective{"vshift", do_nothing},
    SyslinuxDirective{"width", do_nothing},
};

using Table = std::unordered_map<std::string_view, const SyslinuxDirective*>;

Table make_table(std::span<const SyslinuxDirective> directives) {
  Table table;
  for (const SyslinuxDirective& directive : directives) table.emplace(directive.name, &directive);
  return table;
}

const SyslinuxDirective* find_in(const Table& table, std::string_view name) {
  const auto found = table.find(name);
  return found != table.end() ? found->second : nullptr;
}

}  // namespace

const SyslinuxDirective* find_syslinux_directive(std::string_view name) {
  static const Table table = make_table(kDirectives);
  return find_in(table, name);
}

const SyslinuxDirective* find_syslinux_menu_directive(std::string_view name) {
  static const Table table = make_table(kMenuDirectives);
  return find_in(table, name);
}

}  // namespace pvhgrub::grubcfg
