// SPDX-License-Identifier: LGPL-2.1-or-later
// Logs of XFS made to order, also wrong ones: for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "fsreaders/xfs_superblock.h"

namespace pvhgrub::fs::test {

/// Numbers put one after another.
class ByteWriter {
 public:
  ByteWriter& big(std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) bytes.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
    return *this;
  }
  ByteWriter& little(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFF));
    return *this;
  }
  ByteWriter& run(Bytes more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  ByteWriter& zeros(std::size_t count) {
    bytes.resize(bytes.size() + count);
    return *this;
  }
  std::vector<std::byte> bytes;
};

/// Operations of one or more transactions, to be put into records.
class OperationWriter {
 public:
  explicit OperationWriter(std::uint32_t transaction = 7) : transaction_(transaction) {}

  OperationWriter& operation(std::uint8_t flags, Bytes data) {
    writer_.big(transaction_, 4).big(data.size(), 4).big(0x69, 1).big(flags, 1).big(0, 2).run(data);
    ++count;
    return *this;
  }
  OperationWriter& start() {
    operation(0x01, {});
    return operation(0, ByteWriter().little(0x5452414e, 4).little(40, 4).zeros(8).bytes);
  }
  OperationWriter& commit() { return operation(0x02, {}); }
  OperationWriter& unmount() { return operation(0x20, ByteWriter().little(0x556e, 2).zeros(6).bytes); }
  /// A buffer item that changes the chunk (128 bytes) of that number; the data may be several chunks long.
  OperationWriter& buffer(std::uint64_t block, std::uint16_t blocks, std::size_t chunk, Bytes data,
                          unsigned type = 0) {
    std::uint64_t map = 0;
    for (std::size_t i = 0; i < data.size() / 128; ++i) map |= std::uint64_t{1} << (chunk + i);
    operation(0, format(2, static_cast<std::uint16_t>(type << 11U), block, blocks, map));
    return operation(0, data);
  }
  OperationWriter& cancel(std::uint64_t block, std::uint16_t blocks) {
    return operation(0, format(1, 2, block, blocks, 0));
  }

  [[nodiscard]] const std::vector<std::byte>& bytes() const { return writer_.bytes; }
  std::uint32_t count = 0;

 private:
  static std::vector<std::byte> format(std::uint16_t regions, std::uint16_t flags, std::uint64_t block,
                                       std::uint16_t blocks, std::uint64_t map) {
    return ByteWriter()
        .little(0x123c, 2)
        .little(regions, 2)
        .little(flags, 2)
        .little(blocks, 2)
        .little(block, 8)
        .little(2, 4)
        .little(map, 8)
        .bytes;
  }
  std::uint32_t transaction_;
  ByteWriter writer_;
};

/// A log in a file system's bytes, record after record.
class LogBuilder {
 public:
  /// Writes into `bytes` from `start` (bytes) on, `blocks` of 512; the next record goes to `block` in
  /// `cycle`.
  LogBuilder(std::vector<std::byte>& bytes, std::size_t start, std::uint32_t blocks, std::uint32_t cycle = 1,
             std::uint32_t block = 0)
      : bytes_(bytes), start_(start), blocks_(blocks), cycle_(cycle), block_(block), tail_(lsn()) {
    // What was not written in this cycle was in the one before.
    for (std::uint32_t i = 0; i < blocks; ++i)
      put(i, 0, ByteWriter().big(cycle - (i < block ? 0 : 1), 4).bytes);
  }

  [[nodiscard]] std::uint64_t lsn() const { return std::uint64_t{cycle_} << 32U | block_; }
  void set_tail(std::uint64_t lsn) { tail_ = lsn; }

  /// The blocks of the log that the record takes. `window`: bytes of the largest record, which decides how
  /// many blocks its header has.
  std::pair<std::uint32_t, std::uint32_t> record(const OperationWriter& operations,
                                                 std::uint32_t window = 32768) {
    const std::uint32_t first = block_;
    const auto length = static_cast<std::uint32_t>(operations.bytes().size());
    const std::uint32_t headers = window > 32768 ? (window + 32767) / 32768 : 1;
    const std::uint32_t data_blocks = (length + 511) / 512;
    std::vector<std::byte> record(std::size_t{headers + data_blocks} * 512);
    copy(record, 0,
         ByteWriter()
             .big(0xfeedbabe, 4)
             .big(cycle_, 4)
             .big(2, 4)
             .big(length, 4)
             .big(lsn(), 8)
             .big(tail_, 8)
             .big(0, 4)
             .big(0, 4)
             .big(operations.count, 4)
             .bytes);
    copy(record, 300, ByteWriter().big(1, 4).run(uuid).big(window, 4).bytes);
    copy(record, std::size_t{headers} * 512, operations.bytes());
    for (std::uint32_t i = 0; i < headers + data_blocks; ++i) {
      const std::uint32_t cycle = cycle_ + (block_ + i >= blocks_ ? 1 : 0);
      const std::vector<std::byte> stamp = ByteWriter().big(cycle, 4).bytes;
      if (i == 0) continue;
      if (i < headers) {
        copy(record, std::size_t{i} * 512, stamp);
        continue;
      }
      const std::size_t index = i - headers;
      const std::size_t place = index < 64 ? 44 + 4 * index : index / 64 * 512 + 4 + 4 * (index % 64);
      const auto own = Bytes(record).subspan(std::size_t{i} * 512, 4);
      copy(record, place, std::vector<std::byte>(own.begin(), own.end()));
      copy(record, std::size_t{i} * 512, stamp);
    }
    std::uint32_t state = crc32c_carry(~std::uint32_t{0}, Bytes(record).first(328));
    for (std::uint32_t i = 1; i < headers && i < (length + 32767) / 32768; ++i)
      state = crc32c_carry(state, Bytes(record).subspan(std::size_t{i} * 512, 260));
    state = ~crc32c_carry(state, Bytes(record).subspan(std::size_t{headers} * 512, length));
    copy(record, 32, ByteWriter().little(state, 4).bytes);
    for (std::uint32_t i = 0; i < headers + data_blocks; ++i) {
      put(block_, 0, Bytes(record).subspan(std::size_t{i} * 512, 512));
      if (++block_ == blocks_) {
        block_ = 0;
        ++cycle_;
      }
    }
    return {first, headers + data_blocks};
  }

  /// Changes bytes of a block of the log.
  void put(std::uint32_t block, std::size_t within, Bytes data) {
    copy(bytes_, start_ + std::size_t{block % blocks_} * 512 + within, data);
  }

  std::vector<std::byte> uuid = std::vector<std::byte>(16);

 private:
  static void copy(std::vector<std::byte>& to, std::size_t offset, Bytes from) {
    for (std::size_t i = 0; i < from.size(); ++i) to.at(offset + i) = from[i];
  }

  std::vector<std::byte>& bytes_;
  std::size_t start_;
  std::uint32_t blocks_;
  std::uint32_t cycle_;
  std::uint32_t block_;
  std::uint64_t tail_;
};

}  // namespace pvhgrub::fs::test
