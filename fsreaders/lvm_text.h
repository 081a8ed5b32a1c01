// SPDX-License-Identifier: LGPL-2.1-or-later
// The text in which LVM2 keeps a volume group's metadata (lvm.conf(5), "SYNTAX"; lvmsystemid(7) and
// vgcfgbackup(8) show it): sections `name { ... }`, values `key = 1`, `key = "text"`, `key = ["a", 2]`,
// comments from # on.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"

namespace pvhgrub::fs {

/// One string or number. Numbers that are no whole ones, or negative, are kept as strings only.
struct LvmValue {
  std::string_view text;  ///< a string without its quotes and escapes, or the number as it is written
  std::optional<std::uint64_t> number;
};

class LvmText;

/// A section of a text that was parsed; lives as long as the LvmText does.
class LvmSection {
 public:
  LvmSection(const LvmText& text, std::uint32_t node) : text_(&text), node_(node) {}

  [[nodiscard]] std::string_view name() const;
  /// The sections inside, in their order. Finding something by its key goes through all that is inside.
  [[nodiscard]] std::vector<LvmSection> sections() const;
  [[nodiscard]] std::optional<LvmSection> section(std::string_view key) const;
  /// The values of `key`: several of a list; empty where there is no such key, or its list is empty.
  [[nodiscard]] std::vector<LvmValue> values(std::string_view key) const;
  /// Its only value as a string or number; kDamaged where it is none.
  [[nodiscard]] Result<std::string_view> text(std::string_view key) const;
  [[nodiscard]] Result<std::uint64_t> number(std::string_view key) const;
  /// Whether a list of flags has this one.
  [[nodiscard]] bool has_flag(std::string_view key, std::string_view flag) const;

 private:
  const LvmText* text_;
  std::uint32_t node_;
};

class LvmText {
 public:
  /// Parses a whole text, of which a NUL is the end. kDamaged, with the line, where it breaks the syntax;
  /// kLimit where it is larger than limits::kVolumeMetadataItems or nested deeper than
  /// limits::kVolumeMetadataDepth.
  [[nodiscard]] static Result<LvmText> parse(std::string text, Budget& budget);

  /// What stands outside of all sections.
  [[nodiscard]] LvmSection root() const { return {*this, 0}; }

 private:
  friend class LvmSection;
  friend class LvmTextParser;
  /// A section, or a key with its values.
  struct Node {
    std::string_view name;
    bool is_section = false;
    std::uint32_t first = 0;  ///< of a section its first child, 0: none; of a key its first value
    std::uint32_t count = 0;  ///< of a key its values
    std::uint32_t next = 0;   ///< what follows in the same section; 0: nothing
  };

  // On the heap: views into it must survive a move.
  std::unique_ptr<std::string> text_;
  std::vector<Node> nodes_;
  std::vector<LvmValue> values_;
  std::deque<std::string> unescaped_;  ///< strings that are written with escapes
};

}  // namespace pvhgrub::fs
