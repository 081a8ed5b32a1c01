// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/exfat_boot_region.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/checked.h"
#include "fsreaders/volume_serial.h"

namespace pvhgrub::fs {

namespace {

#ifdef PVHGRUB_FUZZING
constexpr bool kVerifyChecksums = false;  // a fuzzer would get past none
#else
constexpr bool kVerifyChecksums = true;
#endif

// Sections 3.1 to 3.4: boot sector, eight extended ones, one of parameters, one reserved, one of checksums.
constexpr std::size_t kRegionSectors = 12;
constexpr std::uint32_t kMinimumSectorShift = 9;
constexpr std::uint32_t kMaximumSectorShift = 12;
constexpr std::uint32_t kMaximumClusterShift = 25;
// Section 3.1.9: all numbers but the marks.
constexpr std::uint32_t kMaximumClusters = 0xFFFF'FFF5;

std::unexpected<Error> damaged(const std::string& what, std::uint64_t offset) {
  return fail(ErrorCode::kDamaged, what + "; check the file system in the guest (fsck.exfat)",
              "offset " + std::to_string(offset));
}

// Section 3.4, over all sectors in front of the checksums but the two fields that change in use.
std::uint32_t checksum(Bytes sectors) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < sectors.size(); ++i)
    if (i != 106 && i != 107 && i != 112)
      sum = ((sum & 1U) << 31U) + (sum >> 1U) + std::to_integer<std::uint32_t>(sectors[i]);
  return sum;
}

Result<void> check_sum(BlockSource& source, std::uint64_t offset, std::uint32_t sector_size) {
  std::vector<std::byte> region(kRegionSectors * sector_size);
  if (!range_inside<std::uint64_t>(offset, region.size(), source.size()))
    return damaged("the boot region goes on behind the end of the device", offset);
  PVHGRUB_TRY(source.read_at(offset, region));
  const std::size_t covered = (kRegionSectors - 1) * std::size_t{sector_size};
  const std::uint32_t expected = checksum(Bytes(region).first(covered));
  ByteReader sums(Bytes(region).subspan(covered));
  while (sums.remaining() > 0) {
    PVHGRUB_TRY_ASSIGN(const auto sum, sums.little_endian<std::uint32_t>());
    if (kVerifyChecksums && sum != expected)
      return damaged("the checksum of the boot region is wrong", offset);
  }
  return {};
}

struct BootSector {
  std::uint64_t sectors = 0;        // VolumeLength
  std::uint32_t table_sector = 0;   // FatOffset
  std::uint32_t table_sectors = 0;  // FatLength
  std::uint32_t heap_sector = 0;    // ClusterHeapOffset
  std::uint32_t clusters = 0;       // ClusterCount
  std::uint32_t root_cluster = 0;   // FirstClusterOfRootDirectory
  std::uint32_t serial = 0;         // VolumeSerialNumber
  std::uint32_t revision = 0;       // FileSystemRevision
  std::uint32_t flags = 0;          // VolumeFlags
  std::uint32_t sector_shift = 0;   // BytesPerSectorShift
  std::uint32_t cluster_shift = 0;  // SectorsPerClusterShift
  std::uint32_t tables = 0;         // NumberOfFats
};

Result<BootSector> parse(Bytes sector, std::uint64_t offset) {
  ByteReader reader(sector);
  PVHGRUB_TRY(reader.seek(3));
  PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(8));
  if (as_text(name) != "EXFAT   ") return fail(ErrorCode::kUnsupported, "not an exFAT file system");
  BootSector boot;
  PVHGRUB_TRY(reader.seek(72));
  PVHGRUB_TRY_ASSIGN(boot.sectors, reader.little_endian<std::uint64_t>());
  for (std::uint32_t* field : {&boot.table_sector, &boot.table_sectors, &boot.heap_sector, &boot.clusters,
                               &boot.root_cluster, &boot.serial}) {
    PVHGRUB_TRY_ASSIGN(*field, reader.little_endian<std::uint32_t>());
  }
  PVHGRUB_TRY_ASSIGN(boot.revision, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(boot.flags, reader.little_endian<std::uint16_t>());
  for (std::uint32_t* field : {&boot.sector_shift, &boot.cluster_shift, &boot.tables}) {
    PVHGRUB_TRY_ASSIGN(*field, reader.little_endian<std::uint8_t>());
  }
  if (boot.sector_shift < kMinimumSectorShift || boot.sector_shift > kMaximumSectorShift)
    return damaged("sectors have 2^" + std::to_string(boot.sector_shift) + " bytes", offset);
  return boot;
}

Result<ExfatBootRegion> interpret(const BootSector& boot, std::uint64_t offset) {
  constexpr std::uint32_t kActiveTable = 1;  // section 3.1.13.1
  const auto wrong = [&](const std::string& what) {
    return damaged("the exFAT boot sector says " + what, offset);
  };
  if (boot.revision >> 8U != 1)
    return fail(ErrorCode::kUnsupported, "an exFAT of version " + std::to_string(boot.revision >> 8U) + "." +
                                             std::to_string(boot.revision & 0xFFU) +
                                             ", of which only 1 is known");
  if (boot.cluster_shift > kMaximumClusterShift - boot.sector_shift)
    return wrong("clusters have 2^" + std::to_string(boot.cluster_shift) + " sectors");
  if (boot.tables != 1 && boot.tables != 2) return wrong("it has " + std::to_string(boot.tables) + " tables");
  if (boot.clusters == 0 || boot.clusters > kMaximumClusters)
    return wrong("it has " + std::to_string(boot.clusters) + " clusters");
  // The table has an entry of four bytes for each cluster and two more. All fits into 64 bits.
  if ((std::uint64_t{boot.table_sectors} << boot.sector_shift) / 4 <
      std::uint64_t{boot.clusters} + kFirstCluster)
    return wrong("the table has " + std::to_string(boot.table_sectors) + " sectors, too few for " +
                 std::to_string(boot.clusters) + " clusters");
  if (boot.table_sector < 2 * kRegionSectors ||
      std::uint64_t{boot.table_sector} + std::uint64_t{boot.table_sectors} * boot.tables > boot.heap_sector)
    return wrong("boot regions, tables and clusters overlap");
  ExfatBootRegion region;
  region.layout.kind = ClusterLayout::Kind::kExfat;
  const bool second = boot.tables == 2 && (boot.flags & kActiveTable) != 0;
  region.layout.table_offset = (std::uint64_t{boot.table_sector} + (second ? boot.table_sectors : 0U))
                               << boot.sector_shift;
  region.layout.data_offset = std::uint64_t{boot.heap_sector} << boot.sector_shift;
  region.layout.cluster_size = std::uint32_t{1} << (boot.cluster_shift + boot.sector_shift);
  region.layout.cluster_count = boot.clusters;
  region.root_cluster = boot.root_cluster;
  region.serial = volume_serial(boot.serial);
  return region;
}

Result<ExfatBootRegion> read_region(BlockSource& source, std::uint64_t offset,
                                    std::optional<std::uint32_t> sector_shift) {
  std::array<std::byte, 512> sector{};
  if (!range_inside<std::uint64_t>(offset, sector.size(), source.size()))
    return fail(ErrorCode::kUnsupported, "not an exFAT file system");
  PVHGRUB_TRY(source.read_at(offset, sector));
  PVHGRUB_TRY_ASSIGN(const BootSector boot, parse(sector, offset));
  if (sector_shift && boot.sector_shift != *sector_shift)
    return damaged("the backup of the boot region stands where its sector size would not have it", offset);
  PVHGRUB_TRY(check_sum(source, offset, std::uint32_t{1} << boot.sector_shift));
  PVHGRUB_TRY_ASSIGN(ExfatBootRegion region, interpret(boot, offset));
  const std::uint64_t bytes = source.size() >> boot.sector_shift;
  if (boot.sectors > bytes)
    region.notes.push_back("the exFAT file system says that it has " + std::to_string(boot.sectors) +
                           " sectors, the device has " + std::to_string(bytes) +
                           "; files behind its end cannot be read");
  return region;
}

}  // namespace

Result<ExfatBootRegion> read_exfat_boot_region(BlockSource& source) {
  Result<ExfatBootRegion> main = read_region(source, 0, std::nullopt);
  if (main || main.error().code != ErrorCode::kDamaged) return main;
  // Where the backup lies depends on the sector size, which may be what is wrong in the main one.
  for (std::uint32_t shift = kMinimumSectorShift; shift <= kMaximumSectorShift; ++shift) {
    Result<ExfatBootRegion> backup = read_region(source, std::uint64_t{kRegionSectors} << shift, shift);
    if (!backup) continue;
    backup->notes.insert(backup->notes.begin(),
                         "the main boot region is damaged, the backup is used: " + main.error().describe());
    return backup;
  }
  return main;
}

}  // namespace pvhgrub::fs
