// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of a volume that is put together from several devices: an LVM logical volume, an MD array.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fsreaders/block_source.h"
#include "fsreaders/volume_layout.h"

namespace pvhgrub::fs {

/// One device that a segment lies on.
struct VolumeLeg {
  BlockSource* source = nullptr;  ///< nullptr: it is missing or its contents are stale
  std::uint64_t offset = 0;       ///< bytes from its start to where the segment's layout begins
};

/// A run of a volume's bytes that is spread in one way.
struct VolumeSegment {
  std::uint64_t length = 0;  ///< bytes, at least 1
  VolumeLayout layout;
  std::vector<VolumeLeg> legs;  ///< layout.legs of them
};

/// Whether each byte has a leg that is there.
[[nodiscard]] bool is_readable(const VolumeSegment& segment);

class VolumeSource final : public BlockSource {
 public:
  /// The segments follow one another; their lengths, and each leg's offset with what lies behind it, add up
  /// within 64 bits. What the legs refer to outlives this. `name` is the volume's, for messages.
  VolumeSource(std::string name, std::vector<VolumeSegment> segments);

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  /// Where a leg is missing or cannot be read, the next copy is tried.
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override;

 private:
  /// Length in bytes of what lies together from `offset`, which is inside the volume, and at most `length`;
  /// `use` is called for its copies until one succeeds.
  [[nodiscard]] Result<std::uint64_t> with_piece(
      std::uint64_t offset, std::uint64_t length,
      const std::function<Result<void>(BlockSource& source, std::uint64_t offset, std::uint64_t length)>& use)
      const;
  [[nodiscard]] std::unexpected<Error> past_end(std::uint64_t offset) const;

  std::string name_;
  std::vector<VolumeSegment> segments_;
  std::vector<std::uint64_t> ends_;  ///< of each segment, bytes from the volume's start
  std::uint64_t size_ = 0;
};

}  // namespace pvhgrub::fs
