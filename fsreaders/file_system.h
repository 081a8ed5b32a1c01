// SPDX-License-Identifier: LGPL-2.1-or-later
// What every reader of a file system offers, and what the boot configuration's evaluator sees of the disks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

enum class FileType : std::uint8_t { kRegular, kDirectory, kSymlink, kOther };

struct FileInfo {
  FileType type = FileType::kOther;
  std::uint64_t size = 0;              ///< bytes
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC
};

struct DirectoryEntry {
  std::string name;  ///< as the bytes lie on the disk; never empty, never "." or "..", no '/' or NUL
  FileType type = FileType::kOther;
};

/// Takes a file's contents in order, piece after piece. Implementations may fail (peer gone, cap hit), which
/// ends the sending with that error.
class ContentSink {
 public:
  ContentSink() = default;
  ContentSink(const ContentSink&) = delete;
  ContentSink& operator=(const ContentSink&) = delete;
  virtual ~ContentSink() = default;
  /// `length` zero bytes that lie nowhere.
  [[nodiscard]] virtual Result<void> hole(std::uint64_t length) = 0;
  /// Bytes that lie as they are on a disk.
  [[nodiscard]] virtual Result<void> extent(const DiskExtent& extent) = 0;
  /// Bytes that lie nowhere as they are (inline, compressed, made up).
  [[nodiscard]] virtual Result<void> bytes(std::span<const std::byte> bytes) = 0;
};

/// One open regular file. Lives no longer than its FileSystem.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// Fills as much of `out` as the file has from `offset` (bytes); less than asked only at the file's end.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) = 0;

  /// Sends the whole contents, exactly size() bytes, in order. Plain contents go as extents in long runs.
  [[nodiscard]] virtual Result<void> send(ContentSink& sink) = 0;

  /// Sends the bytes [offset, offset + length), which lie inside the contents, in order. Where a reader can
  /// begin in the middle it should say so by its own version: this one goes through the whole contents.
  [[nodiscard]] virtual Result<void> send_range(std::uint64_t offset, std::uint64_t length,
                                                ContentSink& sink);

  /// Where the whole contents lie, if writing there changes this file's contents and nothing else: no
  /// checksum over them, no second copy, nobody who shares them, no journal that would undo it. kUnsupported,
  /// with the reason, where that is not so.
  [[nodiscard]] virtual Result<std::vector<DiskExtent>> overwritable_extents() {
    return fail(ErrorCode::kUnsupported, "files of this file system cannot be overwritten in place");
  }
};

/// A part of a file system that can be mounted by itself (btrfs).
struct Subvolume {
  std::uint64_t number = 0;
  std::string path;  ///< from the file system's root, without '/' at its end: "/@", "" for the root itself
};

/// One mounted file system, read-only. Paths are absolute ('/' first), '/'-separated, at most
/// limits::kPathBytes;
/// ".", ".." and repeated '/' are allowed; symbolic links are followed, at most limits::kSymlinks of them,
/// and never out of the file system. Errors tell the path.
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  /// GRUB's module name for it, as `probe --fs` prints: "ext2", "xfs", "btrfs", "fat", "iso9660".
  [[nodiscard]] virtual std::string_view type_name() const = 0;
  /// As GRUB's `search --fs-uuid` compares it (without regard to case); empty where there is none.
  [[nodiscard]] virtual std::string_view uuid() const = 0;
  /// As GRUB's `search --label` compares it; empty where there is none.
  [[nodiscard]] virtual std::string_view label() const = 0;

  /// Opens a regular file. kNotFound, kWrongType (a directory or special file), kUnsupported (encrypted),
  /// kDamaged.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(std::string_view path) = 0;
  /// Of what the path leads to after following links, also the last.
  [[nodiscard]] virtual Result<FileInfo> stat(std::string_view path) = 0;
  /// A directory's entries in the order of the disk, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(std::string_view path) = 0;

  /// The subvolume of that number; without one, that which Linux mounts when it is told none, and where the
  /// paths of SUSE's GRUB begin. kUnsupported: this kind of file system has none. kNotFound: not this one.
  [[nodiscard]] virtual Result<Subvolume> subvolume(std::optional<std::uint64_t> number) {
    (void)number;
    return fail(ErrorCode::kUnsupported, "this kind of file system has no subvolumes");
  }

  /// What a person should know of how this file system was read ("the journal was replayed in memory: ..."),
  /// for
  /// --explain; may hold guest text.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

/// One of the devices that a guest's GRUB would see.
struct Device {
  std::string name;  ///< GRUB's, without parentheses: "hd0", "hd0,gpt2", "hd0,msdos5", "hd0,msdos1,bsd1"
  std::string
      partition_uuid;  ///< GPT's unique GUID or MBR's "SIGNATURE-NN", lower case; empty for a whole disk
  std::string partition_type;   ///< GPT's type GUID, MBR's type as "0x83", a label's as "bsd:0x07" or
                                ///< "sun:0x83", lower case; empty for a whole disk
  std::string partition_label;  ///< GPT's partition name in UTF-8; empty elsewhere
  std::uint64_t size = 0;       ///< bytes
  std::uint64_t partition_attributes = 0;  ///< GPT's attribute bits (UEFI 2.10, table 5.8); 0 elsewhere
  std::string disk_uuid;                   ///< of a whole disk with a GPT its GUID, lower case; else empty
  std::string begins_as;  ///< another device that begins at the same byte, and is to be looked into instead
                          ///< by who looks into all: a slice, and partition a of the BSD label in it
};

/// All devices of the request. File systems are mounted when first asked for, and kept.
class Devices {
 public:
  Devices() = default;
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;
  virtual ~Devices() = default;

  /// Each disk, then its partitions by number. Without the disks that add_loopback() made.
  [[nodiscard]] virtual const std::vector<Device>& devices() const = 0;

  /// The device of that name, by the names that file_system() takes; nullptr where there is none. The pointer
  /// lives as long as the Devices.
  [[nodiscard]] virtual const Device* device(std::string_view device_name) const;

  /// The partitions of a disk by number, also of one that add_loopback() made; empty where there is no such
  /// disk. The pointers live as long as the Devices.
  [[nodiscard]] virtual std::vector<const Device*> partitions(std::string_view disk_name) const;

  /// The file system of a device by its GRUB name ("hd0,gpt2"; also "hd0,2", which GRUB takes for either
  /// table, and what else it reads as these: see device_name.h). kNotFound: no such device. kUnsupported: no
  /// known file system on it. kDamaged and kIo: one that cannot be read. The pointer lives as long as the
  /// Devices.
  [[nodiscard]] virtual Result<FileSystem*> file_system(std::string_view device_name) = 0;

  /// The bytes of a device, by the names that file_system() takes; nullptr where there is no such device.
  [[nodiscard]] virtual BlockSource* source(std::string_view device_name) = 0;

  /// Whether bytes of a device may be overwritten in place behind the back of what lies on it. kUnsupported,
  /// with the reason, for all but disks and their partitions: GRUB itself writes to no volume and to no file
  /// that is opened as a disk, and the halves of a mirror must not differ.
  [[nodiscard]] virtual Result<void> check_overwritable(std::string_view device_name) {
    (void)device_name;
    return {};
  }

  /// Makes a file of another device a disk, as GRUB's `loopback` does, and tells the disk's name: `name`, or
  /// another where that is taken by another file. The disk, and its partitions where it has any, can be asked
  /// for by name; they do not appear in devices(). The errors of file_system() and FileSystem::open();
  /// kUnsupported too where there are too many such disks, or too many inside one another.
  [[nodiscard]] virtual Result<std::string> add_loopback(std::string_view name, std::string_view device,
                                                         std::string_view path) {
    (void)device;
    return fail(ErrorCode::kUnsupported, "a file cannot be opened as disk `" + std::string(name) + "'",
                std::string(path));
  }
};

/// Reads the whole of a file of at most `maximum` bytes, charging the budget; kLimit when it is longer.
/// `path` is for messages.
[[nodiscard]] Result<std::string> read_whole_file(File& file, std::string_view path, std::size_t maximum,
                                                  Budget& budget);

}  // namespace pvhgrub::fs
