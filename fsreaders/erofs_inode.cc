// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/erofs_inode.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/erofs_compressed_file.h"
#include "fsreaders/file_mode.h"
#include "fsreaders/little_endian_fields.h"
#include "fsreaders/run_file.h"

namespace pvhgrub::fs {
namespace {

constexpr std::size_t kInodeSlot = 32;  // an inode's number counts these

// Chunks (i_u.c.format).
constexpr std::uint16_t kChunkBits = 0x1F;
constexpr std::uint16_t kChunkIndexes = 0x20;
constexpr std::uint32_t kHole = 0xFFFFFFFF;

// Where the contents lie in blocks, one behind the other, in runs that a BlockRun can hold.
Result<BlockRuns> chunk_runs(ErofsVolume& volume, const ErofsInode& inode) {
  BlockSource& source = volume.source();
  const ErofsSuperblock& superblock = volume.superblock();
  const auto format = static_cast<std::uint16_t>(inode.place);
  if ((format & ~(kChunkBits | kChunkIndexes)) != 0)
    return fail(ErrorCode::kUnsupported,
                "a file in chunks of an unknown format (" + std::to_string(format) + ")");
  const std::uint64_t chunk_blocks = std::uint64_t{1} << (format & kChunkBits);
  const std::uint64_t blocks =
      inode.size / superblock.block_size + (inode.size % superblock.block_size != 0 ? 1 : 0);
  const std::uint64_t chunks = blocks / chunk_blocks + (blocks % chunk_blocks != 0 ? 1 : 0);
  const std::uint64_t unit = (format & kChunkIndexes) != 0 ? 8 : 4;
  if (chunks > limits::kFileRuns || blocks > UINT32_MAX)
    return fail(ErrorCode::kLimit, "a file of more than " + std::to_string(limits::kFileRuns) + " chunks");
  const auto list = checked_align_up<std::uint64_t>(inode.behind, unit);
  if (!list || !range_inside<std::uint64_t>(*list, chunks * unit, source.size()))
    return damaged_erofs("a list of " + std::to_string(chunks) + " chunks past the end", inode.behind);
  PVHGRUB_TRY(volume.budget().charge_steps(chunks + 1, "reading a file of EROFS"));
  PVHGRUB_TRY(volume.budget().charge_bytes(chunks * unit, "reading a file of EROFS"));
  std::vector<std::byte> bytes(static_cast<std::size_t>(chunks * unit));
  PVHGRUB_TRY(source.read_at(*list, bytes));
  const LittleEndianFields fields(bytes);
  BlockRuns runs;
  for (std::uint64_t i = 0; i < chunks; ++i) {
    const auto at_byte = static_cast<std::size_t>(i * unit);
    if (unit == 8 && fields.u16(at_byte + 2) != 0)
      return fail(ErrorCode::kUnsupported, "the file lies on another device of the EROFS");
    const std::uint32_t start = fields.u32(unit == 8 ? at_byte + 4 : at_byte);
    if (start == kHole) continue;
    const std::uint64_t logical = i * chunk_blocks;
    runs.push_back({static_cast<std::uint32_t>(logical),
                    static_cast<std::uint32_t>(std::min(chunk_blocks, blocks - logical)), start});
  }
  return runs;
}

// The layout of a file whose end follows its inode: in runs of bytes, since that lies at no block's start.
Result<RunFileLayout> inline_layout(const ErofsSuperblock& superblock, const ErofsInode& inode) {
  RunFileLayout layout;
  layout.size = inode.size;
  layout.block_size = 1;
  if (inode.size > UINT32_MAX)
    return fail(ErrorCode::kUnsupported, "a file of 4 GiB or more whose end lies behind its inode");
  const auto size = static_cast<std::uint32_t>(inode.size);
  const std::uint32_t tail = size == 0 ? 0 : (size - 1) % superblock.block_size + 1;
  if (inode.behind % superblock.block_size + tail > superblock.block_size)
    return damaged_erofs("an inode whose contents cross a block's end", inode.behind);
  if (size > tail)
    layout.runs.push_back({0, size - tail, std::uint64_t{inode.place} * superblock.block_size});
  if (tail > 0) layout.runs.push_back({size - tail, tail, inode.behind});
  return layout;
}

}  // namespace

Result<ErofsInode> read_erofs_inode(ErofsVolume& volume, std::uint64_t number) {
  BlockSource& source = volume.source();
  const ErofsSuperblock& superblock = volume.superblock();
  std::array<std::byte, 2 * kInodeSlot> bytes{};
  const std::uint64_t slots = source.size() / kInodeSlot;  // so that no product overflows
  const std::uint64_t offset = number < slots ? superblock.inodes + number * kInodeSlot : source.size();
  if (!range_inside<std::uint64_t>(offset, kInodeSlot, source.size()))
    return damaged_erofs("inode " + std::to_string(number) + " would lie past the end", offset);
  PVHGRUB_TRY(volume.budget().charge_steps(1, "reading inodes of EROFS"));
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), source.size() - offset));
  PVHGRUB_TRY(source.read_at(offset, std::span(bytes).first(there)));
  const LittleEndianFields fields(bytes);
  const std::uint16_t format = fields.u16(0);
  const bool extended = (format & 1U) != 0;
  const unsigned layout = (format >> 1U) & 7U;
  if (layout > static_cast<unsigned>(ErofsLayout::kChunks))
    return fail(ErrorCode::kUnsupported, "inode " + std::to_string(number) +
                                             " of EROFS has the unknown layout " + std::to_string(layout));
  ErofsInode inode;
  inode.number = number;
  inode.layout = static_cast<ErofsLayout>(layout);
  inode.type = type_of_mode(fields.u16(4));
  inode.size = extended ? fields.u64(8) : fields.u32(8);
  inode.modification_time = extended ? static_cast<std::int64_t>(fields.u64(32)) : superblock.build_time;
  inode.place = fields.u32(16);
  // Attributes behind it: a header of 12 bytes, and 4 for each further unit (i_xattr_icount).
  const std::uint64_t units = fields.u16(2);
  inode.behind = offset + (extended ? 64 : 32) + (units == 0 ? 0 : 12 + 4 * (units - 1));
  return inode;
}

Result<std::unique_ptr<File>> open_erofs_inode(ErofsVolume& volume, const ErofsInode& inode) {
  const ErofsSuperblock& superblock = volume.superblock();
  RunFileLayout layout;
  layout.size = inode.size;
  layout.block_size = superblock.block_size;
  switch (inode.layout) {
    case ErofsLayout::kPlain: {
      const std::uint64_t blocks =
          inode.size / layout.block_size + (inode.size % layout.block_size != 0 ? 1 : 0);
      if (blocks > UINT32_MAX) return damaged_erofs("a file that is too large", inode.behind);
      if (blocks > 0) layout.runs.push_back({0, static_cast<std::uint32_t>(blocks), inode.place});
      break;
    }
    case ErofsLayout::kInline: {
      PVHGRUB_TRY_ASSIGN(layout, inline_layout(superblock, inode));
      break;
    }
    case ErofsLayout::kChunks: {
      PVHGRUB_TRY_ASSIGN(layout.runs, chunk_runs(volume, inode));
      break;
    }
    case ErofsLayout::kCompressedFull:
    case ErofsLayout::kCompressedCompact:
      return open_erofs_compressed_file(volume, inode);
  }
  for (const BlockRun& run : layout.runs) {
    const std::uint64_t start = run.physical * layout.block_size;
    const std::uint64_t length = std::min(std::uint64_t{run.count} * layout.block_size,
                                          inode.size - std::uint64_t{run.logical} * layout.block_size);
    if (!range_inside<std::uint64_t>(start, length, volume.source().size()))
      return damaged_erofs("contents past the device's end", start);
  }
  return make_run_file(volume.source(), std::move(layout));
}

}  // namespace pvhgrub::fs
