// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/file_range.h"

#include <algorithm>

namespace pvhgrub::fs {

namespace {

/// Lets through what of a file's contents lies in [begin, end).
class ClippingSink : public ContentSink {
 public:
  ClippingSink(ContentSink& below, std::uint64_t begin, std::uint64_t end)
      : below_(below), begin_(begin), end_(end) {}

  Result<void> hole(std::uint64_t length) override {
    const Clip clip = next(length);
    return clip.length == 0 ? Result<void>{} : below_.hole(clip.length);
  }
  Result<void> extent(const DiskExtent& extent) override {
    const Clip clip = next(extent.length);
    return clip.length == 0 ? Result<void>{}
                            : below_.extent({extent.disk, extent.offset + clip.skipped, clip.length});
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    const Clip clip = next(bytes.size());
    return clip.length == 0 ? Result<void>{}
                            : below_.bytes(bytes.subspan(static_cast<std::size_t>(clip.skipped),
                                                         static_cast<std::size_t>(clip.length)));
  }

 private:
  struct Clip {
    std::uint64_t skipped = 0;
    std::uint64_t length = 0;
  };

  // What of the next `length` bytes lies inside. A file's pieces add up to its size: no sum overflows.
  Clip next(std::uint64_t length) {
    const std::uint64_t from = std::clamp(position_, begin_, end_);
    const std::uint64_t to = std::clamp(position_ + length, begin_, end_);
    const Clip clip{from > position_ ? from - position_ : 0, to - from};
    position_ += length;
    return clip;
  }

  ContentSink& below_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::uint64_t position_ = 0;
};

class FileRange : public File {
 public:
  FileRange(std::unique_ptr<File> file, std::uint64_t offset, std::uint64_t size)
      : file_(std::move(file)), offset_(offset), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    return file_->read(
        offset_ + offset,
        out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset))));
  }

  Result<void> send(ContentSink& sink) override {
    ClippingSink clipping(sink, offset_, offset_ + size_);
    return file_->send(clipping);
  }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace

Result<std::unique_ptr<File>> open_file_range(std::unique_ptr<File> file, std::uint64_t offset,
                                              std::uint64_t size) {
  if (offset > file->size() || size > file->size() - offset)
    return fail(ErrorCode::kDamaged, "bytes " + std::to_string(offset) + " to " + std::to_string(offset) +
                                         "+" + std::to_string(size) + " of a file of " +
                                         std::to_string(file->size()));
  return std::make_unique<FileRange>(std::move(file), offset, size);
}

}  // namespace pvhgrub::fs
