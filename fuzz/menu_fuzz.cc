// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the boot menu: keys over a configuration of the guest's choosing, on terminals of any size. In
// production: the confined worker, whose keys come from a person and whose texts from the guest. Input: two
// bytes of size, keys (one byte each) up to a NUL, the text of a grub.cfg, at most 64 KiB.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "menu/boot_menu.h"
#include "menu/numbered_menu.h"
#include "tests/menu/fake_terminal.h"

namespace {

using namespace pvhgrub;
using namespace pvhgrub::menu;

constexpr std::uint64_t kSteps = 50'000;
constexpr std::uint64_t kBytes = 8U << 20U;
constexpr std::size_t kInput = 64U << 10U;
constexpr std::size_t kKeys = 500;

// ASCII is itself; from 0x80 on the keys that have no character.
Key key_of(std::uint8_t byte) {
  using Kind = Key::Kind;
  if (byte >= 0x80) {
    constexpr unsigned kKinds = static_cast<unsigned>(Kind::kUnknown) + 1;
    const auto kind = static_cast<Kind>(byte % kKinds);
    if (kind == Kind::kCharacter) return {Kind::kCharacter, U'\u00E9'};
    if (kind == Kind::kControl) return {Kind::kControl, static_cast<char32_t>('a' + byte % 26)};
    if (kind == Kind::kFunction) return {Kind::kFunction, static_cast<char32_t>(1 + byte % 12)};
    return {kind};
  }
  if (byte == '\n' || byte == '\r') return {Kind::kEnter};
  if (byte == '\t') return {Kind::kTab};
  if (byte == 0x1B) return {Kind::kEscape};
  if (byte == 0x7F) return {Kind::kBackspace};
  if (byte < 0x20) return {Kind::kControl, static_cast<char32_t>('a' + byte - 1)};
  return {Kind::kCharacter, byte};
}

class FuzzTeletype final : public Teletype {
 public:
  explicit FuzzTeletype(menu::test::FakeTerminal& terminal) : terminal_(terminal) {}
  [[nodiscard]] bool utf8() const override { return true; }
  Result<void> write(std::string_view text) override {
    for (const char c : text)
      if (c == 0x1B) std::abort();  // guest text drives no terminal
    return {};
  }
  Result<Key> read_key(std::optional<std::chrono::milliseconds> wait) override {
    return terminal_.read_key(wait);
  }
  bool key_waits() override { return terminal_.key_waits(); }
  void leave() override {}

 private:
  menu::test::FakeTerminal& terminal_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > kInput) return 0;
  menu::test::FakeTerminal terminal({1 + data[0] % 60, 1 + data[1] % 160});
  const bool numbered = (data[0] & 0x80U) != 0;
  const std::uint8_t* const keys_end = std::find(data + 2, data + size, 0);
  for (const std::uint8_t* byte = data + 2; byte != keys_end && terminal.keys.size() < kKeys; ++byte)
    terminal.keys.push_back(key_of(*byte));
  const std::string configuration(keys_end == data + size ? keys_end : keys_end + 1, data + size);

  Budget budget(kSteps, kBytes);
  menu::test::FakeHost host(terminal, budget);
  menu::test::FakeWords words(host);
  const auto loaded =
      grubcfg::load_bare_configuration(configuration, {"grub2", "", "/grub.cfg"}, {}, budget, words);
  if (!loaded) return 0;
  MenuSession session(**loaded, host, words);
  if (numbered) {
    FuzzTeletype teletype(terminal);
    (void)NumberedMenu(teletype, session, host, "fuzz").choose();
  } else {
    (void)BootMenu(terminal, session, host, "fuzz").choose();
  }
  return 0;
}
