// SPDX-License-Identifier: LGPL-2.1-or-later
// What the worker asks the appliance and what that answers, on a socketpair of their own. The worker asks,
// waits for the whole answer, and asks again. Neither trusts the other: the worker may be taken over by the
// guest, the appliance too.
//
//   question:  u32 payload length (at most limits::kApplianceQuestionBytes), u16 operation, u16 zero, payload
//   answer:    u32 payload length (at most limits::kApplianceAnswerBytes), u16 the same operation, u16 state,
//   payload;
//              with the state kMore another part of the answer follows
//
// Numbers are little-endian, texts have a u32 length in front.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/appliance_limits.h"
#include "protocol/frame.h"

namespace pvhgrub::protocol {

/// Which file systems of a request come from the appliance.
enum class ApplianceUse : std::uint8_t {
  kNone = 0,     ///< there is no appliance
  kMissing = 1,  ///< those that the worker has no reader for
  kAll = 2,      ///< all of them
};

enum class ApplianceOperation : std::uint16_t {
  kFileSystems = 1,  ///< all file systems that the appliance found; answered in any number of parts
  kList = 2,         ///< a directory's entries; in any number of parts
  kReadLink = 3,     ///< a symbolic link's target, the whole payload; in one part
  kRead = 4,  ///< bytes of a regular file, the whole payload: exactly as many as asked for; in one part
};

enum class AnswerState : std::uint16_t { kLast = 0, kMore = 1, kError = 2 };

inline constexpr std::size_t kApplianceHeaderBytes = 8;

/// A question, or a part of an answer, before its payload.
struct ApplianceHeader {
  std::uint32_t length = 0;  ///< bytes of the payload
  ApplianceOperation operation = ApplianceOperation::kFileSystems;
  AnswerState state = AnswerState::kLast;  ///< kLast in a question

  [[nodiscard]] std::array<std::byte, kApplianceHeaderBytes> encode() const;
  /// kProtocol: a value outside its range, or more than `most` bytes of payload. `bytes` has
  /// kApplianceHeaderBytes.
  [[nodiscard]] static Result<ApplianceHeader> decode(Bytes bytes, std::size_t most);
};

/// The payload of every question; what an operation does not need is 0 or empty.
struct ApplianceQuestion {
  std::uint32_t file_system = 0;  ///< index into the list that kFileSystems gave
  std::string path;               ///< absolute, without links in it; at most limits::kPathBytes
  std::uint64_t offset = 0;       ///< of kRead: bytes
  std::uint32_t length = 0;       ///< of kRead: bytes, at most limits::kApplianceReadBytes
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<ApplianceQuestion> decode(Bytes payload);
};

/// A file system that the appliance found. Each text has at most limits::kApplianceTextBytes.
struct ApplianceVolume {
  std::string
      device;  ///< as GRUB names it, a partition by its number alone: "hd0", "hd0,2", "lvm/group-volume"
  std::string type;  ///< as Linux names it: "f2fs"
  std::string uuid;
  std::string label;
};

struct ApplianceEntry {
  enum class Type : std::uint8_t { kRegular = 0, kDirectory = 1, kSymlink = 2, kOther = 3 };
  std::string name;
  Type type = Type::kOther;
  std::uint64_t size = 0;              ///< bytes
  std::int64_t modification_time = 0;  ///< seconds since 1970-01-01 UTC
};

/// One part of the answer to kFileSystems.
struct ApplianceVolumes {
  std::vector<ApplianceVolume> volumes;
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<ApplianceVolumes> decode(Bytes payload);
};

/// One part of the answer to kList.
struct ApplianceEntries {
  std::vector<ApplianceEntry> entries;
  [[nodiscard]] PayloadWriter encode() const;
  [[nodiscard]] static Result<ApplianceEntries> decode(Bytes payload);
};

/// Why there is no answer: the payload of AnswerState::kError.
struct ApplianceFailure {
  ErrorCode code = ErrorCode::kIo;  ///< kIo, kNotFound, kWrongType, kDamaged, kUnsupported or kLimit
  std::string message;              ///< at most limits::kApplianceTextBytes
  [[nodiscard]] PayloadWriter encode() const;
  /// Any other code is kProtocol: a guest must not be able to make this program blame itself or the host.
  [[nodiscard]] static Result<ApplianceFailure> decode(Bytes payload);
};

}  // namespace pvhgrub::protocol
