// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/configuration_file.h"

#include <utility>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

std::optional<std::string> copy_of(const std::string* value) {
  return value != nullptr ? std::optional<std::string>(*value) : std::nullopt;
}

Result<void> put_back(Evaluator& evaluator, std::string_view name, const std::optional<std::string>& value) {
  if (value) return evaluator.set_variable(name, *value);
  return evaluator.environment().unset(name, evaluator.session().budget);
}

Result<void> set_exported(Evaluator& evaluator, std::string_view name, std::string_view value) {
  PVHGRUB_TRY(evaluator.set_variable(name, value));
  return evaluator.environment().export_variable(name, evaluator.session().budget);
}

}  // namespace

Result<bool> run_configuration_file(Evaluator& evaluator, const std::string& name) {
  Session& session = evaluator.session();
  FileAccess files(evaluator);
  const std::optional<FileReference> file = files.locate(name);
  std::optional<std::string> bytes;
  if (file) {
    PVHGRUB_TRY_ASSIGN(bytes, files.read(*file, limits::kConfigurationBytes));
  }
  evaluator.clear_error();
  if (!bytes) {
    session.diagnostics.explain("no configuration file " + name);
    return false;
  }
  session.diagnostics.explain("reading " + file->to_string());
  const SourceRange script = SourceRange::whole(SourceText::from_file(*bytes, file->to_string()));
  bytes.reset();

  const std::optional<std::string> old_file = copy_of(evaluator.environment().get("config_file"));
  const std::optional<std::string> old_directory = copy_of(evaluator.environment().get("config_directory"));
  const std::string root(evaluator.environment().value_or_empty("root"));
  const std::string full = name.starts_with('(') ? name : "(" + root + ")" + name;
  PVHGRUB_TRY(set_exported(evaluator, "config_file", full));
  PVHGRUB_TRY(set_exported(evaluator, "config_directory", full.substr(0, full.rfind('/'))));
  PVHGRUB_TRY(evaluator.run_file(script));
  if (evaluator.ending() != Ending::kNone) return true;
  PVHGRUB_TRY(put_back(evaluator, "config_file", old_file));
  PVHGRUB_TRY(put_back(evaluator, "config_directory", old_directory));
  return true;
}

Result<Status> run_in_new_context(Evaluator& evaluator, std::string_view kind, const std::string& name,
                                  const std::function<Result<Status>()>& read) {
  const std::optional<FileReference> file = FileAccess(evaluator).locate(name);
  evaluator.clear_error();
  Environment inner = evaluator.environment().exported_copy();
  Environment outer = std::exchange(evaluator.environment(), std::move(inner));
  MenuUnderConstruction outer_menu = evaluator.exchange_menu({});
  const ConfigurationSource outer_source = evaluator.menu_source();
  if (file) evaluator.set_menu_source({std::string(kind), file->device, file->path});
  PVHGRUB_TRY_ASSIGN(const Status status, read());
  if (evaluator.ending() == Ending::kNone && !evaluator.menu().entries.empty())
    evaluator.end(Ending::kShowMenu, "configfile");
  if (evaluator.ending() != Ending::kNone) return kStatusOk;
  evaluator.environment() = std::move(outer);
  (void)evaluator.exchange_menu(std::move(outer_menu));
  evaluator.set_menu_source(outer_source);
  return status;
}

}  // namespace pvhgrub::grubcfg
