// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes small PE images for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pvhgrub::test {

struct PeWriter {
  static constexpr std::size_t kSignature = 0x80;
  static constexpr std::size_t kOptionalHeader = kSignature + 24;

  std::uint16_t machine = 0x8664;
  bool plus = true;  ///< PE32+, else PE32
  std::size_t file_alignment = 512;
  std::vector<std::pair<std::string, std::string>> sections;

  PeWriter& add(std::string name, std::string contents) {
    sections.emplace_back(std::move(name), std::move(contents));
    return *this;
  }

  [[nodiscard]] std::size_t optional_header_bytes() const { return plus ? 240 : 224; }
  /// Where the header of section `number` lies.
  [[nodiscard]] std::size_t section_header(std::size_t number) const {
    return kOptionalHeader + optional_header_bytes() + number * 40;
  }

  static void put(std::string& bytes, std::size_t offset, std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) bytes.at(offset + i) = static_cast<char>(value >> (8 * i));
  }

  [[nodiscard]] std::string build() const {
    std::string bytes(section_header(sections.size()), '\0');
    bytes.replace(0, 2, "MZ");
    put(bytes, 0x3C, kSignature, 4);
    bytes.replace(kSignature, 2, "PE");
    put(bytes, kSignature + 4, machine, 2);
    put(bytes, kSignature + 6, sections.size(), 2);
    put(bytes, kSignature + 20, optional_header_bytes(), 2);
    put(bytes, kOptionalHeader, plus ? 0x20B : 0x10B, 2);
    put(bytes, kOptionalHeader + 68, 10, 2);
    std::size_t address = 0x1000;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      const auto& [name, contents] = sections[i];
      align(bytes, file_alignment);
      const std::size_t header = section_header(i);
      const std::size_t offset = bytes.size();
      bytes += contents;
      align(bytes, file_alignment);
      bytes.replace(header, name.size(), name);
      put(bytes, header + 8, contents.size(), 4);
      put(bytes, header + 12, address, 4);
      put(bytes, header + 16, bytes.size() - offset, 4);
      put(bytes, header + 20, contents.empty() ? 0 : offset, 4);
      address += (contents.size() + 0xFFF) / 0x1000 * 0x1000 + 0x1000;
    }
    put(bytes, kOptionalHeader + 56, address, 4);
    return bytes;
  }

 private:
  static void align(std::string& bytes, std::size_t alignment) {
    while (bytes.size() % alignment != 0) bytes += '\0';
  }
};

}  // namespace pvhgrub::test
