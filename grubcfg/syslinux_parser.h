// SPDX-License-Identifier: LGPL-2.1-or-later
// The text of a syslinux configuration as a structure: what the loader remembers once it has read it.
// https://wiki.syslinux.org/wiki/index.php?title=Config and .../Comboot/menu.c32. Followed is syslinux 6.04,
// whose prompt and whose menu read the same file by nearly the same rules; where they differ, both answers
// are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/diagnostics.h"

namespace pvhgrub::grubcfg {

/// The directive that named what an entry loads. The names are also written as ".linux FILE".
enum class SyslinuxImage : std::uint8_t {
  kNone,
  kLocalboot,
  kKernel,  ///< by the file's extension
  kLinux,
  kBoot,
  kBss,
  kPxe,
  kFdimage,
  kComboot,
  kCom32,
  kConfig,
};

enum class SyslinuxAction : std::uint8_t {
  kBoot,
  kGoto,  ///< MENU GOTO, and MENU EXIT with a menu's name
  kExit,  ///< to the menu above
  kQuit,  ///< to the prompt
  kHelp,  ///< shows a text
};

struct SyslinuxEntry {
  std::string label;                  ///< all that follows LABEL
  std::optional<std::string> kernel;  ///< all that follows KERNEL or its like, arguments too
  SyslinuxImage image = SyslinuxImage::kKernel;
  std::string append;  ///< its own APPEND, else the global one that is in force where the entry ends
  std::vector<std::string> initrds;  ///< of each INITRD line
  std::uint32_t sysappend = 0;       ///< bits of SYSAPPEND
  std::optional<std::string> menu_label;
  std::optional<std::string> password;  ///< MENU PASSWD; empty: only the master password opens it
  bool hidden = false;                  ///< MENU HIDE
  bool disabled = false;                ///< MENU DISABLE, MENU SEPARATOR: shown, never chosen
  SyslinuxAction action = SyslinuxAction::kBoot;
  std::string target;                      ///< the menu's name of kGoto, the file's of kHelp
  std::optional<std::string> device_tree;  ///< U-Boot: FDT, DEVICETREE
  std::string source;                      ///< its lines as they stand in the file
  std::string where;                       ///< "(hd0,gpt1)/boot/extlinux/extlinux.conf:12"
};

struct SyslinuxMenu;

struct SyslinuxItem {
  SyslinuxEntry entry;  ///< of a submenu only menu_label (its title), password, source and where count
  std::unique_ptr<SyslinuxMenu> submenu;  ///< null: an entry
};

struct SyslinuxMenu {
  std::string tag;  ///< the name for MENU GOTO: ".top" for the first
  std::string title;
  SyslinuxMenu* parent = nullptr;
  std::size_t parent_item = 0;  ///< in parent->items
  std::vector<SyslinuxItem> items;
  std::optional<std::size_t> default_item;  ///< MENU DEFAULT
  std::uint64_t timeout = 0;                ///< tenths of a second; 0: none
  std::optional<std::string> on_timeout;    ///< as the menu reads it
  std::optional<std::string> on_error;
  bool allow_options = true;
  std::optional<std::string> master_password;
};

struct SyslinuxConfiguration {
  std::unique_ptr<SyslinuxMenu> top;
  const SyslinuxMenu* start = nullptr;  ///< MENU START; else `top`
  std::optional<std::string> default_command;
  std::optional<std::string> user_interface;  ///< UI: goes before DEFAULT
  std::optional<std::string> on_timeout;      ///< the last one, which the prompt follows
  std::optional<std::string> on_error;
  std::uint64_t timeout = 0;        ///< tenths of a second, the last one, which the prompt follows; 0: none
  std::uint64_t total_timeout = 0;  ///< tenths of a second; 0: none
  std::optional<bool> prompt;       ///< PROMPT
  bool implicit = true;             ///< a file may be booted without a label
  bool no_escape = false;           ///< never a prompt
  bool menu_hidden = false;         ///< only a countdown until a key is touched
  bool menu_shift_key = false;      ///< no menu unless a shift key is held
  bool menu_saves = false;          ///< MENU SAVE: the last choice is the default
  bool has_menu_lines = false;      ///< a line that begins with MENU, outside of the entries
  std::uint32_t sysappend = 0;      ///< the global one, as it stands at the end
  bool has_device_trees = false;    ///< U-Boot's FDT, FDTDIR and the like: no syslinux has them
};

/// Where INCLUDE finds its files.
class SyslinuxFiles {
 public:
  SyslinuxFiles() = default;
  SyslinuxFiles(const SyslinuxFiles&) = delete;
  SyslinuxFiles& operator=(const SyslinuxFiles&) = delete;
  virtual ~SyslinuxFiles() = default;
  /// The full name of a file, by which it is known again, from the one that a configuration writes.
  [[nodiscard]] virtual std::string locate(std::string_view written) = 0;
  /// The contents of a file, by its full name. No value: `why` tells the reason. A Result's error is kLimit
  /// or the like.
  [[nodiscard]] virtual Result<std::optional<std::string>> read(const std::string& name,
                                                                std::string& why) = 0;
};

struct SyslinuxText {
  std::string text;
  std::string name;  ///< for messages, and to know a file again that includes itself
};

/// Reads one file, or several as if they were one. Lines that mean nothing are skipped with a notice. Errors:
/// kLimit.
[[nodiscard]] Result<SyslinuxConfiguration> parse_syslinux(std::span<const SyslinuxText> texts,
                                                           SyslinuxFiles& files, Budget& budget,
                                                           Diagnostics& diagnostics);

// --- What the directives' values have in common ---

/// White space as syslinux sees it: blanks and all control characters.
[[nodiscard]] inline bool is_syslinux_space(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}
/// Cuts the first word off, and the white space around it.
[[nodiscard]] std::string_view take_syslinux_word(std::string_view& text);
/// The image that a name like "linux" or "com32" stands for, without regard to case; no value for none.
[[nodiscard]] std::optional<SyslinuxImage> syslinux_image_named(std::string_view name);

}  // namespace pvhgrub::grubcfg
