// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_inode.h"

#include <algorithm>
#include <string_view>

#include "base/limits.h"
#include "fsreaders/file_mode.h"
#include "fsreaders/xfs_checksum.h"
#include "fsreaders/xfs_extents.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint16_t kInodeMagic = 0x494e;  // "IN"
constexpr std::size_t kCoreBytes = 100;        // of versions 1 and 2; the forks follow
constexpr std::size_t kCoreBytes3 = 176;
constexpr std::size_t kChecksumOffset = 100;
// di_flags
constexpr std::uint16_t kRealtime = 1U << 0U;
// di_flags2
constexpr std::uint64_t kReflink = 1U << 1U;
constexpr std::uint64_t kBigTime = 1U << 3U;
constexpr std::uint64_t kManyExtents = 1U << 4U;
// "XSLM", in front of each extent of a link's target on version 5
constexpr std::uint32_t kLinkMagic = 0x58534c4d;
constexpr std::size_t kLinkHeaderBytes = 56;
constexpr XfsHeaderPlaces kLinkPlaces{.checksum = 12, .place = 40, .uuid = 16, .owner = 32};

// Big timestamps count nanoseconds from what a signed 32-bit count of seconds begins with.
std::int64_t modification_time(const XfsFields& fields, bool big) {
  if (!big) return static_cast<std::int32_t>(fields.u32(40));
  constexpr std::int64_t kFirst = -(std::int64_t{1} << 31);
  return kFirst + static_cast<std::int64_t>(fields.u64(40) / 1'000'000'000U);
}

// Version 3 inodes, all of which version 5 has, say what they are.
Result<void> check_identity(const XfsVolume& volume, const XfsFields& fields, const XfsInode& inode) {
  const XfsSuperblock& superblock = volume.superblock();
  if (fields.u16(0) != kInodeMagic) return inode.damaged("it has no inode's magic number");
  const unsigned version = fields.u8(4);
  if (superblock.checksums ? version != 3 : version != 1 && version != 2)
    return inode.damaged("an inode of version " + std::to_string(version));
  if (!superblock.checksums) return {};
  if (fields.u64(152) != inode.number)
    return inode.damaged("its place holds inode " + std::to_string(fields.u64(152)));
  if (!std::ranges::equal(fields.run(160, 16), superblock.metadata_uuid))
    return inode.damaged("it belongs to another file system");
  return {};
}

}  // namespace

FileType XfsInode::type() const {
  return type_of_mode(mode);
}

std::unexpected<Error> XfsInode::damaged(std::string_view what) const {
  std::string where = "inode " + std::to_string(number);
  if (place != 0) where += " (file system byte " + std::to_string(place) + ")";
  return fail(ErrorCode::kDamaged, std::string(what) + kXfsRepair, std::move(where));
}

Result<XfsInode> read_xfs_inode(XfsVolume& volume, std::uint64_t number) {
  const XfsSuperblock& superblock = volume.superblock();
  XfsInode inode;
  inode.number = number;
  const auto offset = superblock.offset_of_inode(number);
  if (!offset) return inode.damaged("the file system has no place for an inode of that number");
  inode.place = *offset;
  std::vector<std::byte> raw(superblock.inode_size);
  PVHGRUB_TRY(volume.read_metadata(*offset, raw));
  const XfsFields fields(raw);
  PVHGRUB_TRY(check_identity(volume, fields, inode));
  if (superblock.checksums && !volume.source().covers(*offset, raw.size()) &&
      !xfs_checksum_holds(raw, kChecksumOffset))
    return inode.damaged("its checksum is wrong");

  const std::uint64_t flags2 = superblock.checksums ? fields.u64(120) : 0;
  inode.mode = fields.u16(2);
  if (inode.mode == 0) return inode.damaged("it is in use although it is free");
  if (fields.u8(5) > static_cast<std::uint8_t>(XfsFork::kTree))
    return inode.damaged("a data fork of the unknown format " + std::to_string(fields.u8(5)));
  inode.format = static_cast<XfsFork>(fields.u8(5));
  inode.size = fields.u64(56);
  if (inode.size >> 63U != 0) return inode.damaged("its size is negative");
  inode.modification_time = modification_time(fields, (flags2 & kBigTime) != 0);
  inode.extents = (flags2 & kManyExtents) != 0 ? fields.u64(24) : fields.u32(76);
  inode.realtime = (fields.u16(90) & kRealtime) != 0;
  inode.shared = (flags2 & kReflink) != 0;
  const std::size_t core = superblock.checksums ? kCoreBytes3 : kCoreBytes;
  const std::size_t literal = raw.size() - core;
  const std::size_t attributes = std::size_t{fields.u8(82)} * 8;
  if (attributes > literal) return inode.damaged("its attributes begin behind its end");
  const Bytes fork = fields.run(core, attributes != 0 ? attributes : literal);
  inode.fork.assign(fork.begin(), fork.end());
  return inode;
}

namespace {

Result<std::string> read_remote_link(XfsVolume& volume, const XfsInode& inode) {
  const XfsSuperblock& superblock = volume.superblock();
  PVHGRUB_TRY_ASSIGN(const BlockRuns runs, read_xfs_runs(volume, inode, limits::kPathBytes));
  std::string target;
  std::uint64_t next = 0;
  std::vector<std::byte> bytes;
  for (const BlockRun& run : runs) {
    if (target.size() >= inode.size) break;
    if (run.logical != next) return inode.damaged("the target of the symbolic link has a hole");
    next = run.logical_end();
    if (std::uint64_t{run.count} * superblock.block_size > 2 * limits::kPathBytes + superblock.block_size)
      return inode.damaged("the target of the symbolic link takes too many blocks");
    const std::uint64_t offset = run.physical * superblock.block_size;
    bytes.resize(std::size_t{run.count} * superblock.block_size);
    PVHGRUB_TRY(volume.read_metadata(offset, bytes));
    Bytes part(bytes);
    if (superblock.checksums) {
      const XfsFields fields(bytes);
      if (fields.u32(0) != kLinkMagic)
        return XfsVolume::damaged_block("a symbolic link's block", "has no magic number", offset);
      PVHGRUB_TRY(volume.check_header(bytes, offset, kLinkPlaces, inode.number, "a symbolic link's block"));
      part = fields.run(kLinkHeaderBytes, fields.u32(8));
      if (fields.u32(4) != target.size() || part.size() != fields.u32(8))
        return XfsVolume::damaged_block("a symbolic link's block", "holds another part of it", offset);
    }
    target += as_text(part.first(std::min<std::size_t>(part.size(), inode.size - target.size())));
  }
  return target;
}

}  // namespace

Result<std::string> read_xfs_link(XfsVolume& volume, const XfsInode& inode) {
  if (inode.size == 0 || inode.size > limits::kPathBytes)
    return inode.damaged("a symbolic link of " + std::to_string(inode.size) + " bytes");
  std::string target;
  if (inode.format == XfsFork::kLocal) {
    target = as_text(XfsFields(inode.fork).run(0, static_cast<std::size_t>(inode.size)));
  } else {
    PVHGRUB_TRY_ASSIGN(target, read_remote_link(volume, inode));
  }
  if (target.size() != inode.size || target.find('\0') != target.npos)
    return inode.damaged("the target of the symbolic link is incomplete");
  return target;
}

}  // namespace pvhgrub::fs
