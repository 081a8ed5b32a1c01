// SPDX-License-Identifier: LGPL-2.1-or-later
// Gives the disks to QEMU by NBD, so that it needs neither their names nor the right to open them, and cannot
// write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace pvhgrub::appliance {

/// A disk open for reading only.
struct ServedDisk {
  int fd = -1;
  std::uint64_t size = 0;  ///< bytes
};

/// Listens on a socket of the file system at `path` (mode 0600).
[[nodiscard]] Result<UniqueFd> listen_at(const std::string& path);

/// Serves `disks` on `listeners`, one each, until the process ends: NBD's newstyle handshake with one export
/// that is read-only, and simple replies
/// (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md). To be called in a process of its
/// own.
[[noreturn]] void serve_disks(std::vector<UniqueFd> listeners, std::vector<ServedDisk> disks);

}  // namespace pvhgrub::appliance
