// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/iso9660_directory.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/limits.h"
#include "fsreaders/file_mode.h"
#include "fsreaders/iso9660_rock_ridge.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

// ECMA-119 9.1: a record's fixed part, and its flags (9.1.6).
constexpr std::size_t kRecordBytes = 33;
constexpr std::uint8_t kDirectory = 0x02;
constexpr std::uint8_t kAssociated = 0x04;
constexpr std::uint8_t kMoreSections = 0x80;

// ECMA-119 9.1.5: years since 1900 to seconds, and the zone in quarters of an hour.
std::int64_t time_of(Bytes field) {
  const LittleEndianFields fields(field);
  const std::chrono::year_month_day date(std::chrono::year(1900 + fields.u8(0)),
                                         std::chrono::month(fields.u8(1)), std::chrono::day(fields.u8(2)));
  if (!date.ok()) return 0;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  // A signed byte (ECMA-119 9.1.5).
  const std::int64_t zone = fields.u8(6) < 128 ? fields.u8(6) : fields.u8(6) - 256;
  return ((days * 24 + fields.u8(3)) * 60 + fields.u8(4) - zone * 15) * 60 + fields.u8(5);
}

Iso9660Node node_of(Bytes record, std::uint32_t block_size) {
  const LittleEndianFields fields(record);
  Iso9660Node node;
  node.type = (fields.u8(25) & kDirectory) != 0 ? FileType::kDirectory : FileType::kRegular;
  node.size = fields.u32(10);
  node.modification_time = time_of(fields.run(18, 7));
  node.interleaved = fields.u8(26) != 0 || fields.u8(27) != 0;
  // The extended attribute record lies in front of the contents (ECMA-119 6.4.4).
  node.sections.push_back(
      {(std::uint64_t{fields.u32(2)} + fields.u8(1)) * block_size, static_cast<std::uint32_t>(node.size)});
  return node;
}

// As GRUB shows identifiers: without the version, and, where they are not UCS-2, in lower case and without a
// final dot (of "README.;1").
std::string shown_name(Bytes identifier, Iso9660Names names) {
  std::string name =
      names == Iso9660Names::kJoliet ? utf8_of_joliet(identifier) : std::string(as_text(identifier));
  if (const std::size_t version = name.rfind(';'); version != name.npos) name.resize(version);
  if (names == Iso9660Names::kJoliet) return name;
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name.ends_with('.')) name.pop_back();
  return name;
}

}  // namespace

struct Iso9660DirectoryReader::Record {
  std::uint64_t offset = 0;  // from the directory's start
  std::uint8_t flags = 0;
  std::vector<std::byte> bytes;

  [[nodiscard]] Bytes identifier() const {
    const LittleEndianFields fields(bytes);
    return fields.run(kRecordBytes, fields.u8(32));
  }
  // A padding byte keeps what follows the identifier at an even place (ECMA-119 9.1.12).
  [[nodiscard]] Bytes system_use() const {
    const std::size_t length = identifier().size();
    return LittleEndianFields(bytes).run(kRecordBytes + length + (length % 2 == 0 ? 1 : 0), bytes.size());
  }
};

Result<Iso9660Node> parse_iso9660_root(Bytes record, std::uint32_t block_size) {
  Iso9660Node node = node_of(record, block_size);
  if (record.size() <= kRecordBytes || node.type != FileType::kDirectory || node.interleaved)
    return damaged_iso9660("the volume descriptor's root is not a directory", node.sections.front().offset);
  return node;
}

// The volume's byte that a directory's byte lies at; nothing at the end.
Result<std::optional<std::uint64_t>> Iso9660DirectoryReader::place(std::uint64_t position) const {
  for (const Iso9660Section& section : directory_.sections) {
    if (position < section.length) return section.offset + position;
    position -= section.length;
  }
  return std::optional<std::uint64_t>();
}

Result<std::optional<Iso9660DirectoryReader::Record>> Iso9660DirectoryReader::next_record() {
  for (;;) {
    PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading a directory of ISO 9660"));
    PVHGRUB_TRY_ASSIGN(const std::optional<std::uint64_t> offset, place(position_));
    if (!offset) return std::optional<Record>();
    PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> first, volume_.read(*offset, 1));
    const auto length = std::to_integer<std::size_t>(first[0]);
    if (length == 0) {  // no record follows in this sector
      position_ += kIso9660SectorBytes - *offset % kIso9660SectorBytes;
      continue;
    }
    Record record;
    record.offset = position_;
    PVHGRUB_TRY_ASSIGN(record.bytes, volume_.read(*offset, length));
    const LittleEndianFields fields(record.bytes);
    if (length <= kRecordBytes || fields.u8(32) == 0 || kRecordBytes + fields.u8(32) > length)
      return damaged_iso9660("a directory record of " + std::to_string(length) + " bytes with a name of " +
                                 std::to_string(fields.u8(32)),
                             *offset);
    record.flags = fields.u8(25);
    position_ += length;
    return record;
  }
}

Result<std::vector<std::byte>> Iso9660DirectoryReader::own_system_use() {
  PVHGRUB_TRY_ASSIGN(const std::optional<Record> record, next_record());
  if (!record) return std::vector<std::byte>();
  const Bytes area = record->system_use();
  return std::vector<std::byte>(area.begin(), area.end());
}

// Fills in the name and what Rock Ridge says; false where the entry is not to be seen.
Result<bool> Iso9660DirectoryReader::complete(Iso9660Entry& entry, const Record& record) {
  const Bytes identifier = record.identifier();
  // "." and ".." (ECMA-119 6.8.2.2).
  if (identifier.size() == 1 && std::to_integer<unsigned>(identifier[0]) <= 1) return false;
  if ((record.flags & kAssociated) != 0) return false;
  if (names_ == Iso9660Names::kRockRidge) {
    Bytes area = record.system_use();
    area = area.subspan(std::min<std::size_t>(skip_, area.size()));
    PVHGRUB_TRY_ASSIGN(RockRidge extension, read_rock_ridge(volume_, area));
    if (extension.relocated || extension.is_dot) return false;
    if (extension.mode) entry.node.type = type_of_mode(*extension.mode);
    if (extension.child) {
      entry.node.type = FileType::kDirectory;
      entry.node.moved_to = std::uint64_t{*extension.child} * volume_.block_size();
    }
    if (entry.node.type == FileType::kSymlink) entry.node.size = extension.link.size();
    entry.node.link = std::move(extension.link);
    entry.node.zisofs = extension.zisofs;
    if (extension.name) {
      entry.name = std::move(*extension.name);
      return true;
    }
  }
  entry.name = shown_name(identifier, names_);
  return true;
}

Result<std::optional<Iso9660Entry>> Iso9660DirectoryReader::next() {
  for (;;) {
    PVHGRUB_TRY_ASSIGN(std::optional<Record> record, next_record());
    if (!record) return std::optional<Iso9660Entry>();
    Iso9660Entry entry;
    entry.offset = record->offset;
    entry.node = node_of(record->bytes, volume_.block_size());
    PVHGRUB_TRY_ASSIGN(const bool seen, complete(entry, *record));
    // A file's sections are in records one after another (ECMA-119 9.1.6, bit 7).
    for (std::uint8_t flags = record->flags; (flags & kMoreSections) != 0;) {
      PVHGRUB_TRY_ASSIGN(record, next_record());
      if (!record) return damaged_iso9660("a file of several sections without its last", entry.offset);
      const Iso9660Node more = node_of(record->bytes, volume_.block_size());
      entry.node.sections.push_back(more.sections.front());
      if (entry.node.type == FileType::kRegular) entry.node.size += more.size;
      entry.node.interleaved |= more.interleaved;
      if (entry.node.sections.size() > limits::kFileRuns)
        return fail(ErrorCode::kLimit,
                    "a file of more than " + std::to_string(limits::kFileRuns) + " sections");
      flags = record->flags;
    }
    if (seen) return entry;
  }
}

}  // namespace pvhgrub::fs
