// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "base/checked.h"

namespace pvhgrub::fs {
namespace {

std::string where_on(const std::string& disk, std::uint64_t offset) {
  return disk + ", byte " + std::to_string(offset);
}

bool is_sector_size(std::uint32_t size) {
  return size == 0 || (std::has_single_bit(size) && size >= 512 && size <= 65'536);
}

}  // namespace

Result<std::unique_ptr<Disk>> Disk::open(const DiskInput& input, std::uint32_t number) {
  const std::string name = "hd" + std::to_string(number);
  if (!is_sector_size(input.sector_size))
    return fail(ErrorCode::kInternal,
                "a logical sector of " + std::to_string(input.sector_size) + " bytes was reported", name);
  // pread(2) counts in off_t, which is signed.
  if (!checked_cast<off_t>(input.size))
    return fail(ErrorCode::kInternal, "a size of " + std::to_string(input.size) + " bytes was reported",
                name);
  if (input.size == 0) return fail(ErrorCode::kDamaged, "the disk is empty (0 bytes)", name);
  const std::uint64_t begin = input.has_offset ? input.offset : 0;
  if (begin >= input.size)
    return fail(ErrorCode::kUsage,
                "the offset " + std::to_string(begin) + " lies past the disk's end; it has " +
                    std::to_string(input.size) + " bytes",
                name);
  if (input.block_device) {
    // A guest's writes through blkback go past dom0's page cache, so a page that dom0 holds (somebody has the
    // device open, or looked at it earlier) may be older than the disk. Booting it would be a guess: no
    // result without it.
    if (const int error = posix_fadvise(input.fd, 0, 0, POSIX_FADV_DONTNEED); error != 0) {
      errno = error;
      return fail_errno("dropping old cached pages of the block device", name);
    }
  }
  return std::unique_ptr<Disk>(new Disk(input, number, input.size - begin));
}

Result<void> Disk::read_at(std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t begin = input_.size - size_;
  if (!range_inside<std::uint64_t>(offset, out.size(), size_))
    return fail(ErrorCode::kDamaged,
                "something points past the disk's end: " + std::to_string(out.size()) +
                    " bytes from here, but the disk ends at byte " + std::to_string(input_.size),
                where_on(name(), begin + std::min(offset, UINT64_MAX - begin)));
  std::uint64_t position = begin + offset;  // both inside input_.size, which fits an off_t
  while (!out.empty()) {
    const ssize_t count = pread(input_.fd, out.data(), out.size(), static_cast<off_t>(position));
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail_errno("reading " + std::to_string(out.size()) + " bytes", where_on(name(), position));
    }
    if (count == 0)
      return fail(ErrorCode::kIo,
                  "the disk ends here, although it had " + std::to_string(input_.size) +
                      " bytes when it was opened: it was made shorter in the meantime",
                  where_on(name(), position));
    out = out.subspan(static_cast<std::size_t>(count));
    position += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<DiskExtent> Disk::locate(std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t begin = input_.size - size_;
  if (length == 0 || offset >= size_)
    return fail(ErrorCode::kDamaged, "something points past the disk's end",
                where_on(name(), begin + std::min(offset, UINT64_MAX - begin)));
  return DiskExtent{number_, begin + offset, std::min(length, size_ - offset)};
}

}  // namespace pvhgrub::fs
