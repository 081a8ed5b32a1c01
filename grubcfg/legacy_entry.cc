// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_entry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// A notice goes through the worker's channel, which takes as long as some fifty commands.
constexpr std::uint64_t kNoticeSteps = 50;

constexpr std::array<std::string_view, 6> kKernelTypes = {"netbsd", "freebsd",  "openbsd",
                                                          "linux",  "biglinux", "multiboot"};

/// A command's failure in words, for a person; empty where it succeeded.
using Failure = std::string;

class EntryRunner {
 public:
  EntryRunner(LegacySurroundings& surroundings, std::size_t index, std::uint32_t line)
      : menu_(surroundings), index_(index), files_(surroundings.context.files()), line_(line) {
    root_.name = menu_.home_device;
  }

  Result<LegacyOutcome> run();
  Result<LegacyFile> find(std::string_view name);

 private:
  Result<Failure> execute(LegacyCommand command, std::string_view argument);
  Failure set_root(std::string_view argument);
  Result<Failure> set_root_by_uuid(std::string_view uuid);
  Result<Failure> search_file(std::string_view argument);
  Result<Failure> load_kernel(std::string_view argument);
  Result<Failure> load_initrd(std::string_view argument);
  Result<Failure> load_module(std::string_view argument);
  Result<Failure> load_chainloader(std::string_view argument);
  Result<Failure> run_configfile(std::string_view argument);
  Failure save_default(std::string_view argument);

  Result<LegacyFile> find_on(const LegacyDevice& device, std::string_view path);
  Result<bool> is_there(const FileReference& file, std::string& why);
  void tell_stand_in(const LegacyDevice& device, const FileReference& file);
  void notice(std::string message) {
    // The next charge tells when there were too many.
    (void)menu_.context.budget.charge_steps(kNoticeSteps, "reporting on a boot configuration");
    menu_.context.diagnostics.notice(menu_.configuration.where(line_), std::move(message));
  }
  [[nodiscard]] const fs::Devices* devices() const { return menu_.context.devices; }

  LegacySurroundings& menu_;
  std::size_t index_;
  GuestFiles files_;
  LegacyOutcome outcome_;
  LegacyDevice root_;
  std::set<std::string> good_devices_;      ///< on which something was found
  std::set<std::string> replaced_devices_;  ///< for which the menu's stands in
  std::size_t modules_ = 0;
  std::uint32_t line_;
  bool ended_ = false;
};

Result<LegacyOutcome> EntryRunner::run() {
  const LegacyConfiguration& configuration = menu_.configuration;
  const LegacyEntry& entry = configuration.entries[index_];
  BootEntry& boot = outcome_.entry;
  for (std::uint32_t i = 0; i < entry.statement_count && !ended_; ++i) {
    const LegacyStatement& statement = configuration.statements[entry.first_statement + i];
    const LegacyLine line = configuration.read(statement);
    PVHGRUB_TRY(menu_.context.budget.charge_steps(1 + line.argument.size() / 64,
                                                  "running an entry of a boot configuration"));
    line_ = statement.line;
    if (statement.command == LegacyCommand::kLeave) {
      boot.error = "the entry runs `" + line.name + "'";
      return std::move(outcome_);
    }
    PVHGRUB_TRY_ASSIGN(const Failure failure, execute(statement.command, line.argument));
    if (failure.empty()) continue;
    boot.error = configuration.where(line_) + ": " + failure;
    return std::move(outcome_);
  }
  if (boot.kind == BootEntry::Kind::kNone && !outcome_.configuration) boot.error = "the entry loads nothing";
  return std::move(outcome_);
}

Result<Failure> EntryRunner::execute(LegacyCommand command, std::string_view argument) {
  switch (command) {
    case LegacyCommand::kBoot:
      ended_ = true;
      return outcome_.entry.kind == BootEntry::Kind::kNone ? "`boot' before anything is loaded" : "";
    case LegacyCommand::kChainloader:
      return load_chainloader(argument);
    case LegacyCommand::kConfigfile:
      return run_configfile(argument);
    case LegacyCommand::kFind:
      return search_file(argument);
    case LegacyCommand::kInitrd:
      return load_initrd(argument);
    case LegacyCommand::kKernel:
      return load_kernel(argument);
    case LegacyCommand::kModule:
      return load_module(argument);
    case LegacyCommand::kRoot:
      return set_root(argument);
    case LegacyCommand::kSavedefault:
      return save_default(argument);
    case LegacyCommand::kUuid:
      return set_root_by_uuid(split_legacy_words(argument).first);
    case LegacyCommand::kDefault:
    case LegacyCommand::kFallback:
    case LegacyCommand::kHiddenmenu:
    case LegacyCommand::kTimeout:
      // GRUB fails the entry. No guest that boots today has such a line, but for those that pygrub boots,
      // which passes over it.
      notice("this command belongs before the first title, and has no effect in an entry");
      return Failure();
    case LegacyCommand::kLock:      // MenuEntry::restricted says it
    case LegacyCommand::kPassword:  // so too
    case LegacyCommand::kLeave:
    case LegacyCommand::kTitle:
    case LegacyCommand::kWithoutEffect:
      break;
  }
  return Failure();
}

// Without an argument it tells the root. That the device is there is only seen when a file is wanted of it.
Failure EntryRunner::set_root(std::string_view argument) {
  if (argument.empty()) return {};
  root_ = read_legacy_device(argument, root_.name);
  return {};
}

Result<Failure> EntryRunner::set_root_by_uuid(std::string_view uuid) {
  if (uuid.empty()) return Failure();
  LegacyDevice device;
  device.written = "uuid " + std::string(uuid);
  if (devices() != nullptr) {
    device.error = "no file system has this UUID";
    for (const fs::Device& candidate : devices()->devices()) {
      PVHGRUB_TRY(menu_.context.budget.charge_steps(1, "looking for a file system"));
      const Result<fs::FileSystem*> mounted = menu_.context.devices->file_system(candidate.name);
      if (!mounted && is_fatal(mounted.error())) return std::unexpected(at(candidate.name, mounted.error()));
      if (!mounted || !equal_ignoring_case((*mounted)->uuid(), uuid)) continue;
      device.name = candidate.name;
      device.error.clear();
      menu_.context.diagnostics.explain("uuid " + std::string(uuid) + ": " + candidate.name);
      break;
    }
  }
  root_ = std::move(device);
  return Failure();
}

// It prints the devices that hold the file, and fails where none does; GRUB4DOS' --set-root takes the first.
Result<Failure> EntryRunner::search_file(std::string_view argument) {
  bool sets_root = false;
  while (argument.starts_with("--")) {
    const LegacyWords words = split_legacy_words(argument);
    sets_root = sets_root || words.first.starts_with("--set-root");
    argument = words.rest;
  }
  const std::string path(split_legacy_words(argument).first);
  if (devices() == nullptr) return Failure();
  for (const fs::Device& candidate : devices()->devices()) {
    std::string why;
    PVHGRUB_TRY_ASSIGN(const bool there, is_there({candidate.name, path}, why));
    if (!there) continue;
    if (sets_root) {
      root_ = LegacyDevice();
      root_.name = candidate.name;
    }
    return Failure();
  }
  return "no device holds " + path;
}

Result<bool> EntryRunner::is_there(const FileReference& file, std::string& why) {
  if (devices() == nullptr) return true;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files_.open(file, &why));
  return opened != nullptr;
}

void EntryRunner::tell_stand_in(const LegacyDevice& device, const FileReference& file) {
  const std::string key = device.written.empty() ? device.name : device.written;
  if (!menu_.told.insert(key).second) return;
  notice(key + " does not hold " + file.path + ": it is taken from (" + file.device +
         "), where this menu lies; entries that name " + key + " are followed there");
}

// PV guests were long booted by pygrub, which looks on the file system of the menu whatever `root` says, so
// that their menus may name a device that is not there.
Result<LegacyFile> EntryRunner::find_on(const LegacyDevice& device, std::string_view path) {
  if (device.is_foreign) return LegacyFile{{}, device.written + ": " + device.error};
  const FileReference on_menu{menu_.menu_device, std::string(path)};
  if (devices() == nullptr) {
    if (!device.error.empty()) return LegacyFile{{}, device.written + ": " + device.error};
    return LegacyFile{{device.name, std::string(path)}, {}};
  }
  const std::string key = device.name.empty() ? device.written : device.name;
  FileReference named{menu_.listed.full_name(device.name), std::string(path)};
  std::string why = device.error;
  if (device.error.empty() && !replaced_devices_.contains(key)) {
    PVHGRUB_TRY_ASSIGN(const bool there, is_there(named, why));
    if (there) {
      good_devices_.insert(key);
      return LegacyFile{std::move(named), {}};
    }
  }
  const std::string name = device.name.empty() ? device.written : named.to_string();
  if (good_devices_.contains(key) || named.device == menu_.menu_device)
    return LegacyFile{{}, name + ": " + why};
  std::string why_not_there;
  PVHGRUB_TRY_ASSIGN(const bool there, is_there(on_menu, why_not_there));
  if (!there) {
    if (replaced_devices_.contains(key)) return LegacyFile{{}, on_menu.to_string() + ": " + why_not_there};
    return LegacyFile{{},
                      name + ": " + why + "; nor is it on (" + menu_.menu_device + "), where the menu lies"};
  }
  replaced_devices_.insert(key);
  tell_stand_in(device, on_menu);
  return LegacyFile{on_menu, {}};
}

// "(hd0,0)/vmlinuz", or "/vmlinuz" on the root device; a name ends at a blank, which nothing can quote.
Result<LegacyFile> EntryRunner::find(std::string_view name) {
  LegacyDevice device = root_;
  std::string_view path = name;
  if (name.starts_with('(')) {
    device = read_legacy_device(name, root_.name);
    path.remove_prefix(device.length);
  }
  if (path.starts_with('/')) return find_on(device, path);
  if (!device.error.empty()) return LegacyFile{{}, device.written + ": " + device.error};
  return LegacyFile{{}, "`" + std::string(name) + "' is no file name: it should begin with a `/'"};
}

Result<Failure> EntryRunner::load_kernel(std::string_view argument) {
  outcome_.entry = BootEntry();
  modules_ = 0;
  std::string_view type;
  while (argument.starts_with("--type=") || argument.starts_with("--no-mem-option")) {
    const LegacyWords words = split_legacy_words(argument);
    argument = words.rest;
    if (!words.first.starts_with("--type=")) continue;
    type = words.first.substr(7);
    if (std::ranges::find(kKernelTypes, type) == kKernelTypes.end())
      return "`" + std::string(type) + "' is no type of kernel";
  }
  const bool is_multiboot = type == "multiboot";
  const bool is_bsd = type.ends_with("bsd");
  const LegacyWords words = split_legacy_words(argument);
  PVHGRUB_TRY_ASSIGN(LegacyFile kernel, find(words.first));
  if (!kernel.failure.empty()) return std::move(kernel.failure);
  BootEntry& entry = outcome_.entry;
  entry.loader_command = "kernel";
  entry.kind = is_bsd || is_multiboot ? BootEntry::Kind::kOther : BootEntry::Kind::kLinux;
  // GRUB 0.97's load_image: what follows the name and its blanks, as it is.
  if (is_multiboot) {
    entry.hypervisor = std::move(kernel.file);
    entry.hypervisor_command_line = words.rest;
  } else {
    entry.kernel = std::move(kernel.file);
    entry.command_line = words.rest;
  }
  return Failure();
}

Result<Failure> EntryRunner::load_initrd(std::string_view argument) {
  BootEntry& entry = outcome_.entry;
  if (entry.kind != BootEntry::Kind::kLinux || entry.hypervisor)
    return "a Linux kernel must be loaded before its initrd";
  PVHGRUB_TRY_ASSIGN(const KernelFormat format, kernel_format(files_, entry.kernel, menu_.context.budget));
  if (format == KernelFormat::kMultiboot) return "a Multiboot kernel takes modules, and no initrd";
  const LegacyWords words = split_legacy_words(argument);
  PVHGRUB_TRY_ASSIGN(LegacyFile initrd, find(words.first));
  if (!initrd.failure.empty()) return std::move(initrd.failure);
  if (!words.rest.empty()) notice("GRUB Legacy loads only the first file of an initrd line");
  entry.initrds = {InitrdFile{std::move(initrd.file), std::nullopt}};
  return Failure();
}

// The modules of a Multiboot kernel: for Xen, its Linux kernel and that one's initrd. To a Linux kernel a
// module is an initrd.
Result<Failure> EntryRunner::load_module(std::string_view argument) {
  BootEntry& entry = outcome_.entry;
  if (entry.kind == BootEntry::Kind::kNone || entry.kind == BootEntry::Kind::kChainloader)
    return "a Multiboot kernel must be loaded before its modules";
  if (!entry.hypervisor) {
    PVHGRUB_TRY_ASSIGN(const KernelFormat format, kernel_format(files_, entry.kernel, menu_.context.budget));
    if (format == KernelFormat::kLinux) return load_initrd(argument);
    entry.hypervisor = std::exchange(entry.kernel, {});
    entry.hypervisor_command_line = std::exchange(entry.command_line, {});
    entry.kind = BootEntry::Kind::kOther;
  }
  const LegacyWords words = split_legacy_words(argument);
  PVHGRUB_TRY_ASSIGN(LegacyFile module, find(words.first));
  if (!module.failure.empty()) return std::move(module.failure);
  ++modules_;
  if (modules_ == 1) {
    entry.kind = BootEntry::Kind::kLinux;
    entry.kernel = std::move(module.file);
    entry.command_line = words.rest;
  } else if (modules_ == 2) {
    entry.initrds = {InitrdFile{std::move(module.file), std::nullopt}};
  } else {
    notice("module `" + std::string(words.first) + "' is for the hypervisor and is left out");
  }
  return Failure();
}

// "+1", the first sector of the root device, or a file.
Result<Failure> EntryRunner::load_chainloader(std::string_view argument) {
  outcome_.entry = BootEntry();
  if (argument.starts_with("--force")) argument = split_legacy_words(argument).rest;
  const std::string_view name = split_legacy_words(argument).first;
  const LegacyDevice device = name.starts_with('(') ? read_legacy_device(name, root_.name) : root_;
  const std::string_view path = name.starts_with('(') ? name.substr(device.length) : name;
  BootEntry& entry = outcome_.entry;
  if (path.starts_with('/')) {
    PVHGRUB_TRY_ASSIGN(LegacyFile file, find(name));
    if (!file.failure.empty()) return std::move(file.failure);
    entry.kernel = std::move(file.file);
  } else {
    if (path.empty()) return "the name of the boot loader is missing";
    entry.kernel = {menu_.listed.full_name(device.name), std::string(path)};
  }
  entry.kind = BootEntry::Kind::kChainloader;
  entry.loader_command = "chainloader";
  return Failure();
}

Result<Failure> EntryRunner::run_configfile(std::string_view argument) {
  PVHGRUB_TRY_ASSIGN(LegacyFile file, find(split_legacy_words(argument).first));
  if (!file.failure.empty()) return std::move(file.failure);
  outcome_.entry = BootEntry();
  outcome_.configuration = std::move(file.file);
  ended_ = true;
  return Failure();
}

// savedefault [NUMBER | fallback]; the options (--default=NUMBER, --once, --stage2=FILE, --wait=SECONDS) are
// of Debian's, Red Hat's and GRUB4DOS' patches.
Failure EntryRunner::save_default(std::string_view argument) {
  std::size_t saved = index_;
  while (argument.starts_with("--")) {
    const LegacyWords words = split_legacy_words(argument);
    if (words.first.starts_with("--default=")) {
      std::string_view number = words.first.substr(10);
      if (const auto value = take_legacy_number(number)) saved = *value;
    }
    argument = words.rest;
  }
  if (argument.starts_with("fallback")) {
    const std::vector<std::size_t>& fallback = menu_.fallback;
    auto next = std::ranges::find(fallback, index_);
    next = next == fallback.end() ? fallback.begin() : next + 1;
    if (next == fallback.end()) return "there is no further fallback entry to save";
    saved = *next;
  } else if (!argument.empty()) {
    const auto number = take_legacy_number(argument);
    if (!number) return "`" + std::string(argument) + "' is no number of an entry";
    saved = *number;
  }
  outcome_.saved_default = saved;
  return {};
}

}  // namespace

Result<LegacyOutcome> run_legacy_entry(LegacySurroundings& surroundings, std::size_t index) {
  return EntryRunner(surroundings, index, surroundings.configuration.entries[index].line).run();
}

Result<LegacyFile> find_legacy_file(LegacySurroundings& surroundings, std::string_view name,
                                    std::uint32_t line) {
  return EntryRunner(surroundings, 0, line).find(name);
}

}  // namespace pvhgrub::grubcfg
