// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/run_file.h"

#include <algorithm>
#include <utility>

#include "fsreaders/joining_sink.h"

namespace pvhgrub::fs {
namespace {

std::unexpected<Error> not_overwritable(std::string why) {
  return fail(ErrorCode::kUnsupported, std::move(why));
}

class RunFile final : public File {
 public:
  RunFile(BlockSource& source, RunFileLayout layout) : source_(source), layout_(std::move(layout)) {}

  [[nodiscard]] std::uint64_t size() const override { return layout_.size; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= layout_.size) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), layout_.size - offset)));
    const std::size_t wanted = out.size();
    while (!out.empty()) {
      const Piece piece = piece_at(offset);
      const auto part =
          out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), piece.length)));
      if (piece.mapped)
        PVHGRUB_TRY(source_.read_at(piece.place, part));
      else
        std::ranges::fill(part, std::byte{0});
      offset += part.size();
      out = out.subspan(part.size());
    }
    return wanted;
  }

  Result<void> send(ContentSink& sink) override { return send_range(0, layout_.size, sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    JoiningSink joining(sink);
    for (const std::uint64_t end = offset + length; offset < end;) {
      Piece piece = piece_at(offset);
      piece.length = std::min(piece.length, end - offset);
      PVHGRUB_TRY(piece.mapped ? source_.send(piece.place, piece.length, joining)
                               : joining.hole(piece.length));
      offset += piece.length;
    }
    return joining.flush();
  }

  Result<std::vector<DiskExtent>> overwritable_extents() override {
    if (!layout_.overwriting_obstacle.empty()) return not_overwritable(layout_.overwriting_obstacle);
    if (layout_.size == 0) return not_overwritable("the file is empty");
    ExtentCollector collector;
    PVHGRUB_TRY(send(collector));
    return collector.take();
  }

 private:
  struct Piece {
    bool mapped = false;
    std::uint64_t place = 0;   // bytes from the source's start
    std::uint64_t length = 0;  // bytes, at least 1, not past the file's end
  };

  // What the file consists of from `offset` (less than the size) on.
  [[nodiscard]] Piece piece_at(std::uint64_t offset) const {
    const std::uint64_t block_size = layout_.block_size;
    const std::uint64_t stored = std::min(layout_.stored, layout_.size);
    const auto run = find_run(layout_.runs, offset / block_size);
    if (offset >= stored || run == layout_.runs.end()) return {false, 0, layout_.size - offset};
    const std::uint64_t start = run->logical * block_size;
    if (offset < start) return {false, 0, std::min(start, layout_.size) - offset};
    return {true, layout_.origin + run->physical * block_size + (offset - start),
            std::min(run->logical_end() * block_size, stored) - offset};
  }

  BlockSource& source_;
  RunFileLayout layout_;
};

class MemoryFile final : public File {
 public:
  MemoryFile(std::uint64_t size, std::vector<std::byte> contents, std::string overwriting_obstacle)
      : size_(size), contents_(std::move(contents)), overwriting_obstacle_(std::move(overwriting_obstacle)) {
    if (contents_.size() > size_) contents_.resize(static_cast<std::size_t>(size_));
  }

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    std::ranges::fill(out, std::byte{0});
    if (offset < contents_.size()) {
      const auto stored = std::span(contents_).subspan(static_cast<std::size_t>(offset));
      std::ranges::copy(stored.first(std::min(stored.size(), out.size())), out.begin());
    }
    return out.size();
  }

  Result<void> send(ContentSink& sink) override {
    if (!contents_.empty()) PVHGRUB_TRY(sink.bytes(contents_));
    return size_ > contents_.size() ? sink.hole(size_ - contents_.size()) : Result<void>{};
  }

  Result<std::vector<DiskExtent>> overwritable_extents() override {
    return not_overwritable(overwriting_obstacle_);
  }

 private:
  std::uint64_t size_;
  std::vector<std::byte> contents_;
  std::string overwriting_obstacle_;
};

}  // namespace

std::unique_ptr<File> make_run_file(BlockSource& source, RunFileLayout layout) {
  return std::make_unique<RunFile>(source, std::move(layout));
}

std::unique_ptr<File> make_memory_file(std::uint64_t size, std::vector<std::byte> contents,
                                       std::string overwriting_obstacle) {
  return std::make_unique<MemoryFile>(size, std::move(contents), std::move(overwriting_obstacle));
}

}  // namespace pvhgrub::fs
