// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {

Result<Bytes> StreamDecompressor::next() {
  if (output_.size == 0) {
    PVHGRUB_TRY_ASSIGN(output_, Buffer::allocate(kOutputPiece, input_.compression()));
  }
  std::size_t filled = 0;
  while (!ended_ && filled < output_.size) {
    PVHGRUB_TRY_ASSIGN(const Bytes in, input_.peek());
    PVHGRUB_TRY_ASSIGN(const Progress progress, step(in, output_.all().subspan(filled)));
    input_.consume(progress.consumed);
    filled += progress.produced;
    ended_ = progress.ended;
    if (ended_ || progress.consumed != 0 || progress.produced != 0) continue;
    if (in.empty()) return input_.truncated();
    return input_.damaged("the decoder is stuck");
  }
  return output_.all().first(filled);
}

Result<std::unique_ptr<Decompressor>> open_decompressor(CompressedInput& input) {
  switch (input.compression()) {
    case Compression::kGzip:
      return open_gzip(input);
    case Compression::kBzip2:
      return open_bzip2(input);
    case Compression::kXz:
      return open_xz(input);
    case Compression::kLzma:
      return open_lzma(input);
    case Compression::kLzo:
      return open_lzo(input);
    case Compression::kLz4:
      return open_lz4(input);
    case Compression::kZstd:
      break;
  }
  return open_zstd(input);
}

}  // namespace pvhgrub::bootimage
