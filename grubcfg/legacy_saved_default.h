// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/result.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/guest_files.h"

namespace pvhgrub::grubcfg {

/// The entry that GRUB Legacy's `default saved` means for the menu `menu`: the number in the file `default`
/// beside it, else the one in the file `stage2` beside it (GRUB before 0.95, and Red Hat's). 0 where there is
/// none. A request for one boot only is told and not followed: nobody would take it back.
[[nodiscard]] Result<std::uint32_t> read_legacy_saved_default(const GuestFiles& files,
                                                              const FileReference& menu, Budget& budget,
                                                              Diagnostics& diagnostics);

}  // namespace pvhgrub::grubcfg
