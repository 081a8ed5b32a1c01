// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/loader_conf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "grubcfg/key_value_lines.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// Settings of what a guest of Xen does not have, or that only colour the menu.
constexpr std::array<std::string_view, 15> kWithoutEffect = {"editor",
                                                             "auto-entries",
                                                             "auto-firmware",
                                                             "auto-poweroff",
                                                             "auto-reboot",
                                                             "beep",
                                                             "console-mode",
                                                             "log-level",
                                                             "random-seed-mode",
                                                             "reboot-for-bitlocker",
                                                             "reboot-on-error",
                                                             "secure-boot-enroll",
                                                             "secure-boot-enroll-action",
                                                             "secure-boot-enroll-timeout-sec",
                                                             "secure-boot-enrollment"};

/// False where the value is none of timeout's.
bool set_timeout(LoaderConf& conf, std::string_view value) {
  if (value == "menu-force") {
    conf.timeout = std::nullopt;
    conf.timeout_style = TimeoutStyle::kMenu;
    return true;
  }
  std::uint32_t seconds = 0;
  if (value != "menu-hidden" && value != "menu-disabled") {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc() || end != value.data() + value.size()) return false;
  }
  // The highest number is how systemd-boot itself keeps "menu-force".
  if (seconds == std::numeric_limits<std::uint32_t>::max()) return set_timeout(conf, "menu-force");
  conf.timeout = seconds;
  conf.timeout_style = seconds == 0 ? TimeoutStyle::kHidden : TimeoutStyle::kMenu;
  return true;
}

}  // namespace

Result<LoaderConf> parse_loader_conf(std::string_view text, std::string_view name, Budget& budget,
                                     Diagnostics& diagnostics) {
  LoaderConf conf;
  KeyValueLines lines(text, " \t");
  while (const std::optional<KeyValueLine> line = lines.next()) {
    PVHGRUB_TRY(budget.charge_steps(1, "reading loader.conf"));
    const std::string where = std::string(name) + ":" + std::to_string(line->number);
    const std::string key(line->key);
    if (!line->value) {
      diagnostics.notice(where, "a setting without a value is left out: " + key);
      continue;
    }
    const std::string value(*line->value);
    if (key == "timeout") {
      if (!set_timeout(conf, value))
        diagnostics.notice(
            where, "timeout is a number of seconds, menu-force, menu-hidden or menu-disabled: " + value +
                       " is left out");
    } else if (key == "default" || key == "preferred") {
      if (equal_ignoring_case(value, "@saved")) {
        diagnostics.explain(where + ": " + key +
                            " @saved is passed over: the entry is saved in an EFI variable, which is not on "
                            "the disk");
        (key == "default" ? conf.default_entry : conf.preferred_entry).clear();
      } else if (value.starts_with('@')) {
        diagnostics.notice(where,
                           key + " is the pattern of an entry's id or @saved: " + value + " is left out");
      } else {
        (key == "default" ? conf.default_entry : conf.preferred_entry) = value;
      }
    } else if (std::ranges::find(kWithoutEffect, key) == kWithoutEffect.end()) {
      diagnostics.notice(where, "unknown setting: " + key);
    }
  }
  return conf;
}

}  // namespace pvhgrub::grubcfg
