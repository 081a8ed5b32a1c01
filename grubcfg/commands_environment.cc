// SPDX-License-Identifier: LGPL-2.1-or-later
// load_env, save_env, list_env (GRUB manual, "The GRUB environment block"). Nothing is written to the disk:
// save_env changes a copy, which later load_env sees.
#include <algorithm>
#include <array>

#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/grubenv.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::array<OptionSpec, 2> kOptions = {
    {{"file", 'f', true, false}, {"skip-sig", 's', false, false}}};

struct OpenedBlock {
  FileReference file;
  EnvironmentBlock block;
};

/// The block that the options name, with what was saved to it so far; no value with GRUB's error raised.
Result<std::optional<OpenedBlock>> open_block(Evaluator& evaluator, const ParsedOptions& parsed) {
  std::string name;
  if (const std::string* given = parsed.options[0].value()) {
    name = *given;
  } else {
    const std::string* prefix = evaluator.environment().get("prefix");
    if (prefix == nullptr) {
      evaluator.raise(kStatusFileNotFound, "variable `prefix' isn't set");
      return std::nullopt;
    }
    name = *prefix + "/grubenv";
  }
  FileAccess files(evaluator);
  const std::optional<FileReference> file = files.locate(name);
  if (!file) return std::nullopt;
  if (const EnvironmentBlock* saved = evaluator.state().saved_blocks.find(file->to_string()))
    return OpenedBlock{*file, *saved};
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> bytes, files.read(*file, limits::kEnvironmentBlockBytes));
  if (!bytes) return std::nullopt;
  Result<EnvironmentBlock> block = EnvironmentBlock::parse(std::move(*bytes));
  if (!block) {
    evaluator.raise(kStatusBadFileType, "invalid environment block " + file->to_string());
    return std::nullopt;
  }
  return OpenedBlock{*file, std::move(*block)};
}

Result<Status> run_load_env(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const std::optional<OpenedBlock> opened, open_block(evaluator, parsed));
  if (!opened) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const auto variables, opened->block.variables(evaluator.session().budget));
  std::string loaded;
  for (const auto& [name, value] : variables) {
    // Arguments are a list of the only variables to take.
    if (!parsed.arguments.empty() && std::ranges::find(parsed.arguments, name) == parsed.arguments.end())
      continue;
    PVHGRUB_TRY(
        evaluator.session().budget.charge_steps(parsed.arguments.size(), "reading an environment block"));
    PVHGRUB_TRY(evaluator.set_variable(name, value));
    loaded += " " + name + "=" + value;
    if (name == "next_entry" && !value.empty())
      evaluator.notice(
          "the environment block " + opened->file.to_string() + " asks for `" + value +
          "' once (grub-reboot): it is booted, but the request stays in the block, as nothing is "
          "written to the guest's disk");
  }
  evaluator.session().diagnostics.explain("load_env " + opened->file.to_string() + ":" +
                                          (loaded.empty() ? " nothing" : loaded));
  return kStatusOk;
}

Result<Status> run_list_env(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const std::optional<OpenedBlock> opened, open_block(evaluator, parsed));
  if (!opened) return evaluator.error();
  PVHGRUB_TRY_ASSIGN(const auto variables, opened->block.variables(evaluator.session().budget));
  for (const auto& [name, value] : variables)
    PVHGRUB_TRY(evaluator.session().diagnostics.echo(name + "=" + value + "\n"));
  return kStatusOk;
}

Result<Status> run_save_env(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusBadArgument, "no variable is specified");
  PVHGRUB_TRY_ASSIGN(std::optional<OpenedBlock> opened, open_block(evaluator, parsed));
  if (!opened) return evaluator.error();
  for (const std::string& name : parsed.arguments) {
    PVHGRUB_TRY(evaluator.session().budget.charge_bytes(2 * opened->block.bytes().size(),
                                                        "changing an environment block"));
    const std::string* value = evaluator.environment().get(name);
    if (value == nullptr) {
      opened->block.remove(name);
    } else if (!opened->block.set(name, *value)) {
      return evaluator.raise(kStatusBadArgument, "environment block too small");
    }
  }
  evaluator.session().diagnostics.explain("save_env " + opened->file.to_string() +
                                          ": kept in memory only, nothing is written to the guest's disk");
  evaluator.state().saved_blocks.assign(opened->file.to_string(), std::move(opened->block));
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
