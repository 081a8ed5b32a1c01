// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/entry_number.h"

#include <algorithm>

#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// How many fallback entries are worth trying; GRUB has no limit.
constexpr std::size_t kFallbackEntries = 64;

std::optional<std::size_t> find_by_name(const std::vector<MenuEntry>& entries, std::string_view wanted) {
  const auto found = std::ranges::find_if(entries, [&](const MenuEntry& entry) {
    return names_entry(entry.title, wanted) || names_entry(entry.id, wanted);
  });
  if (found == entries.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries.begin());
}

/// The number at the text's beginning as an index, whatever follows it.
std::optional<std::size_t> leading_index(const std::vector<MenuEntry>& entries, std::string_view wanted) {
  const ParsedNumber number = parse_number(wanted, 0);
  // GRUB keeps it in an int.
  const auto index = static_cast<std::int32_t>(static_cast<std::uint32_t>(number.value));
  if (number.status != kStatusOk || index < 0 || static_cast<std::size_t>(index) >= entries.size())
    return std::nullopt;
  return static_cast<std::size_t>(index);
}

}  // namespace

bool names_entry(std::string_view id_or_title, std::string_view wanted) {
  std::size_t i = 0;
  std::size_t w = 0;
  while (w < wanted.size()) {
    if (wanted[w] == '>') {
      if (!wanted.substr(w + 1).starts_with('>')) return i == id_or_title.size();
      ++w;
    }
    if (i >= id_or_title.size() || id_or_title[i] != wanted[w]) return false;
    ++i;
    ++w;
  }
  return i == id_or_title.size();
}

std::optional<std::size_t> find_entry(const std::vector<MenuEntry>& entries, std::string_view wanted,
                                      bool is_red_hat) {
  if (is_red_hat) {
    if (const std::optional<std::size_t> named = find_by_name(entries, wanted)) return named;
    return leading_index(entries, wanted);
  }
  if (parse_number(wanted, 0).status == kStatusBadNumber) return find_by_name(entries, wanted);
  return leading_index(entries, wanted);
}

std::string_view rest_of_path(std::string_view wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != '>') continue;
    if (!wanted.substr(i + 1).starts_with('>')) return wanted.substr(i + 1);
    ++i;
  }
  return {};
}

std::vector<std::size_t> find_fallback(const std::vector<MenuEntry>& entries, std::string_view wanted,
                                       bool is_red_hat) {
  std::vector<std::size_t> found;
  while (found.size() < kFallbackEntries) {
    while (!wanted.empty() && is_space(wanted.front())) wanted.remove_prefix(1);
    if (wanted.empty()) break;
    const auto space = std::ranges::find_if(wanted, is_space);
    const std::string_view word = wanted.substr(0, static_cast<std::size_t>(space - wanted.begin()));
    if (is_red_hat) {
      if (const std::optional<std::size_t> named = find_by_name(entries, word)) {
        found.push_back(*named);
        wanted.remove_prefix(word.size());
        continue;
      }
    }
    const ParsedNumber number = parse_number(wanted, 0);
    const std::optional<std::size_t> index = leading_index(entries, wanted);
    if (number.status != kStatusOk || !index) break;
    found.push_back(*index);
    wanted = number.rest;
  }
  return found;
}

}  // namespace pvhgrub::grubcfg
