// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/decompress.h"

#include <algorithm>
#include <memory>
#include <string>

#include "bootimage/compressed_input.h"
#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::string_view bytes;
  Compression compression;
};

// gzip: RFC 1952, 2.3.1. bzip2: "BZh" and the block size's digit. xz: the .xz file format, 2.1.1.1. lzma:
// properties 0x5D (lc=3, lp=0, pb=2: what every tool writes) and a dictionary size of whole 64 KiB. lzo:
// lzop's magic. lz4: LZ4 Frame Format Description, "Legacy frame" and "General Structure". zstd: RFC
// 8878, 3.1.1.
constexpr Magic kMagics[] = {
    {"\x1f\x8b"sv, Compression::kGzip},
    {"BZh"sv, Compression::kBzip2},
    {"\xfd"
     "7zXZ\0"sv,
     Compression::kXz},
    {"\x5d\0\0"sv, Compression::kLzma},
    {"\x89LZO\0\r\n\x1a\n"sv, Compression::kLzo},
    {"\x02\x21\x4c\x18"sv, Compression::kLz4},
    {"\x04\x22\x4d\x18"sv, Compression::kLz4},
    {"\x28\xb5\x2f\xfd"sv, Compression::kZstd},
};

/// Whether a piece may go out after what went out before it.
Result<void> check_piece(std::uint64_t piece, const CompressedInput& input,
                         const DecompressionLimits& limits) {
  const std::uint64_t total = input.produced() + piece;
  if (limits.declared && total > *limits.declared)
    return input.damaged("they give more than the " + std::to_string(*limits.declared) +
                         " bytes that they declare");
  if (total > limits.output)
    return input.failure(ErrorCode::kLimit,
                         "the compressed data give more than " + std::to_string(limits.output) + " bytes");
  // A division, since a product might not fit.
  if (total > limits::kDecompressionGrace &&
      (total - limits::kDecompressionGrace) / limits::kDecompressionRatio > input.consumed())
    return input.failure(ErrorCode::kLimit, "the compressed data give " + std::to_string(total) +
                                                " bytes from " + std::to_string(input.consumed()) +
                                                ", which no kernel does");
  return {};
}

}  // namespace

std::string_view compression_name(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return "gzip";
    case Compression::kBzip2:
      return "bzip2";
    case Compression::kXz:
      return "xz";
    case Compression::kLzma:
      return "lzma";
    case Compression::kLzo:
      return "lzo";
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      break;
  }
  return "zstd";
}

std::optional<Compression> recognise_compression(Bytes start) {
  const auto* const magic = std::ranges::find_if(
      kMagics, [&](const Magic& candidate) { return as_text(start).starts_with(candidate.bytes); });
  if (magic == std::ranges::end(kMagics)) return std::nullopt;
  return magic->compression;
}

Result<PayloadSize> payload_size(Compression compression, std::uint64_t length, Bytes tail) {
  if (length < kPayloadTailBytes || tail.size() < kPayloadTailBytes)
    return fail(ErrorCode::kDamaged,
                "the kernel's compressed payload has only " + std::to_string(length) + " bytes");
  ByteReader reader(tail.last(kPayloadTailBytes));
  PayloadSize size;
  size.compressed = compression == Compression::kGzip ? length : length - kPayloadTailBytes;
  PVHGRUB_TRY_ASSIGN(size.decompressed, reader.little_endian<std::uint32_t>());
  return size;
}

CompressedSource read_in_order(ByteSource& bytes) {
  return [&bytes, offset = std::uint64_t{0}](std::span<std::byte> out) mutable -> Result<std::size_t> {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), bytes.size() - offset));
    PVHGRUB_TRY(bytes.read_at(offset, out.first(count)));
    offset += count;
    return count;
  };
}

Result<Decompressed> decompress(Compression compression, const CompressedSource& source,
                                const DecompressedSink& sink, const DecompressionLimits& limits,
                                Budget& budget) {
  if (limits.declared && *limits.declared > limits.output)
    return fail(ErrorCode::kLimit, "the compressed data declare to give " + std::to_string(*limits.declared) +
                                       " bytes, and at most " + std::to_string(limits.output) + " are taken");
  CompressedInput input(compression, source, budget);
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<Decompressor> decompressor, open_decompressor(input));
  for (;;) {
    PVHGRUB_TRY_ASSIGN(const Bytes piece, decompressor->next());
    if (piece.empty()) break;
    PVHGRUB_TRY(check_piece(piece.size(), input, limits));
    PVHGRUB_TRY(budget.charge_steps(1, "decompressing a kernel"));
    PVHGRUB_TRY(budget.charge_bytes(piece.size(), "decompressing a kernel"));
    PVHGRUB_TRY_ASSIGN(const SinkAnswer answer, sink(piece));
    input.add_output(piece.size());
    if (answer == SinkAnswer::kEnough) return Decompressed{input.consumed(), input.produced(), false};
  }
  if (limits.declared && input.produced() != *limits.declared)
    return input.damaged("they give " + std::to_string(input.produced()) + " bytes instead of the " +
                         std::to_string(*limits.declared) + " that they declare");
  return Decompressed{input.consumed(), input.produced(), true};
}

}  // namespace pvhgrub::bootimage
