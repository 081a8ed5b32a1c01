// SPDX-License-Identifier: LGPL-2.1-or-later
// Which names are the same to an exFAT file system (exFAT specification, section 7.2): its up-case table
// says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fsreaders/cluster_table.h"

namespace pvhgrub::fs {

class ExfatUpcaseTable {
 public:
  /// Folds A to Z only: the part of the table that is the same for all file systems.
  ExfatUpcaseTable();

  /// Reads the table that the root directory's entry names. kDamaged: its checksum is wrong, or it is no
  /// table.
  [[nodiscard]] static Result<ExfatUpcaseTable> read(ClusterTable& table, std::uint32_t first_cluster,
                                                     std::uint64_t length, std::uint32_t checksum);

  /// What two names that are the same have in common: bytes, not text. Empty of what is no UTF-8, which no
  /// name on the disk is.
  [[nodiscard]] std::string fold(std::string_view name) const;

 private:
  std::vector<std::uint16_t> upper_;  // of each UTF-16 unit
};

}  // namespace pvhgrub::fs
