// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_signature.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "fsreaders/btrfs_file_system.h"
#include "fsreaders/erofs_file_system.h"
#include "fsreaders/exfat_file_system.h"
#include "fsreaders/ext_file_system.h"
#include "fsreaders/fat_boot_sector.h"
#include "fsreaders/fat_file_system.h"
#include "fsreaders/iso9660_file_system.h"
#include "fsreaders/squashfs_file_system.h"
#include "fsreaders/ufs_file_system.h"
#include "fsreaders/xfs_file_system.h"

namespace pvhgrub::fs {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPlainBoot = "put /boot on a plain partition with ext4";
constexpr std::string_view kReadableBoot = "put /boot on a file system that can be read (ext4, XFS)";

// --- What is known. A new reader is one line here, its magic one line below.
// -----------------------------------------

constexpr Format kLuks{"a LUKS volume, whose key is not known here", nullptr, kPlainBoot, nullptr, true};
constexpr Format kBitlocker{"a BitLocker volume", nullptr, {}, nullptr, true};
constexpr Format kLvm2{"an LVM2 physical volume", nullptr,
                       "its label is damaged; in the guest, `pvck' tells more"};
constexpr Format kMdRaid{"a member of a Linux MD RAID", nullptr, kPlainBoot};
constexpr Format kVdo{"a VDO volume", nullptr, kPlainBoot};
constexpr Format kBcache{"a bcache device", nullptr, kPlainBoot};
constexpr Format kBcachefs{"bcachefs", nullptr, kReadableBoot};
constexpr Format kXfs{"XFS", open_xfs_file_system};
constexpr Format kExt{"ext2, ext3 or ext4", open_ext_file_system};
constexpr Format kBtrfs{"btrfs", nullptr, {}, open_btrfs_file_system};
constexpr Format kF2fs{"F2FS", nullptr, kReadableBoot};
constexpr Format kErofs{"EROFS", open_erofs_file_system};
constexpr Format kSquashfs{"SquashFS", open_squashfs_file_system};
constexpr Format kReiserfs{"ReiserFS", nullptr, kReadableBoot};
constexpr Format kJfs{"JFS", nullptr, kReadableBoot};
constexpr Format kZfs{"a ZFS pool's device", nullptr, kReadableBoot};
constexpr Format kIso9660{"ISO 9660", open_iso9660_file_system};
constexpr Format kHfsPlus{"HFS+"};
constexpr Format kUfs{"UFS", open_ufs_file_system};
constexpr Format kNtfs{"NTFS"};
constexpr Format kExfat{"exFAT", open_exfat_file_system};
constexpr Format kFat{"FAT", open_fat_file_system};
constexpr Format kSwap{"swap space", nullptr, {}, nullptr, true};

/// One place where a format's magic stands.
struct Magic {
  const Format* format;
  std::uint64_t offset;  ///< bytes from the device's start
  std::string_view bytes;
};

/// In order of trust: what hides others first; then formats whose makers wipe what was there before; last the
/// ones whose magic lies so far in that an earlier format's may have survived a mkfs. Places and values: the
/// formats' own specifications or headers, named where they are not obvious.
constexpr std::array kMagics = {
    Magic{&kLuks, 0, "LUKS\xba\xbe"sv},                                  // LUKS1 and LUKS2 on-disk format
    Magic{&kBitlocker, 3, "-FVE-FS-"sv},                                 //
    Magic{&kLvm2, 512, "LABELONE"sv},                                    // LVM2 label: in one of the first
    Magic{&kLvm2, 0, "LABELONE"sv},                                      // four sectors, mostly the second
    Magic{&kLvm2, 1024, "LABELONE"sv},                                   //
    Magic{&kLvm2, 1536, "LABELONE"sv},                                   //
    Magic{&kMdRaid, 4096, "\xfc\x4e\x2b\xa9\x01\0\0\0"sv},               // MD superblock 1.2
    Magic{&kMdRaid, 0, "\xfc\x4e\x2b\xa9\x01\0\0\0"sv},                  // MD superblock 1.1
    Magic{&kVdo, 0, "dmvdo001"sv},                                       //
    Magic{&kBcache, 4096 + 24, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca"sv},    // first half of its UUID
    Magic{&kBcachefs, 4096 + 24, "\xc6\x85\x73\xf6\x66\xce\x90\xa9"sv},  // as above
    Magic{&kXfs, 0, "XFSB"sv},                                           //
    Magic{&kExt, 1024 + 56, "\x53\xef"sv},                               // ext4.rst, s_magic
    Magic{&kF2fs, 1024, "\x10\x20\xf5\xf2"sv},                           //
    Magic{&kErofs, 1024, "\xe2\xe1\xf5\xe0"sv},                          //
    Magic{&kSquashfs, 0, "hsqs"sv},                                      //
    Magic{&kHfsPlus, 1024, "H+\0\x04"sv},                                // Apple TN1150
    Magic{&kNtfs, 3, "NTFS    "sv},                                      //
    Magic{&kExfat, 3, "EXFAT   "sv},                                     //
    Magic{&kFat, 82, "FAT32   "sv},                                      // fatgen103, BS_FilSysType
    Magic{&kFat, 54, "FAT16   "sv},                                      //
    Magic{&kFat, 54, "FAT12   "sv},                                      //
    Magic{&kFat, 54, "FAT     "sv},                                      //
    Magic{&kSwap, 4096 - 10, "SWAPSPACE2"sv},                            // the end of a page of 4 KiB
    Magic{&kBtrfs, 65536 + 64, "_BHRfS_M"sv},                            //
    Magic{&kReiserfs, 65536 + 52, "ReIsEr"sv},                           //
    Magic{&kJfs, 32768, "JFS1"sv},                                       //
    Magic{&kIso9660, 32768 + 1, "CD001"sv},                              // ECMA-119 8.1
    Magic{&kUfs, 8192 + 1372, "\x54\x19\x01\x00"sv},                     // UFS1 fs_magic 0x011954
    Magic{&kUfs, 65536 + 1372, "\x19\x01\x54\x19"sv},                    // UFS2 fs_magic 0x19540119
    Magic{&kUfs, 8192 + 1372, "\x19\x01\x54\x19"sv},          // the same where NetBSD's makefs puts it
    Magic{&kUfs, 8192 + 1372, "\x19\x54\x01\x19"sv},          // and big-endian
    Magic{&kUfs, 65536 + 1372, "\x38\x20\x01\x19"sv},         // NetBSD's UFS2ea
    Magic{&kUfs, 8192 + 1372, "\0\x01\x19\x54"sv},            // the same of big-endian
    Magic{&kUfs, 65536 + 1372, "\x19\x54\x01\x19"sv},         // machines
    Magic{&kSwap, 65536 - 10, "SWAPSPACE2"sv},                // the end of a page of 64 KiB
    Magic{&kZfs, 131072, "\x0c\xb1\xba\0\0\0\0\0"sv},         // uberblock array of label 0
    Magic{&kZfs, 131072 + 4096, "\x0c\xb1\xba\0\0\0\0\0"sv},  // its second slot (ashift 12)
};

/// Bytes read at once from the start: they hold the magics of all usual formats.
constexpr std::uint64_t kHeadBytes = 8192;

bool holds_at(BlockSource& source, Bytes head, const Magic& magic, Result<void>& status) {
  const std::uint64_t length = magic.bytes.size();
  if (range_inside<std::uint64_t>(magic.offset, length, head.size()))
    return as_text(head.subspan(static_cast<std::size_t>(magic.offset), magic.bytes.size())) == magic.bytes;
  if (!range_inside<std::uint64_t>(magic.offset, length, source.size())) return false;
  std::vector<std::byte> bytes(magic.bytes.size());
  status = source.read_at(magic.offset, bytes);
  return status && as_text(bytes) == magic.bytes;
}

}  // namespace

/// MD superblocks 0.90 and 1.0 stand at the member's end, behind a whole file system that looks as if it were
/// alone (for RAID 1 it is, and is read as one); so they are only asked for where nothing else was found.
/// Places: include/uapi/linux/raid/md_p.h, MD_NEW_SIZE_SECTORS; md_super_1_load for 1.0.
Result<bool> is_md_member_by_its_end(BlockSource& source) {
  constexpr std::uint64_t kReserved = 65536;
  const std::uint64_t sectors = source.size() / 512;
  std::vector<std::uint64_t> places;
  if (source.size() >= 2 * kReserved) places.push_back(source.size() / kReserved * kReserved - kReserved);
  if (sectors >= 24) places.push_back((sectors - 16) / 8 * 8 * 512);
  for (const std::uint64_t place : places) {
    std::array<std::byte, 4> magic{};
    if (!range_inside<std::uint64_t>(place, magic.size(), source.size())) continue;
    PVHGRUB_TRY(source.read_at(place, magic));
    if (as_text(magic) == "\xfc\x4e\x2b\xa9"sv) return true;
  }
  return false;
}

Result<bool> holds_iso9660(BlockSource& source) {
  const auto* const magic = std::ranges::find(kMagics, &kIso9660, &Magic::format);
  Result<void> status;
  const bool holds = holds_at(source, {}, *magic, status);
  if (!status) return std::unexpected(std::move(status).error());
  return holds;
}

Result<const Format*> recognise_format(BlockSource& source) {
  std::vector<std::byte> head(static_cast<std::size_t>(std::min(source.size(), kHeadBytes)));
  PVHGRUB_TRY(source.read_at(0, head));
  for (const Magic& magic : kMagics) {
    Result<void> status;
    if (holds_at(source, head, magic, status)) return magic.format;
    if (!status) return std::unexpected(std::move(status).error());
  }
  // No magic, but a boot sector in which all agrees.
  if (looks_like_fat(head)) return &kFat;
  PVHGRUB_TRY_ASSIGN(const bool md_member, is_md_member_by_its_end(source));
  return md_member ? &kMdRaid : nullptr;
}

}  // namespace pvhgrub::fs
