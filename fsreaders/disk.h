// SPDX-License-Identifier: LGPL-2.1-or-later
// One of the request's disks: an image file or a block device that the broker opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// What the broker knows of one disk before anything of it is parsed.
struct DiskInput {
  int fd = -1;             ///< open for reading; not owned; its file position is moved about (libfdisk seeks)
  std::uint64_t size = 0;  ///< bytes, by fstat(2) or BLKGETSIZE64: in here ioctl(2) is not allowed
  std::uint32_t sector_size =
      0;  ///< bytes of a logical sector as a block device reports it; 0: not known (a file)
  bool block_device = false;
  std::uint64_t offset = 0;  ///< bytes; with has_offset only what lies from here on is the disk
  bool has_offset = false;   ///< the file system begins at `offset`: no partition table is looked for
};

/// Reads a disk by pread(2). With DiskInput::has_offset position 0 is the byte at that offset.
class Disk final : public BlockSource {
 public:
  /// Opens disk `number` of the request (from 0). For a block device the cached pages are dropped first: the
  /// guest's last writes went past dom0's page cache, so it may hold old bytes. kIo; kUsage where the offset
  /// is past the end.
  [[nodiscard]] static Result<std::unique_ptr<Disk>> open(const DiskInput& input, std::uint32_t number);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  /// kDamaged: past the end. kIo: the host failed, or the disk has become shorter since it was opened.
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  /// Extents are counted from the file's or device's first byte, also with has_offset.
  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override;

  [[nodiscard]] const DiskInput& input() const { return input_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  /// "hd0": GRUB's name.
  [[nodiscard]] std::string name() const { return "hd" + std::to_string(number_); }

 private:
  Disk(const DiskInput& input, std::uint32_t number, std::uint64_t size)
      : input_(input), number_(number), size_(size) {}

  DiskInput input_;
  std::uint32_t number_;
  std::uint64_t size_;  ///< bytes from input_.offset to the end
};

}  // namespace pvhgrub::fs
