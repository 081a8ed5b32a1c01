// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs an entry of GRUB Legacy: what it would boot.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "grubcfg/kernel_format.h"
#include "grubcfg/legacy_device.h"
#include "grubcfg/legacy_parser.h"
#include "grubcfg/plain_menu.h"

namespace pvhgrub::grubcfg {

/// What entries need to know of the menu that they belong to. All that is referred to outlives the runs.
struct LegacySurroundings {
  const MenuContext& context;
  const ListedDevices& listed;
  const LegacyConfiguration& configuration;
  std::string menu_device;            ///< the file system that holds the menu; empty for a bare configuration
  std::string home_device;            ///< the root of an entry that names none
  std::vector<std::size_t> fallback;  ///< as written, for `savedefault fallback`
  std::set<std::string> told;         ///< devices of which a notice said already that the menu's stands in
};

struct LegacyOutcome {
  BootEntry entry;
  /// `configfile` was run: the menu to go on with. `entry` has nothing then.
  std::optional<FileReference> configuration;
  /// What `savedefault` would note as the entry to boot next.
  std::optional<std::size_t> saved_default;
};

/// Runs entry `index`. As in GRUB its first failing command ends it; the error tells the line. A Result's
/// error is kLimit and the like.
[[nodiscard]] Result<LegacyOutcome> run_legacy_entry(LegacySurroundings& surroundings, std::size_t index);

/// A file that was named, or in words why it is none.
struct LegacyFile {
  FileReference file;
  std::string failure;  ///< empty where it is there
};

/// Looks for a file as an entry does that has named no root device. `line` is for messages.
[[nodiscard]] Result<LegacyFile> find_legacy_file(LegacySurroundings& surroundings, std::string_view name,
                                                  std::uint32_t line);

}  // namespace pvhgrub::grubcfg
