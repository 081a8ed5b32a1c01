// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a byte of a volume lies on the devices that the volume is made of, as Linux places it (drivers/md:
// raid0.c, raid1.c, raid10.c, raid5.c).
#pragma once

#include <cstdint>
#include <vector>

namespace pvhgrub::fs {

/// How the bytes of a volume, or of one segment of it, are spread over its legs.
struct VolumeLayout {
  enum class Kind : std::uint8_t {
    kMirrored,  ///< every leg holds all; with one leg: linear
    kStriped,   ///< chunks by turns
    kRaid10,    ///< chunks by turns, each several times
    kParity,    ///< chunks by turns, with one or two legs of each row for parity
  };
  /// Who holds the parity of a row; the numbers are those of MD's superblock for level 5 and 6.
  enum class Parity : std::uint8_t {
    kLeftAsymmetric = 0,
    kRightAsymmetric = 1,
    kLeftSymmetric = 2,
    kRightSymmetric = 3,
    kFirst = 4,
    kLast = 5,
    kZeroRestart = 8,
    kNextRestart = 9,
    kNextContinue = 10,
  };

  Kind kind = Kind::kMirrored;
  std::uint64_t chunk = 0;        ///< bytes, not 0 unless kMirrored
  std::uint32_t legs = 1;         ///< at least 1; more than parity_legs; raid10: at least near * far
  std::uint32_t near_copies = 1;  ///< raid10: copies beside each other
  std::uint32_t far_copies = 1;   ///< raid10: copies `stride` bytes further on the legs that follow
  bool far_offset = false;        ///< raid10: the far copies follow each row
  std::uint64_t stride = 0;       ///< bytes
  std::uint32_t parity_legs = 0;  ///< 1 or 2 of kParity
  Parity parity = Parity::kLeftSymmetric;
};

/// One copy of some bytes.
struct VolumePlace {
  std::uint32_t leg = 0;
  std::uint64_t offset = 0;  ///< bytes from where the layout begins on the leg
  friend bool operator==(const VolumePlace&, const VolumePlace&) = default;
};

/// All copies of the bytes from `offset` on, the first choice first.
struct VolumePlaces {
  std::vector<VolumePlace> copies;
  std::uint64_t length = 0;  ///< bytes that lie together in each copy; UINT64_MAX where nothing cuts them
};

/// `offset` is inside the volume; where the volume's size does not exceed what its legs hold, nothing
/// overflows.
[[nodiscard]] VolumePlaces find_places(const VolumeLayout& layout, std::uint64_t offset);

}  // namespace pvhgrub::fs
