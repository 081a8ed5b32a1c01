// SPDX-License-Identifier: LGPL-2.1-or-later
// One parsed statement, or one function's body. Flat arrays of small records that point into the source text:
// words are split into fragments only when they are expanded, blocks are kept as text only.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grubcfg/source_text.h"

namespace pvhgrub::grubcfg {

/// One word as it stands in the source, quotes and all; or a block, without its braces.
struct WordReference {
  std::uint32_t begin = 0;  ///< bytes in the source's text
  std::uint32_t length : 31 = 0;
  std::uint32_t is_block : 1 = 0;
};

inline constexpr std::uint32_t kNoCommand = std::numeric_limits<std::uint32_t>::max();

struct Command {
  enum class Kind : std::uint8_t { kSimple, kIf, kFor, kWhile, kUntil };
  Kind kind = Kind::kSimple;
  bool else_is_elif = false;        ///< kIf: `otherwise` is a single command, not a list
  std::uint32_t offset = 0;         ///< where it begins in the source's text
  std::uint32_t next = kNoCommand;  ///< the next command of the same list
  std::uint32_t first_word = 0;     ///< kSimple: name and arguments; kFor: what is iterated over
  std::uint32_t word_count = 0;
  WordReference variable;                ///< kFor: the loop variable's name
  std::uint32_t condition = kNoCommand;  ///< first command of a list; kIf, kWhile, kUntil
  std::uint32_t body = kNoCommand;       ///< first command of a list; kIf (then), kFor, kWhile, kUntil
  std::uint32_t otherwise = kNoCommand;  ///< kIf
};

struct SyntaxTree {
  std::shared_ptr<const SourceText> source;
  std::vector<Command> commands;
  std::vector<WordReference> words;
  std::uint32_t first = kNoCommand;  ///< the outermost list

  [[nodiscard]] std::string_view text(const WordReference& word) const {
    return std::string_view(source->text()).substr(word.begin, word.length);
  }
};

struct FunctionDefinition {
  std::string name;
  std::shared_ptr<const SyntaxTree> body;
};

}  // namespace pvhgrub::grubcfg
