// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/file_range.h"

#include <algorithm>

namespace pvhgrub::fs {

namespace {

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

  Result<void> send(ContentSink& sink) override { return file_->send_range(offset_, size_, sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    return file_->send_range(offset_ + offset, length, sink);
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
