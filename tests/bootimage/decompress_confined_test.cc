// SPDX-License-Identifier: LGPL-2.1-or-later
// Each format under the worker's own filter and limits: no call outside of the table, and the largest windows
// fit into its address space.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>

#include "tests/bootimage/compressed_file.h"

using namespace pvhgrub;
using namespace pvhgrub::bootimage;

// A sanitizer needs calls that the filter kills.
#ifndef PVHGRUB_SANITIZED_BUILD

namespace {

std::string run_confined(const std::string& path, const std::string& before = "") {
  const std::string command = before + PVHGRUB_CONFINED_DECOMPRESS + " " + path;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
  REQUIRE(pipe != nullptr);
  std::string text(1000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), pipe.get()));
  return text;
}

}  // namespace

TEST_CASE("every format is decompressed within the worker's confinement") {
  const TemporaryFolder folder;
  const std::string contents = kernel_like(1'000'000);
  const std::string path = folder / "contents";
  write_file(path, contents);
  const uLong checksum = adler32(adler32(0, nullptr, 0), reinterpret_cast<const Bytef*>(contents.data()),
                                 static_cast<uInt>(contents.size()));
  const std::string expected = std::to_string(contents.size()) + " " + std::to_string(checksum) + "\n";
  for (const CompressionTool& tool : kCompressionTools) {
    if (!is_installed(tool)) continue;
    INFO(tool.program << " " << tool.arguments);
    write_file(folder / "disk", compress_file(tool, path));
    CHECK(run_confined(folder / "disk") == expected);
  }
}

TEST_CASE("where the window does not fit into memory, that is a limit") {
  const TemporaryFolder folder;
  write_file(folder / "contents", kernel_like(1'000'000));
  for (const CompressionTool& tool : {CompressionTool{Compression::kXz, "xz", "--lzma2=preset=0,dict=128MiB"},
                                      CompressionTool{Compression::kZstd, "zstd", "-q --long=27"}}) {
    if (!is_installed(tool)) continue;
    write_file(folder / "disk", compress_file(tool, folder / "contents"));
    CHECK(run_confined(folder / "disk", "ulimit -v 102400; ") ==
          "decompressing " + std::string(compression_name(tool.compression)) +
              " data takes more memory than the worker may use\n");
  }
}

#endif
