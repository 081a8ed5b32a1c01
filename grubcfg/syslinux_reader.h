// SPDX-License-Identifier: LGPL-2.1-or-later
// Inside of parse_syslinux(): what is known while a configuration is read, and the directives that change it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "grubcfg/syslinux_parser.h"

namespace pvhgrub::grubcfg {

/// A file under reading.
struct SyslinuxOpenFile {
  std::string name;
  std::string_view rest;   ///< the lines that are still to be read
  std::uint32_t line = 0;  ///< the current one, from 1
  /// The menu that this file's entries belong to. INCLUDE may leave another one behind as the current menu:
  /// that one counts for the menus that begin from there, and for the end of the last file.
  SyslinuxMenu* menu = nullptr;
};

class SyslinuxReader {
 public:
  SyslinuxReader(SyslinuxFiles& files, Budget& budget, Diagnostics& diagnostics)
      : files_(files), budget_(budget), diagnostics_(diagnostics) {}

  [[nodiscard]] Result<SyslinuxConfiguration> read(std::span<const SyslinuxText> texts);

  // --- For the directives ---

  /// The entry under construction is complete: it joins the file's menu. Nothing where there is none.
  [[nodiscard]] Result<void> end_entry(SyslinuxOpenFile& file);
  [[nodiscard]] Result<void> begin_entry(SyslinuxOpenFile& file, std::string_view label);
  [[nodiscard]] Result<void> add_separator(SyslinuxOpenFile& file);
  [[nodiscard]] Result<void> begin_menu(SyslinuxOpenFile& file, std::string_view tag);
  [[nodiscard]] Result<void> end_menu(SyslinuxOpenFile& file);
  /// INCLUDE: `value` is the file's name and, where it is a submenu, that one's.
  [[nodiscard]] Result<void> include(SyslinuxOpenFile& file, std::string_view value);
  /// Skips the lines up to ENDTEXT.
  [[nodiscard]] Result<void> skip_text(SyslinuxOpenFile& file);

  /// The entry under construction; null outside of the entries.
  [[nodiscard]] SyslinuxEntry* entry() { return entry_ ? &*entry_ : nullptr; }
  /// The same for a directive that means nothing outside, which is told.
  [[nodiscard]] SyslinuxEntry* entry_for(const SyslinuxOpenFile& file, std::string_view directive);
  /// What a MENU line describes: the entry, else the submenu that it stands in; null at the top.
  [[nodiscard]] SyslinuxEntry* shown(const SyslinuxOpenFile& file);
  [[nodiscard]] SyslinuxConfiguration& configuration() { return configuration_; }
  /// APPEND: of the entry, or the global one.
  void set_append(std::string_view value) { (entry_ ? entry_append_ : append_) = value; }
  void make_entry_default() { entry_is_default_ = true; }
  void notice(const SyslinuxOpenFile& file, std::string message);
  void explain(const SyslinuxOpenFile& file, const std::string& text) {
    diagnostics_.explain(where(file) + ": " + text);
  }
  [[nodiscard]] static std::string where(const SyslinuxOpenFile& file) {
    return file.name + ":" + std::to_string(file.line);
  }

 private:
  [[nodiscard]] Result<void> read_file(const SyslinuxText& text);
  [[nodiscard]] Result<bool> next_line(SyslinuxOpenFile& file, std::string_view& line);
  [[nodiscard]] Result<void> follow_line(SyslinuxOpenFile& file, std::string_view line);
  /// The line belongs to what the entry, or the submenu, looks like in its file.
  [[nodiscard]] Result<void> add_to_source(SyslinuxOpenFile& file, std::string_view line);
  [[nodiscard]] Result<void> add_item(SyslinuxMenu& menu, SyslinuxItem item);

  SyslinuxFiles& files_;
  Budget& budget_;
  Diagnostics& diagnostics_;
  SyslinuxConfiguration configuration_;
  SyslinuxMenu* current_ = nullptr;
  std::optional<SyslinuxEntry> entry_;
  std::optional<std::string> entry_append_;
  bool entry_is_default_ = false;
  std::optional<std::string> append_;  ///< the global one
  std::vector<std::string> open_files_;
  std::size_t files_read_ = 0;
  std::size_t items_ = 0;
  std::size_t notices_ = 0;
};

struct SyslinuxDirective {
  std::string_view name;  ///< in lower case
  Result<void> (*follow)(SyslinuxReader& reader, SyslinuxOpenFile& file, std::string_view value);
  bool is_boundary = false;  ///< an entry or a menu begins or ends with it
};

/// The directive of that name (in lower case), or null. Those of the second follow the word MENU.
[[nodiscard]] const SyslinuxDirective* find_syslinux_directive(std::string_view name);
[[nodiscard]] const SyslinuxDirective* find_syslinux_menu_directive(std::string_view name);

}  // namespace pvhgrub::grubcfg
