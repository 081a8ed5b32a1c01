// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/menu.h"

#include <algorithm>

namespace pvhgrub::grubcfg {

std::string FileReference::to_string() const {
  return (device.empty() ? path : "(" + device + ")" + path) + (part ? ":" + part->name : "");
}

std::vector<std::string> split_user_names(std::string_view list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find_first_of(" ,;|&", begin), list.size());
    if (end > begin) names.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
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
