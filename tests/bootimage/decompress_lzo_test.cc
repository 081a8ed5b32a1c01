// SPDX-License-Identifier: LGPL-2.1-or-later
// lzop's container in the forms that the installed lzop does not write.
#include <lzo/lzo1x.h>

#include <catch2/catch.hpp>
#include <vector>

#include "tests/bootimage/compressed_samples.h"
#include "tests/bootimage/decompress_helpers.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

namespace {

const lzo_byte* data_of(std::string_view text) {
  return reinterpret_cast<const lzo_byte*>(text.data());
}

std::uint32_t adler32(std::string_view text) {
  return lzo_adler32(1, data_of(text), text.size());
}

std::uint32_t crc32(std::string_view text) {
  return lzo_crc32(0, data_of(text), text.size());
}

std::string big_endian(std::uint64_t number, unsigned size) {
  std::string bytes;
  while (size-- > 0) bytes += static_cast<char>(number >> (8 * size));
  return bytes;
}

struct LzopFile {
  std::uint16_t version = 0x1040;
  std::uint8_t method = 1;
  std::uint32_t flags = 0;
  std::string name;
  std::string blocks;

  void add(std::string_view contents, bool stored) {
    std::string compressed(contents);
    if (!stored) {
      compressed.resize(contents.size() * 2 + 100);
      std::vector<lzo_align_t> memory(LZO1X_1_MEM_COMPRESS / sizeof(lzo_align_t) + 1);
      lzo_uint size = 0;
      REQUIRE(lzo_init() == LZO_E_OK);
      REQUIRE(lzo1x_1_compress(data_of(contents), contents.size(),
                               reinterpret_cast<lzo_byte*>(compressed.data()), &size,
                               memory.data()) == LZO_E_OK);
      REQUIRE(size < contents.size());
      compressed.resize(size);
    }
    blocks += big_endian(contents.size(), 4) + big_endian(compressed.size(), 4);
    if ((flags & 0x1) != 0) blocks += big_endian(adler32(contents), 4);
    if ((flags & 0x100) != 0) blocks += big_endian(crc32(contents), 4);
    if (!stored && (flags & 0x2) != 0) blocks += big_endian(adler32(compressed), 4);
    if (!stored && (flags & 0x200) != 0) blocks += big_endian(crc32(compressed), 4);
    blocks += compressed;
  }

  [[nodiscard]] std::string bytes() const {
    std::string header = big_endian(version, 2) + big_endian(0x20A0, 2) + big_endian(0x0940, 2);
    header += big_endian(method, 1) + big_endian(1, 1) + big_endian(flags, 4) + big_endian(0x81A4, 4);
    header += big_endian(0, 8) + big_endian(name.size(), 1) + name;
    const std::uint32_t checksum = (flags & 0x1000) != 0 ? crc32(header) : adler32(header);
    return std::string("\x89LZO\0\r\n\x1a\n", 9) + header + big_endian(checksum, 4) + blocks +
           std::string(4, '\0');
  }
};

const std::string kText = sample_text();

}  // namespace

TEST_CASE("lzop's checksums are read and verified in each combination") {
  for (unsigned combination = 0; combination < 32; ++combination) {
    LzopFile file;
    for (unsigned bit = 0; bit < 5; ++bit) {
      constexpr std::uint32_t kFlags[] = {0x1, 0x2, 0x100, 0x200, 0x1000};
      if ((combination >> bit & 1U) != 0) file.flags |= kFlags[bit];
    }
    file.add(kText, false);
    file.add(kText, true);
    file.add(kText, false);
    INFO("flags " << file.flags);
    const std::string data = file.bytes();
    const Outcome outcome = run_decompress(Compression::kLzo, data);
    REQUIRE(outcome.message() == "no error");
    CHECK(outcome.output == kText + kText + kText);
    // The last byte of the second block, which is stored: no decompressor would notice.
    std::string changed = data;
    const std::size_t at = data.find(kText) + kText.size() - 1;
    changed[at] = '?';
    CHECK(run_decompress(Compression::kLzo, changed).result.has_value() == ((file.flags & 0x101) == 0));
  }
}

TEST_CASE("a long name in lzop's header is skipped") {
  LzopFile file;
  file.name = std::string(255, 'x');
  file.add(kText, false);
  CHECK(run_decompress(Compression::kLzo, file.bytes(), {}, 1).output == kText);
}

TEST_CASE("an lzop file of a kind that no kernel is, is refused by name") {
  const auto message_of = [](const LzopFile& file) {
    const Outcome outcome = run_decompress(Compression::kLzo, file.bytes());
    CHECK(outcome.code() == ErrorCode::kUnsupported);
    return outcome.message();
  };
  for (const std::uint32_t flag : {0x40U, 0x400U, 0x800U}) {
    LzopFile file;
    file.flags = flag;
    CHECK(message_of(file).find("a filter, parts or extra fields") != std::string::npos);
  }
  LzopFile old;
  old.version = 0x0930;
  CHECK(message_of(old).find("before 0.94") != std::string::npos);
  LzopFile other;
  other.method = 0x80;
  CHECK(message_of(other).find("a method other than LZO1X") != std::string::npos);
}

TEST_CASE("sizes of an lzop block are bounded before anything is read") {
  const auto with_sizes = [](std::uint32_t size, std::uint32_t compressed_size) {
    LzopFile file;
    file.blocks = big_endian(size, 4) + big_endian(compressed_size, 4);
    return run_decompress(Compression::kLzo, file.bytes()).code();
  };
  CHECK(with_sizes(0xFFFF'FFFF, 100) == ErrorCode::kUnsupported);
  CHECK(with_sizes(256 * 1024 + 1, 100) == ErrorCode::kUnsupported);
  CHECK(with_sizes(100, 0) == ErrorCode::kDamaged);
  CHECK(with_sizes(100, 101) == ErrorCode::kDamaged);
  CHECK(with_sizes(100, 0xFFFF'FFFF) == ErrorCode::kDamaged);
  CHECK(with_sizes(100, 100) == ErrorCode::kDamaged);
}

TEST_CASE("many tiny lzop blocks go out in large pieces") {
  LzopFile file;
  std::string expected;
  for (unsigned i = 0; i < 600'000; ++i) {
    const std::string one(1, static_cast<char>(i));
    file.add(one, true);
    expected += one;
  }
  Budget budget(1000, 100'000'000);
  std::string output;
  const auto take = [&](Bytes piece) -> Result<SinkAnswer> {
    output += as_text(piece);
    return SinkAnswer::kMore;
  };
  const std::string data = file.bytes();
  REQUIRE(decompress(Compression::kLzo, source_of(data), take, {}, budget));
  CHECK((output == expected));
}
