// SPDX-License-Identifier: LGPL-2.1-or-later
// The BSD labels of a disk, which lie beside or inside another partition table.
#pragma once

#include <string>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/partition_table.h"

namespace pvhgrub::fs {

/// Adds to the disk's `table` what BSD labels divide the disk and its slices into, by GRUB's names and rules
/// (2.06; as grub-fstest tells them):
/// - a label of the whole disk, which may stand beside a master boot record: "bsd1";
/// - in each slice of FreeBSD (0xa5), after the slice: "msdos1,bsd1". What it says is relative to where its
///   partition c begins; a partition that leaves the slice is left out;
/// - in the first of the four primary slices of NetBSD (0xa9) and of OpenBSD (0xa6) that has one: "netbsd1",
///   "openbsd1", which count from the disk's beginning;
/// - in a GPT partition of FreeBSD's type for that: "gpt1,bsd1", relative to the partition.
/// What is in them is not divided further, so a label that describes itself is no circle. A label that cannot
/// be read, or whose checksum is wrong, is a note. Then tells which partitions begin where another does.
[[nodiscard]] Result<void> add_bsd_labels(BlockSource& disk, const std::string& name, Budget& budget,
                                          PartitionTable& table);

}  // namespace pvhgrub::fs
