// SPDX-License-Identifier: LGPL-2.1-or-later
// search, search.fs_uuid, search.fs_label, search.file, probe (GRUB manual, "search", "probe").
#include <algorithm>
#include <array>
#include <utility>

#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

enum class SearchKind : std::uint8_t { kFile, kLabel, kUuid };

struct SearchQuery {
  SearchKind kind = SearchKind::kFile;
  std::string key;
  std::optional<std::string> variable;  ///< none: the devices are printed
  std::vector<std::string> hints;       ///< tried first; with a ',' at the end, the partitions too
  bool no_floppy = false;
  bool root_device_only = false;
};

std::string_view name_of(SearchKind kind) {
  switch (kind) {
    case SearchKind::kFile:
      return "--file";
    case SearchKind::kLabel:
      return "--label";
    case SearchKind::kUuid:
      return "--fs-uuid";
  }
  return "";
}

std::string_view disk_of(std::string_view device) {
  return device.substr(0, device.find(','));
}

class Search {
 public:
  Search(Evaluator& evaluator, const SearchQuery& query)
      : evaluator_(evaluator), files_(evaluator), query_(query) {}

  Result<Status> run();

 private:
  /// True where the search ends with this device.
  Result<bool> try_device(std::string_view device);
  Result<bool> matches(std::string_view device);
  Result<bool> try_hint(std::string hint);
  Result<bool> try_all();

  Evaluator& evaluator_;
  FileAccess files_;
  const SearchQuery& query_;
  std::size_t found_ = 0;
  std::string first_found_;
};

Result<bool> Search::matches(std::string_view device) {
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1, "searching devices"));
  if (query_.no_floppy && device.size() > 2 && device.starts_with("fd") && device[2] >= '0' &&
      device[2] <= '9')
    return false;
  const std::string_view root = evaluator_.environment().value_or_empty("root");
  if (query_.root_device_only && !root.empty() && disk_of(root) != disk_of(device)) return false;
  if (query_.kind == SearchKind::kFile) {
    const std::optional<FileReference> file = files_.locate("(" + std::string(device) + ")" + query_.key);
    if (!file) return false;
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files_.open(*file));
    return opened != nullptr;
  }
  PVHGRUB_TRY_ASSIGN(const fs::FileSystem* const file_system, files_.file_system(device));
  if (file_system == nullptr) return false;
  if (query_.kind == SearchKind::kLabel)
    return !file_system->label().empty() && file_system->label() == query_.key;
  return !file_system->uuid().empty() && equal_ignoring_case(file_system->uuid(), query_.key);
}

Result<bool> Search::try_device(std::string_view device) {
  PVHGRUB_TRY_ASSIGN(const bool found, matches(device));
  evaluator_.clear_error();
  if (!found) return false;
  if (found_++ == 0) first_found_ = device;
  if (query_.variable) {
    PVHGRUB_TRY(evaluator_.set_variable(*query_.variable, device));
    return true;
  }
  PVHGRUB_TRY(evaluator_.session().diagnostics.echo(" " + std::string(device)));
  return false;
}

Result<bool> Search::try_hint(std::string hint) {
  if (hint.empty()) return false;
  const bool partitions_too = hint.ends_with(',');
  if (partitions_too) hint.pop_back();
  PVHGRUB_TRY_ASSIGN(const bool done, try_device(hint));
  if (done || !partitions_too) return done;
  // Unlike all devices, the partitions of a hint are gone through from the first to the last.
  const fs::Devices* const devices = evaluator_.session().devices;
  if (devices == nullptr) return false;
  for (const fs::Device& device : devices->devices()) {
    if (!device.name.starts_with(hint + ",")) continue;
    PVHGRUB_TRY_ASSIGN(const bool partition_done, try_device(device.name));
    if (partition_done) return true;
  }
  return false;
}

Result<bool> Search::try_all() {
  // Where the same was found before is looked at first, as GRUB's cache does.
  const std::string cache_key = std::string(name_of(query_.kind)) + " " + query_.key;
  const std::string* cached = evaluator_.state().found_devices.find(cache_key);
  if (cached != nullptr) {
    const std::string device = *cached;
    PVHGRUB_TRY_ASSIGN(const bool done, try_device(device));
    if (done) return true;
  }
  for (const std::string& hint : query_.hints) {
    PVHGRUB_TRY_ASSIGN(const bool done, try_hint(hint));
    if (done) return true;
  }
  for (const std::string& device : files_.device_names()) {
    PVHGRUB_TRY_ASSIGN(const bool done, try_device(device));
    if (done) return true;
  }
  return false;
}

Result<Status> Search::run() {
  PVHGRUB_TRY(try_all());
  Diagnostics& diagnostics = evaluator_.session().diagnostics;
  const std::string what = "search " + std::string(name_of(query_.kind)) + " " + query_.key + ": ";
  if (found_ == 0) {
    diagnostics.explain(what + "not found");
    return evaluator_.raise(kStatusFileNotFound, "no such device: " + query_.key);
  }
  diagnostics.explain(what + first_found_);
  const std::string cache_key = std::string(name_of(query_.kind)) + " " + query_.key;
  evaluator_.state().found_devices.assign(cache_key, first_found_);
  return kStatusOk;
}

enum SearchOption : std::size_t {
  kFile,
  kLabel,
  kUuid,
  kSet,
  kNoFloppy,
  kEfiDiskOnly,
  kRootDeviceOnly,
  kHint,
  kHintIeee1275,
  kHintBios,
  kHintBareMetal,
  kHintEfi,
  kHintArc,
};

constexpr std::array<OptionSpec, 13> kSearchOptions = {{{"file", 'f', false, false},
                                                        {"label", 'l', false, false},
                                                        {"fs-uuid", 'u', false, false},
                                                        {"set", 's', true, true},
                                                        {"no-floppy", 'n', false, false},
                                                        {"efidisk-only", '\0', false, false},
                                                        {"root-dev-only", 'r', false, false},
                                                        {"hint", 'h', true, false},
                                                        {"hint-ieee1275", '\0', true, false},
                                                        {"hint-bios", '\0', true, false},
                                                        {"hint-baremetal", '\0', true, false},
                                                        {"hint-efi", '\0', true, false},
                                                        {"hint-arc", '\0', true, false}}};

std::vector<std::string> hints_for(const ParsedOptions& parsed, std::string_view platform) {
  std::vector<std::size_t> kinds = {kHint};
  if (platform == "ieee1275") kinds.push_back(kHintIeee1275);
  if (platform == "efi") kinds.push_back(kHintEfi);
  if (platform == "arc") kinds.push_back(kHintArc);
  if (platform == "pc") kinds.push_back(kHintBios);
  kinds.push_back(kHintBareMetal);
  std::vector<std::string> hints;
  for (const std::size_t kind : kinds)
    hints.insert(hints.end(), parsed.options[kind].values.begin(), parsed.options[kind].values.end());
  return hints;
}

Result<Status> run_search(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kSearchOptions,
                     static_cast<unsigned>(OptionStyle::kUnknownAreArguments), parsed))
    return evaluator.error();
  SearchQuery query;
  query.hints = hints_for(parsed, evaluator.session().settings.platform);
  query.no_floppy = parsed.options[kNoFloppy].set;
  query.root_device_only = parsed.options[kRootDeviceOnly].set;
  const std::string* variable = parsed.options[kSet].value();
  if (parsed.options[kSet].set) query.variable = variable != nullptr ? *variable : "root";
  // Hints of platforms that are not known yet are no names.
  const auto name = std::ranges::find_if(
      parsed.arguments, [](const std::string& argument) { return !argument.starts_with("--hint-"); });
  if (name != parsed.arguments.end()) {
    query.key = *name;
  } else if (variable != nullptr) {
    // `search --set NAME`: the option took the name.
    query.key = *variable;
    query.variable = "root";
  } else {
    return evaluator.raise(kStatusBadArgument, "one argument expected");
  }
  if (parsed.options[kLabel].set) {
    query.kind = SearchKind::kLabel;
  } else if (parsed.options[kUuid].set) {
    query.kind = SearchKind::kUuid;
  } else if (!parsed.options[kFile].set) {
    return evaluator.raise(kStatusInvalidCommand, "unspecified search type");
  }
  return Search(evaluator, query).run();
}

// search.fs_uuid NAME [VARIABLE [HINT...]]
Result<Status> run_search_by_kind(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "one argument expected");
  SearchQuery query;
  if (call.name == "search.fs_uuid") query.kind = SearchKind::kUuid;
  if (call.name == "search.fs_label") query.kind = SearchKind::kLabel;
  query.key = call.arguments[0];
  if (call.arguments.size() > 1) query.variable = call.arguments[1];
  if (call.arguments.size() > 2) query.hints.assign(call.arguments.begin() + 2, call.arguments.end());
  return Search(evaluator, query).run();
}

/// Splits "hd0,gpt2" into the disk and the parts of partition numbers: GRUB takes "hd0,2" for either table.
bool names_device(std::string_view wanted, std::string_view device) {
  if (wanted == device) return true;
  if (disk_of(wanted) != disk_of(device) || wanted.find(',') == std::string_view::npos ||
      device.find(',') == std::string_view::npos)
    return false;
  const std::string_view number = wanted.substr(wanted.find(',') + 1);
  std::string_view partition = device.substr(device.find(',') + 1);
  while (!partition.empty() && partition.front() >= 'a' && partition.front() <= 'z')
    partition.remove_prefix(1);
  return !number.empty() && number == partition;
}

enum ProbeOption : std::size_t { kProbeSet, kDriver, kPartmap, kFileSystem, kFsUuid, kFsLabel, kPartUuid };

constexpr std::array<OptionSpec, 7> kProbeOptions = {{{"set", 's', true, false},
                                                      {"driver", 'd', false, false},
                                                      {"partmap", 'p', false, false},
                                                      {"fs", 'f', false, false},
                                                      {"fs-uuid", 'u', false, false},
                                                      {"label", 'l', false, false},
                                                      {"part-uuid", '\0', false, false}}};

std::string partition_map_of(std::string_view device) {
  if (device.find(',') == std::string_view::npos) return "none";
  std::string_view map = device.substr(device.rfind(',') + 1);
  while (!map.empty() && map.back() >= '0' && map.back() <= '9') map.remove_suffix(1);
  return map.empty() ? "none" : std::string(map);
}

/// The property that the options ask for; no value with GRUB's error raised.
Result<std::optional<std::string>> probe_property(Evaluator& evaluator, const ParsedOptions& parsed,
                                                  const fs::Device& device) {
  const auto asked = [&](ProbeOption option) { return parsed.options[option].set; };
  if (asked(kDriver)) return "xen";
  if (asked(kPartmap)) return partition_map_of(device.name);
  if (asked(kPartUuid)) return device.partition_uuid.empty() ? "none" : device.partition_uuid;
  PVHGRUB_TRY_ASSIGN(const fs::FileSystem* const file_system, FileAccess(evaluator).file_system(device.name));
  if (file_system == nullptr) return std::nullopt;
  if (asked(kFileSystem)) return std::string(file_system->type_name());
  if (asked(kFsUuid)) {
    if (!file_system->uuid().empty()) return std::string(file_system->uuid());
    evaluator.raise(kStatusNotImplemented, "this filesystem has no UUID");
    return std::nullopt;
  }
  if (asked(kFsLabel)) return std::string(file_system->label());
  evaluator.raise(kStatusBadArgument, "unrecognised target");
  return std::nullopt;
}

Result<Status> run_probe(Evaluator& evaluator, const CommandCall& call) {
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kProbeOptions, static_cast<unsigned>(OptionStyle::kPlain),
                     parsed))
    return evaluator.error();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusBadArgument, "device name required");
  std::string_view name = parsed.arguments[0];
  if (name.starts_with('(') && name.ends_with(')')) name = name.substr(1, name.size() - 2);
  fs::Devices* devices = evaluator.session().devices;
  const fs::Device* device = nullptr;
  if (devices != nullptr)
    for (const fs::Device& candidate : devices->devices())
      if (device == nullptr && names_device(name, candidate.name)) device = &candidate;
  if (device == nullptr) return evaluator.raise(kStatusBadDevice, "couldn't open device");
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> value, probe_property(evaluator, parsed, *device));
  if (!value) return evaluator.error();
  if (const std::string* variable = parsed.options[kProbeSet].value()) {
    PVHGRUB_TRY(evaluator.set_variable(*variable, *value));
  } else {
    PVHGRUB_TRY(evaluator.session().diagnostics.echo(*value));
  }
  return kStatusOk;
}

constexpr std::array kCommands = {
    CommandEntry{"search", run_search, Presence::kEveryBuild, false, true},
    CommandEntry{"search.fs_uuid", run_search_by_kind},
    CommandEntry{"search.fs_label", run_search_by_kind},
    CommandEntry{"search.file", run_search_by_kind},
    CommandEntry{"probe", run_probe},
};

}  // namespace

std::span<const CommandEntry> search_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
