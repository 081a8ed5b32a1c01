// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/fat_boot_sector.h"

#include <algorithm>
#include <bit>

#include "fsreaders/volume_serial.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint64_t kDirectoryEntryBytes = 32;
// fatgen103, "FAT Type Determination": fewer clusters are FAT12.
constexpr std::uint64_t kFat16Clusters = 4085;
// The last numbers of FAT32's 28 bits are marks, not clusters.
constexpr std::uint64_t kFat32Clusters = 0x0FFF'FFF5;

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kDamaged,
              "the FAT boot sector says " + what +
                  "; check the file system in the guest "
                  "(fsck.fat)",
              "offset 0");
}

// Little-endian numbers at fixed places, as the specification's table gives them.
class Fields {
 public:
  explicit Fields(Bytes sector) : sector_(sector) {}
  [[nodiscard]] std::uint32_t u8(std::size_t offset) const {
    return std::to_integer<std::uint32_t>(sector_[offset]);
  }
  [[nodiscard]] std::uint32_t u16(std::size_t offset) const { return u8(offset) | (u8(offset + 1) << 8U); }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const { return u16(offset) | (u16(offset + 2) << 16U); }

 private:
  Bytes sector_;
};

// fatgen103, "Boot Sector and BPB". All fit into 32 bits.
struct ParameterBlock {
  explicit ParameterBlock(Bytes sector) : ParameterBlock(Fields(sector)) {}

  std::uint32_t sector_size;          // BPB_BytsPerSec
  std::uint32_t sectors_per_cluster;  // BPB_SecPerClus
  std::uint32_t reserved_sectors;     // BPB_RsvdSecCnt
  std::uint32_t tables;               // BPB_NumFATs
  std::uint32_t root_entries;         // BPB_RootEntCnt
  std::uint32_t media;                // BPB_Media
  std::uint32_t sectors;              // BPB_TotSec16, or BPB_TotSec32
  bool is_fat32;
  std::uint32_t table_sectors;  // BPB_FATSz16, or BPB_FATSz32

 private:
  // What makes a FAT32 is that the 16-bit size of the table is 0: by it mkfs.fat, GRUB and Linux decide, so
  // that a small FAT32 (fewer clusters than fatgen103 wants) is read by all.
  explicit ParameterBlock(const Fields& fields)
      : sector_size(fields.u16(11)),
        sectors_per_cluster(fields.u8(13)),
        reserved_sectors(fields.u16(14)),
        tables(fields.u8(16)),
        root_entries(fields.u16(17)),
        media(fields.u8(21)),
        sectors(fields.u16(19) != 0 ? fields.u16(19) : fields.u32(32)),
        is_fat32(fields.u16(22) == 0),
        table_sectors(is_fat32 ? fields.u32(36) : fields.u16(22)) {}
};

Result<void> check(const ParameterBlock& block) {
  if (!std::has_single_bit(block.sector_size) || block.sector_size < 512 || block.sector_size > 4096)
    return damaged("sectors have " + std::to_string(block.sector_size) + " bytes");
  if (!std::has_single_bit(block.sectors_per_cluster))
    return damaged("clusters have " + std::to_string(block.sectors_per_cluster) + " sectors");
  if (block.reserved_sectors == 0) return damaged("that there is no boot sector");
  if (block.tables == 0 || block.table_sectors == 0) return damaged("that there is no allocation table");
  if (block.media != 0xF0 && block.media < 0xF8)
    return damaged("the medium is " + std::to_string(block.media) + ", not 240 or from 248 on");
  if (block.is_fat32 != (block.root_entries == 0))
    return damaged(block.is_fat32 ? "that FAT32 has a root directory of FAT16"
                                  : "that the root directory has "
                                    "no room");
  return {};
}

}  // namespace

Result<FatBootSector> parse_fat_boot_sector(Bytes sector, std::uint64_t source_size) {
  if (sector.size() < kFatBootSectorBytes) return fail(ErrorCode::kUnsupported, "not a FAT file system");
  const Fields fields(sector);
  const ParameterBlock block(sector);
  PVHGRUB_TRY(check(block));
  FatBootSector boot;
  ClusterLayout& layout = boot.layout;
  // Sums of products of 32 bits and 8 or 16: none overflows 64.
  const std::uint64_t table_bytes = std::uint64_t{block.table_sectors} * block.sector_size;
  layout.table_offset = std::uint64_t{block.reserved_sectors} * block.sector_size;
  boot.root_offset = layout.table_offset + table_bytes * block.tables;
  boot.root_length = block.root_entries * kDirectoryEntryBytes;
  const std::uint64_t root_sectors = (boot.root_length + block.sector_size - 1) / block.sector_size;
  layout.data_offset = boot.root_offset + root_sectors * block.sector_size;
  layout.cluster_size = block.sectors_per_cluster * block.sector_size;
  const std::uint64_t size = std::uint64_t{block.sectors} * block.sector_size;
  if (size < layout.data_offset + layout.cluster_size)
    return damaged("it has " + std::to_string(block.sectors) +
                   " sectors, which the allocation tables and the root directory fill");
  const std::uint64_t clusters = (size - layout.data_offset) / layout.cluster_size;
  layout.kind = block.is_fat32              ? ClusterLayout::Kind::kFat32
                : clusters < kFat16Clusters ? ClusterLayout::Kind::kFat12
                                            : ClusterLayout::Kind::kFat16;
  const std::uint64_t entry_bits = block.is_fat32 ? 32 : clusters < kFat16Clusters ? 12 : 16;
  const std::uint64_t entries = table_bytes * 8 / entry_bits;
  if (entries <= kFirstCluster) return damaged("the allocation table has no room for a cluster");
  // A table that is too small makes the rest unusable, as for Linux.
  layout.cluster_count =
      static_cast<std::uint32_t>(std::min({clusters, entries - kFirstCluster, kFat32Clusters}));
  boot.serial = volume_serial(fields.u32(block.is_fat32 ? 67 : 39));  // BS_VolID
  if (block.is_fat32) {
    if (fields.u16(42) != 0)
      return fail(ErrorCode::kUnsupported, "a FAT32 of version " + std::to_string(fields.u8(43)) + "." +
                                               std::to_string(fields.u8(42)) +
                                               ", of which only 0.0 is known");
    boot.root_cluster = fields.u32(44);
    // BPB_ExtFlags: bit 7 says that only the table that bits 0 to 3 name is kept up to date.
    const std::uint32_t flags = fields.u16(40);
    const std::uint32_t active = (flags & 0x80U) != 0 ? flags & 0xFU : 0;
    if (active >= block.tables)
      return damaged("table " + std::to_string(active) + " of " + std::to_string(block.tables) +
                     " is the one in use");
    layout.table_offset += active * table_bytes;
  }
  if (size > source_size)
    boot.notes.push_back("the FAT file system says that it has " + std::to_string(size) +
                         " bytes, the device has " + std::to_string(source_size) +
                         "; files behind its end cannot be read");
  return boot;
}

bool looks_like_fat(Bytes sector) {
  if (sector.size() < kFatBootSectorBytes) return false;
  const Fields fields(sector);
  const bool jumps = (fields.u8(0) == 0xEB && fields.u8(2) == 0x90) || fields.u8(0) == 0xE9;
  const bool signed_sector = fields.u16(510) == 0xAA55;
  return (jumps || signed_sector) && parse_fat_boot_sector(sector, ~std::uint64_t{0}).has_value();
}

}  // namespace pvhgrub::fs
