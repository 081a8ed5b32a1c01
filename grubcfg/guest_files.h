// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's files, for the readers of configurations that have no language of their own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// Each question charges the budget. A Result's error is kLimit or the like (see is_fatal in file_access.h):
/// what is merely not there, or cannot be read, is an answer.
class GuestFiles {
 public:
  /// `devices` may be null (a bare configuration): then every file is there, and none can be read.
  GuestFiles(fs::Devices* devices, Budget& budget) : devices_(devices), budget_(budget) {}

  [[nodiscard]] bool has_disk() const { return devices_ != nullptr; }

  /// The first of the questions to is_file() and list() that damage left without an answer, and why; no value
  /// for none.
  [[nodiscard]] const std::optional<Error>& damage() const { return damage_; }

  /// Opens the file, or the part of it that the reference names. No value: `why` (may be null) tells the
  /// reason in words: "file not found", "it is encrypted".
  [[nodiscard]] Result<std::unique_ptr<fs::File>> open(const FileReference& file, std::string* why = nullptr);

  /// The whole contents of a file of at most `maximum` bytes; no value where it cannot be read or is larger.
  [[nodiscard]] Result<std::optional<std::string>> read(const FileReference& file, std::size_t maximum,
                                                        std::string* why = nullptr);

  /// True for a regular file, also behind links.
  [[nodiscard]] Result<bool> is_file(const FileReference& file);

  /// Of a directory, without order; empty where it is not there or cannot be read.
  [[nodiscard]] Result<std::vector<fs::DirectoryEntry>> list(const FileReference& directory);

 private:
  [[nodiscard]] Result<std::unique_ptr<fs::File>> open_whole(const FileReference& file);
  /// Hands fatal errors up; remembers the first damage.
  [[nodiscard]] Result<void> pass_over(Error error, const FileReference& file);

  fs::Devices* devices_;
  Budget& budget_;
  std::optional<Error> damage_;
};

/// Directory and name joined by exactly one '/'; a name that begins with '/' stands for itself. "." and ".."
/// are resolved, never above the root.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

}  // namespace pvhgrub::grubcfg
