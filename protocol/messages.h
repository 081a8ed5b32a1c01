// SPDX-License-Identifier: LGPL-2.1-or-later
// What the frames say. Each message encodes to a payload and decodes from one, checking every value that has
// a range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/appliance_messages.h"
#include "protocol/boot_terms.h"
#include "protocol/frame.h"

namespace pvhgrub::protocol {

/// What the worker is asked to do.
enum class Mode : std::uint8_t {
  kBoot = 0,      ///< choose an entry and send its files
  kList = 1,      ///< tell the menu
  kEvaluate = 2,  ///< run a GRUB script, send what it echoes
  kReport = 3,    ///< confine, tell the layers, end (--sandbox-report)
  kInspect = 4,   ///< tell what the disk, or the kernel image that it is, holds (--inspect)
};

/// One disk as the broker measured it: the worker may not ask the kernel.
struct RequestDisk {
  std::uint32_t descriptor = 0;   ///< file descriptor number in the worker
  std::uint64_t size = 0;         ///< bytes
  std::uint32_t sector_size = 0;  ///< bytes of a logical sector of a block device; 0 for a file
  bool block_device = false;
  std::optional<std::uint64_t> offset;  ///< --offset: the file system begins here (bytes), no partition table
};

/// A file of the host's that takes part in the boot. Trusted in that the administrator named it, but parsed
/// in the worker like any other.
struct HostFile {
  enum class Role : std::uint8_t {
    kFirmware = 0,       ///< --firmware
    kShim = 1,           ///< --shim
    kRamdiskMember = 2,  ///< --module with --module-as=initrd:NAME
  };
  Role role = Role::kFirmware;
  std::uint32_t descriptor = 0;  ///< file descriptor number in the worker
  std::uint64_t size = 0;        ///< bytes
  std::string path;              ///< for messages
  std::string newc_name;         ///< of kRamdiskMember: the name in the archive
};

/// What to do with the guest's environment blocks (--grubenv). For a boot that is not for show, kWrite stands
/// in a request only where the broker has the disk open for writing; elsewhere it only says what the
/// evaluation takes for granted, and nothing is written.
enum class GrubenvMode : std::uint8_t { kRead = 0, kWrite = 1, kIgnore = 2 };

/// The terminal on which a person chooses; it waits on the terminal's descriptor.
struct RequestTerminal {
  std::string type;   ///< $TERM; empty: nobody says
  bool utf8 = false;  ///< it takes UTF-8
  std::string title;  ///< what is booted, for the menu's first line: the domain's name, the disk
};

struct Request {
  Mode mode = Mode::kBoot;
  bool bare_configuration = false;     ///< --isconfig: the script is the configuration, there is no disk
  bool has_script = false;             ///< a script waits on the script descriptor
  std::string script_name;             ///< what messages call it
  bool not_really = false;             ///< -n: choose and check, send no contents
  bool explain = false;                ///< send each step from disk to choice
  std::optional<std::string> entry;    ///< --entry
  std::optional<std::string> kernel;   ///< --kernel: a path in the guest
  std::optional<std::string> ramdisk;  ///< --ramdisk
  std::string arguments;               ///< --args
  std::string grub_platform;           ///< --grub-platform
  std::string source;                  ///< --source: the kind of boot configuration; empty: the guest's own
  std::optional<std::string> configuration;  ///< --config: a path in the guest, "(hd0,gpt2)/path" or "/path"
  GrubenvMode grubenv = GrubenvMode::kRead;  ///< --grubenv
  bool no_boot_image = false;                ///< --no-boot-image
  bool boots_hypervisor = false;             ///< --boot-hypervisor
  BootRequest boot = BootRequest::kAuto;     ///< --boot
  GuestType guest_type = GuestType::kUnknown;           ///< the domain's type
  KernelFormat kernel_format = KernelFormat::kElf;      ///< --kernel-format
  std::uint64_t kernel_limit = limits::kKernelBytes;    ///< bytes of a kernel at most
  std::uint64_t ramdisk_limit = limits::kRamdiskBytes;  ///< bytes of a ramdisk at most
  std::string no_firmware;  ///< why no firmware is among the host's files, and what to do about it
  ApplianceUse appliance = ApplianceUse::kNone;  ///< not kNone: it waits on the appliance's descriptor
  std::optional<RequestTerminal> terminal;       ///< Mode::kBoot: a person chooses there
  std::vector<RequestDisk> disks;
  /// Extents count them on behind the disks.
  std::vector<HostFile> host_files;

  /// Whether the worker may ask for environment blocks to be written.
  [[nodiscard]] bool writes_environment() const {
    return mode == Mode::kBoot && grubenv == GrubenvMode::kWrite && !not_really && !bare_configuration;
  }

  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<Request> decode(Bytes payload);
};

/// What is on the terminal from now on.
enum class MenuState : std::uint8_t {
  kClosed = 0,    ///< no menu
  kShown = 1,     ///< one that nobody has touched and that waits for somebody: time runs
  kAttended = 2,  ///< one that a person has touched, or whose own seconds run: no other time does
};

struct MenuStateMessage {
  MenuState state = MenuState::kClosed;
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<MenuStateMessage> decode(Bytes payload);
};

enum class LogLevel : std::uint8_t { kDebug = 0, kExplain = 1, kNotice = 2, kWarning = 3 };

struct LogMessage {
  LogLevel level = LogLevel::kNotice;
  std::string where;
  std::string text;
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<LogMessage> decode(Bytes payload);
};

/// The listing's head.
struct MenuMessage {
  std::string source_kind;    ///< "grub2"
  std::string source_device;  ///< "hd0,gpt2"; empty for a bare file
  std::string source_path;
  std::vector<std::uint32_t> default_path;
  std::optional<std::uint32_t> timeout;  ///< seconds
  std::uint8_t timeout_style = 0;        ///< 0 menu, 1 countdown, 2 hidden
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<MenuMessage> decode(Bytes payload);
};

/// One entry of the listing.
struct EntryMessage {
  std::vector<std::uint32_t> path;  ///< the whole index path
  std::string id;
  std::string title;
  std::vector<std::string> classes;
  std::vector<std::string> users;
  bool restricted = false;
  bool hidden = false;
  bool is_submenu = false;
  std::string hotkey;
  std::string kernel;  ///< "(hd0,gpt2)/boot/vmlinuz"; empty where there is none
  std::vector<std::string> initrds;
  std::string command_line;
  std::string hypervisor;
  std::string hypervisor_command_line;
  std::string loader;  ///< the command that loads it: "linux", "chainloader"; empty for none
  std::string error;   ///< why it would not boot; empty when it would
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<EntryMessage> decode(Bytes payload);
};

/// What the worker chose to boot.
struct ChoiceMessage {
  std::vector<std::uint32_t> path;  ///< empty where no entry was chosen (--kernel)
  std::string id;
  std::string title;
  std::string kernel;  ///< guest path, for -n and messages
  std::vector<std::string> initrds;
  std::string command_line;  ///< the kernel's, --args included
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<ChoiceMessage> decode(Bytes payload);
};

/// How the choice is booted.
struct DecisionMessage {
  BootKind kind = BootKind::kDirect;
  std::string reason;          ///< for a person
  std::string command_line;    ///< what goes into the result
  std::string description;     ///< what the kernel is, for a person
  std::string kernel_version;  ///< "6.1.0-50-amd64"; empty where the kernel does not say
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<DecisionMessage> decode(Bytes payload);
};

/// One thing that --inspect tells.
struct FactMessage {
  std::string group;  ///< "kernel", "(hd0,gpt2)": what it is about
  std::string name;   ///< "pvh-entry": lower case, with hyphens
  std::string value;
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<FactMessage> decode(Bytes payload);
};

enum class OutputKind : std::uint8_t { kKernel = 0, kRamdisk = 1 };

struct StreamBeginMessage {
  OutputKind kind = OutputKind::kKernel;
  std::uint64_t size = 0;  ///< bytes that will follow in all
  bool exact = true;       ///< false: at most so many, the end tells
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<StreamBeginMessage> decode(Bytes payload);
};

struct HoleMessage {
  std::uint64_t length = 0;  ///< bytes
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<HoleMessage> decode(Bytes payload);
};

struct ExtentMessage {
  std::uint32_t disk = 0;  ///< index into Request::disks, and then on into Request::host_files
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<ExtentMessage> decode(Bytes payload);
};

/// An environment block that the guest's boot loader would have changed on the way to the choice.
struct EnvironmentMessage {
  std::string name;  ///< "(hd0,gpt2)/boot/grub/grubenv", for messages
  /// The choice follows a request that the old contents make for one boot only: without the change it would
  /// be followed again at every boot, so then there must be no boot.
  bool answers_request = false;
  std::vector<ExtentMessage> extents;  ///< where the block lies, in order
  std::string old_contents;            ///< what lies there now
  std::string contents;                ///< what is to lie there, of the same size
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<EnvironmentMessage> decode(Bytes payload);
};

/// The end: success, or the error that the program ends with. `script_status` is what --eval exits with.
struct VerdictMessage {
  bool success = false;
  bool script_status = true;  ///< Mode::kEvaluate: the last command's status
  Error error;                ///< when not success
  bool lacks_reader = false;  ///< a device holds what only the appliance may be able to read
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<VerdictMessage> decode(Bytes payload);
};

}  // namespace pvhgrub::protocol
