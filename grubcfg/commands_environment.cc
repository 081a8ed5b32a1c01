// SPDX-License-Identifier: LGPL-2.1-or-later
// load_env, save_env, list_env (GRUB manual, "The GRUB environment block"). save_env changes a copy, which
// later load_env sees; what becomes of it on the disk is decided when an entry is booted
// (environment_blocks.h).
#include <algorithm>
#include <array>

#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/environment_blocks.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::array<OptionSpec, 2> kOptions = {
    {{"file", 'f', true, false}, {"skip-sig", 's', false, false}}};

/// The variable that counts the boots of an updated system down to the way back (greenboot, rpm-ostree).
constexpr std::string_view kBootCounter = "boot_counter";

/// The name of the block that the options name; no value with GRUB's error raised.
std::optional<std::string> block_name(Evaluator& evaluator, const ParsedOptions& parsed) {
  if (const std::string* given = parsed.options[0].value()) return *given;
  const std::string* prefix = evaluator.environment().get("prefix");
  if (prefix != nullptr) return *prefix + "/grubenv";
  evaluator.raise(kStatusFileNotFound, "variable `prefix' isn't set");
  return std::nullopt;
}

Result<std::optional<SavedBlock>> open_block(Evaluator& evaluator, const ParsedOptions& parsed) {
  const std::optional<std::string> name = block_name(evaluator, parsed);
  if (!name) return std::nullopt;
  return open_environment_block(evaluator, *name);
}

GrubenvMode mode_of(Evaluator& evaluator) {
  return evaluator.session().settings.grubenv;
}

/// With --grubenv=ignore: tells once that environment blocks are passed over.
bool passes_over(Evaluator& evaluator) {
  Session& session = evaluator.session();
  if (session.settings.grubenv != GrubenvMode::kIgnore) return false;
  if (!std::exchange(session.told_ignoring, true))
    session.diagnostics.explain(
        "load_env and save_env do nothing: environment blocks are ignored (--grubenv=ignore)");
  return true;
}

/// Why nothing of this block is written, and what changes that.
std::string why_not_written(Evaluator& evaluator, const BlockOnDisk& block) {
  return mode_of(evaluator) == GrubenvMode::kWrite
             ? "cannot be written: " + block.obstacle
             : "is not written (only with --grubenv=write, on a disk that can be written)";
}

/// Decides whether the requests among the variables are followed; takes them away where not.
void judge_requests(Evaluator& evaluator, SavedBlock& opened, EnvironmentVariables& variables) {
  const std::vector<std::string> requests = find_requests(variables);
  if (requests.empty()) return;
  std::string list;
  for (const std::string& request : requests) list += (list.empty() ? "" : ", ") + request;
  BlockOnDisk& disk = *opened.disk;
  if (is_written(mode_of(evaluator), disk)) {
    opened.answers_request = true;
    evaluator.session().diagnostics.explain(disk.file.to_string() + " asks for one boot only: " + list);
    evaluator.state().saved_blocks.assign(disk.file.to_string(), opened);
    return;
  }
  withdraw_requests(variables);
  if (std::exchange(disk.told_request, true)) return;
  evaluator.notice("the environment block " + disk.file.to_string() + " asks for one boot only: " + list +
                   "; this is not followed, as it would be followed again at every boot: the block " +
                   why_not_written(evaluator, disk));
}

Result<Status> run_load_env(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (passes_over(evaluator)) return kStatusOk;
  PVHGRUB_TRY_ASSIGN(std::optional<SavedBlock> opened, open_block(evaluator, parsed));
  if (!opened) return evaluator.error();
  Budget& budget = evaluator.session().budget;
  PVHGRUB_TRY_ASSIGN(EnvironmentVariables variables, opened->block.variables(budget));
  if (!parsed.arguments.empty()) {
    // Arguments are a list of the only variables to take.
    PVHGRUB_TRY(
        budget.charge_steps(variables.size() * parsed.arguments.size(), "reading an environment block"));
    std::erase_if(variables, [&](const auto& variable) {
      return std::ranges::find(parsed.arguments, variable.first) == parsed.arguments.end();
    });
  }
  judge_requests(evaluator, *opened, variables);
  std::string loaded;
  for (const auto& [name, value] : variables) {
    PVHGRUB_TRY(evaluator.set_variable(name, value));
    loaded += " " + name + "=" + value;
  }
  evaluator.session().diagnostics.explain("load_env " + opened->disk->file.to_string() + ":" +
                                          (loaded.empty() ? " nothing" : loaded));
  return kStatusOk;
}

Result<Status> run_list_env(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (passes_over(evaluator)) return kStatusOk;
  PVHGRUB_TRY_ASSIGN(const std::optional<SavedBlock> opened, open_block(evaluator, parsed));
  if (!opened) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const EnvironmentVariables variables,
                     opened->block.variables(evaluator.session().budget));
  for (const auto& [name, value] : variables) PVHGRUB_TRY(evaluator.print(name + "=" + value + "\n"));
  return kStatusOk;
}

/// Tells what becomes of a saved block. A notice, once, where it matters: the administrator asked for
/// writing, or an update of the guest counts its boots in vain.
void tell_saving(Evaluator& evaluator, BlockOnDisk& disk, std::span<const std::string> names) {
  const std::string name = disk.file.to_string();
  const bool written = is_written(mode_of(evaluator), disk);
  evaluator.session().diagnostics.explain(
      "save_env " + name + (written ? ": written when the entry is booted" : ": kept in memory only"));
  const bool counts = std::ranges::find(names, kBootCounter) != names.end();
  const bool matters = mode_of(evaluator) == GrubenvMode::kWrite || counts;
  if (written || !matters || std::exchange(disk.told_saving, true)) return;
  evaluator.notice("what the guest saves in the environment block " + name + " is lost" +
                   (counts ? ", so its boots are not counted" : "") + ": the block " +
                   why_not_written(evaluator, disk));
}

Result<Status> run_save_env(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusBadArgument, "no variable is specified");
  if (passes_over(evaluator)) return kStatusOk;
  PVHGRUB_TRY_ASSIGN(std::optional<SavedBlock> opened, open_block(evaluator, parsed));
  if (!opened) return evaluator.error();
  SharedMap<SavedBlock>& saved = evaluator.state().saved_blocks;
  const std::string key = opened->disk->file.to_string();
  if (saved.find(key) == nullptr && saved.size() >= limits::kEnvironmentBlocks)
    return evaluator.raise(kStatusBadArgument, "more than " + std::to_string(limits::kEnvironmentBlocks) +
                                                   " environment blocks are saved to");
  for (const std::string& name : parsed.arguments) {
    PVHGRUB_TRY(evaluator.session().budget.charge_bytes((2 + saved.size()) * opened->block.bytes().size(),
                                                        "changing an environment block"));
    const std::string* value = evaluator.environment().get(name);
    if (value == nullptr) {
      opened->block.remove(name);
    } else if (!opened->block.set(name, *value)) {
      return evaluator.raise(kStatusBadArgument, "environment block too small");
    }
  }
  // The broker writes nothing else, and a block that could not be written would be honoured in vain.
  if (opened->disk->obstacle.empty() && !opened->block.is_well_formed())
    return evaluator.raise(kStatusBadArgument, "a name or value that no environment block should hold");
  tell_saving(evaluator, *opened->disk, parsed.arguments);
  saved.assign(key, std::move(*opened));
  return kStatusOk;
}

constexpr std::array kCommands = {
    CommandEntry{"load_env", run_load_env},
    CommandEntry{"save_env", run_save_env},
    CommandEntry{"list_env", run_list_env},
};

}  // namespace

std::span<const CommandEntry> environment_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
