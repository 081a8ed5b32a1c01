// SPDX-License-Identifier: LGPL-2.1-or-later
// How rpm orders versions, as far as Red Hat's GRUB does the same (rhboot/grub2,
// grub-core/commands/blscfg.c).
#pragma once

#include <compare>
#include <string_view>

namespace pvhgrub::grubcfg {

/// Compares two versions segment by segment: runs of digits by value, runs of letters by their bytes, and a
/// run of digits is newer than one of letters. What is neither only separates, but for two marks: '~' is
/// older than the end of the text, and '+' newer than the end but older than any segment. '+' is GRUB's; rpm
/// itself has '^' with that meaning, and takes '+' for a separator. greater: `a` is the newer one.
[[nodiscard]] std::weak_ordering compare_rpm_versions(std::string_view a, std::string_view b);

/// The parts of NAME-VERSION-RELEASE, cut at the last two dashes. "a-b" is name and version, "a" a name.
struct PackageName {
  std::string_view name;
  std::string_view version;
  std::string_view release;
};
[[nodiscard]] PackageName split_package_name(std::string_view text);

/// By name, then version, then release, each as compare_rpm_versions() does.
[[nodiscard]] std::weak_ordering compare_package_names(std::string_view a, std::string_view b);

}  // namespace pvhgrub::grubcfg
