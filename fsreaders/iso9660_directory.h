// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "fsreaders/iso9660_volume.h"

namespace pvhgrub::fs {

/// Where the names of a tree come from.
enum class Iso9660Names : std::uint8_t {
  kPlain,      ///< identifiers, which GRUB shows in lower case, without version and final dot
  kJoliet,     ///< identifiers in UCS-2, without version
  kRockRidge,  ///< NM entries
};

/// A file's or directory's bytes that lie one after another (ECMA-119 6.4.4).
struct Iso9660Section {
  std::uint64_t offset = 0;  ///< bytes from the volume's start
  std::uint32_t length = 0;  ///< bytes
};

/// What a directory record, or the several of one file, say.
struct Iso9660Node {
  FileType type = FileType::kOther;
  std::uint64_t size = 0;              ///< bytes
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC
  std::vector<Iso9660Section> sections;
  std::string link;          ///< a symbolic link's target
  bool interleaved = false;  ///< other data lie among its own (ECMA-119 6.4.3)
  bool zisofs = false;       ///< its contents are compressed
  /// Where the record of a directory is that was moved away from here, since it lay too deep (RRIP 4.1.5.1).
  std::optional<std::uint64_t> moved_to;
};

struct Iso9660Entry {
  std::uint64_t offset = 0;  ///< of its first record, in bytes from the directory's start
  std::string name;
  Iso9660Node node;
};

/// One directory record as a node, without what the system use field says: the root's, of 34 bytes.
[[nodiscard]] Result<Iso9660Node> parse_iso9660_root(Bytes record, std::uint32_t block_size);

/// Goes through a directory's records.
class Iso9660DirectoryReader {
 public:
  /// `skip`: SUSP's bytes in front of system use entries. All outlive the reader.
  Iso9660DirectoryReader(Iso9660Volume& volume, const Iso9660Node& directory, Iso9660Names names,
                         std::uint8_t skip, std::uint64_t start = 0)
      : volume_(volume), directory_(directory), names_(names), skip_(skip), position_(start) {}

  /// The next file or directory; nothing at the end. Left out: "." and "..", associated files (ECMA-119
  /// 6.5.4), and directories that belong elsewhere (RRIP 4.1.5.3).
  [[nodiscard]] Result<std::optional<Iso9660Entry>> next();

  /// The system use field of the directory's own record, its first; empty where it has none.
  [[nodiscard]] Result<std::vector<std::byte>> own_system_use();

 private:
  struct Record;
  [[nodiscard]] Result<std::optional<Record>> next_record();
  [[nodiscard]] Result<std::optional<std::uint64_t>> place(std::uint64_t position) const;
  [[nodiscard]] Result<bool> complete(Iso9660Entry& entry, const Record& record);

  Iso9660Volume& volume_;
  const Iso9660Node& directory_;
  Iso9660Names names_;
  std::uint8_t skip_;
  std::uint64_t position_;  // bytes from the directory's start
};

}  // namespace pvhgrub::fs
