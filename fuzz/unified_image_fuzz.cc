// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the reader of PE headers and of unified kernel images, their profiles, and addons. In production:
// grubcfg::read_unified_image on *.efi of a guest, in the confined worker. Input: one PE image, at most 64
// KiB; it is read as an image and as an addon of itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "grubcfg/unified_image.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (64U << 10U)) return 0;
  test::MemoryDevices devices;
  devices.add("hd0,gpt1")
      .add("/a.efi", std::string(data, data + size))
      .add("/a.efi.extra.d/a.addon.efi", std::string(data, data + size));
  Budget budget = Budget::standard();
  test::RecordedDiagnostics diagnostics;
  grubcfg::GuestFiles files(&devices, budget);
  const auto image = grubcfg::read_unified_image(files, {"hd0,gpt1", "/a.efi"}, budget, diagnostics);
  if (!image || !*image) return 0;
  // Every part that is handed on lies within the file.
  for (const grubcfg::UnifiedProfile& profile : (*image)->profiles) {
    const auto check = [&](const grubcfg::FileReference& file) {
      const auto opened = files.open(file);
      if (!opened || !*opened || (*opened)->size() > size) std::abort();
    };
    if (profile.boot.error.empty()) check(profile.boot.kernel);
    for (const grubcfg::InitrdFile& initrd : profile.boot.initrds) check(initrd.file);
  }
  (void)grubcfg::start_unified_image(**image, "@1 x");
  return 0;
}
