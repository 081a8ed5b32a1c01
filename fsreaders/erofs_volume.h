// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_decompression.h"
#include "fsreaders/block_source.h"
#include "fsreaders/erofs_superblock.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// One compressed cluster: where it is stored, and what it must give.
struct ErofsCluster {
  std::uint64_t offset = 0;     ///< bytes from the file system's start
  std::uint32_t length = 0;     ///< bytes
  std::uint32_t decoded = 0;    ///< bytes, at least 1
  std::uint32_t algorithm = 0;  ///< Z_EROFS_COMPRESSION_...
  bool whole = true;            ///< it gives no more than `decoded` bytes
  friend bool operator==(const ErofsCluster&, const ErofsCluster&) = default;
};

/// Compressed clusters, decompressed; the last ones are kept. Also the packed inode's contents.
class ErofsVolume {
 public:
  /// Both outlive the volume.
  ErofsVolume(BlockSource& source, Budget& budget, ErofsSuperblock superblock);
  ~ErofsVolume();
  ErofsVolume(const ErofsVolume&) = delete;
  ErofsVolume& operator=(const ErofsVolume&) = delete;

  [[nodiscard]] BlockSource& source() const { return source_; }
  [[nodiscard]] Budget& budget() const { return budget_; }
  [[nodiscard]] const ErofsSuperblock& superblock() const { return superblock_; }

  /// Decompresses a cluster into `out`, which has `decoded` bytes. kDamaged: it does not give as many.
  /// kUnsupported: an unknown algorithm, or more than Linux reads at once.
  [[nodiscard]] Result<void> decompress(const ErofsCluster& cluster, std::span<std::byte> out);
  /// What a cluster gives, kept for who comes back to it; lives until the next call.
  [[nodiscard]] Result<Bytes> decompressed(const ErofsCluster& cluster);

  /// The contents of the packed inode, where ends of files lie; opened when first asked for.
  [[nodiscard]] Result<File*> packed_file();

 private:
  struct Kept {
    ErofsCluster cluster;
    std::vector<std::byte> bytes;
  };

  [[nodiscard]] Result<Bytes> stored(std::uint64_t offset, std::size_t length);
  [[nodiscard]] Result<void> fill_window(std::uint64_t offset, std::size_t length);
  [[nodiscard]] std::vector<std::byte> make_room(std::size_t bytes);

  BlockSource& source_;
  Budget& budget_;
  ErofsSuperblock superblock_;
  std::vector<std::byte> window_;      // stored bytes that were read last
  std::uint64_t window_offset_ = 0;    // where they begin
  std::uint64_t expected_offset_ = 0;  // where a reader that goes on in order asks next
  std::list<Kept> kept_;               // the last used first
  std::size_t kept_bytes_ = 0;
  std::unique_ptr<File> packed_file_;
};

}  // namespace pvhgrub::fs
