// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/teletype.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>

#include "base/escape.h"

namespace pvhgrub::menu {
namespace {

/// How long the bytes of one key may take, one after another.
constexpr int kSequenceMilliseconds = 50;
constexpr std::size_t kLongestSequence = 16;
constexpr unsigned char kEscape = 0x1B;

std::unexpected<Error> gone() {
  return fail(ErrorCode::kIo, "the terminal that the menu was on is gone");
}

Key key_of(unsigned char byte) {
  using Kind = Key::Kind;
  if (byte == '\r' || byte == '\n') return {Kind::kEnter};
  if (byte == '\t') return {Kind::kTab};
  if (byte == 0x7F || byte == 0x08) return {Kind::kBackspace};
  if (byte >= 1 && byte <= 26) return {Kind::kControl, static_cast<char32_t>('a' + byte - 1)};
  if (byte < 0x20) return {Kind::kUnknown};
  return {Kind::kCharacter, byte};
}

}  // namespace

void DescriptorTeletype::take() {
  if (found_) return;
  termios mode = {};
  if (tcgetattr(fd_, &mode) != 0) return;
  found_ = mode;
  cfmakeraw(&mode);
  (void)tcsetattr(fd_, TCSADRAIN, &mode);
}

void DescriptorTeletype::leave() {
  if (found_) (void)tcsetattr(fd_, TCSADRAIN, &*found_);
  found_.reset();
}

Result<void> DescriptorTeletype::write(std::string_view text) {
  take();
  std::string line;
  for (const char c : text) {
    if (c == '\n') line += '\r';
    line += c;
  }
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t count = ::write(fd_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return gone();
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

bool DescriptorTeletype::key_waits() {
  pollfd state{fd_, POLLIN, 0};
  return poll(&state, 1, 0) > 0;
}

Result<std::optional<unsigned char>> DescriptorTeletype::read_byte(int wait_milliseconds) {
  pollfd state{fd_, POLLIN, 0};
  const int ready = poll(&state, 1, wait_milliseconds);
  if (ready < 0 && errno != EINTR) return gone();
  if (ready <= 0) return std::nullopt;
  unsigned char byte = 0;
  const ssize_t count = ::read(fd_, &byte, 1);
  if (count < 0 && errno == EINTR) return std::nullopt;
  if (count <= 0) return gone();
  return byte;
}

Result<Key> DescriptorTeletype::read_key(std::optional<std::chrono::milliseconds> wait) {
  take();
  const auto longest = static_cast<std::chrono::milliseconds::rep>(std::numeric_limits<int>::max());
  const int milliseconds = wait ? static_cast<int>(std::min(wait->count(), longest)) : -1;
  PVHGRUB_TRY_ASSIGN(const std::optional<unsigned char> first, read_byte(milliseconds));
  if (!first) return Key{};
  if (*first == kEscape) {
    bool sequence = false;
    for (std::size_t i = 0; i < kLongestSequence; ++i) {
      PVHGRUB_TRY_ASSIGN(const auto next, read_byte(kSequenceMilliseconds));
      if (!next) break;
      sequence = true;
      // ECMA-48, 5.4: a final byte ends it; '[' and 'O' are what introduces one.
      if (i > 0 && *next >= 0x40 && *next <= 0x7E) break;
    }
    return Key{sequence ? Key::Kind::kUnknown : Key::Kind::kEscape};
  }
  if (*first < 0x80) return key_of(*first);
  if (!utf8_) return Key{Key::Kind::kUnknown};
  std::string bytes(1, static_cast<char>(*first));
  while (bytes.size() < 4) {
    const CodePoint point = decode_utf8(bytes);
    if (point.length != 0) return Key{Key::Kind::kCharacter, point.value};
    PVHGRUB_TRY_ASSIGN(const auto next, read_byte(kSequenceMilliseconds));
    if (!next) return Key{Key::Kind::kUnknown};
    bytes += static_cast<char>(*next);
  }
  const CodePoint point = decode_utf8(bytes);
  if (point.length != 0) return Key{Key::Kind::kCharacter, point.value};
  return Key{Key::Kind::kUnknown};
}

}  // namespace pvhgrub::menu
