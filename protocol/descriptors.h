// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace pvhgrub::protocol {

/// The worker's file descriptors by number. 0 to 2 are /dev/null, but for:
inline constexpr int kTerminalDescriptor =
    0;  ///< where a menu is shown and keys come from, where there is one
inline constexpr int kChannelDescriptor = 3;  ///< the socketpair to the broker
inline constexpr int kScriptDescriptor =
    4;  ///< a memfd with a script, where one was given; closed before parsing
inline constexpr int kApplianceDescriptor = 5;  ///< the socketpair to the appliance, where there is one
inline constexpr int kFirstDiskDescriptor = 6;  ///< disk 0, read-only; the next disks follow

/// The appliance's own, likewise.
inline constexpr int kApplianceControlDescriptor = 3;    ///< the socketpair to the broker
inline constexpr int kApplianceQuestionsDescriptor = 4;  ///< the socketpair to the worker
inline constexpr int kApplianceFirstDiskDescriptor = 5;  ///< disk 0, read-only; the next disks follow

}  // namespace pvhgrub::protocol
