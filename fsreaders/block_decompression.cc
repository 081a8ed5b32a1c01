// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/block_decompression.h"

#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
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

// What a decoder made of a block.
struct Decoded {
  std::size_t count = 0;  // bytes
  bool ended = false;     // it is known that the block gives no more
};

Result<Decoded> decompress_zlib(std::string_view format, Bytes in, std::span<std::byte> out) {
  const auto in_size = checked_cast<uInt>(in.size());
  const auto out_size = checked_cast<uInt>(out.size());
  if (!in_size || !out_size) return fail(ErrorCode::kInternal, "a block of 4 GiB");
  z_stream stream{};
  // zlib's interface has no const, but writes nothing there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
  stream.avail_in = *in_size;
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = *out_size;
  // Negative: no container around the data (zlib.h, inflateInit2).
  if (inflateInit2(&stream, format == "zlib" ? MAX_WBITS : -MAX_WBITS) != Z_OK) return no_memory(format);
  const int status = inflate(&stream, Z_FINISH);
  const std::string why = stream.msg != nullptr ? stream.msg : "it is cut off";
  const std::size_t produced = out.size() - stream.avail_out;
  inflateEnd(&stream);
  if (status == Z_STREAM_END) return Decoded{produced, true};
  if (status == Z_BUF_ERROR && produced == out.size()) return Decoded{produced, false};
  if (status == Z_MEM_ERROR) return no_memory(format);
  return damaged(format, why);
}

Result<Decoded> decompress_lzo(Bytes in, std::span<std::byte> out) {
  lzo_uint produced = out.size();
  const int status = lzo1x_decompress_safe(reinterpret_cast<const unsigned char*>(in.data()), in.size(),
                                           reinterpret_cast<unsigned char*>(out.data()), &produced, nullptr);
  // Padding behind the block is no fault of it.
  if (status == LZO_E_OK || status == LZO_E_INPUT_NOT_CONSUMED) return Decoded{produced, true};
  if (status == LZO_E_OUTPUT_OVERRUN) return damaged("LZO", "it gives more bytes than it may");
  return damaged("LZO", status == LZO_E_INPUT_OVERRUN ? "it is cut off" : "its bytes are no LZO1X data");
}

Result<Decoded> decompress_zstd(Bytes in, std::span<std::byte> out, bool whole) {
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
    if (status == 0) return Decoded{output.pos, true};
    const bool full = output.pos == output.size;
    if (full && !whole) return Decoded{output.pos, false};
    if (input.pos + output.pos != before) continue;
    if (full) return Decoded{output.pos, false};
    return damaged("zstd", "it is cut off");
  }
}

constexpr std::uint64_t kLzmaMemory = 10 * limits::kMiB;  // a dictionary of 8 MiB, and the decoder's own
constexpr std::size_t kMicroLzmaDictionary = 8 * limits::kMiB;

lzma_ret start_lzma(lzma_stream& stream, std::string_view format, Bytes in, std::span<std::byte> out,
                    bool whole) {
  if (format == "xz") return lzma_stream_decoder(&stream, kLzmaMemory, 0);
  if (format == "LZMA") return lzma_alone_decoder(&stream, kLzmaMemory);
  // No match can reach back over more than the contents.
  const auto dictionary = static_cast<std::uint32_t>(std::min(out.size(), kMicroLzmaDictionary));
  return lzma_microlzma_decoder(&stream, in.size(), out.size(), static_cast<lzma_bool>(whole), dictionary);
}

Result<Decoded> decompress_lzma(std::string_view format, Bytes in, std::span<std::byte> out, bool whole) {
  lzma_stream stream = LZMA_STREAM_INIT;
  const std::unique_ptr<lzma_stream, decltype([](lzma_stream* each) { lzma_end(each); })> end(&stream);
  if (start_lzma(stream, format, in, out, whole) != LZMA_OK) return no_memory(format);
  stream.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
  stream.avail_in = in.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  const lzma_ret status = lzma_code(&stream, LZMA_FINISH);
  const std::size_t produced = out.size() - stream.avail_out;
  switch (status) {
    case LZMA_STREAM_END:
      return Decoded{produced, true};
    case LZMA_OK:
    case LZMA_BUF_ERROR:
      if (produced == out.size()) return Decoded{produced, false};
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

Result<Decoded> decompress_lz4(Bytes in, std::span<std::byte> out, bool whole) {
  const auto in_size = checked_cast<int>(in.size());
  const auto out_size = checked_cast<int>(out.size());
  if (!in_size || !out_size) return fail(ErrorCode::kInternal, "a block of 2 GiB");
  const auto* const from = reinterpret_cast<const char*>(in.data());
  auto* const to = reinterpret_cast<char*>(out.data());
  const int produced = whole ? LZ4_decompress_safe(from, to, *in_size, *out_size)
                             : LZ4_decompress_safe_partial(from, to, *in_size, *out_size, *out_size);
  if (produced < 0) return damaged("LZ4", "its bytes are no LZ4 data");
  return Decoded{static_cast<std::size_t>(produced), whole};
}

Result<Decoded> decompress(BlockCompression compression, Bytes in, std::span<std::byte> out, bool whole) {
  switch (compression) {
    case BlockCompression::kZlib:
      return decompress_zlib("zlib", in, out);
    case BlockCompression::kDeflate:
      return decompress_zlib("deflate", in, out);
    case BlockCompression::kLzo1x:
      return decompress_lzo(in, out);
    case BlockCompression::kZstd:
      return decompress_zstd(in, out, whole);
    case BlockCompression::kXz:
      return decompress_lzma("xz", in, out, whole);
    case BlockCompression::kLzma:
      return decompress_lzma("LZMA", in, out, whole);
    case BlockCompression::kMicroLzma:
      return decompress_lzma("MicroLZMA", in, out, whole);
    case BlockCompression::kLz4:
      return decompress_lz4(in, out, whole);
  }
  return fail(ErrorCode::kInternal, "an unknown compression");
}

}  // namespace

Result<std::size_t> decompress_block(BlockCompression compression, Bytes in, std::span<std::byte> out) {
  if (out.empty()) return std::size_t{0};
  PVHGRUB_TRY_ASSIGN(const Decoded decoded, decompress(compression, in, out, false));
  return decoded.count;
}

Result<void> decompress_exactly(BlockCompression compression, Bytes in, std::span<std::byte> out,
                                bool whole) {
  PVHGRUB_TRY_ASSIGN(const Decoded decoded, decompress(compression, in, out, whole));
  if (decoded.count == out.size() && (decoded.ended || !whole)) return {};
  return fail(ErrorCode::kDamaged,
              "a compressed block gives " + std::string(decoded.count == out.size() ? "more than " : "") +
                  std::to_string(decoded.count) + " bytes instead of " + std::to_string(out.size()));
}

}  // namespace pvhgrub::fs
