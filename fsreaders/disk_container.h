// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that hold a disk in another form than byte by byte.
#pragma once

#include "base/result.h"
#include "fsreaders/block_source.h"

namespace pvhgrub::fs {

/// kUnsupported where the disk is an image in a container's format (qcow2, VHD, VMDK ...) or a compressed
/// one, with its name and how to have it attached. They are not read here: libxl attaches what it knows, as a
/// block device, before it runs the bootloader; and a container may name a file of the host as its backing.
/// A VHD of fixed size is a plain disk with a footer, and read as one.
[[nodiscard]] Result<void> check_no_container(BlockSource& disk);

}  // namespace pvhgrub::fs
