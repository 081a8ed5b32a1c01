// SPDX-License-Identifier: LGPL-2.1-or-later
// gzip (RFC 1952) by zlib. Its CRC-32 and length are checked by zlib itself.
#define ZLIB_CONST  // next_in may point to bytes that are not ours to change
#include <zlib.h>

#include <new>

#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

class GzipDecompressor final : public StreamDecompressor {
 public:
  using StreamDecompressor::StreamDecompressor;
  ~GzipDecompressor() override { (void)inflateEnd(&stream_); }

  [[nodiscard]] Result<void> open() {
    // 16: a gzip header and nothing else; the largest window, 32 KiB, is all that deflate has.
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) return out_of_memory(Compression::kGzip);
    return {};
  }

 private:
  [[nodiscard]] Result<Progress> step(Bytes in, std::span<std::byte> out) override {
    // zlib counts bytes as unsigned char; reading and writing any object as such is what the standard allows.
    stream_.next_in = reinterpret_cast<const Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) return out_of_memory(Compression::kGzip);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      return input_.damaged(stream_.msg != nullptr ? stream_.msg : "zlib cannot read them");
    return Progress{in.size() - stream_.avail_in, out.size() - stream_.avail_out, status == Z_STREAM_END};
  }

  z_stream stream_{};
};

}  // namespace

Result<std::unique_ptr<Decompressor>> open_gzip(CompressedInput& input) {
  std::unique_ptr<GzipDecompressor> gzip(new (std::nothrow) GzipDecompressor(input));
  if (gzip == nullptr) return out_of_memory(Compression::kGzip);
  PVHGRUB_TRY(gzip->open());
  return gzip;
}

}  // namespace pvhgrub::bootimage
