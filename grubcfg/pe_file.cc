// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/pe_file.h"

#include <algorithm>
#include <vector>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

/// Bytes of the file from `start.size()` to `end`, or to its own end.
Result<void> read_on(fs::File& file, std::vector<std::byte>& start, std::size_t end, Budget& budget) {
  const std::size_t had = start.size();
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(end, file.size()));
  if (wanted <= had) return {};
  PVHGRUB_TRY(budget.charge_bytes(wanted - had, "reading EFI programs"));
  start.resize(wanted);
  PVHGRUB_TRY_ASSIGN(const std::size_t count, file.read(had, std::span(start).subspan(had)));
  start.resize(had + count);
  return {};
}

}  // namespace

Result<bootimage::PeImage> read_pe_file(fs::File& file, Budget& budget) {
  std::vector<std::byte> start;
  PVHGRUB_TRY(read_on(file, start, bootimage::kPeStartBytes, budget));
  // The first answer may be where the header ends that tells how many sections there are.
  for (int round = 0; round < 2; ++round) {
    PVHGRUB_TRY_ASSIGN(const std::size_t bytes, bootimage::pe_header_bytes(start));
    PVHGRUB_TRY(read_on(file, start, bytes, budget));
  }
  PVHGRUB_TRY_ASSIGN(bootimage::PeImage image, bootimage::read_pe_headers(start, file.size()));
  PVHGRUB_TRY(budget.charge_steps(image.sections.size(), "reading EFI programs"));
  return image;
}

FilePart section_part(const bootimage::PeSection& section) {
  return {section.name, section.raw_offset, section.contents_size()};
}

Result<std::string> read_text_part(fs::File& file, const FilePart& part, Budget& budget) {
  if (part.size > limits::kUnifiedTextBytes)
    return fail(ErrorCode::kDamaged, "section " + part.name + " has " + std::to_string(part.size) +
                                         " bytes, more than the " +
                                         std::to_string(limits::kUnifiedTextBytes) + " of a text");
  std::string text(static_cast<std::size_t>(part.size), '\0');
  PVHGRUB_TRY(budget.charge_bytes(text.size(), "reading EFI programs"));
  PVHGRUB_TRY_ASSIGN(const std::size_t count,
                     file.read(part.offset, std::as_writable_bytes(std::span(text))));
  text.resize(std::min(text.find('\0'), count));
  return text;
}

}  // namespace pvhgrub::grubcfg
