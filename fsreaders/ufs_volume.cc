// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ufs_volume.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/file_mode.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint32_t kFlagSnapshot = 0x0020'0000;  // SF_SNAPSHOT

std::unexpected<Error> damaged(const std::string& what, std::uint32_t inode) {
  return fail(ErrorCode::kDamaged, what + "; run fsck_ffs on the file system in the guest",
              "inode " + std::to_string(inode));
}

}  // namespace

Result<UfsInode> UfsVolume::read_inode(std::uint32_t number) {
  const UfsSuperblock& block = superblock_;
  const std::uint32_t group = number / block.inodes_per_group;
  if (number < 2 || group >= block.groups) return damaged("there is no inode of this number", number);
  // 32-bit factors of at most 2^16 bytes a fragment: no overflow.
  std::uint64_t start = std::uint64_t{group} * block.fragments_per_group;
  if (!block.is_ufs2) start += std::uint64_t{block.group_offset} * (group & ~block.group_mask);
  const auto fragment_bytes = checked_multiply<std::uint64_t>(start + block.inode_table, block.fragment_size);
  const std::uint64_t inside = std::uint64_t{number % block.inodes_per_group} * block.inode_bytes();
  const auto offset = fragment_bytes ? checked_add<std::uint64_t>(*fragment_bytes, inside) : std::nullopt;
  std::array<std::byte, 256> bytes{};
  const auto raw = std::span(bytes).first(block.inode_bytes());
  if (!offset || !range_inside<std::uint64_t>(*offset, raw.size(), source_.size()))
    return damaged("it lies behind the end of the device", number);
  PVHGRUB_TRY(budget_.charge_steps(1, "reading an inode"));
  PVHGRUB_TRY(source_.read_at(*offset, raw));
  const LittleEndianFields fields{Bytes(raw)};
  UfsInode inode;
  inode.number = number;
  inode.type = type_of_mode(fields.u16(0));
  inode.size = fields.u64(block.is_ufs2 ? 16 : 8);
  inode.blocks = block.is_ufs2 ? fields.u64(24) : fields.u32(104);
  inode.modification_time = block.is_ufs2
                                ? static_cast<std::int64_t>(fields.u64(40))
                                : static_cast<std::int64_t>(static_cast<std::int32_t>(fields.u32(24)));
  inode.is_snapshot = (fields.u32(block.is_ufs2 ? 88 : 100) & kFlagSnapshot) != 0;
  const std::size_t pointers = block.is_ufs2 ? 112 : 40;
  const auto pointer = [&](std::size_t index) -> std::uint64_t {
    const std::size_t place = pointers + index * block.pointer_bytes();
    return block.is_ufs2 ? fields.u64(place) : fields.u32(place);
  };
  for (std::size_t i = 0; i < inode.direct.size(); ++i) inode.direct[i] = pointer(i);
  for (std::size_t i = 0; i < inode.indirect.size(); ++i)
    inode.indirect[i] = pointer(inode.direct.size() + i);
  if (inode.type == FileType::kSymlink) {
    const Bytes place = Bytes(raw).subspan(pointers, 15 * block.pointer_bytes());
    inode.inline_bytes.assign(place.begin(), place.end());
  }
  return inode;
}

// Goes through a file's blocks in order, keeping one block of pointers a level.
class UfsVolume::Mapper {
 public:
  Mapper(UfsVolume& volume, const UfsInode& inode) : volume_(volume), inode_(inode) {}

  Result<BlockRuns> map() {
    const UfsSuperblock& block = volume_.superblock_;
    const std::uint64_t blocks =
        inode_.size / block.block_size + (inode_.size % block.block_size != 0 ? 1 : 0);
    if (blocks > UINT32_MAX / block.fragments_per_block)
      return damaged("its size is " + std::to_string(inode_.size) + " bytes", inode_.number);
    for (std::uint64_t number = 0; number < blocks;) {
      PVHGRUB_TRY(volume_.budget_.charge_steps(1, "reading a file's block pointers"));
      PVHGRUB_TRY_ASSIGN(const Found found, find(number));
      if (found.pointer != 0) PVHGRUB_TRY(add(number, found.pointer));
      number += found.blocks;
    }
    return std::move(runs_);
  }

 private:
  struct Found {
    std::uint64_t pointer = 0;  // in fragments; 0: a hole
    std::uint64_t blocks = 1;   // that the answer holds for
  };
  struct Level {
    std::uint64_t pointer = 0;
    std::vector<std::byte> bytes;
  };

  Result<Found> find(std::uint64_t number) {
    if (number < inode_.direct.size()) return Found{inode_.direct[static_cast<std::size_t>(number)], 1};
    number -= inode_.direct.size();
    const std::uint64_t per_block = volume_.superblock_.pointers_per_block();
    std::uint64_t span =
        per_block;  // blocks below the level's first pointer; at most 2^14 to the third power
    std::size_t depth = 0;
    for (; depth < inode_.indirect.size() && number >= span; ++depth) {
      number -= span;
      span *= per_block;
    }
    if (depth == inode_.indirect.size())
      return damaged("it is larger than three levels of pointers hold", inode_.number);
    std::uint64_t pointer = inode_.indirect[depth];
    for (std::size_t level = 0; level <= depth; ++level) {
      if (pointer == 0) return Found{0, span - number % span};
      span /= per_block;
      PVHGRUB_TRY_ASSIGN(pointer, pointer_in(level, pointer, number / span % per_block));
    }
    return Found{pointer, 1};
  }

  Result<std::uint64_t> pointer_in(std::size_t level, std::uint64_t pointer, std::uint64_t index) {
    Level& held = levels_[level];
    if (held.pointer != pointer) {
      const UfsSuperblock& block = volume_.superblock_;
      PVHGRUB_TRY(check(pointer, block.fragments_per_block));
      PVHGRUB_TRY(volume_.budget_.charge_bytes(block.block_size, "reading a file's block pointers"));
      held.pointer = 0;
      held.bytes.resize(block.block_size);
      PVHGRUB_TRY(volume_.source_.read_at(pointer * block.fragment_size, held.bytes));
      held.pointer = pointer;
    }
    const LittleEndianFields fields{Bytes(held.bytes)};
    const auto place = static_cast<std::size_t>(index * volume_.superblock_.pointer_bytes());
    return volume_.superblock_.is_ufs2 ? fields.u64(place) : fields.u32(place);
  }

  Result<void> check(std::uint64_t pointer, std::uint64_t count) {
    const UfsSuperblock& block = volume_.superblock_;
    if (!range_inside(pointer, count, block.fragments) ||
        !range_inside(pointer, count, volume_.source_.size() / block.fragment_size))
      return damaged(
          "a block pointer says fragment " + std::to_string(pointer) + ", which lies behind the end",
          inode_.number);
    return {};
  }

  // The last block of a small file is a few fragments; of a larger one no more than its size counts.
  Result<void> add(std::uint64_t number, std::uint64_t pointer) {
    const UfsSuperblock& block = volume_.superblock_;
    const std::uint64_t left = inode_.size - number * block.block_size;
    const std::uint64_t count = std::min<std::uint64_t>(
        block.fragments_per_block, left / block.fragment_size + (left % block.fragment_size != 0 ? 1 : 0));
    PVHGRUB_TRY(check(pointer, count));
    const auto logical = static_cast<std::uint32_t>(number * block.fragments_per_block);
    if (!runs_.empty() && runs_.back().logical_end() == logical &&
        runs_.back().physical + runs_.back().count == pointer) {
      runs_.back().count += static_cast<std::uint32_t>(count);
      return {};
    }
    if (runs_.size() >= limits::kFileRuns)
      return fail(ErrorCode::kLimit,
                  "a file in more than " + std::to_string(limits::kFileRuns) + " fragments");
    runs_.push_back({logical, static_cast<std::uint32_t>(count), pointer});
    return {};
  }

  UfsVolume& volume_;
  const UfsInode& inode_;
  BlockRuns runs_;
  std::array<Level, 3> levels_;
};

Result<BlockRuns> UfsVolume::map(const UfsInode& inode) {
  return Mapper(*this, inode).map();
}

}  // namespace pvhgrub::fs
