// SPDX-License-Identifier: LGPL-2.1-or-later
// Partitions by the letters that BSD labels give them, as GRUB Legacy and the loaders of the BSDs name them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fsreaders/file_system.h"

namespace pvhgrub::grubcfg {

/// The letter of a partition of a BSD label ('b' for "hd0,bsd2", "hd0,msdos1,bsd2" and "hd0,netbsd2"); no
/// value for another device.
[[nodiscard]] std::optional<char> bsd_letter(std::string_view device);

/// Whether the BSD label that `device` ("hd0,msdos1,bsd2", "hd0,netbsd2") is a partition of lies in MBR's
/// partition `slice`, from 1. NetBSD's and OpenBSD's lie in the first slice of their type that has one, so
/// any of that type is it.
[[nodiscard]] bool is_in_bsd_slice(const fs::Devices& devices, std::string_view device, std::uint32_t slice);

/// The partitions of `disk` ("hd0") that some BSD label on it calls `letter`, in the devices' order. `slice`
/// counts MBR's primary partitions from 1: then only those of the label that lies in that slice.
[[nodiscard]] std::vector<std::string> bsd_partitions(const fs::Devices& devices, std::string_view disk,
                                                      char letter,
                                                      std::optional<std::uint32_t> slice = std::nullopt);

/// Whether a BSD label divides the disk or a slice of it.
[[nodiscard]] bool has_bsd_label(const fs::Devices& devices, std::string_view disk);

/// The device that FreeBSD's loader calls "disk0s1a:" (MBR slice 1, its partition a), "disk0a:" (the first
/// label's), "disk0s1:" or "disk0p2:" (a GPT's); the ':' may be missing (loader(8), "disk"). No value where
/// the name is not of that form, or there is no such device.
[[nodiscard]] std::optional<std::string> freebsd_device(const fs::Devices& devices, std::string_view name);

}  // namespace pvhgrub::grubcfg
