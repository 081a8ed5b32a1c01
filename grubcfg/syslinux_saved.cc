// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/syslinux_saved.h"

#include <array>

#include "base/bytes.h"
#include "grubcfg/file_access.h"

namespace pvhgrub::grubcfg {

namespace {

// libinstaller/setadv.c: the head's and the tail's signature, between them a sum, then records of one byte
// tag, one byte length and as many bytes.
constexpr std::size_t kVectorBytes = 512;
constexpr std::uint32_t kHead = 0x5a2d2fa5;
constexpr std::uint32_t kSum = 0xa3041767;
constexpr std::uint32_t kTail = 0xdd28bf64;
constexpr std::uint8_t kTagEnd = 0;
constexpr std::uint8_t kTagOnce = 1;
constexpr std::uint8_t kTagChoice = 2;

/// The records of one copy; no value where its signatures or its sum are wrong.
std::optional<std::string_view> records_of(std::string_view vector) {
  ByteReader reader(as_bytes(vector));
  std::uint32_t sum = 0;
  for (std::size_t offset = 0; offset < kVectorBytes; offset += sizeof(std::uint32_t)) {
    const Result<std::uint32_t> word = reader.little_endian<std::uint32_t>();
    if (!word) return std::nullopt;
    if (offset == 0) {
      if (*word != kHead) return std::nullopt;
    } else if (offset == kVectorBytes - sizeof(std::uint32_t)) {
      if (*word != kTail || sum != kSum) return std::nullopt;
    } else {
      sum += *word;
    }
  }
  return vector.substr(2 * sizeof(std::uint32_t), kVectorBytes - 3 * sizeof(std::uint32_t));
}

}  // namespace

SyslinuxSaved parse_syslinux_saved(std::string_view bytes) {
  SyslinuxSaved saved;
  if (bytes.size() < 2 * kVectorBytes) return saved;
  std::optional<std::string_view> records = records_of(bytes.substr(0, kVectorBytes));
  if (!records) records = records_of(bytes.substr(kVectorBytes, kVectorBytes));
  if (!records) return saved;
  while (records->size() >= 2) {
    const auto tag = static_cast<std::uint8_t>((*records)[0]);
    const auto length = static_cast<std::uint8_t>((*records)[1]);
    records->remove_prefix(2);
    if (tag == kTagEnd || length > records->size()) break;
    if (tag == kTagOnce && length != 0) saved.once = records->substr(0, length);
    if (tag == kTagChoice && length != 0) saved.choice = records->substr(0, length);
    records->remove_prefix(length);
  }
  return saved;
}

Result<SyslinuxSaved> read_syslinux_saved(GuestFiles files, const std::string& device,
                                          const std::string& directory) {
  constexpr std::array<std::string_view, 6> kCustomary = {"/boot/extlinux", "/boot/syslinux", "/extlinux",
                                                          "/syslinux",      "/boot",          "/"};
  std::unique_ptr<fs::File> file;
  PVHGRUB_TRY_ASSIGN(file, files.open({device, join_path(directory, "ldlinux.sys")}));
  for (const std::string_view place : kCustomary) {
    if (file) break;
    PVHGRUB_TRY_ASSIGN(file, files.open({device, join_path(place, "ldlinux.sys")}));
  }
  if (!file || file->size() < 2 * kVectorBytes) return SyslinuxSaved();
  std::array<std::byte, 2 * kVectorBytes> bytes{};
  const Result<std::size_t> count = file->read(file->size() - bytes.size(), bytes);
  if (!count && is_fatal(count.error())) return std::unexpected(count.error());
  return count && *count == bytes.size() ? parse_syslinux_saved(as_text(bytes)) : SyslinuxSaved();
}

}  // namespace pvhgrub::grubcfg
