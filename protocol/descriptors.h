// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace pvhgrub::protocol {

/// The worker's file descriptors by number. 0 to 2 are /dev/null.
inline constexpr int kChannelDescriptor = 3;  ///< the socketpair to the broker
inline constexpr int kScriptDescriptor =
    4;  ///< a memfd with a script, where one was given; closed before parsing
inline constexpr int kFirstDiskDescriptor = 5;  ///< disk 0, read-only; the next disks follow

}  // namespace pvhgrub::protocol
