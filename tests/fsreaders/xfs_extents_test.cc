// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_extents.h"

#include <catch2/catch.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "tests/fsreaders/memory_source.h"
#include "tests/fsreaders/xfs_log_builder.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

// A file system of version 4 in two groups of 100 blocks of 4096 bytes.
XfsSuperblock superblock() {
  XfsSuperblock made;
  made.block_size = 4096;
  made.blocks = 200;
  made.groups = 2;
  made.group_blocks = 100;
  made.group_block_bits = 7;
  made.inode_size = 256;
  made.inodes_per_block_bits = 4;
  return made;
}

struct Extent {
  std::uint64_t logical;
  std::uint64_t place;
  std::uint64_t count;
  bool unwritten = false;
};

std::vector<std::byte> records(const std::vector<Extent>& extents) {
  ByteWriter writer;
  for (const Extent& extent : extents) {
    writer.big((extent.unwritten ? 1ULL << 63U : 0) | extent.logical << 9U | extent.place >> 43U, 8);
    writer.big(extent.place << 21U | extent.count, 8);
  }
  return writer.bytes;
}

class Reader {
 public:
  explicit Reader(XfsReplay replay = {})
      : source_(std::vector<std::byte>(200 * std::size_t{4096})),
        volume_(std::make_unique<XfsOverlay>(source_), budget_, superblock(), std::move(replay)) {}

  Result<BlockRuns> read(const std::vector<Extent>& extents, std::uint64_t end = 1000) {
    XfsInode inode;
    inode.number = 77;
    inode.format = XfsFork::kExtents;
    inode.extents = extents.size();
    inode.fork = records(extents);
    return read_xfs_runs(volume_, inode, end);
  }

  // A tree with one leaf, which lies in block 3 and holds `extents`.
  Result<BlockRuns> read_tree(const std::vector<Extent>& extents, std::uint32_t magic, std::uint16_t level,
                              std::uint64_t leaf = 3) {
    const auto block =
        ByteWriter().big(magic, 4).big(level, 2).big(extents.size(), 2).zeros(16).run(records(extents)).bytes;
    std::copy(block.begin(), block.end(), source_.bytes().begin() + 3 * 4096);
    XfsInode inode;
    inode.number = 77;
    inode.format = XfsFork::kTree;
    inode.fork = ByteWriter().big(1, 2).big(1, 2).zeros(8 * 9).big(leaf, 8).zeros(8 * 8).bytes;
    return read_xfs_runs(volume_, inode, 1000);
  }

 private:
  MemorySource source_;
  Budget budget_ = Budget(100'000, 100'000'000);
  XfsVolume volume_;
};

constexpr std::uint64_t kSecondGroup = 1U << 7U;

}  // namespace

TEST_CASE(
    "extents become runs: joined, without holes, without what was never written or lies behind the end") {
  CHECK(*Reader().read({}) == BlockRuns());
  CHECK(*Reader().read({{0, 10, 5}, {5, 15, 2}, {10, kSecondGroup + 3, 4}, {20, 50, 4, true}, {30, 60, 10}},
                       33) == BlockRuns{{0, 7, 10}, {10, 4, 103}, {30, 3, 60}});
}

TEST_CASE("extents out of order, or outside of the file system, are damage") {
  const auto code = [](const std::vector<Extent>& extents) { return Reader().read(extents).error().code; };
  CHECK(code({{0, 10, 0}}) == ErrorCode::kDamaged);
  CHECK(code({{5, 10, 5}, {9, 20, 1}}) == ErrorCode::kDamaged);
  CHECK(code({{0, 99, 2}}) == ErrorCode::kDamaged);
  CHECK(code({{0, 2 * kSecondGroup, 1}}) == ErrorCode::kDamaged);
  CHECK(code({{0, (1ULL << 52U) - 1, 1}}) == ErrorCode::kDamaged);
  const auto far = Reader().read({{1ULL << 40U, 10, 1}}, ~std::uint64_t{0});
  CHECK(far.error().code == ErrorCode::kLimit);
}

TEST_CASE("a tree of extents is read, and must be one") {
  constexpr std::uint32_t kMagic = 0x424d4150;
  CHECK(*Reader().read_tree({{0, 10, 5}, {6, 20, 1}}, kMagic, 0) == BlockRuns{{0, 5, 10}, {6, 1, 20}});
  CHECK_FALSE(Reader().read_tree({{0, 10, 5}}, kMagic + 1, 0));
  CHECK_FALSE(Reader().read_tree({{0, 10, 5}}, kMagic, 1));
  CHECK_FALSE(Reader().read_tree({}, kMagic, 0));
  CHECK_FALSE(Reader().read_tree({{0, 10, 5}}, kMagic, 0, 100));
}

TEST_CASE("what the log announces of a file's mapping is done") {
  const auto after = [](std::vector<XfsPendingMapping> pending) {
    XfsReplay replay;
    replay.pending_mappings = std::move(pending);
    return Reader(std::move(replay)).read({{10, 50, 10}, {30, 70, 5}}, 40);
  };
  using Pending = XfsPendingMapping;
  CHECK(*after({Pending{1, 78, 12, 0, 3, false, false}}) ==
        BlockRuns{{10, 10, 50}, {30, 5, 70}});  // another file
  CHECK(*after({Pending{1, 77, 12, 0, 3, false, false}}) == BlockRuns{{10, 2, 50}, {15, 5, 55}, {30, 5, 70}});
  CHECK(*after({Pending{1, 77, 0, 0, 32, false, false}}) == BlockRuns{{32, 3, 72}});
  CHECK(*after({Pending{1, 77, 8, 0, 4, false, false}}) == BlockRuns{{12, 8, 52}, {30, 5, 70}});
  CHECK(*after({Pending{1, 77, 18, 0, 4, false, false}}) == BlockRuns{{10, 8, 50}, {30, 5, 70}});
  CHECK(*after({Pending{1, 77, 12, 0, 3, false, false}, Pending{2, 77, 12, 90, 3, true, false}}) ==
        BlockRuns{{10, 2, 50}, {12, 3, 90}, {15, 5, 55}, {30, 5, 70}});
  CHECK(*after({Pending{1, 77, 38, 90, 9, true, false}}) ==
        BlockRuns{{10, 10, 50}, {30, 5, 70}, {38, 2, 90}});
  CHECK(*after({Pending{1, 77, 30, 90, 5, true, true}}) == BlockRuns{{10, 10, 50}});
  CHECK(*after({Pending{1, 77, 39, 90, ~std::uint64_t{0}, false, false}}) ==
        BlockRuns{{10, 10, 50}, {30, 5, 70}});
  CHECK(after({Pending{1, 77, 20, 99, 2, true, false}}).error().code == ErrorCode::kDamaged);
}
