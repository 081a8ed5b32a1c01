// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/xen_note_scanner.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/checked.h"

namespace pvhgrub::bootimage {
namespace {

// The bytes of [offset, offset + out) from those that begin at `start`, if they are all there.
bool copy_from(Bytes bytes, std::uint64_t start, std::uint64_t offset, std::span<std::byte> out) {
  if (offset < start || !range_inside<std::uint64_t>(offset - start, out.size(), bytes.size())) return false;
  std::ranges::copy(bytes.subspan(offset - start, out.size()), out.begin());
  return true;
}

}  // namespace

Result<void> PassingBytes::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (!range_inside<std::uint64_t>(offset, out.size(), size_))
    return fail(ErrorCode::kDamaged, "a read behind the image's end");
  if (out.empty()) return {};
  for (const Run& run : whole_)
    if (copy_from(run.bytes, run.offset, offset, out)) return {};
  if (copy_from(tail(), position_ - tail().size(), offset, out)) {
    // The tail moves on, and the reading may have to begin again.
    whole_.push_back({offset, out.size(), {out.begin(), out.end()}});
    return {};
  }
  ++misses_;
  want(offset, out.size());
  return fail(ErrorCode::kIo, "bytes that have not come yet");
}

void PassingBytes::want(std::uint64_t offset, std::uint64_t size) {
  const auto is_same = [&](const Run& run) { return run.offset == offset && run.size == size; };
  if (std::ranges::any_of(wanted_, is_same)) return;
  Run run{offset, size, {}};
  const std::uint64_t tail_start = position_ - tail().size();
  // What has come of it. A run whose start is lost gets nothing before the image passes again.
  if (offset >= tail_start && offset < position_) {
    const Bytes start = tail().subspan(static_cast<std::size_t>(offset - tail_start));
    run.bytes.assign(start.begin(), start.end());
  }
  wanted_.push_back(std::move(run));
}

std::size_t PassingBytes::take(Bytes piece) {
  std::uint64_t end = position_;
  for (const Run& run : wanted_) end = std::max(end, run.offset + run.size);
  if (end != position_)
    piece = piece.first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), end - position_)));
  for (Run& run : wanted_) {
    const std::uint64_t next = run.offset + run.bytes.size();
    if (next < position_ || next - position_ >= piece.size()) continue;
    const Bytes rest = piece.subspan(static_cast<std::size_t>(next - position_));
    const Bytes part =
        rest.first(std::min(rest.size(), static_cast<std::size_t>(run.size) - run.bytes.size()));
    run.bytes.insert(run.bytes.end(), part.begin(), part.end());
  }
  std::vector<Run> waiting;
  for (Run& run : wanted_) (run.bytes.size() == run.size ? whole_ : waiting).push_back(std::move(run));
  wanted_ = std::move(waiting);
  keep_tail(piece);
  position_ += piece.size();
  return piece.size();
}

void PassingBytes::keep_tail(Bytes bytes) {
  if (bytes.size() >= kKept) {
    bytes = bytes.last(kKept);
    tail_.clear();
  } else if (tail_.size() > kKept) {
    // Not at every call: pieces may be small.
    if (tail_.size() + bytes.size() > 2 * kKept)
      tail_.erase(tail_.begin(), tail_.end() - static_cast<std::ptrdiff_t>(kKept));
  }
  tail_.insert(tail_.end(), bytes.begin(), bytes.end());
}

void PassingBytes::skip(std::size_t count) {
  if (count != 0) tail_.clear();
  position_ += count;
}

void PassingBytes::rewind() {
  position_ = 0;
  tail_.clear();
  // What was wanted before the size was known may lie behind it.
  std::erase_if(wanted_, [this](const Run& run) { return !range_inside(run.offset, run.size, size_); });
  for (Run& run : wanted_) run.bytes.clear();
}

Result<void> XenNoteScanner::read_if_possible() {
  if (has_answer_ || bytes_.is_waiting()) return {};
  const auto answer = read_xen_elf(bytes_, budget_);
  // What was missed comes later; the answer without it means nothing.
  if (bytes_.take_misses() != 0) return {};
  // What is too large for a limit may be too large for the image, which is damage: finish() tells.
  if (!answer && answer.error().code != ErrorCode::kLimit) return std::unexpected(answer.error());
  has_answer_ = true;
  return {};
}

Result<void> XenNoteScanner::feed(Bytes piece) {
  PVHGRUB_TRY(read_if_possible());
  while (!piece.empty() && !has_answer_) {
    piece = piece.subspan(bytes_.take(piece));
    PVHGRUB_TRY(read_if_possible());
  }
  bytes_.skip(piece.size());
  return {};
}

Result<std::optional<XenElf>> XenNoteScanner::early_answer() {
  if (!has_answer_) return std::optional<XenElf>();
  PVHGRUB_TRY_ASSIGN(XenElf answer, read_xen_elf(bytes_, budget_));
  return std::optional(std::move(answer));
}

Result<std::optional<XenElf>> XenNoteScanner::finish() {
  if (knows_size_ && bytes_.position() != bytes_.size())
    return fail(ErrorCode::kIo, "the image has " + std::to_string(bytes_.position()) + " bytes, and had " +
                                    std::to_string(bytes_.size()) + " before");
  bytes_.set_size();
  knows_size_ = true;
  auto answer = read_xen_elf(bytes_, budget_);
  if (bytes_.take_misses() != 0) {
    bytes_.rewind();
    return std::optional<XenElf>();
  }
  if (!answer) return std::unexpected(std::move(answer).error());
  return std::optional(std::move(*answer));
}

}  // namespace pvhgrub::bootimage
