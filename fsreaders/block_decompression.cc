// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/block_decompression.h"

#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/checked.h"
#include "base/limits.h"

namespace pvhgrub::fs {
namespace {

// log2 of a zstd window in bytes: file systems compress at most 1 MiB at once, and no compressor makes a
// window that is more than some times the contents.
constexpr int kZstdWindowLog = 23;

std::unexpected<Error> damaged(std::string_view format, std::string_view why) {
  return fail(ErrorCode::kDamaged,
              "a compressed block (" + std::string(format) + ") is damaged: " + std::string(why));
}

std::unexpected<Error> no_memory(std::string_view format) {
  return fail(ErrorCode::kLimit, "no memory to decompress a block (" + std::string(format) + ")");
}

Result<std::size_t> decompress_zlib(Bytes in, std::span<std::byte> out) {
  const auto in_size = checked_cast<uInt>(in.size());
  const auto out_size = checked_cast<uInt>(out.size());
  if (!in_size || !out_size) return fail(ErrorCode::kInternal, "a block of 4 GiB");
  z_stream stream{};
  // zlib's interface has no const, but writes nothing there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = *in_size;
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = *out_size;
  if (inflateInit(&stream) != Z_OK) return no_memory("zlib");
  const int status = inflate(&stream, Z_FINISH);
  const std::string why = stream.msg != nullptr ? stream.msg : "it is cut off";
  const std::size_t produced = out.size() - stream.avail_out;
  inflateEnd(&stream);
  if (status == Z_STREAM_END || (status == Z_BUF_ERROR && produced == out.size())) return produced;
  if (status == Z_MEM_ERROR) return no_memory("zlib");
  return damaged("zlib", why);
}

Result<std::size_t> decompress_lzo(Bytes in, std::span<std::byte> out) {
  lzo_uint produced = out.size();
  const int status = lzo1x_decompress_safe(reinterpret_cast<const unsigned char*>(in.data()), in.size(),
                                           reinterpret_cast<unsigned char*>(out.data()), &produced, nullptr);
  // Padding behind the block is no fault of it.
  if (status == LZO_E_OK || status == LZO_E_INPUT_NOT_CONSUMED) return std::size_t{produced};
  if (status == LZO_E_OUTPUT_OVERRUN) return damaged("LZO", "it gives more bytes than it may");
  return damaged("LZO", status == LZO_E_INPUT_OVERRUN ? "it is cut off" : "its bytes are no LZO1X data");
}

Result<std::size_t> decompress_zstd(Bytes in, std::span<std::byte> out) {
  const std::unique_ptr<ZSTD_DCtx, decltype([](ZSTD_DCtx* context) { ZSTD_freeDCtx(context); })> context(
      ZSTD_createDCtx());
  if (!context) return no_memory("zstd");
  if (ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLog)) != 0)
    return no_memory("zstd");
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  for (;;) {
    const std::size_t before = input.pos + output.pos;
    const std::size_t status = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(status) != 0) {
      const ZSTD_ErrorCode code = ZSTD_getErrorCode(status);
      if (code == ZSTD_error_memory_allocation) return no_memory("zstd");
      if (code == ZSTD_error_frameParameter_windowTooLarge)
        return fail(ErrorCode::kLimit, "a compressed block (zstd) with a window of more than 8 MiB");
      return damaged("zstd", ZSTD_getErrorName(status));
    }
    if (status == 0 || output.pos == output.size) return output.pos;
    if (input.pos + output.pos == before) return damaged("zstd", "it is cut off");
  }
}

constexpr std::uint64_t kLzmaMemory = 10 * limits::kMiB;  // a dictionary of 8 MiB, and the decoder's own

Result<std::size_t> decompress_lzma(std::string_view format, Bytes in, std::span<std::byte> out) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const std::unique_ptr<lzma_stream, decltype([](lzma_stream* each) { lzma_end(each); })> end(&stream);
  const lzma_ret started = format == "xz" ? lzma_stream_decoder(&stream, kLzmaMemory, 0)
                                          : lzma_alone_decoder(&stream, kLzmaMemory);
  if (started != LZMA_OK) return no_memory(format);
  stream.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
  stream.avail_in = in.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  const lzma_ret status = lzma_code(&stream, LZMA_FINISH);
  const std::size_t produced = out.size() - stream.avail_out;
  switch (status) {
    case LZMA_STREAM_END:
      return produced;
    case LZMA_OK:
    case LZMA_BUF_ERROR:
      if (produced == out.size()) return produced;
      return damaged(format, "it is cut off");
    case LZMA_MEM_ERROR:
      return no_memory(format);
    case LZMA_MEMLIMIT_ERROR:
      return fail(ErrorCode::kLimit,
                  "a compressed block (" + std::string(format) + ") with a dictionary of more than 8 MiB");
    default:
      return damaged(format, "its bytes are no data of that format");
  }
}

Result<std::size_t> decompress_lz4(Bytes in, std::span<std::byte> out) {
  const auto in_size = checked_cast<int>(in.size());
  const auto out_size = checked_cast<int>(out.size());
  if (!in_size || !out_size) return fail(ErrorCode::kInternal, "a block of 2 GiB");
  const int produced =
      LZ4_decompress_safe_partial(reinterpret_cast<const char*>(in.data()),
                                  reinterpret_cast<char*>(out.data()), *in_size, *out_size, *out_size);
  if (produced < 0) return damaged("LZ4", "its bytes are no LZ4 data");
  return static_cast<std::size_t>(produced);
}

}  // namespace

Result<std::size_t> decompress_block(BlockCompression compression, Bytes in, std::span<std::byte> out) {
  if (out.empty()) return std::size_t{0};
  switch (compression) {
    case BlockCompression::kZlib:
      return decompress_zlib(in, out);
    case BlockCompression::kLzo1x:
      return decompress_lzo(in, out);
    case BlockCompression::kZstd:
      return decompress_zstd(in, out);
    case BlockCompression::kXz:
      return decompress_lzma("xz", in, out);
    case BlockCompression::kLzma:
      return decompress_lzma("LZMA", in, out);
    case BlockCompression::kLz4:
      return decompress_lz4(in, out);
  }
  return fail(ErrorCode::kInternal, "an unknown compression");
}

}  // namespace pvhgrub::fs
