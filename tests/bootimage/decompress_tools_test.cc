// SPDX-License-Identifier: LGPL-2.1-or-later
// What the formats' own tools write, as they are installed here.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "tests/bootimage/compressed_file.h"
#include "tests/bootimage/decompress_helpers.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

namespace {

std::string little_endian(std::uint64_t number) {
  std::string bytes;
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

/// Decompresses a payload as it stands in a kernel: with its declared size at its end.
void check_payload(Compression compression, const std::string& payload, const std::string& expected) {
  const auto size = payload_size(compression, payload.size(), as_bytes(payload));
  REQUIRE(size);
  REQUIRE(size->decompressed == expected.size());
  const std::string_view data =
      std::string_view(payload).substr(0, static_cast<std::size_t>(size->compressed));
  Budget budget = Budget::standard();
  std::string output;
  bool short_piece = false;
  const auto take = [&](Bytes piece) -> Result<SinkAnswer> {
    CHECK_FALSE(short_piece);  // only the last may be
    short_piece = piece.size() < std::size_t{256} * 1024;
    CHECK(!piece.empty());
    CHECK(piece.size() <= std::size_t{33} * 256 * 1024);
    output += as_text(piece);
    return SinkAnswer::kMore;
  };
  const auto done = decompress(compression, source_of(data), take, declared(size->decompressed), budget);
  REQUIRE((done ? "no error" : done.error().describe()) == "no error");
  // Not CHECK(a == b): it would print megabytes.
  CHECK((output == expected));
  CHECK(done->whole);
  CHECK(done->consumed == data.size());
}

/// Takes the first 256 KiB, and looks that not much more was read for them.
void check_beginning(Compression compression, const std::string& payload, const std::string& expected) {
  Budget budget = Budget::standard();
  std::string output;
  const auto take = [&](Bytes piece) -> Result<SinkAnswer> {
    output += as_text(piece);
    return SinkAnswer::kEnough;
  };
  const auto done = decompress(compression, source_of(payload), take, declared(expected.size()), budget);
  REQUIRE(done);
  CHECK_FALSE(done->whole);
  CHECK(done->produced == output.size());
  CHECK((expected.starts_with(output)));
  // LZ4 reads blocks of up to 8 MiB whole.
  const bool has_further_blocks = compression != Compression::kLz4 || expected.size() > 8'388'608;
  if (has_further_blocks && output.size() < expected.size() / 2) CHECK(done->consumed < payload.size() / 2);
}

}  // namespace

TEST_CASE("what every tool compresses comes out as it was, from kernel payloads of all sizes") {
  const TemporaryFolder folder;
  // The sizes around the decoders' own pieces, and beyond LZ4's blocks of 8 MiB.
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{262'144}, std::size_t{262'145},
                                 std::size_t{3'000'000}, std::size_t{8'388'608}, std::size_t{9'000'001}}) {
    const std::string contents = kernel_like(size);
    const std::string path = folder / "contents";
    write_file(path, contents);
    for (const CompressionTool& tool : kCompressionTools) {
      if (!is_installed(tool) || (size > 8'000'000 && tool.compression != Compression::kLz4)) continue;
      INFO(size << " bytes by " << tool.program << " " << tool.arguments);
      std::string payload = compress_file(tool, path);
      REQUIRE(recognise_compression(as_bytes(payload)) == tool.compression);
      if (tool.compression != Compression::kGzip) payload += little_endian(size);
      check_payload(tool.compression, payload, contents);
      if (size > 1'000'000) check_beginning(tool.compression, payload, contents);
    }
  }
}

TEST_CASE("a kernel's own payload decompresses to an ELF file") {
  // `./dev demo` leaves Debian's kernel there.
  std::vector<std::string> kernels;
  for (const char* folder : {"/boot", PVHGRUB_SOURCE_ROOT "/demo/rootfs/boot"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
      if (entry.path().filename().string().starts_with("vmlinuz")) kernels.push_back(entry.path());
  }
  if (kernels.empty()) std::cout << "skipped: there is no kernel in /boot, nor from ./dev demo\n";
  for (const std::string& path : kernels) {
    const std::string image = read_file(path);
    INFO(path);
    if (image.size() < 0x250 || image.substr(0x202, 4) != "HdrS") continue;
    // Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length.
    const auto number = [&](std::size_t at) {
      ByteReader reader(as_bytes(image).subspan(at));
      return std::size_t{*reader.little_endian<std::uint32_t>()};
    };
    const std::size_t start =
        (static_cast<unsigned char>(image[0x1F1]) + std::size_t{1}) * 512 + number(0x248);
    const std::string_view payload = std::string_view(image).substr(start, number(0x24C));
    const auto compression = recognise_compression(as_bytes(payload));
    REQUIRE(compression);
    const auto size = payload_size(*compression, payload.size(), as_bytes(payload));
    REQUIRE(size);
    const Outcome outcome =
        run_decompress(*compression, payload.substr(0, static_cast<std::size_t>(size->compressed)),
                       declared(size->decompressed));
    CHECK(outcome.message() == "no error");
    CHECK(
        outcome.output.starts_with("\x7f"
                                   "ELF"));
    CHECK(outcome.result->consumed == size->compressed);
  }
}
