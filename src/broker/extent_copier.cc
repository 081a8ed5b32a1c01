// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/extent_copier.h"

#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace pvhgrub::broker {
namespace {

using protocol::OutputKind;
using protocol::Piece;

// A file system's block on nearly every host: a reflink takes whole ones only.
constexpr std::uint64_t kBlock = 4096;
constexpr std::size_t kReadWriteBuffer = 256 * limits::kKiB;
// As much as is mapped at once: it counts as the broker's memory.
constexpr std::uint64_t kMappedBytes = 4 * limits::kMiB;
constexpr std::uint64_t kWorthMapping = 64 * limits::kKiB;

// A run of a disk mapped for reading; not valid where that cannot be had.
class Mapping {
 public:
  Mapping(int fd, std::uint64_t offset, std::size_t length)
      : length_(length),
        address_(
            mmap(nullptr, length, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset))) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (valid()) munmap(address_, length_);
  }
  [[nodiscard]] bool valid() const { return address_ != MAP_FAILED; }
  [[nodiscard]] Bytes bytes() const { return {static_cast<const std::byte*>(address_), length_}; }

 private:
  std::size_t length_;
  void* address_;
};

const char* prefix(OutputKind kind) {
  return kind == OutputKind::kKernel ? "boot_kernel." : "boot_ramdisk.";
}

// The whole blocks of what is left first, so that they can be reflinked apart from the tail.
std::uint64_t next_length(std::uint64_t left) {
  const std::uint64_t length = std::min<std::uint64_t>(left, limits::kCopyPiece);
  return length > kBlock ? length - length % kBlock : length;
}

// Errors by which the kernel says that this call does not serve this pair of files, while another may.
bool call_does_not_fit(int error) {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EBADF ||
         error == EPERM || error == ETXTBSY;
}

}  // namespace

Result<void> ExtentCopier::begin(OutputKind kind, std::uint64_t size) {
  PVHGRUB_TRY_ASSIGN(OutputFile file, OutputFile::create(directory_, prefix(kind)));
  outputs_.at(index_of(kind)).emplace(Output{std::move(file), size, 0, Method::kCopyFileRange});
  return {};
}

void ExtentCopier::end(OutputKind kind, std::uint64_t size) {
  outputs_.at(index_of(kind))->size = size;
}

void ExtentCopier::abandon(OutputKind kind) {
  const std::size_t index = index_of(kind);
  std::erase_if(queue_, [index](const Task& task) { return task.output == index; });
  outputs_.at(index).reset();
}

Result<void> ExtentCopier::add_module(int fd, std::uint64_t size) {
  PVHGRUB_TRY_ASSIGN(OutputFile file, OutputFile::create(directory_, "boot_module."));
  outputs_.emplace_back(Output{std::move(file), size, size, Method::kCopyFileRange});
  disks_.push_back(fd);
  if (size > 0)
    queue_.push_back({outputs_.size() - 1, 0, {static_cast<std::uint32_t>(disks_.size() - 1), 0, size}});
  return {};
}

ExtentCopier::Amount ExtentCopier::amount() const {
  Amount amount;
  for (const auto& output : outputs_) {
    if (!output) continue;
    amount.done += output->received;
    amount.total += output->size;
  }
  for (const Task& task : queue_) amount.done -= std::min(amount.done, task.extent.length);
  return amount;
}

Result<void> ExtentCopier::add(OutputKind kind, const Piece& piece) {
  outputs_.at(index_of(kind))->received = piece.position + piece.length;
  switch (piece.kind) {
    case Piece::Kind::kHole:
      return {};  // the file is new and sparse: what is not written reads as zeros
    case Piece::Kind::kExtent:
      queue_.push_back({index_of(kind), piece.position, piece.extent});
      return {};
    case Piece::Kind::kBytes:
      break;
  }
  return write_bytes(*outputs_.at(index_of(kind)), piece.position, piece.bytes);
}

Result<void> ExtentCopier::write_bytes(Output& output, std::uint64_t position, Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = pwrite(output.file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_write(output);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    position += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> ExtentCopier::step() {
  Task& task = queue_.front();
  PVHGRUB_TRY_ASSIGN(const std::uint64_t copied,
                     copy_some(*outputs_.at(task.output), task, next_length(task.extent.length)));
  if (copied == 0)
    return fail(ErrorCode::kIo, "the disk ended at offset " + std::to_string(task.extent.offset) +
                                    ", earlier than it did when it was opened");
  task.position += copied;
  task.extent.offset += copied;
  task.extent.length -= copied;
  if (task.extent.length == 0) queue_.pop_front();
  return {};
}

// Measured on ext4, XFS and tmpfs: copy_file_range reflinks where it can, but fails from a block device or to
// another file system, where sendfile is as fast; read and write serve what is left (a memfd over FUSE, for
// one). Where source and target lie differently in their pages (files of 1 KiB blocks, ramdisks behind an odd
// one) nothing can be reflinked and the first two calls cut every page in two: there writing from a mapping
// is a fifth faster.
Result<std::uint64_t> ExtentCopier::copy_some(Output& output, const Task& task, std::uint64_t length) {
  const int disk = disks_.at(task.extent.disk);
  auto source = static_cast<off_t>(task.extent.offset);
  auto target = static_cast<off_t>(task.position);
  if (length >= kWorthMapping && task.extent.offset % kBlock != task.position % kBlock) {
    PVHGRUB_TRY_ASSIGN(const std::uint64_t count, write_from_mapping(output, task, length));
    if (count > 0) return count;
  }
  if (output.method == Method::kCopyFileRange) {
    const ssize_t count = copy_file_range(disk, &source, output.file.fd(), &target, length, 0);
    // Some kernels (5.3 to 5.18) answer 0 instead of an error for files they cannot serve; sendfile tells the
    // truth.
    if (count > 0) return static_cast<std::uint64_t>(count);
    if (count < 0 && !call_does_not_fit(errno) && errno != EIO) return cannot_write(output);
    output.method = Method::kSendfile;
  }
  if (output.method == Method::kSendfile) {
    if (lseek(output.file.fd(), target, SEEK_SET) < 0) return cannot_write(output);
    const ssize_t count = sendfile(output.file.fd(), disk, &source, length);
    if (count >= 0) return static_cast<std::uint64_t>(count);
    if (!call_does_not_fit(errno) && errno != EIO) return cannot_write(output);
    output.method = Method::kReadWrite;
  }
  return read_and_write(task, length);
}

// The broker never touches the mapped bytes itself: where the disk cannot be read or has shrunk, write(2)
// fails with EFAULT, and no signal comes. 0: this does not work here, try another way, which tells the cause.
Result<std::uint64_t> ExtentCopier::write_from_mapping(Output& output, const Task& task,
                                                       std::uint64_t length) {
  const std::uint64_t into_page = task.extent.offset % kBlock;
  const Mapping mapping(disks_.at(task.extent.disk), task.extent.offset - into_page,
                        static_cast<std::size_t>(into_page + std::min<std::uint64_t>(length, kMappedBytes)));
  if (!mapping.valid()) return 0;
  const Bytes bytes = mapping.bytes().subspan(static_cast<std::size_t>(into_page));
  ssize_t count = 0;
  do {
    count = pwrite(output.file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(task.position));
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno != EFAULT) return cannot_write(output);
  if (count <= 0) return 0;
  // A mapping shows zeros behind the end of a file that shrank, up to the end of the page.
  char last = 0;
  const auto last_offset = static_cast<off_t>(task.extent.offset) + count - 1;
  if (pread(disks_.at(task.extent.disk), &last, 1, last_offset) != 1) return 0;
  return static_cast<std::uint64_t>(count);
}

// Only here is it known which of the two files an EIO belongs to.
Result<std::uint64_t> ExtentCopier::read_and_write(const Task& task, std::uint64_t length) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kReadWriteBuffer)));
  ssize_t count = 0;
  do {
    count = pread(disks_.at(task.extent.disk), buffer.data(), buffer.size(),
                  static_cast<off_t>(task.extent.offset));
  } while (count < 0 && errno == EINTR);
  if (count < 0)
    return fail_errno("cannot read the disk at offset " + std::to_string(task.extent.offset) +
                      "; check the storage that it lies on");
  PVHGRUB_TRY(write_bytes(*outputs_.at(task.output), task.position,
                          Bytes(buffer).first(static_cast<std::size_t>(count))));
  return static_cast<std::uint64_t>(count);
}

std::unexpected<Error> ExtentCopier::cannot_write(const Output& output) const {
  if (errno == ENOSPC || errno == EDQUOT)
    return fail_errno(
        "cannot write the " + std::to_string(output.size) +
            " bytes of this output; make room there or name another place with --output-directory",
        output.file.path());
  return fail_errno("cannot write this output", output.file.path());
}

Result<void> ExtentCopier::finish() {
  for (std::optional<Output>& output : outputs_)
    if (output && ftruncate(output->file.fd(), static_cast<off_t>(output->size)) != 0)
      return cannot_write(*output);
  return {};
}

std::vector<ExtentCopier::Made> ExtentCopier::made() const {
  std::vector<Made> all;
  for (const std::optional<Output>& output : outputs_)
    if (output) all.push_back({output->file.path(), output->size, output->file.fd()});
  return all;
}

std::optional<std::string> ExtentCopier::path(OutputKind kind) const {
  const auto& output = outputs_.at(index_of(kind));
  return output ? std::optional(output->file.path()) : std::nullopt;
}

void ExtentCopier::keep() {
  for (std::optional<Output>& output : outputs_)
    if (output) output->file.keep();
}

}  // namespace pvhgrub::broker
