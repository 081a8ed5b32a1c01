// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/exfat_directory.h"

#include <algorithm>
#include <string_view>

#include "base/limits.h"
#include "fsreaders/dos_time.h"
#include "fsreaders/utf16.h"

namespace pvhgrub::fs {

namespace {

#ifdef PVHGRUB_FUZZING
constexpr bool kVerifyChecksums = false;  // a fuzzer would get past none
#else
constexpr bool kVerifyChecksums = true;
#endif

constexpr std::size_t kEntryBytes = 32;
constexpr std::size_t kUnitsPerName = 15;

// Section 6.2.1: bit 7 is "in use".
constexpr std::uint8_t kEndOfDirectory = 0x00;
constexpr std::uint8_t kUpcaseTable = 0x82;
constexpr std::uint8_t kVolumeLabel = 0x83;
constexpr std::uint8_t kFile = 0x85;
constexpr std::uint8_t kStreamExtension = 0xC0;
constexpr std::uint8_t kFileName = 0xC1;
constexpr std::uint8_t kSecondary = 0xC0;  // in use, and of a set that another entry began

constexpr std::uint32_t kIsDirectory = 0x10;  // FileAttributes
constexpr std::uint32_t kNoFatChain = 0x02;   // GeneralSecondaryFlags
constexpr std::uint8_t kMaximumLabelUnits = 11;

std::uint8_t byte_at(Bytes bytes, std::size_t offset) {
  return std::to_integer<std::uint8_t>(bytes[offset]);
}

// Section 6.3.3, over the set but the checksum itself.
std::uint16_t set_checksum(Bytes set) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < set.size(); ++i)
    if (i != 2 && i != 3)
      sum = (((sum & 1U) << 15U) + (sum >> 1U) + std::to_integer<std::uint32_t>(set[i])) & 0xFFFFU;
  return static_cast<std::uint16_t>(sum);
}

// Sections 7.4.5 to 7.4.10: local time, and how many quarters of an hour it is ahead of UTC, if that is
// known.
std::int64_t utc_time(std::uint32_t stamp, std::uint8_t hundredths, std::uint8_t zone) {
  std::int64_t time =
      dos_time(static_cast<std::uint16_t>(stamp >> 16U), static_cast<std::uint16_t>(stamp & 0xFFFFU));
  if (time == 0) return 0;
  time += hundredths / 100;
  if ((zone & 0x80U) == 0) return time;
  const int quarters =
      (zone & 0x40U) != 0 ? static_cast<int>(zone & 0x7FU) - 128 : static_cast<int>(zone & 0x7FU);
  return time - quarters * std::int64_t{900};
}

/// Takes a directory's entries one by one. No value: the directory ends.
class EntryReader {
 public:
  EntryReader(ClusterTable& table, ClusterStream stream) : table_(table), stream_(std::move(stream)) {}

  Result<std::optional<Bytes>> next() {
    if (place_ + kEntryBytes > piece_.size()) {
      PVHGRUB_TRY_ASSIGN(piece_, stream_.next());
      place_ = 0;
      if (piece_.size() < kEntryBytes) return std::optional<Bytes>();
      PVHGRUB_TRY(table_.budget().charge_steps(piece_.size() / kEntryBytes, "reading a directory"));
    }
    if (++count_ > limits::kExfatDirectoryEntries)
      return fail(ErrorCode::kDamaged,
                  "a directory has more than the " + std::to_string(limits::kExfatDirectoryEntries) +
                      " entries of exFAT; check the file system in the guest (fsck.exfat)");
    const Bytes entry = piece_.subspan(place_, kEntryBytes);
    offset_ = stream_.offset() + place_;
    place_ += kEntryBytes;
    if (byte_at(entry, 0) == kEndOfDirectory) return std::optional<Bytes>();
    return std::optional(entry);
  }

  /// Where the last entry began in the source.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  ClusterTable& table_;
  ClusterStream stream_;
  Bytes piece_;
  std::size_t place_ = 0;
  std::size_t count_ = 0;
  std::uint64_t offset_ = 0;
};

// Section 7.6 and 7.4; `set` begins with both entries.
Result<ExfatNode> parse_node(Bytes set) {
  ByteReader reader(set);
  ExfatNode node;
  PVHGRUB_TRY(reader.seek(4));
  PVHGRUB_TRY_ASSIGN(const auto attributes, reader.little_endian<std::uint16_t>());
  PVHGRUB_TRY(reader.seek(12));
  PVHGRUB_TRY_ASSIGN(const auto modified, reader.little_endian<std::uint32_t>());
  node.modification_time = utc_time(modified, byte_at(set, 21), byte_at(set, 23));
  if ((attributes & kIsDirectory) != 0) node.type = FileType::kDirectory;
  node.contiguous = (byte_at(set, kEntryBytes + 1) & kNoFatChain) != 0;
  PVHGRUB_TRY(reader.seek(kEntryBytes + 8));
  PVHGRUB_TRY_ASSIGN(node.stored, reader.little_endian<std::uint64_t>());
  PVHGRUB_TRY(reader.seek(kEntryBytes + 20));
  PVHGRUB_TRY_ASSIGN(node.first_cluster, reader.little_endian<std::uint32_t>());
  PVHGRUB_TRY_ASSIGN(node.size, reader.little_endian<std::uint64_t>());
  return node;
}

// The name of a set; empty where the set has not what a file needs.
std::string parse_name(Bytes set) {
  if (byte_at(set, kEntryBytes) != kStreamExtension) return {};
  const std::size_t units = byte_at(set, kEntryBytes + 3);
  const std::size_t entries = (units + kUnitsPerName - 1) / kUnitsPerName;
  if (entries == 0 || (entries + 2) * kEntryBytes > set.size()) return {};
  std::vector<std::byte> name;
  for (std::size_t i = 0; i < entries; ++i) {
    const Bytes entry = set.subspan((i + 2) * kEntryBytes, kEntryBytes);
    if (byte_at(entry, 0) != kFileName) return {};
    name.insert(name.end(), entry.begin() + 2, entry.end());
  }
  name.resize(units * 2);
  return utf8_of_utf16(name);
}

}  // namespace

Result<ExfatRoot> read_exfat_root(ClusterTable& table, ClusterStream stream) {
  ExfatRoot root;
  for (EntryReader entries(table, std::move(stream));;) {
    PVHGRUB_TRY_ASSIGN(const std::optional<Bytes> entry, entries.next());
    if (!entry) return root;
    if (byte_at(*entry, 0) == kVolumeLabel && root.label.empty()) {
      const std::size_t units = std::min(byte_at(*entry, 1), kMaximumLabelUnits);
      root.label = utf8_of_utf16(entry->subspan(2, units * 2));
    } else if (byte_at(*entry, 0) == kUpcaseTable && !root.upcase) {
      ByteReader reader(*entry);
      ExfatRoot::UpcaseTable upcase;
      PVHGRUB_TRY(reader.seek(4));
      PVHGRUB_TRY_ASSIGN(upcase.checksum, reader.little_endian<std::uint32_t>());
      PVHGRUB_TRY(reader.seek(20));
      PVHGRUB_TRY_ASSIGN(upcase.first_cluster, reader.little_endian<std::uint32_t>());
      PVHGRUB_TRY_ASSIGN(upcase.length, reader.little_endian<std::uint64_t>());
      root.upcase = upcase;
    }
  }
}

ExfatDirectory::ExfatDirectory(const ExfatUpcaseTable& upcase)
    : listing_([&upcase](std::string_view name) { return upcase.fold(name); }) {}

Result<void> ExfatDirectory::add_set(Bytes set, std::uint64_t offset) {
  const std::string name = parse_name(set);
  if (name.empty()) return {};
  PVHGRUB_TRY_ASSIGN(ExfatNode node, parse_node(set));
  const auto stored = static_cast<std::uint16_t>(byte_at(set, 2) | (byte_at(set, 3) << 8U));
  if (kVerifyChecksums && set_checksum(set) != stored) node.damage = offset;
  PVHGRUB_TRY(listing_.add(name, nodes_.size(), node.type));
  nodes_.push_back(node);
  return {};
}

Result<ExfatDirectory> ExfatDirectory::read(ClusterTable& table, ClusterStream stream,
                                            const ExfatUpcaseTable& upcase) {
  ExfatDirectory directory(upcase);
  std::vector<std::byte> set;
  std::size_t missing = 0;  // entries of the set that must still come
  std::uint64_t offset = 0;
  for (EntryReader entries(table, std::move(stream));;) {
    PVHGRUB_TRY_ASSIGN(const std::optional<Bytes> entry, entries.next());
    if (!entry) break;
    const std::uint8_t type = byte_at(*entry, 0);
    if (type == kFile) {
      set.assign(entry->begin(), entry->end());
      missing = byte_at(*entry, 1);
      offset = entries.offset();
    } else if (missing > 0 && (type & kSecondary) == kSecondary) {
      set.insert(set.end(), entry->begin(), entry->end());
      if (--missing == 0) PVHGRUB_TRY(directory.add_set(set, offset));
    } else {
      missing = 0;  // a set that was cut off, or an entry that is not in use
    }
  }
  directory.listing_.finish();
  return directory;
}

}  // namespace pvhgrub::fs
