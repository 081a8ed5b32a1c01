// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_labels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/limits.h"
#include "fsreaders/partition_bsd_label.h"
#include "fsreaders/partition_conversion.h"

namespace pvhgrub::fs {
namespace {

constexpr std::string_view kFreebsdSlice = "0xa5";
constexpr std::string_view kOpenbsdSlice = "0xa6";
constexpr std::string_view kNetbsdSlice = "0xa9";
/// "FreeBSD disklabel" among the GPT's types (gpart(8), type "freebsd").
constexpr std::string_view kFreebsdGptType = "516e7cb4-6ecf-11d6-8ff8-00022d09712b";
constexpr unsigned kPrimaryPartitions = 4;
/// Of partitions that only stand for the whole disk, most often.
constexpr std::string_view kUnusedType = "bsd:0x00";

class LabelReader {
 public:
  LabelReader(BlockSource& disk, const std::string& name, Budget& budget, PartitionTable& table)
      : disk_(disk), name_(name), budget_(budget), table_(table) {}

  Result<void> add_all();

 private:
  /// The label of what begins at byte `begin`, called `where`.
  Result<std::optional<BsdLabel>> find(std::uint64_t begin, const std::string& where);
  /// The partitions of a label whose entries count from byte `base`, but from its sector `first`.
  std::vector<Partition> convert(const BsdLabel& label, const std::string& prefix, std::uint64_t base,
                                 std::uint64_t first);
  Result<std::vector<Partition>> read_whole_disk();
  Result<std::vector<Partition>> read_inside(const Partition& slice);
  Result<std::vector<Partition>> read_first_slice(std::string_view type, const std::string& prefix);

  BlockSource& disk_;
  const std::string& name_;
  Budget& budget_;
  PartitionTable& table_;
};

Result<std::optional<BsdLabel>> LabelReader::find(std::uint64_t begin, const std::string& where) {
  PVHGRUB_TRY(budget_.charge_steps(1, "looking for BSD labels on " + name_));
  const auto place = checked_add<std::uint64_t>(begin, kLabelSectorSize);
  if (!place || !range_inside<std::uint64_t>(*place, kLabelSectorSize, disk_.size())) return std::nullopt;
  std::array<std::byte, kLabelSectorSize> sector{};
  if (auto read = disk_.read_at(*place, sector); !read) {
    if (read.error().code == ErrorCode::kLimit) return std::unexpected(std::move(read).error());
    table_.notes.push_back(where + " is not searched for a BSD label: " + read.error().describe());
    return std::nullopt;
  }
  PVHGRUB_TRY_ASSIGN(std::optional<BsdLabel> label, parse_bsd_label(sector));
  if (label && label->claimed > kBsdPartitions) {
    table_.notes.push_back("the BSD label of " + where + " says that it has " +
                           std::to_string(label->claimed) + " partitions: only the " +
                           std::to_string(kBsdPartitions) + " that fit its sector are read");
  } else if (label && !label->intact) {
    table_.notes.push_back("the BSD label of " + where +
                           " has a wrong checksum: GRUB uses it, the BSDs do not (in the guest, "
                           "'disklabel' or 'bsdlabel -w' writes it anew)");
  }
  return label;
}

std::vector<Partition> LabelReader::convert(const BsdLabel& label, const std::string& prefix,
                                            std::uint64_t base, std::uint64_t first) {
  const TablePlace place{disk_, name_, prefix, kLabelSectorSize, base};
  std::vector<Partition> found;
  for (TableEntry entry : label.entries) {
    if (entry.start < first) {
      if (entry.type != kUnusedType)
        table_.notes.push_back(name_ + "," + prefix + std::to_string(entry.number) +
                               " is left out: it begins in front of what its BSD label divides");
      continue;
    }
    entry.start -= first;
    if (auto partition = convert_entry(place, entry, table_.notes)) found.push_back(std::move(*partition));
  }
  return found;
}

Result<std::vector<Partition>> LabelReader::read_whole_disk() {
  PVHGRUB_TRY_ASSIGN(const std::optional<BsdLabel> label, find(0, name_));
  if (!label) return {};
  if (table_.kind == PartitionTable::Kind::kNone) {
    table_.kind = PartitionTable::Kind::kBsd;
    table_.sector_size = kLabelSectorSize;
  }
  return convert(*label, "bsd", 0, 0);
}

Result<std::vector<Partition>> LabelReader::read_inside(const Partition& slice) {
  const bool freebsd = slice.type == kFreebsdSlice;
  // The record that FreeBSD writes on a disk that is its own alone has a slice from sector 0 on.
  if ((!freebsd && slice.type != kFreebsdGptType) || slice.offset == 0) return {};
  PVHGRUB_TRY_ASSIGN(const std::optional<BsdLabel> label, find(slice.offset, name_ + "," + slice.name));
  if (!label) return {};
  std::vector<Partition> found =
      convert(*label, slice.name + ",bsd", slice.offset, freebsd ? label->raw_start : 0);
  std::erase_if(found, [&](const Partition& partition) {
    const bool inside = range_inside(partition.offset - slice.offset, partition.size, slice.size);
    if (!inside && partition.type != kUnusedType)
      table_.notes.push_back(name_ + "," + partition.name + " is left out: it reaches past the end of " +
                             name_ + "," + slice.name + ", in which it lies");
    return !inside;
  });
  return found;
}

Result<std::vector<Partition>> LabelReader::read_first_slice(std::string_view type,
                                                             const std::string& prefix) {
  const std::vector<Partition> slices = table_.partitions;
  for (const Partition& slice : slices) {
    if (slice.type != type || slice.number > kPrimaryPartitions) continue;
    PVHGRUB_TRY_ASSIGN(const std::optional<BsdLabel> label, find(slice.offset, name_ + "," + slice.name));
    if (label) return convert(*label, prefix, 0, 0);
  }
  return {};
}

Result<void> LabelReader::add_all() {
  const bool msdos = table_.kind == PartitionTable::Kind::kMsdos;
  std::vector<Partition> all;
  for (const Partition& slice : table_.partitions) {
    all.push_back(slice);
    PVHGRUB_TRY_ASSIGN(std::vector<Partition> found, read_inside(slice));
    std::ranges::move(found, std::back_inserter(all));
  }
  if (msdos) {
    for (const auto& [type, prefix] :
         {std::pair(kNetbsdSlice, "netbsd"), std::pair(kOpenbsdSlice, "openbsd")}) {
      PVHGRUB_TRY_ASSIGN(std::vector<Partition> found, read_first_slice(type, prefix));
      std::ranges::move(found, std::back_inserter(all));
    }
  }
  // In a GPT's second sector its header lies.
  if (msdos || table_.kind == PartitionTable::Kind::kNone) {
    PVHGRUB_TRY_ASSIGN(std::vector<Partition> found, read_whole_disk());
    std::ranges::move(found, std::back_inserter(all));
  }
  if (all.size() > limits::kPartitions) {
    table_.notes.push_back("only the first " + std::to_string(limits::kPartitions) + " partitions of " +
                           name_ + " are used");
    all.resize(limits::kPartitions);
  }
  table_.partitions = std::move(all);
  return {};
}

bool is_of_label(const Partition& partition) {
  return partition.type.starts_with("bsd:");
}

/// Whether what begins where both do should be looked for in `a`: in a partition of a label rather than in
/// the slice, in the smaller one, in the one that comes first.
bool is_better(const Partition& a, const Partition& b) {
  if (is_of_label(a) != is_of_label(b)) return is_of_label(a);
  return a.size < b.size;
}

/// Fills in `begins_as`.
void tell_same_beginnings(std::vector<Partition>& partitions) {
  if (std::ranges::none_of(partitions, is_of_label)) return;
  for (Partition& partition : partitions) {
    const Partition* best = &partition;
    // Quadratic in at most limits::kPartitions.
    for (const Partition& other : partitions)
      if (other.offset == partition.offset &&
          (is_better(other, *best) || (&other < best && !is_better(*best, other))))
        best = &other;
    if (best != &partition) partition.begins_as = best->name;
  }
}

}  // namespace

Result<void> add_bsd_labels(BlockSource& disk, const std::string& name, Budget& budget,
                            PartitionTable& table) {
  PVHGRUB_TRY(LabelReader(disk, name, budget, table).add_all());
  tell_same_beginnings(table.partitions);
  return {};
}

}  // namespace pvhgrub::fs
