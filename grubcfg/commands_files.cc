// SPDX-License-Identifier: LGPL-2.1-or-later
// source, configfile, normal and their kin, which run further files; cat, which prints one.
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/configuration_file.h"
#include "grubcfg/directory_listing.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

Result<Status> run_source(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "file name required");
  PVHGRUB_TRY(run_configuration_file(evaluator, call.arguments[0]));
  return kStatusOk;
}

Result<Status> run_in_new_context(Evaluator& evaluator, const std::string& name) {
  return run_in_new_context(evaluator, "grub2", name, [&]() -> Result<Status> {
    PVHGRUB_TRY(run_configuration_file(evaluator, name));
    return kStatusOk;
  });
}

Result<Status> run_configfile(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "file name required");
  return run_in_new_context(evaluator, call.arguments[0]);
}

// `normal [FILE]` reads the file in the current context, shows the menu, and never comes back but to the
// command line.
Result<Status> run_normal(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty() && evaluator.is_interactive()) {
    evaluator.end(Ending::kLeave, call.name);
    return kStatusOk;
  }
  std::string name;
  if (!call.arguments.empty()) {
    name = call.arguments[0];
  } else if (const std::string* prefix = evaluator.environment().get("prefix")) {
    name = *prefix + "/grub.cfg";
  }
  if (!name.empty()) {
    const std::optional<FileReference> file = FileAccess(evaluator).locate(name);
    evaluator.clear_error();
    if (file) evaluator.set_menu_source({"grub2", file->device, file->path});
    PVHGRUB_TRY(run_configuration_file(evaluator, name));
  }
  if (evaluator.ending() != Ending::kNone) return kStatusOk;
  evaluator.end(evaluator.menu().entries.empty() ? Ending::kLeave : Ending::kShowMenu, call.name);
  return kStatusOk;
}

// extract_entries_source FILE: the file's entries without what else it does; its variables are its own.
Result<Status> run_extract_source(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "file name required");
  const Environment outer = evaluator.environment();
  ++evaluator.state().extractor_level;
  PVHGRUB_TRY(run_configuration_file(evaluator, call.arguments[0]));
  --evaluator.state().extractor_level;
  if (evaluator.ending() == Ending::kNone) evaluator.environment() = outer;
  return kStatusOk;
}

Result<Status> run_extract_configfile(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "file name required");
  ++evaluator.state().extractor_level;
  const Result<Status> status = run_in_new_context(evaluator, call.arguments[0]);
  --evaluator.state().extractor_level;
  return status;
}

Result<Status> run_cat(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "filename expected");
  FileAccess files(evaluator);
  const std::optional<FileReference> file = files.locate(call.arguments[0]);
  if (!file) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> bytes, files.read(*file, limits::kConfigurationBytes));
  if (!bytes) return evaluator.error();
  PVHGRUB_TRY(evaluator.print(*bytes + "\n"));
  return kStatusOk;
}

constexpr std::array kCommands = {
    CommandEntry{"source", run_source},
    CommandEntry{".", run_source},
    CommandEntry{"configfile", run_configfile},
    CommandEntry{"normal", run_normal},
    CommandEntry{"extract_entries_source", run_extract_source},
    CommandEntry{"extract_entries_configfile", run_extract_configfile},
    CommandEntry{"ls", run_ls},
    CommandEntry{"cat", run_cat},
};

}  // namespace

std::span<const CommandEntry> file_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
