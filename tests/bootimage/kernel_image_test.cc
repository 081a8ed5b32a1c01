// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/kernel_image.h"

#include <catch2/catch.hpp>

#include "base/limits.h"
#include "bootimage/pe.h"
#include "tests/bootimage/bzimage_writer.h"
#include "tests/bootimage/compressed_samples.h"
#include "tests/bootimage/decompress_helpers.h"
#include "tests/bootimage/elf_writer.h"
#include "tests/bootimage/image_samples.h"
#include "tests/bootimage/pe_writer.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;
using namespace pvhgrub::test;

namespace {

Result<KernelImage> look(const std::string& bytes) {
  MemorySource source(as_bytes(bytes));
  Budget budget = Budget::standard();
  return inspect(source, budget);
}

std::vector<ImageKind> kinds(const KernelImage& image) {
  std::vector<ImageKind> result;
  for (const ImageLayer& layer : image.layers) result.push_back(layer.kind);
  return result;
}

ErrorCode code_of(const std::string& bytes) {
  const auto image = look(bytes);
  return image ? ErrorCode::kInternal : image.error().code;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

using Kinds = std::vector<ImageKind>;

}  // namespace

TEST_CASE("an ELF image tells how Xen starts it") {
  const std::string bytes = elf_with_notes(linux_notes()).build();
  const auto image = look(bytes);
  REQUIRE(image);
  CHECK(kinds(*image) == Kinds{ImageKind::kElf});
  CHECK(image->layers[0].range == ImageRange{0, bytes.size()});
  CHECK(image->describe() == "Linux 6.1.0-50-amd64, ELF for x86-64, PVH, PV");
  CHECK(image->problem.empty());
}

TEST_CASE("an ELF image without a way for Xen says why, and an object what it is") {
  const auto image = look(elf_with_notes("").build());
  REQUIRE(image);
  CHECK(has(image->problem, "as a PVH guest: it has no Xen note PHYS32_ENTRY"));
  CHECK(has(image->problem, "as a PV guest: it has no Xen notes"));
  ElfWriter object = elf_with_notes("");
  object.type = 1;
  CHECK(has(look(object.build())->problem, "kernel modules"));
}

TEST_CASE("a multiboot header in an ELF image is told beside what it is to Xen") {
  ElfWriter writer = elf_with_notes(xen_number(18, 0x1000000));
  writer.segments[0].contents = multiboot1_header();
  CHECK(look(writer.build())->layers[0].name == "ELF for x86-64 with a multiboot 1 header");
}

TEST_CASE("a bzImage's payload is told by its place and the size it decompresses to, for all seven formats") {
  for (const CompressedSample& sample : kCompressedSamples) {
    INFO(sample.tool);
    BzImageWriter writer;
    const std::string stream = sample.bytes();
    // gzip has the size itself.
    writer.payload = stream + (sample.compression == Compression::kGzip ? "" : word(sample_text().size()));
    const std::string bytes = writer.build();
    const auto image = look(bytes);
    REQUIRE(image);
    CHECK(kinds(*image) == Kinds{ImageKind::kBzImage, ImageKind::kCompressed});
    REQUIRE(image->compressed);
    CHECK(image->compressed->compression == sample.compression);
    CHECK(image->compressed->declared == sample_text().size());
    const ImageRange range = image->compressed->range;
    CHECK(bytes.substr(range.offset, range.size) == stream);
    const Outcome outcome =
        run_decompress(sample.compression, std::string_view(bytes).substr(range.offset, range.size),
                       declared(*image->compressed->declared));
    CHECK(outcome.output == sample_text());
    CHECK(image->describe() == "Linux 6.1.0-50-amd64, bzImage (boot protocol 2.15), " +
                                   std::string(compression_name(sample.compression)));
  }
}

TEST_CASE("an ELF image that lies in a bzImage without compression is read") {
  BzImageWriter writer;
  writer.payload = elf_with_notes(linux_notes()).build();
  const auto image = look(writer.build());
  REQUIRE(image);
  CHECK(kinds(*image) == Kinds{ImageKind::kBzImage, ImageKind::kElf});
  CHECK(image->elf->support.pvh_entry == 0x1000040U);
  CHECK(image->layers[1].range ==
        ImageRange{writer.setup_size() + writer.payload_offset, writer.payload.size()});
}

TEST_CASE("a bzImage without a payload, or from before protocol 2.08, says that Xen does not start it") {
  BzImageWriter writer;
  CHECK(look(writer.build())->problem == "no compressed kernel lies in it");
  writer.protocol = 0x0207;
  CHECK(has(look(writer.build())->problem, "boot protocol is 2.07, and Xen starts bzImages from 2.08"));
  writer.load_flags = 0;
  CHECK(look(writer.build())->layers[0].name == "zImage (boot protocol 2.07)");
}

TEST_CASE("a bzImage that is an EFI program too says for which machine") {
  BzImageWriter writer;
  CHECK_FALSE(look(writer.build())->efi_stub);
  std::string bytes = writer.build();
  put_efi_stub(bytes, 0x8664);
  const auto image = look(bytes);
  REQUIRE(image);
  CHECK(image->kind() == ImageKind::kBzImage);
  CHECK(image->efi_stub == kPeMachineAmd64);
  bytes.replace(0x40, 2, "NE");
  CHECK_FALSE(look(bytes)->efi_stub);
}

TEST_CASE("an Image for arm64 tells what its header says, with an EFI stub or without") {
  const std::string plain = arm64_image(0x80000, 0x2000000, 2);
  auto image = look(plain);
  REQUIRE(image);
  CHECK(kinds(*image) == Kinds{ImageKind::kArm64Image});
  CHECK(image->describe() == "Image for arm64 (4 KiB pages)");
  REQUIRE(image->arm64);
  CHECK(image->arm64->text_offset == 0x80000);
  CHECK(image->arm64->image_size == 0x2000000);
  CHECK_FALSE(image->arm64->is_big_endian);
  CHECK_FALSE(image->efi_stub);
  CHECK(image->problem.empty());
  std::string efi = plain;
  put_efi_stub(efi, 0xAA64);
  image = look(efi);
  CHECK(image->kind() == ImageKind::kArm64Image);
  CHECK(image->efi_stub == kPeMachineArm64);
  const auto other = look(arm64_image(0, 0, 7));
  CHECK(other->layers[0].name == "Image for arm64 (64 KiB pages)");
  CHECK(other->notices == std::vector<std::string>{"the kernel is big-endian"});
  CHECK(look(arm64_image(0, 0, 4))->layers[0].name == "Image for arm64 (16 KiB pages)");
  CHECK(look(arm64_image(0, 0, 0))->layers[0].name == "Image for arm64");
}

TEST_CASE("a compressed Image, bzImage or ELF image is known from outside, and adds what lies in it") {
  BzImageWriter bzimage;
  bzimage.payload = kCompressedSamples[2].bytes() + word(sample_text().size());
  const std::pair<std::string, std::string> contents[] = {
      {arm64_image(0, 0x2000000, 2), "gzip, Image for arm64 (4 KiB pages)"},
      {bzimage.build(), "Linux 6.1.0-50-amd64, gzip, bzImage (boot protocol 2.15), xz"},
      {elf_with_notes(linux_notes()).build(), "Linux 6.1.0-50-amd64, gzip, ELF for x86-64, PVH, PV"},
  };
  for (const auto& [inner, expected] : contents) {
    const std::string bytes = gzip_stored(inner);
    auto image = look(bytes);
    REQUIRE(image);
    CHECK(kinds(*image) == Kinds{ImageKind::kCompressed});
    CHECK(image->describe() == "gzip");
    REQUIRE(image->compressed);
    // Behind a file anything may stand, so its last bytes tell no size.
    CHECK_FALSE(image->compressed->declared);
    const Outcome outcome = run_decompress(image->compressed->compression, bytes);
    REQUIRE(outcome.output == inner);
    auto inside = look(outcome.output);
    REQUIRE(inside);
    image->add_contents(std::move(*inside));
    CHECK(image->describe() == expected);
  }
}

TEST_CASE("a file in each of the seven formats is a compressed layer of its name") {
  for (const CompressedSample& sample : kCompressedSamples) {
    const auto image = look(sample.bytes());
    REQUIRE(image);
    CHECK(image->describe() == compression_name(sample.compression));
    CHECK(image->compressed->range == ImageRange{0, sample.bytes().size()});
  }
}

TEST_CASE("a zboot image tells where its compressed kernel lies") {
  for (const CompressedSample& sample : kCompressedSamples) {
    const std::string bytes = zboot_image(sample.bytes(), compression_name(sample.compression));
    const auto image = look(bytes);
    REQUIRE(image);
    CHECK(kinds(*image) == Kinds{ImageKind::kEfiZboot, ImageKind::kCompressed});
    CHECK(image->compressed->compression == sample.compression);
    CHECK(bytes.substr(image->compressed->range.offset, image->compressed->range.size) == sample.bytes());
    CHECK(image->efi_stub == kPeMachineArm64);
  }
  CHECK(look(zboot_image("????????????", "new"))->problem ==
        "its kernel is compressed by \"new\", which is not known");
  std::string cut = zboot_image(kCompressedSamples[0].bytes(), "gzip");
  cut.pop_back();
  CHECK(code_of(cut) == ErrorCode::kDamaged);
}

TEST_CASE("a unified kernel image is opened down to the kernel in it") {
  BzImageWriter bzimage;
  bzimage.payload = kCompressedSamples[2].bytes() + word(sample_text().size());
  PeWriter writer;
  writer.add(".osrel", "ID=debian\n")
      .add(".cmdline", "quiet")
      .add(".linux", bzimage.build())
      .add(".initrd", "i");
  const std::string bytes = writer.build();
  const auto image = look(bytes);
  REQUIRE(image);
  CHECK(kinds(*image) == Kinds{ImageKind::kUnifiedImage, ImageKind::kBzImage, ImageKind::kCompressed});
  CHECK(image->describe() ==
        "Linux 6.1.0-50-amd64, unified kernel image for x86-64, bzImage (boot protocol 2.15), xz");
  const ImageRange range = image->compressed->range;
  CHECK(bytes.substr(range.offset, range.size) == kCompressedSamples[2].bytes());
  CHECK(code_of(bytes.substr(0, bytes.size() - 512)) == ErrorCode::kDamaged);
}

TEST_CASE("unified kernel images in one another end at a limit") {
  std::string bytes = "kernel";
  for (unsigned i = 0; i <= limits::kImageLayers; ++i) {
    PeWriter writer;
    writer.add(".linux", bytes);
    bytes = writer.build();
  }
  CHECK(code_of(bytes) == ErrorCode::kLimit);
}

TEST_CASE("an EFI program without a kernel, and a program for Windows or DOS, is named") {
  PeWriter writer;
  writer.add(".text", "code");
  CHECK(look(writer.build())->kind() == ImageKind::kEfiProgram);
  CHECK(has(look(writer.build())->problem, "an EFI program without a kernel in it"));
  std::string windows = writer.build();
  PeWriter::put(windows, PeWriter::kOptionalHeader + 68, 3, 2);
  CHECK(has(look(windows)->problem, "for Windows"));
  CHECK(has(look("MZ" + std::string(100, ' '))->problem, "for DOS"));
}

TEST_CASE("a zImage for 32-bit ARM is known in both byte orders, and by its size when it is cut off") {
  for (const bool big_endian : {false, true}) {
    const std::string bytes = arm32_image(256, big_endian);
    CHECK(look(bytes)->describe() == "zImage for 32-bit ARM");
    CHECK(code_of(bytes.substr(0, 255)) == ErrorCode::kDamaged);
  }
}

TEST_CASE("an image for U-Boot is refused with what it says of itself") {
  const auto image = look(uimage("Linux-4.4"));
  REQUIRE(image);
  CHECK(image->kind() == ImageKind::kUboot);
  CHECK(image->layers[0].name == "uImage (\"Linux-4.4\", Linux, arm64, kernel)");
  CHECK(image->problem == "it is an image for U-Boot, which Xen does not start");
  CHECK(look(uimage("Linux-4.4").substr(0, 63))->kind() == ImageKind::kOther);
}

TEST_CASE("a binary with a multiboot header, and one with Xen's own table, are told") {
  const auto multiboot = look(std::string(16, 'c') + multiboot1_header());
  CHECK(multiboot->kind() == ImageKind::kMultiboot);
  CHECK(has(multiboot->problem, "multiboot loader"));
  const std::uint32_t magic = 0x336EC578;
  const auto xen =
      look(std::string(16, 'c') + word(magic) + word(0) + word(0U - magic) + std::string(40, 'c'));
  CHECK(xen->kind() == ImageKind::kXenBinary);
  CHECK(xen->problem.empty());
}

TEST_CASE("what is no kernel is told by what it is") {
  const std::pair<std::string, std::string> files[] = {
      {"", "it is empty"},
      {std::string(100'000, '\0'), "it holds nothing but zeros; was it written to its end?"},
      {std::string(131'072, '\0') + "x", "it holds 131072 zeros at its start; was it written to its end?"},
      {"070701" + std::string(200, '0'), "it is a cpio archive, as an initramfs is, and no kernel"},
      {"LUKS\xBA\xBE" + std::string(100, '\0'), "it is an encrypted volume (LUKS), and no kernel"},
      {"ANDROID!" + std::string(100, '\0'), "it is a boot image of Android, and no kernel"},
      {"#!/bin/sh\n", "it is a script, and no kernel"},
      {"<html>not found</html>\n", "it is a text file, and no kernel"},
      {"\1\2\3\4", "it is a file of unknown kind, and no kernel"},
  };
  for (const auto& [bytes, problem] : files) {
    const auto image = look(bytes);
    REQUIRE(image);
    CHECK(image->kind() == ImageKind::kOther);
    CHECK(image->problem == problem);
  }
}

TEST_CASE("every image that is cut off anywhere gives an answer or an error, and never more") {
  BzImageWriter bzimage;
  bzimage.payload = kCompressedSamples[2].bytes() + word(sample_text().size());
  PeWriter unified;
  unified.add(".linux", bzimage.build());
  for (const std::string& whole : {unified.build(), arm64_image(0, 0, 2), arm32_image(128, true),
                                   uimage("Linux"), zboot_image(bzimage.payload, "xz")}) {
    for (std::size_t length = 0; length < whole.size(); length += length < 1100 ? 1 : 97) {
      const auto image = look(whole.substr(0, length));
      if (!image) continue;
      REQUIRE_FALSE(image->layers.empty());
      for (const ImageLayer& layer : image->layers) CHECK(layer.range.offset + layer.range.size <= length);
    }
  }
}

TEST_CASE("looking at an image is paid for in steps and bytes") {
  const std::string bytes(100'000, '\0');
  MemorySource source(as_bytes(bytes));
  Budget no_steps(10, limits::kBudgetBytes);
  CHECK(inspect(source, no_steps).error().code == ErrorCode::kLimit);
  Budget no_bytes(limits::kBudgetSteps, 1000);
  CHECK(inspect(source, no_bytes).error().code == ErrorCode::kLimit);
}
