// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/kernel_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "bootimage/decompress.h"
#include "bootimage/xen_note_scanner.h"

namespace pvhgrub::worker {
namespace {

using bootimage::ImageKind;
using bootimage::KernelImage;
using bootimage::SinkAnswer;

// What a compressed layer holds, as it comes out of it.
class Contents {
 public:
  Contents(KernelSink* sink, std::optional<std::uint64_t> declared, std::uint64_t size_limit, Budget& budget)
      : sink_(sink), declared_(declared), size_limit_(size_limit), budget_(budget) {}

  Result<SinkAnswer> take(Bytes piece) {
    size_ += piece.size();
    if (kind_) return take_more(piece);
    start_.insert(start_.end(), piece.begin(), piece.end());
    if (start_.size() < bootimage::kImageStartBytes) return SinkAnswer::kMore;
    return begin();
  }

  /// The layer has ended, or enough of it was seen.
  Result<void> end() {
    if (!kind_) PVHGRUB_TRY(begin());
    return {};
  }

  /// What it is, where it is not gathered. Nothing: it must be read once more, from its start.
  Result<std::optional<KernelImage>> finish() {
    if (!scanner_) return std::optional(std::move(image_));
    if (stopped_early_) {
      PVHGRUB_TRY_ASSIGN(auto elf, scanner_->early_answer());
      if (elf) return std::optional(bootimage::elf_image(std::move(*elf), declared_.value_or(size_)));
      return fail(ErrorCode::kInternal, "a scan that ended before its answer");
    }
    PVHGRUB_TRY_ASSIGN(auto elf, scanner_->finish());
    if (elf) return std::optional(bootimage::elf_image(std::move(*elf), size_));
    // Another pass only looks for notes.
    sink_ = nullptr;
    size_ = 0;
    return std::optional<KernelImage>();
  }

  /// What lies in it must be looked at as a whole, in memory.
  [[nodiscard]] bool is_gathered() const { return gathers_; }
  std::vector<std::byte> take_gathered() { return std::move(start_); }

 private:
  // Enough came to know what it is.
  Result<SinkAnswer> begin() {
    kind_ = bootimage::recognise_image(start_);
    switch (*kind_) {
      case ImageKind::kElf:
        scanner_.emplace(budget_);
        break;
      case ImageKind::kArm64Image:
      case ImageKind::kArm32Image:
        break;
      case ImageKind::kBzImage:
      case ImageKind::kEfiZboot:
      case ImageKind::kUnifiedImage:
      case ImageKind::kEfiProgram:
      case ImageKind::kCompressed:
        gathers_ = true;
        return SinkAnswer::kMore;
      case ImageKind::kXenBinary:
      case ImageKind::kMultiboot:
      case ImageKind::kUboot:
      case ImageKind::kOther:
        return look_at_start();
    }
    if (!scanner_) PVHGRUB_TRY(look_at_start());
    if (sink_ != nullptr) PVHGRUB_TRY(sink_->begin(declared_.value_or(size_limit_), declared_.has_value()));
    const std::vector<std::byte> start = std::exchange(start_, {});
    return take_more(start);
  }

  // Of kinds that their start tells.
  Result<SinkAnswer> look_at_start() {
    bootimage::MemorySource source(start_);
    PVHGRUB_TRY_ASSIGN(image_, bootimage::inspect(source, budget_));
    return SinkAnswer::kEnough;
  }

  Result<SinkAnswer> take_more(Bytes piece) {
    if (gathers_) return gather(piece);
    if (scanner_) PVHGRUB_TRY(scanner_->feed(piece));
    if (sink_ != nullptr) {
      PVHGRUB_TRY(sink_->bytes(piece));
      return SinkAnswer::kMore;
    }
    stopped_early_ = scanner_ && scanner_->has_early_answer();
    return stopped_early_ || !scanner_ ? SinkAnswer::kEnough : SinkAnswer::kMore;
  }

  Result<SinkAnswer> gather(Bytes piece) {
    if (start_.size() + piece.size() > limits::kNestedImageBytes)
      return fail(ErrorCode::kUnsupported,
                  "a compressed kernel image inside a compressed file, of more than " +
                      std::to_string(limits::kNestedImageBytes) + " bytes; decompress the file in the guest");
    start_.insert(start_.end(), piece.begin(), piece.end());
    return SinkAnswer::kMore;
  }

  KernelSink* sink_;
  std::optional<std::uint64_t> declared_;
  std::uint64_t size_limit_;
  Budget& budget_;
  std::uint64_t size_ = 0;
  std::vector<std::byte> start_;  // what came while the kind was not known; all of what is gathered
  std::optional<ImageKind> kind_;
  std::optional<bootimage::XenNoteScanner> scanner_;  // of an ELF image
  bool gathers_ = false;
  bool stopped_early_ = false;
  KernelImage image_;  // of what is no ELF image
};

// `depth`: compressed layers around this one. NOLINTNEXTLINE(misc-no-recursion): bounded by kImageLayers
Result<KernelImage> read_layers(bootimage::ByteSource& source, KernelSink* sink, std::uint64_t size_limit,
                                unsigned depth, Budget& budget) {
  if (depth >= limits::kImageLayers)
    return fail(ErrorCode::kLimit,
                "more than " + std::to_string(limits::kImageLayers) + " compressed layers inside each other");
  PVHGRUB_TRY_ASSIGN(KernelImage image, bootimage::inspect(source, budget));
  if (!image.compressed) return image;
  const bootimage::CompressedLayer layer = *image.compressed;
  Contents contents(sink, layer.declared, size_limit, budget);
  std::optional<KernelImage> inner;
  while (!inner) {
    bootimage::PartSource part(source, layer.range.offset, layer.range.size);
    PVHGRUB_TRY(bootimage::decompress(
        layer.compression, bootimage::read_in_order(part), [&](Bytes piece) { return contents.take(piece); },
        {.output = size_limit, .declared = layer.declared}, budget));
    PVHGRUB_TRY(contents.end());
    if (contents.is_gathered()) break;
    PVHGRUB_TRY_ASSIGN(inner, contents.finish());
  }
  if (!inner) {
    const std::vector<std::byte> gathered = contents.take_gathered();
    bootimage::MemorySource memory(gathered);
    PVHGRUB_TRY_ASSIGN(inner, read_layers(memory, sink, size_limit, depth + 1, budget));
  }
  image.add_contents(std::move(*inner));
  return image;
}

}  // namespace

Result<void> FileBytes::read_at(std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    PVHGRUB_TRY_ASSIGN(const std::size_t count, file_.read(offset, out));
    if (count == 0) return fail(ErrorCode::kDamaged, "the file ends at byte " + std::to_string(offset));
    offset += count;
    out = out.subspan(count);
  }
  return {};
}

Result<KernelImage> read_kernel(bootimage::ByteSource& source, KernelSink* sink, std::uint64_t size_limit,
                                Budget& budget) {
  return read_layers(source, sink, size_limit, 0, budget);
}

}  // namespace pvhgrub::worker
