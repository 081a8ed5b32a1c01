// SPDX-License-Identifier: LGPL-2.1-or-later
// The one thing that is ever written to a guest's disk: its environment blocks, as its own GRUB would write
// them
// (--grubenv=write).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "protocol/messages.h"
#include "src/broker/guest_disk.h"
#include "src/broker/termination.h"

namespace pvhgrub::broker {

class EnvironmentWriter {
 public:
  /// A block that was left as it is, and why.
  struct Refusal {
    std::string name;
    Error error;
  };

  /// Opens the disk at `path` a second time, for writing: the descriptor that `disk` holds, which the worker
  /// gets, stays read-only. Fails where it cannot be written or locked, where its permissions let nobody
  /// write, and where the path leads to another file by now.
  [[nodiscard]] static Result<EnvironmentWriter> open(const std::string& path, const GuestDisk& disk);
  /// The same of the guest's next disk, by which extents count.
  [[nodiscard]] Result<void> add_disk(const std::string& path, const GuestDisk& disk);

  /// Writes each block where the disk still holds its old contents, and returns the others. An error, with
  /// nothing written that was not needed, where a block that answers a request for one boot is among those:
  /// then nothing may be booted. What is written is on the disk when this returns.
  ///
  /// The disk is locked meanwhile: by flock(2), since that is what udev and systemd honour on block devices
  /// (https://systemd.io/BLOCK_DEVICE_LOCKING/), and since the kernel drops it with the descriptor however
  /// this program ends. The lock is taken only here, not while the worker runs, since a person may look at a
  /// menu for hours; two that were started at once on the same disk are told apart by the old contents, which
  /// the second no longer finds. Others are waited for, at most `lock_milliseconds`.
  ///
  /// A block is written by one pwrite(2) for each run that it lies in, and only where that changes. GRUB's
  /// own tools make blocks of 1024 bytes in one file system block: one run, inside one page of the host's
  /// cache, which a program that is killed has written whole or not at all. Where the host loses power while
  /// its disk writes, each sector is old or new, as it is when GRUB writes. A block in several runs may be
  /// left half new by either; its old and new contents differ in one or two lines then, and the worker takes
  /// what is no block any more for what cannot be written.
  [[nodiscard]] Result<std::vector<Refusal>> write(const std::vector<protocol::EnvironmentMessage>& changes,
                                                   const Termination* termination,
                                                   std::uint64_t lock_milliseconds);

 private:
  /// One disk, open for writing.
  struct Target {
    UniqueFd fd;
    bool block_device = false;
    std::string path;
  };
  EnvironmentWriter() = default;

  [[nodiscard]] static Result<Target> open_target(const std::string& path, const GuestDisk& disk);
  /// Why the lock on a disk could not be had; no value when it is held. An error: a signal ended the waiting.
  [[nodiscard]] static Result<std::optional<Error>> lock(const Target& target, const Termination* termination,
                                                         std::uint64_t milliseconds);
  /// Whether the disks hold the old contents. Only under the lock.
  [[nodiscard]] Result<void> check(const protocol::EnvironmentMessage& change);
  [[nodiscard]] Result<void> overwrite(const protocol::EnvironmentMessage& change);
  [[nodiscard]] Result<std::vector<Refusal>> write_locked(
      const std::vector<protocol::EnvironmentMessage>& changes);

  std::vector<Target> targets_;
};

}  // namespace pvhgrub::broker
