// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/environment_block.h"

#include <cstdint>

#include "base/limits.h"

namespace pvhgrub::protocol {

namespace {

constexpr std::string_view kHeader = "# GRUB Environment Block\n";

/// Where in a line the next character stands.
enum class State : std::uint8_t { kLineStart, kComment, kHiddenInComment, kName, kValue, kHidden, kBad };

State after(State state, char c) {
  const bool is_newline = c == '\n';
  const bool is_control = (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  if (is_control && !is_newline) return State::kBad;
  switch (state) {
    case State::kLineStart:
      if (c == '#') return State::kComment;
      return is_newline || c == '=' || c == '\\' ? State::kBad : State::kName;
    case State::kComment:
      if (c == '\\') return State::kHiddenInComment;
      return is_newline ? State::kLineStart : State::kComment;
    case State::kHiddenInComment:
      return State::kComment;
    case State::kName:
      if (c == '=') return State::kValue;
      return is_newline || c == '\\' ? State::kBad : State::kName;
    case State::kValue:
      if (c == '\\') return State::kHidden;
      return is_newline ? State::kLineStart : State::kValue;
    case State::kHidden:
      return State::kValue;
    case State::kBad:
      break;
  }
  return State::kBad;
}

}  // namespace

bool is_environment_block(std::string_view bytes) {
  if (bytes.size() > limits::kEnvironmentBlockBytes || bytes.size() <= kHeader.size() ||
      !bytes.starts_with(kHeader))
    return false;
  // What fills the block is a run of '#' up to its end; one that a newline ends is a comment.
  while (bytes.ends_with('#')) bytes.remove_suffix(1);
  bytes.remove_prefix(kHeader.size());
  State state = State::kLineStart;
  for (const char c : bytes) state = after(state, c);
  return state == State::kLineStart;
}

}  // namespace pvhgrub::protocol
