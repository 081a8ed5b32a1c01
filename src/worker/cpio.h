// SPDX-License-Identifier: LGPL-2.1-or-later
// The cpio archives that surround initrd files: "newc" format, cpio(5) and Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pvhgrub::worker {

/// Members and contents begin at multiples of this many bytes.
inline constexpr std::uint64_t kCpioAlignment = 4;

/// Makes the headers of one archive, in order.
class CpioWriter {
 public:
  /// The header of a regular file of `size` bytes called `name` (no '/' in front), with those of its
  /// directories that were not made yet in front. Contents follow at once, then padding to kCpioAlignment.
  [[nodiscard]] Result<std::string> file(std::string_view name, std::uint64_t size);

  /// The trailer, after which another archive may begin.
  [[nodiscard]] std::string end();

 private:
  std::set<std::string, std::less<>> directories_;
};

/// An archive without members of exactly `size` bytes (at least 124): a trailer and zero bytes.
[[nodiscard]] std::string empty_cpio(std::size_t size);

}  // namespace pvhgrub::worker
