// SPDX-License-Identifier: LGPL-2.1-or-later
// Directories of FAT12, FAT16 and FAT32 with long names (fatgen103, "FAT Directory Structure" and "FAT Long
// Directory Entries").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "fsreaders/cluster_table.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// A file or a directory as its directory describes it.
struct FatNode {
  FileType type = FileType::kRegular;  ///< or kDirectory
  bool is_root = false;
  std::uint32_t first_cluster = 0;  ///< 0 where there is none
  std::uint32_t size = 0;           ///< bytes; 0 of a directory
  std::int64_t modification_time = 0;
};

/// Names are found without regard to the case of A to Z, as GRUB finds them. Other letters are not folded:
/// neither GRUB does that nor Linux for names in UTF-8 (its documentation of vfat, `utf8`), which may so have
/// made both an "É" and an "é".
class FatDirectory {
 public:
  [[nodiscard]] static Result<FatDirectory> read(ClusterTable& table, ClusterStream stream);

  [[nodiscard]] const DirectoryListing& listing() const { return listing_; }
  /// `entry`: of the listing.
  [[nodiscard]] const FatNode& node(const DirectoryListing::Entry& entry) const {
    return nodes_[static_cast<std::size_t>(entry.handle)];
  }
  /// The volume's label, where this is the root directory and has one; as it lies on the disk.
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] std::size_t memory() const {
    return listing_.memory() + nodes_.capacity() * sizeof(FatNode) + label_.capacity();
  }

 private:
  FatDirectory();

  DirectoryListing listing_;
  std::vector<FatNode> nodes_;
  std::string label_;
};

}  // namespace pvhgrub::fs
