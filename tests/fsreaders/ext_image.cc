// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/fsreaders/ext_image.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "fsreaders/ext_file_system.h"

namespace pvhgrub::fs::test {

namespace {

// FNV-1a, 64 bits: to tell contents apart in a line.
std::string digest(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return std::to_string(text.size()) + ":" + std::to_string(hash);
}

class CollectingSink : public ContentSink {
 public:
  explicit CollectingSink(MemorySource& source) : source_(source) {}
  Result<void> hole(std::uint64_t length) override {
    text.append(static_cast<std::size_t>(length), '\0');
    return {};
  }
  Result<void> extent(const DiskExtent& extent) override {
    const Bytes run =
        Bytes(source_.bytes())
            .subspan(static_cast<std::size_t>(extent.offset), static_cast<std::size_t>(extent.length));
    text += as_text(run);
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    text += as_text(bytes);
    return {};
  }
  std::string text;

 private:
  MemorySource& source_;
};

std::string line_of_file(FileSystem& file_system, MemorySource& source, const std::string& path) {
  const auto file = file_system.open(path);
  if (!file) return "error " + path + " " + file.error().describe();
  const auto read = read_contents(**file);
  if (!read) return "error " + path + " " + read.error().describe();
  const auto sent = sent_contents(**file, source);
  if (!sent) return "error " + path + " " + sent.error().describe();
  if (*read != *sent) return "error " + path + " is sent other than it is read";
  return "file " + path + " " + digest(*read);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "pvhgrub-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw std::filesystem::filesystem_error("mkdtemp", std::error_code(errno, std::generic_category()));
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string noise(std::size_t size, std::uint32_t seed) {
  std::string text(size, '\0');
  std::uint64_t state = std::uint64_t{seed} * 2 + 1;
  for (char& c : text) {  // xorshift64
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    c = static_cast<char>(static_cast<unsigned char>(state >> 32U));
  }
  return text;
}

void write_file(const std::filesystem::path& path, const std::string& contents) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << contents;
}

bool run_quietly(const std::string& command) {
  return system(("PATH=$PATH:/usr/sbin:/sbin; " + command + " >/dev/null 2>&1").c_str()) == 0;
}

bool make_ext_image(const std::filesystem::path& image, std::uint64_t size, const std::string& options,
                    const std::filesystem::path& tree) {
  std::filesystem::remove(image);
  {
    std::ofstream touch(image);
  }
  std::filesystem::resize_file(image, size);
  return run_quietly("mke2fs -q -F " + options + (tree.empty() ? "" : " -d " + tree.string()) + " " +
                     image.string());
}

OpenedImage open_bytes(std::vector<std::byte> bytes) {
  auto source = std::make_unique<MemorySource>(std::move(bytes));
  auto budget = std::make_unique<Budget>(Budget::standard());
  auto file_system = open_ext_file_system(*source, *budget);
  return {std::move(source), std::move(budget), std::move(file_system)};
}

OpenedImage open_image(const std::filesystem::path& image) {
  return open_bytes(MemorySource::bytes_of_file(image.string()));
}

Result<std::string> sent_contents(File& file, MemorySource& source) {
  CollectingSink sink(source);
  PVHGRUB_TRY(file.send(sink));
  return std::move(sink.text);
}

Result<std::string> read_contents(File& file) {
  std::string text;
  std::vector<std::byte> piece(123'457);
  for (;;) {
    PVHGRUB_TRY_ASSIGN(const std::size_t count, file.read(text.size(), piece));
    text += as_text(Bytes(piece).first(count));
    if (count < piece.size()) return text;
  }
}

std::vector<std::string> describe_tree(FileSystem& file_system, MemorySource& source) {
  std::vector<std::string> lines;
  const std::function<void(const std::string&)> walk = [&](const std::string& directory) {
    const auto entries = file_system.list(directory.empty() ? "/" : directory);
    if (!entries) {
      lines.push_back("error " + directory + " " + entries.error().describe());
      return;
    }
    for (const DirectoryEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      if (path == "/lost+found") continue;
      switch (entry.type) {
        case FileType::kDirectory:
          lines.push_back("directory " + path);
          walk(path);
          break;
        case FileType::kRegular:
          lines.push_back(line_of_file(file_system, source, path));
          break;
        case FileType::kSymlink:
          lines.push_back("link " + path);
          break;
        case FileType::kOther:
          lines.push_back("other " + path);
      }
    }
  };
  walk("");
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> describe_directory(const std::filesystem::path& directory) {
  std::vector<std::string> lines;
  for (auto entry = std::filesystem::recursive_directory_iterator(directory);
       entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    const std::string path = "/" + entry->path().lexically_relative(directory).string();
    if (path == "/lost+found") continue;
    if (entry->is_symlink()) {
      lines.push_back("link " + path);
    } else if (entry->is_directory()) {
      lines.push_back("directory " + path);
    } else if (entry->is_regular_file()) {
      const std::vector<std::byte> bytes = MemorySource::bytes_of_file(entry->path().string());
      lines.push_back("file " + path + " " + digest(as_text(bytes)));
    } else {
      lines.push_back("other " + path);
    }
  }
  std::ranges::sort(lines);
  return lines;
}

}  // namespace pvhgrub::fs::test
