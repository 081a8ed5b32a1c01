// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/inspection.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/escape.h"

namespace pvhgrub::protocol {
namespace {

std::string format_for_person(const std::vector<FactMessage>& facts) {
  std::size_t width = 0;
  for (const FactMessage& fact : facts) width = std::max(width, std::min<std::size_t>(fact.name.size(), 24));
  std::string text;
  std::string group;
  for (const FactMessage& fact : facts) {
    if (text.empty() || fact.group != group) {
      group = fact.group;
      text += (text.empty() ? "" : "\n") + escape_for_terminal(group) + "\n";
    }
    std::string name = escape_for_terminal(fact.name);
    if (name.size() < width) name.resize(width, ' ');
    text += "  " + name + "  " + escape_for_terminal(fact.value) + "\n";
  }
  return text;
}

std::string format_as_json(const std::vector<FactMessage>& facts) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const FactMessage& fact : facts) {
    nlohmann::ordered_json& value = all[to_valid_utf8(fact.group)][to_valid_utf8(fact.name)];
    const std::string text = to_valid_utf8(fact.value);
    if (value.is_null()) {
      value = text;
    } else {
      if (!value.is_array()) value = nlohmann::ordered_json::array({value});
      value.push_back(text);
    }
  }
  return all.dump(2) + "\n";
}

}  // namespace

std::string format_inspection(const std::vector<FactMessage>& facts, bool json) {
  return json ? format_as_json(facts) : format_for_person(facts);
}

}  // namespace pvhgrub::protocol
