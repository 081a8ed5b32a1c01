// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/bzimage.h"

#include <catch2/catch.hpp>

#include "tests/bootimage/bzimage_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using pvhgrub::test::BzImageWriter;

namespace {

Result<BzImage> read(const std::string& bytes) {
  MemorySource source(as_bytes(bytes));
  Budget budget = Budget::standard();
  return read_bzimage(source, budget);
}

BzImageWriter writer(std::uint16_t protocol) {
  BzImageWriter result;
  result.protocol = protocol;
  result.payload = "payload";
  return result;
}

std::optional<std::uint32_t> command_line_size_of(const BzImageWriter& image) {
  return command_line_size(as_bytes(image.build()));
}

}  // namespace

TEST_CASE("a present bzImage tells all that its setup header has") {
  const auto image = read(writer(0x020F).build());
  REQUIRE(image);
  CHECK(image->protocol == 0x020F);
  CHECK(image->protocol_text() == "2.15");
  CHECK(image->is_loaded_high);
  CHECK(image->is_64);
  CHECK(image->is_relocatable);
  CHECK(image->init_size == 0x2000000);
  CHECK(image->setup_size == 5 * 512);
  CHECK(image->version == "6.1.0-50-amd64 (builder@host) #1 SMP Debian 6.1.176-1");
  CHECK(image->release() == "6.1.0-50-amd64");
  CHECK(image->command_line_size == 2047);
  CHECK(image->payload == ImageRange{5 * 512 + 64, 7});
  CHECK(image->missing == 0);
}

TEST_CASE("a field counts only from the protocol on that brought it") {
  // iPXE's image has protocol 2.07 and code where later protocols have the payload's place.
  const auto at = [](std::uint16_t protocol) { return *read(writer(protocol).build()); };
  CHECK_FALSE(at(0x0204).is_relocatable);
  CHECK(at(0x0205).is_relocatable);
  CHECK(at(0x0205).command_line_size == 255);
  CHECK(at(0x0206).command_line_size == 2047);
  CHECK_FALSE(at(0x0207).payload);
  CHECK(at(0x0208).payload);
  CHECK(at(0x0209).init_size == 0);
  CHECK(at(0x020A).init_size == 0x2000000);
  CHECK_FALSE(at(0x020B).is_64);
  CHECK(at(0x020C).is_64);
  CHECK(at(0x0200).protocol_text() == "2.00");
  CHECK(at(0x0203).protocol_text() == "2.03");
}

TEST_CASE("no sectors of setup mean four") {
  BzImageWriter image = writer(0x020F);
  image.setup_sectors = 0;
  CHECK(read(image.build())->setup_size == 5 * 512);
  image.setup_sectors = 255;
  CHECK(read(image.build())->setup_size == 256 * 512);
}

TEST_CASE("an image that is loaded low is a zImage, and says so") {
  BzImageWriter image = writer(0x0203);
  image.load_flags = 0;
  CHECK_FALSE(read(image.build())->is_loaded_high);
}

TEST_CASE("a version outside of the real-mode code is no version") {
  BzImageWriter image = writer(0x020F);
  image.version.clear();
  for (const unsigned pointer : {0U, 0x800U, 0x801U, 0xFFFFU}) {
    image.version_pointer = static_cast<std::uint16_t>(pointer);
    CHECK(read(image.build())->version.empty());
  }
}

TEST_CASE("a version without an end is cut where the real-mode code ends") {
  BzImageWriter image = writer(0x020F);
  image.version = "abc";
  image.version_pointer = 0x7FD;  // three bytes before the end of five sectors
  CHECK(read(image.build())->version == "abc");
  image.version = std::string(1000, 'v');
  image.version_pointer = 0x300;
  CHECK(read(image.build())->version == std::string(256, 'v'));
}

TEST_CASE("a payload that does not lie in the image makes it damaged") {
  const std::string whole = writer(0x020F).build();
  std::string cut = whole.substr(0, whole.size() - 1);
  CHECK(read(cut).error().code == ErrorCode::kDamaged);
  std::string wrong = whole;
  BzImageWriter::put(wrong, 0x248, 0xFFFFFFFF, 4);
  CHECK(read(wrong).error().code == ErrorCode::kDamaged);
  wrong = whole;
  BzImageWriter::put(wrong, 0x24C, 0xFFFFFFFF, 4);
  CHECK(read(wrong).error().code == ErrorCode::kDamaged);
  BzImageWriter::put(wrong, 0x24C, 0, 4);
  CHECK_FALSE(read(wrong)->payload);
}

TEST_CASE("an image that is shorter than its header tells is told by how much") {
  BzImageWriter image = writer(0x020F);
  std::string bytes = image.build();
  // 71 bytes of protected-mode code, five paragraphs.
  BzImageWriter::put(bytes, 0x1F4, 6, 4);
  CHECK(read(bytes)->missing == 25);
  BzImageWriter::put(bytes, 0x1F4, 0xFFFFFFFF, 4);
  CHECK(read(bytes)->missing == 0xFFFFFFFFULL * 16 - 71);
  // Before 2.04 two bytes of the field mean nothing.
  BzImageWriter::put(bytes, 0x206, 0x0203, 2);
  CHECK(read(bytes)->missing == 0);
}

TEST_CASE("what has no setup header is no bzImage, and what has only a part of it is damaged") {
  const std::string whole = writer(0x020F).build();
  for (const std::size_t length : {0U, 1U, 0x1FFU, 0x202U, 0x207U})
    CHECK(read(whole.substr(0, length)).error().code == ErrorCode::kUnsupported);
  for (const std::size_t length : {0x208U, 0x211U, 0x23BU, 0x24BU, 0x263U})
    CHECK(read(whole.substr(0, length)).error().code == ErrorCode::kDamaged);
  std::string wrong = whole;
  wrong.at(0x1FE) = 0;
  CHECK(read(wrong).error().code == ErrorCode::kUnsupported);
  wrong = whole;
  wrong.at(0x203) = 'x';
  CHECK(read(wrong).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a kernel of protocol 2.06 or later tells its command line's size") {
  BzImageWriter image = writer(0x020F);
  CHECK(command_line_size_of(image) == 2047U);
  image.command_line_size = ~0U;
  CHECK(command_line_size_of(image) == ~0U);
  image.protocol = 0x0206;
  image.command_line_size = 0;
  CHECK(command_line_size_of(image) == 0U);
}

TEST_CASE("an older kernel takes 255 bytes") {
  CHECK(command_line_size_of(writer(0x0205)) == 255U);
}

TEST_CASE("what is no bzImage, or too short for one, tells no size of a command line") {
  const std::string whole = writer(0x020F).build();
  for (const std::size_t length : {0U, 0x201U, 0x206U, 0x23BU})
    CHECK_FALSE(command_line_size(as_bytes(whole).first(length)));
  CHECK_FALSE(
      command_line_size(as_bytes("\x7f"
                                 "ELF")));
}
