// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors are values: every function that can fail returns Result<T>. No exception crosses a module.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace pvhgrub {

/// What kind of thing went wrong. The exit status follows from it (base/exit_status.h).
enum class ErrorCode : std::uint8_t {
  kIo,           ///< the host failed: read, write, open, no space
  kNotFound,     ///< a file, device or variable that was asked for does not exist
  kWrongType,    ///< it exists, but is a directory where a file was asked for, or the like
  kDamaged,      ///< the guest's bytes contradict their own format
  kUnsupported,  ///< well-formed, but this program cannot read it (encrypted, unknown feature)
  kLimit,        ///< a budget or a ceiling of base/limits.h was hit
  kSyntax,       ///< a boot configuration does not follow its grammar
  kUsage,        ///< the command line of this program is wrong
  kSandbox,      ///< the confinement could not be made
  kProtocol,     ///< the peer on the socketpair broke the protocol
  kNoEntry,      ///< nothing bootable
  kInternal,     ///< a bug in this program
};

/// One failure, told so that a person knows where to look and what to do.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;   ///< what went wrong and, where there is one, the remedy; may hold guest text: escape
                         ///< on output
  std::string where;     ///< partition, file and line, or disk offset; may be empty
  int system_errno = 0;  ///< errno of the host call that failed, or 0

  /// "where: message: strerror", leaving out what is empty.
  [[nodiscard]] std::string describe() const;
};

template <typename T>
using Result = std::expected<T, Error>;

/// Shorthand for a failed Result.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string message,
                                                 std::string where = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(where), 0});
}

/// A failed Result for a host call: takes errno, which the caller has not touched since.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string message, std::string where = {});

/// Puts `place` in front of the error's `where` ("hd0,gpt2" in front of "/boot/grub/grub.cfg:12").
[[nodiscard]] Error at(std::string_view place, Error error);

}  // namespace pvhgrub

// Evaluates a Result-returning expression; returns its error from the enclosing function, else goes on.
#define PVHGRUB_TRY(expression)                                      \
  do {                                                               \
    if (auto pvhgrub_try_result = (expression); !pvhgrub_try_result) \
      return std::unexpected(std::move(pvhgrub_try_result).error()); \
  } while (false)

#define PVHGRUB_CONCATENATE_INNER(a, b) a##b
#define PVHGRUB_CONCATENATE(a, b) PVHGRUB_CONCATENATE_INNER(a, b)
#define PVHGRUB_TRY_ASSIGN_INNER(temporary, target, expression)         \
  auto temporary = (expression);                                        \
  if (!temporary) return std::unexpected(std::move(temporary).error()); \
  target = std::move(*temporary)

// PVHGRUB_TRY_ASSIGN(auto value, expression): declares or assigns `value` from a Result, or returns its
// error.
#define PVHGRUB_TRY_ASSIGN(target, expression) \
  PVHGRUB_TRY_ASSIGN_INNER(PVHGRUB_CONCATENATE(pvhgrub_result_, __LINE__), target, expression)
