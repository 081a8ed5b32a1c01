// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/guest_disk.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/limits.h"

namespace pvhgrub::broker {
namespace {

Result<void> ask_block_device(int fd, const std::string& path, protocol::RequestDisk& facts) {
  std::uint64_t size = 0;
  int sector_size = 0;
  if (ioctl(fd, BLKGETSIZE64, &size) != 0) return fail_errno("cannot ask for the block device's size", path);
  if (ioctl(fd, BLKSSZGET, &sector_size) != 0)
    return fail_errno("cannot ask for the block device's sectors", path);
  facts.size = size;
  facts.sector_size = static_cast<std::uint32_t>(sector_size);
  facts.block_device = true;
  return {};
}

Result<UniqueFd> open_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO or a tape would wait; it changes nothing for files and block devices.
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) return fail_errno("cannot open it", path);
  return fd;
}

}  // namespace

Result<GuestDisk> open_guest_disk(const std::string& path) {
  GuestDisk disk;
  PVHGRUB_TRY_ASSIGN(disk.fd, open_file(path));
  struct stat status = {};
  if (fstat(disk.fd.get(), &status) != 0) return fail_errno("cannot ask what it is", path);
  if (S_ISBLK(status.st_mode)) {
    PVHGRUB_TRY(ask_block_device(disk.fd.get(), path, disk.facts));
  } else if (S_ISREG(status.st_mode)) {
    disk.facts.size = static_cast<std::uint64_t>(status.st_size);
  } else {
    return fail(ErrorCode::kUsage, "this is neither an image file nor a block device", path);
  }
  if (disk.facts.size == 0) return fail(ErrorCode::kDamaged, "the disk is empty (0 bytes)", path);
  return disk;
}

Result<UniqueFd> load_script(const std::string& path) {
  UniqueFd opened;
  if (path != "-") {
    PVHGRUB_TRY_ASSIGN(opened, open_file(path));
    struct stat status = {};
    if (fstat(opened.get(), &status) != 0) return fail_errno("cannot ask what it is", path);
    if (S_ISDIR(status.st_mode)) return fail(ErrorCode::kUsage, "this is a directory", path);
    // Reading a pipe (<(...)) has to wait for its writer.
    if (fcntl(opened.get(), F_SETFL, 0) != 0) return fail_errno("cannot set up reading", path);
  }
  const int source = path == "-" ? STDIN_FILENO : opened.get();
  UniqueFd memory(memfd_create("pvhgrub-script", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.valid()) return fail_errno("cannot hold the script in memory");
  std::array<char, 64 * limits::kKiB> piece{};
  std::size_t total = 0;
  for (;;) {
    const ssize_t count = read(source, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read it", path);
    if (count == 0) break;
    total += static_cast<std::size_t>(count);
    if (total > limits::kScriptBytes)
      return fail(ErrorCode::kLimit, "it has more than " + std::to_string(limits::kScriptBytes) + " bytes",
                  path);
    if (write(memory.get(), piece.data(), static_cast<std::size_t>(count)) != count)
      return fail_errno("cannot hold the script in memory");
  }
  if (fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return fail_errno("cannot seal the script in memory");
  return memory;
}

}  // namespace pvhgrub::broker
