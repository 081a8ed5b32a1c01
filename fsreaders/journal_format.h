// SPDX-License-Identifier: LGPL-2.1-or-later
// The on-disk journal of ext3 and ext4 (jbd2), all numbers big-endian.
// Layout: Linux kernel documentation, filesystems/ext4, "Journal (jbd2)".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::fs {

inline constexpr std::uint32_t kJournalMagic = 0xc03b3998;
inline constexpr std::size_t kJournalSuperblockBytes = 1024;
/// Bytes of the header that every journal block but a data block begins with.
inline constexpr std::size_t kJournalHeaderBytes = 12;

enum class JournalBlockType : std::uint32_t {
  kDescriptor = 1,
  kCommit = 2,
  kSuperblockV1 = 3,
  kSuperblockV2 = 4,
  kRevoke = 5,
};

enum class JournalChecksum : std::uint8_t {
  kNone,
  kV1,  ///< CRC-32 of a transaction's descriptor and data blocks, in its commit block
  kV2,  ///< CRC-32C of each block; 16 bits of it in a data block's tag
  kV3,  ///< the same, all 32 bits
};

struct JournalHeader {
  std::uint32_t type = 0;
  std::uint32_t sequence = 0;
};

/// The header, or nothing where the block does not begin with the journal's magic.
[[nodiscard]] std::optional<JournalHeader> parse_journal_header(Bytes block);

struct JournalSuperblock {
  std::uint32_t block_size = 0;  ///< bytes
  std::uint32_t first = 0;       ///< journal block where the log's ring begins
  std::uint32_t end = 0;         ///< journal block where the ring ends (not in it)
  std::uint32_t start = 0;       ///< journal block of the oldest transaction; 0: nothing to replay
  std::uint32_t sequence = 0;    ///< sequence number of the oldest transaction
  JournalChecksum checksum = JournalChecksum::kNone;
  bool wide_blocks = false;  ///< 64-bit block numbers
  bool async_commit = false;
  bool fast_commit = false;
  std::uint32_t fast_commit_first = 0;  ///< first journal block of the fast commit area
  std::uint32_t fast_commit_end = 0;    ///< journal block where it ends (not in it)
  std::uint32_t checksum_seed = 0;      ///< CRC-32C of the journal's UUID

  /// Bytes at a descriptor or revoke block's end that hold its checksum.
  [[nodiscard]] std::size_t tail_bytes() const { return checksums_blocks() ? 4 : 0; }
  [[nodiscard]] bool checksums_blocks() const {
    return checksum == JournalChecksum::kV2 || checksum == JournalChecksum::kV3;
  }
};

/// `bytes`: kJournalSuperblockBytes; `block_size`: the file system's, in bytes; `blocks`: the journal file's
/// length.
[[nodiscard]] Result<JournalSuperblock> parse_journal_superblock(Bytes bytes, std::uint32_t block_size,
                                                                 std::uint64_t blocks);

/// One tag of a descriptor block: where the data block that follows in the log belongs.
struct JournalTag {
  std::uint64_t block = 0;     ///< file system block
  std::uint32_t checksum = 0;  ///< as stored: 16 bits with v2
  bool escaped = false;        ///< its first four bytes, the journal's magic, were replaced with zeros
};

/// All tags of a descriptor block.
[[nodiscard]] std::vector<JournalTag> parse_journal_tags(Bytes block, const JournalSuperblock& superblock);

/// The file system blocks that a revoke block names; kDamaged where its count runs past the block.
[[nodiscard]] Result<std::vector<std::uint64_t>> parse_revoke_records(Bytes block,
                                                                      const JournalSuperblock& superblock);

struct JournalCommit {
  std::uint8_t checksum_type = 0;
  std::uint8_t checksum_size = 0;
  std::uint32_t checksum = 0;
  std::uint64_t seconds = 0;  ///< since 1970
};
[[nodiscard]] Result<JournalCommit> parse_journal_commit(Bytes block);

/// CRC-32C as jbd2 and ext4 use it: no final inversion, started with `seed`.
[[nodiscard]] std::uint32_t journal_crc32c(std::uint32_t seed, Bytes bytes);
/// CRC-32C of `bytes` with the four bytes at `field` taken as zeros.
[[nodiscard]] std::uint32_t journal_crc32c_without(std::uint32_t seed, Bytes bytes, std::size_t field);

/// Whether a descriptor or revoke block's own checksum (v2, v3) holds; true where there is none.
[[nodiscard]] bool descriptor_checksum_holds(Bytes block, const JournalSuperblock& superblock);
/// The same of a commit block.
[[nodiscard]] bool commit_checksum_holds(Bytes block, const JournalSuperblock& superblock);
/// Whether a data block, as it lies in the journal, has the checksum of its tag; true where there is none.
[[nodiscard]] bool data_checksum_holds(Bytes block, std::uint32_t checksum, std::uint32_t sequence,
                                       const JournalSuperblock& superblock);

}  // namespace pvhgrub::fs
