// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells what images are, one line of text for each fact, for tests that compare with other programs.
//   describe_image inspect FILE...   what each is
//   describe_image notes FILE...     all notes in sections, else those in segments: NAME TYPE BYTES
//   describe_image facts FILE...     facts_of() each, and of what is compressed in it: NAME VALUE
//   describe_image unpack FILE       what its compressed layer decompresses to, and nothing else
//   describe_image scan FILE...      that a scan gives the same answer as reading anywhere, and its passes
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "bootimage/image_facts.h"
#include "bootimage/kernel_image.h"
#include "bootimage/xen_note_scanner.h"

namespace {

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

std::string hexadecimal(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    std::array<char, 3> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%02x", std::to_integer<unsigned>(byte));
    text += digits.data();
  }
  return text;
}

Result<void> tell(ByteSource& source) {
  Budget budget = Budget::standard();
  PVHGRUB_TRY_ASSIGN(const KernelImage image, inspect(source, budget));
  std::printf("  is %s\n", image.describe().c_str());
  for (const ImageLayer& layer : image.layers)
    std::printf("  layer %llu+%llu %s\n", static_cast<unsigned long long>(layer.range.offset),
                static_cast<unsigned long long>(layer.range.size), layer.name.c_str());
  if (image.bzimage)
    std::printf("  bzimage 64=%d relocatable=%d init=%u command_line=%u version=%s\n", image.bzimage->is_64,
                image.bzimage->is_relocatable, image.bzimage->init_size, image.bzimage->command_line_size,
                image.bzimage->version.c_str());
  if (image.compressed && image.compressed->declared)
    std::printf("  declared %llu\n", static_cast<unsigned long long>(*image.compressed->declared));
  if (image.elf) {
    for (const XenNote& note : image.elf->notes.notes) std::printf("  note %s\n", note.describe().c_str());
    std::printf("  PVH: %s\n", image.elf->support.pvh_entry ? "yes" : image.elf->support.no_pvh.c_str());
    std::printf("  PV: %s\n", image.elf->support.pv ? "yes" : image.elf->support.no_pv.c_str());
  }
  for (const std::string& notice : image.notices) std::printf("  notice %s\n", notice.c_str());
  if (!image.problem.empty()) std::printf("  problem %s\n", image.problem.c_str());
  return {};
}

// Feeds what the image's compressed layer holds to `sink`.
Result<void> unpack(ByteSource& source, const KernelImage& image, const DecompressedSink& sink,
                    Budget& budget) {
  const CompressedLayer& layer = *image.compressed;
  PartSource part(source, layer.range.offset, layer.range.size);
  DecompressionLimits limits;
  limits.declared = layer.declared;
  PVHGRUB_TRY(decompress(layer.compression, read_in_order(part), sink, limits, budget));
  return {};
}

Result<void> unpack(ByteSource& source) {
  Budget budget = Budget::standard();
  PVHGRUB_TRY_ASSIGN(const KernelImage image, inspect(source, budget));
  if (!image.compressed) return fail(ErrorCode::kUnsupported, "nothing in it is compressed");
  const auto write_all = [](Bytes piece) -> Result<SinkAnswer> {
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size()) return fail_errno("cannot write");
    return SinkAnswer::kMore;
  };
  return unpack(source, image, write_all, budget);
}

Result<void> tell_facts(ByteSource& source) {
  Budget budget = Budget::standard();
  PVHGRUB_TRY_ASSIGN(KernelImage image, inspect(source, budget));
  std::vector<std::byte> contents;
  const auto keep = [&contents](Bytes piece) -> Result<SinkAnswer> {
    contents.insert(contents.end(), piece.begin(), piece.end());
    return SinkAnswer::kMore;
  };
  // A compressed file may hold an image that holds a compressed kernel, and no more.
  if (image.compressed) PVHGRUB_TRY(unpack(source, image, keep, budget));
  for (unsigned depth = 0; image.compressed && depth < 2; ++depth) {
    const std::vector<std::byte> outer = std::exchange(contents, {});
    MemorySource inside(outer);
    PVHGRUB_TRY_ASSIGN(KernelImage inner, inspect(inside, budget));
    if (inner.compressed) PVHGRUB_TRY(unpack(inside, inner, keep, budget));
    image.add_contents(std::move(inner));
  }
  for (const ImageFact& known : facts_of(image))
    std::printf("  %s %s\n", std::string(known.name).c_str(), known.value.c_str());
  return {};
}

Result<void> list_notes(ByteSource& source, std::uint64_t offset, std::uint64_t size, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(const auto bytes, read_bytes(source, offset, size, budget, "notes"));
  ElfNoteReader reader(bytes);
  while (true) {
    PVHGRUB_TRY_ASSIGN(const auto note, reader.next());
    if (!note) return {};
    if (note->is_cut) return fail(ErrorCode::kDamaged, "a note is cut off");
    std::printf("  %s 0x%08x %s\n", std::string(note->name).c_str(), note->type,
                hexadecimal(note->description).c_str());
  }
}

Result<void> list_notes(ByteSource& source) {
  Budget budget = Budget::standard();
  PVHGRUB_TRY_ASSIGN(const ElfImage image, read_elf_image(source, budget));
  PVHGRUB_TRY_ASSIGN(const auto sections, read_elf_sections(source, image.header, budget));
  const auto is_note = [](const ElfSection& section) { return section.type == ElfSection::Type::kNote; };
  for (const ElfSection& section : sections)
    if (is_note(section)) PVHGRUB_TRY(list_notes(source, section.offset, section.size, budget));
  if (std::ranges::any_of(sections, is_note)) return {};
  for (const ElfSegment& segment : image.segments)
    if (segment.type == ElfSegment::Type::kNote)
      PVHGRUB_TRY(list_notes(source, segment.offset, segment.file_size, budget));
  return {};
}

Result<void> scan(ByteSource& source) {
  Budget budget = Budget::standard();
  const auto expected = read_xen_elf(source, budget);
  XenNoteScanner scanner(budget);
  constexpr std::size_t kPiece = 1UL << 20;
  for (unsigned pass = 1; pass <= 5; ++pass) {
    for (std::uint64_t offset = 0; offset < source.size(); offset += kPiece) {
      PVHGRUB_TRY_ASSIGN(const auto piece,
                         read_bytes(source, offset, std::min<std::uint64_t>(kPiece, source.size() - offset),
                                    budget, "a piece"));
      PVHGRUB_TRY(scanner.feed(piece));
    }
    PVHGRUB_TRY_ASSIGN(const auto answer, scanner.finish());
    if (!answer) continue;
    std::printf("  %s in pass %u\n", expected && *answer == *expected ? "the same" : "DIFFERENT", pass);
    return {};
  }
  return fail(ErrorCode::kInternal, "no answer in five passes");
}

Result<void> run(std::string_view mode, ByteSource& source) {
  if (mode == "inspect") return tell(source);
  if (mode == "notes") return list_notes(source);
  if (mode == "facts") return tell_facts(source);
  if (mode == "unpack") return unpack(source);
  if (mode == "scan") return scan(source);
  return fail(ErrorCode::kUsage, "no such mode");
}

}  // namespace

int main(int count, char** arguments) {
  bool failed = false;
  for (int i = 2; i < count; ++i) {
    const std::string path = arguments[i];
    if (std::string_view(arguments[1]) != "unpack") std::printf("%s\n", path.c_str());
    const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
      std::printf("  cannot be opened\n");
      continue;
    }
    DescriptorSource source(file.get(), std::filesystem::file_size(path));
    const auto result = run(arguments[1], source);
    if (!result) std::printf("  error %s\n", result.error().describe().c_str());
    failed = failed || !result;
  }
  return failed && std::string_view(arguments[1]) == "unpack" ? 1 : 0;
}
