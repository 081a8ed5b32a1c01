// SPDX-License-Identifier: LGPL-2.1-or-later
// NetBSD's boot.cfg(5), and the commands of its boot loader, boot(8) for x86.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/diagnostics.h"

namespace pvhgrub::grubcfg {

struct NetbsdItem {
  std::string title;
  std::string commands;  ///< as written, with ';' between them
};

struct NetbsdBootCfg {
  std::vector<NetbsdItem> items;
  std::size_t default_index = 0;              ///< below the number of items, or 0
  std::optional<std::uint32_t> timeout = 10;  ///< seconds; no value: wait for ever
  std::string root;                           ///< "xbd0a", "NAME=root"; empty: where the kernel lies
  std::vector<std::string> handed_over;       ///< "load /miniroot.kmod", "userconf disable acpi*"
};

/// Reads the text of a boot.cfg; `name` is the file's for messages. As NetBSD's loader (lib/libsa/bootcfg.c)
/// a
/// '#' begins a comment anywhere, a key need only begin with the keyword, unknown ones are left out, and the
/// first 20 items count. A Result's error is kLimit.
[[nodiscard]] Result<NetbsdBootCfg> parse_netbsd_boot_cfg(std::string_view text, std::string_view name,
                                                          Budget& budget, Diagnostics& diagnostics);

/// One `boot` command.
struct NetbsdBoot {
  std::string file;   ///< "hd0a:netbsd", "netbsd.old", "hd1a:"; empty: the usual names, one after the other
  std::string flags;  ///< "-s -v"; empty for none
};

/// What the commands of one item come to.
struct NetbsdCommands {
  std::vector<NetbsdBoot> boots;         ///< the next one is tried where the one before cannot be loaded
  std::vector<std::string> handed_over;  ///< as NetbsdBootCfg's
  std::string obstacle;                  ///< why nothing is booted, where `boots` is empty
  bool starts_other = false;             ///< `multiboot`: another kernel, as Xen
};

/// Goes through the commands of `item` of boot.cfg; no value: just "boot". A `boot` that names nothing first
/// does what the default item says, once.
[[nodiscard]] NetbsdCommands run_netbsd_commands(const NetbsdBootCfg& configuration,
                                                 std::optional<std::size_t> item);

/// The device that a file's name begins with, before its ':'; no value where it names none or is malformed.
struct NetbsdDevice {
  std::string label;  ///< of "NAME=LABEL"; else empty
  std::string kind;   ///< "hd", "cd"
  std::uint32_t unit = 0;
  char partition = 'a';
};
struct NetbsdFile {
  std::optional<NetbsdDevice> device;
  std::string path;  ///< without the device; may be empty
};
/// No value: what stands before the ':' is no device.
[[nodiscard]] std::optional<NetbsdFile> parse_netbsd_file(std::string_view name);

}  // namespace pvhgrub::grubcfg
