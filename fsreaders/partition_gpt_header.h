// SPDX-License-Identifier: LGPL-2.1-or-later
// The GPT header, checked before libfdisk sees it (UEFI specification 2.10, section 5.3.2, table 5-5).
//
// Why, since libfdisk checks as well: it reads as many entries as the header says, which a hostile header
// makes gigabytes; it steps through them by 128 bytes whatever size the header gives; and it does not say
// what is wrong.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_source.h"

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
  std::uint64_t entries_sector = 0;  ///< where the entries begin; set as entries_bytes
  std::string disk_uuid;             ///< the disk's GUID, lower case; set as entries_bytes

  [[nodiscard]] bool usable() const { return problem.empty(); }
};

/// Checks the header in `sector` and the checksum of its entries, by the rules of Linux's
/// block/partitions/efi.c, which are also libfdisk's: what fails here is no GPT for the guest's kernel
/// either. `name` is the disk's, for messages. kIo: the host failed. kUnsupported, kLimit: a header that must
/// not be given to libfdisk.
[[nodiscard]] Result<GptHeaderCheck> check_gpt_header(BlockSource& disk, const std::string& name,
                                                      std::uint64_t sector, std::uint32_t sector_size);

/// What the two GPT headers say, for one size of sectors.
struct GptCheck {
  std::uint32_t sector_size = 512;
  std::uint64_t last_sector = 0;
  GptHeaderCheck primary;
  GptHeaderCheck backup;

  [[nodiscard]] bool usable() const { return primary.usable() || backup.usable(); }
  [[nodiscard]] bool signature() const { return primary.signature || backup.signature; }
  /// The header to go by; of a GPT that is usable.
  [[nodiscard]] const GptHeaderCheck& header() const { return primary.usable() ? primary : backup; }
};

/// Sector sizes that Linux block devices of guests have.
inline constexpr std::array<std::uint32_t, 2> kSectorSizes = {512, 4096};

/// Finds the size of sectors by which the disk's GPT counts: first that of the device (`reported`, or 0),
/// then the other ones, since an image file does not tell and a disk may have moved to a device of another
/// kind (GRUB tries all of them, too).
[[nodiscard]] Result<GptCheck> find_gpt(BlockSource& disk, const std::string& name, std::uint32_t reported,
                                        Budget& budget);

/// A GUID as UEFI stores it (2.10, appendix A), in text, lower case.
[[nodiscard]] Result<std::string> read_guid(ByteReader& reader);

}  // namespace pvhgrub::fs
