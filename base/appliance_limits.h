// SPDX-License-Identifier: LGPL-2.1-or-later
// The ceilings of what has to do with the appliance (--appliance), each with its reason. base/limits.h has
// all others.
#pragma once

#include "base/limits.h"

namespace pvhgrub::limits {

/// Bytes of a question to the appliance: a path, and room for the numbers beside it.
inline constexpr std::size_t kApplianceQuestionBytes = 8 * kKiB;
/// Bytes of a file that one question asks for. libguestfs takes at most 4 MiB in one message; the worker and
/// the appliance hold each piece in memory.
inline constexpr std::size_t kApplianceReadBytes = 1 * kMiB;
/// Bytes of one part of an answer: kApplianceReadBytes.
inline constexpr std::size_t kApplianceAnswerBytes = kApplianceReadBytes;
/// Bytes of each text that tells of a file system (the longest label, f2fs's, has 512 characters) or of a
/// failure (the longest holds a path).
inline constexpr std::size_t kApplianceTextBytes = 4 * kKiB;
/// File systems that the appliance may tell of: a disk's partitions (256), and volumes.
inline constexpr std::size_t kApplianceFileSystems = 1024;
/// Bytes of progress lines that the broker takes from the appliance; it says some twenty short ones.
inline constexpr std::size_t kApplianceProgressBytes = 64 * kKiB;
/// RLIMIT_AS of the appliance and of the QEMU that it starts, in bytes each: QEMU maps its guest's memory
/// (768 MiB by libguestfs's default, more under TCG for translated code) and its libraries.
inline constexpr std::uint64_t kApplianceAddressSpace = 8 * kGiB;
/// RLIMIT_CPU of each of its processes, in seconds: some 30 to start without KVM on a slow machine.
inline constexpr std::uint64_t kApplianceCpuSeconds = 600;
/// RLIMIT_FSIZE of each of its processes, in bytes: the appliance's own disk, which supermin builds.
inline constexpr std::uint64_t kApplianceFileBytes = 8 * kGiB;

}  // namespace pvhgrub::limits
