// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/pe.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/limits.h"
#include "tests/bootimage/pe_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using pvhgrub::test::PeWriter;

namespace {

PeWriter two_sections() {
  PeWriter writer;
  writer.add(".linux", std::string(700, 'k')).add(".initrd", "initrd");
  return writer;
}

Result<PeImage> read(const std::string& file) {
  return read_pe_headers(as_bytes(file), file.size());
}

/// The code of what is wrong with two_sections() after a change.
ErrorCode code_after(std::size_t offset, std::uint64_t value, unsigned size) {
  std::string file = two_sections().build();
  PeWriter::put(file, offset, value, size);
  const auto image = read(file);
  REQUIRE_FALSE(image.has_value());
  return image.error().code;
}

}  // namespace

TEST_CASE("a PE image tells its machine, its size and its sections in order") {
  for (const bool plus : {true, false}) {
    PeWriter writer = two_sections();
    writer.plus = plus;
    const std::string file = writer.build();
    CHECK(pe_header_bytes(as_bytes(file)) == writer.section_header(2));
    const auto image = read(file);
    REQUIRE(image.has_value());
    CHECK(image->machine == kPeMachineAmd64);
    CHECK(image->subsystem == 10);
    CHECK(image->image_size == 0x1000 + 0x2000 + 0x2000);
    REQUIRE(image->sections.size() == 2);
    CHECK(image->sections[0].name == ".linux");
    CHECK(image->sections[0].virtual_size == 700);
    CHECK(image->sections[0].raw_size == 1024);
    CHECK(image->sections[0].contents_size() == 700);
    CHECK(file.substr(image->sections[1].raw_offset, 6) == "initrd");
  }
}

TEST_CASE("a section name of eight bytes has no NUL, a long name stays a reference") {
  PeWriter writer;
  writer.add(".dtbauto", "x").add("/123", "y");
  const auto image = read(writer.build());
  REQUIRE(image.has_value());
  CHECK(image->sections[0].name == ".dtbauto");
  CHECK(image->sections[1].name == "/123");
}

TEST_CASE("what a section has in memory beyond the file does not count as contents") {
  std::string file = two_sections().build();
  PeWriter::put(file, two_sections().section_header(0) + 8, 1500, 4);
  const auto image = read(file);
  REQUIRE(image.has_value());
  CHECK(image->sections[0].contents_size() == 1024);
}

TEST_CASE("a section without bytes in the file may say any place for them") {
  std::string file = two_sections().build();
  const std::size_t header = two_sections().section_header(1);
  PeWriter::put(file, header + 16, 0, 4);
  PeWriter::put(file, header + 20, 0xFFFFFFFF, 4);
  const auto image = read(file);
  REQUIRE(image.has_value());
  CHECK(image->sections[1].contents_size() == 0);
}

TEST_CASE("sections may touch, and lie in another order than they are listed") {
  PeWriter writer;
  writer.file_alignment = 1;
  writer.add("a", "12345").add("b", "678");
  std::string file = writer.build();
  const std::size_t first = writer.section_header(0);
  const std::size_t second = writer.section_header(1);
  const std::size_t contents = writer.section_header(2);
  REQUIRE(read(file).has_value());
  PeWriter::put(file, first + 20, contents + 3, 4);
  PeWriter::put(file, second + 20, contents, 4);
  REQUIRE(read(file).has_value());
  PeWriter::put(file, second + 20, contents + 1, 4);
  CHECK(read(file).error().code == ErrorCode::kDamaged);
}

TEST_CASE("what is no PE image is told apart from a damaged one") {
  const auto code = [](const std::string& file) { return read(file).error().code; };
  CHECK(code("") == ErrorCode::kUnsupported);
  CHECK(code(std::string(4096, '\0')) == ErrorCode::kUnsupported);
  CHECK(code("MZ") == ErrorCode::kUnsupported);
  CHECK(code_after(0x3C, 0xFFFFFFFF, 4) == ErrorCode::kUnsupported);
  CHECK(code_after(0x3C, 8, 4) == ErrorCode::kUnsupported);
  CHECK(code_after(0x3C, limits::kPeHeaderBytes, 4) == ErrorCode::kUnsupported);
  CHECK(code_after(PeWriter::kSignature, 'X', 1) == ErrorCode::kUnsupported);
  CHECK(code_after(PeWriter::kSignature + 20, 0, 2) == ErrorCode::kUnsupported);
  CHECK(code_after(PeWriter::kOptionalHeader, 0x107, 2) == ErrorCode::kUnsupported);
  CHECK_FALSE(pe_header_bytes(as_bytes("MZ")).has_value());
}

TEST_CASE("a PE image whose headers lie is refused") {
  const PeWriter writer = two_sections();
  const std::size_t file_size = writer.build().size();
  const std::size_t section = writer.section_header(1);
  CHECK(code_after(PeWriter::kSignature + 6, 0xFFFF, 2) == ErrorCode::kDamaged);
  CHECK(code_after(PeWriter::kSignature + 6, 4000, 2) == ErrorCode::kDamaged);
  CHECK(code_after(PeWriter::kSignature + 20, 69, 2) == ErrorCode::kDamaged);
  CHECK(code_after(PeWriter::kOptionalHeader + 56, 0x1000, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 8, 0xFFFFFFFF, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 12, 0xFFFFFFFF, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 16, 0xFFFFFFFF, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 16, 513, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 20, file_size, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 20, 0xFFFFFFFF, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 20, 0, 4) == ErrorCode::kDamaged);
  CHECK(code_after(section + 20, writer.section_header(2) - 1, 4) == ErrorCode::kDamaged);
}

TEST_CASE("headers that are cut off anywhere are an error") {
  const std::string file = two_sections().build();
  const std::size_t end = two_sections().section_header(2);
  for (std::size_t length = 0; length < end; ++length) {
    const Bytes start = as_bytes(file).first(length);
    CHECK_FALSE(read_pe_headers(start, file.size()).has_value());
    // What is asked for is always more than there is, so reading on comes to an end.
    if (const auto wanted = pe_header_bytes(start)) CHECK(*wanted > length);
  }
  CHECK(read_pe_headers(as_bytes(file).first(end), file.size()).has_value());
}

TEST_CASE("EFI programs of this system are read") {
  namespace filesystem = std::filesystem;
  std::size_t found = 0;
  for (const char* const directory : {"/usr/lib/systemd/boot/efi", "/usr/lib/grub/x86_64-efi/monolithic"}) {
    if (!filesystem::is_directory(directory)) continue;
    for (const auto& entry : filesystem::directory_iterator(directory)) {
      if (entry.path().extension() != ".efi" && !entry.path().string().ends_with(".efi.stub")) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      const std::string file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
      const auto image = read(file);
      INFO(entry.path().string());
      if (!image) FAIL(image.error().describe());
      CHECK(image->subsystem == 10);
      CHECK(image->sections.size() > 2);
      ++found;
    }
  }
  if (found == 0) WARN("skipped: no EFI programs here; install systemd-boot-efi");
}
