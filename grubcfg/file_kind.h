// SPDX-License-Identifier: LGPL-2.1-or-later
// What GRUB's `file --is-...` tells of a file, by the headers of kernels and boot programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::grubcfg {

enum class FileKind : std::uint8_t {
  kXen32Guest,        ///< an ELF kernel for a 32-bit Xen guest (PAE)
  kXen64Guest,        ///< an ELF kernel for a 64-bit Xen guest
  kXenControlDomain,  ///< an ELF kernel with Xen's notes
  kMultiboot,
  kMultiboot2,
  kArmLinux,
  kArm64Linux,
  kLoongArch64Linux,
  kIa64Linux,
  kMipsLinux,
  kMipselLinux,
  kSparc64Linux,
  kPowerPcLinux,
  kX86Linux,
  kX86Linux32,  ///< one that can be entered in 32-bit mode
  kFreeBsd,
  kFreeBsd32,
  kFreeBsd64,
  kEfi386,
  kEfiX64,
  kEfiIa64,
  kEfiArm64,
  kEfiArm,
  kEfiRiscv,
  kEfiLoongArch64,
  kHibernationImage,  ///< Windows' hiberfil.sys
  kBootSector,        ///< 512 bytes that a BIOS would start
  kNotKnownHere,      ///< kinds of kernels that no Linux guest has: NetBSD's, macOS's
};

/// The kind that the option's long name ("is-x86-linux") stands for.
[[nodiscard]] std::optional<FileKind> find_file_kind(std::string_view option);

/// Whether the file is of that kind. kUnsupported: it is compressed, or a bzImage where the question is what
/// its payload is, or the kind is kNotKnownHere.
[[nodiscard]] Result<bool> is_of_kind(fs::File& file, FileKind kind);

}  // namespace pvhgrub::grubcfg
