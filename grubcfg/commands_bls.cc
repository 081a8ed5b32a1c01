// SPDX-License-Identifier: LGPL-2.1-or-later
// blscfg, bls_import, uki: menu entries from files of the Boot Loader Specification. Which of two commands
// `blscfg` is: bls_dialect.cc.
#include <algorithm>
#include <array>

#include "grubcfg/bls_dialect.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/grub_bls_reader.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kEntriesDirectory = "/loader/entries/";
constexpr std::string_view kEntriesBelowBoot = "/boot/loader/entries/";
constexpr std::string_view kUnifiedDirectory = "/EFI/Linux";

/// The device that a command works on, mounted; null with GRUB's error raised.
Result<fs::FileSystem*> mount(Evaluator& evaluator, std::string_view device, std::string_view command) {
  if (evaluator.session().devices == nullptr) {
    evaluator.raise(kStatusUnknownDevice,
                    "`" + std::string(command) + "' needs the guest's disk to read boot loader entries from");
    return nullptr;
  }
  if (device.empty()) {
    evaluator.raise(kStatusFileNotFound, "variable `root' isn't set");
    return nullptr;
  }
  return FileAccess(evaluator).file_system(device);
}

/// The device of "(DEVICE)/PATH", and the path, which may be missing; no value with the error raised.
std::optional<FileReference> split_place(Evaluator& evaluator, std::string_view place) {
  const std::size_t closing = place.find(')');
  if (closing == std::string_view::npos) {
    evaluator.raise(kStatusBadArgument, "invalid file name `" + std::string(place) + "'");
    return std::nullopt;
  }
  return FileReference{std::string(place.substr(1, closing - 1)), std::string(place.substr(closing + 1))};
}

/// A single file that the command was given; false with GRUB's error raised.
Result<bool> add_named_file(Evaluator& evaluator, GrubBlsReader& reader, std::string_view name) {
  FileAccess files(evaluator);
  const std::optional<FileReference> file = files.locate(name);
  if (!file) return false;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files.open(*file));
  if (!opened) return false;
  reader.add_file(*file);
  return true;
}

// blscfg [default | non-default | (DEVICE)/DIRECTORY | (DEVICE)/FILE.conf | ID], also of SUSE's.
class RedHatCommand {
 public:
  RedHatCommand(Evaluator& evaluator, BlsDialect dialect)
      : evaluator_(evaluator), reader_(evaluator, dialect, ".conf") {}

  Result<Status> run(std::span<const std::string> arguments) {
    // More than one argument is as none.
    std::string_view place;
    if (arguments.size() == 1) {
      const std::string& argument = arguments[0];
      selection_.others = argument != "default";
      selection_.default_entry = argument != "non-default";
      if (argument.starts_with('(')) {
        place = argument;
      } else if (selection_.others && selection_.default_entry) {
        selection_ = {.default_entry = false, .others = false, .named = argument};
      }
    }
    PVHGRUB_TRY_ASSIGN(const bool found, place.ends_with(".conf") ? add_named_file(evaluator_, reader_, place)
                                                                  : add_directories(place));
    if (!found) return evaluator_.error();
    MachineState& state = evaluator_.state();
    std::vector<BlsFile> known;
    if (state.bls_files) known = *state.bls_files;
    PVHGRUB_TRY_ASSIGN(known, reader_.show(std::move(known), selection_));
    state.bls_files = std::make_shared<const std::vector<BlsFile>>(std::move(known));
    return kStatusOk;
  }

 private:
  Result<bool> add_directories(std::string_view place) {
    const Environment& environment = evaluator_.environment();
    std::string device(environment.value_or_empty("root"));
    std::vector<std::string> paths;
    if (!place.empty()) {
      const std::optional<FileReference> split = split_place(evaluator_, place);
      if (!split) return false;
      device = split->device;
      paths = {split->path};
    } else {
      const std::string* configured = environment.get("blsdir");
      paths = {configured != nullptr ? *configured : std::string(kEntriesDirectory),
               std::string(kEntriesBelowBoot)};
    }
    PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, mount(evaluator_, device, "blscfg"));
    if (file_system == nullptr) return false;
    std::string reasons;
    for (const std::string& path : paths) {
      std::string why;
      PVHGRUB_TRY_ASSIGN(const bool listed, reader_.add_directory(*file_system, device, path, why));
      if (listed) {
        if (reader_.is_empty())
          evaluator_.notice("no boot loader entry: (" + device + ")" + path + " holds no file *.conf");
        return true;
      }
      reasons += (reasons.empty() ? " (" : ", (") + device + ")" + path + ": " + why;
    }
    evaluator_.notice("no boot loader entries:" + reasons);
    return true;
  }

  Evaluator& evaluator_;
  GrubBlsReader reader_;
  BlsSelection selection_;
};

/// The device that GRUB's EFI program would have come from, which 2.14 looks for unified kernel images on:
/// that of $cmdpath where it has such a directory, else an EFI system partition, else any file system of its
/// kind.
Result<std::string> find_unified_device(Evaluator& evaluator) {
  constexpr std::array<std::string_view, 2> kSystemPartition = {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
                                                                "0xef"};
  Session& session = evaluator.session();
  std::vector<std::string> candidates;
  std::string_view own = evaluator.environment().value_or_empty("cmdpath");
  if (own.starts_with('(')) own = own.substr(1, own.find(')') == own.npos ? own.npos : own.find(')') - 1);
  candidates.emplace_back(own);
  std::vector<std::string> others;
  for (const fs::Device& device : session.devices->devices())
    (std::ranges::find(kSystemPartition, device.partition_type) != kSystemPartition.end() ? candidates
                                                                                          : others)
        .push_back(device.name);
  candidates.insert(candidates.end(), others.begin(), others.end());
  for (const std::string& device : candidates) {
    PVHGRUB_TRY(session.budget.charge_steps(1, "looking for unified kernel images"));
    const Result<fs::FileSystem*> mounted = session.devices->file_system(device);
    if (!mounted && is_fatal(mounted.error())) return std::unexpected(mounted.error());
    if (!mounted || (device != own && (*mounted)->type_name() != "fat")) continue;
    const Result<fs::FileInfo> info = (*mounted)->stat(kUnifiedDirectory);
    if (!info && is_fatal(info.error())) return std::unexpected(info.error());
    if (info && info->type == fs::FileType::kDirectory) return device;
  }
  return std::string(own);
}

// GRUB 2.14's blscfg and uki, with the same options: the directory, or the one file, to read; whether to read
// the usual directory when there is nothing in that one; which entries to show.
class UpstreamCommand {
 public:
  UpstreamCommand(Evaluator& evaluator, std::string_view name)
      : evaluator_(evaluator),
        name_(name),
        is_uki_(name == "uki"),
        suffix_(is_uki_ ? ".efi" : ".conf"),
        usual_(is_uki_ ? kUnifiedDirectory : kEntriesDirectory),
        reader_(evaluator, BlsDialect::kUpstream, suffix_) {}

  Result<Status> run(std::span<const std::string> arguments) {
    enum Option : std::size_t { kPath, kFallback, kDefault, kNonDefault, kEntry };
    constexpr std::array<OptionSpec, 5> kOptions = {{{"path", 'p', true, false},
                                                     {"enable-fallback", 'f', false, false},
                                                     {"show-default", 'd', false, false},
                                                     {"show-non-default", 'n', false, false},
                                                     {"entry", 'e', true, false}}};
    ParsedOptions parsed;
    if (!parse_options(evaluator_, arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
      return evaluator_.error();
    const auto& options = parsed.options;
    BlsSelection selection;
    if (options[kDefault].set || options[kNonDefault].set || options[kEntry].set) {
      selection.default_entry = options[kDefault].set;
      selection.others = options[kNonDefault].set;
      if (const std::string* file = options[kEntry].value()) selection.named = *file;
    }
    const std::string* path = options[kPath].value();
    PVHGRUB_TRY_ASSIGN(const bool found, path != nullptr && path->ends_with(suffix_)
                                             ? add_named_file(evaluator_, reader_, *path)
                                             : add_directory(path, options[kFallback].set));
    if (!found) return evaluator_.error();
    PVHGRUB_TRY(reader_.show({}, selection));
    return kStatusOk;
  }

 private:
  Result<bool> add_directory(const std::string* place, bool falls_back) {
    std::string path;
    std::string device;
    if (place != nullptr && place->starts_with('(')) {
      const std::optional<FileReference> split = split_place(evaluator_, *place);
      if (!split) return false;
      device = split->device;
      path = split->path;
    } else {
      path = place != nullptr && place->starts_with('/') ? *place : std::string(usual_);
      device = evaluator_.environment().value_or_empty("root");
      if (is_uki_ && evaluator_.session().devices != nullptr) {
        PVHGRUB_TRY_ASSIGN(device, find_unified_device(evaluator_));
      }
    }
    PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, mount(evaluator_, device, name_));
    if (file_system == nullptr) return false;
    std::string why;
    PVHGRUB_TRY_ASSIGN(bool listed, reader_.add_directory(*file_system, device, path, why));
    if (reader_.is_empty() && falls_back) {
      path = usual_;
      PVHGRUB_TRY_ASSIGN(listed, reader_.add_directory(*file_system, device, path, why));
    }
    if (!reader_.is_empty()) return true;
    std::string text = "no boot loader entries: (" + device + ")" + path + ": ";
    text += listed ? "no file *" + std::string(suffix_) : why;
    PVHGRUB_TRY_ASSIGN(const bool below_boot, has_entries_below_boot(*file_system));
    if (below_boot)
      text += "; there are some in " + std::string(kEntriesBelowBoot) +
              ", where this GRUB looks only when it is told to: blscfg --path " +
              std::string(kEntriesBelowBoot);
    evaluator_.notice(std::move(text));
    return true;
  }

  /// Red Hat's GRUB would look there by itself; 2.14 does not.
  Result<bool> has_entries_below_boot(fs::FileSystem& file_system) {
    if (is_uki_) return false;
    std::string why;
    PVHGRUB_TRY_ASSIGN(const std::optional<std::vector<BlsFile>> files,
                       list_bls_directory(file_system, make_bls_directory("", kEntriesBelowBoot), suffix_,
                                          BlsDialect::kUpstream, evaluator_.session().budget, why));
    return files && !files->empty();
  }

  Evaluator& evaluator_;
  std::string_view name_;
  bool is_uki_;
  std::string_view suffix_;
  std::string_view usual_;
  GrubBlsReader reader_;
};

std::string_view name_of(BlsDialect dialect) {
  switch (dialect) {
    case BlsDialect::kRedHat:
      return "Red Hat's GRUB";
    case BlsDialect::kSuse:
      return "SUSE's GRUB";
    case BlsDialect::kUpstream:
      break;
  }
  return "GRUB 2.14";
}

Result<Status> run_blscfg(Evaluator& evaluator, const CommandCall& call) {
  PVHGRUB_TRY_ASSIGN(const BlsDialectFinding finding, find_bls_dialect(evaluator, call));
  evaluator.session().diagnostics.explain(evaluator.where() + ": " + std::string(call.name) + " as in " +
                                          std::string(name_of(finding.dialect)) + ", told by " +
                                          std::string(finding.reason));
  MachineState& state = evaluator.state();
  state.bls_dialect = finding.dialect;
  if (!is_of_red_hat(finding.dialect)) return UpstreamCommand(evaluator, call.name).run(call.arguments);
  (finding.dialect == BlsDialect::kSuse ? state.is_suse : state.is_red_hat) = true;
  return RedHatCommand(evaluator, finding.dialect).run(call.arguments);
}

Result<Status> run_uki(Evaluator& evaluator, const CommandCall& call) {
  evaluator.state().bls_dialect = BlsDialect::kUpstream;
  return UpstreamCommand(evaluator, call.name).run(call.arguments);
}

constexpr std::array kCommands = {
    CommandEntry{"blscfg", run_blscfg, Presence::kSomeBuilds},
    CommandEntry{"bls_import", run_blscfg, Presence::kSomeBuilds},
    CommandEntry{"uki", run_uki, Presence::kSomeBuilds},
};

}  // namespace

std::span<const CommandEntry> bls_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
