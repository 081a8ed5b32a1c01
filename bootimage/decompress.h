// SPDX-License-Identifier: LGPL-2.1-or-later
// Compressed kernels, decompressed in pieces: neither the compressed nor the decompressed kernel is ever
// whole in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "bootimage/byte_source.h"

namespace pvhgrub::bootimage {

/// What Linux compresses kernels with (init/Kconfig, "Kernel compression mode").
enum class Compression : std::uint8_t {
  kGzip,
  kBzip2,
  kXz,
  kLzma,  ///< the .lzma ("alone") format
  kLzo,   ///< lzop's container
  kLz4,   ///< the legacy frame, which Linux uses, and the present one
  kZstd,
};

/// "gzip", "bzip2", "xz", "lzma", "lzo", "lz4", "zstd".
[[nodiscard]] std::string_view compression_name(Compression compression);

/// As many bytes from a stream's start are enough for recognise_compression().
inline constexpr std::size_t kCompressionMagicBytes = 9;

/// By the magic at a stream's start. Nothing for what is none of these, or too short for its magic.
[[nodiscard]] std::optional<Compression> recognise_compression(Bytes start);

/// How the payload of a kernel image divides.
struct PayloadSize {
  std::uint64_t compressed = 0;    ///< bytes of compressed data, from the payload's start
  std::uint64_t decompressed = 0;  ///< bytes that it declares to decompress to
};

/// As many bytes from a payload's end are enough for payload_size().
inline constexpr std::size_t kPayloadTailBytes = 4;

/// The decompressed size stands in a payload's last 4 bytes, little-endian: gzip's own last field (ISIZE, RFC
/// 1952), and Linux appends the same to all other formats, whose tools would take it for garbage
/// (scripts/Makefile.lib, `size_append`; used by arch/x86/boot/compressed/Makefile and
/// drivers/firmware/efi/libstub/Makefile.zboot). So for gzip they belong to the compressed data, for the
/// others they do not. For x86 `length` is the setup header's payload_length, which counts them and nothing
/// behind them. `tail`: the payload's last kPayloadTailBytes. kDamaged where the payload is shorter than
/// that.
[[nodiscard]] Result<PayloadSize> payload_size(Compression compression, std::uint64_t length, Bytes tail);

/// Where compressed bytes come from: fills `out` with those that follow the last read, at least one of them,
/// and tells how many; 0 only at the end.
using CompressedSource = std::function<Result<std::size_t>(std::span<std::byte> out)>;

/// All of `bytes` from its start to its end, for a PartSource over a payload. It must outlive the result.
[[nodiscard]] CompressedSource read_in_order(ByteSource& bytes);

enum class SinkAnswer : std::uint8_t {
  kMore,
  kEnough,  ///< decompress() ends here, without an error
};

/// Takes decompressed bytes in order, in pieces of 256 KiB to 8.25 MiB; the last may be shorter, none is
/// empty. A failure ends decompress() with that error. The bytes are gone when it returns.
using DecompressedSink = std::function<Result<SinkAnswer>(Bytes piece)>;

struct DecompressionLimits {
  /// Bytes that may come out.
  std::uint64_t output = limits::kKernelBytes;
  /// Bytes that must come out, where the caller knows (payload_size()).
  std::optional<std::uint64_t> declared;
};

struct Decompressed {
  std::uint64_t consumed = 0;  ///< bytes of the source that belong to the stream
  std::uint64_t produced = 0;  ///< bytes that the sink was given
  bool whole = false;          ///< the stream's end was reached and checked; false: the sink had enough
};

/// Decompresses one stream: a gzip member, a bzip2 or xz stream, a zstd or LZ4 frame, an lzop file. What
/// follows it is left alone, as Linux's own decompressors and libxenguest do; `consumed` tells where it
/// begins. Only LZ4's legacy frame has no end of its own: it goes on to the source's end.
///
/// Checksums are verified where the format has them (not: .lzma, LZ4's legacy frame). They come last, so what
/// the sink was given counts only when this succeeds and says `whole`.
///
/// Takes some 17 MiB at most beside the compressor's own window (limits::kDecompressionWindow). Charges the
/// budget one step a piece, and the bytes of both sides.
///
/// kDamaged: truncated, corrupt, or not of the declared size; the error tells the compressed byte near which.
/// kUnsupported: well-formed, but of a kind that no kernel is. kLimit: too much output, a window that is too
/// large, a ratio that no kernel reaches (limits::kDecompressionRatio), or no memory.
[[nodiscard]] Result<Decompressed> decompress(Compression compression, const CompressedSource& source,
                                              const DecompressedSink& sink, const DecompressionLimits& limits,
                                              Budget& budget);

}  // namespace pvhgrub::bootimage
