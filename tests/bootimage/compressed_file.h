// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that the formats' own tools compress while a test runs.
#pragma once

#include <filesystem>
#include <string>

#include "bootimage/decompress.h"

namespace pvhgrub::bootimage {

/// How a tool is told to compress its standard input to its standard output.
struct CompressionTool {
  Compression compression;
  const char* program;
  const char* arguments;
};

/// As Linux compresses itself (scripts/Makefile.lib, scripts/xz_wrap.sh), and in some ways that others use.
inline constexpr CompressionTool kCompressionTools[] = {
    {Compression::kGzip, "gzip", "-n -9"},
    {Compression::kGzip, "gzip", "-1"},
    {Compression::kBzip2, "bzip2", "-9"},
    {Compression::kBzip2, "bzip2", "-1"},
    {Compression::kXz, "xz", "--check=crc32 --x86 --lzma2=dict=32MiB"},
    {Compression::kXz, "xz", "--check=crc32 --threads=1 --x86 --lzma2=preset=1,dict=128MiB"},
    {Compression::kXz, "xz", "-1 --check=crc64 --block-size=1MiB"},
    {Compression::kXz, "xz", "-1 --check=sha256"},
    {Compression::kXz, "xz", "--check=none --arm64 --lzma2=preset=1"},
    {Compression::kLzma, "xz", "--format=lzma -9"},
    {Compression::kLzma, "xz", "--format=lzma -1"},
    {Compression::kLzo, "lzop", "-9"},
    {Compression::kLzo, "lzop", "-1 --crc32"},
    {Compression::kLzo, "lzop", "-3 --no-checksum"},
    {Compression::kLz4, "lz4", "-q -l -9 -c -"},
    {Compression::kLz4, "lz4", "-q -l -1 -c -"},
    {Compression::kLz4, "lz4", "-q -9 -c -"},
    {Compression::kLz4, "lz4", "-q -B4 -BD -BX -c -"},
    {Compression::kLz4, "lz4", "-q -B7 --no-frame-crc -c -"},
    {Compression::kZstd, "zstd", "-q -1"},
    {Compression::kZstd, "zstd", "-q -19"},
    {Compression::kZstd, "zstd", "-q -22 --ultra"},
    {Compression::kZstd, "zstd", "-q -5 --no-check --long=27"},
};

/// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_file(const std::string& path, std::string_view contents);
[[nodiscard]] std::string read_file(const std::string& path);

/// Whether the tool is installed; says once for each that is not, that its tests are skipped.
[[nodiscard]] bool is_installed(const CompressionTool& tool);
/// Compresses the file `from`; the tool must be installed.
[[nodiscard]] std::string compress_file(const CompressionTool& tool, const std::string& from);

/// `size` bytes as mixed as a kernel's: code-like runs with calls, text that repeats, noise and zeros.
[[nodiscard]] std::string kernel_like(std::size_t size);

}  // namespace pvhgrub::bootimage
