// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's commands that cannot change what is booted, and those that could but are beyond this version.
#include <array>

#include "grubcfg/command_help.h"
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

// Nobody is there to be asked: where nobody has to be, everybody may. Who types commands was asked already.
Result<Status> run_authenticate(Evaluator& evaluator, const CommandCall&) {
  if (evaluator.is_interactive()) return kStatusOk;
  if (evaluator.environment().value_or_empty("superusers").empty()) return kStatusOk;
  return evaluator.raise(kStatusAccessDenied, "`authenticate' asks for a password, and nobody is asked here");
}

// What a signature says of a file is not looked at: no key of the guest's is trusted more than its disk.
Result<Status> run_verify(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  return evaluator.raise(kStatusBadSignature, "signatures are not checked here: `" + std::string(call.name) +
                                                  "' counts as failed");
}

Result<Status> run_test_blockarg(Evaluator& evaluator, const CommandCall& call) {
  if (call.block == nullptr) return evaluator.raise(kStatusBadArgument, "no block parameter");
  PVHGRUB_TRY(evaluator.print("{" + std::string(call.block->text()) + "}\n"));
  return evaluator.run_text(*call.block);
}

// zfs-bootfs DEVICE [VARIABLE], zfsinfo, zfskey: no ZFS is read, so none is found.
Result<Status> run_zfs(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  return evaluator.raise(kStatusUnknownFileSystem, "this version of pvhgrub cannot read ZFS, which `" +
                                                       std::string(call.name) + "' needs");
}

// xnu_uuid IDENTIFIER [VARIABLE] makes macOS's name of a disk, which no Linux asks for.
Result<Status> run_no_such_system(Evaluator& evaluator, const CommandCall& call) {
  return evaluator.raise(kStatusNotImplemented,
                         "`" + std::string(call.name) + "' is for a system that no guest of ours runs");
}

constexpr Presence kEvery = Presence::kEveryBuild;
constexpr Presence kSome = Presence::kSomeBuilds;

constexpr std::array kCommands = {
    CommandEntry{"insmod", run_insmod},
    CommandEntry{"rmmod", run_rmmod},
    CommandEntry{"loadfont", run_loadfont},
    CommandEntry{"background_image", run_background_image},
    CommandEntry{"authenticate", run_authenticate},
    CommandEntry{"test_blockarg", run_test_blockarg, kEvery, true},
    // Without effect on what is booted.
    CommandEntry{"all_functional_test", run_nothing},
    CommandEntry{"background_color", run_nothing},
    CommandEntry{"clear", run_nothing},
    CommandEntry{"distrust", run_nothing},
    CommandEntry{"functional_test", run_nothing},
    CommandEntry{"help", run_help},
    CommandEntry{"keymap", run_nothing, kSome},
    CommandEntry{"list_trusted", run_nothing},
    // The function that every distribution's configuration defines, and blscfg's entries call.
    CommandEntry{"load_video", run_nothing, kSome},
    CommandEntry{"lockdown", run_nothing, kSome},
    CommandEntry{"lsfonts", run_nothing},
    CommandEntry{"lsmod", run_nothing},
    CommandEntry{"nativedisk", run_nothing, kSome},
    CommandEntry{"save_default", run_nothing, kSome},
    CommandEntry{"serial", run_nothing, kSome},
    CommandEntry{"terminal_input", run_nothing},
    CommandEntry{"terminal_output", run_nothing},
    CommandEntry{"terminfo", run_nothing, kSome},
    CommandEntry{"trust", run_nothing},
    CommandEntry{"vbeinfo", run_nothing, kSome},
    CommandEntry{"vbetest", run_nothing, kSome},
    CommandEntry{"version", run_nothing, kSome},
    CommandEntry{"videoinfo", run_nothing},
    CommandEntry{"videotest", run_nothing},
    // Keys and measurements: there is no TPM, and no database of keys.
    CommandEntry{"append_add_db_cert", run_nothing, kSome},
    CommandEntry{"append_add_db_hash", run_nothing, kSome},
    CommandEntry{"append_add_dbx_cert", run_nothing, kSome},
    CommandEntry{"append_add_dbx_hash", run_nothing, kSome},
    CommandEntry{"append_list_db", run_nothing, kSome},
    CommandEntry{"append_list_dbx", run_nothing, kSome},
    CommandEntry{"append_rm_dbx_cert", run_nothing, kSome},
    CommandEntry{"append_rm_dbx_hash", run_nothing, kSome},
    CommandEntry{"crypttab_entry", run_nothing, kSome},
    CommandEntry{"distrust_certificate", run_nothing, kSome},
    CommandEntry{"list_certificates", run_nothing, kSome},
    CommandEntry{"tpm", run_nothing, kSome},
    CommandEntry{"tpm2_key_protector_clear", run_nothing, kSome},
    CommandEntry{"tpm2_key_protector_init", run_nothing, kSome},
    CommandEntry{"tpm_record_pcrs", run_nothing, kSome},
    CommandEntry{"trust_certificate", run_nothing, kSome},
    CommandEntry{"append_verify", run_verify, kSome},
    CommandEntry{"verify_appended", run_verify, kSome},
    CommandEntry{"verify_detached", run_verify},
    // Of file systems and systems that are not read.
    CommandEntry{"btrfs-get-default-subvol", run_nothing_false, kSome},
    CommandEntry{"btrfs-info", run_nothing, kSome},
    CommandEntry{"btrfs-list-subvols", run_nothing, kSome},
    CommandEntry{"prep_load_env", run_nothing, kSome},
    CommandEntry{"xnu_uuid", run_no_such_system},
    CommandEntry{"zfs-bootfs", run_zfs},
    CommandEntry{"zfsinfo", run_zfs},
    CommandEntry{"zfskey", run_zfs},
};

}  // namespace

std::span<const CommandEntry> inert_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
