// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace pvhgrub::fs {

/// The serial number of a FAT or exFAT volume as GRUB, blkid and Windows print it: "1A2B-3C4D".
[[nodiscard]] std::string volume_serial(std::uint32_t serial);

}  // namespace pvhgrub::fs
