// SPDX-License-Identifier: LGPL-2.1-or-later
// An ELF image as Xen's domain builder sees it.
#pragma once

#include "base/budget.h"
#include "base/result.h"
#include "bootimage/byte_source.h"
#include "bootimage/elf.h"
#include "bootimage/xen_notes.h"

namespace pvhgrub::bootimage {

struct XenElf {
  ElfImage image;
  XenNotes notes;
  XenSupport support;
  unsigned multiboot = 0;  ///< multiboot_version() (bootimage/other_image.h)
  bool has_grub_modules =
      false;  ///< a segment begins with GRUB's modules: it is a GRUB that grub-mkimage made
  bool operator==(const XenElf&) const = default;
};

/// Reads headers and notes: notes in segments, where none of them is Xen's those in sections, and where there
/// are none either the section __xen_guest. Errors as read_elf_image(); also kLimit for more notes than
/// base/limits.h allows. Damage within notes is no error (XenNotes::problems).
[[nodiscard]] Result<XenElf> read_xen_elf(ByteSource& source, Budget& budget);

}  // namespace pvhgrub::bootimage
