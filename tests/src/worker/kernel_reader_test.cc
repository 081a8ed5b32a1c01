// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/kernel_reader.h"

#include <zlib.h>

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "tests/src/worker/fake_file.h"

using namespace pvhgrub;
using namespace pvhgrub::worker;

namespace {

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

// A 64-bit ELF image of one loaded segment and one of notes, with `size` bytes in all.
std::string elf_image(bool with_pvh, std::size_t size = 300'000) {
  std::string notes;
  put(notes, 4, 4);
  put(notes, 4, 4);
  put(notes, with_pvh ? 18 : 99, 4);
  notes += std::string("Xen\0", 4);
  put(notes, 0x1000000, 4);
  std::string out = std::string(
                        "\x7f"
                        "ELF\x02\x01\x01",
                        7) +
                    std::string(9, '\0');
  put(out, 2, 2);
  put(out, 62, 2);
  put(out, 1, 4);
  put(out, 0x1000000, 8);
  put(out, 64, 8);
  put(out, 0, 8);
  put(out, 0, 4);
  put(out, 64, 2);
  put(out, 56, 2);
  put(out, 2, 2);
  for (int i = 0; i < 3; ++i) put(out, 0, 2);
  for (const unsigned type : {1U, 4U}) {
    put(out, type, 4);
    put(out, 5, 4);
    put(out, type == 1 ? 0 : 4096, 8);
    put(out, 0x1000000, 8);
    put(out, 0x1000000, 8);
    put(out, type == 1 ? size : notes.size(), 8);
    put(out, type == 1 ? size : notes.size(), 8);
    put(out, 4096, 8);
  }
  out.resize(4096);
  out += notes;
  for (std::uint32_t state = 1; out.size() < size; state = state * 1664525 + 1013904223)
    out += static_cast<char>(state >> 24U);
  return out;
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct TakingSink final : KernelSink {
  Result<void> begin(std::uint64_t size_given, bool exact_given) override {
    ++begun;
    size = size_given;
    exact = exact_given;
    return {};
  }
  Result<void> bytes(Bytes piece) override {
    text += as_text(piece);
    return {};
  }
  int begun = 0;
  std::uint64_t size = 0;
  bool exact = false;
  std::string text;
};

Result<bootimage::KernelImage> read(const std::string& contents, KernelSink* sink,
                                    std::uint64_t limit = limits::kKernelBytes) {
  FakeFile file(contents);
  FileBytes bytes(file);
  Budget budget = Budget::standard();
  return read_kernel(bytes, sink, limit, budget);
}

}  // namespace

TEST_CASE("a plain ELF image is told of, and its bytes are left to the caller") {
  TakingSink sink;
  const auto image = read(elf_image(true), &sink);
  REQUIRE(image);
  REQUIRE(image->elf);
  CHECK(image->elf->support.pvh_entry == 0x1000000U);
  CHECK(sink.begun == 0);
}

TEST_CASE("a compressed ELF image comes out while it is looked at") {
  const std::string kernel = elf_image(true);
  TakingSink sink;
  const auto image = read(gzip(kernel), &sink);
  REQUIRE(image);
  CHECK(image->elf->support.pvh_entry == 0x1000000U);
  CHECK(sink.begun == 1);
  CHECK_FALSE(sink.exact);
  CHECK(sink.text == kernel);
  CHECK(image->describe().find("gzip") != std::string::npos);
}

TEST_CASE("an ELF image shorter than what its kind is told by comes out whole") {
  const std::string kernel = elf_image(true, 5000);
  TakingSink sink;
  REQUIRE(read(gzip(kernel), &sink));
  CHECK(sink.text == kernel);
}

TEST_CASE("without a sink no more is decompressed than tells what it is") {
  // The stream's end is missing, and nobody gets that far.
  std::string cut = gzip(elf_image(true, 20'000'000));
  cut.resize(cut.size() - 1000);
  const auto image = read(cut, nullptr);
  REQUIRE(image);
  CHECK(image->elf->support.pvh_entry);
  TakingSink sink;
  const auto damaged = read(cut, &sink);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == ErrorCode::kDamaged);
}

TEST_CASE("a compressed file in a compressed file is looked at in memory, and its contents come out") {
  const std::string kernel = elf_image(true);
  TakingSink sink;
  const auto image = read(gzip(gzip(kernel)), &sink);
  REQUIRE(image);
  CHECK(image->elf);
  CHECK(sink.text == kernel);
  TakingSink short_sink;
  const auto tiny = read(gzip(gzip("no kernel")), &short_sink);
  REQUIRE(tiny);
  CHECK_FALSE(tiny->elf);
  CHECK(short_sink.begun == 0);
}

TEST_CASE("compressed layers without end are a limit") {
  std::string contents = "x";
  for (int i = 0; i < 12; ++i) contents = gzip(contents);
  const auto image = read(contents, nullptr);
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kLimit);
}

TEST_CASE("a compressed file that holds no kernel is told of without a sink's help") {
  TakingSink sink;
  const auto image = read(gzip(std::string(1'000'000, 'a')), &sink);
  REQUIRE(image);
  CHECK_FALSE(image->elf);
  CHECK(sink.begun == 0);
}

TEST_CASE("more than the host takes is a limit") {
  TakingSink sink;
  const auto image = read(gzip(elf_image(true, 3'000'000)), &sink, 1'000'000);
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::kLimit);
}
