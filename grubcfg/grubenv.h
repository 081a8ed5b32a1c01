// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's environment block (GRUB manual, "Environment block"): a file of fixed size, "# GRUB Environment
// Block\n", then comments ('#' first) and NAME=VALUE lines, then '#' to the end. In both a backslash hides
// the next character, also the newline that would end the line, as in GRUB's lib/envblk.c.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

/// Name and value of each variable of a block; a name may come twice, as in GRUB, where the last one counts.
using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

class EnvironmentBlock {
 public:
  /// kDamaged: it does not begin as an environment block does. kLimit: too large.
  [[nodiscard]] static Result<EnvironmentBlock> parse(std::string bytes);

  /// The variables, in their order.
  [[nodiscard]] Result<EnvironmentVariables> variables(Budget& budget) const;

  /// Whether it is what GRUB's own tools make: comments and NAME=VALUE lines, each ended, without control
  /// characters, then nothing but '#'. GRUB takes others too, but only these are written to.
  [[nodiscard]] bool is_well_formed() const;

  /// Changes or adds a variable; false when the block has no room for it, as GRUB, whose block never grows,
  /// or when the last line, or the one to change, has no end.
  [[nodiscard]] bool set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  /// The whole block, of the size that it was read with.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  explicit EnvironmentBlock(std::string bytes) : bytes_(std::move(bytes)) {}
  /// Where the line of `name` begins and ends (with its newline): both npos where there is none, only the end
  /// where no newline ends it.
  [[nodiscard]] std::pair<std::size_t, std::size_t> find(std::string_view name) const;
  [[nodiscard]] std::size_t line_end(std::size_t begin) const;
  [[nodiscard]] std::size_t free_begin() const;

  std::string bytes_;
};

}  // namespace pvhgrub::grubcfg
