// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/fragments.h"

#include "grubcfg/lexer.h"

namespace pvhgrub::grubcfg {

bool FragmentReader::next(FragmentKind& kind, std::string& text) {
  text.clear();
  if (failed_) return false;
  if (variable_pending_) {
    variable_pending_ = false;
    return read_variable(kind, text);
  }
  if (single_pending_) {
    single_pending_ = false;
    read_single(kind, text);
    return true;
  }
  switch (state_) {
    case State::kPlain:
      return read_plain(kind, text);
    case State::kDouble:
      return read_double(kind, text);
    case State::kTranslated:
      return read_translated(kind, text);
  }
  return false;
}

bool FragmentReader::read_plain(FragmentKind& kind, std::string& text) {
  if (position_ >= raw_.size()) return false;
  kind = FragmentKind::kText;
  while (position_ < raw_.size()) {
    const char c = raw_[position_++];
    switch (c) {
      case '"':
        state_ = State::kDouble;
        return true;
      case '\'':
        single_pending_ = true;
        return true;
      case '$':
        if (position_ < raw_.size() && raw_[position_] == '"') {
          ++position_;
          state_ = State::kTranslated;
          // What stands before $"..." in the same word counts as translated text too.
          kind = FragmentKind::kTranslated;
        } else {
          variable_pending_ = true;
        }
        return true;
      case '\\':
        if (position_ < raw_.size()) {
          if (raw_[position_] != '\n') {
            text += c;
            text += raw_[position_];
          }
          ++position_;
        } else {
          text += c;
        }
        break;
      default:
        text += c;
    }
  }
  return true;
}

bool FragmentReader::read_double(FragmentKind& kind, std::string& text) {
  kind = FragmentKind::kDoubleQuoted;
  while (position_ < raw_.size()) {
    const char c = raw_[position_++];
    if (c == '"') {
      state_ = State::kPlain;
      return true;
    }
    if (c == '$') {
      variable_pending_ = true;
      return true;
    }
    if (c == '\\' && position_ < raw_.size()) {
      const char escaped = raw_[position_];
      if (escaped == '$' || escaped == '\\' || escaped == '"') {
        text += escaped;
        ++position_;
        continue;
      }
      if (escaped == '\n') {
        ++position_;
        continue;
      }
    }
    text += c;
  }
  return true;
}

bool FragmentReader::read_translated(FragmentKind& kind, std::string& text) {
  kind = FragmentKind::kTranslated;
  while (position_ < raw_.size()) {
    const char c = raw_[position_++];
    if (c == '"') break;
    if (c == '\\' && position_ < raw_.size()) {
      const char escaped = raw_[position_];
      if (escaped == '\\') text += "\\\\";
      if (escaped == '"') text += '"';
      if (escaped == '\\' || escaped == '"' || escaped == '\n') {
        ++position_;
        continue;
      }
    }
    text += c;
  }
  state_ = State::kPlain;
  return true;
}

void FragmentReader::read_single(FragmentKind& kind, std::string& text) {
  kind = FragmentKind::kSingleQuoted;
  const std::size_t quote = raw_.find('\'', position_);
  text = raw_.substr(position_, quote == std::string_view::npos ? quote : quote - position_);
  position_ = quote == std::string_view::npos ? raw_.size() : quote + 1;
}

bool FragmentReader::read_variable(FragmentKind& kind, std::string& text) {
  const std::string_view rest = raw_.substr(position_);
  const std::size_t length = variable_reference_length(rest);
  if (length == 0) {
    failed_ = true;
    return false;
  }
  kind = state_ == State::kPlain ? FragmentKind::kVariable : FragmentKind::kQuotedVariable;
  const bool braced = rest.front() == '{';
  text = rest.substr(braced ? 1 : 0, length - (braced ? 2 : 0));
  position_ += length;
  return true;
}

bool are_fragments_valid(std::string_view raw) {
  FragmentReader reader(raw);
  FragmentKind kind{};
  std::string text;
  while (reader.next(kind, text)) {
  }
  return !reader.failed();
}

bool is_plain_word(std::string_view raw) {
  return !raw.empty() && raw.front() != '/' && raw.front() != '(' &&
         raw.find_first_of("\\\"'$*?") == std::string_view::npos;
}

}  // namespace pvhgrub::grubcfg
