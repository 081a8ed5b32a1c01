// SPDX-License-Identifier: LGPL-2.1-or-later
// The broker's side of the conversation: what a worker may say, when, and how much of it. Everything that is
// out of order, doubled, too large, trailing, or points outside a disk is kProtocol, and ends the request.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/messages.h"

namespace pvhgrub::protocol {

/// One piece of an output, already checked: inside its disk, inside the output's declared size and cap.
struct Piece {
  enum class Kind : std::uint8_t { kHole, kExtent, kBytes };
  Kind kind = Kind::kHole;
  std::uint64_t position = 0;  ///< bytes from the output's start
  std::uint64_t length = 0;    ///< bytes, at least 1
  ExtentMessage extent;        ///< of kExtent
  Bytes bytes;                 ///< of kBytes; valid during the call only
};

/// What the broker does with what a worker says. Any error ends the conversation with it.
class WorkerEvents {
 public:
  WorkerEvents() = default;
  WorkerEvents(const WorkerEvents&) = delete;
  WorkerEvents& operator=(const WorkerEvents&) = delete;
  virtual ~WorkerEvents() = default;

  [[nodiscard]] virtual Result<void> layers(const std::string& text) = 0;
  [[nodiscard]] virtual Result<void> log(const LogMessage& message) = 0;
  [[nodiscard]] virtual Result<void> echo(Bytes text) = 0;
  [[nodiscard]] virtual Result<void> menu(const MenuMessage& menu) = 0;
  [[nodiscard]] virtual Result<void> entry(const EntryMessage& entry) = 0;
  /// What is to be booted. Comes again where that could not be, and a person chose anew; then all outputs of
  /// the one before have been given up.
  [[nodiscard]] virtual Result<void> choice(const ChoiceMessage& choice) = 0;
  [[nodiscard]] virtual Result<void> menu_state(MenuState state) = 0;
  [[nodiscard]] virtual Result<void> decision(const DecisionMessage& decision) = 0;
  [[nodiscard]] virtual Result<void> fact(const FactMessage& fact) = 0;
  /// `size`: bytes that will come at most.
  [[nodiscard]] virtual Result<void> output_begin(OutputKind kind, std::uint64_t size) = 0;
  /// The output is whole, and has `size` bytes.
  [[nodiscard]] virtual Result<void> output_end(OutputKind kind, std::uint64_t size) = 0;
  /// What came of an output is not wanted; the kind may begin again.
  [[nodiscard]] virtual Result<void> output_abandon(OutputKind kind) = 0;
  [[nodiscard]] virtual Result<void> piece(OutputKind kind, const Piece& piece) = 0;
  /// A block to write once everything else has succeeded. Checked: both contents are environment blocks of
  /// one size, and differ; the extents have that size together, lie inside their disks, and share no byte
  /// with any other.
  [[nodiscard]] virtual Result<void> environment(const EnvironmentMessage& change) = 0;
};

class Conversation {
 public:
  /// `request` tells what the worker may say; `events` outlives the conversation.
  Conversation(const Request& request, WorkerEvents& events);

  /// Where the next bytes from the worker go; `filled` says how many came. Then call `handle_next` until it
  /// is false.
  [[nodiscard]] std::span<std::byte> room() { return buffer_.room(); }
  void filled(std::size_t count) { buffer_.filled(count); }

  /// Handles the next whole frame that is already held; false when there is none.
  [[nodiscard]] Result<bool> handle_next();

  /// The worker closed its end: an error unless its verdict had come and nothing after it.
  [[nodiscard]] Result<void> finish() const;

  [[nodiscard]] MenuState menu_state() const { return menu_state_; }

  /// The verdict, once it came.
  [[nodiscard]] const std::optional<VerdictMessage>& verdict() const { return verdict_; }

 private:
  struct Output {
    OutputKind kind = OutputKind::kKernel;
    std::uint64_t size = 0;
    std::uint64_t received = 0;
    bool exact = true;
    bool ended = false;
  };

  [[nodiscard]] Result<void> handle(const Frame& frame);
  [[nodiscard]] Result<void> handle_layers(const Frame& frame);
  [[nodiscard]] Result<void> handle_log(const Frame& frame);
  [[nodiscard]] Result<void> handle_echo(const Frame& frame);
  [[nodiscard]] Result<void> handle_menu(const Frame& frame);
  [[nodiscard]] Result<void> handle_entry(const Frame& frame);
  [[nodiscard]] Result<void> handle_choice(const Frame& frame);
  [[nodiscard]] Result<void> begin_anew();
  [[nodiscard]] bool menu_is_open() const { return menu_state_ != MenuState::kClosed; }
  [[nodiscard]] Result<void> handle_menu_state(const Frame& frame);
  [[nodiscard]] Result<void> handle_decision(const Frame& frame);
  [[nodiscard]] Result<void> handle_fact(const Frame& frame);
  [[nodiscard]] Result<void> handle_abandon(const Frame& frame);
  [[nodiscard]] Result<void> handle_stream_begin(const Frame& frame);
  [[nodiscard]] Result<void> handle_piece(const Frame& frame);
  [[nodiscard]] Result<void> handle_stream_end(const Frame& frame);
  [[nodiscard]] Result<void> handle_environment(const Frame& frame);
  [[nodiscard]] Result<void> take_environment_extents(const EnvironmentMessage& change);
  [[nodiscard]] Result<void> handle_verdict(const Frame& frame);
  [[nodiscard]] Result<void> require_success_is_whole() const;
  [[nodiscard]] Result<Output*> open_output(const Frame& frame);
  [[nodiscard]] bool follows_previous_entry(const std::vector<std::uint32_t>& path) const;

  // What the request allows. A copy of the sizes of its disks, and of the host's files behind them, since the
  // broker checks every extent against them.
  Mode mode_;
  bool not_really_;
  bool bare_configuration_;
  std::uint64_t kernel_limit_;
  std::uint64_t ramdisk_limit_;
  bool writes_environment_;
  bool has_terminal_;
  std::vector<std::uint64_t> disk_sizes_;
  std::size_t disk_count_;  // of those, how many are the guest's
  WorkerEvents& events_;
  FrameBuffer buffer_;

  bool layers_seen_ = false;
  bool menu_seen_ = false;
  MenuState menu_state_ = MenuState::kClosed;
  bool choice_seen_ = false;
  std::uint64_t choices_ = 0;
  bool decision_seen_ = false;
  std::uint64_t facts_ = 0;
  std::uint64_t log_records_ = 0;
  std::uint64_t echo_bytes_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t pieces_ = 0;
  std::vector<std::uint32_t> previous_path_;
  bool previous_is_submenu_ = false;
  std::array<std::optional<Output>, 2> outputs_;  // by stream number, 1 and 2
  std::array<bool, 2> abandoned_{};               // the same
  std::size_t environment_blocks_ = 0;
  std::vector<ExtentMessage> environment_extents_;  // of all blocks
  std::optional<VerdictMessage> verdict_;
};

}  // namespace pvhgrub::protocol
