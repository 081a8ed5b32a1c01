// SPDX-License-Identifier: LGPL-2.1-or-later
// What the chosen kernel is, down to what is compressed in it, in one pass that also gives the decompressed
// bytes.
#pragma once

#include <cstdint>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/byte_source.h"
#include "bootimage/kernel_image.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::worker {

/// A file's bytes for bootimage. The file outlives it.
class FileBytes final : public bootimage::ByteSource {
 public:
  explicit FileBytes(fs::File& file) : file_(file) {}
  [[nodiscard]] std::uint64_t size() const override { return file_.size(); }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;

 private:
  fs::File& file_;
};

/// Takes a kernel as it is decompressed. What came counts only when read_kernel() succeeds.
class KernelSink {
 public:
  KernelSink() = default;
  KernelSink(const KernelSink&) = delete;
  KernelSink& operator=(const KernelSink&) = delete;
  virtual ~KernelSink() = default;
  /// `size`: bytes that will come, or at most so many where not `exact`.
  [[nodiscard]] virtual Result<void> begin(std::uint64_t size, bool exact) = 0;
  [[nodiscard]] virtual Result<void> bytes(Bytes piece) = 0;
};

/// Tells what `source` is, with what is compressed in it. Where that is an ELF image or a kernel for arm,
/// `sink` (may be null) gets all of it while it is read, and begin() is called once; else never. Without a
/// sink only as much is decompressed as tells what it is. `size_limit`: bytes that may come out. Errors: as
/// bootimage::inspect() and bootimage::decompress().
[[nodiscard]] Result<bootimage::KernelImage> read_kernel(bootimage::ByteSource& source, KernelSink* sink,
                                                         std::uint64_t size_limit, Budget& budget);

}  // namespace pvhgrub::worker
