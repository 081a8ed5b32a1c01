// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// The bytes of one partition of a disk.
class PartitionSource final : public BlockSource {
 public:
  /// `offset` and `size` in bytes, their sum fits 64 bits. The partition may reach past the disk's end, as a
  /// table may say: reads of what is not there fail. `disk` outlives this. `name` is the partition's, for
  /// messages.
  PartitionSource(BlockSource& disk, std::uint64_t offset, std::uint64_t size, std::string name)
      : disk_(disk), offset_(offset), size_(size), name_(std::move(name)) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  /// kDamaged: past the partition's or the disk's end. Else as the disk's own errors, with the partition's
  /// name.
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override;

 private:
  BlockSource& disk_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::string name_;
};

}  // namespace pvhgrub::fs
