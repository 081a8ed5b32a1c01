// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that lie beside unified kernel images and add to them (systemd-stub(7), "Companion Files").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grubcfg/diagnostics.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/unified_sections.h"

namespace pvhgrub::grubcfg {

/// A PE image without a kernel whose sections add to those of a unified kernel image.
struct UnifiedAddon {
  FileReference file;
  std::uint16_t machine = 0;
  UnifiedSections sections;
  std::string command_line;          ///< cleaned
  std::optional<std::string> uname;  ///< only for images of this kernel release; no value: for all
  bool uname_is_whole = false;       ///< a NUL ends it: else the image's may go on behind it

  /// Whether it belongs to images for that machine, with that kernel release (no value: unknown).
  [[nodiscard]] bool fits(std::uint16_t image_machine, const std::optional<std::string>& image_uname) const;
};

/// All of one directory.
struct Companions {
  std::vector<UnifiedAddon> addons;  ///< by file name, which is the order in which they are applied
  /// Files of which the image's own code would make initrds: credentials and system extensions.
  std::vector<std::string> unsupported;
};

/// Reads the addons ("*.addon.efi"), credentials ("*.cred") and extensions ("*.raw") of a directory; what is
/// no addon is left out with a notice. A directory that is not there is empty.
[[nodiscard]] Result<Companions> read_companions(GuestFiles files, const FileReference& directory,
                                                 Budget& budget, Diagnostics& diagnostics);

/// A command line from a section or from load options as systemd-stub hands it on: control characters are
/// blanks, and there are none of those at its ends. It ends at a NUL.
[[nodiscard]] std::string clean_command_line(std::string_view text);

}  // namespace pvhgrub::grubcfg
