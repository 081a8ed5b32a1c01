// SPDX-License-Identifier: LGPL-2.1-or-later
// What an ELF image says to Xen's domain builder, and what follows from it.
// Notes: Xen, xen/include/public/elfnote.h; their use: Xen, xen/common/libelf/libelf-dominfo.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/elf.h"

namespace pvhgrub::bootimage {

/// The notes of name "Xen" that Xen defines.
enum class XenNoteType : std::uint32_t {
  kInfo = 0,
  kEntry = 1,
  kHypercallPage = 2,
  kVirtualBase = 3,
  kPhysicalOffset = 4,
  kXenVersion = 5,
  kGuestOs = 6,
  kGuestVersion = 7,
  kLoader = 8,
  kPaeMode = 9,
  kFeatures = 10,
  kBsdSymbols = 11,
  kHypervisorStart = 12,
  kL1MachineFrameValid = 13,
  kSuspendCancel = 14,
  kInitialP2m = 15,
  kModuleStartFrame = 16,
  kSupportedFeatures = 17,
  kPhysical32Entry = 18,
  kPhysical32Relocation = 19,
};

struct XenNote {
  XenNoteType type{};
  std::vector<std::uint64_t> numbers;  ///< one for most types that hold numbers
  std::string text;                    ///< of the types that hold text
  /// "PHYS32_ENTRY 0x1000850", "GUEST_OS linux": the name as Xen's header has it, without its prefix.
  [[nodiscard]] std::string describe() const;
  bool operator==(const XenNote&) const = default;
};

struct XenNotes {
  enum class Source : std::uint8_t {
    kNone,          ///< the image says nothing to Xen
    kSegments,      ///< notes in segments, where all present kernels have them
    kSections,      ///< notes in sections only
    kGuestSection,  ///< the section __xen_guest of kernels before 2007, which Xen reads for PV guests only
  };
  Source source = Source::kNone;
  std::vector<XenNote> notes;         ///< in the image's order; unknown types are left out
  std::string linux_build;            ///< Linux's own note: the build's salt, for distributions its release
  std::vector<std::string> problems;  ///< what could not be read, for a person

  /// The number, or the text, of the last note of the type: the last one counts.
  [[nodiscard]] std::optional<std::uint64_t> number(XenNoteType type) const;
  [[nodiscard]] std::string_view text(XenNoteType type) const;

  /// Adds the notes of one segment or section. Damage ends that region; what came before it stays, and so
  /// does the start of a text that is cut off: libxenguest does it so, and GRUB 2.06's image for 32-bit PV
  /// guests needs it. `where` is for `problems`. Tells how many were Xen's, known or not.
  [[nodiscard]] Result<std::size_t> add_region(Bytes region, std::string_view where, Budget& budget);
  /// Adds what the section __xen_guest says: NAME=VALUE,NAME=VALUE up to a NUL.
  [[nodiscard]] Result<void> add_guest_section(Bytes contents, Budget& budget);
  bool operator==(const XenNotes&) const = default;
};

/// Whether libxenguest starts the image, as what, and why not.
struct XenSupport {
  std::optional<std::uint32_t> pvh_entry;  ///< physical address; nothing: not as a PVH guest
  std::string no_pvh;                      ///< why not, for a person
  bool pv = false;
  std::string no_pv;  ///< why not, for a person
  bool operator==(const XenSupport&) const = default;
};

/// As libxenguest 4.17 and later decide. Its loader for HVM firmware would start any other 32-bit ELF image
/// as a PVH guest, at its own entry; nothing without PHYS32_ENTRY expects that, so it does not count. Whether
/// the host's Xen takes 32-bit PV guests is not asked.
[[nodiscard]] XenSupport xen_support(const ElfImage& image, const XenNotes& notes);

}  // namespace pvhgrub::bootimage
