// SPDX-License-Identifier: LGPL-2.1-or-later
// The `test` and `[` commands (GRUB manual, "test").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

/// What `test` asks of files. Failures are not errors here: the file is then not there.
class FileTests {
 public:
  struct Answer {
    bool exists = false;
    bool is_directory = false;
    std::optional<std::int64_t> modification_time;  ///< seconds since 1970
  };

  FileTests() = default;
  FileTests(const FileTests&) = delete;
  FileTests& operator=(const FileTests&) = delete;
  virtual ~FileTests() = default;

  /// What lies under a name, the last symbolic link not followed.
  [[nodiscard]] virtual Result<Answer> look_up(std::string_view name) = 0;
  /// Whether a regular file can be opened and is not empty.
  [[nodiscard]] virtual Result<bool> has_contents(std::string_view name) = 0;
};

/// Evaluates the arguments of `test`, without a closing `]`. The error is kLimit, or one of `files`.
[[nodiscard]] Result<bool> evaluate_test(std::span<const std::string> arguments, FileTests& files,
                                         Budget& budget);

}  // namespace pvhgrub::grubcfg
