// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

Result<std::string> read_whole_file(File& file, std::string_view path, std::size_t maximum, Budget& budget) {
  if (file.size() > maximum)
    return fail(ErrorCode::kLimit,
                "the file has " + std::to_string(file.size()) + " bytes, more than the " +
                    std::to_string(maximum) + " that are read of such a file",
                std::string(path));
  PVHGRUB_TRY(budget.charge_bytes(file.size(), "reading " + std::string(path)));
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  PVHGRUB_TRY_ASSIGN(const std::size_t count, file.read(0, std::as_writable_bytes(std::span(text))));
  text.resize(count);
  return text;
}

}  // namespace pvhgrub::fs
