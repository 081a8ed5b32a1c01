// SPDX-License-Identifier: LGPL-2.1-or-later
// One zstd frame (RFC 8878) by libzstd, which checks the frame's checksum where it has one.
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
};

class ZstdDecompressor final : public StreamDecompressor {
 public:
  using StreamDecompressor::StreamDecompressor;

  [[nodiscard]] Result<void> open() {
    context_.reset(ZSTD_createDCtx());
    if (context_ == nullptr) return out_of_memory(Compression::kZstd);
    constexpr int kWindowLog = std::countr_zero(limits::kDecompressionWindow);
    if (ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLog)) != 0)
      return fail(ErrorCode::kInternal, "libzstd does not take the largest window's size");
    return {};
  }

 private:
  [[nodiscard]] Result<Progress> step(Bytes in, std::span<std::byte> out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t status = ZSTD_decompressStream(context_.get(), &to, &from);
    // libzstd calls a call without any progress an error after some repetitions; here it is one at once.
    if (ZSTD_isError(status) != 0) return describe(status);
    keep_header(in.first(from.pos));
    produced_ += to.pos;
    if (status == 0) PVHGRUB_TRY(check_content_size());
    return Progress{from.pos, to.pos, status == 0};
  }

  void keep_header(Bytes in) {
    const std::size_t count = std::min(in.size(), header_.size() - header_size_);
    std::ranges::copy(in.first(count), header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
    header_size_ += count;
  }

  /// libzstd itself does not where the last block is empty.
  [[nodiscard]] Result<void> check_content_size() const {
    const unsigned long long size = ZSTD_getFrameContentSize(header_.data(), header_size_);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == produced_) return {};
    return input_.damaged("the frame gives " + std::to_string(produced_) + " bytes instead of the " +
                          std::to_string(size) + " of its header");
  }

  [[nodiscard]] std::unexpected<Error> describe(std::size_t status) {
    switch (ZSTD_getErrorCode(status)) {
      case ZSTD_error_memory_allocation:
        return out_of_memory(Compression::kZstd);
      case ZSTD_error_frameParameter_windowTooLarge:
        return input_.failure(ErrorCode::kLimit,
                              "the zstd data need a window of more than " +
                                  std::to_string(limits::kDecompressionWindow / limits::kMiB) +
                                  " MiB to decompress");
      case ZSTD_error_frameParameter_unsupported:
      case ZSTD_error_version_unsupported:
        return input_.failure(ErrorCode::kUnsupported,
                              "the zstd data use a feature that libzstd does not know");
      case ZSTD_error_dictionary_wrong:
        return input_.failure(ErrorCode::kUnsupported, "the zstd data need a dictionary, as no kernel does");
      default:
        return input_.damaged(ZSTD_getErrorName(status));
    }
  }

  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  std::array<std::byte, 18> header_{};  ///< the frame's start: its header has 6 to 18 bytes (3.1.1.1)
  std::size_t header_size_ = 0;
  std::uint64_t produced_ = 0;
};

}  // namespace

Result<std::unique_ptr<Decompressor>> open_zstd(CompressedInput& input) {
  std::unique_ptr<ZstdDecompressor> zstd(new (std::nothrow) ZstdDecompressor(input));
  if (zstd == nullptr) return out_of_memory(Compression::kZstd);
  PVHGRUB_TRY(zstd->open());
  return zstd;
}

}  // namespace pvhgrub::bootimage
