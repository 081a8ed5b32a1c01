// SPDX-License-Identifier: LGPL-2.1-or-later
// Images that are no kernel, or none that libxl starts: known, so that a person is told what lies there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace pvhgrub::bootimage {

/// Bytes from an image's start in which a multiboot header may lie (Multiboot2 specification 3.1, "OS image
/// format"; Multiboot specification 0.6.96: 8192).
inline constexpr std::size_t kMultibootBytes = 32768;
/// Bytes from an image's start that recognise_other() looks at.
inline constexpr std::size_t kOtherStartBytes = 0x9000;

/// 2 or 1: the Multiboot specification whose header lies in the bytes, the newer one where both do; else 0.
[[nodiscard]] unsigned multiboot_version(Bytes start);

/// Whether the bytes hold the table of Xen's own form for images that are no ELF (xen_bin_image_table: Xen,
/// tools/libs/guest/xg_dom_binloader.c), which NetWare used. For PV guests only.
[[nodiscard]] bool has_xen_binary_table(Bytes start);

/// What a uImage of U-Boot tells: "\"Linux-4.4\", Linux, arm64, kernel". Nothing for other images.
[[nodiscard]] std::optional<std::string> describe_uimage(Bytes start);

/// "a cpio archive, as an initramfs is", "an encrypted volume (LUKS)" and the like, for what is known.
[[nodiscard]] std::optional<std::string_view> recognise_other(Bytes start);

}  // namespace pvhgrub::bootimage
