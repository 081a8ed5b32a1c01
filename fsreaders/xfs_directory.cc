// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: "XFS Algorithms & Data Structures", "Directories".
#include "fsreaders/xfs_directory.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fsreaders/xfs_extents.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint32_t kBlockMagic = 0x58443242;   // "XD2B": a directory of one block, with its index
constexpr std::uint32_t kBlockMagic3 = 0x58444233;  // "XDB3", version 5
constexpr std::uint32_t kDataMagic = 0x58443244;    // "XD2D": one of several blocks
constexpr std::uint32_t kDataMagic3 = 0x58444433;   // "XDD3", version 5
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kHeaderBytes3 = 64;
constexpr XfsHeaderPlaces kPlaces{.checksum = 4, .place = 8, .uuid = 24, .owner = 40};
constexpr std::uint16_t kUnusedTag = 0xffff;
// Entries lie in the first 32 GiB of a directory's own space, its indexes behind.
constexpr std::uint64_t kEntrySpace = std::uint64_t{1} << 35U;

// What the kernel's xfs_dir3_get_dtype makes of the stored type.
std::optional<FileType> file_type_of(std::uint8_t stored) {
  switch (stored) {
    case 1:
      return FileType::kRegular;
    case 2:
      return FileType::kDirectory;
    case 7:
      return FileType::kSymlink;
    case 3:
    case 4:
    case 5:
    case 6:
    case 8:
      return FileType::kOther;
    default:
      return std::nullopt;
  }
}

// As mkfs.xfs -n version=ci has it: letters of ASCII, and what are letters in ISO 8859-1.
std::string fold_case(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    const auto value = static_cast<unsigned char>(c);
    const bool upper = (value >= 'A' && value <= 'Z') || (value >= 0xc0 && value <= 0xde && value != 0xd7);
    if (upper) c = static_cast<char>(value + 0x20U);
  }
  return folded;
}

class DirectoryReader {
 public:
  DirectoryReader(XfsVolume& volume, const XfsInode& inode)
      : volume_(volume),
        inode_(inode),
        listing_(volume.superblock().folds_case ? fold_case : nullptr),
        type_bytes_(volume.superblock().file_types ? 1 : 0) {}

  Result<DirectoryListing> read() {
    PVHGRUB_TRY(inode_.format == XfsFork::kLocal ? read_short_form() : read_blocks());
    listing_.finish();
    return std::move(listing_);
  }

 private:
  // In the inode itself: a count, whether inode numbers take eight bytes, the parent, then the entries.
  Result<void> read_short_form() {
    if (inode_.size > inode_.fork.size()) return inode_.damaged("a directory larger than its inode");
    ByteReader reader(Bytes(inode_.fork).first(static_cast<std::size_t>(inode_.size)));
    PVHGRUB_TRY_ASSIGN(const std::uint8_t count, reader.big_endian<std::uint8_t>());
    PVHGRUB_TRY_ASSIGN(const std::uint8_t wide, reader.big_endian<std::uint8_t>());
    PVHGRUB_TRY(reader.skip(wide != 0 ? 8 : 4));
    PVHGRUB_TRY(volume_.budget().charge_steps(count, "reading a directory"));
    for (unsigned i = 0; i < count; ++i) {
      PVHGRUB_TRY_ASSIGN(const std::uint8_t length, reader.big_endian<std::uint8_t>());
      PVHGRUB_TRY(reader.skip(2));  // where the entry would lie in a block
      PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(length));
      std::uint8_t type = 0;
      if (type_bytes_ != 0) {
        PVHGRUB_TRY_ASSIGN(type, reader.big_endian<std::uint8_t>());
      }
      std::uint64_t number = 0;
      if (wide != 0) {
        PVHGRUB_TRY_ASSIGN(number, reader.big_endian<std::uint64_t>());
      } else {
        PVHGRUB_TRY_ASSIGN(number, reader.big_endian<std::uint32_t>());
      }
      PVHGRUB_TRY(listing_.add(as_text(name), number, file_type_of(type)));
    }
    return {};
  }

  Result<void> read_blocks() {
    const XfsSuperblock& superblock = volume_.superblock();
    const std::uint64_t per_block = superblock.directory_block_size / superblock.block_size;
    PVHGRUB_TRY_ASSIGN(const BlockRuns runs,
                       read_xfs_runs(volume_, inode_, kEntrySpace / superblock.block_size));
    std::vector<std::byte> block(superblock.directory_block_size);
    for (std::uint64_t at = 0;; at += per_block) {
      // A directory block may lie in pieces, and whole ones may be holes.
      auto run = find_run(runs, at);
      if (run == runs.end()) return {};
      if (run->logical > at) at = run->logical / per_block * per_block;
      const std::uint64_t start = (run->physical + (at - std::min<std::uint64_t>(at, run->logical)));
      for (std::uint64_t i = 0; i < per_block; ++i) {
        while (run != runs.end() && run->logical_end() <= at + i) ++run;
        if (run == runs.end() || run->logical > at + i)
          return inode_.damaged("a part of a directory block is missing");
        const std::uint64_t place = (run->physical + (at + i - run->logical)) * superblock.block_size;
        PVHGRUB_TRY(volume_.read_metadata(
            place, std::span(block).subspan(static_cast<std::size_t>(i) * superblock.block_size,
                                            superblock.block_size)));
      }
      PVHGRUB_TRY(read_block(block, start * superblock.block_size));
    }
  }

  // `offset`: where its first part lies.
  Result<void> read_block(Bytes block, std::uint64_t offset) {
    const XfsFields fields(block);
    const bool checksums = volume_.superblock().checksums;
    const std::uint32_t magic = fields.u32(0);
    const bool alone = magic == (checksums ? kBlockMagic3 : kBlockMagic);
    if (!alone && magic != (checksums ? kDataMagic3 : kDataMagic))
      return XfsVolume::damaged_block("a directory block", "has no magic number", offset);
    PVHGRUB_TRY(volume_.check_header(block, offset, kPlaces, inode_.number, "a directory block"));
    std::size_t end = block.size();
    if (alone) {  // eight bytes for each name's hash, and a tail of eight
      const std::uint64_t index = 8 + std::uint64_t{fields.u32(block.size() - 8)} * 8;
      if (index > block.size()) return misfit(offset);
      end -= static_cast<std::size_t>(index);
    }
    for (std::size_t at = checksums ? kHeaderBytes3 : kHeaderBytes; at < end;) {
      PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading a directory"));
      const bool unused = fields.u16(at) == kUnusedTag;
      const std::size_t name_length = fields.u8(at + 8);
      // An inode number, a length, the name, its type, where the entry begins; a multiple of eight in all.
      const std::size_t length = unused ? fields.u16(at + 2) : (11 + name_length + type_bytes_ + 7) / 8 * 8;
      if (length == 0 || length % 8 != 0 || length > end - at || fields.u16(at + length - 2) != at)
        return misfit(offset);
      if (!unused)
        PVHGRUB_TRY(
            listing_.add(as_text(fields.run(at + 9, name_length)), fields.u64(at),
                         type_bytes_ != 0 ? file_type_of(fields.u8(at + 9 + name_length)) : std::nullopt));
      at += length;
    }
    return {};
  }

  static std::unexpected<Error> misfit(std::uint64_t offset) {
    return XfsVolume::damaged_block("a directory block", "has entries that do not fit into it", offset);
  }

  XfsVolume& volume_;
  const XfsInode& inode_;
  DirectoryListing listing_;
  std::size_t type_bytes_;
};

}  // namespace

Result<DirectoryListing> read_xfs_directory(XfsVolume& volume, const XfsInode& inode) {
  return DirectoryReader(volume, inode).read();
}

}  // namespace pvhgrub::fs
