// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises GRUB's lexer, parser, evaluator and commands, and the evaluation of every entry of the menu that
// comes out. In production: grubcfg::load_configuration on a guest's grub.cfg, in the confined worker. Input:
// the text of a grub.cfg, at most 64 KiB, since longer ones only repeat what shorter ones do.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/budget.h"
#include "grubcfg/choice.h"
#include "grubcfg/configuration.h"

namespace {

using namespace pvhgrub;

// Small enough that an endless script costs milliseconds.
constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 16U << 20U;
constexpr std::size_t kInput = 64U << 10U;

class Silent final : public grubcfg::Diagnostics {
 public:
  void notice(std::string, std::string) override {}
  void explain(std::string) override {}
  Result<void> echo(std::string_view) override { return {}; }
};

void evaluate_all(grubcfg::Menu& menu, unsigned depth) {
  for (std::size_t i = 0; i < menu.entries().size() && i < 50; ++i) {
    if (!menu.entries()[i].is_submenu) {
      (void)menu.evaluate(i);
    } else if (depth < 3) {
      if (const auto submenu = menu.submenu(i)) evaluate_all(**submenu, depth + 1);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  Budget budget(kSteps, kBytes);
  Silent silent;
  const auto menu =
      grubcfg::load_bare_configuration(std::string(data, data + size), "grub.cfg", {}, budget, silent);
  if (!menu) return 0;
  (void)grubcfg::choose_default(**menu, silent);
  evaluate_all(**menu, 0);
  return 0;
}
