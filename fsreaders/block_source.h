// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace pvhgrub::fs {

/// A run of bytes on one of the request's disks, as the broker sees it: it alone copies such runs.
struct DiskExtent {
  std::uint32_t disk = 0;    ///< number of the disk in the request, from 0
  std::uint64_t offset = 0;  ///< bytes from the disk's start
  std::uint64_t length = 0;  ///< bytes
  friend bool operator==(const DiskExtent&, const DiskExtent&) = default;
};

/// Whether two extents, each inside a disk, share a byte.
[[nodiscard]] inline bool overlap(const DiskExtent& a, const DiskExtent& b) {
  return a.disk == b.disk && a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

class ContentSink;

/// Random-access bytes: a disk, a partition of one, a volume made of several, a file opened as a disk.
class BlockSource {
 public:
  BlockSource() = default;
  BlockSource(const BlockSource&) = delete;
  BlockSource& operator=(const BlockSource&) = delete;
  virtual ~BlockSource() = default;

  /// Bytes, fixed for the life of the source.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// Fills `out` with the bytes from `offset` (bytes); all of it or an error that tells the disk offset.
  [[nodiscard]] virtual Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;

  /// Where the bytes from `offset` lie as they are on a disk: an extent that starts there and is at most
  /// `length` bytes and at least 1, or an error when they lie nowhere as they are (transformed, or past the
  /// end). The rest of a range that is cut short is found by asking again.
  [[nodiscard]] virtual Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) = 0;

  /// Sends the bytes [offset, offset + length), which lie inside the source, in order: as extents what lies
  /// on a disk as it is. A source of which not everything does (see locate) sends the rest as holes or bytes.
  [[nodiscard]] virtual Result<void> send(std::uint64_t offset, std::uint64_t length, ContentSink& sink);
};

}  // namespace pvhgrub::fs
