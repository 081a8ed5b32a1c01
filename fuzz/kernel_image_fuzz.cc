// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises all readers of kernel images, and that an ELF image that passes by in pieces gives the same
// answer as one that is read anywhere. In production: bootimage::inspect() and XenNoteScanner on a guest's
// kernel, in the confined worker. Input: a byte that cuts the pieces; one that tells how many KiB of zeros
// are put into the image, and two where (so that small inputs make images larger than what the scanner
// keeps); then the image. Seeds: any small ELF file, the start of a bzImage, with four zero bytes before it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "bootimage/image_facts.h"
#include "bootimage/kernel_image.h"
#include "bootimage/xen_note_scanner.h"

namespace {

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

constexpr std::size_t kParameters = 4;

void check(bool holds) {
  if (!holds) std::abort();
}

void look(std::string_view image) {
  MemorySource source(as_bytes(image));
  Budget budget = Budget::standard();
  const auto known = inspect(source, budget);
  if (!known) return;
  check(!known->layers.empty());
  for (const ImageLayer& layer : known->layers)
    check(layer.range.offset <= image.size() && layer.range.size <= image.size() - layer.range.offset);
  if (known->compressed) check(known->compressed->range == known->layers.back().range);
  check(!known->describe().empty());
  std::set<std::string_view> names;
  for (const ImageFact& fact : facts_of(*known)) check(!fact.value.empty() && names.insert(fact.name).second);
}

Result<XenElf> scan(std::string_view image, std::size_t piece) {
  Budget budget = Budget::standard();
  XenNoteScanner scanner(budget);
  for (unsigned pass = 1; pass <= 5; ++pass) {
    for (std::size_t offset = 0; offset < image.size(); offset += piece)
      PVHGRUB_TRY(scanner.feed(as_bytes(image.substr(offset, piece))));
    PVHGRUB_TRY_ASSIGN(auto answer, scanner.finish());
    if (answer) return std::move(*answer);
  }
  std::abort();
}

void compare(std::string_view image, std::size_t piece) {
  MemorySource source(as_bytes(image));
  Budget budget = Budget::standard();
  const auto expected = read_xen_elf(source, budget);
  const auto scanned = scan(image, piece);
  check(scanned.has_value() == expected.has_value());
  if (expected)
    check(*scanned == *expected);
  else
    check(scanned.error().code == expected.error().code);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kParameters) return 0;
  const std::size_t piece = data[0] + std::size_t{1};
  const std::size_t zeros = data[1] * std::size_t{1024};
  const std::size_t place = data[2] + data[3] * std::size_t{256};
  std::string image(data + kParameters, data + size);
  if (zeros != 0) image.insert(std::min(place, image.size()), zeros, '\0');
  look(image);
  compare(image, zeros == 0 ? piece : piece * 256);
  compare(image, image.size() + 1);
  return 0;
}
