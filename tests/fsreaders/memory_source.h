// SPDX-License-Identifier: LGPL-2.1-or-later
// A BlockSource over bytes in memory that counts its reads and can be made to fail: for tests.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs::test {

class MemorySource final : public BlockSource {
 public:
  explicit MemorySource(std::vector<std::byte> bytes, std::uint32_t disk = 0)
      : bytes_(std::move(bytes)), disk_(disk) {}

  /// The bytes of a file of the test's own; empty where it cannot be read.
  [[nodiscard]] static std::vector<std::byte> bytes_of_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }

  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const std::uint64_t index = reads_++;
    bytes_read_ += out.size();
    if (index >= fail_from_ && index - fail_from_ < fail_count_) {
      errno = EIO;
      return fail_errno("reading " + std::to_string(out.size()) + " bytes", where(offset));
    }
    if (bad_range_ && offset < bad_range_->second && bad_range_->first < offset + out.size()) {
      errno = EIO;
      return fail_errno("reading " + std::to_string(out.size()) + " bytes", where(offset));
    }
    if (!range_inside<std::uint64_t>(offset, out.size(), bytes_.size()))
      return fail(ErrorCode::kDamaged, "a read past the end", where(offset));
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }

  [[nodiscard]] Result<DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override {
    if (length == 0 || offset >= bytes_.size())
      return fail(ErrorCode::kDamaged, "no bytes there", where(offset));
    return DiskExtent{disk_, offset, std::min<std::uint64_t>(length, bytes_.size() - offset)};
  }

  /// The bytes themselves, to be changed by the test.
  [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }

  /// Read calls and bytes asked for so far.
  [[nodiscard]] std::uint64_t reads() const { return reads_; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  void reset_counters() { reads_ = bytes_read_ = 0; }

  /// The next `count` reads after `after` more good ones fail with EIO.
  void fail_reads(std::uint64_t after, std::uint64_t count = std::numeric_limits<std::uint64_t>::max()) {
    fail_from_ = reads_ + after;
    fail_count_ = count;
  }
  /// Reads that touch [begin, end) fail with EIO, as from a disk with bad sectors.
  void make_bad(std::uint64_t begin, std::uint64_t end) { bad_range_ = {begin, end}; }

 private:
  [[nodiscard]] std::string where(std::uint64_t offset) const {
    return "disk " + std::to_string(disk_) + ", offset " + std::to_string(offset);
  }

  std::vector<std::byte> bytes_;
  std::uint32_t disk_;
  std::uint64_t reads_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t fail_from_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t fail_count_ = 0;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> bad_range_;
};

}  // namespace pvhgrub::fs::test
