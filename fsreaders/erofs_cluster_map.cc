// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/erofs_cluster_map.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kHeaderBytes = 8;

// h_advise
constexpr std::uint16_t kCompact2Bytes = 0x01;  // of compact indexes
constexpr std::uint16_t kExtentRecords = 0x01;  // of full ones: records that need addresses of 48 bits
constexpr std::uint16_t kBigHead1 = 0x02;
constexpr std::uint16_t kBigHead2 = 0x04;
constexpr std::uint16_t kInlineTail = 0x08;
constexpr std::uint16_t kInterlaced = 0x10;
constexpr std::uint16_t kFragmentTail = 0x20;
// h_clusterbits
constexpr std::uint8_t kClusterBits = 0x0F;
constexpr std::uint8_t kWholeFileInPackedInode = 0x80;

// di_advise
constexpr std::uint16_t kTypeMask = 3;
constexpr std::uint16_t kPartialReference = 0x8000;
// In delta[0] of the cluster behind a head: the rest counts blocks (Z_EROFS_LI_D0_CBLKCNT).
constexpr std::uint32_t kCountsBlocks = 1U << 11U;

constexpr std::uint64_t kFullIndexBytes = 8;
constexpr std::uint64_t kIndexesAtOnce = 4096;  // a multiple of what a pack holds

constexpr std::string_view kWhat = "reading a compressed file of EROFS";

struct MapHeader {
  std::uint16_t advise = 0;
  std::array<std::uint32_t, 2> algorithms{};
  std::uint8_t cluster_bits = 0;  // more than a block's
  std::uint32_t tail_field = 0;   // h_fragmentoff, or h_idata_size in its upper half
  std::uint64_t whole = 0;        // all 8 bytes as one number
};

// One logical cluster, as its index tells.
struct LogicalCluster {
  ErofsClusterType type = ErofsClusterType::kPlain;
  std::uint32_t offset = 0;          // of a head: bytes from the cluster's start
  std::uint32_t block = 0;           // of a head
  std::uint32_t counted_blocks = 0;  // of the first behind a head; 0: not told
  bool partial = false;
};

// Makes extents of logical clusters that come in order. How far a cluster is from its head (delta) needs not
// be known, and so not be believed.
class ExtentList {
 public:
  ExtentList(const ErofsSuperblock& superblock, const ErofsInode& inode, std::uint16_t advise)
      : cluster_size_(superblock.block_size), size_(inode.size), place_(inode.behind), advise_(advise) {}

  Result<void> add(const LogicalCluster& cluster) {
    const std::uint64_t start = number_++ * cluster_size_;
    if (cluster.type == ErofsClusterType::kInside) return add_inside(cluster);
    if (cluster.offset >= cluster_size_)
      return damaged("an extent that begins at byte " + std::to_string(cluster.offset) + " of a cluster");
    behind_head_ = false;
    // What begins at the file's end only tells where the one before ends.
    if (start + cluster.offset >= size_) return {};
    if (start == 0 && cluster.offset != 0) return damaged("no extent at its start");
    if (extents_.size() >= limits::kErofsExtents)
      return fail(ErrorCode::kLimit,
                  "a compressed file of more than " + std::to_string(limits::kErofsExtents) + " extents");
    extents_.push_back({start + cluster.offset, cluster.block, 1, cluster.type, cluster.partial});
    behind_head_ = true;
    return {};
  }

  [[nodiscard]] std::vector<ErofsExtent> take() { return std::move(extents_); }

 private:
  // The first cluster behind a head tells how many blocks are stored, if there may be more than one.
  Result<void> add_inside(const LogicalCluster& cluster) {
    if (extents_.empty()) return damaged("no extent at its start");
    if (!behind_head_) return {};
    behind_head_ = false;
    ErofsExtent& head = extents_.back();
    const std::uint16_t flag = head.type == ErofsClusterType::kHead1 ? kBigHead1 : kBigHead2;
    if ((advise_ & flag) == 0) return {};
    // A last extent that lies elsewhere tells none.
    if (cluster.counted_blocks != 0 || head.type != ErofsClusterType::kPlain)
      head.blocks = static_cast<std::uint16_t>(cluster.counted_blocks);  // of 11 bits
    return {};
  }

  std::unexpected<Error> damaged(const std::string& what) const {
    return damaged_erofs("a compressed file with " + what, place_);
  }

  std::uint64_t cluster_size_;
  std::uint64_t size_;
  std::uint64_t place_;
  std::uint16_t advise_;
  std::uint64_t number_ = 0;
  bool behind_head_ = false;
  std::vector<ErofsExtent> extents_;
};

// Compact indexes: packs of 2 or 16, each of a type and a number of `bits - 2` bits, with a block's number
// behind them from which those of the heads follow.
struct PackFormat {
  std::size_t indexes;
  std::size_t bytes;
  [[nodiscard]] std::size_t bits() const { return (bytes - 4) * 8 / indexes; }
};
constexpr PackFormat kPack4Bytes{2, 8};
constexpr PackFormat kPack2Bytes{16, 32};

class IndexReader {
 public:
  IndexReader(ErofsVolume& volume, const ErofsInode& inode, const MapHeader& header)
      : volume_(volume), inode_(inode), header_(header), list_(volume.superblock(), inode, header.advise) {
    // A number must have room for a place in a cluster, and for kCountsBlocks.
    for (number_bits_ = 12; (1U << number_bits_) < volume.superblock().block_size; ++number_bits_) {
    }
  }

  // Each returns the byte behind the indexes.
  Result<std::uint64_t> read_full(std::uint64_t place, std::uint64_t count) {
    while (count > 0) {
      const std::uint64_t now = std::min(count, kIndexesAtOnce);
      PVHGRUB_TRY_ASSIGN(const Bytes bytes, read(place, now * kFullIndexBytes, now));
      for (std::size_t i = 0; i < now; ++i)
        PVHGRUB_TRY(add_full(LittleEndianFields(bytes.subspan(i * kFullIndexBytes, kFullIndexBytes))));
      place += now * kFullIndexBytes;
      count -= now;
    }
    return place;
  }

  // Indexes of 4 bytes up to a multiple of 32, then packs of 2-byte ones, then 4-byte ones again.
  Result<std::uint64_t> read_compact(std::uint64_t place, std::uint64_t count) {
    const std::uint64_t first = std::min((32 - place % 32) % 32 / 4, count);
    const bool short_ones = (header_.advise & kCompact2Bytes) != 0;
    const std::uint64_t middle = short_ones ? (count - first) / kPack2Bytes.indexes * kPack2Bytes.indexes : 0;
    if (number_bits_ + 2 > kPack4Bytes.bits() || (middle > 0 && number_bits_ + 2 > kPack2Bytes.bits()))
      return fail(ErrorCode::kUnsupported, "compact indexes of blocks of " +
                                               std::to_string(volume_.superblock().block_size) + " bytes");
    PVHGRUB_TRY_ASSIGN(place, read_packs(kPack4Bytes, place, first));
    PVHGRUB_TRY_ASSIGN(place, read_packs(kPack2Bytes, place, middle));
    return read_packs(kPack4Bytes, place, count - first - middle);
  }

  [[nodiscard]] std::vector<ErofsExtent> take() { return list_.take(); }

 private:
  Result<Bytes> read(std::uint64_t place, std::uint64_t length, std::uint64_t indexes) {
    if (!range_inside<std::uint64_t>(place, length, volume_.source().size()))
      return damaged_erofs("a compressed file with indexes past the device's end", inode_.behind);
    PVHGRUB_TRY(volume_.budget().charge_steps(indexes, kWhat));
    PVHGRUB_TRY(volume_.budget().charge_bytes(length, kWhat));
    buffer_.resize(static_cast<std::size_t>(length));
    PVHGRUB_TRY(volume_.source().read_at(place, buffer_));
    return Bytes(buffer_);
  }

  Result<void> add_full(const LittleEndianFields& fields) {
    const std::uint16_t advise = fields.u16(0);
    LogicalCluster cluster;
    cluster.type = static_cast<ErofsClusterType>(advise & kTypeMask);
    if (cluster.type == ErofsClusterType::kInside) {
      const std::uint32_t delta = fields.u16(4);
      if ((delta & kCountsBlocks) != 0) cluster.counted_blocks = delta & (kCountsBlocks - 1);
    } else {
      cluster.offset = fields.u16(2);
      cluster.block = fields.u32(4);
      cluster.partial = (advise & kPartialReference) != 0;
    }
    return list_.add(cluster);
  }

  Result<std::uint64_t> read_packs(PackFormat format, std::uint64_t place, std::uint64_t count) {
    while (count > 0) {
      const std::uint64_t now = std::min(count, kIndexesAtOnce);
      const std::uint64_t packs = (now + format.indexes - 1) / format.indexes;
      PVHGRUB_TRY_ASSIGN(const Bytes bytes, read(place, packs * format.bytes, now));
      for (std::size_t pack = 0; pack < packs; ++pack)
        PVHGRUB_TRY(add_pack(
            format, bytes.subspan(pack * format.bytes, format.bytes),
            static_cast<std::size_t>(std::min<std::uint64_t>(format.indexes, now - pack * format.indexes))));
      place += packs * format.bytes;
      count -= now;
    }
    return place;
  }

  // The stored number is that of the first head's block; less one where each head has one block. A head whose
  // count stands behind it (here or at the next pack's start) moves the following ones by that.
  Result<void> add_pack(PackFormat format, Bytes pack, std::size_t used) {
    const bool big = (header_.advise & kBigHead1) != 0;
    const LittleEndianFields fields(pack);
    std::uint32_t block = fields.u32(pack.size() - 4) + (big ? 0U : 1U);
    for (std::size_t i = 0; i < used; ++i) {
      LogicalCluster cluster = unpacked(format, fields, i);
      if (cluster.type == ErofsClusterType::kInside) {
        block += cluster.counted_blocks;
      } else {
        cluster.block = block;
        const bool counted =
            big && i + 1 < format.indexes && unpacked(format, fields, i + 1).counted_blocks != 0;
        if (!counted) ++block;
      }
      PVHGRUB_TRY(list_.add(cluster));
    }
    return {};
  }

  [[nodiscard]] LogicalCluster unpacked(PackFormat format, const LittleEndianFields& fields,
                                        std::size_t i) const {
    const std::size_t position = i * format.bits();
    const std::uint32_t value = fields.u32(position / 8) >> (position % 8);
    const std::uint32_t number = value & ((1U << number_bits_) - 1);
    LogicalCluster cluster;
    cluster.type = static_cast<ErofsClusterType>((value >> number_bits_) & kTypeMask);
    if (cluster.type != ErofsClusterType::kInside)
      cluster.offset = number;
    else if ((number & kCountsBlocks) != 0 && (header_.advise & kBigHead1) != 0)
      cluster.counted_blocks = number & (kCountsBlocks - 1);
    return cluster;
  }

  ErofsVolume& volume_;
  const ErofsInode& inode_;
  const MapHeader& header_;
  ExtentList list_;
  std::vector<std::byte> buffer_;
  unsigned number_bits_ = 0;
};

Result<MapHeader> read_header(ErofsVolume& volume, const ErofsInode& inode, std::uint64_t place) {
  std::array<std::byte, kHeaderBytes> bytes{};
  if (!range_inside<std::uint64_t>(place, bytes.size(), volume.source().size()))
    return damaged_erofs("a compressed file past the device's end", inode.behind);
  PVHGRUB_TRY(volume.source().read_at(place, bytes));
  const LittleEndianFields fields(bytes);
  MapHeader header;
  // Full indexes of before all of these features had nothing here.
  constexpr std::uint32_t kWithHeader = kErofsBigClusters | kErofsTailPacking | kErofsFragments;
  const bool full = inode.layout == ErofsLayout::kCompressedFull;
  if (full && (volume.superblock().features & kWithHeader) == 0) return header;
  header.whole = fields.u64(0);
  header.tail_field = fields.u32(0);
  header.advise = fields.u16(4);
  const std::uint32_t algorithms = fields.u8(6);
  header.algorithms = {algorithms & 15U, algorithms >> 4U};
  header.cluster_bits = fields.u8(7);
  if ((header.cluster_bits & kWholeFileInPackedInode) != 0) return header;
  if ((header.cluster_bits & kClusterBits) != 0)
    return fail(ErrorCode::kUnsupported,
                "it is compressed in logical clusters of more than a block, which mkfs.erofs does not write");
  if (full && (header.advise & kExtentRecords) != 0)
    return fail(
        ErrorCode::kUnsupported,
        "it is compressed with records of extents, which cannot be read; make the image without 48bit");
  return header;
}

std::uint64_t blocks_of(const ErofsInode& inode, std::uint64_t block_size) {
  return inode.size / block_size + (inode.size % block_size != 0 ? 1 : 0);
}

}  // namespace

Result<ErofsClusterMap> read_erofs_cluster_map(ErofsVolume& volume, const ErofsInode& inode) {
  const bool full = inode.layout == ErofsLayout::kCompressedFull;
  const auto place = checked_align_up<std::uint64_t>(inode.behind, kHeaderBytes);
  if (!place) return damaged_erofs("a compressed file past the device's end", inode.behind);
  PVHGRUB_TRY_ASSIGN(const MapHeader header, read_header(volume, inode, *place));
  ErofsClusterMap map;
  map.algorithms = header.algorithms;
  map.interlaced = (header.advise & kInterlaced) != 0;
  if ((header.cluster_bits & kWholeFileInPackedInode) != 0) {
    map.extents.emplace_back();
    map.tail = ErofsTail::kPackedInode;
    map.tail_offset = header.whole & ~(std::uint64_t{1} << 63U);
    return map;
  }

  IndexReader reader(volume, inode, header);
  const std::uint64_t count = blocks_of(inode, volume.superblock().block_size);
  // Full indexes begin 8 bytes further, as if there were one more.
  const std::uint64_t indexes = *place + kHeaderBytes + (full ? kFullIndexBytes : 0);
  PVHGRUB_TRY_ASSIGN(const std::uint64_t behind,
                     full ? reader.read_full(indexes, count) : reader.read_compact(indexes, count));
  map.extents = reader.take();
  if (map.extents.empty()) return damaged_erofs("a compressed file without extents", inode.behind);
  if ((header.advise & kFragmentTail) != 0) {
    map.tail = ErofsTail::kPackedInode;
    map.tail_offset = header.tail_field;
    // Full indexes have room for the upper half.
    if (full) map.tail_offset |= std::uint64_t{map.extents.back().block} << 32U;
  } else if ((header.advise & kInlineTail) != 0 && header.tail_field >> 16U != 0) {
    map.tail = ErofsTail::kBehindIndexes;
    map.tail_offset = behind;
    map.tail_bytes = header.tail_field >> 16U;
  }
  return map;
}

}  // namespace pvhgrub::fs
