// SPDX-License-Identifier: LGPL-2.1-or-later
// The GPT header, checked before libfdisk sees it (UEFI specification 2.10, section 5.3.2, table 5-5).
//
// Why, since libfdisk checks as well: it reads as many entries as the header says, which a hostile header
// makes gigabytes; it steps through them by 128 bytes whatever size the header gives; and it does not say
// what is wrong.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/disk.h"

namespace pvhgrub::fs {

/// Sector of the primary header. The backup's is the disk's last one.
inline constexpr std::uint64_t kGptPrimarySector = 1;

struct GptHeaderCheck {
  bool signature = false;  ///< "EFI PART" is there
  std::string problem;     ///< why the header or its entries cannot be used; empty: they can
  std::uint64_t alternate_sector =
      0;  ///< where the header says that the other one lies; set where signature is
  std::uint64_t entries_bytes =
      0;  ///< bytes of the entry array; set where the header's own checksum is right

  [[nodiscard]] bool usable() const { return problem.empty(); }
};

/// Checks the header in `sector` and the checksum of its entries, by the rules of Linux's
/// block/partitions/efi.c, which are also libfdisk's: what fails here is no GPT for the guest's kernel
/// either. kIo: the host failed. kUnsupported, kLimit: a header that must not be given to libfdisk.
[[nodiscard]] Result<GptHeaderCheck> check_gpt_header(Disk& disk, std::uint64_t sector,
                                                      std::uint32_t sector_size);

/// CRC-32 as GPT uses it (reflected, polynomial 0xEDB88320, as in zlib).
[[nodiscard]] std::uint32_t crc32(Bytes bytes);

}  // namespace pvhgrub::fs
