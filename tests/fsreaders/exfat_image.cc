// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/fsreaders/exfat_image.h"

#include <algorithm>
#include <numeric>

#include "fsreaders/exfat_file_system.h"

namespace pvhgrub::fs::test {

namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kTableSector = 24;
constexpr std::size_t kTableSectors = 4;
constexpr std::size_t kHeapSector = 32;
constexpr std::size_t kRegionSectors = 12;
constexpr std::uint32_t kEnd = 0xFFFF'FFFF;

void append(std::string& text, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i)
    text += static_cast<char>(static_cast<unsigned char>((value >> (8 * i)) & 0xFFU));
}

// Section 7.2.5, compressed: a run of units that are their own upper case is 0xFFFF and its length.
std::string upcase_table() {
  std::vector<std::uint32_t> upper(65'536);
  std::iota(upper.begin(), upper.end(), 0U);
  const auto map = [&](std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t unit = first; unit <= last; ++unit) upper[unit] = unit - 0x20;
  };
  map('a', 'z');
  map(0xE0, 0xF6);
  map(0x3B1, 0x3C9);
  map(0x430, 0x44F);
  std::string table;
  for (std::uint32_t unit = 0; unit < upper.size();) {
    std::uint32_t end = unit;
    while (end < upper.size() && upper[end] == end && end - unit < 0xFFFF) ++end;
    if (end - unit > 2) {
      append(table, 0xFFFF, 2);
      append(table, end - unit, 2);
      unit = end;
    } else {
      append(table, upper[unit++], 2);
    }
  }
  return table;
}

std::uint32_t sum32(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (const char c : bytes) sum = ((sum & 1U) << 31U) + (sum >> 1U) + static_cast<unsigned char>(c);
  return sum;
}

}  // namespace

ExfatImage::ExfatImage() : bytes_(offset_of(2 + kClusters)), root_place_(offset_of(kRootCluster)) {
  put(0,
      "\xEB\x76\x90"
      "EXFAT   ");
  put_number(72, bytes_.size() / kSector, 8);
  put_number(80, kTableSector, 4);
  put_number(84, kTableSectors, 4);
  put_number(88, kHeapSector, 4);
  put_number(92, kClusters, 4);
  put_number(96, kRootCluster, 4);
  put_number(100, 0xCAFE0002, 4);
  put_number(104, 0x0100, 2);
  put_number(108, 9, 1);
  put_number(109, 3, 1);
  put_number(110, 1, 1);
  put_number(510, 0xAA55, 2);
  for (std::size_t sector = 1; sector <= 8; ++sector) put_number(sector * kSector + 508, 0xAA550000, 4);
  seal();
  chain(0, 0xFFFF'FFF8);
  chain(1, kEnd);
  chain(2, kEnd);
  chain(3, kEnd);
  chain(kRootCluster, kEnd);
  const std::string table = upcase_table();
  put(offset_of(3), table);
  std::string label = "\x83\x05";
  for (const char c : std::string_view("LABEL")) append(label, static_cast<unsigned char>(c), 2);
  label.resize(32);
  add(label);
  std::string upcase = "\x82";
  append(upcase, 0, 3);
  append(upcase, sum32(table), 4);
  append(upcase, 0, 12);
  append(upcase, 3, 4);
  append(upcase, table.size(), 8);
  add(upcase);
}

void ExfatImage::put(std::size_t offset, std::string_view text) {
  std::ranges::copy(as_bytes(text), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
}

void ExfatImage::put_number(std::size_t offset, std::uint64_t value, unsigned bytes) {
  std::string text;
  append(text, value, bytes);
  put(offset, text);
}

void ExfatImage::seal(bool backup) {
  std::string region(as_text(Bytes(bytes_).first((kRegionSectors - 1) * kSector)));
  std::string covered = region;
  covered.erase(112, 1);
  covered.erase(106, 2);
  for (std::size_t i = 0; i < kSector / 4; ++i) append(region, sum32(covered), 4);
  put(0, region);
  if (backup) put(region.size(), region);
}

void ExfatImage::chain(std::uint32_t cluster, std::uint32_t value) {
  put_number(kTableSector * kSector + std::size_t{cluster} * 4, value, 4);
}

std::size_t ExfatImage::offset_of(std::uint32_t cluster) {
  return kHeapSector * kSector + std::size_t{cluster - 2} * kClusterSize;
}

void ExfatImage::add(const std::string& entries) {
  put(root_place_, entries);
  root_place_ += entries.size();
}

OpenedImage ExfatImage::open() const {
  OpenedImage image{std::make_unique<MemorySource>(bytes_), std::make_unique<Budget>(20'000'000, 1UL << 30U),
                    fail(ErrorCode::kInternal, "not opened")};
  image.file_system = open_exfat_file_system(*image.source, *image.budget);
  return image;
}

void seal_exfat_entries(std::string& entries) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (i != 2 && i != 3)
      sum = (((sum & 1U) << 15U) + (sum >> 1U) + static_cast<unsigned char>(entries[i])) & 0xFFFFU;
  entries[2] = static_cast<char>(static_cast<unsigned char>(sum & 0xFFU));
  entries[3] = static_cast<char>(static_cast<unsigned char>(sum >> 8U));
}

std::string exfat_entries(const ExfatFile& file) {
  const std::size_t names = (file.name.size() + 14) / 15;
  std::string entries = "\x85";
  append(entries, names + 1, 1);
  append(entries, 0, 2);
  append(entries, file.directory ? 0x10 : 0x20, 2);
  append(entries, 0, 6);
  append(entries, (((44U << 9U) | (2U << 5U) | 29U) << 16U) | (13U << 11U) | (37U << 5U) | 11U,
         4);  // 13:37:22
  append(entries, 0, 5);
  append(entries, 100, 1);  // and one second
  append(entries, 0, 1);
  append(entries, 0x80 | 0x7C, 1);  // an hour behind UTC
  entries.resize(32);
  entries += '\xC0';
  append(entries, file.contiguous ? 3 : 1, 1);
  append(entries, 0, 1);
  append(entries, file.name.size(), 1);
  append(entries, 0, 4);
  append(entries, std::min(file.stored, file.size), 8);
  append(entries, 0, 4);
  append(entries, file.cluster, 4);
  append(entries, file.size, 8);
  for (std::size_t i = 0; i < names * 15; ++i) {
    if (i % 15 == 0) append(entries, 0x00C1, 2);
    append(entries, i < file.name.size() ? file.name[i] : 0U, 2);
  }
  seal_exfat_entries(entries);
  return entries;
}

}  // namespace pvhgrub::fs::test
