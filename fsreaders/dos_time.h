// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace pvhgrub::fs {

/// A date and a time as FAT and exFAT store them (fatgen103, "Date and Time Formats"), in seconds since
/// 1970-01-01, as if it were UTC: FAT stores no time zone. 0 where it is no date.
[[nodiscard]] std::int64_t dos_time(std::uint16_t date, std::uint16_t time);

}  // namespace pvhgrub::fs
