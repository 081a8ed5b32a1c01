// SPDX-License-Identifier: LGPL-2.1-or-later
// FAT file systems made byte by byte, also wrong ones; and trees written by mkfs.fat and mtools: for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fsreaders/cluster_table.h"
#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {

/// An empty file system whose boot sector is right by default; without the text "FAT16   ".
class FatImage {
 public:
  struct Shape {
    ClusterLayout::Kind kind = ClusterLayout::Kind::kFat16;
    std::uint32_t sector_size = 512;
    std::uint32_t sectors_per_cluster = 1;
    std::uint32_t clusters = 5000;
    std::uint32_t tables = 2;
    std::uint32_t root_entries = 64;  ///< of FAT12 and FAT16
    std::uint32_t root_cluster = 2;   ///< of FAT32
  };
  explicit FatImage(const Shape& shape);
  FatImage() : FatImage(Shape()) {}

  [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }
  void put(std::size_t offset, std::string_view text);
  void put_number(std::size_t offset, std::uint32_t value, unsigned bytes);
  /// Sets a table's entry, in all tables or in one.
  void chain(std::uint32_t cluster, std::uint32_t value);
  void chain_in(std::uint32_t table, std::uint32_t cluster, std::uint32_t value);
  [[nodiscard]] std::size_t offset_of(std::uint32_t cluster) const;
  /// Adds a directory entry of 32 bytes to the root directory (of FAT32: its first cluster).
  void add(const std::string& entry);

  [[nodiscard]] OpenedImage open() const;

 private:
  Shape shape_;
  std::uint32_t table_sectors_;
  std::vector<std::byte> bytes_;
  std::size_t root_place_;
};

/// An 8.3 entry; `name` are the 11 bytes as they are stored.
[[nodiscard]] std::string short_entry(std::string_view name, std::uint8_t attributes, std::uint32_t cluster,
                                      std::uint32_t size, std::uint8_t case_flags = 0);
/// The entries of a long name, the last part first, for that 8.3 name.
[[nodiscard]] std::vector<std::string> long_entries(std::u16string_view name, std::string_view short_name);

}  // namespace pvhgrub::fs::test
