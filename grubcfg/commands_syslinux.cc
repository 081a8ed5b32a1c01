// SPDX-License-Identifier: LGPL-2.1-or-later
// syslinux_configfile and its kin: GRUB's own way into the configuration of a syslinux.
#include <array>

#include "grubcfg/command_table.h"
#include "grubcfg/configuration_file.h"
#include "grubcfg/options.h"
#include "grubcfg/syslinux_translation.h"

namespace pvhgrub::grubcfg {

namespace {

enum FileOption : std::size_t { kRoot, kCurrentDirectory, kIsolinux, kPxelinux, kSyslinux };

constexpr std::array<OptionSpec, 5> kFileOptions = {{{"root", 'r', true, false},
                                                     {"cwd", 'c', true, false},
                                                     {"isolinux", 'i', false, false},
                                                     {"pxelinux", 'p', false, false},
                                                     {"syslinux", 's', false, false}}};

/// GRUB parses the whole translation before it runs any of it.
Result<bool> is_well_formed(Evaluator& evaluator, const SourceRange& script) {
  Session& session = evaluator.session();
  Parser parser(script, false, session.budget);
  while (true) {
    PVHGRUB_TRY_ASSIGN(const Parser::Outcome outcome, parser.next());
    if (outcome == Parser::Outcome::kEnd) return true;
    if (outcome == Parser::Outcome::kStatement) continue;
    session.diagnostics.notice(script.source->name() + ":" + std::to_string(parser.error_line()),
                               "error: " + parser.error() + "; GRUB runs nothing of this translation");
    return false;
  }
}

/// Translates the file and runs what came out, as one script.
Result<Status> run_file(Evaluator& evaluator, const ParsedOptions& options) {
  TranslatedFile file;
  file.name = options.arguments.front();
  const std::string* const root = options.options[kRoot].value();
  const std::string* const directory = options.options[kCurrentDirectory].value();
  file.root = root != nullptr ? *root : "/";
  const std::size_t slash = file.name.rfind('/');
  file.directory = directory != nullptr         ? *directory
                   : slash == std::string::npos ? "/"
                                                : file.name.substr(0, slash);
  if (options.options[kIsolinux].set) file.flavour = SyslinuxFlavour::kIsolinux;
  if (options.options[kPxelinux].set) file.flavour = SyslinuxFlavour::kPxelinux;
  if (options.options[kSyslinux].set) file.flavour = SyslinuxFlavour::kSyslinux;
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> script, translate_syslinux(evaluator, file));
  if (!script) return evaluator.error();
  const std::string name = options.arguments.front() + " (translated)";
  const SourceRange range = SourceRange::whole(SourceText::from_string(std::move(*script), name, 1));
  PVHGRUB_TRY_ASSIGN(const bool well_formed, is_well_formed(evaluator, range));
  if (well_formed) PVHGRUB_TRY(evaluator.run_text(range));
  return kStatusOk;
}

/// The options and the file's name; false with GRUB's error raised.
bool parse_call(Evaluator& evaluator, const CommandCall& call, ParsedOptions& options) {
  if (!parse_options(evaluator, call.arguments, kFileOptions, static_cast<unsigned>(OptionStyle::kPlain),
                     options))
    return false;
  if (options.arguments.size() == 1) return true;
  evaluator.raise(kStatusBadArgument, "filename expected");
  return false;
}

Result<Status> run_source(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions options;
  if (!parse_call(evaluator, call, options)) return evaluator.error();
  return run_file(evaluator, options);
}

Result<Status> run_configfile(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions options;
  if (!parse_call(evaluator, call, options)) return evaluator.error();
  return run_in_new_context(evaluator, "extlinux", options.arguments.front(),
                            [&] { return run_file(evaluator, options); });
}

// Only the entries are taken from the script; its variables are its own.
Result<Status> run_extract_source(Evaluator& evaluator, const CommandCall& call) {
  const Environment outer = evaluator.environment();
  ++evaluator.state().extractor_level;
  Result<Status> status = run_source(evaluator, call);
  --evaluator.state().extractor_level;
  if (status && evaluator.ending() == Ending::kNone) evaluator.environment() = outer;
  return status;
}

Result<Status> run_extract_configfile(Evaluator& evaluator, const CommandCall& call) {
  ++evaluator.state().extractor_level;
  Result<Status> status = run_configfile(evaluator, call);
  --evaluator.state().extractor_level;
  return status;
}

constexpr std::array kCommands = {
    CommandEntry{"syslinux_source", run_source},
    CommandEntry{"syslinux_configfile", run_configfile},
    CommandEntry{"extract_syslinux_entries_source", run_extract_source},
    CommandEntry{"extract_syslinux_entries_configfile", run_extract_configfile},
};

}  // namespace

std::span<const CommandEntry> syslinux_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
