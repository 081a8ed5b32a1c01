// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_superblock.h"

#include <catch2/catch.hpp>
#include <vector>

namespace pvhgrub::fs::test {
namespace {

constexpr std::uint64_t kSize = std::uint64_t{64} << 20U;

void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    bytes[offset + i] = static_cast<std::byte>((value >> (8 * i)) & 0xffU);
}

// A superblock of 65536 blocks of 1 KiB, in 8 groups, with 64-bit descriptors.
std::vector<std::byte> sound() {
  std::vector<std::byte> bytes(kExtSuperblockBytes);
  put(bytes, 0x00, 8 * 2048, 4);  // inodes
  put(bytes, 0x04, 65536, 4);     // blocks
  put(bytes, 0x14, 1, 4);         // first data block
  put(bytes, 0x20, 8192, 4);      // blocks a group
  put(bytes, 0x28, 2048, 4);      // inodes a group
  put(bytes, 0x38, 0xef53, 2);    // magic
  put(bytes, 0x4c, 1, 4);         // revision
  put(bytes, 0x58, 256, 2);       // inode size
  put(bytes, 0x60, 0x80, 4);      // 64bit
  put(bytes, 0xfe, 64, 2);        // descriptor size
  return bytes;
}

}  // namespace

TEST_CASE("a sound ext superblock is read") {
  auto bytes = sound();
  put(bytes, 0x78, 0x746f6f62, 4);  // "boot"
  const auto superblock = parse_ext_superblock(bytes, kSize);
  REQUIRE(superblock);
  CHECK(superblock->block_size == 1024);
  CHECK(superblock->blocks_count == 65536);
  CHECK(superblock->groups_count == 8);
  CHECK(superblock->inode_size == 256);
  CHECK(superblock->label == "boot");
  CHECK(superblock->uuid == "00000000-0000-0000-0000-000000000000");
}

TEST_CASE("a label of all 16 bytes has no final NUL") {
  auto bytes = sound();
  for (std::size_t i = 0; i < 17; ++i) bytes[0x78 + i] = std::byte{'x'};
  CHECK(parse_ext_superblock(bytes, kSize)->label == std::string(16, 'x'));
}

TEST_CASE("an ext superblock that contradicts itself is damaged") {
  struct Case {
    const char* what;
    std::size_t offset;
    std::uint64_t value;
    std::size_t count;
  };
  const Case cases[] = {
      {"no inodes", 0x00, 0, 4},
      {"more inodes than the groups hold", 0x00, 8 * 2048 + 1, 4},
      {"no blocks", 0x04, 0, 4},
      {"one block more than the partition holds", 0x04, 65537, 4},
      {"2^64 - 1 blocks", 0x150, 0xffffffff, 4},
      {"a first data block past the end", 0x14, 65536, 4},
      {"a block size over 64 KiB", 0x18, 7, 4},
      {"a block size that overflows", 0x18, 0xffffffff, 4},
      {"no blocks a group", 0x20, 0, 4},
      {"no inodes a group", 0x28, 0, 4},
      {"more inodes a group than its bitmap holds", 0x28, 8193, 4},
      {"an inode size of 0", 0x58, 0, 2},
      {"an inode size that is no power of two", 0x58, 192, 2},
      {"inodes larger than a block", 0x58, 2048, 2},
      {"descriptors of 0 bytes", 0xfe, 0, 2},
      {"descriptors of 32 bytes with 64bit", 0xfe, 32, 2},
      {"descriptors of 2048 bytes", 0xfe, 2048, 2},
  };
  for (const Case& one : cases) {
    auto bytes = sound();
    put(bytes, one.offset, one.value, one.count);
    INFO(one.what);
    const auto superblock = parse_ext_superblock(bytes, kSize);
    REQUIRE_FALSE(superblock);
    CHECK(superblock.error().code == ErrorCode::kDamaged);
    CHECK(superblock.error().where == "ext superblock at byte 1024");
  }
}

TEST_CASE("a superblock with more group descriptors than memory should hold is refused") {
  // 2^38 bytes in groups of 8 blocks: 2^25 descriptors of 64 bytes.
  auto bytes = sound();
  put(bytes, 0x04, std::uint64_t{1} << 28U, 4);
  put(bytes, 0x20, 8, 4);
  const auto superblock = parse_ext_superblock(bytes, std::uint64_t{1} << 38U);
  REQUIRE_FALSE(superblock);
  CHECK(superblock.error().code == ErrorCode::kLimit);
}

TEST_CASE("unknown incompatible features are named in the refusal") {
  auto bytes = sound();
  put(bytes, 0x60, 0x80 | 0x1 | 0x40000000, 4);
  const auto superblock = parse_ext_superblock(bytes, kSize);
  REQUIRE_FALSE(superblock);
  CHECK(superblock.error().code == ErrorCode::kUnsupported);
  CHECK(superblock.error().message.find("compression, bit 0x40000000") != std::string::npos);
}

TEST_CASE("unknown read-only-compatible features are no hindrance to reading") {
  auto bytes = sound();
  put(bytes, 0x64, 0x80000000, 4);
  CHECK(parse_ext_superblock(bytes, kSize));
}

TEST_CASE("a newer revision is refused") {
  auto bytes = sound();
  put(bytes, 0x4c, 2, 4);
  const auto superblock = parse_ext_superblock(bytes, kSize);
  REQUIRE_FALSE(superblock);
  CHECK(superblock.error().code == ErrorCode::kUnsupported);
}

}  // namespace pvhgrub::fs::test
