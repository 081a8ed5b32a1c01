// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands that put a kernel and its files in place. Nothing is loaded here: they note what GRUB would
// load.
#include <array>

#include "base/limits.h"
#include "grubcfg/block_list_file.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/grub_flavour.h"
#include "grubcfg/loader_command_line.h"
#include "grubcfg/unified_image.h"

namespace pvhgrub::grubcfg {

namespace {

/// Without a disk to look at, a name that GRUB could only take for a list of blocks is taken for a mistake.
bool is_usable_path(Evaluator& evaluator, const FileReference& file) {
  if (!is_block_list(file.path) || evaluator.session().devices != nullptr) return true;
  evaluator.raise(kStatusBadFilename, "invalid file name `" + file.path + "'");
  return false;
}

/// The file of a loader command's argument; no value with GRUB's error raised.
Result<std::optional<FileReference>> loader_file(Evaluator& evaluator, std::string_view name) {
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> file, FileAccess(evaluator).locate_for_loader(name));
  if (file && !is_usable_path(evaluator, *file)) return std::nullopt;
  return file;
}

/// The words as the command line of a kernel or module, by the rules of the guest's GRUB.
Result<std::string> command_line(Evaluator& evaluator, std::span<const std::string> words) {
  PVHGRUB_TRY_ASSIGN(const bool hex_escapes, passes_hex_escapes(evaluator, words));
  return make_loader_command_line(words, hex_escapes);
}

// A guest whose GRUB boots nothing unsigned is told that this is not looked at.
void note_signatures(Evaluator& evaluator) {
  if (evaluator.environment().value_or_empty("check_signatures") != "enforce") return;
  evaluator.notice("check_signatures is `enforce', but signatures of files are not checked here");
}

// linux, linux16, linuxefi: the kernel sees BOOT_IMAGE= and all arguments (grub-core/loader/i386/linux.c).
Result<Status> run_linux(Evaluator& evaluator, const CommandCall& call) {
  LoadedSystem& loaded = evaluator.state().loaded;
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> kernel, loader_file(evaluator, call.arguments[0]));
  if (!kernel) {
    loaded.takes_initrd = false;
    return evaluator.error();
  }
  loaded = LoadedSystem();
  loaded.entry.kind = BootEntry::Kind::kLinux;
  loaded.entry.loader_command = call.name;
  loaded.entry.kernel = std::move(*kernel);
  PVHGRUB_TRY_ASSIGN(const std::string arguments, command_line(evaluator, call.arguments.subspan(1)));
  loaded.entry.command_line = arguments;
  if (evaluator.session().settings.boot_image_argument) {
    PVHGRUB_TRY_ASSIGN(const std::string image, command_line(evaluator, call.arguments.first(1)));
    loaded.entry.command_line = "BOOT_IMAGE=" + image + (arguments.empty() ? "" : " ") + arguments;
  }
  loaded.takes_initrd = true;
  note_signatures(evaluator);
  return kStatusOk;
}

/// One argument of `initrd`: a name, or newc:NAME:FILE.
Result<std::optional<InitrdFile>> initrd_file(Evaluator& evaluator, std::string_view argument) {
  InitrdFile initrd;
  if (argument.starts_with("newc:")) {
    std::string_view rest = argument.substr(5);
    while (rest.starts_with('/')) rest.remove_prefix(1);
    if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
      initrd.newc_name = rest.substr(0, colon);
      argument = rest.substr(colon + 1);
    }
  }
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> file, loader_file(evaluator, argument));
  if (!file) return std::nullopt;
  initrd.file = std::move(*file);
  return initrd;
}

// initrd, initrd16, initrdefi. A failure leaves what an earlier initrd loaded, and GRUB boots the kernel all
// the same.
Result<Status> run_initrd(Evaluator& evaluator, const CommandCall& call) {
  LoadedSystem& loaded = evaluator.state().loaded;
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  if (!loaded.takes_initrd) return evaluator.raise(kStatusBadArgument, "you need to load the kernel first");
  if (call.arguments.size() > limits::kInitrds)
    return fail(ErrorCode::kLimit,
                "more than " + std::to_string(limits::kInitrds) + " files on one initrd line",
                evaluator.where());
  std::vector<InitrdFile> initrds;
  for (const std::string& argument : call.arguments) {
    PVHGRUB_TRY_ASSIGN(std::optional<InitrdFile> initrd, initrd_file(evaluator, argument));
    if (!initrd) {
      evaluator.notice("GRUB boots without this initrd when it cannot be read: " + argument);
      return evaluator.error();
    }
    initrds.push_back(std::move(*initrd));
  }
  loaded.entry.initrds = std::move(initrds);
  return kStatusOk;
}

/// The arguments without leading options ("--nounzip", "--quirk-bad-kludge", "--type=ramdisk").
std::span<const std::string> without_options(std::span<const std::string> arguments) {
  while (!arguments.empty() && arguments.front().starts_with("--")) {
    const bool takes_value = arguments.front() == "--type" && arguments.size() > 1;
    arguments = arguments.subspan(takes_value ? 2 : 1);
  }
  return arguments;
}

// multiboot, multiboot2, xen_hypervisor: for a guest, the hypervisor above the Linux that its first module
// is.
Result<Status> run_multiboot(Evaluator& evaluator, const CommandCall& call) {
  const std::span<const std::string> arguments = without_options(call.arguments);
  if (arguments.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> file, loader_file(evaluator, arguments[0]));
  if (!file) return evaluator.error();
  LoadedSystem& loaded = evaluator.state().loaded;
  loaded = LoadedSystem();
  loaded.entry.kind = BootEntry::Kind::kOther;
  loaded.entry.loader_command = call.name;
  loaded.entry.hypervisor = std::move(*file);
  PVHGRUB_TRY_ASSIGN(loaded.entry.hypervisor_command_line, command_line(evaluator, arguments.subspan(1)));
  return kStatusOk;
}

// module, module2, xen_module, and what ARM's GRUB called the latter earlier. A module's arguments begin
// behind its name: Xen drops no word of them when GRUB 2 or Xen itself loads it, so Linux sees even the word
// "placeholder" that 20_linux_xen writes for loaders that lost the first one.
Result<Status> run_module(Evaluator& evaluator, const CommandCall& call) {
  const std::span<const std::string> arguments = without_options(call.arguments);
  LoadedSystem& loaded = evaluator.state().loaded;
  if (arguments.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  if (!loaded.entry.hypervisor)
    return evaluator.raise(kStatusBadArgument, "you need to load the multiboot kernel first");
  if (loaded.modules.size() >= limits::kInitrds)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kInitrds) + " modules of one kernel",
                evaluator.where());
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> file, loader_file(evaluator, arguments[0]));
  if (!file) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(std::string line, command_line(evaluator, arguments.subspan(1)));
  loaded.modules.push_back({std::move(*file), std::move(line)});
  return kStatusOk;
}

// devicetree [FILE]: noted beside whatever kernel is loaded; without a file, none.
Result<Status> run_devicetree(Evaluator& evaluator, const CommandCall& call) {
  evaluator.state().device_tree.reset();
  if (call.arguments.empty()) return kStatusOk;
  if (call.arguments.size() > 1) return evaluator.raise(kStatusBadArgument, "one argument expected");
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> file, loader_file(evaluator, call.arguments[0]));
  if (!file) return evaluator.error();
  evaluator.state().device_tree = std::move(*file);
  return kStatusOk;
}

// Files and settings for systems that are not booted as Linux.
Result<Status> run_part_of_other_system(Evaluator&, const CommandCall&) {
  return kStatusOk;
}

/// The arguments as load options of the EFI program: GRUB joins them by blanks, without any quoting.
std::string load_options(std::span<const std::string> arguments) {
  std::string joined;
  for (const std::string& argument : arguments) joined += (joined.empty() ? "" : " ") + argument;
  return joined;
}

// chainloader: another loader, except for a unified kernel image, which is a kernel with all that it needs.
Result<Status> run_chainloader(Evaluator& evaluator, const CommandCall& call) {
  const std::span<const std::string> arguments = without_options(call.arguments);
  if (arguments.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  PVHGRUB_TRY_ASSIGN(std::optional<FileReference> file,
                     FileAccess(evaluator).locate_for_loader(arguments[0]));
  std::optional<UnifiedImage> image;
  if (file && !is_block_list(file->path)) {
    Session& session = evaluator.session();
    PVHGRUB_TRY_ASSIGN(image, read_unified_image({session.devices, session.budget}, *file, session.budget,
                                                 session.diagnostics));
  }
  if (!file) return evaluator.error();
  LoadedSystem& loaded = evaluator.state().loaded;
  loaded = LoadedSystem();
  if (image) {
    loaded.entry = start_unified_image(*image, load_options(arguments.subspan(1)));
    return kStatusOk;
  }
  loaded.entry.kind = BootEntry::Kind::kChainloader;
  loaded.entry.loader_command = call.name;
  loaded.entry.kernel = std::move(*file);
  PVHGRUB_TRY_ASSIGN(loaded.entry.command_line, command_line(evaluator, arguments.subspan(1)));
  return kStatusOk;
}

// Loaders of systems that are not booted as Linux: noted, so that an entry that uses one is told for what it
// is.
Result<Status> run_other_loader(Evaluator& evaluator, const CommandCall& call) {
  const std::span<const std::string> arguments = without_options(call.arguments);
  LoadedSystem& loaded = evaluator.state().loaded;
  loaded = LoadedSystem();
  loaded.entry.kind = BootEntry::Kind::kOther;
  loaded.entry.loader_command = call.name;
  if (arguments.empty()) return kStatusOk;
  const std::optional<FileReference> file = FileAccess(evaluator).locate(arguments[0]);
  if (!file) return evaluator.error();
  loaded.entry.kernel = *file;
  return kStatusOk;
}

Result<Status> run_boot(Evaluator& evaluator, const CommandCall& call) {
  if (evaluator.state().loaded.entry.kind == BootEntry::Kind::kNone)
    return evaluator.raise(kStatusNoKernel, "you need to load the kernel first");
  evaluator.end(Ending::kBoot, call.name);
  return kStatusOk;
}

// exit, halt, reboot: GRUB is gone, and with it the menu.
Result<Status> run_leave(Evaluator& evaluator, const CommandCall& call) {
  evaluator.end(Ending::kLeave, call.name);
  return kStatusOk;
}

// There is no firmware to set up in a PVH guest, which is also what --is-supported asks.
Result<Status> run_fwsetup(Evaluator& evaluator, const CommandCall& call) {
  if (!call.arguments.empty() && call.arguments[0] == "--is-supported") return kStatusTestFailure;
  return run_leave(evaluator, call);
}

constexpr Presence kSome = Presence::kSomeBuilds;

constexpr std::array kCommands = {
    CommandEntry{"linux", run_linux},
    CommandEntry{"initrd", run_initrd},
    CommandEntry{"linux16", run_linux, kSome},
    CommandEntry{"initrd16", run_initrd, kSome},
    CommandEntry{"linuxefi", run_linux, kSome},
    CommandEntry{"initrdefi", run_initrd, kSome},
    CommandEntry{"multiboot", run_multiboot},
    CommandEntry{"module", run_module},
    CommandEntry{"multiboot2", run_multiboot},
    CommandEntry{"module2", run_module},
    CommandEntry{"xen_hypervisor", run_multiboot, kSome},
    CommandEntry{"xen_module", run_module, kSome},
    CommandEntry{"xen_linux", run_module, kSome},
    CommandEntry{"xen_initrd", run_module, kSome},
    CommandEntry{"xen_xsm", run_module, kSome},
    CommandEntry{"devicetree", run_devicetree, kSome},
    CommandEntry{"chainloader", run_chainloader, kSome},
    CommandEntry{"appleloader", run_other_loader, kSome},
    CommandEntry{"freedos", run_other_loader, kSome},
    CommandEntry{"kfreebsd", run_other_loader, kSome},
    CommandEntry{"knetbsd", run_other_loader, kSome},
    CommandEntry{"kopenbsd", run_other_loader, kSome},
    CommandEntry{"ntldr", run_other_loader, kSome},
    CommandEntry{"plan9", run_other_loader, kSome},
    CommandEntry{"pxechainloader", run_other_loader, kSome},
    CommandEntry{"truecrypt", run_other_loader, kSome},
    CommandEntry{"xnu_kernel", run_other_loader, kSome},
    CommandEntry{"xnu_kernel64", run_other_loader, kSome},
    CommandEntry{"kfreebsd_loadenv", run_part_of_other_system, kSome},
    CommandEntry{"kfreebsd_module", run_part_of_other_system, kSome},
    CommandEntry{"kfreebsd_module_elf", run_part_of_other_system, kSome},
    CommandEntry{"knetbsd_module", run_part_of_other_system, kSome},
    CommandEntry{"knetbsd_module_elf", run_part_of_other_system, kSome},
    CommandEntry{"kopenbsd_ramdisk", run_part_of_other_system, kSome},
    CommandEntry{"xnu_devprop_load", run_part_of_other_system, kSome},
    CommandEntry{"xnu_kext", run_part_of_other_system, kSome},
    CommandEntry{"xnu_kextdir", run_part_of_other_system, kSome},
    CommandEntry{"xnu_mkext", run_part_of_other_system, kSome},
    CommandEntry{"xnu_ramdisk", run_part_of_other_system, kSome},
    CommandEntry{"xnu_resume", run_part_of_other_system, kSome},
    CommandEntry{"xnu_splash", run_part_of_other_system, kSome},
    CommandEntry{"boot", run_boot},
    CommandEntry{"exit", run_leave},
    CommandEntry{"halt", run_leave},
    CommandEntry{"reboot", run_leave},
    CommandEntry{"normal_exit", run_leave},
    CommandEntry{"fwsetup", run_fwsetup, kSome},
};

}  // namespace

std::span<const CommandEntry> loader_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
