// SPDX-License-Identifier: LGPL-2.1-or-later
// Data made to hurt: bombs, windows, huge sizes, blocks that give nothing.
#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <memory>
#include <string>

#include "tests/bootimage/compressed_samples.h"
#include "tests/bootimage/decompress_helpers.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using std::string_literals::operator""s;

namespace {

std::string little_endian(std::uint64_t number, unsigned size = 4) {
  std::string bytes;
  for (unsigned i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
  return bytes;
}

/// Gives `head`, then `body` over and over for `length` bytes in all.
CompressedSource repeating(std::string head, std::string body, std::uint64_t length) {
  return [head = std::move(head), body = std::move(body), at = std::uint64_t{0},
          length](std::span<std::byte> out) mutable -> Result<std::size_t> {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), length - at));
    for (std::size_t i = 0; i < count; ++i, ++at) {
      const char c = at < head.size() ? head[static_cast<std::size_t>(at)]
                                      : body[static_cast<std::size_t>((at - head.size()) % body.size())];
      out[i] = static_cast<std::byte>(c);
    }
    return count;
  };
}

struct Verdict {
  ErrorCode code = ErrorCode::kInternal;
  std::string message = "no error";
  std::uint64_t output = 0;
  double seconds = 0;  ///< of the processor: other programs may keep it from us
};

Verdict judge(Compression compression, const CompressedSource& source,
              const DecompressionLimits& limits = {}) {
  Verdict verdict;
  Budget budget = Budget::standard();
  const std::clock_t started = std::clock();
  const auto count = [&](Bytes piece) -> Result<SinkAnswer> {
    verdict.output += piece.size();
    return SinkAnswer::kMore;
  };
  const auto done = decompress(compression, source, count, limits, budget);
  verdict.seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
  if (!done) {
    verdict.code = done.error().code;
    verdict.message = done.error().describe();
  }
  return verdict;
}

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
// Each compresses 256 MiB of zeros, at the level that takes the least time.
constexpr unsigned kBombMiB = 256;
const std::string kZeros(std::size_t{1} << 20, '\0');

std::string gzip_bomb() {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(8'000'000, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  for (unsigned i = 0; i < kBombMiB; ++i) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(kZeros.data()));
    stream.avail_in = static_cast<uInt>(kZeros.size());
    REQUIRE(deflate(&stream, i == kBombMiB - 1 ? Z_FINISH : Z_NO_FLUSH) >= 0);
  }
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string bzip2_bomb() {
  bz_stream stream{};
  REQUIRE(BZ2_bzCompressInit(&stream, 9, 0, 0) == BZ_OK);
  std::string out(1'000'000, '\0');
  stream.next_out = out.data();
  stream.avail_out = static_cast<unsigned>(out.size());
  for (unsigned i = 0; i < kBombMiB; ++i) {
    stream.next_in = const_cast<char*>(kZeros.data());
    stream.avail_in = static_cast<unsigned>(kZeros.size());
    while (stream.avail_in != 0) REQUIRE(BZ2_bzCompress(&stream, BZ_RUN) == BZ_RUN_OK);
  }
  while (BZ2_bzCompress(&stream, BZ_FINISH) == BZ_FINISH_OK) continue;
  out.resize(stream.total_out_lo32);
  BZ2_bzCompressEnd(&stream);
  return out;
}

std::string lzma_bomb(Compression compression) {
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_options_lzma options{};
  REQUIRE(!lzma_lzma_preset(&options, 0));
  REQUIRE((compression == Compression::kXz ? lzma_easy_encoder(&stream, 0, LZMA_CHECK_CRC32)
                                           : lzma_alone_encoder(&stream, &options)) == LZMA_OK);
  std::string out(1'000'000, '\0');
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  for (unsigned i = 0; i < kBombMiB; ++i) {
    stream.next_in = reinterpret_cast<const std::uint8_t*>(kZeros.data());
    stream.avail_in = kZeros.size();
    while (stream.avail_in != 0) REQUIRE(lzma_code(&stream, LZMA_RUN) == LZMA_OK);
  }
  while (lzma_code(&stream, LZMA_FINISH) == LZMA_OK) continue;
  out.resize(stream.total_out);
  lzma_end(&stream);
  return out;
}

std::string zstd_bomb() {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  std::string out(1'000'000, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (unsigned i = 0; i < kBombMiB; ++i) {
    ZSTD_inBuffer from{kZeros.data(), kZeros.size(), 0};
    while (from.pos < from.size)
      REQUIRE(ZSTD_isError(ZSTD_compressStream2(context.get(), &to, &from, ZSTD_e_continue)) == 0);
  }
  ZSTD_inBuffer nothing{nullptr, 0, 0};
  while (ZSTD_compressStream2(context.get(), &to, &nothing, ZSTD_e_end) != 0) continue;
  out.resize(to.pos);
  return out;
}

std::string lz4_block(std::string_view contents) {
  std::string out(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(contents.size()))), '\0');
  const int size = LZ4_compress_default(contents.data(), out.data(), static_cast<int>(contents.size()),
                                        static_cast<int>(out.size()));
  REQUIRE(size > 0);
  return out.substr(0, static_cast<std::size_t>(size));
}

std::string lz4_bomb() {
  const std::string block = lz4_block(std::string(std::size_t{8} << 20, '\0'));
  std::string out = "\x02\x21\x4c\x18";
  for (unsigned i = 0; i < kBombMiB / 8; ++i) out += little_endian(block.size()) + block;
  return out;
}

void check_bomb(Compression compression, const std::string& bomb) {
  INFO(compression_name(compression) << ", " << bomb.size() << " bytes");
  for (const DecompressionLimits& limits : {DecompressionLimits{}, declared(kGiB)}) {
    const Verdict verdict = judge(compression, source_of(bomb), limits);
    INFO(verdict.message << ", " << verdict.seconds << " s");
    CHECK(verdict.code == ErrorCode::kLimit);
    CHECK(verdict.message.find("which no kernel does") != std::string::npos);
    CHECK(verdict.output <= limits::kDecompressionGrace + limits::kDecompressionRatio * bomb.size());
    CHECK(verdict.output < kBombMiB * limits::kMiB);
    CHECK(verdict.seconds < 2);
  }
}

/// Data that never end and never give anything.
void check_emptiness(Compression compression, const std::string& head, const std::string& body) {
  const Verdict verdict = judge(compression, repeating(head, body, 4 * kGiB));
  INFO(compression_name(compression) << ": " << verdict.message << ", " << verdict.seconds << " s");
  CHECK(verdict.code == ErrorCode::kLimit);
  CHECK(verdict.message.find("give less than they take") != std::string::npos);
  CHECK(verdict.output <= 1);
  CHECK(verdict.seconds < 2);
}

}  // namespace

TEST_CASE("a bomb of zeros ends early in each format") {
  check_bomb(Compression::kGzip, gzip_bomb());
  check_bomb(Compression::kBzip2, bzip2_bomb());
  check_bomb(Compression::kXz, lzma_bomb(Compression::kXz));
  check_bomb(Compression::kLzma, lzma_bomb(Compression::kLzma));
  check_bomb(Compression::kLz4, lz4_bomb());
  check_bomb(Compression::kZstd, zstd_bomb());
}

TEST_CASE("blocks that give nothing end early in each format") {
  // RFC 1952 and RFC 1951, 3.2.4: a stored block of no bytes.
  check_emptiness(Compression::kGzip, "\x1f\x8b\x08\0\0\0\0\0\0\x03"s, "\0\0\0\xff\xff"s);
  // RFC 8878, 3.1.1.2: a raw block of no bytes.
  check_emptiness(Compression::kZstd, "\x28\xb5\x2f\xfd\0\x58"s, std::string(3, '\0'));
  // A frame without blocks, then the next.
  check_emptiness(Compression::kLz4, "", "\x02\x21\x4c\x18");
  // A block whose only sequence is no literals.
  check_emptiness(Compression::kLz4, "\x02\x21\x4c\x18", "\x01\0\0\0\0"s);
  // A gzip header's file name without an end.
  check_emptiness(Compression::kGzip, "\x1f\x8b\x08\x08\0\0\0\0\0\x03"s, "name");
}

TEST_CASE("a kernel that compresses as real ones do passes whatever its size") {
  // 200 MiB at a ratio of 20: far more than any kernel reaches.
  std::string block(std::size_t{8} << 20, '\0');
  for (std::size_t i = 0; i < block.size() / 20; ++i) block[i] = static_cast<char>(i * i % 251 ^ (i >> 7));
  const std::string compressed = lz4_block(block);
  std::string data = "\x02\x21\x4c\x18";
  for (unsigned i = 0; i < 25; ++i) data += little_endian(compressed.size()) + compressed;
  const Verdict verdict = judge(Compression::kLz4, source_of(data), declared(std::uint64_t{200} << 20));
  CHECK(verdict.message == "no error");
  CHECK(verdict.output == std::uint64_t{200} << 20);
}

TEST_CASE("a window or dictionary that is too large is a limit, told by its size") {
  // RFC 8878, 3.1.1.1.2: exponent 17 is 128 MiB, the largest that is taken; then a last, raw block of one
  // byte.
  const auto zstd = [](unsigned exponent, unsigned mantissa) {
    const std::string frame =
        "\x28\xb5\x2f\xfd\0"s + static_cast<char>(exponent << 3 | mantissa) + "\x09\0\0x"s;
    return judge(Compression::kZstd, source_of(frame));
  };
  CHECK(zstd(17, 0).message == "no error");
  CHECK(zstd(17, 1).code == ErrorCode::kLimit);
  CHECK(zstd(21, 0).message.find("a window of more than 128 MiB") != std::string::npos);
  CHECK(zstd(31, 7).code == ErrorCode::kLimit);

  std::string lzma = kCompressedSamples[3].bytes();
  REQUIRE(kCompressedSamples[3].compression == Compression::kLzma);
  const auto with_dictionary = [&](std::uint32_t size) {
    lzma.replace(1, 4, little_endian(size));
    return judge(Compression::kLzma, source_of(lzma));
  };
  CHECK(with_dictionary(std::uint32_t{128} << 20).message == "no error");
  CHECK(with_dictionary(std::uint32_t{192} << 20).code == ErrorCode::kLimit);
  CHECK(with_dictionary(0xFFFF'FFFF).message.find("only dictionaries of up to 128 MiB") != std::string::npos);

  // The .xz file format, 3.1 (block header) and 5.3.1 (LZMA2's dictionary size): stream header, block header
  // of 12 bytes with one filter.
  const auto xz = [](unsigned dictionary) {
    std::string stream = kCompressedSamples[2].bytes().substr(0, 12);
    std::string header = "\x02\0\x21\x01"s + static_cast<char>(dictionary) + "\0\0\0"s;
    header +=
        little_endian(lzma_crc32(reinterpret_cast<const std::uint8_t*>(header.data()), header.size(), 0));
    stream += header;
    return judge(Compression::kXz, source_of(stream));
  };
  CHECK(xz(30).code == ErrorCode::kDamaged);  // 128 MiB: only the data are missing
  CHECK(xz(31).message.find("only dictionaries of up to 128 MiB") != std::string::npos);
  CHECK(xz(40).code == ErrorCode::kLimit);
  CHECK(xz(41).code == ErrorCode::kUnsupported);
}

TEST_CASE("huge sizes in headers are refused before anything of that size is asked for") {
  const auto legacy = [](std::uint32_t size) {
    return judge(Compression::kLz4, source_of("\x02\x21\x4c\x18" + little_endian(size) + "abcd")).code;
  };
  for (const std::uint32_t size : {0U, 100U, 8'421'521U, 0x7FFF'FFFFU, 0x8000'0000U, 0xFFFF'FFFFU})
    CHECK(legacy(size) == ErrorCode::kDamaged);
  // A block may not give more than 8 MiB, whatever its own size.
  const std::string large = lz4_block(std::string((std::size_t{8} << 20) + 1, '\0'));
  const std::string frame = "\x02\x21\x4c\x18" + little_endian(large.size()) + large;
  CHECK(judge(Compression::kLz4, source_of(frame)).code == ErrorCode::kDamaged);
  // A zstd frame that says that it holds 2^64 - 1 bytes, in one segment: a window of as many.
  const std::string zstd = "\x28\xb5\x2f\xfd\xe0" + std::string(8, '\xff') + "\x09\0\0x"s;
  CHECK(judge(Compression::kZstd, source_of(zstd)).code == ErrorCode::kLimit);
}

TEST_CASE("a zstd frame gives as many bytes as its header says") {
  // One segment of 33 bytes, whose last block is empty: libzstd alone would take it.
  const std::string frame = "\x28\xb5\x2f\xfd\x20\x21\x01\0\0"s;
  for (const std::size_t piece : {std::size_t{1}, frame.size()}) {
    const Outcome outcome = run_decompress(Compression::kZstd, frame + "behind", {}, piece);
    INFO(outcome.message());
    CHECK(outcome.code() == ErrorCode::kDamaged);
  }
}

TEST_CASE("a zstd frame that wants a dictionary is refused") {
  const std::string frame = "\x28\xb5\x2f\xfd\x01\x58\x2a\x09\0\0x"s;
  CHECK(judge(Compression::kZstd, source_of(frame)).code == ErrorCode::kUnsupported);
}
