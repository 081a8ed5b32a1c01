// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes small bzImages for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pvhgrub::test {

struct BzImageWriter {
  std::uint16_t protocol = 0x020F;
  std::uint8_t setup_sectors = 4;
  std::uint8_t load_flags = 1;
  std::uint8_t relocatable = 1;
  std::uint16_t extended_load_flags = 0x7F;
  std::uint32_t command_line_size = 2047;
  std::uint32_t init_size = 0x2000000;
  std::string version = "6.1.0-50-amd64 (builder@host) #1 SMP Debian 6.1.176-1";
  std::uint16_t version_pointer = 0x400;  ///< less 0x200
  std::uint32_t payload_offset = 64;      ///< in the protected-mode code
  std::string payload;                    ///< none where it is empty

  static void put(std::string& bytes, std::size_t offset, std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) bytes.at(offset + i) = static_cast<char>(value >> (8 * i));
  }

  [[nodiscard]] std::size_t setup_size() const {
    return ((setup_sectors == 0 ? 4U : setup_sectors) + 1U) * 512;
  }

  [[nodiscard]] std::string build() const {
    std::string bytes(setup_size() + payload_offset, '\0');
    put(bytes, 0x1F1, setup_sectors, 1);
    put(bytes, 0x1FE, 0xAA55, 2);
    put(bytes, 0x202, 0x53726448, 4);
    put(bytes, 0x206, protocol, 2);
    put(bytes, 0x20E, version_pointer, 2);
    put(bytes, 0x211, load_flags, 1);
    put(bytes, 0x234, relocatable, 1);
    put(bytes, 0x236, extended_load_flags, 2);
    put(bytes, 0x238, command_line_size, 4);
    put(bytes, 0x248, payload.empty() ? 0 : payload_offset, 4);
    put(bytes, 0x24C, payload.size(), 4);
    put(bytes, 0x260, init_size, 4);
    if (!version.empty()) bytes.replace(version_pointer + 0x200U, version.size(), version);
    bytes += payload;
    // The field is in paragraphs of 16 bytes, rounded up.
    put(bytes, 0x1F4, (bytes.size() - setup_size() + 15) / 16, 4);
    return bytes;
  }
};

}  // namespace pvhgrub::test
