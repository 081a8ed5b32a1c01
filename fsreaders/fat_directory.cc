// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/fat_directory.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "fsreaders/dos_time.h"
#include "fsreaders/utf16.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kEntryBytes = 32;
constexpr std::size_t kShortNameBytes = 11;
constexpr std::uint8_t kEndOfDirectory = 0x00;
constexpr std::uint8_t kDeleted = 0xE5;
constexpr std::uint8_t kEscapedE5 = 0x05;  // a name that begins with 0xE5, which would mean "deleted"

constexpr std::uint32_t kVolumeId = 0x08;
constexpr std::uint32_t kIsDirectory = 0x10;
constexpr std::uint32_t kLongNameMask = 0x3F;
constexpr std::uint32_t kLongName = 0x0F;

constexpr std::uint32_t kLastLongEntry = 0x40;
constexpr std::size_t kUnitBytesPerEntry = 26;  // 13 UTF-16 units
constexpr std::size_t kLongEntries = 20;        // for 255 units

// Bits of the byte at 12, which Windows NT and Linux set where a part of the name is all lower case, so that
// it needs no long name.
constexpr std::uint32_t kLowerCaseBase = 0x08;
constexpr std::uint32_t kLowerCaseExtension = 0x10;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string fold(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), lower);
  return folded;
}

std::string_view without_trailing_spaces(std::string_view text) {
  return text.substr(0, text.find_last_not_of(' ') + 1);  // npos + 1 is 0
}

// The 8.3 name. Bytes from 0x80 on are of a code page that the disk does not tell; as GRUB does, they are
// handed on as they are.
std::string short_name(Bytes entry) {
  std::string stored(as_text(entry.first(kShortNameBytes)));
  if (std::to_integer<std::uint8_t>(entry[0]) == kEscapedE5) stored[0] = static_cast<char>(kDeleted);
  const auto flags = std::to_integer<std::uint32_t>(entry[12]);
  std::string base(without_trailing_spaces(std::string_view(stored).substr(0, 8)));
  std::string extension(without_trailing_spaces(std::string_view(stored).substr(8)));
  if ((flags & kLowerCaseBase) != 0) base = fold(base);
  if ((flags & kLowerCaseExtension) != 0) extension = fold(extension);
  return extension.empty() ? base : base + "." + extension;
}

// fatgen103, ChkSum(): which 8.3 name a long one belongs to.
std::uint8_t checksum(Bytes stored) {
  std::uint32_t sum = 0;
  for (const std::byte byte : stored.first(kShortNameBytes))
    sum = (((sum & 1U) << 7U) + (sum >> 1U) + std::to_integer<std::uint32_t>(byte)) & 0xFFU;
  return static_cast<std::uint8_t>(sum);
}

// Puts a long name together out of its entries, which stand in front of the 8.3 entry, the last part first.
class LongName {
 public:
  void clear() { missing_ = kNone; }

  void add(Bytes entry) {
    const auto order = std::to_integer<std::uint32_t>(entry[0]);
    const std::uint32_t number = order & (kLastLongEntry - 1);
    if ((order & kLastLongEntry) != 0 && number >= 1 && number <= kLongEntries) {
      units_.fill(std::byte{0});
      missing_ = number;
      checksum_ = std::to_integer<std::uint8_t>(entry[13]);
    }
    // One that does not follow on the entry before it belongs to a name that was written over.
    if (missing_ == kNone || number != missing_ || checksum_ != std::to_integer<std::uint8_t>(entry[13]))
      return clear();
    --missing_;
    const auto place = units_.begin() + static_cast<std::ptrdiff_t>(missing_ * kUnitBytesPerEntry);
    std::ranges::copy(entry.subspan(1, 10), place);
    std::ranges::copy(entry.subspan(14, 12), place + 10);
    std::ranges::copy(entry.subspan(28, 4), place + 22);
  }

  /// The name for an 8.3 entry; nothing where the parts are not complete or belong to another entry.
  [[nodiscard]] std::optional<std::string> of(Bytes entry) const {
    if (missing_ != 0 || checksum_ != checksum(entry)) return std::nullopt;
    return utf8_of_utf16(units_);
  }

 private:
  static constexpr std::uint32_t kNone = ~0U;
  std::uint32_t missing_ = kNone;  // entries that must still come
  std::uint8_t checksum_ = 0;
  std::array<std::byte, kLongEntries * kUnitBytesPerEntry> units_{};
};

Result<FatNode> parse_node(Bytes entry, ClusterLayout::Kind kind) {
  ByteReader reader(entry);
  FatNode node;
  PVHGRUB_TRY(reader.seek(20));
  PVHGRUB_TRY_ASSIGN(const auto high, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(const auto time, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(const auto date, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(const auto low, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY_ASSIGN(const auto size, reader.little_endian<std::uint32_t>());
  // In FAT12 and FAT16 OS/2 keeps something else in the upper half.
  node.first_cluster = low;
  if (kind == ClusterLayout::Kind::kFat32) node.first_cluster |= std::uint32_t{high} << 16U;
  node.modification_time = dos_time(date, time);
  if ((std::to_integer<std::uint32_t>(entry[11]) & kIsDirectory) != 0)
    node.type = FileType::kDirectory;
  else
    node.size = size;
  return node;
}

}  // namespace

FatDirectory::FatDirectory() : listing_(fold) {}

Result<FatDirectory> FatDirectory::read(ClusterTable& table, ClusterStream stream) {
  FatDirectory directory;
  LongName long_name;
  std::size_t count = 0;
  for (bool at_end = false; !at_end;) {
    PVHGRUB_TRY_ASSIGN(const Bytes piece, stream.next());
    if (piece.size() < kEntryBytes) break;
    PVHGRUB_TRY(table.budget().charge_steps(piece.size() / kEntryBytes, "reading a directory"));
    for (std::size_t place = 0; place + kEntryBytes <= piece.size(); place += kEntryBytes) {
      const Bytes entry = piece.subspan(place, kEntryBytes);
      const auto first = std::to_integer<std::uint8_t>(entry[0]);
      at_end = first == kEndOfDirectory;
      if (at_end) break;
      if (++count > limits::kFatDirectoryEntries)
        return fail(ErrorCode::kDamaged,
                    "a directory has more than the " + std::to_string(limits::kFatDirectoryEntries) +
                        " entries of FAT; check the file system in the guest (fsck.fat)");
      const auto attributes = std::to_integer<std::uint32_t>(entry[11]);
      if (first == kDeleted) {
        long_name.clear();
      } else if ((attributes & kLongNameMask) == kLongName) {
        long_name.add(entry);
      } else if ((attributes & kVolumeId) != 0) {
        if (directory.label_.empty() && (attributes & kIsDirectory) == 0)
          directory.label_ = without_trailing_spaces(as_text(entry.first(kShortNameBytes)));
        long_name.clear();
      } else {
        PVHGRUB_TRY_ASSIGN(const FatNode node, parse_node(entry, table.layout().kind));
        std::optional<std::string> name = long_name.of(entry);
        long_name.clear();
        if (!name) name = short_name(entry);
        PVHGRUB_TRY(directory.listing_.add(*name, directory.nodes_.size(), node.type));
        directory.nodes_.push_back(node);
      }
    }
  }
  directory.listing_.finish();
  return directory;
}

}  // namespace pvhgrub::fs
