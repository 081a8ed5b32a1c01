// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/block_decompression.h"

#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

std::vector<std::byte> compressed(BlockCompression compression, const std::string& text) {
  std::vector<std::byte> out(text.size() + text.size() / 8 + 4096);
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  const auto* const from = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t size = 0;
  if (compression == BlockCompression::kZlib) {
    uLongf length = out.size();
    REQUIRE(compress2(bytes, &length, from, text.size(), 6) == Z_OK);
    size = length;
  } else if (compression == BlockCompression::kLzo1x) {
    std::vector<unsigned char> memory(LZO1X_1_MEM_COMPRESS);
    lzo_uint length = out.size();
    REQUIRE(lzo1x_1_compress(from, text.size(), bytes, &length, memory.data()) == LZO_E_OK);
    size = length;
  } else {
    size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
    REQUIRE(ZSTD_isError(size) == 0);
  }
  out.resize(size);
  return out;
}

const auto kKinds = {BlockCompression::kZlib, BlockCompression::kLzo1x, BlockCompression::kZstd};

}  // namespace

TEST_CASE("a compressed block comes back, also with padding behind it", "[compression]") {
  const BlockCompression compression = GENERATE(values(kKinds));
  const std::string text = GENERATE(std::string("x"), std::string(131072, 'a'), noise(131072, 1),
                                    noise(70'000, 2) + noise(70'000, 2));
  std::vector<std::byte> block = compressed(compression, text);
  for (const std::size_t padding : {0UL, 1UL, 5000UL}) {
    block.resize(block.size() + padding);
    std::vector<std::byte> out(text.size() + 10);
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
  const std::vector<std::byte> block = compressed(compression, noise(20'000, 3) + std::string(20'000, 'c'));
  std::vector<std::byte> out(41'000);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{5}, block.size() / 2, block.size() - 1}) {
    const auto count = decompress_block(compression, Bytes(block).first(size), out);
    REQUIRE_FALSE(count);
    CHECK(count.error().code == ErrorCode::kDamaged);
  }
  std::mt19937 random(7);
  for (unsigned round = 0; round < 500; ++round) {
    std::vector<std::byte> changed = block;
    for (unsigned i = 0; i < 3; ++i)
      changed[random() % std::min<std::size_t>(changed.size(), 300)] = static_cast<std::byte>(random());
    const auto count = decompress_block(compression, changed, out);
    if (count) CHECK(*count <= out.size());
  }
}

TEST_CASE("a block of known length must give exactly that", "[compression]") {
  const std::string text = noise(50'000, 4) + std::string(50'000, 'd');
  std::vector<std::byte> zlib = compressed(BlockCompression::kZlib, text);
  // Without zlib's header and checksum, RFC 1950 is RFC 1951.
  const std::vector<std::byte> deflate(zlib.begin() + 2, zlib.end() - 4);
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

}  // namespace pvhgrub::fs::test
