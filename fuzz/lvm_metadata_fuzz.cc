// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the parser of LVM's metadata text and the making of logical volumes from it.
// In production: fs::assemble_lvm on a guest's physical volumes, in the confined worker.
// Input: a metadata text (`vgcfgbackup -f FILE`).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fsreaders/lvm_group.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kSteps = 200'000;
constexpr std::uint64_t kBytes = 64U << 20U;

/// A device of any size that holds zeros.
class Zeros final : public fs::BlockSource {
 public:
  [[nodiscard]] std::uint64_t size() const override { return UINT64_MAX / 2; }
  [[nodiscard]] Result<void> read_at(std::uint64_t, std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{0});
    return {};
  }
  [[nodiscard]] Result<fs::DiskExtent> locate(std::uint64_t offset, std::uint64_t length) override {
    return fs::DiskExtent{0, offset, length};
  }
};

void use(fs::BlockSource& volume) {
  std::vector<std::byte> bytes(5000);
  for (const std::uint64_t offset : {std::uint64_t{0}, volume.size() / 2, volume.size() - bytes.size()}) {
    if (offset > volume.size() || volume.size() - offset < bytes.size()) continue;
    (void)volume.read_at(offset, bytes);
    const auto extent = volume.locate(offset, bytes.size());
    if (extent && (extent->length == 0 || extent->length > bytes.size())) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Budget budget(kSteps, kBytes);
  const auto text = fs::LvmText::parse(std::string(reinterpret_cast<const char*>(data), size), budget);
  if (!text) return 0;
  const auto group = fs::read_lvm_group(*text, budget);
  if (!group) return 0;
  Zeros device;
  std::map<std::string, fs::BlockSource*, std::less<>> physical;
  for (std::size_t i = 0; i < group->physical.size(); ++i)
    if (i % 4 != 3) physical[group->physical[i].uuid] = &device;
  std::vector<std::unique_ptr<fs::BlockSource>> sources;
  fs::LvmGroupAssembler assembler(*group, physical, sources, budget);
  for (std::size_t i = 0; i < group->logical.size(); ++i) {
    (void)assembler.size_of(i);
    if (const auto volume = assembler.open(i)) use(**volume);
  }
  return 0;
}
