// SPDX-License-Identifier: LGPL-2.1-or-later
// One model of a boot menu for every syntax: GRUB's language (grub_menu.h); all others (plain_menu.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::grubcfg {

/// Where a menu was read from.
struct ConfigurationSource {
  /// The syntax, or what stands in for one: "grub2", "bls", "uki", "extlinux", "grub-legacy", "freebsd",
  /// "netbsd", "elf" (a kernel that stands alone), "efi" (a program for a firmware).
  std::string kind;
  std::string device;  ///< "hd0,gpt2"; empty for a bare configuration file
  std::string path;    ///< "/boot/grub/grub.cfg"; a list of blocks where the whole disk is the kernel
  friend bool operator==(const ConfigurationSource&, const ConfigurationSource&) = default;
};

/// A run of bytes inside a file that is a file of its own to us: a section of a unified kernel image.
struct FilePart {
  std::string name;          ///< ".linux"
  std::uint64_t offset = 0;  ///< bytes from the file's start
  std::uint64_t size = 0;    ///< bytes
  friend bool operator==(const FilePart&, const FilePart&) = default;
};

/// A file of the guest, by GRUB's names.
struct FileReference {
  std::string device;  ///< "hd0,gpt2"; empty where the configuration names none (a bare file)
  std::string path;    ///< "/boot/vmlinuz"
  std::optional<FilePart> part = std::nullopt;  ///< no value: the whole file
  /// "(hd0,gpt2)/boot/vmlinuz", or just the path where there is no device; a part as "PATH:.linux".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const FileReference&, const FileReference&) = default;
};

/// One member of an initrd line.
struct InitrdFile {
  FileReference file;
  /// Set for `newc:NAME:PATH`: the file is wrapped into a cpio archive under this name (GRUB manual,
  /// "initrd").
  std::optional<std::string> newc_name;
};

/// An environment block that `save_env` changed, and that can be written as GRUB would (--grubenv=write).
struct EnvironmentBlockChange {
  FileReference file;
  std::vector<fs::DiskExtent> extents;  ///< where it lies, in order; together of the block's size
  std::string old_contents;             ///< the whole block as it was read
  std::string contents;                 ///< the whole block as it is to be, of the same size
  /// A request for one boot only (next_entry) was followed that the old contents make: it would be followed
  /// for ever if the block stayed as it is.
  bool answers_request = false;
  friend bool operator==(const EnvironmentBlockChange&, const EnvironmentBlockChange&) = default;
};

/// What an entry would boot, or why it would not.
struct BootEntry {
  enum class Kind : std::uint8_t {
    kNone,         ///< nothing loaded: `reboot`, `fwsetup`, an empty body
    kLinux,        ///< a kernel that Xen can start: Linux', also a Xen entry's module, or another system's
    kChainloader,  ///< another loader or EFI program
    kOther,        ///< a loader that a Xen guest of ours cannot use (kfreebsd, ntldr, ...)
  };
  Kind kind = Kind::kNone;
  std::string loader_command;  ///< the command that loaded it: "linux", "multiboot2", "chainloader"
  FileReference kernel;
  std::vector<InitrdFile> initrds;
  std::string command_line;                 ///< as the kernel gets it, BOOT_IMAGE= included
  std::optional<FileReference> hypervisor;  ///< of a Xen entry
  std::string hypervisor_command_line;
  /// The unified kernel image that kernel, initrds and command line are parts of.
  std::optional<FileReference> unified_image;
  std::optional<FileReference> device_tree;
  /// Environment blocks that GRUB would have written on the way to this entry, with their new contents.
  std::vector<EnvironmentBlockChange> environment_changes;
  /// What GRUB would have printed instead of booting (file not found, no kernel loaded); empty when it would
  /// boot.
  std::string error;
  [[nodiscard]] bool bootable() const { return error.empty() && kind == Kind::kLinux; }
};

/// What a menu shows of an entry before it is evaluated.
struct MenuEntry {
  std::string title;
  std::string id;                    ///< --id, else the title, as GRUB does
  std::vector<std::string> classes;  ///< --class, in order
  std::vector<std::string> users;    ///< --users; superusers may always boot
  bool restricted =
      false;  ///< booting it needs one of `users` or a superuser (superusers set, not --unrestricted)
  std::string hotkey;  ///< --hotkey as written: "r", "delete"; empty for none
  bool is_submenu = false;
  bool hidden = false;  ///< hiddenentry (openSUSE): bootable by hotkey or id, not shown
};

/// The names in a list of users (menuentry --users, grub_users), between which blanks and the like stand.
[[nodiscard]] std::vector<std::string> split_user_names(std::string_view list);

enum class TimeoutStyle : std::uint8_t { kMenu, kCountdown, kHidden };

/// Whom GRUB 2 calls the one who knows the password of a GRUB Legacy menu, which has no names of users.
inline constexpr std::string_view kLegacyUser = "legacy";

/// Who may unlock what the menu restricts.
struct MenuPassword {
  enum class Kind : std::uint8_t {
    kPlain,     ///< the password itself
    kPbkdf2,    ///< what `grub-mkpasswd-pbkdf2` made of it: "grub.pbkdf2.sha512.ROUNDS.SALT.HASH"
    kMd5Crypt,  ///< what `grub-md5-crypt` made of it: "$1$SALT$HASH", as crypt(3)
    kUnusable,  ///< written in a way that no password can match
  };
  std::string user;
  std::string secret;
  Kind kind = Kind::kPlain;
};

class CommandLine;  // grubcfg/command_line.h

class Menu {
 public:
  Menu() = default;
  Menu(const Menu&) = delete;
  Menu& operator=(const Menu&) = delete;
  virtual ~Menu() = default;

  [[nodiscard]] virtual const std::vector<MenuEntry>& entries() const = 0;

  /// Evaluates one entry that is not a submenu, in a copy of the environment: asking twice gives the same
  /// answer. An entry that GRUB could not boot is an answer too (BootEntry::error); a Result's error is
  /// kLimit and the like.
  [[nodiscard]] virtual Result<BootEntry> evaluate(std::size_t index) = 0;

  /// Evaluates a submenu's body, in a copy of the environment. The pointer lives as long as this menu.
  [[nodiscard]] virtual Result<Menu*> submenu(std::size_t index) = 0;

  /// The index that GRUB would highlight: `default` as number, title or id; 0 where it names nothing, as GRUB
  /// does.
  [[nodiscard]] virtual std::size_t default_index() const = 0;
  /// Seconds; no value: wait for ever. 0 boots at once.
  [[nodiscard]] virtual std::optional<std::uint32_t> timeout() const = 0;
  [[nodiscard]] virtual TimeoutStyle timeout_style() const = 0;

  /// The entries of this menu to try, in order, when the default cannot be booted.
  [[nodiscard]] virtual const std::vector<std::size_t>& fallback() const = 0;

  /// What keeps the boot loader from booting this entry while nobody is there to type a password, in words;
  /// empty for nothing. Who names the entry (--entry) is asked for none.
  [[nodiscard]] virtual std::string unattended_obstacle(std::size_t index) const {
    (void)index;
    return {};
  }

  /// The environment blocks that GRUB would have changed by the time it shows this menu.
  [[nodiscard]] virtual std::vector<EnvironmentBlockChange> environment_changes() const { return {}; }
  /// An entry was tried that could not be booted, or a submenu that had none: what is evaluated from now on
  /// finds the environment blocks as GRUB left them on that way.
  virtual void keep_environment_changes(const std::vector<EnvironmentBlockChange>& changes) { (void)changes; }

  /// The file whose menu this is: what `configfile` led to, not where the reading began.
  [[nodiscard]] virtual const ConfigurationSource& source() const = 0;

  /// The source text of an entry's body as it stands in the configuration, without the braces around it.
  /// Lives as long as the menu.
  [[nodiscard]] virtual std::string_view entry_source(std::size_t index) const = 0;

  /// An entry as a person edits it: GRUB's commands of its body. Of other syntaxes: lines "linux FILE
  /// ARGUMENTS", "initrd FILE" (one a file), "devicetree FILE", where all behind linux's file is the command
  /// line as it is.
  [[nodiscard]] virtual Result<std::string> editable_text(std::size_t index) = 0;
  /// Evaluates what a person made of an entry's editable_text(). An error in it is an answer too
  /// (BootEntry::error, which tells the line).
  [[nodiscard]] virtual Result<BootEntry> evaluate_edited(std::size_t index, std::string_view text) = 0;

  /// A command line in the state in which this menu's entries begin. It lives no longer than this menu.
  [[nodiscard]] virtual Result<std::unique_ptr<CommandLine>> command_line() = 0;
  /// What was done on a command line of this menu counts for what is evaluated from now on, as in GRUB.
  /// Submenus that were shown before keep their state.
  virtual void continue_from(const CommandLine& command_line) { (void)command_line; }

  /// Who may do anything, as the configuration writes it (names with blanks, commas or semicolons between
  /// them); no value where nobody is asked for a password.
  [[nodiscard]] virtual const std::optional<std::string>& superusers() const = 0;
  [[nodiscard]] virtual const std::vector<MenuPassword>& passwords() const = 0;
};

/// The way to an entry through submenus: "1>0" is {1, 0}.
using EntryPath = std::vector<std::size_t>;
[[nodiscard]] std::string to_string(const EntryPath& path);

}  // namespace pvhgrub::grubcfg
