// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_format.h"

#include <ext2fs/ext2fs.h>

#include <string>

namespace pvhgrub::fs {

namespace {

// Feature bits of the journal superblock (kernel documentation, "jbd2_compat" and "jbd2_incompat").
constexpr std::uint32_t kCompatChecksum = 0x1;
constexpr std::uint32_t kIncompatRevoke = 0x1;
constexpr std::uint32_t kIncompat64Bit = 0x2;
constexpr std::uint32_t kIncompatAsyncCommit = 0x4;
constexpr std::uint32_t kIncompatChecksumV2 = 0x8;
constexpr std::uint32_t kIncompatChecksumV3 = 0x10;
constexpr std::uint32_t kIncompatFastCommit = 0x20;
constexpr std::uint32_t kKnownIncompat = kIncompatRevoke | kIncompat64Bit | kIncompatAsyncCommit |
                                         kIncompatChecksumV2 | kIncompatChecksumV3 | kIncompatFastCommit;

// Flags of a tag ("jbd2_tag_flags").
constexpr std::uint32_t kTagEscaped = 0x1;
constexpr std::uint32_t kTagSameUuid = 0x2;
constexpr std::uint32_t kTagLast = 0x8;

constexpr std::uint8_t kChecksumTypeCrc32c = 4;
constexpr std::size_t kSuperblockChecksumField = 0xfc;
constexpr std::size_t kCommitChecksumField = 0x10;
constexpr std::size_t kCommitHeaderBytes = 60;
// Used where the superblock leaves the number of fast commit blocks at 0.
constexpr std::uint32_t kDefaultFastCommitBlocks = 256;
// jbd2 takes no journal whose ring is shorter.
constexpr std::uint32_t kMinimumJournalBlocks = 1024;

constexpr std::string_view kAdvice = "; run e2fsck on the file system";

std::unexpected<Error> damaged(std::string message) {
  return fail(ErrorCode::kDamaged, "the journal's superblock: " + std::move(message) + std::string(kAdvice));
}

// A number at a fixed offset of bytes that the caller has checked to be long enough.
std::uint32_t u32(Bytes bytes, std::size_t offset) {
  return ByteReader(bytes.subspan(offset)).big_endian<std::uint32_t>().value_or(0);
}

Result<void> read_features(Bytes bytes, JournalSuperblock& superblock) {
  const std::uint32_t compat = u32(bytes, 0x24);
  const std::uint32_t incompat = u32(bytes, 0x28);
  if ((incompat & ~kKnownIncompat) != 0)
    return fail(ErrorCode::kUnsupported,
                "the journal has features that this program does not know (incompatible feature bits " +
                    std::to_string(incompat) +
                    "); let the guest's own system replay it, or run e2fsck on the file system");
  const bool v1 = (compat & kCompatChecksum) != 0;
  const bool v2 = (incompat & kIncompatChecksumV2) != 0;
  const bool v3 = (incompat & kIncompatChecksumV3) != 0;
  if ((v1 ? 1 : 0) + (v2 ? 1 : 0) + (v3 ? 1 : 0) > 1) return damaged("two kinds of checksum at once");
  if (v1) superblock.checksum = JournalChecksum::kV1;
  if (v2) superblock.checksum = JournalChecksum::kV2;
  if (v3) superblock.checksum = JournalChecksum::kV3;
  superblock.wide_blocks = (incompat & kIncompat64Bit) != 0;
  superblock.async_commit = (incompat & kIncompatAsyncCommit) != 0;
  superblock.fast_commit = (incompat & kIncompatFastCommit) != 0;
  superblock.checksum_seed = journal_crc32c(~std::uint32_t{0}, bytes.subspan(0x30, 16));
  if (!superblock.checksums_blocks()) return {};
  if (std::to_integer<std::uint8_t>(bytes[0x50]) != kChecksumTypeCrc32c)
    return damaged("unknown kind of checksum");
  if (journal_crc32c_without(~std::uint32_t{0}, bytes, kSuperblockChecksumField) !=
      u32(bytes, kSuperblockChecksumField))
    return damaged("its checksum is wrong");
  return {};
}

// The fast commit area takes the journal's end; one block between it and the ring stays unused, since jbd2
// counts so.
void split_fast_commit_area(Bytes bytes, JournalSuperblock& superblock) {
  if (!superblock.fast_commit) return;
  const std::uint32_t stored = u32(bytes, 0x54);
  const std::uint32_t count = stored == 0 ? kDefaultFastCommitBlocks : stored;
  superblock.fast_commit_end = superblock.end;
  if (count < superblock.end && superblock.end - count >= kMinimumJournalBlocks) superblock.end -= count;
  superblock.fast_commit_first = superblock.end + 1;
}

}  // namespace

std::optional<JournalHeader> parse_journal_header(Bytes block) {
  if (block.size() < kJournalHeaderBytes || u32(block, 0) != kJournalMagic) return std::nullopt;
  return JournalHeader{u32(block, 4), u32(block, 8)};
}

Result<JournalSuperblock> parse_journal_superblock(Bytes bytes, std::uint32_t block_size,
                                                   std::uint64_t blocks) {
  if (bytes.size() < kJournalSuperblockBytes) return damaged("cut off");
  bytes = bytes.first(kJournalSuperblockBytes);
  const std::optional<JournalHeader> header = parse_journal_header(bytes);
  const bool version_1 = header && header->type == std::uint32_t(JournalBlockType::kSuperblockV1);
  if (!header || (!version_1 && header->type != std::uint32_t(JournalBlockType::kSuperblockV2)))
    return damaged("it is not one");
  JournalSuperblock superblock;
  superblock.block_size = u32(bytes, 0x0c);
  superblock.end = u32(bytes, 0x10);
  superblock.first = u32(bytes, 0x14);
  superblock.sequence = u32(bytes, 0x18);
  superblock.start = u32(bytes, 0x1c);
  if (superblock.block_size != block_size)
    return damaged("blocks of " + std::to_string(superblock.block_size) + " bytes in a file system of " +
                   std::to_string(block_size));
  if (superblock.end > blocks)
    return damaged(std::to_string(superblock.end) + " blocks in a file of " + std::to_string(blocks));
  if (!version_1) PVHGRUB_TRY(read_features(bytes, superblock));
  split_fast_commit_area(bytes, superblock);
  if (superblock.first == 0 || superblock.first >= superblock.end)
    return damaged("the log begins at block " + std::to_string(superblock.first) + " of " +
                   std::to_string(superblock.end));
  if (superblock.start != 0 && (superblock.start < superblock.first || superblock.start >= superblock.end))
    return damaged("the oldest transaction is at block " + std::to_string(superblock.start) +
                   ", outside the log");
  return superblock;
}

std::vector<JournalTag> parse_journal_tags(Bytes block, const JournalSuperblock& superblock) {
  const bool v3 = superblock.checksum == JournalChecksum::kV3;
  std::size_t tag_bytes = superblock.wide_blocks ? 12 : 8;
  // v2 tags are two bytes longer than their fields: an accident of jbd2 that became the format.
  if (superblock.checksum == JournalChecksum::kV2) tag_bytes += 2;
  if (v3) tag_bytes = 16;
  const std::size_t end = block.size() - superblock.tail_bytes();
  std::vector<JournalTag> tags;
  for (std::size_t offset = kJournalHeaderBytes; offset + tag_bytes <= end;) {
    const std::uint32_t word = u32(block, offset + 4);  // v3: flags; else checksum and flags, 16 bits each
    const std::uint32_t flags = word & 0xffff;
    JournalTag tag;
    tag.block = u32(block, offset);
    if (superblock.wide_blocks) tag.block |= std::uint64_t{u32(block, offset + 8)} << 32U;
    tag.checksum = v3 ? u32(block, offset + 12) : word >> 16U;
    tag.escaped = (flags & kTagEscaped) != 0;
    tags.push_back(tag);
    if ((flags & kTagLast) != 0) break;
    offset += tag_bytes + ((flags & kTagSameUuid) != 0 ? 0 : 16);
  }
  return tags;
}

Result<std::vector<std::uint64_t>> parse_revoke_records(Bytes block, const JournalSuperblock& superblock) {
  ByteReader reader(block);
  PVHGRUB_TRY(reader.skip(kJournalHeaderBytes));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count,
                     reader.big_endian<std::uint32_t>());  // bytes, this header included
  if (count > block.size() - superblock.tail_bytes())
    return fail(ErrorCode::kDamaged, "a revoke block claims " + std::to_string(count) + " bytes");
  std::vector<std::uint64_t> blocks;
  const std::size_t record_bytes = superblock.wide_blocks ? 8 : 4;
  while (reader.position() + record_bytes <= count) {
    if (superblock.wide_blocks) {
      PVHGRUB_TRY_ASSIGN(const std::uint64_t number, reader.big_endian<std::uint64_t>());
      blocks.push_back(number);
    } else {
      PVHGRUB_TRY_ASSIGN(const std::uint32_t number, reader.big_endian<std::uint32_t>());
      blocks.push_back(number);
    }
  }
  return blocks;
}

Result<JournalCommit> parse_journal_commit(Bytes block) {
  if (block.size() < kCommitHeaderBytes) return fail(ErrorCode::kDamaged, "a commit block is cut off");
  JournalCommit commit;
  commit.checksum_type = std::to_integer<std::uint8_t>(block[0x0c]);
  commit.checksum_size = std::to_integer<std::uint8_t>(block[0x0d]);
  commit.checksum = u32(block, kCommitChecksumField);
  commit.seconds = (std::uint64_t{u32(block, 0x30)} << 32U) | u32(block, 0x34);
  return commit;
}

std::uint32_t journal_crc32c(std::uint32_t seed, Bytes bytes) {
  // libext2fs takes unsigned char, which may view any object's bytes (basic.lval).
  return ext2fs_crc32c_le(seed, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::uint32_t journal_crc32c_without(std::uint32_t seed, Bytes bytes, std::size_t field) {
  constexpr std::array<std::byte, 4> kZeros{};
  const std::uint32_t before = journal_crc32c(seed, bytes.first(field));
  return journal_crc32c(journal_crc32c(before, kZeros), bytes.subspan(field + kZeros.size()));
}

bool descriptor_checksum_holds(Bytes block, const JournalSuperblock& superblock) {
  if (!superblock.checksums_blocks()) return true;
  const std::size_t field = block.size() - superblock.tail_bytes();
  return journal_crc32c_without(superblock.checksum_seed, block, field) == u32(block, field);
}

bool commit_checksum_holds(Bytes block, const JournalSuperblock& superblock) {
  if (!superblock.checksums_blocks()) return true;
  const std::uint32_t stored = u32(block, kCommitChecksumField);
  if (journal_crc32c_without(superblock.checksum_seed, block, kCommitChecksumField) == stored) return true;
  // A commit block whose first sector alone reached the disk: the rest was zeros when the checksum was made,
  // and Linux takes such a block since it holds all that a commit says.
  const std::uint32_t header =
      journal_crc32c_without(superblock.checksum_seed, block.first(kCommitHeaderBytes), kCommitChecksumField);
  const std::vector<std::byte> zeros(block.size() - kCommitHeaderBytes);
  return journal_crc32c(header, zeros) == stored;
}

bool data_checksum_holds(Bytes block, std::uint32_t checksum, std::uint32_t sequence,
                         const JournalSuperblock& superblock) {
  if (!superblock.checksums_blocks()) return true;
  std::array<std::byte, 4> big_endian{};
  for (std::size_t i = 0; i < big_endian.size(); ++i)
    big_endian[i] = static_cast<std::byte>((sequence >> (24 - 8 * i)) & 0xffU);
  const std::uint32_t computed = journal_crc32c(journal_crc32c(superblock.checksum_seed, big_endian), block);
  return superblock.checksum == JournalChecksum::kV3 ? computed == checksum
                                                     : (computed & 0xffffU) == checksum;
}

}  // namespace pvhgrub::fs
