// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises configurations of the syslinux family, read as syslinux does and as GRUB's syslinux_configfile
// does, the menus that they lead to, and the evaluation of every entry. In production:
// grubcfg::load_syslinux_menu and load_configuration on a guest's syslinux.cfg, in the confined worker.
// Input: texts with a byte 0xFF between them, at most 64 KiB: the syslinux.cfg, then the files "a", "b", ...
// beside it, which INCLUDE, CONFIG and menu.c32 can name, and which are also kernels and initrds.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/budget.h"
#include "base/limits.h"
#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"
#include "grubcfg/syslinux.h"
#include "tests/grubcfg/fake_devices.h"

namespace {

using namespace pvhgrub;

// Small enough that files that include one another cost milliseconds.
constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 16U << 20U;
constexpr std::size_t kInput = 64U << 10U;
constexpr std::size_t kEvaluated = 50;
constexpr std::array<std::string_view, 6> kFiles = {"syslinux.cfg", "a", "b", "c", "d", "e"};
constexpr std::array<std::string_view, 5> kPrograms = {"menu", "vesamenu", "mboot", "config", "linux"};

class Silent final : public grubcfg::Diagnostics {
 public:
  void notice(std::string, std::string) override {}
  void explain(std::string) override {}
  Result<void> echo(std::string_view) override { return {}; }
};

void evaluate_all(grubcfg::Menu& menu, grubcfg::Diagnostics& diagnostics, unsigned depth) {
  if (!menu.entries().empty() && menu.default_index() >= menu.entries().size()) std::abort();
  if (depth == 0) (void)grubcfg::choose_default(menu, diagnostics);
  for (std::size_t i = 0; i < menu.entries().size() && i < kEvaluated; ++i) {
    (void)menu.entry_source(i);
    if (!menu.entries()[i].is_submenu) {
      (void)menu.evaluate(i);
    } else if (depth < limits::kSubmenuDepth) {
      if (const auto submenu = menu.submenu(i)) evaluate_all(**submenu, diagnostics, depth + 1);
    }
  }
}

void evaluate_all(const Result<std::unique_ptr<grubcfg::Menu>>& menu, grubcfg::Diagnostics& diagnostics) {
  if (menu) evaluate_all(**menu, diagnostics, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  const std::string input(data, data + size);
  test::MemoryDevices devices;
  test::MemoryFileSystem& disk = devices.add("hd0,gpt1", "11-22");
  devices.add("hd1").add("/boot/grub/grub.cfg", "syslinux_configfile (hd0,gpt1)/syslinux/syslinux.cfg\n");
  std::string_view rest = input;
  for (const std::string_view name : kFiles) {
    const std::size_t end = std::min(rest.find('\xff'), rest.size());
    disk.add("/syslinux/" + std::string(name), std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string_view program : kPrograms) disk.add("/syslinux/" + std::string(program) + ".c32");
  const grubcfg::GrubSettings settings;
  Silent silent;
  Budget budget(kSteps, kBytes);
  evaluate_all(grubcfg::load_syslinux_menu({&devices, settings, budget, silent},
                                           {"extlinux", "hd0,gpt1", "/syslinux/syslinux.cfg"}),
               silent);
  budget = Budget(kSteps, kBytes);
  evaluate_all(
      grubcfg::load_bare_syslinux_menu({nullptr, settings, budget, silent}, {"extlinux", "", "syslinux.cfg"},
                                       input.substr(0, input.find('\xff'))),
      silent);
  budget = Budget(kSteps, kBytes);
  evaluate_all(
      grubcfg::load_configuration(devices, {"grub2", "hd1", "/boot/grub/grub.cfg"}, settings, budget, silent),
      silent);
  return 0;
}
