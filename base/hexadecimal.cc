// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/hexadecimal.h"

#include <string_view>

namespace pvhgrub {

std::string hexadecimal(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::string uuid_text(Bytes bytes) {
  std::string text = hexadecimal(bytes);
  for (const std::size_t place : {8U, 13U, 18U, 23U})
    if (place <= text.size()) text.insert(place, 1, '-');
  return text;
}

}  // namespace pvhgrub
