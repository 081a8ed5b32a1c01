// SPDX-License-Identifier: LGPL-2.1-or-later
// The sections of a unified kernel image or of one of its addons, and the profiles that they belong to.
// https://uapi-group.org/specifications/specs/unified_kernel_image/
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bootimage/pe.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

enum class UnifiedSection : std::uint8_t {
  kLinux,
  kOsRelease,
  kCommandLine,
  kInitrd,
  kMicrocode,
  kDeviceTree,
  kAutomaticDeviceTree,  ///< one of several, chosen by the hardware
  kUname,
  kProfile,
  kCount,
};

/// The sections that one profile has.
class UnifiedSections {
 public:
  /// No value: there is none, or it is empty.
  [[nodiscard]] const std::optional<FilePart>& get(UnifiedSection section) const {
    return parts_.at(static_cast<std::size_t>(section));
  }
  void set(UnifiedSection section, std::optional<FilePart> part) {
    parts_.at(static_cast<std::size_t>(section)) = std::move(part);
  }

 private:
  std::array<std::optional<FilePart>, static_cast<std::size_t>(UnifiedSection::kCount)> parts_;
};

/// The sections of each profile in turn: those in front of the first ".profile", and over them those that
/// follow the profile's own, also where they are empty. One element where the image names no profile; at most
/// limits::kUnifiedProfiles, later ones are left out as systemd does.
[[nodiscard]] std::vector<UnifiedSections> unified_profiles(const bootimage::PeImage& image);

}  // namespace pvhgrub::grubcfg
