// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/loopback_source.h"

#include <algorithm>
#include <optional>

#include "base/checked.h"

namespace pvhgrub::fs {

namespace {

constexpr std::uint64_t kSectorBytes = 512;

/// Takes the first piece of what a file sends, and ends the sending there.
class FirstPiece final : public ContentSink {
 public:
  Result<void> hole(std::uint64_t) override { return stop(); }
  Result<void> extent(const DiskExtent& extent) override {
    found_ = extent;
    return stop();
  }
  Result<void> bytes(std::span<const std::byte>) override { return stop(); }

  [[nodiscard]] bool came() const { return came_; }
  [[nodiscard]] const std::optional<DiskExtent>& found() const { return found_; }

 private:
  Result<void> stop() {
    came_ = true;
    return fail(ErrorCode::kInternal, "the first piece is enough");
  }
  bool came_ = false;
  std::optional<DiskExtent> found_;
};

}  // namespace

LoopbackSource::LoopbackSource(std::unique_ptr<File> file, std::string name)
    : file_(std::move(file)),
      name_(std::move(name)),
      size_(checked_align_up(file_->size(), kSectorBytes).value_or(file_->size())) {}

std::unexpected<Error> LoopbackSource::past_end(std::uint64_t offset) const {
  return fail(ErrorCode::kDamaged,
              "something points past the disk's end: it has " + std::to_string(size_) + " bytes",
              name_ + ", byte " + std::to_string(offset));
}

Result<void> LoopbackSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (!range_inside<std::uint64_t>(offset, out.size(), size_)) return past_end(offset);
  auto count = file_->read(offset, out);
  if (!count) return std::unexpected(at(name_, std::move(count).error()));
  const std::uint64_t there = offset < file_->size() ? file_->size() - offset : 0;
  if (*count != std::min<std::uint64_t>(out.size(), there))
    return fail(ErrorCode::kDamaged, "the file that this disk is ended early",
                name_ + ", byte " + std::to_string(offset));
  std::ranges::fill(out.subspan(*count), std::byte{0});
  return {};
}

Result<DiskExtent> LoopbackSource::locate(std::uint64_t offset, std::uint64_t length) {
  if (length == 0 || offset >= size_) return past_end(offset);
  FirstPiece first;
  if (offset < file_->size()) {
    const Result<void> sent = file_->send_range(offset, std::min(length, file_->size() - offset), first);
    if (!sent && !first.came()) return std::unexpected(at(name_, sent.error()));
  }
  if (first.found() && first.found()->length > 0) return *first.found();
  return fail(ErrorCode::kUnsupported, "these bytes lie nowhere as they are",
              name_ + ", byte " + std::to_string(offset));
}

Result<void> LoopbackSource::send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) {
  if (!range_inside<std::uint64_t>(offset, length, size_)) return past_end(offset);
  const std::uint64_t there = std::min(length, offset < file_->size() ? file_->size() - offset : 0);
  if (there > 0)
    if (auto sent = file_->send_range(offset, there, sink); !sent)
      return std::unexpected(at(name_, std::move(sent).error()));
  return there < length ? sink.hole(length - there) : Result<void>{};
}

}  // namespace pvhgrub::fs
