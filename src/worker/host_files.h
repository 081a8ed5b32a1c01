// SPDX-License-Identifier: LGPL-2.1-or-later
// The host's own files that take part in a boot: firmware, the PV shim, members of the ramdisk.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/file_system.h"
#include "protocol/messages.h"

namespace pvhgrub::worker {

class HostFiles {
 public:
  /// The request outlives it.
  explicit HostFiles(const protocol::Request& request) : request_(request) {}

  /// The file of that role; nullptr where there is none.
  [[nodiscard]] const protocol::HostFile* find(protocol::HostFile::Role role) const;
  /// All that go into the ramdisk, in order.
  [[nodiscard]] std::vector<const protocol::HostFile*> ramdisk_members() const;

  /// `file` is one of the request's. Its contents go out as one extent.
  [[nodiscard]] std::unique_ptr<fs::File> open(const protocol::HostFile& file) const;

  /// Whether Xen starts it as the kernel of a PVH guest (on arm: of a guest). kUnsupported, with the path and
  /// what to take in its place, where not; errors of reading it.
  [[nodiscard]] Result<void> check_bootable(const protocol::HostFile& file, Budget& budget) const;

 private:
  const protocol::Request& request_;
};

}  // namespace pvhgrub::worker
