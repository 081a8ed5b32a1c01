// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_log.h"

#include <catch2/catch.hpp>
#include <string>

#include "fsreaders/xfs_log_replay.h"
#include "fsreaders/xfs_overlay.h"
#include "tests/fsreaders/memory_source.h"
#include "tests/fsreaders/xfs_log_builder.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint32_t kBlocks = 2048;  // of 512 bytes: the log
constexpr std::size_t kLogStart = std::size_t{64} * 4096;
constexpr std::size_t kSize = std::size_t{512} * 4096;

// A file system of version 5 in one group: blocks 64 to 319 are its log.
XfsSuperblock superblock() {
  XfsSuperblock made;
  made.block_size = 4096;
  made.blocks = 512;
  made.groups = 1;
  made.group_blocks = 512;
  made.group_block_bits = 9;
  made.inode_size = 512;
  made.inodes_per_block_bits = 3;
  made.log_start = 64;
  made.log_blocks = 256;
  made.checksums = true;
  return made;
}

std::vector<std::byte> text(char c, std::size_t count = 128) {
  return std::vector<std::byte>(count, static_cast<std::byte>(c));
}

OperationWriter change(std::uint64_t block, char c, std::uint32_t transaction = 7) {
  OperationWriter operations(transaction);
  operations.start().buffer(block, 8, 0, text(c)).commit();
  return operations;
}

struct Replayed {
  std::string error;
  std::size_t transactions = 0;
  std::string first_bytes;  // the first byte of the file system's blocks 400, 401 and 402, of 4096 bytes
};

Replayed replay(const std::vector<std::byte>& bytes) {
  MemorySource source(bytes);
  Budget budget(1'000'000, 100'000'000);
  XfsSuperblock current = superblock();
  Replayed told;
  auto log = XfsLog::open(source, budget, current);
  if (!log) return {log.error().describe(), 0, ""};
  XfsOverlay overlay(source);
  if (!log->clean()) {
    const auto done = replay_xfs_log(*log, overlay, budget, current);
    if (!done) return {done.error().describe(), 0, ""};
    told.transactions = done->transactions;
  }
  for (const std::uint64_t block : {400U, 401U, 402U}) {
    std::byte byte{};
    REQUIRE(overlay.read_at(block * 4096, std::span(&byte, 1)));
    told.first_bytes += byte == std::byte{0} ? '.' : static_cast<char>(byte);
  }
  return told;
}

constexpr std::uint64_t kAt400 = 3200;  // in blocks of 512
constexpr std::uint64_t kAt401 = 3208;

}  // namespace

TEST_CASE("a log that was never written, or ends in an unmount, is clean") {
  std::vector<std::byte> bytes(kSize);
  CHECK(replay(bytes).error.empty());
  LogBuilder log(bytes, kLogStart, kBlocks);
  log.record(change(kAt400, 'a'));
  CHECK(replay(bytes).first_bytes == "a..");
  log.record(OperationWriter().unmount());
  CHECK(replay(bytes).transactions == 0);
  CHECK(replay(bytes).first_bytes == "...");
  log.set_tail(log.lsn());
  log.record(change(kAt401, 'b'));
  CHECK(replay(bytes).first_bytes == ".b.");
}

TEST_CASE("committed transactions count, in their order, from the tail on") {
  std::vector<std::byte> bytes(kSize);
  LogBuilder log(bytes, kLogStart, kBlocks);
  log.record(change(kAt400, 'a'));
  log.record(change(kAt401, 'x'));
  log.record(change(kAt400, 'c'));
  OperationWriter open(9);
  open.start().buffer(kAt401, 8, 0, text('n'));  // never committed
  log.record(open);
  CHECK(replay(bytes).first_bytes == "cx.");
  CHECK(replay(bytes).transactions == 3);
  const std::uint64_t third = 1ULL << 32U | 4;
  log.set_tail(third);
  OperationWriter rest(9);
  rest.commit();
  log.record(rest);
  CHECK(replay(bytes).transactions == 2);
  CHECK(replay(bytes).first_bytes == "cn.");
}

TEST_CASE("a region goes on in the next record, and records may have long headers") {
  std::vector<std::byte> bytes(kSize);
  LogBuilder log(bytes, kLogStart, kBlocks);
  OperationWriter first(3);
  first.start();
  const OperationWriter whole = [] {
    OperationWriter made(3);
    made.buffer(kAt400, 8, 0, text('L', 4096));
    return made;
  }();
  // The format as a whole, of the data the first 1000 bytes, then the rest in two.
  const Bytes all(whole.bytes());
  first.operation(0, all.subspan(12, 28)).operation(0x04, all.subspan(52, 1000));
  log.record(first, 256 * 1024);
  OperationWriter second(3);
  second.operation(0x08 | 0x04, all.subspan(1052, 2000));
  log.record(second, 256 * 1024);
  OperationWriter third(3);
  third.operation(0x08 | 0x10, all.subspan(3052)).commit();
  log.record(third, 256 * 1024);
  const Replayed told = replay(bytes);
  CHECK(told.error.empty());
  CHECK(told.first_bytes == "L..");
  // More data than one header block has stamps for.
  OperationWriter large(5);
  large.start();
  for (int i = 0; i < 10; ++i) large.buffer(kAt401, 8, 0, text(static_cast<char>('0' + i), 4096));
  large.commit();
  log.record(large, 256 * 1024);
  CHECK(replay(bytes).first_bytes == "L9.");
}

TEST_CASE("records go around the log's end") {
  for (std::uint32_t start = kBlocks - 6; start < kBlocks; ++start) {
    INFO(start);
    std::vector<std::byte> bytes(kSize);
    LogBuilder log(bytes, kLogStart, kBlocks, 5, start);
    log.record(change(kAt400, 'a'));
    log.record(change(kAt401, 'b'));
    OperationWriter more(8);
    more.start().buffer(kAt400 + 16, 8, 0, text('c', 1024)).commit();
    log.record(more);
    const Replayed told = replay(bytes);
    CHECK(told.error.empty());
    CHECK(told.first_bytes == "abc");
    log.record(OperationWriter().unmount());
    CHECK(replay(bytes).first_bytes == "...");
  }
}

TEST_CASE("a record that was torn ends the log, one torn in the middle of it does not pass") {
  std::vector<std::byte> bytes(kSize);
  LogBuilder log(bytes, kLogStart, kBlocks);
  log.record(change(kAt400, 'a'));
  for (int i = 0; i < 9; ++i) log.record(change(kAt401, static_cast<char>('0' + i)));
  const auto [block, count] = log.record(change(kAt400, 'z'));
  CHECK(replay(bytes).first_bytes == "z8.");
  SECTION("its last block is not there") {
    log.put(block + count - 1, 0, ByteWriter().big(0, 4).bytes);
    CHECK(replay(bytes).first_bytes == "a8.");
  }
  SECTION("a byte of it is another") {
    log.put(block + 1, 100, ByteWriter().big(0x99, 1).bytes);
    CHECK(replay(bytes).first_bytes == "a8.");
  }
  SECTION("the hole before it makes both never written") {
    log.put(block - 1, 0, ByteWriter().big(0, 4).bytes);
    CHECK(replay(bytes).first_bytes == "a7.");
  }
  SECTION("far from the end it is damage") {
    log.put(1, 100, ByteWriter().big(0x99, 1).bytes);
    CHECK(replay(bytes).error.find("wrong checksum") != std::string::npos);
  }
}

TEST_CASE("what is freed later is not replayed, but what comes after that is") {
  std::vector<std::byte> bytes(kSize);
  LogBuilder log(bytes, kLogStart, kBlocks);
  log.record(change(kAt400, 'a'));
  OperationWriter freed;
  freed.start().cancel(kAt400, 8).commit();
  log.record(freed);
  CHECK(replay(bytes).first_bytes == "...");
  log.record(change(kAt400, 'b'));
  CHECK(replay(bytes).first_bytes == "b..");
  log.record(freed);
  CHECK(replay(bytes).first_bytes == "...");
  // A buffer of another length is another one.
  OperationWriter other;
  other.start().cancel(kAt401, 16).commit();
  log.record(change(kAt401, 'c'));
  log.record(other);
  CHECK(replay(bytes).first_bytes == ".c.");
}

TEST_CASE("a block that was written later than the log's change stays as it is") {
  std::vector<std::byte> bytes(kSize);
  // A directory block with its log sequence number at byte 16; the uuid is all zeros, as the superblock's.
  const auto directory = [](std::uint64_t lsn) {
    return ByteWriter().big(0x58444433, 4).zeros(12).big(lsn, 8).zeros(104).bytes;
  };
  for (const std::uint64_t written : {0ULL, (1ULL << 32U) - 1, 1ULL << 32U, 2ULL << 32U, ~0ULL}) {
    INFO(written);
    const auto block = directory(written);
    std::copy(block.begin(), block.end(), bytes.begin() + 400 * 4096);
    LogBuilder log(bytes, kLogStart, kBlocks);
    log.record(change(kAt400, 'n'));
    const bool newer = written >= (1ULL << 32U) && written != ~0ULL;
    CHECK(replay(bytes).first_bytes == (newer ? "X.." : "n.."));
  }
}

TEST_CASE("an inode is made, then changed, and keeps what is newer") {
  std::vector<std::byte> bytes(kSize);
  LogBuilder log(bytes, kLogStart, kBlocks);
  OperationWriter made;
  made.start();
  made.operation(0, ByteWriter()
                        .little(0x123f, 2)
                        .little(1, 2)
                        .big(0, 4)
                        .big(400, 4)
                        .big(8, 4)
                        .big(512, 4)
                        .big(1, 4)
                        .big(1, 4)
                        .bytes);
  made.commit();
  log.record(made);
  CHECK(replay(bytes).first_bytes == "I..");
  // Inode 3201: the second of the block. The small form of its item, with a directory of 8 bytes in it.
  const auto inode_change = [](std::uint16_t mode) {
    ByteWriter core;
    core.little(0x494e, 2)
        .little(mode, 2)
        .little(3, 1)
        .little(1, 1)
        .zeros(50)
        .little(8, 8)
        .zeros(88)
        .little(3201, 8)
        .zeros(16);
    OperationWriter changed;
    changed.start();
    changed.operation(0, ByteWriter()
                             .little(0x123b, 2)
                             .little(3, 2)
                             .little(3, 4)
                             .little(0, 2)
                             .little(8, 2)
                             .little(3201, 8)
                             .zeros(16)
                             .little(kAt400, 8)
                             .little(8, 4)
                             .little(512, 4)
                             .bytes);
    changed.operation(0, core.bytes).operation(0, ByteWriter().big(0x0102030405060708, 8).bytes).commit();
    return changed;
  };
  log.record(inode_change(0x41ed));
  MemorySource source(bytes);
  Budget budget(1'000'000, 100'000'000);
  XfsSuperblock current = superblock();
  auto opened = XfsLog::open(source, budget, current);
  REQUIRE(opened);
  XfsOverlay overlay(source);
  REQUIRE(replay_xfs_log(*opened, overlay, budget, current));
  std::vector<std::byte> inode(512);
  REQUIRE(overlay.read_at(400 * 4096 + 512, inode));
  CHECK(as_text(Bytes(inode).first(6)) == std::string_view("IN\x41\xed\x03\x01", 6));
  CHECK(inode[63] == std::byte{8});               // the size, big-endian
  CHECK(inode[152 + 6] == std::byte{3201 >> 8});  // its number
  CHECK(inode[176 + 7] == std::byte{8});          // the fork
  CHECK(inode[112 + 3] == std::byte{1});          // the cycle of the change

  // One that was written in a later cycle is not changed back.
  for (const std::uint32_t cycle : {1U, 9U}) {
    std::vector<std::byte> disk(kSize);
    const auto newer =
        ByteWriter().big(0x494e, 2).big(0x8180, 2).zeros(108).big(std::uint64_t{cycle} << 32U, 8).bytes;
    std::copy(newer.begin(), newer.end(), disk.begin() + 400 * 4096 + 512);
    LogBuilder second(disk, kLogStart, kBlocks);
    second.record(inode_change(0x41ed));
    MemorySource other(disk);
    auto log_of_other = XfsLog::open(other, budget, current);
    REQUIRE(log_of_other);
    XfsOverlay over_other(other);
    REQUIRE(replay_xfs_log(*log_of_other, over_other, budget, current));
    REQUIRE(over_other.read_at(400 * 4096 + 512, inode));
    CHECK(inode[2] == (cycle == 9 ? std::byte{0x81} : std::byte{0x41}));
  }
}

TEST_CASE("logs that contradict themselves are refused") {
  std::vector<std::byte> bytes(kSize);
  LogBuilder log(bytes, kLogStart, kBlocks);
  SECTION("a transaction without a header") {
    OperationWriter operations;
    operations.operation(1, {}).operation(0, text('x')).commit();
    log.record(operations);
    CHECK(replay(bytes).error.find("without a header") != std::string::npos);
  }
  SECTION("an item of no regions") {
    OperationWriter operations;
    operations.start().operation(0, ByteWriter().zeros(28).bytes).commit();
    log.record(operations);
    CHECK(replay(bytes).error.find("does not say what it is") != std::string::npos);
  }
  SECTION("a block past the end") {
    log.record(change(kSize / 512, 'x'));
    CHECK(replay(bytes).error.find("outside of the file system") != std::string::npos);
  }
  SECTION("a block past all ends") {
    log.record(change(~0ULL, 'x'));
    CHECK(replay(bytes).error.find("outside of the file system") != std::string::npos);
  }
  SECTION("a chunk past its block") {
    OperationWriter operations;
    operations.start().buffer(kAt400, 1, 4, text('x')).commit();
    log.record(operations);
    CHECK(replay(bytes).error.find("does not fit its block") != std::string::npos);
  }
  SECTION("an inode outside of the file system") {
    OperationWriter operations;
    operations.start();
    operations.operation(0, ByteWriter()
                                .little(0x123b, 2)
                                .little(2, 2)
                                .little(1, 4)
                                .zeros(28)
                                .big(~0ULL, 8)
                                .little(8, 4)
                                .little(0, 4)
                                .bytes);
    operations.operation(0, text('x', 176)).commit();
    log.record(operations);
    CHECK(replay(bytes).error.find("outside of the file system") != std::string::npos);
  }
  SECTION("new inodes where no block is") {
    OperationWriter operations;
    operations.start();
    operations.operation(0, ByteWriter()
                                .little(0x123f, 2)
                                .little(1, 2)
                                .big(0, 4)
                                .big(511, 4)
                                .big(16, 4)
                                .big(512, 4)
                                .big(2, 4)
                                .big(1, 4)
                                .bytes);
    operations.commit();
    log.record(operations);
    CHECK(replay(bytes).error.find("do not fit the file system") != std::string::npos);
  }
  SECTION("a file system's that is another") {
    log.uuid[3] = std::byte{1};
    log.record(change(kAt400, 'x'));
    CHECK(replay(bytes).error.find("another file system") != std::string::npos);
  }
}
