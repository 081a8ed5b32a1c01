// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// A file of a file system as a disk, as GRUB's `loopback` makes one: whole sectors of 512 bytes, the last
/// one filled up with zeros. What lies as it is on a disk of the request is located there, through however
/// many file systems lie between.
class LoopbackSource final : public BlockSource {
 public:
  /// `name` is the disk's, for messages. The file system that the file belongs to outlives this.
  LoopbackSource(std::unique_ptr<File> file, std::string name);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  /// kUnsupported where the file's reader has these bytes only as bytes (a hole, compressed).
  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override;
  [[nodiscard]] Result<void> send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override;

 private:
  [[nodiscard]] std::unexpected<Error> past_end(std::uint64_t offset) const;

  std::unique_ptr<File> file_;
  std::string name_;
  std::uint64_t size_;  ///< the file's, rounded up to sectors
};

}  // namespace pvhgrub::fs
