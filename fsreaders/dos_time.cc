// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/dos_time.h"

#include <chrono>

namespace pvhgrub::fs {

std::int64_t dos_time(std::uint16_t date, std::uint16_t time) {
  const unsigned value = date;
  const std::chrono::year_month_day day{std::chrono::year(1980 + static_cast<int>(value >> 9U)),
                                        std::chrono::month((value >> 5U) & 0xFU),
                                        std::chrono::day(value & 0x1FU)};
  if (!day.ok()) return 0;
  const std::int64_t clock = time;
  return std::chrono::sys_days(day).time_since_epoch().count() * std::int64_t{86'400} +
         (clock >> 11) * 3'600 + ((clock >> 5) & 0x3F) * 60 + (clock & 0x1F) * 2;
}

}  // namespace pvhgrub::fs
