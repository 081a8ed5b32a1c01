// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes that can be read at any place: a file of a guest, a file of the host, memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::bootimage {

/// Bytes of a known number, readable at any offset. Offsets and sizes are bytes from the first one.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Fills all of `out` from `offset`. kDamaged where that does not lie within size(); else whatever made the
  /// reading fail.
  [[nodiscard]] virtual Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) = 0;
};

/// Bytes in memory, which must live as long as the source does.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  Bytes bytes_;
};

/// A regular file of the host, by pread(2) on a descriptor that the caller keeps open.
class DescriptorSource final : public ByteSource {
 public:
  DescriptorSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  int descriptor_;
  std::uint64_t size_;
};

/// A run of another source, which must live as long as this one. The caller has checked that it lies within.
class PartSource final : public ByteSource {
 public:
  PartSource(ByteSource& whole, std::uint64_t offset, std::uint64_t size)
      : whole_(whole), offset_(offset), size_(size) {}
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  ByteSource& whole_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

/// `count` bytes from `offset`, charged to the budget before memory is taken. `what` names them in errors.
[[nodiscard]] Result<std::vector<std::byte>> read_bytes(ByteSource& source, std::uint64_t offset,
                                                        std::uint64_t count, Budget& budget,
                                                        std::string_view what);

/// As read_bytes() from the start, but only as many as there are.
[[nodiscard]] Result<std::vector<std::byte>> read_start(ByteSource& source, std::uint64_t count,
                                                        Budget& budget, std::string_view what);

}  // namespace pvhgrub::bootimage
