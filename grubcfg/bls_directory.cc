// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_directory.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>

#include "grubcfg/file_access.h"
#include "grubcfg/file_version.h"
#include "grubcfg/rpm_version.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kConf = ".conf";

bool is_entry_name(std::string_view name, std::string_view suffix, BlsDialect dialect) {
  if (!name.ends_with(suffix)) return false;
  return dialect == BlsDialect::kUpstream || !name.starts_with('.');
}

/// A name without its boot counter ("+LEFT" or "+LEFT-DONE" at the end), and whether no try is left.
struct CountedName {
  std::string_view name;
  bool is_used_up = false;
};

// What stands behind the last '+' and does not begin with a number is none; what follows a '-' there counts
// for nothing all the same.
CountedName split_counted_name(std::string_view name) {
  const std::size_t plus = name.rfind('+');
  if (plus == std::string_view::npos) return {name, false};
  const std::string_view tail = name.substr(plus + 1);
  const std::string_view counter = tail.substr(0, tail.rfind('-'));
  const std::string_view digits = counter.substr(0, counter.find_first_not_of("0123456789"));
  if (digits.empty()) return {name.substr(0, plus + 1 + counter.size()), false};
  return {name.substr(0, plus), digits.find_first_not_of('0') == std::string_view::npos};
}

}  // namespace

FileReference BlsFile::file() const {
  return {directory->device, directory->path + (directory->path == "/" ? "" : "/") + name};
}

std::shared_ptr<const FileReference> make_bls_directory(std::string_view device, std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::make_shared<const FileReference>(FileReference{std::string(device), std::string(path)});
}

Result<std::optional<std::vector<BlsFile>>> list_bls_directory(
    fs::FileSystem& file_system, const std::shared_ptr<const FileReference>& directory,
    std::string_view suffix, BlsDialect dialect, Budget& budget, std::string& why) {
  PVHGRUB_TRY(budget.charge_steps(1 + directory->path.size() / 8, "looking for boot loader entries"));
  Result<std::vector<fs::DirectoryEntry>> names = file_system.list(directory->path);
  if (!names) {
    if (is_fatal(names.error())) return std::unexpected(std::move(names).error());
    why = names.error().code == ErrorCode::kNotFound ? "no such directory" : names.error().describe();
    return std::nullopt;
  }
  PVHGRUB_TRY(budget.charge_steps(names->size(), "looking for boot loader entries"));
  std::vector<BlsFile> files;
  for (fs::DirectoryEntry& entry : *names)
    if (is_entry_name(entry.name, suffix, dialect)) files.push_back({directory, std::move(entry.name)});
  return files;
}

std::string_view without_conf(std::string_view name) {
  if (name.ends_with(kConf)) name.remove_suffix(kConf.size());
  return name;
}

std::weak_ordering compare_bls_files(const BlsFile& a, const BlsFile& b, BlsDialect dialect) {
  if (dialect == BlsDialect::kUpstream) return compare_file_versions(a.name, b.name);
  if (dialect == BlsDialect::kRedHat)
    return compare_package_names(without_conf(a.name), without_conf(b.name));
  const CountedName one = split_counted_name(without_conf(a.name));
  const CountedName two = split_counted_name(without_conf(b.name));
  if (one.is_used_up != two.is_used_up) return two.is_used_up <=> one.is_used_up;
  return compare_package_names(one.name, two.name);
}

Result<std::vector<BlsFile>> merge_bls_files(std::vector<BlsFile> known, std::vector<BlsFile> found,
                                             BlsDialect dialect, Budget& budget) {
  // A comparison of two names is a small part of what a step is elsewhere.
  const std::size_t turns = static_cast<std::size_t>(std::bit_width(found.size()));
  PVHGRUB_TRY(
      budget.charge_steps(known.size() + found.size() * (1 + turns / 4), "sorting boot loader entries"));
  std::vector<std::size_t> order(found.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const std::weak_ordering by_name = compare_bls_files(found[a], found[b], dialect);
    return by_name != 0 ? by_name > 0 : a < b;
  });
  std::vector<BlsFile> sorted;
  sorted.reserve(found.size());
  for (const std::size_t i : order) sorted.push_back(std::move(found[i]));
  if (known.empty()) return sorted;
  std::vector<BlsFile> merged;
  merged.reserve(known.size() + sorted.size());
  std::merge(std::move_iterator(known.begin()), std::move_iterator(known.end()),
             std::move_iterator(sorted.begin()), std::move_iterator(sorted.end()), std::back_inserter(merged),
             [dialect](const BlsFile& a, const BlsFile& b) { return compare_bls_files(a, b, dialect) > 0; });
  return merged;
}

}  // namespace pvhgrub::grubcfg
