// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/decompress.h"

namespace pvhgrub::bootimage {

/// Bytes on the heap, not cleared; empty where there is no memory, which is a limit and not a bug here
/// (RLIMIT_AS).
struct Buffer {
  std::unique_ptr<std::byte[]> bytes;
  std::size_t size = 0;

  [[nodiscard]] static Result<Buffer> allocate(std::size_t size, Compression compression);
  [[nodiscard]] std::span<std::byte> all() const { return {bytes.get(), size}; }
};

/// "decompressing xz data takes more memory than the worker may use".
[[nodiscard]] std::unexpected<Error> out_of_memory(Compression compression);

/// A compressed stream as its decoder reads it: buffered, counted, charged to the budget, and stopped where
/// it gives too little for what it takes.
class CompressedInput {
 public:
  /// Both must outlive the input.
  CompressedInput(Compression compression, const CompressedSource& source, Budget& budget)
      : compression_(compression), source_(source), budget_(budget) {}

  /// Bytes that were not consumed yet: none only at the source's end.
  [[nodiscard]] Result<Bytes> peek();
  /// At most as many as peek() showed.
  void consume(std::size_t count) {
    buffered_ = buffered_.subspan(count);
    consumed_ += count;
  }
  /// Consumes as many bytes as `out` has; kDamaged where the source ends before.
  [[nodiscard]] Result<void> read(std::span<std::byte> out);

  /// What came out of the stream so far, in bytes.
  void add_output(std::uint64_t count) { produced_ += count; }
  [[nodiscard]] std::uint64_t consumed() const { return consumed_; }
  [[nodiscard]] std::uint64_t produced() const { return produced_; }
  [[nodiscard]] Compression compression() const { return compression_; }

  /// kDamaged here, with the compressed byte; `how` goes on after "the xz data are damaged: ".
  [[nodiscard]] std::unexpected<Error> damaged(const std::string& how) const;
  [[nodiscard]] std::unexpected<Error> truncated() const;
  /// Another failure here; the whole message.
  [[nodiscard]] std::unexpected<Error> failure(ErrorCode code, std::string message) const;

 private:
  [[nodiscard]] Result<std::size_t> read_source(std::span<std::byte> out);

  Compression compression_;
  const CompressedSource& source_;
  Budget& budget_;
  Buffer buffer_;
  Bytes buffered_;
  std::uint64_t consumed_ = 0;
  std::uint64_t produced_ = 0;
  bool source_ended_ = false;
};

}  // namespace pvhgrub::bootimage
