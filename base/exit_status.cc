// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/exit_status.h"

namespace pvhgrub {

ExitStatus exit_status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return ExitStatus::kUsage;
    case ErrorCode::kSandbox:
      return ExitStatus::kSandbox;
    case ErrorCode::kNoEntry:
      return ExitStatus::kNoEntry;
    case ErrorCode::kDamaged:
    case ErrorCode::kSyntax:
      return ExitStatus::kDamagedGuest;
    case ErrorCode::kLimit:
      return ExitStatus::kLimit;
    case ErrorCode::kIo:
    case ErrorCode::kNotFound:
    case ErrorCode::kWrongType:
    case ErrorCode::kUnsupported:
    case ErrorCode::kProtocol:
    case ErrorCode::kInternal:
      return ExitStatus::kError;
  }
  return ExitStatus::kError;
}

}  // namespace pvhgrub
