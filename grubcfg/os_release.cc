// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/os_release.h"

#include <initializer_list>
#include <map>

#include "grubcfg/key_value_lines.h"

namespace pvhgrub::grubcfg {

Result<OsRelease> parse_os_release(std::string_view text, Budget& budget) {
  std::map<std::string_view, std::string_view> fields;
  KeyValueLines lines(text, "=");
  while (const std::optional<KeyValueLine> line = lines.next()) {
    PVHGRUB_TRY(budget.charge_steps(1, "reading os-release texts"));
    if (line->value && !line->value->empty()) fields[line->key] = *line->value;
  }
  const auto first_of = [&](std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys)
      if (const auto found = fields.find(key); found != fields.end()) return std::string(found->second);
    return std::string();
  };
  return OsRelease{first_of({"PRETTY_NAME", "IMAGE_ID", "NAME", "ID"}),
                   first_of({"IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"}),
                   first_of({"IMAGE_ID", "ID"})};
}

}  // namespace pvhgrub::grubcfg
