// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_source.h"

#include <algorithm>

#include "base/checked.h"

namespace pvhgrub::fs {

Result<void> PartitionSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  const std::string where = name_ + ", byte " + std::to_string(offset) + " of the partition";
  if (!range_inside<std::uint64_t>(offset, out.size(), size_))
    return fail(ErrorCode::kDamaged,
                "something points past the partition's end: " + std::to_string(out.size()) +
                    " bytes from here, but it has " + std::to_string(size_),
                where);
  if (!range_inside<std::uint64_t>(offset_ + offset, out.size(), disk_.size()))
    return fail(ErrorCode::kDamaged,
                "the partition reaches to byte " + std::to_string(offset_ + size_) +
                    " of the disk, but the disk ends at byte " + std::to_string(disk_.size()) +
                    ": the image was cut short; copy it again in full",
                where);
  if (auto read = disk_.read_at(offset_ + offset, out); !read)
    return std::unexpected(at(name_, std::move(read).error()));
  return {};
}

Result<DiskExtent> PartitionSource::locate(std::uint64_t offset, std::uint64_t length) {
  if (offset >= size_)
    return fail(ErrorCode::kDamaged, "something points past the partition's end",
                name_ + ", byte " + std::to_string(offset) + " of the partition");
  auto extent = disk_.locate(offset_ + offset, std::min(length, size_ - offset));
  if (!extent) return std::unexpected(at(name_, std::move(extent).error()));
  return extent;
}

Result<void> PartitionSource::send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) {
  if (!range_inside<std::uint64_t>(offset, length, size_))
    return fail(ErrorCode::kDamaged, "something points past the partition's end",
                name_ + ", byte " + std::to_string(offset) + " of the partition");
  return disk_.send(offset_ + offset, length, sink);
}

}  // namespace pvhgrub::fs
