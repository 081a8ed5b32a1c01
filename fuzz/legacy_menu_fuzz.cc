// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the menus of GRUB Legacy, read as it does and as GRUB 2's legacy_configfile does, and the
// evaluation of every entry. In production: grubcfg::load_legacy_menu and load_configuration on a guest's
// menu.lst, in the confined worker. Input: the text of a menu.lst, at most 64 KiB, which is also the file
// `default`, `stage2` and every other that it names.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/budget.h"
#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "grubcfg/legacy_grub.h"
#include "tests/grubcfg/fake_devices.h"

namespace {

using namespace pvhgrub;

// Small enough that menus that lead to one another cost milliseconds.
constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 16U << 20U;
constexpr std::size_t kInput = 64U << 10U;

class Silent final : public grubcfg::Diagnostics {
 public:
  void notice(std::string, std::string) override {}
  void explain(std::string) override {}
  Result<void> echo(std::string_view) override { return {}; }
};

void evaluate_all(grubcfg::Menu& menu, grubcfg::Diagnostics& diagnostics) {
  (void)grubcfg::choose_default(menu, diagnostics);
  for (std::size_t i = 0; i < menu.entries().size() && i < 50; ++i) {
    if (!menu.entries()[i].is_submenu) (void)menu.evaluate(i);
    (void)menu.entry_source(i);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  const std::string text(data, data + size);
  test::MemoryDevices devices;
  devices.add("hd0,gpt1", "11-22")
      .add("/boot/grub/menu.lst", text)
      .add("/boot/grub/default", text)
      .add("/m", text);
  devices.add("hd0,gpt2", "33-44").add("/k", text).add("/boot/grub/stage2", text);
  devices.add("hd1")
      .add("/boot/grub/grub.cfg", "legacy_configfile (hd0,gpt1)/m\n")
      .add("/m", text)
      .add("/i", text);
  const grubcfg::GrubSettings settings;
  Silent silent;
  Budget budget(kSteps, kBytes);
  if (const auto menu = grubcfg::load_legacy_menu({&devices, settings, budget, silent},
                                                  {"grub-legacy", "hd0,gpt1", "/boot/grub/menu.lst"}))
    evaluate_all(**menu, silent);
  budget = Budget(kSteps, kBytes);
  if (const auto menu = grubcfg::load_bare_legacy_menu({nullptr, settings, budget, silent},
                                                       {"grub-legacy", "", "menu.lst"}, text))
    evaluate_all(**menu, silent);
  budget = Budget(kSteps, kBytes);
  if (const auto menu = grubcfg::load_configuration(devices, {"grub2", "hd1", "/boot/grub/grub.cfg"},
                                                    settings, budget, silent))
    evaluate_all(**menu, silent);
  return 0;
}
