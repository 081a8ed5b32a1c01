// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/lvm_metadata.h"
#include "fsreaders/volume_source.h"

namespace pvhgrub::fs {

/// Makes the logical volumes of one group from its physical ones.
class LvmGroupAssembler {
 public:
  /// `physical`: the devices by UUID (without dashes), of those that are there. `sources` gets what is made.
  /// All outlive this.
  LvmGroupAssembler(const LvmVolumeGroup& group,
                    const std::map<std::string, BlockSource*, std::less<>>& physical,
                    std::vector<std::unique_ptr<BlockSource>>& sources, Budget& budget);

  /// The bytes of a logical volume, by its number in the group. kUnsupported: of a kind that cannot be read,
  /// or a physical volume that it needs is missing. kDamaged. kLimit.
  [[nodiscard]] Result<BlockSource*> open(std::size_t number);
  /// Its size in bytes, also where it cannot be opened; 0 where it is too large.
  [[nodiscard]] std::uint64_t size_of(std::size_t number) const;

 private:
  enum class State : std::uint8_t { kUntouched, kBeingMade, kMade };
  struct Made {
    State state = State::kUntouched;
    BlockSource* source = nullptr;
    std::optional<Error> problem;
  };

  [[nodiscard]] Result<BlockSource*> make(std::size_t number);
  [[nodiscard]] Result<VolumeSegment> make_segment(const LvmLogicalVolume& volume, const LvmSegment& segment);
  [[nodiscard]] Result<VolumeLayout> layout_of(const LvmSegment& segment) const;
  /// Bytes of each leg that the segment takes.
  [[nodiscard]] Result<std::uint64_t> leg_bytes(const VolumeSegment& segment) const;
  /// A leg of `bytes`; without source where the physical volume is missing, which `missing` then names.
  [[nodiscard]] Result<VolumeLeg> make_leg(const LvmArea& area, std::uint64_t bytes, std::string& missing);
  /// Takes the legs away whose contents are not complete, as the records of their states say.
  [[nodiscard]] Result<void> drop_stale_legs(const LvmSegment& segment, VolumeSegment& made);

  const LvmVolumeGroup& group_;
  const std::map<std::string, BlockSource*, std::less<>>& physical_;
  std::vector<std::unique_ptr<BlockSource>>& sources_;
  Budget& budget_;
  std::map<std::string_view, const LvmPhysicalVolume*> physical_by_name_;
  std::map<std::string_view, std::size_t> logical_by_name_;
  std::vector<Made> made_;
  unsigned depth_ = 0;
  std::size_t segments_ = 0;
};

}  // namespace pvhgrub::fs
