// SPDX-License-Identifier: LGPL-2.1-or-later
// A directory of boot loader entries, and the order in which GRUB shows them.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/bls_entry.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// A file that an entry of the menu is made of.
struct BlsFile {
  std::shared_ptr<const FileReference> directory;  ///< its path without a '/' at the end, but for the root
  std::string name;                                ///< "fedora-6.11.4-1.conf"
  bool is_shown = false;  ///< it was made an entry of a menu, or passed over for good
  bool is_known = false;  ///< from an earlier call of the command
  [[nodiscard]] FileReference file() const;
};

/// The directory of that device, as BlsFile wants it.
[[nodiscard]] std::shared_ptr<const FileReference> make_bls_directory(std::string_view device,
                                                                      std::string_view path);

/// The names in a directory of entry files, in the order of the disk. `suffix`: ".conf" or ".efi". Hidden
/// files count only for 2.14. No value: it cannot be read; `why` tells the reason. A Result's error is fatal.
[[nodiscard]] Result<std::optional<std::vector<BlsFile>>> list_bls_directory(
    fs::FileSystem& file_system, const std::shared_ptr<const FileReference>& directory,
    std::string_view suffix, BlsDialect dialect, Budget& budget, std::string& why);

/// The order of two files by their names, as GRUB sorts; greater comes first in the menu. Red Hat's GRUB
/// sorts without ".conf", by name, version and release of the package that the file would be called
/// after; SUSE's too, but without the boot counter, and last where that has no try left; 2.14 with the
/// suffix, as `sort --version-sort`. Of two that are equivalent GRUB drops the one that it read later.
[[nodiscard]] std::weak_ordering compare_bls_files(const BlsFile& a, const BlsFile& b, BlsDialect dialect);

/// The name without ".conf"; the name itself where it ends otherwise.
[[nodiscard]] std::string_view without_conf(std::string_view name);

/// `known`, which is in order, and `found` together, in the order of the menu; equivalent ones in the order
/// in which GRUB read them.
[[nodiscard]] Result<std::vector<BlsFile>> merge_bls_files(std::vector<BlsFile> known,
                                                           std::vector<BlsFile> found, BlsDialect dialect,
                                                           Budget& budget);

}  // namespace pvhgrub::grubcfg
