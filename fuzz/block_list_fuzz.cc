// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises lists of blocks as file names. In production: any file name of a guest's grub.cfg, in the
// confined worker. Input: the list.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/checked.h"
#include "grubcfg/block_list_file.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kDeviceBytes = 64 * 512 + 100;

/// Each sector full of its own number.
class Device final : public fs::BlockSource {
 public:
  [[nodiscard]] std::uint64_t size() const override { return kDeviceBytes; }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (!range_inside<std::uint64_t>(offset, out.size(), kDeviceBytes)) std::abort();
    for (std::byte& byte : out) byte = static_cast<std::byte>(offset++ / 512);
    return {};
  }
  Result<fs::DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override {
    if (length == 0 || !range_inside(offset, length, kDeviceBytes)) std::abort();
    return fs::DiskExtent{0, offset, length};
  }
};

class Contents final : public fs::ContentSink {
 public:
  Result<void> hole(std::uint64_t) override { std::abort(); }
  Result<void> bytes(std::span<const std::byte>) override { std::abort(); }
  Result<void> extent(const fs::DiskExtent& extent) override {
    size += extent.length;
    for (std::uint64_t i = 0; i < extent.length && text.size() < kCompared; ++i)
      text += static_cast<char>((extent.offset + i) / 512);
    return {};
  }
  static constexpr std::size_t kCompared = 65'536;
  std::uint64_t size = 0;
  std::string text;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Device device;
  Budget budget(100'000, 16U << 20U);
  const auto file = grubcfg::open_block_list(device, std::string(data, data + size), budget);
  if (!file) return 0;
  Contents contents;
  if (!(*file)->send(contents)) return 0;
  if (contents.size != (*file)->size()) std::abort();
  std::string read(contents.text.size(), '\0');
  const auto count = (*file)->read(0, std::as_writable_bytes(std::span(read)));
  if (count && (*count != read.size() || read != contents.text)) std::abort();
  std::uint64_t sum = 0;
  if (const auto extents = (*file)->overwritable_extents()) {
    for (const fs::DiskExtent& extent : *extents) sum += extent.length;
    if (sum != (*file)->size()) std::abort();
  }
  return 0;
}
