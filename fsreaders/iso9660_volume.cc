// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/iso9660_volume.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "fsreaders/little_endian_fields.h"
#include "fsreaders/utf16.h"

namespace pvhgrub::fs {
namespace {

using namespace std::string_view_literals;

// ECMA-119 8.1: the descriptors begin at logical sector 16, one a sector.
constexpr std::uint64_t kFirstDescriptor = 16 * kIso9660SectorBytes;

enum class DescriptorType : std::uint8_t { kPrimary = 1, kSupplementary = 2, kTerminator = 255 };

// The escape sequences of Joliet's three levels (Joliet specification, "SVD Escape Sequences Field").
bool is_joliet(const LittleEndianFields& fields) {
  const std::string_view escape = as_text(fields.run(88, 3));
  return escape == "%/@" || escape == "%/C" || escape == "%/E";
}

std::string label_of(const LittleEndianFields& fields, bool joliet) {
  const Bytes field = fields.run(40, 32);
  std::string label;
  if (joliet) {
    label = utf8_of_joliet(field);
  } else {
    const std::string_view text = as_text(field);
    label = text.substr(0, text.find('\0'));
  }
  label.resize(label.find_last_not_of(' ') + 1);
  return label;
}

// ECMA-119 8.4.26.1: sixteen digits, year to hundredths of a second, and the zone.
std::string uuid_of(const LittleEndianFields& fields) {
  const std::string_view digits = as_text(fields.run(830, 16));
  if (digits.find_first_not_of('\0') == digits.npos) return {};
  std::string uuid(digits.substr(0, 4));
  for (std::size_t i = 4; i < digits.size(); i += 2) uuid.append("-").append(digits.substr(i, 2));
  uuid.resize(std::min(uuid.find('\0'), uuid.size()));
  return uuid;
}

Result<Iso9660Descriptor> parse_descriptor(Bytes sector, bool joliet, std::uint64_t offset) {
  const LittleEndianFields fields(sector);
  Iso9660Descriptor descriptor;
  descriptor.joliet = joliet;
  descriptor.block_size = fields.u16(128);
  if (descriptor.block_size != 512 && descriptor.block_size != 1024 && descriptor.block_size != 2048)
    return damaged_iso9660("logical blocks of " + std::to_string(descriptor.block_size) + " bytes", offset);
  descriptor.label = label_of(fields, joliet);
  descriptor.uuid = uuid_of(fields);
  std::ranges::copy(fields.run(156, descriptor.root.size()), descriptor.root.begin());
  return descriptor;
}

}  // namespace

std::string utf8_of_joliet(Bytes bytes) {
  std::vector<std::byte> swapped(bytes.begin(), bytes.end());
  for (std::size_t i = 0; i + 1 < swapped.size(); i += 2) std::swap(swapped[i], swapped[i + 1]);
  return utf8_of_utf16(swapped);
}

std::unexpected<Error> damaged_iso9660(std::string what, std::uint64_t offset) {
  return fail(ErrorCode::kDamaged, "ISO 9660, byte " + std::to_string(offset) + ": " + std::move(what) +
                                       "; the image is damaged or cut off, make or copy it anew");
}

Result<Iso9660Descriptors> read_iso9660_descriptors(BlockSource& source, Budget& budget) {
  Iso9660Descriptors found;
  bool has_primary = false;
  std::array<std::byte, kIso9660SectorBytes> sector{};
  for (std::size_t i = 0; i < limits::kIso9660Descriptors; ++i) {
    const std::uint64_t offset = kFirstDescriptor + i * kIso9660SectorBytes;
    if (!range_inside<std::uint64_t>(offset, sector.size(), source.size())) break;
    PVHGRUB_TRY(budget.charge_bytes(sector.size(), "reading the volume descriptors of ISO 9660"));
    PVHGRUB_TRY(source.read_at(offset, sector));
    if (as_text(Bytes(sector).subspan(1, 5)) != "CD001"sv) break;
    const auto type = static_cast<DescriptorType>(sector[0]);
    if (type == DescriptorType::kTerminator) break;
    const bool joliet = type == DescriptorType::kSupplementary && is_joliet(LittleEndianFields(sector));
    if (joliet ? found.joliet.has_value() : type != DescriptorType::kPrimary || has_primary) continue;
    PVHGRUB_TRY_ASSIGN(Iso9660Descriptor descriptor, parse_descriptor(sector, joliet, offset));
    if (joliet) {
      found.joliet = std::move(descriptor);
    } else {
      found.primary = std::move(descriptor);
      has_primary = true;
    }
  }
  if (!has_primary) {
    // ISO/IEC 13346 (UDF) discs have the same magic without it.
    return fail(ErrorCode::kUnsupported, "not an ISO 9660 file system: it has no primary volume descriptor");
  }
  return found;
}

Result<std::vector<std::byte>> Iso9660Volume::read(std::uint64_t offset, std::size_t length) {
  const std::uint64_t number = offset / kIso9660SectorBytes;
  const auto within = static_cast<std::size_t>(offset % kIso9660SectorBytes);
  if (!range_inside(within, length, kIso9660SectorBytes))
    return damaged_iso9660(std::to_string(length) + " bytes that do not lie in one sector", offset);
  const std::vector<std::byte>* sector = sectors_.find(number);
  if (sector == nullptr) {
    const std::uint64_t start = number * kIso9660SectorBytes;
    if (start >= source_.size()) return damaged_iso9660("it lies past the device's end", offset);
    PVHGRUB_TRY(budget_.charge_steps(1, "reading directories of ISO 9660"));
    PVHGRUB_TRY(budget_.charge_bytes(kIso9660SectorBytes, "reading directories of ISO 9660"));
    std::vector<std::byte> bytes(
        static_cast<std::size_t>(std::min<std::uint64_t>(kIso9660SectorBytes, source_.size() - start)));
    PVHGRUB_TRY(source_.read_at(start, bytes));
    sector = &sectors_.put(number, std::move(bytes));
  }
  if (!range_inside(within, length, sector->size()))
    return damaged_iso9660("it lies past the device's end", offset);
  const auto run = Bytes(*sector).subspan(within, length);
  return std::vector<std::byte>(run.begin(), run.end());
}

}  // namespace pvhgrub::fs
