// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of the Boot Loader Specification in a guest's menu: what blscfg and uki have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grubcfg/bls_directory.h"
#include "grubcfg/bls_entry.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/unified_image.h"

namespace pvhgrub::grubcfg {

/// Which of the files become entries.
struct BlsSelection {
  bool default_entry = true;         ///< the one that $default names
  bool others = true;                ///< all but that one
  std::optional<std::string> named;  ///< the file of that name: without ".conf" for Red Hat, with it for 2.14
};

/// One call of a command: lists, reads, and makes menu entries.
class GrubBlsReader {
 public:
  GrubBlsReader(Evaluator& evaluator, BlsDialect dialect, std::string_view suffix)
      : evaluator_(evaluator),
        session_(evaluator.session()),
        dialect_(dialect),
        suffix_(suffix),
        files_(session_.devices, session_.budget),
        images_(files_, session_.budget, session_.diagnostics) {}

  /// The names in a directory, to be shown; false where it cannot be read, with `why` it cannot.
  [[nodiscard]] Result<bool> add_directory(fs::FileSystem& file_system, std::string_view device,
                                           std::string_view path, std::string& why);
  /// One file, to be shown.
  void add_file(const FileReference& file);
  [[nodiscard]] bool is_empty() const { return found_.empty(); }

  /// Makes the entries. `known`: files of earlier calls, in order. The result: those and the ones that were
  /// read now.
  Result<std::vector<BlsFile>> show(std::vector<BlsFile> known, const BlsSelection& selection);

 private:
  [[nodiscard]] bool is_unified() const { return suffix_ == ".efi"; }
  [[nodiscard]] Result<void> notice(const std::string& where, std::string text);
  /// The file, read; no value, with a notice, where GRUB could not.
  [[nodiscard]] Result<std::optional<GrubBlsEntry>> read_entry(const FileReference& file);
  /// Reads the file and, where it is selected, makes an entry of it. False where it cannot be read.
  [[nodiscard]] Result<bool> take(BlsFile& file, std::size_t index, const BlsSelection& selection);
  [[nodiscard]] Result<bool> take_unified(BlsFile& file, std::size_t index, const BlsSelection& selection);
  [[nodiscard]] Result<void> make_entry(const BlsFile& file, const GrubBlsEntry& entry);
  [[nodiscard]] Result<void> make_unified_entry(const BlsFile& file, const UnifiedImage& image);
  [[nodiscard]] bool is_selected(std::string_view name, const std::string* title, std::size_t index,
                                 const BlsSelection& selection) const;
  [[nodiscard]] bool is_default(std::string_view name, const std::string* title, std::size_t index) const;

  Evaluator& evaluator_;
  Session& session_;
  BlsDialect dialect_;
  std::string_view suffix_;
  GuestFiles files_;
  UnifiedImageReader images_;
  std::shared_ptr<const FileReference> directory_;
  std::vector<BlsFile> found_;
};

}  // namespace pvhgrub::grubcfg
