// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/environment_writer.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "protocol/environment_block.h"

namespace pvhgrub::broker {
namespace {

using protocol::EnvironmentMessage;
using protocol::ExtentMessage;

// How long to wait before the lock is tried again.
constexpr int kLockTryMilliseconds = 20;
constexpr mode_t kAnybodyMayWrite = S_IWUSR | S_IWGRP | S_IWOTH;

/// Lets go of the lock also where an error returns.
class Unlock {
 public:
  explicit Unlock(int fd) : fd_(fd) {}
  Unlock(const Unlock&) = delete;
  Unlock& operator=(const Unlock&) = delete;
  ~Unlock() { (void)flock(fd_, LOCK_UN); }

 private:
  int fd_;
};

bool is_same_file(const struct stat& a, const struct stat& b) {
  if (S_ISBLK(a.st_mode) || S_ISBLK(b.st_mode))
    return S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev;
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Result<std::string> read_extent(int fd, const ExtentMessage& extent, const std::string& path) {
  std::string bytes(static_cast<std::size_t>(extent.length), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(extent.offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return fail_errno("cannot read the disk at offset " + std::to_string(extent.offset + done), path);
    if (count == 0) return fail(ErrorCode::kIo, "the disk has become shorter", path);
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

Result<void> write_extent(int fd, std::uint64_t offset, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot write the disk at offset " + std::to_string(offset), path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

/// An honoured request that stays on the disk would be honoured at every boot.
Error cannot_take_back(const std::string& name, Error cause) {
  cause.message =
      "the guest asks for one boot only of this entry, and that request cannot be taken back from its disk "
      "(" +
      cause.message + "); so nothing is booted. With --grubenv=read the request is not followed";
  if (!name.empty()) cause.where = name + (cause.where.empty() ? "" : " on " + cause.where);
  return cause;
}

}  // namespace

Result<EnvironmentWriter> EnvironmentWriter::open(const std::string& path, const GuestDisk& disk) {
  EnvironmentWriter writer;
  PVHGRUB_TRY(writer.add_disk(path, disk));
  return writer;
}

Result<void> EnvironmentWriter::add_disk(const std::string& path, const GuestDisk& disk) {
  PVHGRUB_TRY_ASSIGN(Target target, open_target(path, disk));
  targets_.push_back(std::move(target));
  return {};
}

Result<EnvironmentWriter::Target> EnvironmentWriter::open_target(const std::string& path,
                                                                 const GuestDisk& disk) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) return fail_errno("the disk cannot be opened for writing", path);
  struct stat writable = {};
  struct stat readable = {};
  if (fstat(fd.get(), &writable) != 0 || fstat(disk.fd.get(), &readable) != 0)
    return fail_errno("cannot ask what the disk is", path);
  if (!is_same_file(writable, readable))
    return fail(ErrorCode::kIo, "this is another file than a moment ago", path);
  // A block device that is read-only may be opened for writing all the same.
  int is_read_only = 0;
  if (S_ISBLK(writable.st_mode) && (ioctl(fd.get(), BLKROGET, &is_read_only) != 0 || is_read_only != 0))
    return fail(ErrorCode::kIo, "the block device is read-only", path);
  // Root may write all the same; who took the right from everybody did not mean root to.
  if (S_ISREG(writable.st_mode) && (writable.st_mode & kAnybodyMayWrite) == 0)
    return fail(ErrorCode::kIo, "the disk's permissions let nobody write to it", path);
  // Some network file systems have no locks. That one is held elsewhere now is no reason.
  if (flock(fd.get(), LOCK_SH | LOCK_NB) == 0) {
    (void)flock(fd.get(), LOCK_UN);
  } else if (errno != EWOULDBLOCK && errno != EINTR) {
    return fail_errno("the disk cannot be locked", path);
  }
  return Target{std::move(fd), disk.facts.block_device, path};
}

Result<std::optional<Error>> EnvironmentWriter::lock(const Target& target, const Termination* termination,
                                                     std::uint64_t milliseconds) {
  const std::uint64_t started = monotonic_milliseconds();
  while (flock(target.fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return fail_errno("the disk cannot be locked", target.path).error();
    if (monotonic_milliseconds() - started >= milliseconds)
      return Error{ErrorCode::kIo,
                   "another program has held a lock on the disk for " + std::to_string(milliseconds / 1000) +
                       " seconds (lslocks tells which)",
                   target.path, 0};
    pollfd stopped{termination != nullptr ? termination->fd() : -1, POLLIN, 0};
    if (poll(&stopped, 1, kLockTryMilliseconds) > 0 && termination != nullptr)
      return std::unexpected(termination->reason());
  }
  return std::nullopt;
}

Result<void> EnvironmentWriter::check(const EnvironmentMessage& change) {
  std::string held;
  std::string path;
  for (const ExtentMessage& extent : change.extents) {
    if (extent.disk >= targets_.size())
      return fail(ErrorCode::kInternal, "a block on a disk that was not opened for writing");
    const Target& target = targets_[extent.disk];
    path = target.path;
    // The guest's last writes, or those of a guest that runs, went past dom0's page cache. Where this fails
    // the cache's bytes are compared, which the worker saw as well.
    if (target.block_device)
      (void)posix_fadvise(target.fd.get(), static_cast<off_t>(extent.offset),
                          static_cast<off_t>(extent.length), POSIX_FADV_DONTNEED);
    PVHGRUB_TRY_ASSIGN(const std::string bytes, read_extent(target.fd.get(), extent, path));
    held += bytes;
  }
  if (held != change.old_contents)
    return fail(ErrorCode::kIo,
                "it has changed since it was read: is the guest running, or booted twice at the same time?",
                path);
  if (!protocol::is_environment_block(held) || !protocol::is_environment_block(change.contents) ||
      held.size() != change.contents.size())
    return fail(ErrorCode::kProtocol, "it is no environment block", path);
  return {};
}

Result<void> EnvironmentWriter::overwrite(const EnvironmentMessage& change) {
  std::size_t begin = 0;
  for (const ExtentMessage& extent : change.extents) {
    const Target& target = targets_[extent.disk];
    const auto length = static_cast<std::size_t>(extent.length);
    const std::string_view bytes = std::string_view(change.contents).substr(begin, length);
    begin += length;
    if (bytes == std::string_view(change.old_contents).substr(begin - length, length)) continue;
    PVHGRUB_TRY(write_extent(target.fd.get(), extent.offset, bytes, target.path));
  }
  for (const ExtentMessage& extent : change.extents) {
    const Target& target = targets_[extent.disk];
    while (fsync(target.fd.get()) != 0)
      if (errno != EINTR) return fail_errno("what was written may not be on the disk", target.path);
  }
  return {};
}

Result<std::vector<EnvironmentWriter::Refusal>> EnvironmentWriter::write_locked(
    const std::vector<EnvironmentMessage>& changes) {
  std::vector<Refusal> refused;
  // Those that must be written go first: where one of them cannot be, the others stay as they are.
  std::vector<const EnvironmentMessage*> accepted;
  std::vector<const EnvironmentMessage*> others;
  for (const EnvironmentMessage& change : changes) {
    if (Result<void> sound = check(change)) {
      (change.answers_request ? accepted : others).push_back(&change);
    } else if (change.answers_request) {
      return std::unexpected(cannot_take_back(change.name, std::move(sound).error()));
    } else {
      refused.push_back({change.name, std::move(sound).error()});
    }
  }
  accepted.insert(accepted.end(), others.begin(), others.end());
  for (const EnvironmentMessage* change : accepted) {
    Result<void> written = overwrite(*change);
    if (written) continue;
    if (change->answers_request)
      return std::unexpected(cannot_take_back(change->name, std::move(written).error()));
    refused.push_back({change->name, std::move(written).error()});
  }
  return refused;
}

Result<std::vector<EnvironmentWriter::Refusal>> EnvironmentWriter::write(
    const std::vector<EnvironmentMessage>& changes, const Termination* termination,
    std::uint64_t lock_milliseconds) {
  if (changes.empty()) return std::vector<Refusal>();
  // In the order of the disks, those that are written only.
  std::vector<std::unique_ptr<Unlock>> locks;
  std::optional<Error> not_locked;
  for (std::size_t number = 0; number < targets_.size() && !not_locked; ++number) {
    const bool touched = std::ranges::any_of(changes, [&](const EnvironmentMessage& change) {
      return std::ranges::any_of(change.extents,
                                 [&](const ExtentMessage& each) { return each.disk == number; });
    });
    if (!touched) continue;
    PVHGRUB_TRY_ASSIGN(not_locked, lock(targets_[number], termination, lock_milliseconds));
    if (!not_locked) locks.push_back(std::make_unique<Unlock>(targets_[number].fd.get()));
  }
  if (!not_locked) return write_locked(changes);
  const auto must = std::ranges::find_if(changes, &EnvironmentMessage::answers_request);
  if (must != changes.end()) return std::unexpected(cannot_take_back(must->name, *not_locked));
  std::vector<Refusal> refused;
  refused.reserve(changes.size());
  for (const EnvironmentMessage& change : changes) refused.push_back({change.name, *not_locked});
  return refused;
}

}  // namespace pvhgrub::broker
