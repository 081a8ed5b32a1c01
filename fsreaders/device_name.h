// SPDX-License-Identifier: LGPL-2.1-or-later
// Device names as GRUB reads them (grub-core/kern/disk.c, partition.c, disk/i386/pc/biosdisk.c of 2.06):
// numbers may have leading zeros or a prefix of their base, and what follows them does not count.
#pragma once

#include <string>
#include <string_view>

namespace pvhgrub::fs {

/// The one form of a name, without parentheses, that devices carry: "hd0,gpt2" for "hd00,gpt02" and
/// "hd0,gpt0x2", "hd0,2" for "hd0,02x", "hd0,msdos1,bsd1" for "hd0,msdos1,bsd01". What names no partition in
/// any reading stays as it is, and so does a disk whose name is not "hd" and a number.
[[nodiscard]] std::string normal_device_name(std::string_view name);

/// The disk that a device is, or lies on: what stands before the first comma.
[[nodiscard]] std::string_view disk_of_device(std::string_view name);

/// What GRUB's partition map of a device is called ("gpt", "msdos", "bsd" for "hd0,msdos1,bsd1"): empty for a
/// whole disk.
[[nodiscard]] std::string_view partition_map_of_device(std::string_view name);

/// Whether `name` is one of those by which a device called `device` is known: its own, or with some
/// partition's number alone ("hd0,2", "hd0,1,bsd1").
[[nodiscard]] bool is_name_of_device(std::string_view name, std::string_view device);

/// The same of a name that normal_device_name() gave.
[[nodiscard]] bool is_normal_name_of_device(std::string_view name, std::string_view device);

}  // namespace pvhgrub::fs
