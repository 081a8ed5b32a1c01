// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_extent.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {
namespace {

// "EXTENT_DATA", type.
constexpr std::uint8_t kInline = 0;
constexpr std::uint8_t kRegular = 1;
constexpr std::uint8_t kPreallocated = 2;  // room that was never written: reads as zeros

std::unexpected<Error> damaged(const BtrfsInode& inode, const BtrfsKey& key, std::string_view what) {
  return fail(ErrorCode::kDamaged, inode.name() + ": the extent at byte " + std::to_string(key.offset) + " " +
                                       std::string(what) + "; run `btrfs check` in the guest");
}

// What stands before the place of the bytes, or before the bytes themselves.
struct Head {
  std::uint64_t uncompressed_bytes = 0;
  BtrfsCompression compression = BtrfsCompression::kNone;
  std::uint8_t type = 0;
};

Result<Head> parse_head(ByteReader& reader) {
  Head head;
  PVHGRUB_TRY(reader.skip(sizeof(std::uint64_t)));  // generation
  PVHGRUB_TRY_ASSIGN(head.uncompressed_bytes, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint8_t compression, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint8_t encryption, reader.little_endian<std::uint8_t>());
  PVHGRUB_TRY_ASSIGN(const std::uint16_t other, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(head.type, reader.little_endian<std::uint8_t>());
  if (encryption != 0 || other != 0)
    return fail(ErrorCode::kUnsupported, "the file is encrypted; what is needed to boot must not be");
  if (compression > static_cast<std::uint8_t>(BtrfsCompression::kZstd))
    return fail(ErrorCode::kUnsupported,
                "the file is compressed in an unknown way (" + std::to_string(compression) + ")");
  head.compression = BtrfsCompression{compression};
  return head;
}

class Collector {
 public:
  Collector(const BtrfsVolume& volume, const BtrfsInode& inode)
      : inode_(inode), sector_(volume.superblock().sector_size) {}

  Result<void> add(const BtrfsKey& key, Bytes item) {
    ByteReader reader(item);
    PVHGRUB_TRY_ASSIGN(const Head head, parse_head(reader));
    if (head.type == kInline) {
      PVHGRUB_TRY_ASSIGN(const Bytes bytes, reader.take(reader.remaining()));
      return add_inline(key, head, bytes);
    }
    if (head.type != kRegular && head.type != kPreallocated)
      return damaged(inode_, key, "is of no known type");
    return add_regular(key, head, reader);
  }

  BtrfsExtents take() { return std::move(result_); }

 private:
  Result<void> add_inline(const BtrfsKey& key, const Head& head, Bytes bytes) {
    if (key.offset != 0 || !result_.extents.empty() || head.uncompressed_bytes > sector_)
      return damaged(inode_, key, "lies in the tree, but is not a short file's only one");
    if (head.compression == BtrfsCompression::kNone) {
      result_.inline_bytes.assign(bytes.begin(), bytes.end());
    } else {
      result_.inline_bytes.resize(sector_);
      PVHGRUB_TRY(decompress_btrfs_extent(head.compression, bytes, result_.inline_bytes, sector_));
      result_.inline_bytes.resize(static_cast<std::size_t>(head.uncompressed_bytes));
    }
    end_ = result_.inline_bytes.size();
    return {};
  }

  Result<void> add_regular(const BtrfsKey& key, const Head& head, ByteReader& reader) {
    PVHGRUB_TRY_ASSIGN(const std::uint64_t logical, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint64_t stored, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint64_t skipped, reader.little_endian<std::uint64_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint64_t length, reader.little_endian<std::uint64_t>());
    const auto end = checked_add(key.offset, length);
    if (key.offset < end_ || length == 0 || !end) return damaged(inode_, key, "overlaps another one");
    end_ = *end;
    if (logical == 0 || head.type == kPreallocated) return {};
    if ((logical | stored | skipped | length | key.offset) % sector_ != 0)
      return damaged(inode_, key, "does not begin and end at sectors");
    BtrfsExtent extent;
    extent.begin = key.offset;
    extent.length = length;
    if (head.compression == BtrfsCompression::kNone) {
      const auto place = checked_add(logical, skipped);
      if (!range_inside(skipped, length, stored) || !place || !checked_add(*place, length))
        return damaged(inode_, key, "reaches past its own end");
      extent.logical = *place;
    } else {
      if (stored > kBtrfsCompressedExtentBytes || head.uncompressed_bytes > kBtrfsCompressedExtentBytes ||
          head.uncompressed_bytes % sector_ != 0 || !range_inside(skipped, length, head.uncompressed_bytes))
        return damaged(inode_, key, "is compressed and larger than those can be");
      extent.logical = logical;
      extent.compressed_bytes = static_cast<std::uint32_t>(stored);
      extent.uncompressed_bytes = static_cast<std::uint32_t>(head.uncompressed_bytes);
      extent.skipped = static_cast<std::uint32_t>(skipped);
      extent.compression = head.compression;
    }
    return append(extent);
  }

  Result<void> append(const BtrfsExtent& extent) {
    if (!result_.extents.empty() && extent.compression == BtrfsCompression::kNone) {
      BtrfsExtent& last = result_.extents.back();
      if (last.compression == BtrfsCompression::kNone && last.begin + last.length == extent.begin &&
          last.logical + last.length == extent.logical) {
        last.length += extent.length;
        return {};
      }
    }
    if (result_.extents.size() >= limits::kBtrfsFileExtents)
      return fail(ErrorCode::kLimit, inode_.name() + " has more than " +
                                         std::to_string(limits::kBtrfsFileExtents) +
                                         " extents; run `btrfs filesystem defragment` on it in the guest");
    result_.extents.push_back(extent);
    return {};
  }

  const BtrfsInode& inode_;
  std::uint32_t sector_;
  std::uint64_t end_ = 0;  // of what was added
  BtrfsExtents result_;
};

}  // namespace

Result<BtrfsExtents> read_btrfs_extents(const BtrfsVolume& volume, const BtrfsTree& tree,
                                        const BtrfsInode& inode) {
  Collector collector(volume, inode);
  const BtrfsKey first{inode.number, BtrfsItem::kExtentData, 0};
  PVHGRUB_TRY_ASSIGN(BtrfsTreeCursor cursor, tree.lower_bound(first));
  while (!cursor.at_end() && cursor.key().object == first.object && cursor.key().type == first.type) {
    PVHGRUB_TRY(collector.add(cursor.key(), cursor.item()));
    PVHGRUB_TRY(cursor.next());
  }
  return collector.take();
}

}  // namespace pvhgrub::fs
