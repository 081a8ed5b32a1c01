// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/ext4, "The Contents of inode.i_block".
#include "fsreaders/ext_block_map.h"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint16_t kExtentMagic = 0xf30a;
constexpr std::size_t kExtentEntryBytes = 12;
// 2^32 blocks with the fewest entries a node can have never need more levels (Linux, EXT4_MAX_EXTENT_DEPTH).
constexpr unsigned kExtentDepth = 5;
// Lengths above this mark an extent as unwritten.
constexpr std::uint32_t kExtentMaximumLength = 32768;

class RunCollector {
 public:
  RunCollector(const ExtLibrary& library, const ExtInode& inode) : ext2fs_(library), inode_(inode) {}

  [[nodiscard]] std::unexpected<Error> damaged(std::string what,
                                               std::optional<std::uint64_t> block = {}) const {
    std::string where;
    if (block) where = "file system byte " + std::to_string(*block * ext2fs_.volume().block_size());
    return fail(ErrorCode::kDamaged,
                inode_.name() + ": " + std::move(what) + "; run e2fsck on the file system", std::move(where));
  }

  Result<void> charge_step() { return ext2fs_.volume().budget().charge_steps(1, "reading a block map"); }

  // A tree node costs its bytes too, even from the cache: a hostile tree has no other end than the budget.
  Result<void> charge_node() {
    PVHGRUB_TRY(charge_step());
    return ext2fs_.volume().budget().charge_bytes(ext2fs_.volume().block_size(), "reading a block map");
  }

  // Takes blocks in ascending order; joins what continues the last run.
  Result<void> add(std::uint64_t logical, std::uint64_t physical, std::uint32_t count) {
    PVHGRUB_TRY(charge_step());
    if (logical < next_logical_) return damaged("its block map is not in ascending order");
    if (!range_inside<std::uint64_t>(logical, count, std::uint64_t{1} << 32U))
      return damaged("its block map passes the last possible block");
    next_logical_ = logical + count;
    if (!range_inside<std::uint64_t>(physical, count, ext2fs_blocks_count(ext2fs_.get()->super)))
      return damaged("blocks " + std::to_string(physical) + "+" + std::to_string(count) +
                     " lie past the file system's end");
    if (!runs_.empty()) {
      BlockRun& last = runs_.back();
      if (last.logical_end() == logical && last.physical + last.count == physical &&
          checked_add(last.count, count)) {
        last.count += count;
        return {};
      }
    }
    if (runs_.size() >= limits::kFileRuns)
      return fail(ErrorCode::kLimit, inode_.name() + " lies in more than " +
                                         std::to_string(limits::kFileRuns) +
                                         " pieces; copy the file within the guest to make it whole");
    runs_.push_back({static_cast<std::uint32_t>(logical), count, physical});
    return {};
  }

  Result<void> skip_unwritten(std::uint64_t logical, std::uint32_t count) {
    PVHGRUB_TRY(charge_step());
    if (logical < next_logical_) return damaged("its block map is not in ascending order");
    next_logical_ = logical + count;
    return {};
  }

  BlockRuns take() { return std::move(runs_); }

  const ExtLibrary& ext2fs_;
  const ExtInode& inode_;

 private:
  BlockRuns runs_;
  std::uint64_t next_logical_ = 0;
};

// Walks an extent tree depth first. Not ext2fs_extent_get: it does not hold a node's depth against its
// parent's, nor the order of extents, and its single steps cannot be charged.
class ExtentWalker {
 public:
  explicit ExtentWalker(RunCollector& collector) : collector_(collector) {}

  // `node`: the bytes; `block`: its place, none for the root in the inode; `depth`: what it must be, none for
  // the root.
  Result<void> walk(Bytes node, std::optional<std::uint64_t> block, std::optional<unsigned> expected_depth) {
    ByteReader reader(node);
    PVHGRUB_TRY_ASSIGN(const auto magic, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const auto entries, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const auto maximum, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const auto depth, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY(reader.skip(4));  // generation
    if (magic != kExtentMagic) return collector_.damaged("an extent node has no magic", block);
    if (entries > maximum || maximum > reader.remaining() / kExtentEntryBytes)
      return collector_.damaged("an extent node holds more than fits", block);
    if (depth > kExtentDepth || (expected_depth && depth != *expected_depth))
      return collector_.damaged("an extent node has the wrong depth", block);
    if (block) PVHGRUB_TRY(check_checksum(node, *block));
    for (std::uint16_t i = 0; i < entries; ++i) {
      PVHGRUB_TRY(depth == 0 ? take_extent(reader) : descend(reader, depth));
    }
    return {};
  }

 private:
  Result<void> check_checksum(Bytes node, std::uint64_t block) {
    // The library's function takes its structure by a pointer to non-const, yet only reads; a copy keeps that
    // true.
    std::vector<std::byte> copy(node.begin(), node.end());
    if (ext2fs_extent_block_csum_verify(collector_.ext2fs_.get(), collector_.inode_.number,
                                        reinterpret_cast<ext3_extent_header*>(copy.data())) == 0)
      return collector_.damaged("an extent node has a wrong checksum", block);
    return {};
  }

  Result<void> take_extent(ByteReader& reader) {
    PVHGRUB_TRY_ASSIGN(const auto logical, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint32_t stored, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint64_t high, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY_ASSIGN(const auto low, reader.little_endian<std::uint32_t>());
    if (stored == 0) return collector_.damaged("an extent is empty");
    if (stored > kExtentMaximumLength)
      return collector_.skip_unwritten(logical, stored - kExtentMaximumLength);
    return collector_.add(logical, (high << 32U) | low, stored);
  }

  Result<void> descend(ByteReader& reader, unsigned depth) {
    PVHGRUB_TRY(reader.skip(4));  // the first logical block below, which the leaf says again
    PVHGRUB_TRY_ASSIGN(const auto low, reader.little_endian<std::uint32_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint64_t high, reader.little_endian<std::uint16_t>());
    PVHGRUB_TRY(reader.skip(2));
    const std::uint64_t block = (high << 32U) | low;
    PVHGRUB_TRY(collector_.charge_node());
    ExtVolume& volume = collector_.ext2fs_.volume();
    if (block >= volume.blocks())
      return collector_.damaged("an extent node lies past the partition's end", block);
    std::vector<std::byte> node(volume.block_size());
    PVHGRUB_TRY(volume.read_metadata(block * volume.block_size(), node));
    return walk(node, block, depth - 1);  // depth falls with every level: at most kExtentDepth deep
  }

  RunCollector& collector_;
};

// What block_iterate's callback needs: the collector, and room for the error that it cannot return.
struct IterationState {
  RunCollector* collector = nullptr;
  std::optional<Error> error;
};

int take_block(ext2_filsys, blk64_t* block, e2_blkcnt_t logical, blk64_t, int, void* data) noexcept {
  auto& state = *static_cast<IterationState*>(data);
  try {  // no exception may cross the library's C frames
    // Negative: an indirect block, called for so that also trees of nothing but zeros are charged.
    const Result<void> result = logical < 0
                                    ? state.collector->charge_node()
                                    : state.collector->add(static_cast<std::uint64_t>(logical), *block, 1);
    if (result) return 0;
    state.error = result.error();
  } catch (const std::exception&) {
    state.error = Error{ErrorCode::kLimit, "out of memory", {}, 0};
  }
  return BLOCK_ABORT;
}

Result<void> walk_indirect(RunCollector& collector) {
  IterationState state{&collector, std::nullopt};
  const errcode_t code = ext2fs_block_iterate3(collector.ext2fs_.get(), collector.inode_.number,
                                               BLOCK_FLAG_READ_ONLY, nullptr, take_block, &state);
  if (state.error) return std::unexpected(std::move(*state.error));
  if (code != 0)
    return std::unexpected(
        collector.ext2fs_.error(code, "reading the block map of " + collector.inode_.name()));
  return {};
}

}  // namespace

Result<BlockRuns> read_ext_block_runs(const ExtLibrary& library, const ExtInode& inode) {
  RunCollector collector(library, inode);
  if (inode.has(EXT4_EXTENTS_FL)) {
    ExtentWalker walker(collector);
    PVHGRUB_TRY(walker.walk(inode.block_field(), std::nullopt, std::nullopt));
  } else {
    PVHGRUB_TRY(walk_indirect(collector));
  }
  return collector.take();
}

}  // namespace pvhgrub::fs
