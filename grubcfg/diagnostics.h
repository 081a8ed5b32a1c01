// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pvhgrub::grubcfg {

/// How the evaluation of a boot configuration talks. All texts may hold guest bytes raw: escape on output.
class Diagnostics {
 public:
  Diagnostics() = default;
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;
  virtual ~Diagnostics() = default;

  /// Something a person should know: a partition that was skipped, an error message of GRUB's. `where` is a
  /// device, or "file:line"; may be empty.
  virtual void notice(std::string where, std::string message) = 0;

  /// One step on the way from the disk to the choice, for --explain: "search --fs-uuid X: hd0,gpt2".
  virtual void explain(std::string text) = 0;

  /// What `echo` prints: raw bytes with the newline. An error ends the evaluation with it.
  [[nodiscard]] virtual Result<void> echo(std::string_view text) = 0;
};

}  // namespace pvhgrub::grubcfg
