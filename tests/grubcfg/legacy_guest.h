// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "grubcfg/legacy_grub.h"
#include "tests/grubcfg/fake_devices.h"

namespace pvhgrub::test {

/// A menu.lst on a disk with a GPT: hd0,gpt1 has it in /boot/grub, hd0,gpt2 is there as well.
class LegacyGuest {
 public:
  LegacyGuest()
      : first(devices.add("hd0,gpt1", "11111111-aaaa")), second(devices.add("hd0,gpt2", "22222222-BBBB")) {}

  Result<std::unique_ptr<grubcfg::Menu>> load(const std::string& text,
                                              const std::string& device = "hd0,gpt1") {
    for (MemoryFileSystem* const place : {&first, &second})
      if (place == (device == "hd0,gpt2" ? &second : &first)) place->add("/boot/grub/menu.lst", text);
    return grubcfg::load_legacy_menu({&devices, settings, budget, diagnostics},
                                     {"grub-legacy", device, "/boot/grub/menu.lst"});
  }
  /// What the menu's entry boots.
  grubcfg::BootEntry boot(const std::string& text, std::size_t index = 0) {
    menu = load(text).value_or(nullptr);
    REQUIRE(menu != nullptr);
    const auto entry = menu->evaluate(index);
    REQUIRE(entry.has_value());
    return *entry;
  }
  /// The same of a body without a title.
  grubcfg::BootEntry boot_body(const std::string& body) { return boot("title t\n" + body + "\n"); }

  MemoryDevices devices;
  MemoryFileSystem& first;
  MemoryFileSystem& second;
  grubcfg::GrubSettings settings;
  Budget budget = Budget::standard();
  RecordedDiagnostics diagnostics;
  std::unique_ptr<grubcfg::Menu> menu;
};

/// A menu that lies on no disk.
inline std::unique_ptr<grubcfg::Menu> bare_legacy_menu(const std::string& text,
                                                       RecordedDiagnostics& diagnostics) {
  static const grubcfg::GrubSettings settings;
  static Budget budget = Budget::standard();
  budget = Budget::standard();
  auto menu = grubcfg::load_bare_legacy_menu({nullptr, settings, budget, diagnostics},
                                             {"grub-legacy", "", "menu.lst"}, text);
  REQUIRE(menu.has_value());
  return std::move(*menu);
}

}  // namespace pvhgrub::test
