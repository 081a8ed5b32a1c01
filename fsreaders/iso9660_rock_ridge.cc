// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/iso9660_rock_ridge.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "fsreaders/little_endian_fields.h"

namespace pvhgrub::fs {
namespace {

// Flags of SL's component records (RRIP 4.1.3.1) and of NM (4.1.4).
constexpr std::uint8_t kContinue = 1;
constexpr std::uint8_t kCurrent = 2;
constexpr std::uint8_t kParent = 4;
constexpr std::uint8_t kRoot = 8;

struct Continuation {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

class SystemUseReader {
 public:
  explicit SystemUseReader(Iso9660Volume& volume) : volume_(volume) {}

  Result<RockRidge> read(Bytes area) {
    std::vector<std::byte> continued;
    // SUSP has no limit; 32 areas are 64 KiB, more than the longest name and target need.
    for (std::size_t areas = 0;; ++areas) {
      PVHGRUB_TRY_ASSIGN(const std::optional<Continuation> next, read_area(area));
      if (!next || next->length == 0) return std::move(found_);
      if (areas >= limits::kIso9660Continuations)
        return damaged_iso9660("system use areas that come to no end", next->offset);
      PVHGRUB_TRY_ASSIGN(continued, volume_.read(next->offset, next->length));
      area = continued;
    }
  }

 private:
  // SUSP 5: signature, length, version, data. An entry that does not fit ends the area, as zeros behind the
  // last one do.
  Result<std::optional<Continuation>> read_area(Bytes area) {
    std::optional<Continuation> next;
    while (area.size() >= 4) {
      PVHGRUB_TRY(volume_.budget().charge_steps(1, "reading Rock Ridge entries"));
      const auto length = std::to_integer<std::size_t>(area[2]);
      if (length < 4 || length > area.size()) break;
      const std::string_view signature = as_text(area.first(2));
      const Bytes entry = area.first(length);
      if (signature == "ST") break;
      if (signature == "CE" && length >= 28) {
        const LittleEndianFields fields(entry);
        next = Continuation{std::uint64_t{fields.u32(4)} * volume_.block_size() + fields.u32(12),
                            fields.u32(20)};
      } else {
        PVHGRUB_TRY(take(signature, entry));
      }
      area = area.subspan(length);
    }
    return next;
  }

  Result<void> take(std::string_view signature, Bytes entry) {
    const LittleEndianFields fields(entry);
    if (signature == "SP" && entry.size() >= 7 && fields.u16(4) == 0xEFBE)
      found_.skip = fields.u8(6);
    else if (signature == "ER")
      found_.has_extension = true;
    else if (signature == "PX" && entry.size() >= 12)
      found_.mode = fields.u32(4);
    else if (signature == "NM" && entry.size() >= 5)
      return take_name(fields.u8(4), as_text(entry.subspan(5)));
    else if (signature == "SL" && entry.size() >= 5)
      return take_link(entry.subspan(5));
    else if (signature == "CL" && entry.size() >= 12)
      found_.child = fields.u32(4);
    else if (signature == "RE")
      found_.relocated = true;
    else if (signature == "ZF" && entry.size() >= 16)
      found_.zisofs = true;
    return {};
  }

  Result<void> take_name(std::uint8_t flags, std::string_view part) {
    if ((flags & (kCurrent | kParent)) != 0) {
      found_.is_dot = true;
      return {};
    }
    if (!found_.name) found_.name = std::string();
    if (found_.name->size() + part.size() > limits::kPathBytes)
      return damaged_iso9660("a name of more than " + std::to_string(limits::kPathBytes) + " bytes", 0);
    found_.name->append(part);
    return {};
  }

  // RRIP 4.1.3: components that are joined by '/', but for those that continue the one before.
  Result<void> take_link(Bytes components) {
    while (components.size() >= 2) {
      const auto flags = std::to_integer<std::uint8_t>(components[0]);
      const auto length = std::to_integer<std::size_t>(components[1]);
      if (length > components.size() - 2) break;
      std::string_view part = as_text(components.subspan(2, length));
      if ((flags & kCurrent) != 0) part = ".";
      if ((flags & kParent) != 0) part = "..";
      if ((flags & kRoot) != 0) {
        found_.link = "/";
      } else {
        if (!found_.link.empty() && !continues_ && found_.link.back() != '/') found_.link += '/';
        found_.link += part;
      }
      continues_ = (flags & kContinue) != 0;
      if (found_.link.size() > limits::kPathBytes)
        return damaged_iso9660(
            "a symbolic link's target of more than " + std::to_string(limits::kPathBytes) + " bytes", 0);
      components = components.subspan(2 + length);
    }
    return {};
  }

  Iso9660Volume& volume_;
  RockRidge found_;
  bool continues_ = false;  // the link's last component goes on in the next one
};

}  // namespace

Result<RockRidge> read_rock_ridge(Iso9660Volume& volume, Bytes system_use) {
  return SystemUseReader(volume).read(system_use);
}

}  // namespace pvhgrub::fs
