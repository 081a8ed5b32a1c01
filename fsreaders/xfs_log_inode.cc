// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: "XFS Algorithms & Data Structures", "Inode Updates": the log keeps the inode's core in the
// machine's byte order, its forks as on the disk but for the root of a tree of extents.
#include "fsreaders/xfs_log_inode.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint32_t kDataLocal = 0x002;
constexpr std::uint32_t kDataExtents = 0x004;
constexpr std::uint32_t kDataRoot = 0x008;
constexpr std::uint32_t kDataOwner = 0x200;
constexpr std::uint16_t kInodeMagic = 0x494e;  // "IN"
constexpr std::size_t kCoreBytes = 96;         // logged of versions 1 and 2
constexpr std::size_t kForks = 100;
constexpr std::size_t kCoreBytes3 = 176;
constexpr std::size_t kFlushCounter = 30;
constexpr std::size_t kLsn = 112;
constexpr std::size_t kFlags2 = 120;
constexpr std::uint64_t kBigTime = 1U << 3U;

std::unexpected<Error> damaged(std::uint64_t number, std::string_view what) {
  return fail(
      ErrorCode::kDamaged,
      "the log holds " + std::string(what) + "; mount the file system in the guest, or run xfs_repair on it",
      "inode " + std::to_string(number));
}

void swap(std::span<std::byte> bytes, std::size_t offset, std::size_t size) {
  std::ranges::reverse(bytes.subspan(offset, size));
}

// A logged core as it is on the disk. Left out, as the kernel does: the list of unlinked inodes and the
// checksum, which are the disk's own.
std::vector<std::byte> core_for_disk(Bytes core, std::uint64_t lsn) {
  const bool version3 = core.size() >= kCoreBytes3;
  std::vector<std::byte> disk(core.begin(), core.end());
  const std::span<std::byte> bytes(disk);
  for (const std::size_t place : std::initializer_list<std::size_t>{0, 2, 6, 20, 22, 80, 88, 90})
    swap(bytes, place, 2);
  for (const std::size_t place : std::initializer_list<std::size_t>{8, 12, 16, 72, 76, 84, 92})
    swap(bytes, place, 4);
  for (const std::size_t place : std::initializer_list<std::size_t>{56, 64}) swap(bytes, place, 8);
  const bool big_times = version3 && (XfsFields(core).little64(kFlags2) & kBigTime) != 0;
  const auto swap_time = [&](std::size_t place) {
    if (big_times) return swap(bytes, place, 8);
    swap(bytes, place, 4);  // seconds and nanoseconds
    swap(bytes, place + 4, 4);
  };
  for (const std::size_t place : std::initializer_list<std::size_t>{32, 40, 48}) swap_time(place);
  if (!version3) {
    // Recovery begins to count the writes of an inode anew.
    std::ranges::fill(bytes.subspan(kFlushCounter, 2), std::byte{0});
    return disk;
  }
  swap(bytes, 24, 8);
  for (const std::size_t place : std::initializer_list<std::size_t>{104, 120, 152}) swap(bytes, place, 8);
  swap(bytes, 128, 4);
  swap_time(144);
  for (std::size_t i = 0; i < 8; ++i) bytes[kLsn + i] = static_cast<std::byte>((lsn >> (56 - 8 * i)) & 0xffU);
  return disk;
}

// The log has a tree's root as a block in memory: a whole header, keys, pointers, with room for as many as
// fit. On the disk the header is short, and the fork's room decides where the pointers are.
Result<std::vector<std::byte>> root_for_disk(Bytes logged, std::size_t room, std::uint64_t number,
                                             bool checksums) {
  const std::size_t header = checksums ? 72 : 24;
  const XfsFields fields(logged);
  const std::size_t count = fields.u16(6);
  const std::size_t logged_room = logged.size() < header ? 0 : (logged.size() - header) / 16;
  const std::size_t disk_room = room < 4 ? 0 : (room - 4) / 16;
  if (count == 0 || count > logged_room || count > disk_room)
    return damaged(number, "a root of a tree of extents that does not fit");
  std::vector<std::byte> disk(room);
  std::ranges::copy(fields.run(4, 4), disk.begin());  // level and count
  std::ranges::copy(fields.run(header, 8 * count), disk.begin() + 4);
  std::ranges::copy(fields.run(header + 8 * logged_room, 8 * count),
                    disk.begin() + static_cast<std::ptrdiff_t>(4 + 8 * disk_room));
  return disk;
}

// Whether what the disk has was written after the logged change.
bool is_newer_on_disk(Bytes disk, Bytes core, std::uint64_t lsn, bool checksums) {
  const XfsFields fields(disk);
  if (checksums) {
    const std::uint64_t written = fields.u64(kLsn);
    return written != 0 && written != ~std::uint64_t{0} && written > lsn;
  }
  const std::uint16_t logged = XfsFields(core).little16(kFlushCounter);
  const std::uint16_t written = fields.u16(kFlushCounter);
  return logged < written && !(written == 0xffff && logged < 0x7fff);  // the counter wraps around
}

}  // namespace

Result<XfsLogInodeFormat> XfsLogInodeFormat::parse(Bytes format) {
  const XfsFields fields(format);
  if (format.size() != 52 && format.size() != 56) return damaged(0, "an inode of an unknown form");
  const std::size_t shift = format.size() - 52;  // in front of the number
  XfsLogInodeFormat parsed;
  parsed.fields = fields.little32(4);
  parsed.number = fields.little64(12 + shift);
  parsed.buffer = fields.little64(36 + shift);
  parsed.buffer_blocks = fields.little32(44 + shift);
  const std::uint64_t within = fields.little32(48 + shift);
  if (parsed.buffer > ~std::uint64_t{0} / (2 * kXfsBasicBlock) || within >= 1U << 20U)
    return damaged(parsed.number, "an inode outside of the file system");
  parsed.offset = parsed.buffer * kXfsBasicBlock + within;
  return parsed;
}

bool XfsLogInodeFormat::has_data_fork() const {
  return (fields & (kDataLocal | kDataExtents | kDataRoot)) != 0;
}

bool XfsLogInodeFormat::moves_tree() const {
  return (fields & kDataOwner) != 0;
}

Result<void> replay_xfs_inode(const XfsLogItem& item, const XfsLogInodeFormat& format, std::uint64_t lsn,
                              const XfsSuperblock& superblock, XfsOverlay& overlay) {
  if (item.regions.size() < 2) return {};  // only its place: nothing of it changed
  const std::size_t core_bytes = superblock.checksums ? kCoreBytes3 : kCoreBytes;
  const std::size_t forks = superblock.checksums ? kCoreBytes3 : kForks;
  if (format.offset % superblock.inode_size != 0 ||
      !range_inside<std::uint64_t>(format.offset, superblock.inode_size, overlay.size()))
    return damaged(format.number, "an inode outside of the file system");
  if (item.regions[1].size() < core_bytes || XfsFields(item.regions[1]).little16(0) != kInodeMagic)
    return damaged(format.number, "an inode without a core");
  const Bytes core = Bytes(item.regions[1]).first(core_bytes);
  std::vector<std::byte> disk(superblock.inode_size);
  PVHGRUB_TRY(overlay.read_at(format.offset, disk));
  if (XfsFields(disk).u16(0) != kInodeMagic)
    return damaged(format.number, "a change of an inode where none is");
  if (is_newer_on_disk(disk, core, lsn, superblock.checksums)) return {};

  const std::vector<std::byte> fresh = core_for_disk(core, lsn);
  constexpr std::size_t kUnlinked = 96;  // with the checksum behind it
  std::ranges::copy(Bytes(fresh).first(std::min(kUnlinked, fresh.size())), disk.begin());
  if (superblock.checksums) std::ranges::copy(Bytes(fresh).subspan(104), disk.begin() + 104);
  if (format.has_data_fork() && item.regions.size() >= 3) {
    const std::size_t attributes = std::size_t{XfsFields(disk).u8(82)} * 8;
    const std::size_t room = attributes != 0 ? attributes : disk.size() - forks;
    Bytes fork(item.regions[2]);
    std::vector<std::byte> root;
    if ((format.fields & kDataRoot) != 0) {
      PVHGRUB_TRY_ASSIGN(root, root_for_disk(fork, room, format.number, superblock.checksums));
      fork = root;
    }
    if (fork.size() > disk.size() - forks) return damaged(format.number, "a data fork that does not fit");
    std::ranges::copy(fork, disk.begin() + static_cast<std::ptrdiff_t>(forks));
  }
  return overlay.write(format.offset, disk);
}

}  // namespace pvhgrub::fs
