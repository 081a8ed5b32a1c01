// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/exfat_names.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/bytes.h"
#include "fsreaders/utf16.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kUnits = 65'536;
// Section 7.2.5: behind it stands how many units are their own upper case.
constexpr std::uint16_t kIdentityRun = 0xFFFF;

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::kDamaged, "the up-case table " + what);
}

// Section 7.2.2.
std::uint32_t checksum_of(Bytes bytes) {
  std::uint32_t sum = 0;
  for (const std::byte byte : bytes)
    sum = ((sum & 1U) << 31U) + (sum >> 1U) + std::to_integer<std::uint32_t>(byte);
  return sum;
}

Result<std::vector<std::byte>> read_bytes(ClusterTable& table, std::uint32_t first_cluster,
                                          std::size_t length) {
  std::vector<std::byte> bytes;
  PVHGRUB_TRY_ASSIGN(ClusterStream stream, ClusterStream::of_chain(table, first_cluster));
  while (bytes.size() < length) {
    PVHGRUB_TRY_ASSIGN(const Bytes piece, stream.next());
    if (piece.empty()) return damaged("is cut off");
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  bytes.resize(length);
  return bytes;
}

}  // namespace

ExfatUpcaseTable::ExfatUpcaseTable() : upper_(kUnits) {
  std::iota(upper_.begin(), upper_.end(), std::uint16_t{0});
  std::iota(upper_.begin() + 'a', upper_.begin() + 'z' + 1, std::uint16_t{'A'});
}

Result<ExfatUpcaseTable> ExfatUpcaseTable::read(ClusterTable& table, std::uint32_t first_cluster,
                                                std::uint64_t length, std::uint32_t checksum) {
  if (length % 2 != 0 || length == 0 || length > kUnits * 2)
    return damaged("has " + std::to_string(length) + " bytes");
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> bytes,
                     read_bytes(table, first_cluster, static_cast<std::size_t>(length)));
  if (checksum_of(bytes) != checksum) return damaged("does not have the checksum that its entry says");
  ExfatUpcaseTable upcase;
  std::size_t unit = 0;
  for (ByteReader reader(bytes); reader.remaining() > 0;) {
    PVHGRUB_TRY_ASSIGN(const auto value, reader.little_endian<std::uint16_t>());
    if (value == kIdentityRun && reader.remaining() > 0) {
      PVHGRUB_TRY_ASSIGN(const auto count, reader.little_endian<std::uint16_t>());
      if (count > kUnits - unit) return damaged("has more than 65,536 characters");
      for (std::size_t i = 0; i < count; ++i, ++unit) upcase.upper_[unit] = static_cast<std::uint16_t>(unit);
      continue;
    }
    if (unit >= kUnits) return damaged("has more than 65,536 characters");
    upcase.upper_[unit++] = value;
  }
  return upcase;
}

std::string ExfatUpcaseTable::fold(std::string_view name) const {
  const std::optional<std::u16string> units = utf16_of_utf8(name);
  std::string folded;
  if (!units) return folded;
  folded.reserve(units->size() * 2);
  for (const char16_t unit : *units) {
    const std::uint32_t upper = upper_[unit];
    folded += static_cast<char>(static_cast<unsigned char>(upper >> 8U));
    folded += static_cast<char>(static_cast<unsigned char>(upper & 0xFFU));
  }
  return folded;
}

}  // namespace pvhgrub::fs
