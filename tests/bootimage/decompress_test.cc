// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/decompress.h"

#include <catch2/catch.hpp>
#include <map>
#include <vector>

#include "tests/bootimage/compressed_samples.h"
#include "tests/bootimage/decompress_helpers.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

namespace {

const std::string kText = sample_text();

bool is_prefix(std::string_view output) {
  return std::string_view(kText).starts_with(output);
}

}  // namespace

TEST_CASE("each format is recognised by the first bytes of what its tool writes") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    const std::string data = sample.bytes();
    CHECK(recognise_compression(as_bytes(data)) == sample.compression);
    CHECK(recognise_compression(as_bytes(data).first(kCompressionMagicBytes)) == sample.compression);
    CHECK_FALSE(recognise_compression(as_bytes(data).first(1)));
  }
}

TEST_CASE("what is not compressed is no format") {
  using std::string_view_literals::operator""sv;
  for (const std::string_view start :
       {""sv,
        "\x7f"
        "ELF"sv,
        "MZ"sv, "BZ"sv, "\x5d\0\x01"sv, "\x89LZO\0\r\n\x1a"sv, "\x03\x21\x4c\x18"sv})
    CHECK_FALSE(recognise_compression(as_bytes(start)));
}

TEST_CASE("the size at a payload's end belongs to gzip, and follows the data of all others") {
  const std::string tail("\x10\x32\x54\x06", 4);
  const auto gzip = payload_size(Compression::kGzip, 1000, as_bytes(tail));
  REQUIRE(gzip);
  CHECK(gzip->compressed == 1000);
  CHECK(gzip->decompressed == 0x06543210);
  const auto xz = payload_size(Compression::kXz, 1000, as_bytes(tail));
  REQUIRE(xz);
  CHECK(xz->compressed == 996);
  CHECK(xz->decompressed == 0x06543210);
  CHECK(payload_size(Compression::kXz, 3, as_bytes(tail)).error().code == ErrorCode::kDamaged);
  CHECK(payload_size(Compression::kXz, 1000, as_bytes(tail).first(3)).error().code == ErrorCode::kDamaged);
}

TEST_CASE("gzip's own last field is the size of what comes out") {
  const std::string data = kCompressedSamples[0].bytes();
  REQUIRE(kCompressedSamples[0].compression == Compression::kGzip);
  const auto size = payload_size(Compression::kGzip, data.size(), as_bytes(data));
  REQUIRE(size);
  CHECK(size->compressed == data.size());
  CHECK(size->decompressed == kText.size());
}

TEST_CASE("every format's sample decompresses to its text, however the source cuts it") {
  for (const CompressedSample& sample : kCompressedSamples) {
    const std::string data = sample.bytes();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}, std::size_t{65536}}) {
      INFO(sample.tool << " in pieces of " << piece);
      const Outcome outcome = run_decompress(sample.compression, data, declared(kText.size()), piece);
      REQUIRE(outcome.message() == "no error");
      CHECK(outcome.output == kText);
      CHECK(outcome.result->whole);
      CHECK(outcome.result->produced == kText.size());
      CHECK(outcome.result->consumed == data.size());
    }
  }
}

TEST_CASE("a part of an image is decompressed from where it stands") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    const std::string data = sample.bytes();
    const std::string image = "header" + data + "rest of the image";
    MemorySource whole(as_bytes(image));
    PartSource payload(whole, 6, data.size());
    Budget budget = Budget::standard();
    std::string output;
    const auto take = [&output](Bytes piece) -> Result<SinkAnswer> {
      output += as_text(piece);
      return SinkAnswer::kMore;
    };
    const auto done =
        decompress(sample.compression, read_in_order(payload), take, declared(kText.size()), budget);
    REQUIRE(done);
    CHECK(done->consumed == data.size());
    CHECK(output == kText);
  }
}

TEST_CASE("a stream that is cut anywhere is damaged, and never gives anything but the text's beginning") {
  for (const CompressedSample& sample : kCompressedSamples) {
    const std::string data = sample.bytes();
    for (std::size_t length = 0; length < data.size(); ++length) {
      INFO(sample.tool << " cut to " << length);
      const std::string_view cut = std::string_view(data).substr(0, length);
      const Outcome outcome = run_decompress(sample.compression, cut, declared(kText.size()));
      CHECK(outcome.code() == ErrorCode::kDamaged);
      CHECK(is_prefix(outcome.output));
      // The legacy frame of LZ4 has no end: without a declared size a cut between its blocks cannot be seen.
      const bool between_blocks = sample.tool == "lz4 -l -9" && length == 4;
      const Outcome undeclared = run_decompress(sample.compression, cut);
      CHECK(undeclared.result.has_value() == between_blocks);
    }
  }
}

TEST_CASE("one changed byte never gives a wrong text where the format has a checksum") {
  for (const CompressedSample& sample : kCompressedSamples) {
    const std::string data = sample.bytes();
    std::map<ErrorCode, unsigned> failures;
    for (std::size_t at = 0; at < data.size(); ++at) {
      for (const unsigned change : {0x01U, 0x02U, 0x04U, 0x08U, 0x10U, 0x20U, 0x40U, 0x80U, 0xFFU}) {
        std::string changed = data;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ change);
        INFO(sample.tool << ", byte " << at << " changed by " << change);
        const Outcome outcome = run_decompress(sample.compression, changed, declared(kText.size()));
        if (!outcome.result) {
          ++failures[outcome.code()];
          continue;
        }
        CHECK(outcome.output.size() == kText.size());
        if (sample.has_checksum) CHECK(outcome.output == kText);
      }
    }
    INFO(sample.tool);
    for (const auto& [code, count] : failures)
      CHECK((code == ErrorCode::kDamaged || code == ErrorCode::kUnsupported || code == ErrorCode::kLimit));
    // Of nine changes of a byte most are found, even where no checksum is.
    CHECK(failures[ErrorCode::kDamaged] > data.size() * 4);
  }
}

TEST_CASE("an error tells the compressed byte near which the data are damaged") {
  for (const CompressedSample& sample : kCompressedSamples) {
    const std::string data = sample.bytes();
    const Outcome outcome = run_decompress(sample.compression, std::string_view(data).substr(0, 100));
    INFO(sample.tool << ": " << outcome.message());
    CHECK(outcome.result.error().where.starts_with("compressed byte "));
    CHECK(outcome.result.error().message.find(compression_name(sample.compression)) != std::string::npos);
    CHECK(std::stoul(outcome.result.error().where.substr(16)) <= 100);
  }
}

TEST_CASE("data of another format are damaged") {
  for (const CompressedSample& sample : kCompressedSamples)
    for (const CompressedSample& other : kCompressedSamples) {
      if (sample.compression == other.compression) continue;
      INFO(other.tool << " as " << compression_name(sample.compression));
      const Outcome outcome = run_decompress(sample.compression, other.bytes(), declared(kText.size()));
      CHECK_FALSE(outcome.result);
      CHECK(outcome.output.empty());
    }
}

TEST_CASE("the declared size is checked exactly") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    for (const std::size_t size :
         {std::size_t{0}, kText.size() - 1, kText.size() + 1, std::size_t{1} << 30}) {
      const Outcome outcome = run_decompress(sample.compression, sample.bytes(), declared(size));
      CHECK(outcome.code() == ErrorCode::kDamaged);
      CHECK(outcome.output.size() <= size);
    }
    CHECK(run_decompress(sample.compression, sample.bytes(), declared((std::uint64_t{1} << 30) + 1)).code() ==
          ErrorCode::kLimit);
  }
}

TEST_CASE("as many bytes as are allowed may come out, and not one more") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    DecompressionLimits limits;
    limits.output = kText.size() + 1;
    CHECK(run_decompress(sample.compression, sample.bytes(), limits).output == kText);
    limits.output = kText.size();
    CHECK(run_decompress(sample.compression, sample.bytes(), limits).output == kText);
    limits.output = kText.size() - 1;
    const Outcome outcome = run_decompress(sample.compression, sample.bytes(), limits);
    CHECK(outcome.code() == ErrorCode::kLimit);
    CHECK(outcome.output.empty());
  }
}

TEST_CASE("what follows the stream is left alone") {
  for (const CompressedSample& sample : kCompressedSamples) {
    if (sample.tool == "lz4 -l -9") continue;
    INFO(sample.tool);
    const std::string data = sample.bytes();
    for (const std::string& behind : {std::string("\0\0\0\0garbage", 11), data}) {
      const Outcome outcome = run_decompress(sample.compression, data + behind, declared(kText.size()), 7);
      REQUIRE(outcome.message() == "no error");
      CHECK(outcome.output == kText);
      CHECK(outcome.result->consumed == data.size());
    }
  }
}

TEST_CASE("frames of LZ4's legacy kind follow one another to the source's end") {
  const std::string data = kCompressedSamples[5].bytes();
  REQUIRE(kCompressedSamples[5].tool == "lz4 -l -9");
  const Outcome two = run_decompress(Compression::kLz4, data + data, declared(2 * kText.size()));
  REQUIRE(two.message() == "no error");
  CHECK(two.output == kText + kText);
  CHECK(two.result->consumed == 2 * data.size());
  for (const std::string& behind :
       {std::string(4, '\0'), std::string("\xff\xff\xff\x7f", 4), std::string("\x01", 1)})
    CHECK(run_decompress(Compression::kLz4, data + behind).code() == ErrorCode::kDamaged);
}

TEST_CASE("a sink that has enough ends it without an error") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    const std::string data = sample.bytes();
    Budget budget = Budget::standard();
    unsigned calls = 0;
    const auto first = [&calls](Bytes) -> Result<SinkAnswer> {
      ++calls;
      return SinkAnswer::kEnough;
    };
    const auto done =
        decompress(sample.compression, source_of(data), first, declared(kText.size() * 2), budget);
    REQUIRE(done);
    CHECK(calls == 1);
    CHECK_FALSE(done->whole);
    CHECK(done->produced == kText.size());
  }
}

TEST_CASE("a sink's or a source's failure ends it with that error") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    const std::string data = sample.bytes();
    Budget budget = Budget::standard();
    const auto full = [](Bytes) -> Result<SinkAnswer> { return fail(ErrorCode::kIo, "no space"); };
    CHECK(decompress(sample.compression, source_of(data), full, {}, budget).error().message == "no space");
    std::size_t given = 0;
    const auto broken = [&](std::span<std::byte> out) -> Result<std::size_t> {
      if (given == 50) return fail(ErrorCode::kIo, "a bad sector");
      out[0] = as_bytes(data)[given++];
      return 1;
    };
    const auto take = [](Bytes) -> Result<SinkAnswer> { return SinkAnswer::kMore; };
    CHECK(decompress(sample.compression, broken, take, {}, budget).error().message == "a bad sector");
    const auto lying = [](std::span<std::byte> out) -> Result<std::size_t> { return out.size() + 1; };
    CHECK(decompress(sample.compression, lying, take, {}, budget).error().code == ErrorCode::kInternal);
  }
}

TEST_CASE("the budget pays for both sides") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    const std::string data = sample.bytes();
    const auto take = [](Bytes) -> Result<SinkAnswer> { return SinkAnswer::kMore; };
    Budget exact(100, data.size() + kText.size());
    REQUIRE(decompress(sample.compression, source_of(data), take, {}, exact));
    CHECK(exact.bytes_left() == 0);
    Budget small(100, data.size() + kText.size() - 1);
    CHECK(decompress(sample.compression, source_of(data), take, {}, small).error().code == ErrorCode::kLimit);
    Budget no_steps(0, 1'000'000);
    CHECK(decompress(sample.compression, source_of(data), take, {}, no_steps).error().code ==
          ErrorCode::kLimit);
  }
}
