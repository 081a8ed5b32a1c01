// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the settings of FreeBSD's loader and NetBSD's boot.cfg, and the menus that they make. In
// production: grubcfg::load_freebsd_menu and load_netbsd_menu on a guest's files, in the confined worker.
// Input: the text of all files of both, at most 64 KiB.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/budget.h"
#include "grubcfg/choice.h"
#include "grubcfg/freebsd_menu.h"
#include "grubcfg/netbsd_menu.h"
#include "tests/grubcfg/fake_devices.h"

namespace {

using namespace pvhgrub;

constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 16U << 20U;
constexpr std::size_t kInput = 64U << 10U;

class Silent final : public grubcfg::Diagnostics {
 public:
  void notice(std::string, std::string) override {}
  void explain(std::string) override {}
  Result<void> echo(std::string_view) override { return {}; }
};

void evaluate_all(const Result<std::unique_ptr<grubcfg::Menu>>& menu, grubcfg::Diagnostics& diagnostics) {
  if (!menu) return;
  (void)grubcfg::choose_default(**menu, diagnostics);
  for (std::size_t i = 0; i < (*menu)->entries().size(); ++i) {
    (void)(*menu)->evaluate(i);
    (void)(*menu)->entry_source(i);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  const std::string text(data, data + size);
  test::MemoryDevices devices;
  devices.add("hd0,gpt1")
      .add("/boot/kernel/kernel")
      .add("/boot/defaults/loader.conf", text)
      .add("/boot/loader.conf", text)
      .add("/boot/loader.conf.d/a.conf", text)
      .add("/boot.config", text)
      .add("/etc/fstab", text);
  devices.add("hd1,msdos1").add("/netbsd").add("/boot.cfg", text);
  const grubcfg::GrubSettings settings;
  Silent silent;
  Budget budget(kSteps, kBytes);
  const grubcfg::MenuContext context{&devices, settings, budget, silent};
  evaluate_all(grubcfg::load_freebsd_menu(context, {"freebsd", "hd0,gpt1", "/boot/loader.conf"}), silent);
  budget = Budget(kSteps, kBytes);
  const grubcfg::ConfigurationSource netbsd{"netbsd", "hd1,msdos1", "/boot.cfg"};
  evaluate_all(grubcfg::load_netbsd_menu(context, netbsd), silent);
  evaluate_all(
      grubcfg::load_bare_netbsd_menu({nullptr, settings, budget, silent}, {"netbsd", "", "boot.cfg"}, text),
      silent);
  return 0;
}
