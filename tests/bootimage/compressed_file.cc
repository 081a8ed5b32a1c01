// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bootimage/compressed_file.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <sstream>

namespace pvhgrub::bootimage {

TemporaryFolder::TemporaryFolder() {
  std::string name = std::filesystem::temp_directory_path() / "pvhgrub-decompress.XXXXXX";
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::string& path, std::string_view contents) {
  std::ofstream file(path, std::ios::binary);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  file.close();
  REQUIRE(file.good());
}

std::string read_file(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path, std::ios::binary).rdbuf();
  return std::move(contents).str();
}

bool is_installed(const CompressionTool& tool) {
  const bool installed =
      std::system(("command -v " + std::string(tool.program) + " >/dev/null").c_str()) == 0;
  static std::set<std::string> told;
  if (!installed && told.insert(tool.program).second)
    std::cout << "skipped: " << tool.program << " is not installed\n";
  return installed;
}

std::string compress_file(const CompressionTool& tool, const std::string& from) {
  const std::string to = from + ".compressed";
  const std::string command = std::string(tool.program) + " " + tool.arguments + " <" + from + " >" + to;
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
  return read_file(to);
}

std::string kernel_like(std::size_t size) {
  std::mt19937 random(6);
  std::string data;
  data.reserve(size + 4096);
  while (data.size() < size) {
    switch (random() % 4) {
      case 0:  // calls, which the x86 filter of xz rewrites
        for (unsigned i = 0; i < 200; ++i) {
          data += "\x48\x89\xc7\xe8";
          const std::uint32_t target =
              static_cast<std::uint32_t>(random() % 64 * 4096) - static_cast<std::uint32_t>(data.size());
          for (unsigned shift = 0; shift < 32; shift += 8) data += static_cast<char>(target >> shift);
        }
        break;
      case 1:
        for (unsigned i = 0; i < 30; ++i)
          data += "module_" + std::to_string(random() % 1000) + ".parameter=%d\n";
        break;
      case 2:
        for (unsigned i = 0; i < 300; ++i) data += static_cast<char>(random());
        break;
      default:
        data.append(random() % 3000, '\0');
    }
  }
  data.resize(size);
  return data;
}

}  // namespace pvhgrub::bootimage
