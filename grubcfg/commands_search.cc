// SPDX-License-Identifier: LGPL-2.1-or-later
// search, search.fs_uuid, search.fs_label, search.file (GRUB manual, "search"), and the partitions' kinds of
// search that CoreOS and Flatcar have added.
#include <algorithm>
#include <array>
#include <utility>

#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

enum class SearchKind : std::uint8_t { kFile, kLabel, kUuid, kPartitionLabel, kPartitionUuid, kDiskUuid };

struct SearchQuery {
  SearchKind kind = SearchKind::kFile;
  std::string key;
  std::optional<std::string> variable;  ///< none: the devices are printed
  std::vector<std::string> hints;       ///< tried first; with a ',' at the end, the partitions too
  bool no_floppy = false;
  bool root_device_only = false;
  bool encrypted_only = false;
};

std::string_view name_of(SearchKind kind) {
  switch (kind) {
    case SearchKind::kFile:
      return "--file";
    case SearchKind::kLabel:
      return "--label";
    case SearchKind::kUuid:
      return "--fs-uuid";
    case SearchKind::kPartitionLabel:
      return "--part-label";
    case SearchKind::kPartitionUuid:
      return "--part-uuid";
    case SearchKind::kDiskUuid:
      return "--disk-uuid";
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
  Result<bool> matches_contents(std::string_view device);
  bool matches_table(const fs::Device& device) const;
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
  // Disks of the firmware are all that a guest has; encrypted ones stay closed.
  if (query_.encrypted_only) return false;
  if (query_.root_device_only && !root.empty() && disk_of(root) != disk_of(device)) return false;
  return matches_contents(device);
}

bool Search::matches_table(const fs::Device& device) const {
  const auto is_key = [&](std::string_view value) {
    return !value.empty() && equal_ignoring_case(value, query_.key);
  };
  if (query_.kind == SearchKind::kPartitionLabel)
    return !device.partition_label.empty() && device.partition_label == query_.key;
  return is_key(query_.kind == SearchKind::kPartitionUuid ? device.partition_uuid : device.disk_uuid);
}

Result<bool> Search::matches_contents(std::string_view device) {
  if (query_.kind == SearchKind::kFile) {
    const std::optional<FileReference> file = files_.locate("(" + std::string(device) + ")" + query_.key);
    if (!file) return false;
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files_.open(*file));
    return opened != nullptr;
  }
  const std::optional<std::string> resolved = files_.resolve_device(device);
  if (!resolved) return false;
  if (query_.kind != SearchKind::kLabel && query_.kind != SearchKind::kUuid) {
    const fs::Devices* const devices = evaluator_.session().devices;
    const fs::Device* const found = devices != nullptr ? devices->device(*resolved) : nullptr;
    return found != nullptr && matches_table(*found);
  }
  PVHGRUB_TRY_ASSIGN(const fs::FileSystem* const file_system, files_.file_system(*resolved));
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
  PVHGRUB_TRY(evaluator_.print(" " + std::string(device)));
  return false;
}

Result<bool> Search::try_hint(std::string hint) {
  if (hint.empty()) return false;
  const bool partitions_too = hint.ends_with(',');
  if (partitions_too) hint.pop_back();
  PVHGRUB_TRY_ASSIGN(const bool done, try_device(hint));
  if (done || !partitions_too) return done;
  // Unlike all devices, the partitions of a hint are gone through from the first to the last.
  for (const std::string& partition : files_.partition_names(hint)) {
    PVHGRUB_TRY_ASSIGN(const bool partition_done, try_device(partition));
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
  kPartitionLabel,
  kPartitionUuid,
  kDiskUuid,
  kCryptodiskOnly,
};

// The last four only some GRUBs have: CoreOS's and Flatcar's, and 2.14.
constexpr std::array<OptionSpec, 17> kSearchOptions = {{{"file", 'f', false, false},
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
                                                        {"hint-arc", '\0', true, false},
                                                        {"part-label", 'L', false, false},
                                                        {"part-uuid", 'U', false, false},
                                                        {"disk-uuid", '\0', false, false},
                                                        {"cryptodisk-only", '\0', false, false}}};

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
  query.encrypted_only = parsed.options[kCryptodiskOnly].set;
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
  } else if (parsed.options[kPartitionLabel].set) {
    query.kind = SearchKind::kPartitionLabel;
  } else if (parsed.options[kPartitionUuid].set) {
    query.kind = SearchKind::kPartitionUuid;
  } else if (parsed.options[kDiskUuid].set) {
    query.kind = SearchKind::kDiskUuid;
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
  if (call.name == "search.part_label") query.kind = SearchKind::kPartitionLabel;
  if (call.name == "search.part_uuid") query.kind = SearchKind::kPartitionUuid;
  if (call.name == "search.disk_uuid") query.kind = SearchKind::kDiskUuid;
  query.key = call.arguments[0];
  if (call.arguments.size() > 1) query.variable = call.arguments[1];
  if (call.arguments.size() > 2) query.hints.assign(call.arguments.begin() + 2, call.arguments.end());
  return Search(evaluator, query).run();
}

constexpr std::array kCommands = {
    CommandEntry{"search", run_search, Presence::kEveryBuild, false, true},
    CommandEntry{"search.fs_uuid", run_search_by_kind},
    CommandEntry{"search.fs_label", run_search_by_kind},
    CommandEntry{"search.file", run_search_by_kind},
    CommandEntry{"search.part_label", run_search_by_kind, Presence::kSomeBuilds},
    CommandEntry{"search.part_uuid", run_search_by_kind, Presence::kSomeBuilds},
    CommandEntry{"search.disk_uuid", run_search_by_kind, Presence::kSomeBuilds},
};

}  // namespace

std::span<const CommandEntry> search_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
