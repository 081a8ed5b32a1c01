// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the boot entries of one place, of both types of the Boot Loader Specification.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/bls_order.h"
#include "grubcfg/bls_type1.h"
#include "grubcfg/boot_partitions.h"
#include "grubcfg/plain_menu.h"
#include "grubcfg/unified_image.h"

namespace pvhgrub::grubcfg {

/// Collects entries; what systemd-boot would not show is left out, with a notice where a person would look
/// for it. Results' errors are kLimit or the like.
class BlsReader {
 public:
  explicit BlsReader(const MenuContext& context);

  /// Type 1: loader/entries/*.conf.
  [[nodiscard]] Result<void> read_type1(const BootPlace& place);
  /// Type 2: EFI/Linux/*.efi. `needs_os_release`: an image that does not tell its system's name is left out,
  /// as systemd-boot does; else the file's name is its title.
  [[nodiscard]] Result<void> read_type2(const BootPlace& place, bool needs_os_release);
  /// One unified kernel image, wherever it lies.
  [[nodiscard]] Result<void> read_image(const FileReference& file);

  /// All that were read, in no order.
  [[nodiscard]] std::vector<BlsEntry> take() { return std::move(entries_); }

 private:
  [[nodiscard]] Result<void> read_type1_file(const FileReference& file, std::string_view name);
  [[nodiscard]] Result<BootEntry> type1_boot(const Type1Entry& entry, const std::string& device);
  [[nodiscard]] Result<void> read_type2_file(const FileReference& file, std::string_view name,
                                             bool needs_os_release);
  [[nodiscard]] Result<void> add(BlsEntry entry);
  void leave_out(const std::string& where, const std::string& why);

  const MenuContext& context_;
  UnifiedImageReader images_;
  std::string architecture_;                         ///< this machine's, in the specification's words
  std::set<std::string, std::less<>> unknown_keys_;  ///< that were told
  std::size_t text_bytes_ = 0;                       ///< of all type 1 files
  std::vector<BlsEntry> entries_;
};

}  // namespace pvhgrub::grubcfg
