// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel and ramdisk of one boot on their way to the broker.
#pragma once

#include <optional>

#include "bootimage/kernel_image.h"
#include "src/worker/kernel_reader.h"
#include "src/worker/output_stream.h"
#include "src/worker/ramdisk.h"

namespace pvhgrub::worker {

/// Takes the kernel as it is decompressed. Where nothing is to be sent (--not-really) all of it does nothing.
class BootOutputs final : public KernelSink {
 public:
  /// The channel outlives it.
  BootOutputs(Channel& channel, bool not_really) : channel_(channel), not_really_(not_really) {}

  [[nodiscard]] Result<void> send_ramdisk(Ramdisk& ramdisk);

  /// Part of a decompressed kernel has been sent; end_kernel() or abandon_all() follows.
  [[nodiscard]] bool has_kernel() const { return kernel_.has_value(); }
  [[nodiscard]] Result<void> end_kernel();
  Result<void> begin(std::uint64_t size, bool exact) override;
  Result<void> bytes(Bytes piece) override;

  /// A run of the guest's file as the kernel.
  [[nodiscard]] Result<void> send_kernel(fs::File& file, bootimage::ImageRange range);
  /// A whole file.
  [[nodiscard]] Result<void> send_file(protocol::OutputKind kind, fs::File& file);

  /// What was sent is not to be.
  [[nodiscard]] Result<void> abandon_all();

 private:
  [[nodiscard]] Result<void> abandon(std::uint16_t stream);

  Channel& channel_;
  bool not_really_;
  std::optional<OutputStream> kernel_;
  bool ramdisk_sent_ = false;
};

/// Which bytes of the guest's file are handed over, where they are as they are: the file from `whole`, but of
/// a unified kernel image its kernel only, since Xen starts no other; else the innermost layer.
[[nodiscard]] bootimage::ImageRange kernel_range(const bootimage::KernelImage& image, bool whole);

/// "6.1.0-50-amd64"; empty where the kernel does not say.
[[nodiscard]] std::string kernel_version(const bootimage::KernelImage& image);

}  // namespace pvhgrub::worker
