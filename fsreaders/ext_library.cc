// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_library.h"

#include <charconv>
#include <exception>
#include <optional>
#include <utility>

#include "base/checked.h"

namespace pvhgrub::fs {

namespace {

// One open channel. The library sees `channel`; its private_data leads back here.
struct ExtChannel {
  struct_io_channel channel{};
  std::string name;
  ExtVolume* volume = nullptr;
  std::optional<Error> error;  // of the last read that failed
};

ExtChannel& from(io_channel channel) {
  return *static_cast<ExtChannel*>(channel->private_data);
}

errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) noexcept {
  ExtChannel& self = from(channel);
  const auto block_size = static_cast<std::uint64_t>(channel->block_size);
  // A negative count means bytes (libext2fs, unix_io.c).
  const std::uint64_t units = count < 0 ? static_cast<std::uint64_t>(-static_cast<std::int64_t>(count))
                                        : static_cast<std::uint64_t>(count);
  const auto length = checked_multiply<std::uint64_t>(units, count < 0 ? 1 : block_size);
  const auto offset = checked_multiply<std::uint64_t>(block, block_size);
  if (!length || !offset) return EXT2_ET_SHORT_READ;
  const std::span out(static_cast<std::byte*>(data), static_cast<std::size_t>(*length));
  try {  // no exception may cross the library's C frames
    const Result<void> result = self.volume->read_metadata(*offset, out);
    if (result) return 0;
    self.error = result.error();
  } catch (const std::exception&) {
    return EXT2_ET_NO_MEMORY;
  }
  return EXT2_ET_SHORT_READ;
}

errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void* data) noexcept {
  return read_blocks(channel, block, count, data);
}

errcode_t open_channel(const char* name, int flags, io_channel* result) noexcept;

errcode_t close_channel(io_channel channel) noexcept {
  if (--channel->refcount > 0) return 0;
  delete &from(channel);
  return 0;
}

errcode_t set_block_size(io_channel channel, int block_size) noexcept {
  if (block_size <= 0) return EXT2_ET_INVALID_ARGUMENT;
  channel->block_size = block_size;
  return 0;
}

errcode_t flush(io_channel) noexcept {
  return 0;
}
errcode_t refuse_write(io_channel, unsigned long, int, const void*) noexcept {
  return EXT2_ET_RO_FILSYS;
}
errcode_t refuse_write_64(io_channel, unsigned long long, int, const void*) noexcept {
  return EXT2_ET_RO_FILSYS;
}

constexpr struct_io_manager make_manager() {
  struct_io_manager manager{};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "pvhgrub block source";
  manager.open = open_channel;
  manager.close = close_channel;
  manager.set_blksize = set_block_size;
  manager.read_blk = read_blocks_32;
  manager.read_blk64 = read_blocks;
  manager.write_blk = refuse_write;
  manager.write_blk64 = refuse_write_64;
  manager.flush = flush;
  return manager;
}

// The library takes it by a pointer to non-const, yet never writes to it.
struct_io_manager* manager() {
  static struct_io_manager the_manager = make_manager();
  return &the_manager;
}

// The library hands its open callback nothing but a name, and there is no global state to put a volume into:
// so the name is the volume's address in hexadecimal.
std::string name_of(ExtVolume& volume) {
  char digits[2 * sizeof(std::uintptr_t)];
  const auto end =
      std::to_chars(std::begin(digits), std::end(digits), reinterpret_cast<std::uintptr_t>(&volume), 16);
  return {std::begin(digits), end.ptr};
}

errcode_t open_channel(const char* name, int, io_channel* result) noexcept {
  const std::string_view digits = name;
  std::uintptr_t address = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), address, 16);
  if (parsed.ec != std::errc() || address == 0) return EXT2_ET_BAD_DEVICE_NAME;
  try {
    auto channel = std::make_unique<ExtChannel>();
    channel->name = name;
    channel->volume = reinterpret_cast<ExtVolume*>(address);
    channel->channel.magic = EXT2_ET_MAGIC_IO_CHANNEL;
    channel->channel.manager = manager();
    channel->channel.name = channel->name.data();
    channel->channel.block_size = 1024;
    channel->channel.refcount = 1;
    channel->channel.private_data = channel.get();
    *result = &channel.release()->channel;
  } catch (const std::exception&) {
    return EXT2_ET_NO_MEMORY;
  }
  return 0;
}

// The library's codes that a damaged or hostile file system brings up, in words.
std::string describe(errcode_t code) {
  switch (code) {
    case EXT2_ET_SB_CSUM_INVALID:
      return "the superblock has a wrong checksum";
    case EXT2_ET_INODE_CSUM_INVALID:
      return "the inode has a wrong checksum";
    case EXT2_ET_BAD_INODE_NUM:
      return "no such inode number";
    case EXT2_ET_MISSING_INODE_TABLE:
      return "its block group has no inode table";
    case EXT2_ET_BAD_IND_BLOCK:
    case EXT2_ET_BAD_DIND_BLOCK:
    case EXT2_ET_BAD_TIND_BLOCK:
      return "an indirect block lies past the file system's end";
    case EXT2_ET_CORRUPT_SUPERBLOCK:
      return "the superblock contradicts itself";
    case EXT2_ET_UNSUPP_FEATURE:
    case EXT2_ET_RO_UNSUPP_FEATURE:
      return "libext2fs does not know one of its features";
    default:
      return "libext2fs says error " + std::to_string(code);
  }
}

ErrorCode error_code_of(errcode_t code) {
  switch (code) {
    case EXT2_ET_UNSUPP_FEATURE:
    case EXT2_ET_RO_UNSUPP_FEATURE:
      return ErrorCode::kUnsupported;
    case EXT2_ET_NO_MEMORY:
    case ENOMEM:
      return ErrorCode::kLimit;
    default:
      return ErrorCode::kDamaged;
  }
}

Error library_error(errcode_t code, const std::string& doing) {
  const ErrorCode kind = error_code_of(code);
  std::string message = doing + ": " + (kind == ErrorCode::kLimit ? "out of memory" : describe(code));
  if (kind == ErrorCode::kDamaged) message += "; run e2fsck on the file system";
  return Error{kind, std::move(message), {}, 0};
}

}  // namespace

Result<ExtLibrary> ExtLibrary::open(ExtVolume& volume) {
  ext2_filsys file_system = nullptr;
  // NOFREE_ON_ERROR keeps the channel, and with it our error, when the open fails; then freed here.
  const errcode_t code =
      ext2fs_open2(name_of(volume).c_str(), nullptr,
                   EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES | EXT2_FLAG_NOFREE_ON_ERROR, 0, 0,
                   manager(), &file_system);
  if (file_system == nullptr) return std::unexpected(library_error(code, "opening the ext file system"));
  ExtLibrary library(file_system, volume);
  if (code != 0) return std::unexpected(library.error(code, "opening the ext file system"));
  return library;
}

Error ExtLibrary::error(errcode_t code, const std::string& doing) const {
  if (file_system_->io != nullptr) {
    if (std::optional<Error> below = std::exchange(from(file_system_->io).error, std::nullopt))
      return Error{below->code, doing + ": " + below->message, below->where, below->system_errno};
  }
  return library_error(code, doing);
}

}  // namespace pvhgrub::fs
