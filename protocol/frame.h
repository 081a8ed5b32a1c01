// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames on the socketpair between broker and worker. docs/protocol.md has the whole table.
//
//   header, 8 bytes, little-endian:  u32 payload length (at most limits::kFramePayload), u16 type, u16 stream
//   payload
//
// The broker reads frames from a process that a guest may have taken over: everything here is bounded before
// it is allocated, and a frame that does not fit its type exactly is an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace pvhgrub::protocol {

enum class FrameType : std::uint16_t {
  kRequest = 1,  ///< broker to worker, first and only
  kLayers = 2,   ///< worker: what confines it; first, once
  kLog = 3,      ///< worker: one line for a person
  kEcho = 4,     ///< worker, evaluating: what the script prints
  kMenu = 5,     ///< worker, listing: the menu's own properties; once, before the entries
  kEntry = 6,    ///< worker, listing: one entry, parents before children
  kChoice = 7,   ///< worker, booting: what was chosen; before the streams; again where a person chose anew
  kStreamBegin = 8,   ///< worker: an output begins
  kHole = 9,          ///< worker: zero bytes of an output
  kExtent = 10,       ///< worker: bytes of an output that lie on a disk
  kBytes = 11,        ///< worker: bytes of an output
  kStreamEnd = 12,    ///< worker: an output is whole
  kVerdict = 13,      ///< worker: success or the error; last, once
  kEnvironment = 14,  ///< worker, booting: an environment block to write; after the choice
  kDecision = 15,     ///< worker, booting: how the choice is booted; after it, once
  kAbandon = 16,      ///< worker: an output is not to be after all; before the decision
  kFact = 17,         ///< worker, inspecting: one thing about the disk or kernel
  kMenuState = 18,    ///< worker, booting: whether a menu is shown, and to whom
};

inline constexpr FrameType kLastFrameType = FrameType::kMenuState;

struct Frame {
  FrameType type{};
  std::uint16_t stream = 0;  ///< output stream; 0 for frames that belong to none
  Bytes payload;             ///< valid until the next call of the FrameBuffer that gave it
};

inline constexpr std::size_t kFrameHeaderBytes = 8;

/// The header of a frame with that payload length (at most limits::kFramePayload).
[[nodiscard]] std::array<std::byte, kFrameHeaderBytes> encode_header(FrameType type, std::uint16_t stream,
                                                                     std::size_t payload_length);

/// Cuts a byte stream into frames. Holds one frame at the most.
class FrameBuffer {
 public:
  /// Room for the next bytes from the peer: never empty. Fill from the front, then call `filled`.
  [[nodiscard]] std::span<std::byte> room();
  void filled(std::size_t count) { end_ += count; }

  /// The next whole frame, nothing when more bytes are needed, kProtocol when its header is wrong.
  [[nodiscard]] Result<std::optional<Frame>> next();

  /// True when no bytes of an unfinished frame are held.
  [[nodiscard]] bool empty() const { return begin_ == end_; }

 private:
  std::vector<std::byte> buffer_ = std::vector<std::byte>(2 * (kFrameHeaderBytes + limits::kFramePayload));
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Builds a payload. Numbers are little-endian; texts have a u32 length in front.
class PayloadWriter {
 public:
  void put_u8(std::uint8_t value) { payload_.push_back(static_cast<std::byte>(value)); }
  void put_u16(std::uint16_t value) { put(value, 2); }
  void put_u32(std::uint32_t value) { put(value, 4); }
  void put_u64(std::uint64_t value) { put(value, 8); }
  void put_text(std::string_view text);
  [[nodiscard]] Bytes payload() const { return payload_; }

 private:
  void put(std::uint64_t value, unsigned bytes);
  std::vector<std::byte> payload_;
};

/// Reads a payload; every getter fails past the end, and `finish` fails before it.
class PayloadReader {
 public:
  explicit PayloadReader(Bytes payload) : reader_(payload) {}
  [[nodiscard]] Result<std::uint8_t> u8() { return reader_.little_endian<std::uint8_t>(); }
  [[nodiscard]] Result<std::uint16_t> u16() { return reader_.little_endian<std::uint16_t>(); }
  [[nodiscard]] Result<std::uint32_t> u32() { return reader_.little_endian<std::uint32_t>(); }
  [[nodiscard]] Result<std::uint64_t> u64() { return reader_.little_endian<std::uint64_t>(); }
  [[nodiscard]] Result<bool> boolean();
  [[nodiscard]] Result<std::string> text();
  [[nodiscard]] Result<void> finish() const;

 private:
  ByteReader reader_;
};

}  // namespace pvhgrub::protocol
