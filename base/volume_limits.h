// SPDX-License-Identifier: LGPL-2.1-or-later
// The ceilings of base/limits.h that concern several disks and the volumes on them, in a header of their own
// since few need them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/limits.h"

namespace pvhgrub::limits {

/// Disks of one request: each is a descriptor of the worker, of which there are kWorkerDescriptors, and the
/// host's own files come behind them.
inline constexpr std::size_t kDisks = 128;
/// A volume group's metadata in bytes: some 600 for each logical volume; LVM makes room for 512 KiB unless
/// told otherwise.
inline constexpr std::uint64_t kVolumeMetadataBytes = 8 * kMiB;
/// Keys and values in it, some 60 bytes of memory each: a logical volume has some 25.
inline constexpr std::size_t kVolumeMetadataItems = 400'000;
/// Sections in one another: LVM's own have four.
inline constexpr std::size_t kVolumeMetadataDepth = 16;
/// Volumes of one request that become devices, each looked at for a file system: a host of many guests has
/// some hundred in a group, a guest some ten.
inline constexpr std::size_t kVolumes = 1000;
/// Logical volumes that lie in one another: a mirror's legs that are being moved make three.
inline constexpr unsigned kVolumeDepth = 8;
/// Legs of one segment or members of one array: MD's own superblock has room for 384.
inline constexpr std::size_t kVolumeLegs = 384;
/// Segments of one volume with those of all it lies on: each costs some 200 bytes.
inline constexpr std::size_t kVolumeSegments = 100'000;

}  // namespace pvhgrub::limits
