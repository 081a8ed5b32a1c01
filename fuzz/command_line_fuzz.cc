// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises what a person does at the menu: commands that are typed, lines that are completed, entries that
// are edited, passwords. In production: grubcfg::CommandLine, Menu::evaluate_edited and Login in the confined
// worker, over a configuration and files that are the guest's. Input: the configuration up to the first NUL;
// then lines, each with a letter in front that says what is done with it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "grubcfg/authentication.h"
#include "grubcfg/command_line.h"
#include "grubcfg/configuration.h"
#include "tests/grubcfg/fake_devices.h"

namespace {

using namespace pvhgrub;

// Small enough that an endless loop costs milliseconds.
constexpr std::uint64_t kSteps = 100'000;
constexpr std::uint64_t kBytes = 16U << 20U;
constexpr std::size_t kInput = 64U << 10U;
constexpr int kLines = 50;

class Silent final : public grubcfg::Diagnostics {
 public:
  void notice(std::string, std::string) override {}
  void explain(std::string) override {}
  Result<void> echo(std::string_view) override { return {}; }
};

void check(const Result<grubcfg::Completion>& completion) {
  if (completion && completion->candidates.size() > 201) __builtin_trap();
}

void do_line(grubcfg::Menu& menu, grubcfg::CommandLine& line, grubcfg::Login& login, char what,
             std::string_view text) {
  const std::size_t entries = menu.entries().size();
  switch (what) {
    case 't':
      return check(line.complete(text));
    case 'e':
      if (entries == 0 || menu.entries()[text.size() % entries].is_submenu) return;
      (void)menu.editable_text(text.size() % entries);
      (void)menu.evaluate_edited(text.size() % entries, text);
      return;
    case 'p':
      (void)login.log_in(menu, "root", text);
      if (entries > 0) (void)login.may_boot(menu, menu.entries()[0]);
      return;
    case 'c':
      menu.continue_from(line);
      return;
    default:
      if (const auto outcome = line.run(text); outcome && outcome->menu && outcome->menu->entries().empty())
        __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kInput) return 0;
  const std::string input(data, data + size);
  const std::size_t end = std::min(input.find('\0'), input.size());
  test::MemoryDevices devices;
  devices.add("hd0,gpt1", "aaaa-bbbb", "ROOT")
      .add("/boot/grub/grub.cfg", input.substr(0, end))
      .add("/boot/grub/menu.lst", input.substr(0, end))
      .add("/boot/it is", "x")
      .add("/boot/vmlinuz-\xc3\xa4")
      .add("/boot/vmlinuz-\xc3\xb6");
  Budget budget(kSteps, kBytes);
  Silent silent;
  const bool is_legacy = input.starts_with("title");
  auto menu = grubcfg::load_configuration(devices,
                                          {is_legacy ? "grub-legacy" : "grub2", "hd0,gpt1",
                                           is_legacy ? "/boot/grub/menu.lst" : "/boot/grub/grub.cfg"},
                                          {}, budget, silent);
  if (!menu) return 0;
  const auto line = (*menu)->command_line();
  if (!line) return 0;
  grubcfg::Login login;
  std::string_view rest = std::string_view(input).substr(std::min(end + 1, input.size()));
  for (int i = 0; i < kLines && !rest.empty(); ++i) {
    const std::string_view text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    if (!text.empty()) do_line(**menu, **line, login, text.front(), text.substr(1));
  }
  return 0;
}
