// SPDX-License-Identifier: LGPL-2.1-or-later
// The .xz and .lzma formats by liblzma, with its one-threaded decoders. Of .xz it checks headers, the block's
// check and the index; .lzma has no checksum at all.
#include <lzma.h>

#include <new>

#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

/// What liblzma counts beside the dictionary: the probability model, the filters, its own structures.
constexpr std::uint64_t kDecoderMemory = 4 * limits::kMiB;
constexpr std::uint64_t kMemoryLimit = limits::kDecompressionWindow + kDecoderMemory;

class XzDecompressor final : public StreamDecompressor {
 public:
  using StreamDecompressor::StreamDecompressor;
  ~XzDecompressor() override { lzma_end(&stream_); }

  [[nodiscard]] Result<void> open() {
    // A check that this liblzma does not know would go unverified without a word.
    const lzma_ret status = input_.compression() == Compression::kXz
                                ? lzma_stream_decoder(&stream_, kMemoryLimit, LZMA_TELL_UNSUPPORTED_CHECK)
                                : lzma_alone_decoder(&stream_, kMemoryLimit);
    if (status != LZMA_OK) return out_of_memory(input_.compression());
    return {};
  }

 private:
  [[nodiscard]] Result<Progress> step(Bytes in, std::span<std::byte> out) override {
    // liblzma counts bytes as uint8_t; reading and writing any object as such is what the standard allows.
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    const lzma_ret status = lzma_code(&stream_, LZMA_RUN);
    // LZMA_BUF_ERROR: no progress twice.
    if (status == LZMA_OK || status == LZMA_STREAM_END || status == LZMA_BUF_ERROR)
      return Progress{in.size() - stream_.avail_in, out.size() - stream_.avail_out,
                      status == LZMA_STREAM_END};
    return describe(status);
  }

  [[nodiscard]] std::unexpected<Error> describe(lzma_ret status) {
    const std::string name(compression_name(input_.compression()));
    switch (status) {
      case LZMA_MEM_ERROR:
        return out_of_memory(input_.compression());
      case LZMA_MEMLIMIT_ERROR:
        return input_.failure(
            ErrorCode::kLimit,
            "the " + name + " data need " + std::to_string(lzma_memusage(&stream_) / limits::kMiB) +
                " MiB to decompress, and only dictionaries of up to " +
                std::to_string(limits::kDecompressionWindow / limits::kMiB) + " MiB are taken");
      case LZMA_UNSUPPORTED_CHECK:
      case LZMA_OPTIONS_ERROR:
        return input_.failure(ErrorCode::kUnsupported,
                              "the " + name + " data use a filter or check that liblzma does not know");
      case LZMA_FORMAT_ERROR:
        return input_.damaged("they do not begin as " + name + " data do");
      default:
        return input_.damaged("they are not well-formed or a checksum is wrong");
    }
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
};

Result<std::unique_ptr<Decompressor>> open(CompressedInput& input) {
  std::unique_ptr<XzDecompressor> xz(new (std::nothrow) XzDecompressor(input));
  if (xz == nullptr) return out_of_memory(input.compression());
  PVHGRUB_TRY(xz->open());
  return xz;
}

}  // namespace

Result<std::unique_ptr<Decompressor>> open_xz(CompressedInput& input) {
  return open(input);
}

Result<std::unique_ptr<Decompressor>> open_lzma(CompressedInput& input) {
  return open(input);
}

}  // namespace pvhgrub::bootimage
