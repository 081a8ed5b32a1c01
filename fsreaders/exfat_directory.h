// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories of exFAT (exFAT specification, sections 6 and 7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/cluster_table.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/exfat_names.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// A file or a directory as its set of directory entries describes it.
struct ExfatNode {
  FileType type = FileType::kRegular;  ///< or kDirectory
  bool is_root = false;
  bool contiguous = false;  ///< its clusters follow on each other, and the table says nothing of them
  std::uint32_t first_cluster = 0;
  std::uint64_t size = 0;    ///< bytes
  std::uint64_t stored = 0;  ///< bytes that were written; the rest are zeros
  std::int64_t modification_time = 0;
  std::optional<std::uint64_t> damage;  ///< where in the source the set begins, if its checksum is wrong
};

/// What the root directory says of the whole file system.
struct ExfatRoot {
  struct UpcaseTable {
    std::uint32_t first_cluster = 0;
    std::uint64_t length = 0;
    std::uint32_t checksum = 0;
  };
  std::string label;
  std::optional<UpcaseTable> upcase;
};
[[nodiscard]] Result<ExfatRoot> read_exfat_root(ClusterTable& table, ClusterStream stream);

class ExfatDirectory {
 public:
  /// Names are found as `upcase` folds them; it outlives the directory.
  [[nodiscard]] static Result<ExfatDirectory> read(ClusterTable& table, ClusterStream stream,
                                                   const ExfatUpcaseTable& upcase);

  [[nodiscard]] const DirectoryListing& listing() const { return listing_; }
  /// `entry`: of the listing.
  [[nodiscard]] const ExfatNode& node(const DirectoryListing::Entry& entry) const {
    return nodes_[static_cast<std::size_t>(entry.handle)];
  }
  [[nodiscard]] std::size_t memory() const {
    return listing_.memory() + nodes_.capacity() * sizeof(ExfatNode);
  }

 private:
  explicit ExfatDirectory(const ExfatUpcaseTable& upcase);
  [[nodiscard]] Result<void> add_set(Bytes set, std::uint64_t offset);

  DirectoryListing listing_;
  std::vector<ExfatNode> nodes_;
};

}  // namespace pvhgrub::fs
