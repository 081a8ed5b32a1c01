// SPDX-License-Identifier: LGPL-2.1-or-later
// bzip2 by libbz2, which checks each block's CRC and the stream's.
#include <bzlib.h>

#include <new>

#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

class Bzip2Decompressor final : public StreamDecompressor {
 public:
  using StreamDecompressor::StreamDecompressor;
  ~Bzip2Decompressor() override { (void)BZ2_bzDecompressEnd(&stream_); }

  [[nodiscard]] Result<void> open() {
    // Not the small algorithm: 3.6 MiB instead of 2.3 for twice the speed.
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) return out_of_memory(Compression::kBzip2);
    return {};
  }

 private:
  [[nodiscard]] Result<Progress> step(Bytes in, std::span<std::byte> out) override {
    // libbz2 does not write to its input, but has no const; bytes as char are what the standard allows.
    stream_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = reinterpret_cast<char*>(out.data());
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int status = BZ2_bzDecompress(&stream_);
    switch (status) {
      case BZ_OK:
      case BZ_STREAM_END:
        return Progress{in.size() - stream_.avail_in, out.size() - stream_.avail_out,
                        status == BZ_STREAM_END};
      case BZ_MEM_ERROR:
        return out_of_memory(Compression::kBzip2);
      case BZ_DATA_ERROR_MAGIC:
        return input_.damaged("they do not begin as bzip2 data do");
      default:
        return input_.damaged("a block is not well-formed or its checksum is wrong");
    }
  }

  bz_stream stream_{};
};

}  // namespace

Result<std::unique_ptr<Decompressor>> open_bzip2(CompressedInput& input) {
  std::unique_ptr<Bzip2Decompressor> bzip2(new (std::nothrow) Bzip2Decompressor(input));
  if (bzip2 == nullptr) return out_of_memory(Compression::kBzip2);
  PVHGRUB_TRY(bzip2->open());
  return bzip2;
}

}  // namespace pvhgrub::bootimage
