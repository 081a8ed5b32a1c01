// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/block_decompression.h"

#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

constexpr std::uint32_t kMiB = 1024U * 1024;

/// One .xz stream, or the "alone" format, with a dictionary of so many bytes.
std::size_t lzma(BlockCompression compression, const std::string& text, std::uint32_t dictionary,
                 std::vector<std::byte>& out) {
  lzma_options_lzma options{};
  REQUIRE(lzma_lzma_preset(&options, 0) == 0);
  options.dict_size = dictionary;
  const std::array filters = {lzma_filter{LZMA_FILTER_LZMA2, &options},
                              lzma_filter{LZMA_VLI_UNKNOWN, nullptr}};
  lzma_stream stream = LZMA_STREAM_INIT;
  REQUIRE((compression == BlockCompression::kXz
               ? lzma_stream_encoder(&stream, filters.data(), LZMA_CHECK_CRC32)
               : lzma_alone_encoder(&stream, &options)) == LZMA_OK);
  stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  REQUIRE(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
  lzma_end(&stream);
  return out.size() - stream.avail_out;
}

std::size_t lzo(const std::string& text, std::vector<std::byte>& out) {
  std::vector<unsigned char> memory(LZO1X_1_MEM_COMPRESS);
  lzo_uint length = out.size();
  REQUIRE(lzo1x_1_compress(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                           reinterpret_cast<unsigned char*>(out.data()), &length, memory.data()) == LZO_E_OK);
  return length;
}

std::vector<std::byte> compressed(BlockCompression compression, const std::string& text,
                                  std::uint32_t dictionary = kMiB) {
  std::vector<std::byte> out(text.size() + text.size() / 8 + 4096);
  std::size_t size = 0;
  switch (compression) {
    case BlockCompression::kZlib:
    case BlockCompression::kDeflate: {
      uLongf length = out.size();
      REQUIRE(compress2(reinterpret_cast<unsigned char*>(out.data()), &length,
                        reinterpret_cast<const unsigned char*>(text.data()), text.size(), 6) == Z_OK);
      size = length;
      if (compression == BlockCompression::kZlib) break;
      // Without zlib's header and checksum, RFC 1950 is RFC 1951.
      out.erase(out.begin(), out.begin() + 2);
      size -= 6;
      break;
    }
    case BlockCompression::kLzo1x:
      size = lzo(text, out);
      break;
    case BlockCompression::kZstd:
      size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
      REQUIRE(ZSTD_isError(size) == 0);
      break;
    case BlockCompression::kXz:
    case BlockCompression::kLzma:
      size = lzma(compression, text, dictionary, out);
      break;
    case BlockCompression::kLz4: {
      const int length = LZ4_compress_default(text.data(), reinterpret_cast<char*>(out.data()),
                                              static_cast<int>(text.size()), static_cast<int>(out.size()));
      REQUIRE(length > 0);
      size = static_cast<std::size_t>(length);
      break;
    }
    case BlockCompression::kMicroLzma:
      FAIL("only of exact sizes");
  }
  out.resize(size);
  return out;
}

const auto kKinds = {BlockCompression::kZlib,   BlockCompression::kLzo1x, BlockCompression::kZstd,
                     BlockCompression::kXz,     BlockCompression::kLzma,  BlockCompression::kLz4,
                     BlockCompression::kDeflate};

}  // namespace

TEST_CASE("a compressed block comes back, also with padding behind it", "[compression]") {
  const BlockCompression compression = GENERATE(values(kKinds));
  const std::string text = GENERATE(std::string("x"), std::string(131072, 'a'), noise(131072, 1),
                                    noise(70'000, 2) + noise(70'000, 2));
  std::vector<std::byte> block = compressed(compression, text);
  for (const std::size_t padding : {0UL, 1UL, 5000UL}) {
    block.resize(block.size() + padding);
    // An LZ4 block does not tell where it ends, so its room must where padding follows.
    const bool tells_its_end = compression != BlockCompression::kLz4 || padding == 0;
    std::vector<std::byte> out(text.size() + (tells_its_end ? 10 : 0));
    const auto count = decompress_block(compression, block, out);
    REQUIRE(count);
    CHECK(*count == text.size());
    CHECK(as_text(Bytes(out).first(*count)) == text);
    out.resize(text.size());  // exactly as much room as it needs
    CHECK(decompress_block(compression, block, out).value() == text.size());
  }
}

TEST_CASE("a block that gives more than there is room for fills it, or is refused", "[compression]") {
  const BlockCompression compression = GENERATE(values(kKinds));
  const std::string text = noise(50'000, 1) + std::string(50'000, 'b');
  const std::vector<std::byte> block = compressed(compression, text);
  std::vector<std::byte> out(60'000);
  const auto count = decompress_block(compression, block, out);
  if (compression == BlockCompression::kLzo1x) {
    REQUIRE_FALSE(count);
    CHECK(count.error().code == ErrorCode::kDamaged);
  } else {
    REQUIRE(count);
    CHECK(as_text(out) == text.substr(0, 60'000));
  }
  CHECK(decompress_block(compression, block, {}).value() == 0);
}

TEST_CASE("what is cut off or changed is damaged, or gives other bytes", "[compression]") {
  const BlockCompression compression = GENERATE(values(kKinds));
  const std::string text = noise(20'000, 3) + std::string(20'000, 'c');
  const std::vector<std::byte> block = compressed(compression, text);
  std::vector<std::byte> out(41'000);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{5}, block.size() / 2, block.size() - 1}) {
    const auto count = decompress_block(compression, Bytes(block).first(size), out);
    if (compression == BlockCompression::kLz4 && count) {
      CHECK(*count < text.size());  // the caller knows how much there should be
      CHECK(text.starts_with(as_text(Bytes(out).first(*count))));
      continue;
    }
    REQUIRE_FALSE(count);
    CHECK(count.error().code == ErrorCode::kDamaged);
  }
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (unsigned round = 0; round < 500; ++round) {
    std::vector<std::byte> changed = block;
    for (unsigned i = 0; i < 3; ++i)
      changed[random() % std::min<std::size_t>(changed.size(), 300)] = static_cast<std::byte>(random());
    const auto count = decompress_block(compression, changed, out);
    if (count) {
      CHECK(*count <= out.size());
    } else {
      ++refused;
      CHECK((count.error().code == ErrorCode::kDamaged || count.error().code == ErrorCode::kLimit));
      CHECK(count.error().message.find("a compressed block (") != std::string::npos);
    }
  }
  // Those with a checksum of their own give no other bytes.
  if (compression == BlockCompression::kXz || compression == BlockCompression::kZlib) CHECK(refused > 490);
}

TEST_CASE("bytes of no format, or of another, are damaged", "[compression]") {
  const BlockCompression compression = GENERATE(values(kKinds));
  std::vector<std::byte> out(200'000);
  for (const BlockCompression other : kKinds) {
    // The others have no magic: nearly any bytes are data.
    const bool has_magic = compression == BlockCompression::kZlib || compression == BlockCompression::kZstd ||
                           compression == BlockCompression::kXz;
    if (other == compression || !has_magic) continue;
    CAPTURE(static_cast<int>(compression), static_cast<int>(other));
    const auto count = decompress_block(compression, compressed(other, noise(50'000, 5)), out);
    REQUIRE_FALSE(count);
    CHECK(count.error().code == ErrorCode::kDamaged);
  }
  const std::string random = noise(100'000, 11);
  for (std::size_t offset = 0; offset < 5000; offset += 7) {
    const auto count =
        decompress_block(compression, std::as_bytes(std::span(random)).subspan(offset, 3000), out);
    if (count) {
      CHECK(*count <= out.size());
    } else {
      CHECK((count.error().code == ErrorCode::kDamaged || count.error().code == ErrorCode::kLimit));
    }
  }
}

TEST_CASE("a block of known length must give exactly that", "[compression]") {
  const std::string text = noise(50'000, 4) + std::string(50'000, 'd');
  const std::vector<std::byte> deflate = compressed(BlockCompression::kDeflate, text);
  const std::vector<std::byte> zstd = compressed(BlockCompression::kZstd, text);
  const auto [compression, block] = GENERATE_COPY(
      values({std::pair(BlockCompression::kDeflate, deflate), std::pair(BlockCompression::kZstd, zstd)}));
  std::vector<std::byte> out(text.size());
  REQUIRE(decompress_exactly(compression, block, out, true));
  CHECK(as_text(out) == text);
  for (const std::size_t size : {1UL, 60'000UL, text.size() - 1}) {
    out.resize(size);
    const auto whole = decompress_exactly(compression, block, out, true);
    REQUIRE_FALSE(whole);
    CHECK(whole.error().code == ErrorCode::kDamaged);
    REQUIRE(decompress_exactly(compression, block, out, false));
    CHECK(as_text(out) == text.substr(0, size));
  }
  out.resize(text.size() + 1);
  CHECK_FALSE(decompress_exactly(compression, block, out, true));
  CHECK_FALSE(decompress_exactly(compression, block, out, false));
}

TEST_CASE("an LZ4 block of known length ends where its input does", "[compression]") {
  using namespace std::string_view_literals;
  const Bytes block = as_bytes("\x50hello"sv);  // five bytes as they are (lz4_Block_format.md)
  std::vector<std::byte> out(5);
  REQUIRE(decompress_exactly(BlockCompression::kLz4, block, out, true));
  CHECK(as_text(out) == "hello");
  CHECK_FALSE(decompress_exactly(BlockCompression::kLz4, as_bytes("\x50hello\0\0"sv), out, true));
  CHECK(decompress_exactly(BlockCompression::kLz4, as_bytes("\x50hello\0\0"sv), out, false));
  out.resize(4);
  CHECK_FALSE(decompress_exactly(BlockCompression::kLz4, block, out, true));
  CHECK(decompress_exactly(BlockCompression::kLz4, block, out, false));
  CHECK(as_text(out) == "hell");
  out.resize(6);
  CHECK_FALSE(decompress_exactly(BlockCompression::kLz4, block, out, true));
  CHECK_FALSE(decompress_exactly(BlockCompression::kLz4, block, out, false));
}

TEST_CASE("a dictionary of more than 8 MiB is a limit that is named", "[compression]") {
  const BlockCompression compression = GENERATE(BlockCompression::kXz, BlockCompression::kLzma);
  const std::string text = noise(1000, 1);
  std::vector<std::byte> out(2000);
  CHECK(decompress_block(compression, compressed(compression, text, 8 * kMiB), out).value() == 1000);
  const auto count = decompress_block(compression, compressed(compression, text, 64 * kMiB), out);
  REQUIRE_FALSE(count);
  CHECK(count.error().code == ErrorCode::kLimit);
  CHECK(count.error().message.find("dictionary of more than 8 MiB") != std::string::npos);
}

}  // namespace pvhgrub::fs::test
