// SPDX-License-Identifier: LGPL-2.1-or-later
// ext file systems made by mke2fs(8) from a directory tree, and the comparison of what is read of them: for
// tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/budget.h"
#include "base/bytes.h"
#include "fsreaders/file_system.h"
#include "tests/fsreaders/memory_source.h"

namespace pvhgrub::fs::test {

/// A directory that is removed with all that it holds.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// `size` bytes that look random and are the same every time for one seed.
[[nodiscard]] std::string noise(std::size_t size, std::uint32_t seed);

void write_file(const std::filesystem::path& path, const std::string& contents);

/// Runs a program with its output dropped; true when it ended with 0.
[[nodiscard]] bool run_quietly(const std::string& command);

/// Makes an image of `size` bytes at `image`; false where mke2fs is missing or does not know the options.
[[nodiscard]] bool make_ext_image(const std::filesystem::path& image, std::uint64_t size,
                                  const std::string& options, const std::filesystem::path& tree);

/// An opened image, with all that must outlive the file system.
struct OpenedImage {
  std::unique_ptr<MemorySource> source;
  std::unique_ptr<Budget> budget;
  Result<std::unique_ptr<FileSystem>> file_system;
};
[[nodiscard]] OpenedImage open_bytes(std::vector<std::byte> bytes);
[[nodiscard]] OpenedImage open_image(const std::filesystem::path& image);

/// What File::send() sends, put together from the source's bytes.
[[nodiscard]] Result<std::string> sent_contents(File& file, MemorySource& source);
/// What File::read() reads, in pieces of an odd size.
[[nodiscard]] Result<std::string> read_contents(File& file);

/// Every path of the file system with its type and contents, one line each; errors are lines too. Without
/// lost+found.
[[nodiscard]] std::vector<std::string> describe_tree(FileSystem& file_system, MemorySource& source);
/// The same of a directory of the host, as its own kernel reads it.
[[nodiscard]] std::vector<std::string> describe_directory(const std::filesystem::path& directory);

}  // namespace pvhgrub::fs::test
