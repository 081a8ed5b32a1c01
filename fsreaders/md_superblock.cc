// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/md_superblock.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/volume_limits.h"

namespace pvhgrub::fs {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint32_t kMagic = 0xA92B'4EFC;
constexpr std::size_t kBytes = 4096;

// Version 1: bits of feature_map.
constexpr std::uint32_t kRecoveryOffset = 2;
constexpr std::uint32_t kReshapeActive = 4;
constexpr std::uint32_t kBadBlocks = 8;
constexpr std::uint32_t kJournal = 512;
constexpr std::uint32_t kRaid0Layout = 4096;
/// Where the roles of the members begin, and the first value that is no place in the array.
constexpr std::size_t kRoles = 256;
constexpr std::uint16_t kFirstSpecialRole = 0xFD00;
constexpr std::size_t kChecksum = 216;

// Version 0.90: words of four bytes.
constexpr std::uint32_t kOldMinor = 90;
constexpr std::uint32_t kOldMinorReshaping = 91;
constexpr std::size_t kOldChecksum = 38;
constexpr std::size_t kOldMembers = 128;
constexpr std::size_t kOldMemberWords = 32;
constexpr std::size_t kOldMemberCount = 27;
constexpr std::size_t kOldThis = 992;
constexpr std::uint32_t kOldActiveAndSync = 6;
constexpr std::uint32_t kOldFaulty = 1;

using Block = std::array<std::byte, kBytes>;

template <typename T>
T number_at(const Block& block, std::size_t offset) {
  ByteReader reader(Bytes(block).subspan(offset, sizeof(T)));
  return reader.little_endian<T>().value_or(0);
}

std::string hexadecimal(std::uint64_t value, unsigned digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned shift = digits * 4; shift > 0; shift -= 4) text += kDigits[(value >> (shift - 4)) & 0xF];
  return text;
}

/// The sum of words of four bytes, what is carried out added at the end, without the word at `checksum`.
bool sums_agree(const Block& block, std::size_t size, std::size_t checksum) {
#ifdef PVHGRUB_FUZZING
  static_cast<void>(block);
  static_cast<void>(size);
  static_cast<void>(checksum);
  return true;
#else
  std::uint64_t sum = 0;
  std::size_t position = 0;
  for (; position + 4 <= size; position += 4)
    if (position != checksum) sum += number_at<std::uint32_t>(block, position);
  if (position + 2 <= size) sum += number_at<std::uint16_t>(block, position);
  return static_cast<std::uint32_t>((sum & 0xFFFF'FFFF) + (sum >> 32)) ==
         number_at<std::uint32_t>(block, checksum);
#endif
}

std::unexpected<Error> damaged(std::uint64_t place, std::string_view what) {
  return fail(ErrorCode::kDamaged,
              "the MD superblock " + std::string(what) + "; in the guest, `mdadm --examine' tells more",
              "byte " + std::to_string(place));
}

/// What both versions must keep.
Result<MdSuperblock> checked(MdSuperblock superblock, std::uint64_t place, std::uint64_t size) {
  if (superblock.legs == 0 || superblock.legs > limits::kVolumeLegs)
    return damaged(place, "tells of " + std::to_string(superblock.legs) + " members");
  if (!range_inside(superblock.data_offset, superblock.data_size, size) ||
      superblock.used > superblock.data_size)
    return damaged(place, "tells of data that does not lie on the member");
  for (std::uint32_t& slot : superblock.slots)
    if (slot >= superblock.legs) slot = MdSuperblock::kNoSlot;
  return superblock;
}

/// Entries of the log of bad blocks; 0 where it cannot be read.
std::size_t count_bad_ranges(BlockSource& source, const Block& block, std::uint64_t place) {
  const auto sectors = number_at<std::uint16_t>(block, 186);
  const auto offset = static_cast<std::int32_t>(number_at<std::uint32_t>(block, 188));
  Block log{};
  const auto size = std::min<std::size_t>(sectors * kSector, log.size());
  const std::int64_t begin = static_cast<std::int64_t>(place) + std::int64_t{offset} * 512;
  if (begin < 0 || !range_inside<std::uint64_t>(static_cast<std::uint64_t>(begin), size, source.size()))
    return 0;
  if (!source.read_at(static_cast<std::uint64_t>(begin), std::span(log).first(size))) return 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i + 8 <= size && number_at<std::uint64_t>(log, i) != UINT64_MAX; i += 8) ++count;
  return count;
}

/// Sectors as bytes, or the largest number where that does not fit: then it does not lie on the member
/// either.
std::uint64_t bytes_of(std::uint64_t sectors) {
  return checked_multiply(sectors, kSector).value_or(UINT64_MAX);
}

Result<std::optional<MdSuperblock>> parse_version_1(BlockSource& source, const Block& block,
                                                    std::uint64_t place, std::string_view version) {
  // A copy that a partition's end shares with the disk's, or of a device that has another size now.
  if (bytes_of(number_at<std::uint64_t>(block, 144)) != place) return std::nullopt;
  const auto members = number_at<std::uint32_t>(block, 220);
  if (members > (kBytes - kRoles) / 2) return damaged(place, "has more members than room for them");
  if (!sums_agree(block, kRoles + std::size_t{2} * members, kChecksum))
    return damaged(place, "has a wrong checksum");
  MdSuperblock superblock;
  superblock.version = version;
  for (std::size_t i = 0; i < 16; ++i)
    superblock.uuid += hexadecimal(std::to_integer<std::uint64_t>(block[16 + i]), 2);
  std::string_view name = as_text(Bytes(block).subspan(32, 32));
  name = name.substr(0, name.find('\0'));
  superblock.name = name.substr(name.find(':') + 1);  // "host:name"
  const auto features = number_at<std::uint32_t>(block, 8);
  superblock.level = static_cast<std::int32_t>(number_at<std::uint32_t>(block, 72));
  superblock.layout = number_at<std::uint32_t>(block, 76);
  superblock.used = bytes_of(number_at<std::uint64_t>(block, 80));
  superblock.chunk = number_at<std::uint32_t>(block, 88) * kSector;
  superblock.legs = number_at<std::uint32_t>(block, 92);
  superblock.data_offset = bytes_of(number_at<std::uint64_t>(block, 128));
  superblock.data_size = bytes_of(number_at<std::uint64_t>(block, 136));
  superblock.number = number_at<std::uint32_t>(block, 160);
  superblock.events = number_at<std::uint64_t>(block, 200);
  for (std::size_t i = 0; i < members; ++i) {
    const auto role = number_at<std::uint16_t>(block, kRoles + 2 * i);
    superblock.slots.push_back(role < kFirstSpecialRole ? role : MdSuperblock::kNoSlot);
  }
  superblock.recovering = (features & kRecoveryOffset) != 0;
  superblock.reshaping = (features & kReshapeActive) != 0;
  superblock.journal = (features & kJournal) != 0;
  superblock.alternate_zones = (features & kRaid0Layout) != 0 && superblock.layout == 2;
  if ((features & kBadBlocks) != 0) superblock.bad_ranges = count_bad_ranges(source, block, place);
  return checked(std::move(superblock), place, source.size());
}

Result<std::optional<MdSuperblock>> parse_version_0(BlockSource& source, const Block& block,
                                                    std::uint64_t place) {
  const auto word = [&](std::size_t index) { return number_at<std::uint32_t>(block, index * 4); };
  if (word(1) != 0 || (word(2) != kOldMinor && word(2) != kOldMinorReshaping)) return std::nullopt;
  if (!sums_agree(block, kBytes, kOldChecksum * 4)) return damaged(place, "has a wrong checksum");
  MdSuperblock superblock;
  superblock.version = "0.90";
  for (const std::size_t index : {std::size_t{5}, std::size_t{13}, std::size_t{14}, std::size_t{15}})
    superblock.uuid += hexadecimal(word(index), 8);
  superblock.name = "md" + std::to_string(word(11));  // as GRUB calls it: "md/md0"
  superblock.level = static_cast<std::int32_t>(word(7));
  superblock.used = std::uint64_t{word(8)} * 1024;
  superblock.legs = word(10);
  superblock.layout = word(64);
  superblock.chunk = word(65);
  superblock.data_size = place;
  superblock.events = (std::uint64_t{word(40)} << 32) | word(39);
  superblock.number = word(kOldThis);
  superblock.reshaping = word(2) == kOldMinorReshaping;
  for (std::size_t i = 0; i < kOldMemberCount; ++i) {
    const std::size_t member = kOldMembers + i * kOldMemberWords;
    const std::uint32_t state = word(member + 4);
    const bool good = (state & kOldActiveAndSync) == kOldActiveAndSync && (state & kOldFaulty) == 0;
    superblock.slots.push_back(good ? word(member + 3) : MdSuperblock::kNoSlot);
  }
  return checked(std::move(superblock), place, source.size());
}

struct Place {
  std::uint64_t offset = 0;
  std::string_view version;
};

/// md(4) and drivers/md/md.c, super_90_load and super_1_load: 1.1 at the start, 1.2 4 KiB behind it, 1.0 at
/// least 8 KiB before the end, 0.90 in the last whole 64 KiB before the last 64 KiB.
std::vector<Place> places_on(std::uint64_t size) {
  constexpr std::uint64_t kReserved = 65'536;
  const std::uint64_t sectors = size / kSector;
  std::vector<Place> places = {{4096, "1.2"}, {0, "1.1"}};
  if (sectors >= 24) places.push_back({(sectors - 16) / 8 * 8 * kSector, "1.0"});
  if (size >= 2 * kReserved) places.push_back({size / kReserved * kReserved - kReserved, "0.90"});
  return places;
}

}  // namespace

Result<std::optional<MdSuperblock>> read_md_superblock(BlockSource& source, Budget& budget) {
  std::optional<Error> problem;
  std::optional<MdSuperblock> newest;
  for (const Place& place : places_on(source.size())) {
    Block block{};
    if (!range_inside<std::uint64_t>(place.offset, block.size(), source.size())) continue;
    PVHGRUB_TRY(budget.charge_bytes(block.size(), "looking for MD's superblock"));
    PVHGRUB_TRY(source.read_at(place.offset, block));
    if (number_at<std::uint32_t>(block, 0) != kMagic) continue;
    const bool old = number_at<std::uint32_t>(block, 4) == 0;
    if (old != (place.version == "0.90")) continue;
    auto parsed = old ? parse_version_0(source, block, place.offset)
                      : parse_version_1(source, block, place.offset, place.version);
    if (!parsed) {
      if (!problem) problem = std::move(parsed).error();
    } else if (*parsed && !newest) {
      newest = std::move(*parsed);
    }
  }
  if (newest) return newest;
  if (problem) return std::unexpected(*std::move(problem));
  return std::nullopt;
}

}  // namespace pvhgrub::fs
