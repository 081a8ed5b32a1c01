// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises partition tables, volumes of several disks, every reader with the replay of its journal or log,
// directories, links, contents and decompression. Most checksums of metadata always match in builds for
// fuzzing. In production: fs::DiskSet on a guest's disks, in the confined worker.
// Input: four numbers of four bytes, the sizes of up to four disks in blocks of 4 KiB; then blocks of 4 KiB,
// each behind a number of four bytes, whose two highest bits are the disk's, the others the block's. All
// other blocks are zeros. Seeds: fuzz/make_seeds.py FOLDER. Run with -max_len=4194304.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/unique_fd.h"
#include "fsreaders/disk_set.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kSteps = 200'000;
constexpr std::uint64_t kBytes = 64U << 20U;
constexpr std::size_t kInput = 4U << 20U;
constexpr std::size_t kBlock = 4096;
constexpr std::uint32_t kDiskBlocks = (1U << 30U) / kBlock;  // a disk's, at most
constexpr std::size_t kDisks = 4;
constexpr std::uint64_t kPieces = 10'000;   // of one file
constexpr std::uint64_t kSent = 32U << 20;  // bytes of one file that are looked at

struct Disks {
  std::vector<UniqueFd> memories;
  std::vector<fs::DiskInput> inputs;
};

Disks make_disks(ByteReader reader) {
  Disks disks;
  for (std::size_t i = 0; i < kDisks; ++i) {
    const std::uint64_t blocks = reader.little_endian<std::uint32_t>().value_or(0) % (kDiskBlocks + 1);
    if (blocks == 0) break;
    UniqueFd memory(memfd_create("disk", MFD_CLOEXEC));
    if (ftruncate(memory.get(), static_cast<off_t>(blocks * kBlock)) != 0) return disks;
    fs::DiskInput input;
    input.fd = memory.get();
    input.size = blocks * kBlock;
    disks.inputs.push_back(input);
    disks.memories.push_back(std::move(memory));
  }
  while (!disks.inputs.empty() && reader.remaining() > 4) {
    const std::uint32_t number = reader.little_endian<std::uint32_t>().value_or(0);
    const fs::DiskInput& disk = disks.inputs[(number >> 30U) % disks.inputs.size()];
    const std::uint64_t block = (number & 0x3FFF'FFFFU) % (disk.size / kBlock);
    const Bytes bytes = reader.take(std::min(kBlock, reader.remaining())).value_or(Bytes());
    if (pwrite(disk.fd, bytes.data(), bytes.size(), static_cast<off_t>(block * kBlock)) < 0) break;
  }
  return disks;
}

// Takes a file's contents: no more than its size, and extents inside the disks.
class CheckedSink final : public fs::ContentSink {
 public:
  CheckedSink(const Disks& disks, std::uint64_t size) : disks_(disks), size_(size) {}
  Result<void> hole(std::uint64_t length) override { return count(length); }
  Result<void> extent(const fs::DiskExtent& extent) override {
    if (extent.disk >= disks_.inputs.size() ||
        !range_inside(extent.offset, extent.length, disks_.inputs[extent.disk].size))
      __builtin_trap();
    return count(extent.length);
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    looked_at_ += bytes.size();
    return count(bytes.size());
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  Result<void> count(std::uint64_t length) {
    if (length == 0 || length > size_ - total_) __builtin_trap();
    total_ += length;
    if (++pieces_ > kPieces || looked_at_ > kSent) return fail(ErrorCode::kLimit, "enough");
    return {};
  }
  const Disks& disks_;
  std::uint64_t size_;
  std::uint64_t total_ = 0;
  std::uint64_t pieces_ = 0;
  std::uint64_t looked_at_ = 0;
};

class Walk {
 public:
  Walk(const Disks& disks, fs::FileSystem& file_system) : disks_(disks), file_system_(file_system) {}

  void directory(const std::string& path, unsigned depth) {
    const auto entries = file_system_.list(path.empty() ? "/" : path);
    if (!entries) return;
    for (std::size_t i = 0; i < entries->size() && i < 50 && visits_ < 500; ++i, ++visits_) {
      const std::string& name = (*entries)[i].name;
      if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos) __builtin_trap();
      const auto info = file_system_.stat(path + "/" + name);
      if (info && info->type == fs::FileType::kDirectory && depth < 4)
        directory(path + "/" + name, depth + 1);
      else if (const auto file = file_system_.open(path + "/" + name))
        contents(**file);
    }
  }

 private:
  void contents(fs::File& file) {
    std::array<std::byte, 5000> piece{};
    const auto count = file.read(0, piece);
    if (count && *count != std::min<std::uint64_t>(piece.size(), file.size())) __builtin_trap();
    if (file.size() > 100) (void)file.read(file.size() - 100, piece);
    CheckedSink sink(disks_, file.size());
    if (file.send(sink) && sink.total() != file.size()) __builtin_trap();
    CheckedSink part(disks_, file.size() / 2);
    if (file.send_range(file.size() / 4, file.size() / 2, part) && part.total() != file.size() / 2)
      __builtin_trap();
    (void)file.overwritable_extents();
  }

  const Disks& disks_;
  fs::FileSystem& file_system_;
  unsigned visits_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  const Disks disks = make_disks(ByteReader(std::as_bytes(std::span(data, size))));
  if (disks.inputs.empty()) return 0;
  Budget budget(kSteps, kBytes);
  const auto set = fs::DiskSet::open(disks.inputs, budget, [](std::string, std::string) {});
  if (!set) return 0;
  const std::vector<fs::Device> devices = (*set)->devices();
  for (const fs::Device& device : devices) {
    const auto file_system = (*set)->file_system(device.name);
    if (!file_system) continue;
    (void)(*file_system)->subvolume(std::nullopt);
    Walk(disks, **file_system).directory("", 0);
  }
  return 0;
}
