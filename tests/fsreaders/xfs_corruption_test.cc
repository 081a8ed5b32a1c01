// SPDX-License-Identifier: LGPL-2.1-or-later
// Images with a few bytes of metadata changed and their checksums made right again: whatever a guest writes,
// reading ends, within the budget, with a value or an error. Worth most in a build with sanitizers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "fsreaders/xfs_fields.h"
#include "fsreaders/xfs_file_system.h"
#include "tests/fsreaders/ext_image.h"
#include "tests/fsreaders/memory_source.h"
#include "tests/fsreaders/read_everything.h"
#include "tests/fsreaders/xfs_log_builder.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

constexpr std::size_t kSector = 512;

/// A piece of metadata with a checksum of its own.
struct Piece {
  std::size_t offset = 0;
  std::size_t size = 0;
  std::size_t checksum = 0;  // offset in the piece
};

// All that a reader of files looks at, by its magic numbers.
std::vector<Piece> metadata(const std::vector<std::byte>& bytes, std::size_t block_size,
                            std::size_t directory_block_size, std::size_t inode_size) {
  std::vector<Piece> pieces;
  for (std::size_t offset = 0; offset + directory_block_size <= bytes.size(); offset += kSector) {
    const XfsFields fields(Bytes(bytes).subspan(offset));
    const bool block = offset % block_size == 0;
    if (offset == 0)
      pieces.push_back({offset, kSector, 224});
    else if (fields.u16(0) == 0x494e && fields.u8(4) <= 3 && offset % inode_size == 0 && fields.u16(2) != 0)
      pieces.push_back({offset, inode_size, 100});
    else if (block && (fields.u32(0) == 0x58444233 || fields.u32(0) == 0x58444433))
      pieces.push_back({offset, directory_block_size, 4});
    else if (block && fields.u32(0) == 0x424d4133)
      pieces.push_back({offset, block_size, 64});
    else if (block && fields.u32(0) == 0x58534c4d)
      pieces.push_back({offset, block_size, 12});
    else if (block &&
             (fields.u32(0) == 0x58443242 || fields.u32(0) == 0x58443244 || fields.u32(0) == 0x424d4150))
      pieces.push_back({offset, block_size, 0});
  }
  return pieces;
}

void seal(std::vector<std::byte>& bytes, const Piece& piece) {
  if (piece.checksum == 0) return;
  const auto run = std::span(bytes).subspan(piece.offset, piece.size);
  std::fill_n(run.begin() + static_cast<std::ptrdiff_t>(piece.checksum), 4, std::byte{0});
  const auto sum = ByteWriter().little(crc32c(run), 4).bytes;
  std::ranges::copy(sum, run.begin() + static_cast<std::ptrdiff_t>(piece.checksum));
}

// A tree with a fragmented file, a long link, a directory of several blocks: by mkfs.xfs -p.
bool make_image(const stdfs::path& base, const std::string& options) {
  const stdfs::path file = base / "contents";
  write_file(file, noise(30'000, 1));
  std::string proto =
      "boot\n0 0\nd--755 0 0\n vmlinuz ---644 0 0 " + file.string() + "\n link l--777 0 0 vmlinuz\n";
  proto += " up l--777 0 0 many/../vmlinuz\n";
  proto += " many d--755 0 0\n";
  for (int i = 0; i < 120; ++i)
    proto += "  " + std::string(40, 'n') + std::to_string(i) + " ---644 0 0 /dev/null\n";
  proto += " $\n some d--755 0 0\n";
  for (int i = 0; i < 12; ++i) proto += "  entry" + std::to_string(i) + " ---644 0 0 " + file.string() + "\n";
  proto += " $\n$\n";
  write_file(base / "proto", proto);
  return run_quietly("truncate -s 40M " + (base / "image").string() + " && mkfs.xfs --unsupported -q -f -p " +
                     (base / "proto").string() + " " + options + " " + (base / "image").string());
}

}  // namespace

TEST_CASE("changed metadata of XFS never crashes, hangs, or leads outside of the disk") {
  const TemporaryDirectory directory;
  struct Variant {
    const char* options;
    std::size_t block_size;
    std::size_t directory_block_size;
    std::size_t inode_size;
  };
  const Variant variant =
      GENERATE(values<Variant>({{"-d agcount=1 -b size=1024 -m reflink=0,finobt=0", 1024, 4096, 512},
                                {"-d agcount=2 -i nrext64=1", 4096, 4096, 512},
                                {"-d agcount=1 -m crc=0 -b size=512", 512, 4096, 256}}));
  if (!make_image(directory.path(), variant.options)) {
    WARN("skipped: mkfs.xfs is missing, or makes no small file systems");
    return;
  }
  std::vector<std::byte> bytes = MemorySource::bytes_of_file((directory.path() / "image").string());
  const std::vector<Piece> pieces =
      metadata(bytes, variant.block_size, variant.directory_block_size, variant.inode_size);
  INFO(variant.options << " with " << pieces.size() << " pieces of metadata");
  REQUIRE(pieces.size() > 10);
  MemorySource source(std::move(bytes));
  {
    Budget budget(200'000, 50U << 20U);
    const auto file_system = open_xfs_file_system(source, budget);
    REQUIRE(file_system);
    REQUIRE((*file_system)->list("/many")->size() == 120);
    REQUIRE(read_everything(**file_system, source.size()));
  }
  // Also a log that waits for replay, whose records hold changes made at random.
  const XfsFields superblock(source.bytes());
  const std::size_t log_start =
      static_cast<std::size_t>(superblock.u64(48) & ((1ULL << superblock.u8(124)) - 1)) * variant.block_size +
      static_cast<std::size_t>(superblock.u64(48) >> superblock.u8(124)) * superblock.u32(84) *
          variant.block_size;
  const auto log_blocks = static_cast<std::uint32_t>(superblock.u32(96) * variant.block_size / kSector);
  const Bytes uuid = superblock.run(32, 16);
  const std::vector<std::byte> log_uuid(uuid.begin(), uuid.end());
  const std::vector<std::byte> clean_log(
      source.bytes().begin() + static_cast<std::ptrdiff_t>(log_start),
      source.bytes().begin() + static_cast<std::ptrdiff_t>(log_start + log_blocks * kSector));

  std::mt19937 random(12345);
  unsigned opened = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::pair<Piece, std::vector<std::byte>>> before;
    for (unsigned change = 0; change <= random() % 4; ++change) {
      // The superblock now and then only: little of it can be another without an end to all.
      const Piece& piece = pieces[random() % 20 == 0 ? 0 : random() % pieces.size()];
      const auto run = std::span(source.bytes()).subspan(piece.offset, piece.size);
      before.emplace_back(piece, std::vector<std::byte>(run.begin(), run.end()));
      const std::size_t reach = random() % 2 == 0 ? piece.size : std::min<std::size_t>(piece.size, 200);
      run[random() % reach] = random() % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(random());
      seal(source.bytes(), piece);
    }
    if (round % 4 == 0) {
      LogBuilder log(source.bytes(), log_start, log_blocks, 2);
      log.uuid = log_uuid;
      OperationWriter operations;
      operations.start();
      const Piece& piece = pieces[random() % pieces.size()];
      std::vector<std::byte> chunk(128);
      for (std::byte& byte : chunk) byte = static_cast<std::byte>(random());
      operations.buffer(piece.offset / kSector, static_cast<std::uint16_t>(piece.size / kSector),
                        random() % 4, chunk);
      operations.commit();
      log.record(operations);
    }
    Budget budget(200'000, 50U << 20U);
    if (const auto file_system = open_xfs_file_system(source, budget)) {
      ++opened;
      CHECK(read_everything(**file_system, source.size()));
    } else {
      CHECK((file_system.error().code == ErrorCode::kDamaged ||
             file_system.error().code == ErrorCode::kUnsupported ||
             file_system.error().code == ErrorCode::kLimit));
    }
    std::ranges::reverse(before);
    for (const auto& [piece, old] : before)
      std::ranges::copy(old, source.bytes().begin() + static_cast<std::ptrdiff_t>(piece.offset));
    std::ranges::copy(clean_log, source.bytes().begin() + static_cast<std::ptrdiff_t>(log_start));
  }
  CHECK(opened > 200);  // else the changes hit nothing but the superblock
}

}  // namespace pvhgrub::fs::test
