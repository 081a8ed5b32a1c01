// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace pvhgrub {

/// CRC-32 as GPT, gzip and GRUB's `crc` use it (reflected, polynomial 0xEDB88320), piece after piece.
class Crc32 {
 public:
  Crc32() = default;
  /// With a start value other than the usual one.
  explicit Crc32(std::uint32_t initial) : state_(initial) {}
  void update(Bytes bytes);
  /// Of all pieces so far.
  [[nodiscard]] std::uint32_t value() const { return ~state_; }

 private:
  std::uint32_t state_ = 0xFFFF'FFFF;
};

/// The same of one piece.
[[nodiscard]] inline std::uint32_t crc32(Bytes bytes) {
  Crc32 crc;
  crc.update(bytes);
  return crc.value();
}

}  // namespace pvhgrub
