// SPDX-License-Identifier: LGPL-2.1-or-later
// What syslinux boots for an entry or for a line typed at its prompt, which is how DEFAULT, ONTIMEOUT and
// ONERROR name it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "grubcfg/plain_menu.h"
#include "grubcfg/syslinux_parser.h"

namespace pvhgrub::grubcfg {

/// Where a configuration was read from, and which of its readers reads it.
struct SyslinuxSource {
  std::string device;              ///< "hd0,gpt2"; empty for a bare configuration file
  std::vector<std::string> paths;  ///< of the files, absolute, read as if they were one
  std::string directory;           ///< the current one, which relative names begin in; absolute
  std::string prompt_path;         ///< of the file that the prompt has read: "~" for a menu program
  bool by_menu = false;            ///< read by menu.c32 and not by the prompt
  bool on_fat = false;             ///< a backslash in a name is a slash
  bool is_isolinux = false;        ///< on an ISO 9660 file system, which isolinux boots
  friend bool operator==(const SyslinuxSource&, const SyslinuxSource&) = default;
};

/// The full name of a file that a configuration names.
[[nodiscard]] FileReference syslinux_file(const SyslinuxSource& source, std::string_view written);

struct SyslinuxOutcome {
  BootEntry boot;
  std::optional<SyslinuxSource> menu;  ///< the command leads to this configuration instead
};

/// The commands of one configuration. What it is made of outlives it.
class SyslinuxCommands {
 public:
  SyslinuxCommands(const MenuContext& context, const SyslinuxSource& source,
                   const SyslinuxConfiguration& configuration);

  /// What choosing the entry does. A Result's error is kLimit or the like.
  [[nodiscard]] Result<SyslinuxOutcome> choose(const SyslinuxEntry& entry);
  /// What a command line does. No value: it names neither a label nor a file that is there.
  [[nodiscard]] Result<std::optional<SyslinuxOutcome>> type(std::string_view text);
  /// The entry that the command's first word names, also a hidden one; null for none.
  [[nodiscard]] const SyslinuxEntry* find_label(std::string_view command) const;
  /// The configuration that a menu program shows, where the command runs one; `is_user_interface`: any
  /// program is taken for one.
  [[nodiscard]] Result<std::optional<SyslinuxSource>> menu_of(std::string_view command,
                                                              bool is_user_interface);

 private:
  /// A command cut into its parts.
  struct Command {
    SyslinuxImage image = SyslinuxImage::kKernel;
    std::string kernel;     ///< the first word
    std::string arguments;  ///< the rest, as it stands
  };

  void add_labels(const SyslinuxMenu& menu);
  [[nodiscard]] std::string command_line_of(const SyslinuxEntry& entry);
  [[nodiscard]] std::string sysappend(std::uint32_t bits, std::string_view where);
  [[nodiscard]] static Command split(std::string_view text, SyslinuxImage image);
  /// What a line at the prompt stands for; no value for nothing.
  [[nodiscard]] Result<std::optional<Command>> look_up(std::string_view text);
  [[nodiscard]] Result<SyslinuxOutcome> run(const Command& command, const SyslinuxEntry* entry);
  [[nodiscard]] Result<SyslinuxOutcome> run_program(const Command& command, std::string_view where);
  [[nodiscard]] Result<BootEntry> boot_linux(const Command& command, std::string_view where);
  [[nodiscard]] Result<BootEntry> boot_multiboot(std::string_view arguments);
  [[nodiscard]] Result<SyslinuxOutcome> boot_by_u_boot(const SyslinuxEntry& entry);
  [[nodiscard]] SyslinuxSource menu_source(std::string_view arguments) const;
  [[nodiscard]] SyslinuxSource configuration_source(std::string_view file, std::string_view directory) const;
  [[nodiscard]] Result<void> add_initrds(BootEntry& boot, std::string_view names, std::string_view where);
  [[nodiscard]] FileReference file(std::string_view written) const { return syslinux_file(source_, written); }

  const MenuContext& context_;
  const SyslinuxSource& source_;
  const SyslinuxConfiguration& configuration_;
  std::unordered_map<std::string_view, const SyslinuxEntry*> labels_;
  unsigned depth_ = 0;  ///< commands that run commands
};

}  // namespace pvhgrub::grubcfg
