// SPDX-License-Identifier: LGPL-2.1-or-later
// Whose GRUB the guest has: distributions patch its language, and a configuration means what its own GRUB
// makes of it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

class Evaluator;
struct MachineState;
struct Session;

/// Where GRUBs differ in what they boot.
struct GrubFlavour {
  /// \xHH with two hexadecimal digits stays as it is on the command lines of kernels and modules; other
  /// GRUBs take the backslash away. Red Hat's, and what Microsoft made of it for Azure Linux.
  bool passes_hex_escapes = false;
  /// `default` and `fallback` are compared with ids and titles before they are taken for numbers. Red Hat's.
  bool names_before_numbers = false;
  /// Its `blscfg`, where it is not 2.14's, is SUSE's own.
  bool is_suse = false;

  friend bool operator==(const GrubFlavour&, const GrubFlavour&) = default;
};

inline constexpr GrubFlavour kUpstreamFlavour{};
inline constexpr GrubFlavour kRedHatFlavour{true, true, false};
inline constexpr GrubFlavour kAzureFlavour{true, false, false};
inline constexpr GrubFlavour kSuseFlavour{false, false, true};

/// The guest's GRUB, by the first of these that tells:
///  1. ID and ID_LIKE of /etc/os-release, or /usr/lib/os-release, where one lies on the configuration's own
///     file system: Red Hat's family (fedora, rhel, centos and what is like them), Azure Linux, SUSE's, any
///     other;
///  2. the vendor's directory on the EFI system partition that the configuration lies in ("/EFI/fedora");
///  3. commands that were run so far and only Red Hat's or only SUSE's GRUB has;
///  4. a directory called grub2, which Red Hat's family has (SUSE's too, but it is told apart above);
///  5. a kernel's arguments that only Red Hat's installer or live media use ("inst.stage2=",
///  "rd.live.image");
///  6. nothing: GRUB as it is published, which Debian, Ubuntu, Arch, Alpine and Gentoo have in all that
///     matters here.
/// `arguments` are a kernel's for 5, and may be empty. A Result's error is fatal (kLimit).
[[nodiscard]] Result<GrubFlavour> find_flavour(Session& session, const MachineState& state,
                                               const ConfigurationSource& source,
                                               std::span<const std::string> arguments);

/// Whether \xHH in these words of a loader's command stays; false where they have none.
[[nodiscard]] Result<bool> passes_hex_escapes(Evaluator& evaluator, std::span<const std::string> words);

}  // namespace pvhgrub::grubcfg
