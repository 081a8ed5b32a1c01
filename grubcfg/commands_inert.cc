// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's commands that cannot change what is booted, and those that could but are beyond this version.
#include <array>

#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

Result<Status> run_nothing(Evaluator&, const CommandCall&) {
  return kStatusOk;
}

Result<Status> run_nothing_false(Evaluator& evaluator, const CommandCall&) {
  return evaluator.raise(kStatusTestFailure, "false");
}

Result<Status> run_insmod(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  // The name tells whose GRUB the configuration was written for.
  if (call.arguments[0] == "blscfg") evaluator.state().bls_dialect = BlsDialect::kRedHat;
  if (call.arguments[0] == "blsuki") evaluator.state().bls_dialect = BlsDialect::kUpstream;
  return kStatusOk;
}

// Modules are all built in: none can be taken away.
Result<Status> run_rmmod(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  return kStatusOk;
}

// `if loadfont ...` chooses between graphics and text; it succeeds where the font is there.
Result<Status> run_loadfont(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "font name must be specified");
  FileAccess files(evaluator);
  for (const std::string& argument : call.arguments) {
    const bool is_path = argument.starts_with('/') || argument.starts_with('(');
    const std::string name = is_path ? argument
                                     : std::string(evaluator.environment().value_or_empty("prefix")) +
                                           "/fonts/" + argument + ".pf2";
    PVHGRUB_TRY_ASSIGN(const bool there, files.has_contents(name));
    if (!there) return evaluator.raise(kStatusTestFailure, "false");
  }
  return kStatusOk;
}

Result<Status> run_background_image(Evaluator& evaluator, const CommandCall& call) {
  for (const std::string& argument : call.arguments) {
    if (argument.starts_with('-')) continue;
    PVHGRUB_TRY_ASSIGN(const bool there, FileAccess(evaluator).has_contents(argument));
    if (!there) return evaluator.raise(kStatusTestFailure, "false");
  }
  return kStatusOk;
}

// Ubuntu asks whether the graphics card is on a list; a PVH guest has none.
Result<Status> run_hwmatch(Evaluator& evaluator, const CommandCall&) {
  PVHGRUB_TRY(evaluator.set_variable("match", "0"));
  return kStatusOk;
}

// -l: long mode; -p: physical address extension. A host that runs Xen 4.10 or later has both.
Result<Status> run_cpuid(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty() || call.arguments[0] == "-l" || call.arguments[0] == "--long-mode" ||
      call.arguments[0] == "-p" || call.arguments[0] == "--pae")
    return kStatusOk;
  return evaluator.raise(kStatusBadArgument, "unknown argument `" + call.arguments[0] + "'");
}

Result<Status> run_unsupported(Evaluator& evaluator, const CommandCall& call) {
  return evaluator.raise(kStatusNotImplemented, "this version of pvhgrub cannot follow the command `" +
                                                    std::string(call.name) + "'");
}

constexpr Presence kEvery = Presence::kEveryBuild;
constexpr Presence kSome = Presence::kSomeBuilds;

constexpr std::array kCommands = {
    CommandEntry{"insmod", run_insmod},
    CommandEntry{"rmmod", run_rmmod},
    CommandEntry{"loadfont", run_loadfont},
    CommandEntry{"background_image", run_background_image},
    CommandEntry{"hwmatch", run_hwmatch, kSome},
    CommandEntry{"cpuid", run_cpuid},
    // Without effect on what is booted.
    CommandEntry{"acpi", run_nothing},
    CommandEntry{"authenticate", run_nothing},
    CommandEntry{"background_color", run_nothing},
    CommandEntry{"badram", run_nothing},
    CommandEntry{"clear", run_nothing},
    CommandEntry{"cmosclean", run_nothing},
    CommandEntry{"cmosset", run_nothing},
    CommandEntry{"cutmem", run_nothing},
    CommandEntry{"date", run_nothing},
    CommandEntry{"devicetree", run_nothing, kSome},
    CommandEntry{"distrust", run_nothing},
    CommandEntry{"drivemap", run_nothing, kSome},
    CommandEntry{"gptsync", run_nothing},
    CommandEntry{"hdparm", run_nothing},
    CommandEntry{"help", run_nothing},
    CommandEntry{"keymap", run_nothing},
    CommandEntry{"kfreebsd_loadenv", run_nothing, kSome},
    CommandEntry{"kfreebsd_module", run_nothing, kSome},
    CommandEntry{"kfreebsd_module_elf", run_nothing, kSome},
    // The function that every distribution's configuration defines, and blscfg's entries call.
    CommandEntry{"load_video", run_nothing, kSome},
    CommandEntry{"lockdown", run_nothing, kSome},
    CommandEntry{"lsacpi", run_nothing},
    CommandEntry{"lsfonts", run_nothing},
    CommandEntry{"lsmmap", run_nothing},
    CommandEntry{"lsmod", run_nothing},
    CommandEntry{"lspci", run_nothing},
    CommandEntry{"nativedisk", run_nothing},
    CommandEntry{"outb", run_nothing},
    CommandEntry{"outl", run_nothing},
    CommandEntry{"outw", run_nothing},
    CommandEntry{"parttool", run_nothing},
    CommandEntry{"play", run_nothing},
    CommandEntry{"save_default", run_nothing, kSome},
    CommandEntry{"sendkey", run_nothing, kSome},
    CommandEntry{"serial", run_nothing},
    CommandEntry{"setpci", run_nothing},
    CommandEntry{"terminal_input", run_nothing},
    CommandEntry{"terminal_output", run_nothing},
    CommandEntry{"terminfo", run_nothing},
    CommandEntry{"tpm", run_nothing, kSome},
    CommandEntry{"trust", run_nothing},
    CommandEntry{"vbeinfo", run_nothing},
    CommandEntry{"videoinfo", run_nothing},
    CommandEntry{"videotest", run_nothing},
    CommandEntry{"wrmsr", run_nothing},
    // Tests of hardware that a PVH guest has not.
    CommandEntry{"cmostest", run_nothing_false},
    CommandEntry{"keystatus", run_nothing_false},
    CommandEntry{"rdmsr", run_nothing_false},
    CommandEntry{"smbios", run_nothing_false},
    // What later versions follow.
    CommandEntry{"cmp", run_unsupported, kEvery},
    CommandEntry{"cryptomount", run_unsupported},
    CommandEntry{"extract_syslinux_entries_configfile", run_unsupported},
    CommandEntry{"extract_syslinux_entries_source", run_unsupported},
    CommandEntry{"file", run_unsupported},
    CommandEntry{"hashsum", run_unsupported},
    CommandEntry{"loopback", run_unsupported},
    CommandEntry{"md5sum", run_unsupported},
    CommandEntry{"sha1sum", run_unsupported},
    CommandEntry{"sha256sum", run_unsupported},
    CommandEntry{"sha512sum", run_unsupported},
    CommandEntry{"syslinux_configfile", run_unsupported},
    CommandEntry{"syslinux_source", run_unsupported},
    CommandEntry{"verify_detached", run_unsupported},
    CommandEntry{"zfs-bootfs", run_unsupported},
};

}  // namespace

std::span<const CommandEntry> inert_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
