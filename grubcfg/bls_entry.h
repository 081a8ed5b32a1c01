// SPDX-License-Identifier: LGPL-2.1-or-later
// One entry file of the Boot Loader Specification, by the rules of GRUB, which are not those of the
// specification (https://uapi-group.org/specifications/specs/boot_loader_specification/).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/environment.h"

namespace pvhgrub::grubcfg {

/// Several GRUBs have a command `blscfg`, and it is not the same command.
enum class BlsDialect : std::uint8_t {
  kRedHat,  ///< since Fedora 27 and RHEL 8 (rhboot/grub2, grub-core/commands/blscfg.c)
  /// openSUSE's and SLE's, from Red Hat's (package grub2, "Follow the device where blscfg is discovered"):
  /// the files of an entry lie where the entry lies, not on $root; one whose boot counter is used up comes
  /// last.
  kSuse,
  kUpstream,  ///< GRUB 2.14's own (grub-core/commands/blsuki.c)
};

/// Whether it is Red Hat's command, or made from it.
[[nodiscard]] constexpr bool is_of_red_hat(BlsDialect dialect) {
  return dialect != BlsDialect::kUpstream;
}

struct BlsField {
  std::string key;
  std::string value;
  std::uint32_t line = 0;  ///< in the file, from 1
};

/// Something in the file that a person should know of.
struct BlsRemark {
  std::uint32_t line = 0;
  std::string text;
};

class GrubBlsEntry {
 public:
  /// Reads a file's contents. kDamaged: the file as a whole is none that GRUB takes.
  [[nodiscard]] static Result<GrubBlsEntry> parse(std::string_view contents, BlsDialect dialect);

  /// The first field of that name, or null.
  [[nodiscard]] const BlsField* first(std::string_view key) const;
  /// All fields of that name, in order.
  [[nodiscard]] std::vector<const BlsField*> all(std::string_view key) const;
  [[nodiscard]] const std::vector<BlsRemark>& remarks() const { return remarks_; }

 private:
  std::vector<BlsField> fields_;
  std::vector<BlsRemark> remarks_;
};

/// A value with the variables in it filled in, as GRUB does before it makes script text of it. No value where
/// GRUB takes the field for missing: it is empty, or there is nothing left of it. Peculiar to the letter:
/// - "$name" ends at a byte that is no letter, digit or '_'; one blank there is swallowed, and the value of a
///   variable is followed by a blank; one that is not set leaves nothing.
/// - Plain text of a single byte before a '$' or at the end gets lost, as does a name of one letter at the
///   end.
/// - Where a variable that is not set stands directly before another, and nothing before it, all is lost.
/// - "\$" is no variable to Red Hat's GRUB; the backslash stays for the script that the value becomes part
///   of.
/// Charges `budget`; kLimit also for a value of more than limits::kWordBytes.
[[nodiscard]] Result<std::optional<std::string>> expand_bls_value(std::string_view value, BlsDialect dialect,
                                                                  const Environment& environment,
                                                                  Budget& budget);

}  // namespace pvhgrub::grubcfg
