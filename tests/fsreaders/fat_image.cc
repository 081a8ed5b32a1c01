// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/fsreaders/fat_image.h"

#include <algorithm>

#include "fsreaders/fat_file_system.h"

namespace pvhgrub::fs::test {

namespace {

constexpr std::uint32_t kReservedSectors = 4;

std::uint32_t entry_bits(ClusterLayout::Kind kind) {
  switch (kind) {
    case ClusterLayout::Kind::kFat12:
      return 12;
    case ClusterLayout::Kind::kFat16:
      return 16;
    default:
      return 32;
  }
}

}  // namespace

FatImage::FatImage(const Shape& shape)
    : shape_(shape),
      table_sectors_(((shape.clusters + 2) * entry_bits(shape.kind) / 8 + shape.sector_size) /
                     shape.sector_size) {
  const bool is_fat32 = shape_.kind == ClusterLayout::Kind::kFat32;
  if (is_fat32) shape_.root_entries = 0;
  const std::size_t size =
      offset_of(2) + std::size_t{shape_.clusters} * shape_.sectors_per_cluster * shape_.sector_size;
  bytes_.resize(size);
  put(0, "\xEB\x3C\x90mkfs.fat");
  put_number(11, shape_.sector_size, 2);
  put_number(13, shape_.sectors_per_cluster, 1);
  put_number(14, kReservedSectors, 2);
  put_number(16, shape_.tables, 1);
  put_number(17, shape_.root_entries, 2);
  put_number(21, 0xF8, 1);
  if (!is_fat32) put_number(22, table_sectors_, 2);
  put_number(32, static_cast<std::uint32_t>(size / shape_.sector_size), 4);
  if (is_fat32) {
    put_number(36, table_sectors_, 4);
    put_number(44, shape_.root_cluster, 4);
    put_number(67, 0xCAFE0001, 4);
    chain(shape_.root_cluster, 0x0FFF'FFFF);
  } else {
    put_number(39, 0xCAFE0001, 4);
  }
  put(510, "\x55\xAA");
  root_place_ = is_fat32
                    ? offset_of(shape_.root_cluster)
                    : (kReservedSectors + std::size_t{shape_.tables} * table_sectors_) * shape_.sector_size;
}

void FatImage::put(std::size_t offset, std::string_view text) {
  std::ranges::copy(as_bytes(text), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
}

void FatImage::put_number(std::size_t offset, std::uint32_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    bytes_.at(offset + i) = static_cast<std::byte>((value >> (8 * i)) & 0xFFU);
}

void FatImage::chain(std::uint32_t cluster, std::uint32_t value) {
  for (std::uint32_t table = 0; table < shape_.tables; ++table) chain_in(table, cluster, value);
}

void FatImage::chain_in(std::uint32_t table, std::uint32_t cluster, std::uint32_t value) {
  const std::size_t start = std::size_t{kReservedSectors + table * table_sectors_} * shape_.sector_size;
  const std::uint32_t bits = entry_bits(shape_.kind);
  if (bits != 12) {
    put_number(start + std::size_t{cluster} * bits / 8, value, bits / 8);
    return;
  }
  const std::size_t place = start + std::size_t{cluster} * 3 / 2;
  const std::uint32_t old = std::to_integer<std::uint32_t>(bytes_.at(place)) |
                            (std::to_integer<std::uint32_t>(bytes_.at(place + 1)) << 8U);
  put_number(place, cluster % 2 == 0 ? (old & 0xF000U) | value : (old & 0xFU) | (value << 4U), 2);
}

std::size_t FatImage::offset_of(std::uint32_t cluster) const {
  const std::size_t root_sectors = (shape_.root_entries * 32 + shape_.sector_size - 1) / shape_.sector_size;
  return (kReservedSectors + std::size_t{shape_.tables} * table_sectors_ + root_sectors +
          std::size_t{cluster - 2} * shape_.sectors_per_cluster) *
         shape_.sector_size;
}

void FatImage::add(const std::string& entry) {
  put(root_place_, entry);
  root_place_ += entry.size();
}

OpenedImage FatImage::open() const {
  OpenedImage image{std::make_unique<MemorySource>(bytes_), std::make_unique<Budget>(20'000'000, 1UL << 30U),
                    fail(ErrorCode::kInternal, "not opened")};
  image.file_system = open_fat_file_system(*image.source, *image.budget);
  return image;
}

std::string short_entry(std::string_view name, std::uint8_t attributes, std::uint32_t cluster,
                        std::uint32_t size, std::uint8_t case_flags) {
  std::string entry(32, '\0');
  const auto number = [&](std::size_t offset, std::uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      entry.at(offset + i) = static_cast<char>(static_cast<unsigned char>((value >> (8 * i)) & 0xFFU));
  };
  std::ranges::copy(name, entry.begin());
  number(11, attributes, 1);
  number(12, case_flags, 1);
  number(20, cluster >> 16U, 2);
  number(22, (13U << 11U) | (37U << 5U) | 11U, 2);            // 13:37:22
  number(24, ((2024U - 1980U) << 9U) | (2U << 5U) | 29U, 2);  // 2024-02-29
  number(26, cluster & 0xFFFFU, 2);
  number(28, size, 4);
  return entry;
}

std::vector<std::string> long_entries(std::u16string_view name, std::string_view short_name) {
  unsigned sum = 0;
  for (const char c : short_name)
    sum = (((sum & 1U) << 7U) + (sum >> 1U) + static_cast<unsigned char>(c)) & 0xFFU;
  std::vector<std::string> entries;
  const std::size_t count = (name.size() + 12) / 13;
  for (std::size_t part = count; part > 0; --part) {
    std::string entry(32, '\0');
    entry[0] = static_cast<char>(part | (part == count ? 0x40U : 0U));
    entry[11] = 0x0F;
    entry[13] = static_cast<char>(static_cast<unsigned char>(sum));
    for (std::size_t i = 0; i < 13; ++i) {
      const std::size_t index = (part - 1) * 13 + i;
      const unsigned unit = index < name.size() ? name[index] : index == name.size() ? 0U : 0xFFFFU;
      const std::size_t place = i < 5 ? 1 + 2 * i : i < 11 ? 14 + 2 * (i - 5) : 28 + 2 * (i - 11);
      entry[place] = static_cast<char>(static_cast<unsigned char>(unit & 0xFFU));
      entry[place + 1] = static_cast<char>(static_cast<unsigned char>(unit >> 8U));
    }
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace pvhgrub::fs::test
