// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace pvhgrub::grubcfg {

/// The words of one command while they are put together. As in GRUB, a word that nothing was appended to is
/// not there at all, while one that an empty text was appended to is an empty word.
class ArgumentVector {
 public:
  /// Begins the next word, unless the last one is still without anything.
  [[nodiscard]] Result<void> begin_word() {
    if (!words_.empty() && !words_.back()) return {};
    if (words_.size() >= limits::kWords)
      return fail(ErrorCode::kLimit, "a command of more than " + std::to_string(limits::kWords) + " words");
    words_.emplace_back();
    return {};
  }

  /// Appends to the last word, which must have been begun.
  [[nodiscard]] Result<void> append(std::string_view text) {
    std::optional<std::string>& word = words_.back();
    if (!word) word.emplace();
    bytes_ += text.size();
    if (word->size() + text.size() > limits::kWordBytes)
      return fail(ErrorCode::kLimit, "a word of more than " + std::to_string(limits::kWordBytes) + " bytes");
    if (bytes_ > limits::kCommandBytes)
      return fail(ErrorCode::kLimit,
                  "a command of more than " + std::to_string(limits::kCommandBytes) + " bytes");
    *word += text;
    return {};
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// The words; a last one without anything is left out.
  [[nodiscard]] std::vector<std::string> take() {
    std::vector<std::string> taken;
    taken.reserve(words_.size());
    for (std::optional<std::string>& word : words_)
      if (word) taken.push_back(std::move(*word));
    words_.clear();
    return taken;
  }

 private:
  std::vector<std::optional<std::string>> words_;
  std::size_t bytes_ = 0;
};

}  // namespace pvhgrub::grubcfg
