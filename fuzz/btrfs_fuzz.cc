// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the btrfs reader with its log replay: chunks, trees, directories, extents, decompression.
// Checksums always match in builds for fuzzing. In production: fs::DiskSet on a guest's disk, in the confined
// worker. Input: blocks of 4 KiB, each behind its number in 4 bytes; all others of the device are zeros.
// Seeds: fuzz/btrfs_seed.py IMAGE >SEED, of a small image by `mkfs.btrfs --mixed -n 4096 --rootdir TREE`.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "fsreaders/btrfs_file_system.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 32U << 20U;
constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kDevice = 64U << 20U;

class SparseDevice final : public fs::BlockSource {
 public:
  explicit SparseDevice(Bytes input) {
    for (; input.size() >= 4 + kBlock; input = input.subspan(4 + kBlock)) {
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < 4; ++i) number |= std::to_integer<std::uint64_t>(input[i]) << (8 * i);
      blocks_[number % (kDevice / kBlock)] = input.subspan(4, kBlock);
    }
  }
  [[nodiscard]] std::uint64_t size() const override { return kDevice; }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (!range_inside<std::uint64_t>(offset, out.size(), kDevice))
      return fail(ErrorCode::kDamaged, "a read past the end");
    while (!out.empty()) {
      const auto within = static_cast<std::size_t>(offset % kBlock);
      const auto part = out.first(std::min(out.size(), kBlock - within));
      const auto found = blocks_.find(offset / kBlock);
      if (found == blocks_.end())
        std::ranges::fill(part, std::byte{0});
      else
        std::ranges::copy(found->second.subspan(within, part.size()), part.begin());
      offset += part.size();
      out = out.subspan(part.size());
    }
    return {};
  }
  Result<fs::DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override {
    if (offset >= kDevice) return fail(ErrorCode::kDamaged, "no bytes there");
    return fs::DiskExtent{0, offset, std::min(length, kDevice - offset)};
  }

 private:
  std::map<std::uint64_t, Bytes> blocks_;
};

class Discard final : public fs::ContentSink {
 public:
  Result<void> hole(std::uint64_t) override { return count(); }
  Result<void> extent(const fs::DiskExtent&) override { return count(); }
  Result<void> bytes(std::span<const std::byte>) override { return count(); }

 private:
  Result<void> count() { return ++pieces_ < 1'000 ? Result<void>() : fail(ErrorCode::kLimit, "enough"); }
  unsigned pieces_ = 0;
};

void read_all(fs::FileSystem& file_system, const std::string& directory, unsigned depth) {
  const auto entries = file_system.list(directory.empty() ? "/" : directory);
  if (!entries) return;
  for (std::size_t i = 0; i < entries->size() && i < 20; ++i) {
    const std::string path = directory + "/" + (*entries)[i].name;
    if ((*entries)[i].type == fs::FileType::kDirectory && depth < 4) read_all(file_system, path, depth + 1);
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
  SparseDevice device(std::as_bytes(std::span(data, size)));
  Budget budget(kSteps, kBytes);
  const auto file_system = fs::open_btrfs_file_system(device, {}, budget);
  if (!file_system) return 0;
  (void)(*file_system)->subvolume(std::nullopt);
  read_all(**file_system, "", 0);
  return 0;
}
