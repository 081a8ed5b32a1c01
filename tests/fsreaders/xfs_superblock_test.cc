// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_superblock.h"

#include <catch2/catch.hpp>
#include <vector>

#include "base/crc32c.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;

namespace {

/// A sound superblock of version 5, to be changed: 3 groups of 1000 blocks of 4 KiB, the last of 500.
class SuperblockMaker {
 public:
  SuperblockMaker() {
    put(0, 0x58465342, 4);
    put(4, 4096, 4);
    put(8, 2500, 8);
    for (std::size_t i = 0; i < 16; ++i) put(32 + i, 0xa0 + i, 1);
    put(48, 1U << 10U, 8);  // the log: the second group's first blocks
    put(56, 128, 8);
    put(84, 1000, 4);
    put(88, 3, 4);
    put(96, 64, 4);
    put(100, 0xb4a5, 2);
    put(102, 512, 2);
    put(104, 512, 2);
    put(106, 8, 2);
    put(108, 0x626f6f74, 4);  // "boot"
    put(120, 12, 1);
    put(121, 9, 1);
    put(122, 9, 1);
    put(123, 3, 1);
    put(124, 10, 1);
    put(216, 0x3, 4);
    for (std::size_t i = 0; i < 16; ++i) put(248 + i, 0xb0 + i, 1);
  }
  SuperblockMaker& put(std::size_t offset, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      bytes_.at(offset + i) = static_cast<std::byte>((value >> (8 * (size - 1 - i))) & 0xFF);
    return *this;
  }
  [[nodiscard]] Result<XfsSuperblock> parse(std::uint64_t size = 2500 * 4096) {
    put(224, 0, 4);
    put(224, __builtin_bswap32(crc32c(Bytes(bytes_).first(512))), 4);
    return parse_xfs_superblock(bytes_, size);
  }
  [[nodiscard]] Error error(std::uint64_t size = 2500 * 4096) {
    const auto parsed = parse(size);
    REQUIRE_FALSE(parsed);
    return parsed.error();
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(kXfsSuperblockBytes);
};

}  // namespace

TEST_CASE("a superblock tells uuid and label as GRUB prints them, and where blocks and inodes lie") {
  const auto superblock = SuperblockMaker().parse();
  REQUIRE(superblock);
  CHECK(superblock->uuid == "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
  CHECK(superblock->label == "boot");
  CHECK(superblock->metadata_uuid[0] == std::byte{0xa0});
  CHECK(superblock->file_types);
  CHECK_FALSE(superblock->folds_case);
  CHECK(superblock->offset_of_block(0) == 0);
  CHECK(superblock->offset_of_block((1U << 10U) + 5) == 1005U * 4096);
  CHECK(superblock->offset_of_block(999) == 999U * 4096);
  CHECK_FALSE(superblock->offset_of_block(999, 2));  // not over the end of a group
  CHECK_FALSE(superblock->offset_of_block(1000));
  CHECK(superblock->offset_of_block((2U << 10U) + 499) == 2499U * 4096);
  CHECK_FALSE(superblock->offset_of_block((2U << 10U) + 500));
  CHECK_FALSE(superblock->offset_of_block(3U << 10U));
  CHECK_FALSE(superblock->offset_of_block(~std::uint64_t{0}));
  CHECK_FALSE(superblock->offset_of_block(5, 0));
  CHECK(superblock->offset_of_inode(131) == 16U * 4096 + 3 * 512);
  CHECK_FALSE(superblock->offset_of_inode(0));
  CHECK_FALSE(superblock->offset_of_inode(~std::uint64_t{0}));
}

TEST_CASE("features that change nothing for a reader are taken, others are refused by name") {
  // ftype, spinodes, meta_uuid, bigtime, nrext64, exchange, parent, metadir
  const auto all = SuperblockMaker().put(216, 0x1ef, 4).parse();
  REQUIRE(all);
  CHECK(all->metadata_uuid[0] == std::byte{0xb0});
  CHECK(SuperblockMaker().put(216, 0x201, 4).error().message.find("zoned") != std::string::npos);
  CHECK(SuperblockMaker().put(216, 0x401, 4).error().message.find("zone_gaps") != std::string::npos);
  const Error later = SuperblockMaker().put(216, 0x40000003, 4).error();
  CHECK(later.code == ErrorCode::kUnsupported);
  CHECK(later.message.find("bit 30") != std::string::npos);
  CHECK(SuperblockMaker().put(216, 0x13, 4).error().message.find("xfs_repair") != std::string::npos);
  CHECK(SuperblockMaker().put(212, 0xffffffff, 4).parse());  // a reader may ignore them
}

TEST_CASE("version 4 has its features elsewhere and no checksum") {
  SuperblockMaker maker;
  maker.put(100, 0xf4a4, 2).put(200, 0x20a, 4).put(216, 0, 4).put(228, 1, 4);
  REQUIRE(maker.parse());
  CHECK(maker.parse()->file_types);
  CHECK(maker.parse()->folds_case);
  CHECK_FALSE(maker.parse()->checksums);
  CHECK_FALSE(maker.put(200, 0x00a, 4).parse()->file_types);
  CHECK(maker.put(100, 0x94a4, 2).error().message.find("version 1 directories") != std::string::npos);
  CHECK(maker.put(100, 0xb6a4, 2).error().message.find("shared") != std::string::npos);
  CHECK(maker.put(100, 0xb4a3, 2).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a superblock that contradicts itself or its disk is refused") {
  struct Change {
    std::size_t offset;
    std::uint64_t value;
    std::size_t size;
  };
  for (const Change& change :
       {Change{4, 4097, 4},   Change{4, 0, 4},     Change{4, 131072, 4},     Change{120, 13, 1},
        Change{102, 0, 2},    Change{102, 300, 2}, Change{102, 1024, 2},     Change{104, 256, 2},
        Change{104, 8192, 2}, Change{104, 600, 2}, Change{123, 4, 1},        Change{192, 5, 1},
        Change{192, 255, 1},  Change{84, 0, 4},    Change{84, 2000, 4},      Change{124, 31, 1},
        Change{88, 0, 4},     Change{88, 4, 4},    Change{88, ~0U, 4},       Change{8, 3001, 8},
        Change{8, 2000, 8},   Change{56, 0, 8},    Change{56, 1U << 20U, 8}, Change{48, 999, 8},
        Change{96, 0, 4},     Change{96, 1001, 4}, Change{126, 1, 1}}) {
    INFO("offset " << change.offset << " value " << change.value);
    CHECK(SuperblockMaker().put(change.offset, change.value, change.size).error().code ==
          ErrorCode::kDamaged);
  }
  CHECK(SuperblockMaker().error(2500 * 4096 - 1).message.find("cut short") != std::string::npos);
  SuperblockMaker maker;
  REQUIRE(maker.parse());
  maker.put(400, 1, 1);
  CHECK(parse_xfs_superblock(maker.bytes(), 2500 * 4096).error().message.find("checksum") !=
        std::string::npos);
  CHECK(parse_xfs_superblock(maker.bytes(), 2500 * 4096, true));  // out of the log
  for (const std::size_t size : {0U, 3U, 511U})
    CHECK_FALSE(parse_xfs_superblock(Bytes(maker.bytes()).first(size), 2500 * 4096));
}
