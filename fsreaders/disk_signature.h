// SPDX-License-Identifier: LGPL-2.1-or-later
// What a device holds, by its magic numbers; and which of it can be read.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// A reader: mounts what `source` holds. Both outlive the result.
using OpenFileSystem = Result<std::unique_ptr<FileSystem>> (*)(BlockSource& source, Budget& budget);

/// All other disks, partitions and volumes of the request, for formats that lie on several. Asked for only
/// where it is so. What it gives outlives the file system.
using OtherDevices = std::function<std::vector<BlockSource*>()>;
/// The same as OpenFileSystem for those.
using OpenFileSystemOfDevices = Result<std::unique_ptr<FileSystem>> (*)(BlockSource& source,
                                                                        const OtherDevices& others,
                                                                        Budget& budget);

/// One known format.
struct Format {
  std::string_view name;          ///< for messages, as in "holds ...": "XFS", "an LVM2 physical volume"
  OpenFileSystem open = nullptr;  ///< nullptr: known by sight, but this version cannot read it
  std::string_view remedy = {};   ///< what the user can do where it cannot be read; may be empty
  OpenFileSystemOfDevices open_of_devices = nullptr;  ///< instead of `open` where it may lie on several
  bool no_files = false;  ///< holds none, or none without a key: no appliance could read it either
};

/// The format of what `source` holds, or nullptr where no known magic is found. The formats that hide others
/// (encryption, volumes, RAID members) win over file systems whose old superblock may have survived below
/// them.
[[nodiscard]] Result<const Format*> recognise_format(BlockSource& source);

/// Whether a volume descriptor of ISO 9660 stands where its first must. Costs one read.
[[nodiscard]] Result<bool> holds_iso9660(BlockSource& source);

/// Whether the superblock of a Linux MD RAID (0.90 or 1.0) stands at the end of `source`, behind what may
/// look like a whole file system of its own.
[[nodiscard]] Result<bool> is_md_member_by_its_end(BlockSource& source);

}  // namespace pvhgrub::fs
