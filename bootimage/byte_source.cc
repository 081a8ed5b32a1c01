// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/byte_source.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/checked.h"

namespace pvhgrub::bootimage {
namespace {

Result<void> check_range(std::uint64_t offset, std::uint64_t count, std::uint64_t size) {
  if (range_inside<std::uint64_t>(offset, count, size)) return {};
  return fail(ErrorCode::kDamaged, "it has " + std::to_string(size) + " bytes, and " + std::to_string(count) +
                                       " are wanted at " + std::to_string(offset));
}

}  // namespace

Result<void> MemorySource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  PVHGRUB_TRY(check_range(offset, out.size(), bytes_.size()));
  std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
  return {};
}

Result<void> DescriptorSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  PVHGRUB_TRY(check_range(offset, out.size(), size_));
  while (!out.empty()) {
    const ssize_t count = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read the image");
    if (count == 0) return fail(ErrorCode::kIo, "the image became shorter while it was read");
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> PartSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  PVHGRUB_TRY(check_range(offset, out.size(), size_));
  return whole_.read_at(offset_ + offset, out);
}

Result<std::vector<std::byte>> read_bytes(ByteSource& source, std::uint64_t offset, std::uint64_t count,
                                          Budget& budget, std::string_view what) {
  if (!range_inside<std::uint64_t>(offset, count, source.size()))
    return fail(ErrorCode::kDamaged, std::string(what) + " (" + std::to_string(count) + " bytes at " +
                                         std::to_string(offset) + ") would end behind the image's end at " +
                                         std::to_string(source.size()));
  PVHGRUB_TRY(budget.charge_bytes(count, what));
  std::vector<std::byte> bytes(count);
  PVHGRUB_TRY(source.read_at(offset, bytes));
  return bytes;
}

Result<std::vector<std::byte>> read_start(ByteSource& source, std::uint64_t count, Budget& budget,
                                          std::string_view what) {
  return read_bytes(source, 0, std::min(count, source.size()), budget, what);
}

}  // namespace pvhgrub::bootimage
