// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/fsreaders/read_everything.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/checked.h"

namespace pvhgrub::fs::test {

namespace {

class CountingSink : public ContentSink {
 public:
  explicit CountingSink(std::uint64_t disk_size) : disk_size_(disk_size) {}
  Result<void> hole(std::uint64_t length) override {
    total += length;
    return {};
  }
  Result<void> extent(const DiskExtent& extent) override {
    if (extent.length == 0 || !range_inside(extent.offset, extent.length, disk_size_)) inside = false;
    total += extent.length;
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    total += bytes.size();
    return {};
  }
  std::uint64_t total = 0;
  bool inside = true;

 private:
  std::uint64_t disk_size_;
};

}  // namespace

bool read_everything(FileSystem& file_system, std::uint64_t disk_size) {
  bool sound = true;
  unsigned visits = 0;
  const std::function<void(const std::string&)> walk = [&](const std::string& directory) {
    if (directory.size() > 300 || ++visits > 200) return;  // directories may lead in a circle
    const auto entries = file_system.list(directory.empty() ? "/" : directory);
    if (!entries) return;
    for (const DirectoryEntry& entry : *entries) {
      if (entry.name.empty() || entry.name == "." || entry.name == ".." ||
          entry.name.find('/') != entry.name.npos)
        sound = false;
      const std::string path = directory + "/" + entry.name;
      if (entry.type == FileType::kDirectory) {
        walk(path);
        continue;
      }
      const auto file = file_system.open(path);
      if (!file) continue;
      CountingSink sink(disk_size);
      if ((*file)->send(sink) && sink.total != (*file)->size()) sound = false;
      if (!sink.inside) sound = false;
      std::vector<std::byte> head(5000);
      const auto count = (*file)->read(0, head);
      if (count && *count != std::min<std::uint64_t>(head.size(), (*file)->size())) sound = false;
    }
  };
  walk("");
  return sound;
}

}  // namespace pvhgrub::fs::test
