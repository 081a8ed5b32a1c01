// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises GRUB's commands blscfg and uki: the finding, sorting and reading of boot loader entries, the
// script text that is made of them, and its evaluation. In production: grubcfg::load_configuration, when a
// guest's grub.cfg runs one of these commands, in the confined worker. Input: texts with a byte 0xFF between
// them: the grub.cfg, then names and contents of the files in /loader/entries, in turn; a name that ends in
// ".efi" lies in /EFI/Linux. At most 64 KiB and 64 files.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/budget.h"
#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 16U << 20U;
constexpr std::size_t kInput = 64U << 10U;
constexpr std::size_t kFiles = 64;

std::string take_text(std::string_view& input) {
  const std::size_t end = std::min(input.find('\xff'), input.size());
  std::string text(input.substr(0, end));
  input.remove_prefix(std::min(end + 1, input.size()));
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  const std::string bytes(data, data + size);
  std::string_view input = bytes;
  test::MemoryDevices devices;
  test::MemoryFileSystem& disk = devices.add("hd0");
  disk.add("/grub/grub.cfg", take_text(input)).add("/vmlinuz").add("/initrd");
  for (std::size_t i = 0; i < kFiles && !input.empty(); ++i) {
    const std::string name = take_text(input);
    if (name.empty() || name.find('/') != name.npos || name.find('\0') != name.npos) continue;
    disk.add((name.ends_with(".efi") ? "/EFI/Linux/" : "/loader/entries/") + name, take_text(input));
  }
  Budget budget(kSteps, kBytes);
  test::RecordedDiagnostics diagnostics;
  const auto menu =
      grubcfg::load_configuration(devices, {"grub2", "hd0", "/grub/grub.cfg"}, {}, budget, diagnostics);
  if (!menu) return 0;
  for (std::size_t i = 0; i < (*menu)->entries().size() && i < kFiles; ++i)
    if (!(*menu)->entries()[i].is_submenu) (void)(*menu)->evaluate(i);
  return 0;
}
