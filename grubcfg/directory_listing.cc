// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/directory_listing.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

#include "grubcfg/file_access.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

/// Files of one directory that are told with size and date: each is looked up by itself.
constexpr std::size_t kLongEntries = 1000;
constexpr std::uint64_t kKiB = 1024;

struct Format {
  bool is_long = false;
  bool human_readable = false;
  bool all = false;
};

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// GRUB's way: two decimals, rounded; units of 1024.
std::string human_size(std::uint64_t size) {
  constexpr std::string_view kUnits = " KMGTPE";
  std::size_t unit = 0;
  if (size > std::numeric_limits<std::uint64_t>::max() / 200) {
    size /= kKiB;
    ++unit;
  }
  std::uint64_t hundredths = size * 100;
  for (; hundredths >= 100 * kKiB && unit + 1 < kUnits.size(); ++unit)
    hundredths = (hundredths + kKiB / 2) / kKiB;
  std::string text = std::to_string(hundredths / 100);
  if (const std::uint64_t rest = hundredths % 100; rest != 0)
    text += (rest < 10 ? ".0" : ".") + std::to_string(rest);
  if (unit > 0) text += kUnits[unit];
  return text;
}

/// UTC; empty where the year has no four digits.
std::string date_of(std::int64_t seconds, bool human_readable) {
  constexpr std::int64_t kSecondsOfDay = 86'400;
  constexpr std::int64_t kBeginOfYear10000 = 253'402'300'800;
  constexpr std::int64_t kBeginOfYear0 = -62'167'219'200;
  constexpr std::array<const char*, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
  if (seconds < kBeginOfYear0 || seconds >= kBeginOfYear10000) return padded({}, human_readable ? 31 : 14);
  const std::chrono::sys_days day =
      std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  const std::chrono::year_month_day date(day);
  const auto second = static_cast<int>(((seconds % kSecondsOfDay) + kSecondsOfDay) % kSecondsOfDay);
  std::array<char, 48> text{};
  const int year = static_cast<int>(date.year());
  const unsigned month = static_cast<unsigned>(date.month());
  const unsigned of_month = static_cast<unsigned>(date.day());
  if (human_readable) {
    (void)std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d %-11s", year, month,
                        of_month, second / 3600, second / 60 % 60, second % 60,
                        kWeekdays[std::chrono::weekday(day).c_encoding()]);
  } else {
    (void)std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d%02d", year, month, of_month,
                        second / 3600, second / 60 % 60, second % 60);
  }
  return text.data();
}

class Listing {
 public:
  Listing(Evaluator& evaluator, const Format& format)
      : evaluator_(evaluator), files_(evaluator), format_(format) {}

  /// A status that is not 0 comes with GRUB's error raised.
  Result<Status> devices();
  Result<Status> argument(const std::string& name);

 private:
  Result<Status> tell_device(const std::string& name);
  Result<Status> tell_directory(fs::FileSystem& file_system, const std::string& path,
                                const std::vector<fs::DirectoryEntry>& entries);
  [[nodiscard]] std::string long_line(const fs::FileInfo& info, const std::string& name) const;

  Evaluator& evaluator_;
  FileAccess files_;
  Format format_;
};

Result<Status> Listing::devices() {
  if (format_.is_long) {
    for (const std::string& device : files_.device_names()) PVHGRUB_TRY(tell_device(device));
    return kStatusOk;
  }
  std::string text;
  for (const std::string& device : files_.device_names()) text += "(" + device + ") ";
  PVHGRUB_TRY(evaluator_.print(text + "\n"));
  return kStatusOk;
}

Result<Status> Listing::tell_device(const std::string& name) {
  const std::optional<std::string> resolved = files_.resolve_device(name);
  if (!resolved) return evaluator_.error();
  const fs::Devices* const devices = evaluator_.session().devices;
  const fs::Device* const device = devices != nullptr ? devices->device(*resolved) : nullptr;
  PVHGRUB_TRY_ASSIGN(const fs::FileSystem* const file_system, files_.file_system(*resolved));
  if (file_system == nullptr && device == nullptr) return evaluator_.error();
  std::string text = name.find(',') == std::string::npos ? "Device " : "\tPartition ";
  text += name + ":";
  if (file_system != nullptr) {
    const std::string_view type = file_system->type_name();
    text += " Filesystem type " + std::string(type == "ext2" ? "ext*" : type);
    if (!file_system->label().empty()) text += " - Label `" + std::string(file_system->label()) + "'";
    if (!file_system->uuid().empty()) text += " - UUID " + std::string(file_system->uuid());
  } else {
    text += evaluator_.error() == kStatusUnknownFileSystem ? " No known filesystem detected"
                                                           : " Filesystem cannot be read";
    evaluator_.clear_error();
  }
  if (device != nullptr) text += " - Total size " + std::to_string(device->size / kKiB) + "KiB";
  PVHGRUB_TRY(evaluator_.print(text + "\n"));
  return kStatusOk;
}

std::string Listing::long_line(const fs::FileInfo& info, const std::string& name) const {
  const bool is_directory = info.type == fs::FileType::kDirectory;
  std::string size = "DIR";
  if (!is_directory) size = format_.human_readable ? human_size(info.size) : std::to_string(info.size);
  return padded(size, 12) + " " + date_of(info.modification_time, format_.human_readable) + " " + name +
         (is_directory ? "/" : "") + "\n";
}

Result<Status> Listing::tell_directory(fs::FileSystem& file_system, const std::string& path,
                                       const std::vector<fs::DirectoryEntry>& entries) {
  std::string text;
  std::size_t told = 0;
  std::size_t left = 0;
  for (const fs::DirectoryEntry& entry : entries) {
    if (!format_.all && entry.name.starts_with('.')) continue;
    if (!format_.is_long) {
      text += entry.name + (entry.type == fs::FileType::kDirectory ? "/ " : " ");
      continue;
    }
    if (told == kLongEntries) {
      ++left;
      continue;
    }
    ++told;
    PVHGRUB_TRY(evaluator_.session().budget.charge_steps(10, "listing a directory"));
    const Result<fs::FileInfo> info = file_system.stat(path + (path.ends_with('/') ? "" : "/") + entry.name);
    if (!info && is_fatal(info.error())) return std::unexpected(info.error());
    // A link that leads nowhere.
    if (info) text += long_line(*info, entry.name);
  }
  if (left > 0)
    text += "... " + std::to_string(left) + " more: name some of them (`ls -l " + path +
            (path.ends_with('/') ? "" : "/") + "NAME*')\n";
  PVHGRUB_TRY(evaluator_.print(text + "\n"));
  return kStatusOk;
}

Result<Status> Listing::argument(const std::string& name) {
  if (name.starts_with('(') && name.ends_with(')')) return tell_device(name.substr(1, name.size() - 2));
  const std::optional<FileReference> place = files_.locate(name);
  if (!place) return evaluator_.error();
  PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, files_.file_system(place->device));
  if (file_system == nullptr) return evaluator_.error();
  const std::string& path = place->path;
  if (!path.starts_with('/')) return evaluator_.raise(kStatusBadFilename, "invalid file name `" + name + "'");
  Result<std::vector<fs::DirectoryEntry>> entries = file_system->list(path);
  if (!entries && is_fatal(entries.error())) return std::unexpected(std::move(entries).error());
  if (entries) {
    PVHGRUB_TRY(evaluator_.session().budget.charge_steps(entries->size(), "listing a directory"));
    return tell_directory(*file_system, path, *entries);
  }
  const Result<fs::FileInfo> info = file_system->stat(path);
  if (!info) {
    PVHGRUB_TRY(files_.report(info.error(), *place));
    return evaluator_.error();
  }
  const std::string last = path.substr(path.rfind('/') + 1);
  PVHGRUB_TRY(evaluator_.print(format_.is_long ? long_line(*info, last) : last + " \n"));
  return kStatusOk;
}

}  // namespace

Result<Status> run_ls(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 3> kOptions = {
      {{"long", 'l', false, false}, {"human-readable", 'h', false, false}, {"all", 'a', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  Listing listing(evaluator, {parsed.options[0].set, parsed.options[1].set, parsed.options[2].set});
  if (parsed.arguments.empty()) return listing.devices();
  for (const std::string& argument : parsed.arguments) {
    PVHGRUB_TRY_ASSIGN(const Status status, listing.argument(argument));
    if (status != kStatusOk) return status;
  }
  return kStatusOk;
}

}  // namespace pvhgrub::grubcfg
