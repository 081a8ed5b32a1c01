// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/recently_used.h"

namespace pvhgrub::fs {

/// Bytes of a logical sector (ECMA-119 6.1.2); no directory record crosses one.
inline constexpr std::size_t kIso9660SectorBytes = 2048;

/// One tree of files: what a primary or a supplementary volume descriptor says (ECMA-119 8.4, 8.5).
struct Iso9660Descriptor {
  std::uint32_t block_size = 0;  ///< bytes of a logical block: 512, 1024 or 2048
  bool joliet = false;           ///< its names are big-endian UCS-2 (Joliet specification)
  std::string label;             ///< without trailing spaces
  std::string uuid;  ///< the modification date as "YYYY-MM-DD-HH-MM-SS-CC", as GRUB and blkid make it
  std::array<std::byte, 34> root{};  ///< the root's directory record
};

struct Iso9660Descriptors {
  Iso9660Descriptor primary;
  std::optional<Iso9660Descriptor> joliet;
};

/// Joliet's big-endian UCS-2 as UTF-8, up to the first NUL; what is no character becomes U+FFFD.
[[nodiscard]] std::string utf8_of_joliet(Bytes bytes);

/// kUnsupported: no ISO 9660 volume. kDamaged: no primary descriptor, or one that cannot be.
[[nodiscard]] Result<Iso9660Descriptors> read_iso9660_descriptors(BlockSource& source, Budget& budget);

/// Metadata of a volume, read in sectors of which the last ones are kept.
class Iso9660Volume {
 public:
  /// Both outlive the volume.
  Iso9660Volume(BlockSource& source, Budget& budget, std::uint32_t block_size)
      : source_(source), budget_(budget), block_size_(block_size) {}

  [[nodiscard]] BlockSource& source() const { return source_; }
  [[nodiscard]] Budget& budget() const { return budget_; }
  [[nodiscard]] std::uint32_t block_size() const { return block_size_; }

  /// `length` bytes from `offset` (bytes from the volume's start), at most a sector's and all in one sector
  /// that begins at a multiple of kIso9660SectorBytes. kDamaged otherwise, or past the end.
  [[nodiscard]] Result<std::vector<std::byte>> read(std::uint64_t offset, std::size_t length);

 private:
  static constexpr std::size_t kKeptSectors = 32;

  BlockSource& source_;
  Budget& budget_;
  std::uint32_t block_size_;
  RecentlyUsed<std::vector<std::byte>> sectors_{kKeptSectors};
};

/// "...; the image is damaged, make it anew" behind what was wrong, with the volume's byte that it was found
/// at.
[[nodiscard]] std::unexpected<Error> damaged_iso9660(std::string what, std::uint64_t offset);

}  // namespace pvhgrub::fs
