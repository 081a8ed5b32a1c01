// SPDX-License-Identifier: LGPL-2.1-or-later
// read_xen_elf() on an image that passes by: a decompressor hands it on piece by piece.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/byte_source.h"
#include "bootimage/xen_elf.h"

namespace pvhgrub::bootimage {

/// What has passed of an image: the last bytes that came, and the runs that were asked for. A read of other
/// bytes fails, and is noted, so that they are kept when they come.
class PassingBytes final : public ByteSource {
 public:
  /// Bytes in front of what passes that can still be read.
  static constexpr std::size_t kKept = 64UL * 1024;

  /// The largest number there is while the image's size is not known.
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override;
  /// Reads that failed for bytes that are not there, since the last call.
  [[nodiscard]] unsigned take_misses() { return std::exchange(misses_, 0U); }
  /// A run that was asked for is not whole.
  [[nodiscard]] bool is_waiting() const { return !wanted_.empty(); }

  /// Takes the next bytes, but none behind that with which the last wanted run becomes whole. Tells how many.
  std::size_t take(Bytes piece);
  /// Lets bytes pass when nothing is read any more but what was read before.
  void skip(std::size_t count);
  /// The image has ended here.
  void set_size() { size_ = position_; }
  /// The image begins anew; what is whole stays.
  void rewind();
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  struct Run {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::vector<std::byte> bytes;  // as many as have come
  };

  [[nodiscard]] Bytes tail() const { return Bytes(tail_).last(std::min(tail_.size(), kKept)); }
  void keep_tail(Bytes bytes);
  void want(std::uint64_t offset, std::uint64_t size);

  std::uint64_t size_ = ~std::uint64_t{0};
  std::uint64_t position_ = 0;
  std::vector<std::byte> tail_;  // the last bytes before position_, at least as many as tail() tells
  std::vector<Run> wanted_;      // not whole
  std::vector<Run> whole_;
  unsigned misses_ = 0;
};

/// Gives the same answer as read_xen_elf() on the whole image. One pass over the image is enough where what
/// must be read lies in the order of the reading: program headers, notes in segments, section headers, notes
/// in sections; or close in front of the place where that is known (PassingBytes::kKept). That is how Linux
/// and all linkers lay it out. Else the image must pass once more: finish() says so.
/// Keeps some 1.2 MiB at most.
class XenNoteScanner {
 public:
  explicit XenNoteScanner(Budget& budget) : budget_(budget) {}

  /// The next bytes of the image. Errors as read_xen_elf(), as soon as they are certain: then it is of no use
  /// to go on. However the image is cut into pieces, the answer is the same.
  [[nodiscard]] Result<void> feed(Bytes piece);
  /// The image has ended. Nothing: it must be fed once more, from its start; after five passes at most there
  /// is an answer.
  [[nodiscard]] Result<std::optional<XenElf>> finish();

  /// Whether what passed is enough for an answer but for what only the image's size tells (segments that end
  /// behind it). Before finish() only.
  [[nodiscard]] bool has_early_answer() const { return has_answer_; }
  /// That answer; nothing where there is none yet.
  [[nodiscard]] Result<std::optional<XenElf>> early_answer();

 private:
  [[nodiscard]] Result<void> read_if_possible();

  Budget& budget_;
  PassingBytes bytes_;
  bool has_answer_ = false;  // but for what depends on the image's size
  bool knows_size_ = false;
};

}  // namespace pvhgrub::bootimage
