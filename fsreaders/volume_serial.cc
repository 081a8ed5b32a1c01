// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/volume_serial.h"

#include <string_view>

namespace pvhgrub::fs {

std::string volume_serial(std::uint32_t serial) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) {
    text += kDigits[(serial >> static_cast<unsigned>(shift)) & 0xFU];
    if (shift == 16) text += '-';
  }
  return text;
}

}  // namespace pvhgrub::fs
