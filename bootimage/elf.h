// SPDX-License-Identifier: LGPL-2.1-or-later
// ELF images: headers, segments, sections and notes, as far as a loader of kernels needs them.
// System V ABI, chapters 4 "Object Files" and 5 "Program Loading"; elf(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/byte_source.h"

namespace pvhgrub::bootimage {

inline constexpr std::uint16_t kElfTypeExecutable = 2;
inline constexpr std::uint16_t kElfTypeShared = 3;
inline constexpr std::uint16_t kElfMachine386 = 3;
inline constexpr std::uint16_t kElfMachineArm = 40;
inline constexpr std::uint16_t kElfMachineX86_64 = 62;
inline constexpr std::uint16_t kElfMachineAarch64 = 183;

/// One of the two tables that the header tells of.
struct ElfTable {
  std::uint64_t offset = 0;      ///< bytes from the image's start
  std::uint16_t entry_size = 0;  ///< bytes
  std::uint16_t count = 0;
  [[nodiscard]] std::uint64_t size() const { return std::uint64_t{entry_size} * count; }
  bool operator==(const ElfTable&) const = default;
};

struct ElfHeader {
  bool is_64 = false;
  std::uint8_t os_abi = 0;
  std::uint16_t type = 0;
  std::uint16_t machine = 0;
  std::uint64_t entry = 0;  ///< address
  ElfTable program_headers;
  ElfTable section_headers;
  std::uint16_t section_names = 0;  ///< number of the section that holds their names
  bool operator==(const ElfHeader&) const = default;
};

struct ElfSegment {
  enum class Type : std::uint32_t { kLoad = 1, kNote = 4 };  ///< those that matter here; there are others
  Type type{};
  std::uint32_t flags = 0;
  std::uint64_t offset = 0;            ///< bytes from the image's start
  std::uint64_t physical_address = 0;  ///< where it is loaded
  std::uint64_t file_size = 0;         ///< bytes in the image
  std::uint64_t memory_size = 0;       ///< bytes in memory; zeros follow what the image has of them
  bool operator==(const ElfSegment&) const = default;
};

struct ElfSection {
  enum class Type : std::uint32_t { kNote = 7 };  ///< the one that matters here; there are others
  std::uint32_t name = 0;                         ///< offset in the section of names
  Type type{};
  std::uint64_t offset = 0;  ///< bytes from the image's start
  std::uint64_t size = 0;    ///< bytes
};

/// What is loaded, in physical addresses: [start, end).
struct ElfMemory {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool operator==(const ElfMemory&) const = default;
};

struct ElfImage {
  ElfHeader header;
  std::vector<ElfSegment> segments;  ///< in the order of the program headers
  std::optional<ElfMemory> memory;   ///< nothing where nothing is loaded
  bool operator==(const ElfImage&) const = default;
};

[[nodiscard]] bool is_elf(Bytes start);

/// Headers and segments. Every segment to load or of notes, and the table of sections, lies within the image;
/// what is loaded does not wrap around. Nothing is said of segments of other types. Segments may share bytes:
/// notes usually lie in one that is loaded.
/// kUnsupported: no ELF image, or one that no guest of Xen is (big-endian, unknown class). kDamaged: it
/// contradicts itself or its size. kLimit: more segments than base/limits.h allows.
[[nodiscard]] Result<ElfImage> read_elf_image(ByteSource& source, Budget& budget);

/// All sections, in the table's order, the empty first one included. Those of notes lie within the image, of
/// others nothing is said.
[[nodiscard]] Result<std::vector<ElfSection>> read_elf_sections(ByteSource& source, const ElfHeader& header,
                                                                Budget& budget);

/// "x86-64", "32-bit x86", "arm64", "32-bit ARM", else "machine N".
[[nodiscard]] std::string elf_machine_name(std::uint16_t machine);

struct ElfNote {
  std::string_view name;  ///< without the NUL at its end
  std::uint32_t type = 0;
  Bytes description;
  bool is_cut = false;  ///< the description should go on behind the end of the region
};

/// Goes through the notes of one segment or section, whose fields are aligned to 4 bytes: so they are in both
/// classes of ELF for all that kernels and linkers write, and so libxenguest reads them. (The generic ABI
/// wants 8 for ELF64; only GNU property notes follow it, and their sizes make both readings the same.)
class ElfNoteReader {
 public:
  explicit ElfNoteReader(Bytes region) : reader_(region) {}
  /// Nothing at the end. kDamaged where a note's header or name does not fit in what is left; what came
  /// before is good.
  [[nodiscard]] Result<std::optional<ElfNote>> next();

 private:
  [[nodiscard]] Result<Bytes> take_padded(std::size_t size);

  ByteReader reader_;
};

}  // namespace pvhgrub::bootimage
