// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace pvhgrub {

std::string Error::describe() const {
  std::string text;
  if (!where.empty()) text += where + ": ";
  text += message;
  if (system_errno != 0) {
    text += ": ";
    // strerrordesc_np is a table look-up: unlike strerror it loads no locale, which a confined process
    // cannot.
    const char* description = strerrordesc_np(system_errno);
    text += description != nullptr ? description : "error " + std::to_string(system_errno);
  }
  return text;
}

std::unexpected<Error> fail_errno(std::string message, std::string where) {
  return std::unexpected(Error{ErrorCode::kIo, std::move(message), std::move(where), errno});
}

Error at(std::string_view place, Error error) {
  error.where = error.where.empty() ? std::string(place) : std::string(place) + ": " + error.where;
  return error;
}

}  // namespace pvhgrub
