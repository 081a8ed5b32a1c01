// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace pvhgrub::grubcfg {

/// A command's status, as `$?` shows it: 0 or GRUB's error number. Scripts see the numbers, so they are
/// GRUB's own (grub_err_t, GRUB 2.06).
using Status = int;

inline constexpr Status kStatusOk = 0;
inline constexpr Status kStatusTestFailure = 1;
inline constexpr Status kStatusOutOfMemory = 3;
inline constexpr Status kStatusBadFileType = 4;
inline constexpr Status kStatusFileNotFound = 5;
inline constexpr Status kStatusFileReadError = 6;
inline constexpr Status kStatusBadFilename = 7;
inline constexpr Status kStatusUnknownFileSystem = 8;
inline constexpr Status kStatusBadFileSystem = 9;
inline constexpr Status kStatusBadNumber = 10;
inline constexpr Status kStatusOutOfRange = 11;
inline constexpr Status kStatusUnknownDevice = 12;
inline constexpr Status kStatusBadDevice = 13;
inline constexpr Status kStatusReadError = 14;
inline constexpr Status kStatusUnknownCommand = 16;
inline constexpr Status kStatusInvalidCommand = 17;
inline constexpr Status kStatusBadArgument = 18;
inline constexpr Status kStatusBadOs = 21;
inline constexpr Status kStatusNoKernel = 22;
inline constexpr Status kStatusNotImplemented = 24;
inline constexpr Status kStatusMenu = 27;
inline constexpr Status kStatusIo = 29;
inline constexpr Status kStatusAccessDenied = 30;
inline constexpr Status kStatusExtractor = 31;
inline constexpr Status kStatusNoNetworkCard = 36;
inline constexpr Status kStatusBadSignature = 45;
inline constexpr Status kStatusRecursionDepth = 47;

}  // namespace pvhgrub::grubcfg
