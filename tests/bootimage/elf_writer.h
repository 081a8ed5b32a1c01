// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes small ELF images for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pvhgrub::test {

/// `value` little-endian in `size` bytes.
inline std::string word(std::uint64_t value, unsigned size = 4) {
  std::string bytes;
  for (unsigned i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

inline std::string padded(std::string bytes, std::size_t alignment = 4) {
  while (bytes.size() % alignment != 0) bytes += '\0';
  return bytes;
}

/// One note: `name` gets its NUL here.
inline std::string note(std::string_view name, std::uint32_t type, const std::string& contents) {
  const std::string with_end = std::string(name) + '\0';
  return word(with_end.size()) + word(contents.size()) + word(type) + padded(with_end) + padded(contents);
}

/// Notes of Xen by their types (Xen, xen/include/public/elfnote.h).
inline std::string xen_number(std::uint32_t type, std::uint64_t value, unsigned size = 8) {
  return note("Xen", type, word(value, size));
}
inline std::string xen_text(std::uint32_t type, std::string_view text) {
  return note("Xen", type, std::string(text) + '\0');
}

struct ElfWriter {
  static constexpr std::uint32_t kLoad = 1;
  static constexpr std::uint32_t kNote = 4;
  static constexpr std::uint32_t kSectionNote = 7;
  static constexpr std::uint32_t kSectionContents = 1;

  struct Segment {
    std::uint32_t type = kLoad;
    std::string contents;
    std::uint64_t physical_address = 0;
    std::uint64_t memory_size = 0;
    std::uint32_t flags = 5;
  };
  struct Section {
    std::string name;
    std::uint32_t type = kSectionContents;
    std::string contents;
  };

  bool is_64 = true;
  std::uint16_t type = 2;
  std::uint16_t machine = 62;
  std::uint64_t entry = 0x1000000;
  std::vector<Segment> segments;
  std::vector<Section> sections;

  ElfWriter& load(std::string contents, std::uint64_t physical_address, std::uint64_t memory_size) {
    segments.push_back({kLoad, std::move(contents), physical_address, memory_size, 5});
    return *this;
  }
  ElfWriter& notes(std::string contents) {
    segments.push_back({kNote, std::move(contents), 0, 0, 4});
    return *this;
  }
  ElfWriter& section(std::string name, std::uint32_t section_type, std::string contents) {
    sections.push_back({std::move(name), section_type, std::move(contents)});
    return *this;
  }

  [[nodiscard]] std::size_t header_bytes() const { return is_64 ? 64 : 52; }
  [[nodiscard]] std::size_t segment_bytes() const { return is_64 ? 56 : 32; }
  [[nodiscard]] std::size_t section_bytes() const { return is_64 ? 64 : 40; }
  [[nodiscard]] unsigned word_bytes() const { return is_64 ? 8 : 4; }
  /// Where the program header of segment `number` lies.
  [[nodiscard]] std::size_t program_header(std::size_t number) const {
    return header_bytes() + number * segment_bytes();
  }

  /// Header, program headers, segments, sections, their names, section headers.
  [[nodiscard]] std::string build() const {
    const unsigned width = word_bytes();
    std::string body;
    std::string program_headers;
    std::string section_headers(sections.empty() ? 0 : section_bytes(), '\0');
    const auto place = [&](const std::string& contents) {
      body = padded(std::move(body), 8);
      body += contents;
      return program_header(segments.size()) + body.size() - contents.size();
    };
    for (const Segment& segment : segments) {
      const std::size_t offset = place(segment.contents);
      program_headers += word(segment.type) + (is_64 ? word(segment.flags) : "") + word(offset, width) +
                         word(segment.physical_address, width) + word(segment.physical_address, width) +
                         word(segment.contents.size(), width) + word(segment.memory_size, width) +
                         (is_64 ? "" : word(segment.flags)) + word(8, width);
    }
    std::string names(1, '\0');
    const auto add_section = [&](const Section& section, const std::string& contents, std::size_t name) {
      const std::size_t offset = place(contents);
      section_headers += word(name) + word(section.type) + word(0, width) + word(0, width) +
                         word(offset, width) + word(contents.size(), width) + word(0) + word(0) +
                         word(1, width) + word(0, width);
    };
    for (const Section& section : sections) {
      const std::size_t name = names.size();
      names += section.name + '\0';
      add_section(section, section.contents, name);
    }
    if (!sections.empty()) add_section({".shstrtab", 3, {}}, names + ".shstrtab" + '\0', names.size());
    const std::size_t table = sections.empty() ? 0 : place(section_headers);
    const std::size_t count = sections.empty() ? 0 : sections.size() + 2;
    std::string header =
        "\x7f"
        "ELF";
    header += static_cast<char>(is_64 ? 2 : 1);
    header += std::string("\1\1") + std::string(9, '\0');
    header += word(type, 2) + word(machine, 2) + word(1) + word(entry, width) + word(header_bytes(), width) +
              word(table, width) + word(0) + word(header_bytes(), 2) + word(segment_bytes(), 2) +
              word(segments.size(), 2) + word(section_bytes(), 2) + word(count, 2) +
              word(count == 0 ? 0 : count - 1, 2);
    return header + program_headers + body;
  }
};

/// The notes of a Linux for x86-64 that starts as a PVH and as a PV guest at 16 MiB, in Linux's order.
inline std::string linux_notes() {
  return xen_text(6, "linux") + xen_text(7, "2.6") + xen_text(5, "xen-3.0") +
         xen_number(3, 0xFFFFFFFF80000000) + xen_number(15, 0x8000000000) +
         xen_number(1, 0xFFFFFFFF81000010) + note("Xen", 10, "!writable_page_tables|pae_pgdir_above_4gb") +
         note("Xen", 17, word(0x8801)) + xen_text(9, "yes") + xen_text(8, "generic") + xen_number(14, 1, 4) +
         xen_number(12, 0xFFFF800000000000) + xen_number(4, 0) + xen_number(18, 0x1000040) +
         note("Linux", 0x100, std::string("6.1.0-50-amd64") + '\0');
}

/// An image with these notes, and 64 KiB to load at 16 MiB.
inline ElfWriter elf_with_notes(std::string notes) {
  ElfWriter writer;
  writer.load(std::string(0x200, '\x90'), 0x1000000, 0x10000).notes(std::move(notes));
  return writer;
}

}  // namespace pvhgrub::test
