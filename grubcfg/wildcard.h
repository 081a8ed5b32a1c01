// SPDX-License-Identifier: LGPL-2.1-or-later
// Wildcards in words. While a command's words are expanded, '*', '?' and '\' that were quoted carry a
// backslash, so that only those that stood unquoted act.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

/// What wildcards are matched against.
class WildcardFiles {
 public:
  WildcardFiles() = default;
  WildcardFiles(const WildcardFiles&) = delete;
  WildcardFiles& operator=(const WildcardFiles&) = delete;
  virtual ~WildcardFiles() = default;

  /// All devices by their GRUB names, without parentheses.
  [[nodiscard]] virtual std::vector<std::string> device_names() = 0;
  /// The names in a directory ("/boot/", "(hd0,gpt1)/boot"); no value where it cannot be read.
  [[nodiscard]] virtual Result<std::optional<std::vector<std::string>>> names_in(
      std::string_view directory) = 0;
};

/// `text` so that no character of it is a wildcard.
[[nodiscard]] std::string escape_wildcards(std::string_view text);

/// Takes the backslashes of escape_wildcards() away. `keep_hex_escapes`: \xHH stays (Red Hat's kernel command
/// lines).
[[nodiscard]] std::string unescape_wildcards(std::string_view text, bool keep_hex_escapes);

/// The file or device names that an escaped word stands for; empty where it stands for itself, which is also
/// the case when nothing matches. Only words that begin with '/', '(' or '*' are looked at, as in GRUB.
[[nodiscard]] Result<std::vector<std::string>> expand_wildcards(std::string_view word, WildcardFiles& files,
                                                                bool keep_hex_escapes, Budget& budget);

/// Whether `text` matches a pattern of '*' and '?' in which a backslash hides the next character. Takes at
/// most pattern times text steps.
[[nodiscard]] bool matches_wildcard(std::string_view pattern, std::string_view text);

}  // namespace pvhgrub::grubcfg
