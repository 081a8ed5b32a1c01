// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/boot_outputs.h"

#include <algorithm>
#include <iterator>

namespace pvhgrub::worker {
namespace {

using bootimage::ImageKind;
using bootimage::ImageLayer;

constexpr std::uint16_t kKernelStream = 1;
constexpr std::uint16_t kRamdiskStream = 2;

std::uint16_t stream_of(protocol::OutputKind kind) {
  return kind == protocol::OutputKind::kKernel ? kKernelStream : kRamdiskStream;
}

}  // namespace

Result<void> BootOutputs::send_ramdisk(Ramdisk& ramdisk) {
  if (not_really_) return {};
  ramdisk_sent_ = true;
  OutputStream stream(channel_, kRamdiskStream);
  PVHGRUB_TRY(stream.begin(protocol::OutputKind::kRamdisk, ramdisk.size()));
  PVHGRUB_TRY(ramdisk.send(stream));
  return stream.end();
}

Result<void> BootOutputs::begin(std::uint64_t size, bool exact) {
  if (not_really_) return {};
  kernel_.emplace(channel_, kKernelStream);
  return kernel_->begin(protocol::OutputKind::kKernel, size, exact);
}

Result<void> BootOutputs::bytes(Bytes piece) {
  return kernel_ ? kernel_->bytes(piece) : Result<void>();
}

Result<void> BootOutputs::end_kernel() {
  return kernel_ ? kernel_->end() : Result<void>();
}

Result<void> BootOutputs::send_kernel(fs::File& file, bootimage::ImageRange range) {
  if (not_really_) return {};
  OutputStream stream(channel_, kKernelStream);
  PVHGRUB_TRY(stream.begin(protocol::OutputKind::kKernel, range.size));
  PVHGRUB_TRY(file.send_range(range.offset, range.size, stream));
  return stream.end();
}

Result<void> BootOutputs::send_file(protocol::OutputKind kind, fs::File& file) {
  if (not_really_) return {};
  OutputStream stream(channel_, stream_of(kind));
  PVHGRUB_TRY(stream.begin(kind, file.size()));
  PVHGRUB_TRY(file.send(stream));
  return stream.end();
}

Result<void> BootOutputs::abandon(std::uint16_t stream) {
  return channel_.send(protocol::FrameType::kAbandon, stream, {});
}

Result<void> BootOutputs::abandon_all() {
  if (kernel_) PVHGRUB_TRY(abandon(kKernelStream));
  kernel_.reset();
  if (ramdisk_sent_) PVHGRUB_TRY(abandon(kRamdiskStream));
  ramdisk_sent_ = false;
  return {};
}

bootimage::ImageRange kernel_range(const bootimage::KernelImage& image, bool whole) {
  const auto unified = std::ranges::find(image.layers, ImageKind::kUnifiedImage, &ImageLayer::kind);
  const bool has_kernel = unified != image.layers.end() && std::next(unified) != image.layers.end();
  if (has_kernel && whole) return std::next(unified)->range;
  // What is compressed and was not taken out is of no use in any other form.
  const bool compressed =
      std::ranges::find(image.layers, ImageKind::kCompressed, &ImageLayer::kind) != image.layers.end();
  return whole || compressed ? image.layers.front().range : image.layers.back().range;
}

std::string kernel_version(const bootimage::KernelImage& image) {
  if (image.bzimage && !image.bzimage->version.empty()) return image.bzimage->release();
  return image.elf ? image.elf->notes.linux_build : std::string();
}

}  // namespace pvhgrub::worker
