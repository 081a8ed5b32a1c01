// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises every decompressor of kernels, and that how the source cuts its bytes changes nothing; where the
// library has a call for a whole buffer, both must agree. In production: bootimage::decompress() on a guest's
// kernel, in the confined worker. Input: a byte that chooses the format, one that cuts the pieces, then
// compressed data. Seeds: any small file by gzip, bzip2, xz, lzop, lz4 or zstd, with two bytes before it.
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "bootimage/decompress.h"

namespace {

using namespace pvhgrub;
using bootimage::Compression;

constexpr std::size_t kOutput = 1U << 20U;
constexpr Compression kFormats[] = {Compression::kGzip, Compression::kBzip2, Compression::kXz,
                                    Compression::kLzma, Compression::kLzo,   Compression::kLz4,
                                    Compression::kZstd};

struct Outcome {
  std::optional<ErrorCode> failure;
  std::string output;
  std::uint64_t consumed = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(Compression compression, std::string_view data, std::size_t piece) {
  const auto source = [data, piece](std::span<std::byte> out) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({piece, data.size(), out.size()});
    std::memcpy(out.data(), data.data(), count);
    data.remove_prefix(count);
    return count;
  };
  Outcome outcome;
  const auto sink = [&outcome](Bytes bytes) -> Result<bootimage::SinkAnswer> {
    outcome.output += as_text(bytes);
    return bootimage::SinkAnswer::kMore;
  };
  bootimage::DecompressionLimits limits;
  limits.output = kOutput;
  Budget budget = Budget::standard();
  const auto done = bootimage::decompress(compression, source, sink, limits, budget);
  if (done)
    outcome.consumed = done->consumed;
  else
    outcome.failure = done.error().code;
  if (outcome.output.size() > kOutput) std::abort();
  return outcome;
}

/// What one call of the library makes of it; nothing where that failed or there is none.
std::optional<std::string> whole(Compression compression, std::string_view data) {
  static std::array<char, kOutput> out;
  const auto* in = reinterpret_cast<const std::uint8_t*>(data.data());
  auto* const to = reinterpret_cast<std::uint8_t*>(out.data());
  std::size_t size = 0;
  switch (compression) {
    case Compression::kGzip: {
      z_stream stream{};
      stream.next_in = const_cast<Bytef*>(in);
      stream.avail_in = static_cast<uInt>(data.size());
      stream.next_out = to;
      stream.avail_out = static_cast<uInt>(out.size());
      if (inflateInit2(&stream, 31) != Z_OK) return std::nullopt;
      const int status = inflate(&stream, Z_FINISH);
      size = stream.total_out;
      inflateEnd(&stream);
      if (status != Z_STREAM_END) return std::nullopt;
      break;
    }
    case Compression::kBzip2: {
      auto length = static_cast<unsigned>(out.size());
      if (BZ2_bzBuffToBuffDecompress(out.data(), &length, const_cast<char*>(data.data()),
                                     static_cast<unsigned>(data.size()), 0, 0) != BZ_OK)
        return std::nullopt;
      size = length;
      break;
    }
    case Compression::kXz: {
      std::uint64_t limit = std::uint64_t{256} << 20U;
      std::size_t position = 0;
      if (lzma_stream_buffer_decode(&limit, 0, nullptr, in, &position, data.size(), to, &size, out.size()) !=
          LZMA_OK)
        return std::nullopt;
      break;
    }
    case Compression::kZstd: {
      const std::size_t frame = ZSTD_findFrameCompressedSize(data.data(), data.size());
      if (ZSTD_isError(frame) != 0) return std::nullopt;
      size = ZSTD_decompress(out.data(), out.size(), data.data(), frame);
      if (ZSTD_isError(size) != 0) return std::nullopt;
      break;
    }
    default:
      return std::nullopt;
  }
  return std::string(out.data(), size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Compression compression = kFormats[data[0] % std::size(kFormats)];
  const std::size_t piece = data[1] + std::size_t{1};
  const std::string_view compressed(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome large = run(compression, compressed, size);
  const Outcome small = run(compression, compressed, piece);
  // libzstd decodes a frame that it sees whole by another way, which refuses some empty blocks that the other
  // takes.
  const bool other_way =
      compression == Compression::kZstd && large.failure.has_value() != small.failure.has_value();
  if (large != small && !other_way) std::abort();
  const auto expected = whole(compression, compressed);
  // The other way round they may disagree where a limit is ours alone.
  if (!large.failure && expected && *expected != large.output) std::abort();
  if (large.failure == ErrorCode::kDamaged && expected && compression != Compression::kZstd) std::abort();
  return 0;
}
