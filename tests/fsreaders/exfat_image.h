// SPDX-License-Identifier: LGPL-2.1-or-later
// exFAT file systems made byte by byte after Microsoft's specification, also wrong ones: for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {

/// An empty file system: sectors of 512 bytes, clusters of 4096, an up-case table for Latin, Greek and
/// Cyrillic letters.
class ExfatImage {
 public:
  static constexpr std::uint32_t kClusters = 300;
  static constexpr std::uint32_t kClusterSize = 4096;
  static constexpr std::uint32_t kRootCluster = 4;
  ExfatImage();

  [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }
  void put(std::size_t offset, std::string_view text);
  void put_number(std::size_t offset, std::uint64_t value, unsigned bytes);
  /// Writes the checksums of both boot regions anew; `backup` first copies the main one.
  void seal(bool backup = true);
  void chain(std::uint32_t cluster, std::uint32_t value);
  [[nodiscard]] static std::size_t offset_of(std::uint32_t cluster);
  /// Adds directory entries to the root directory.
  void add(const std::string& entries);

  [[nodiscard]] OpenedImage open() const;

 private:
  std::vector<std::byte> bytes_;
  std::size_t root_place_;
};

struct ExfatFile {
  std::u16string name;
  std::uint32_t cluster = 0;
  std::uint64_t size = 0;
  std::uint64_t stored = ~std::uint64_t{0};  ///< more than the size: as the size
  bool contiguous = true;
  bool directory = false;
};
/// The set of directory entries of a file, with its checksum.
[[nodiscard]] std::string exfat_entries(const ExfatFile& file);
/// The checksum again, where entries were changed.
void seal_exfat_entries(std::string& entries);

}  // namespace pvhgrub::fs::test
