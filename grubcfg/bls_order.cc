// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_order.h"

#include <algorithm>
#include <bit>
#include <compare>
#include <unordered_map>

#include "grubcfg/loader_pattern.h"
#include "grubcfg/uapi_version.h"

namespace pvhgrub::grubcfg {

namespace {

/// Characters that are compared for one step of the budget.
constexpr std::uint64_t kCharactersPerStep = 64;

/// How much of a machine id stands in a title.
constexpr std::size_t kShownMachineId = 8;

std::strong_ordering reversed(std::strong_ordering order) {
  return 0 <=> order;
}

// systemd-boot has no order between an entry with a counter and one of the same name without: the latter
// booted well, so it goes first.
std::strong_ordering compare_counters(const BlsEntry& a, const BlsEntry& b) {
  if (a.counter.has_value() != b.counter.has_value()) return a.counter.has_value() <=> b.counter.has_value();
  if (!a.counter) return std::strong_ordering::equal;
  if (a.counter->left != b.counter->left) return b.counter->left <=> a.counter->left;
  return a.counter->done <=> b.counter->done;
}

std::strong_ordering compare_sort_keys(const BlsEntry& a, const BlsEntry& b) {
  if (a.sort_key.has_value() != b.sort_key.has_value())
    return b.sort_key.has_value() <=> a.sort_key.has_value();
  if (!a.sort_key) return std::strong_ordering::equal;
  if (const auto order = *a.sort_key <=> *b.sort_key; order != 0) return order;
  if (const auto order = a.machine_id <=> b.machine_id; order != 0) return order;
  return reversed(compare_versions(a.version, b.version));
}

std::strong_ordering compare_entries(const BlsEntry& a, const BlsEntry& b) {
  if (const auto order = a.is_bad() <=> b.is_bad(); order != 0) return order;
  if (const auto order = compare_sort_keys(a, b); order != 0) return order;
  if (const auto order = reversed(compare_versions(a.file_id, b.file_id)); order != 0) return order;
  if (const auto order = a.profile <=> b.profile; order != 0) return order;
  if (const auto order = compare_counters(a, b); order != 0) return order;
  return a.where <=> b.where;
}

/// For each entry, whether another has the same title.
std::vector<bool> find_twins(const std::vector<BlsEntry>& entries) {
  std::unordered_map<std::string_view, std::size_t> counts;
  for (const BlsEntry& entry : entries) ++counts[entry.title];
  std::vector<bool> twins;
  twins.reserve(entries.size());
  for (const BlsEntry& entry : entries) twins.push_back(counts[entry.title] > 1);
  return twins;
}

}  // namespace

Result<void> sort_bls_entries(std::vector<BlsEntry>& entries, Budget& budget) {
  std::uint64_t characters = 0;
  for (const BlsEntry& entry : entries)
    characters += entry.file_id.size() + entry.version.size() + entry.machine_id.size() +
                  (entry.sort_key ? entry.sort_key->size() : 0);
  const auto rounds = static_cast<std::uint64_t>(std::bit_width(entries.size()));
  PVHGRUB_TRY(
      budget.charge_steps(entries.size() + characters * rounds / kCharactersPerStep, "sorting boot entries"));
  std::ranges::sort(entries, [](const BlsEntry& a, const BlsEntry& b) { return compare_entries(a, b) < 0; });
  return {};
}

void make_titles_unique(std::vector<BlsEntry>& entries) {
  for (BlsEntry& entry : entries)
    if (entry.title.empty()) entry.title = entry.id;
  const auto add_to_twins = [&](auto&& what) {
    const std::vector<bool> twins = find_twins(entries);
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (const std::string more = twins[i] ? what(entries[i]) : std::string(); !more.empty())
        entries[i].title += " (" + more + ")";
  };
  add_to_twins([](const BlsEntry& entry) { return entry.version; });
  add_to_twins([](const BlsEntry& entry) { return entry.machine_id.substr(0, kShownMachineId); });
  add_to_twins([](const BlsEntry& entry) { return entry.id; });
}

Result<std::optional<std::size_t>> find_bls_entry(const std::vector<BlsEntry>& entries,
                                                  std::string_view pattern, bool only_good, Budget& budget) {
  const std::string wanted = to_lower_case(pattern);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string id = to_lower_case(entries[i].id);
    PVHGRUB_TRY(budget.charge_steps(1 + wanted.size() * id.size() / kCharactersPerStep,
                                    "looking for the default entry"));
    if (!(only_good && entries[i].is_bad()) && matches_loader_pattern(wanted, id)) return i;
  }
  return std::nullopt;
}

std::string to_lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace pvhgrub::grubcfg
