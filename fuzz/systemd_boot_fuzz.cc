// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises loader.conf, boot entries of type 1, their order, titles and patterns. In production:
// grubcfg::load_systemd_boot_menu on a guest's loader directory, in the confined worker. Input: texts with a
// byte 0xFF between them: the first is loader.conf, each other begins with its entry's file name and a
// newline.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "grubcfg/systemd_boot.h"
#include "tests/grubcfg/fake_devices.h"

using namespace pvhgrub;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > (64U << 10U)) return 0;
  std::string input(data, data + size);
  test::MemoryDevices devices;
  test::MemoryFileSystem& file_system = devices.add("hd0,gpt1");
  file_system.add("/k").add("/i");
  bool first = true;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\xFF'), input.size());
    const std::string text = input.substr(0, end);
    input.erase(0, end + 1);
    const std::size_t newline = text.find('\n');
    if (first) {
      file_system.add("/loader/loader.conf", text);
    } else if (newline != std::string::npos && newline > 0 && text.find('/') >= newline) {
      file_system.add("/loader/entries/" + text.substr(0, newline) + ".conf", text.substr(newline + 1));
    }
    first = false;
  }
  Budget budget = Budget::standard();
  test::RecordedDiagnostics diagnostics;
  const grubcfg::GrubSettings settings;
  const auto menu = grubcfg::load_systemd_boot_menu({&devices, settings, budget, diagnostics},
                                                    {"bls", "hd0,gpt1", "/loader/entries"});
  if (!menu) return 0;
  if ((*menu)->default_index() >= (*menu)->entries().size()) std::abort();
  for (std::size_t i = 0; i < (*menu)->entries().size(); ++i)
    if (!(*menu)->evaluate(i)) std::abort();
  return 0;
}
