// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

std::string FileReference::to_string() const {
  return (device.empty() ? path : "(" + device + ")" + path) + (part ? ":" + part->name : "");
}

std::string to_string(const EntryPath& path) {
  std::string text;
  for (const std::size_t index : path) {
    if (!text.empty()) text += '>';
    text += std::to_string(index);
  }
  return text;
}

}  // namespace pvhgrub::grubcfg
