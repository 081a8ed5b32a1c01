// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises partition tables, the ext reader with its journal replay, directories, links and contents.
// In production: fs::DiskSet on a guest's disk, in the confined worker.
// Input: a disk image of at most 4 MiB; seeds are made by mke2fs (HACKING.md, "Fuzz").
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/unique_fd.h"
#include "fsreaders/disk_set.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kSteps = 200'000;
constexpr std::uint64_t kBytes = 64U << 20U;
constexpr std::size_t kInput = 4U << 20U;

class Discard final : public fs::ContentSink {
 public:
  Result<void> hole(std::uint64_t) override { return count(); }
  Result<void> extent(const fs::DiskExtent&) override { return count(); }
  Result<void> bytes(std::span<const std::byte>) override { return count(); }

 private:
  Result<void> count() { return ++pieces_ < 10'000 ? Result<void>() : fail(ErrorCode::kLimit, "enough"); }
  unsigned pieces_ = 0;
};

void read_all(fs::FileSystem& file_system, const std::string& directory, unsigned depth) {
  const auto entries = file_system.list(directory);
  if (!entries) return;
  for (std::size_t i = 0; i < entries->size() && i < 50; ++i) {
    const std::string path = directory + "/" + (*entries)[i].name;
    const auto info = file_system.stat(path);
    if (info && info->type == fs::FileType::kDirectory && depth < 4) read_all(file_system, path, depth + 1);
    const auto file = file_system.open(path);
    if (!file) continue;
    std::array<std::byte, 5000> piece{};
    (void)(*file)->read(0, piece);
    if ((*file)->size() > 100) (void)(*file)->read((*file)->size() - 100, piece);
    Discard discard;
    (void)(*file)->send(discard);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kInput) return 0;
  const UniqueFd memory(memfd_create("disk", MFD_CLOEXEC));
  if (write(memory.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  Budget budget(kSteps, kBytes);
  fs::DiskInput input;
  input.fd = memory.get();
  input.size = size;
  const auto disks = fs::DiskSet::open({input}, budget, [](std::string, std::string) {});
  if (!disks) return 0;
  for (const fs::Device& device : (*disks)->devices())
    if (const auto file_system = (*disks)->file_system(device.name)) read_all(**file_system, "", 0);
  return 0;
}
