// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/unified_sections.h"

#include <span>

#include "base/limits.h"
#include "grubcfg/pe_file.h"

namespace pvhgrub::grubcfg {

namespace {

/// In the order of UnifiedSection.
constexpr std::array<std::string_view, static_cast<std::size_t>(UnifiedSection::kCount)> kNames = {
    ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".dtb", ".dtbauto", ".uname", ".profile"};

std::string_view name_of(UnifiedSection section) {
  return kNames.at(static_cast<std::size_t>(section));
}

/// Puts the sections of a run over those that are there; the first of each name counts.
void put_over(UnifiedSections& sections, std::span<const bootimage::PeSection> run) {
  std::array<bool, kNames.size()> seen{};
  for (const bootimage::PeSection& section : run) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (section.name != kNames.at(i) || seen.at(i)) continue;
      seen.at(i) = true;
      const FilePart part = section_part(section);
      sections.set(static_cast<UnifiedSection>(i), part.size > 0 ? std::optional(part) : std::nullopt);
    }
  }
}

}  // namespace

std::vector<UnifiedSections> unified_profiles(const bootimage::PeImage& image) {
  const std::span<const bootimage::PeSection> all(image.sections);
  std::vector<std::size_t> starts;  // of the profiles, and the end of the last
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].name == name_of(UnifiedSection::kProfile)) starts.push_back(i);
  starts.push_back(all.size());
  UnifiedSections base;
  put_over(base, all.first(starts.front()));
  std::vector<UnifiedSections> profiles;
  for (std::size_t i = 0; i + 1 < starts.size() && i < limits::kUnifiedProfiles; ++i) {
    profiles.push_back(base);
    put_over(profiles.back(), all.subspan(starts[i], starts[i + 1] - starts[i]));
  }
  if (profiles.empty()) profiles.push_back(base);
  return profiles;
}

}  // namespace pvhgrub::grubcfg
