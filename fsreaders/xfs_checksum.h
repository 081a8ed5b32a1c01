// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/bytes.h"

namespace pvhgrub::fs {

/// Whether the little-endian CRC-32C at `offset` is that of `block`, taken with its own four bytes as zeros
/// ("XFS Algorithms & Data Structures", "Metadata Integrity"). In builds for fuzzing always, so that changed
/// bytes get past it.
[[nodiscard]] bool xfs_checksum_holds(Bytes block, std::size_t offset);

}  // namespace pvhgrub::fs
