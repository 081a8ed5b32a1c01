// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/conversation.h"

#include <algorithm>

#include "base/checked.h"
#include "protocol/environment_block.h"

namespace pvhgrub::protocol {
namespace {

std::unexpected<Error> broken(std::string what) {
  return fail(ErrorCode::kProtocol,
              "the worker broke the protocol: " + std::move(what) + "; nothing of what it said is used");
}

Result<void> check_command_line(const std::string& line) {
  if (line.size() <= limits::kCommandLineBytes) return {};
  return fail(ErrorCode::kLimit, "the command line has " + std::to_string(line.size()) +
                                     " bytes, and libxl would drop one of more than " +
                                     std::to_string(limits::kCommandLineBytes) +
                                     "; shorten it in the guest's configuration");
}

}  // namespace

Conversation::Conversation(const Request& request, WorkerEvents& events)
    : mode_(request.mode),
      not_really_(request.not_really),
      bare_configuration_(request.bare_configuration),
      kernel_limit_(request.kernel_limit),
      ramdisk_limit_(request.ramdisk_limit),
      writes_environment_(request.writes_environment()),
      has_terminal_(request.terminal.has_value()),
      disk_count_(request.disks.size()),
      events_(events) {
  for (const RequestDisk& disk : request.disks) disk_sizes_.push_back(disk.size);
  for (const HostFile& file : request.host_files) disk_sizes_.push_back(file.size);
}

Result<bool> Conversation::handle_next() {
  PVHGRUB_TRY_ASSIGN(const std::optional<Frame> frame, buffer_.next());
  if (!frame) return false;
  PVHGRUB_TRY(handle(*frame));
  return true;
}

Result<void> Conversation::finish() const {
  if (!verdict_) return broken("it ended without a verdict");
  if (!buffer_.empty()) return broken("it sent something after its verdict");
  return {};
}

Result<void> Conversation::handle(const Frame& frame) {
  if (verdict_) return broken("it sent something after its verdict");
  const bool belongs_to_stream =
      (frame.type >= FrameType::kStreamBegin && frame.type <= FrameType::kStreamEnd) ||
      frame.type == FrameType::kAbandon;
  if (!belongs_to_stream && frame.stream != 0) return broken("a stream number where none belongs");
  if (frame.type == FrameType::kVerdict) return handle_verdict(frame);
  if (frame.type == FrameType::kLayers) return handle_layers(frame);
  if (!layers_seen_) return broken("it spoke before it told what confines it");
  switch (frame.type) {
    case FrameType::kLog:
      return handle_log(frame);
    case FrameType::kEcho:
      return handle_echo(frame);
    case FrameType::kMenu:
      return handle_menu(frame);
    case FrameType::kEntry:
      return handle_entry(frame);
    case FrameType::kChoice:
      return handle_choice(frame);
    case FrameType::kStreamBegin:
      return handle_stream_begin(frame);
    case FrameType::kHole:
    case FrameType::kExtent:
    case FrameType::kBytes:
      return handle_piece(frame);
    case FrameType::kStreamEnd:
      return handle_stream_end(frame);
    case FrameType::kEnvironment:
      return handle_environment(frame);
    case FrameType::kDecision:
      return handle_decision(frame);
    case FrameType::kAbandon:
      return handle_abandon(frame);
    case FrameType::kFact:
      return handle_fact(frame);
    case FrameType::kMenuState:
      return handle_menu_state(frame);
    case FrameType::kRequest:
    case FrameType::kLayers:
    case FrameType::kVerdict:
      break;
  }
  return broken("a frame of a type that only the broker sends");
}

Result<void> Conversation::handle_layers(const Frame& frame) {
  if (layers_seen_) return broken("it told its layers twice");
  layers_seen_ = true;
  PayloadReader reader(frame.payload);
  PVHGRUB_TRY_ASSIGN(const std::string text, reader.text());
  PVHGRUB_TRY(reader.finish());
  return events_.layers(text);
}

Result<void> Conversation::handle_log(const Frame& frame) {
  PVHGRUB_TRY_ASSIGN(const LogMessage message, LogMessage::decode(frame.payload));
  ++log_records_;
  if (log_records_ > limits::kLogRecords) return {};
  if (log_records_ == limits::kLogRecords)
    return events_.log({LogLevel::kNotice, "", "too many messages: the rest is left out"});
  return events_.log(message);
}

Result<void> Conversation::handle_echo(const Frame& frame) {
  if (mode_ != Mode::kEvaluate) return broken("echoed text outside of an evaluation");
  echo_bytes_ += frame.payload.size();
  if (echo_bytes_ > limits::kEchoBytes)
    return fail(ErrorCode::kLimit,
                "the script echoed more than " + std::to_string(limits::kEchoBytes) + " bytes");
  return events_.echo(frame.payload);
}

Result<void> Conversation::handle_menu(const Frame& frame) {
  if (mode_ != Mode::kList || menu_seen_) return broken("a menu out of order");
  menu_seen_ = true;
  PVHGRUB_TRY_ASSIGN(const MenuMessage menu, MenuMessage::decode(frame.payload));
  return events_.menu(menu);
}

// Entries come parents first, each as the next of its menu: only so is the tree that is built from them
// bounded.
bool Conversation::follows_previous_entry(const std::vector<std::uint32_t>& path) const {
  if (previous_path_.empty()) return path.size() == 1 && path[0] == 0;
  if (path.size() == previous_path_.size() + 1) {
    return previous_is_submenu_ && path.back() == 0 &&
           std::equal(previous_path_.begin(), previous_path_.end(), path.begin());
  }
  if (path.size() > previous_path_.size()) return false;
  const std::size_t last = path.size() - 1;
  return std::equal(path.begin(), path.end() - 1, previous_path_.begin()) && previous_path_[last] != ~0U &&
         path[last] == previous_path_[last] + 1;
}

Result<void> Conversation::handle_entry(const Frame& frame) {
  if (mode_ != Mode::kList || !menu_seen_) return broken("an entry out of order");
  if (++entries_ > limits::kMenuEntries)
    return fail(ErrorCode::kLimit,
                "the menu has more than " + std::to_string(limits::kMenuEntries) + " entries");
  PVHGRUB_TRY_ASSIGN(const EntryMessage entry, EntryMessage::decode(frame.payload));
  if (!follows_previous_entry(entry.path))
    return broken("an entry whose index does not follow the one before");
  previous_path_ = entry.path;
  previous_is_submenu_ = entry.is_submenu;
  return events_.entry(entry);
}

Result<void> Conversation::handle_choice(const Frame& frame) {
  if (mode_ != Mode::kBoot || menu_is_open()) return broken("a choice out of order");
  if (choice_seen_) PVHGRUB_TRY(begin_anew());
  choice_seen_ = true;
  PVHGRUB_TRY_ASSIGN(const ChoiceMessage choice, ChoiceMessage::decode(frame.payload));
  PVHGRUB_TRY(check_command_line(choice.command_line));
  return events_.choice(choice);
}

// A person may choose again and again, what could not be booted given up each time.
Result<void> Conversation::begin_anew() {
  if (!has_terminal_ || decision_seen_) return broken("a choice out of order");
  for (const auto& output : outputs_)
    if (output) return broken("a new choice with an output of the one before");
  if (++choices_ > limits::kChoices)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kChoices) + " choices in one menu");
  abandoned_ = {};
  return {};
}

Result<void> Conversation::handle_menu_state(const Frame& frame) {
  if (mode_ != Mode::kBoot || !has_terminal_ || decision_seen_) return broken("a menu that nobody asked for");
  PVHGRUB_TRY_ASSIGN(const MenuStateMessage message, MenuStateMessage::decode(frame.payload));
  if (message.state == menu_state_) return broken("a menu's state that is no news");
  menu_state_ = message.state;
  return events_.menu_state(message.state);
}

Result<void> Conversation::handle_decision(const Frame& frame) {
  if (!choice_seen_ || decision_seen_ || menu_is_open() || bare_configuration_)
    return broken("a decision out of order");
  decision_seen_ = true;
  PVHGRUB_TRY_ASSIGN(const DecisionMessage decision, DecisionMessage::decode(frame.payload));
  PVHGRUB_TRY(check_command_line(decision.command_line));
  return events_.decision(decision);
}

Result<void> Conversation::handle_fact(const Frame& frame) {
  if (mode_ != Mode::kInspect) return broken("a fact that nobody asked for");
  if (++facts_ > limits::kFacts)
    return fail(ErrorCode::kLimit,
                "there are more than " + std::to_string(limits::kFacts) + " facts to tell");
  PVHGRUB_TRY_ASSIGN(const FactMessage fact, FactMessage::decode(frame.payload));
  return events_.fact(fact);
}

Result<void> Conversation::handle_stream_begin(const Frame& frame) {
  if (mode_ != Mode::kBoot || not_really_ || !choice_seen_ || menu_is_open())
    return broken("an output out of order");
  if (frame.stream < 1 || frame.stream > outputs_.size()) return broken("a stream number out of range");
  if (outputs_[frame.stream - 1U]) return broken("an output begun twice");
  PVHGRUB_TRY_ASSIGN(const StreamBeginMessage begin, StreamBeginMessage::decode(frame.payload));
  for (const auto& output : outputs_)
    if (output && output->kind == begin.kind) return broken("two outputs of the same kind");
  const std::uint64_t cap = begin.kind == OutputKind::kKernel ? kernel_limit_ : ramdisk_limit_;
  if (begin.size > cap)
    return fail(ErrorCode::kLimit,
                std::string(begin.kind == OutputKind::kKernel ? "the kernel" : "the ramdisk") + " has " +
                    std::to_string(begin.size) + " bytes, more than the " + std::to_string(cap) + " allowed");
  outputs_[frame.stream - 1U] = Output{begin.kind, begin.size, 0, begin.exact, false};
  return events_.output_begin(begin.kind, begin.size);
}

Result<Conversation::Output*> Conversation::open_output(const Frame& frame) {
  if (frame.stream < 1 || frame.stream > outputs_.size()) return broken("a stream number out of range");
  std::optional<Output>& output = outputs_[frame.stream - 1U];
  if (!output || output->ended) return broken("contents for an output that is not open");
  return &*output;
}

Result<void> Conversation::handle_piece(const Frame& frame) {
  PVHGRUB_TRY_ASSIGN(Output* const output, open_output(frame));
  if (++pieces_ > limits::kOutputPieces)
    return fail(ErrorCode::kLimit, "an output in more than " + std::to_string(limits::kOutputPieces) +
                                       " pieces; defragment the file in the guest");
  Piece piece;
  piece.position = output->received;
  if (frame.type == FrameType::kHole) {
    PVHGRUB_TRY_ASSIGN(const HoleMessage hole, HoleMessage::decode(frame.payload));
    piece.kind = Piece::Kind::kHole;
    piece.length = hole.length;
  } else if (frame.type == FrameType::kExtent) {
    PVHGRUB_TRY_ASSIGN(piece.extent, ExtentMessage::decode(frame.payload));
    piece.kind = Piece::Kind::kExtent;
    piece.length = piece.extent.length;
    if (piece.extent.disk >= disk_sizes_.size()) return broken("an extent on a disk that there is not");
    if (!range_inside(piece.extent.offset, piece.extent.length, disk_sizes_[piece.extent.disk]))
      return broken("an extent outside of its disk");
  } else {
    piece.kind = Piece::Kind::kBytes;
    piece.bytes = frame.payload;
    piece.length = frame.payload.size();
  }
  if (piece.length == 0) return broken("an empty piece");
  if (!range_inside(output->received, piece.length, output->size))
    return broken("more contents than the output's declared size");
  output->received += piece.length;
  return events_.piece(output->kind, piece);
}

Result<void> Conversation::handle_stream_end(const Frame& frame) {
  PVHGRUB_TRY_ASSIGN(Output* const output, open_output(frame));
  if (!frame.payload.empty()) return broken("an end of output that says something");
  if (output->exact && output->received != output->size)
    return broken("less contents than the output's declared size");
  output->ended = true;
  return events_.output_end(output->kind, output->received);
}

// Only before the decision, which the outputs that follow belong to: so nothing can go on like that for ever.
Result<void> Conversation::handle_abandon(const Frame& frame) {
  if (frame.stream < 1 || frame.stream > outputs_.size() || !outputs_[frame.stream - 1U])
    return broken("an output given up that was not begun");
  if (decision_seen_) return broken("an output given up after the decision");
  if (abandoned_[frame.stream - 1U]) return broken("an output given up twice");
  if (!frame.payload.empty()) return broken("an output given up with something to say");
  abandoned_[frame.stream - 1U] = true;
  const OutputKind kind = outputs_[frame.stream - 1U]->kind;
  outputs_[frame.stream - 1U].reset();
  return events_.output_abandon(kind);
}

Result<void> Conversation::handle_environment(const Frame& frame) {
  if (!writes_environment_ || !choice_seen_) return broken("an environment block out of order");
  if (++environment_blocks_ > limits::kEnvironmentBlocks) return broken("too many environment blocks");
  PVHGRUB_TRY_ASSIGN(const EnvironmentMessage change, EnvironmentMessage::decode(frame.payload));
  if (!is_environment_block(change.old_contents) || !is_environment_block(change.contents))
    return broken("an environment block that is none");
  if (change.old_contents.size() != change.contents.size())
    return broken("an environment block that changes its size");
  if (change.old_contents == change.contents) return broken("an environment block that does not change");
  PVHGRUB_TRY(take_environment_extents(change));
  return events_.environment(change);
}

Result<void> Conversation::take_environment_extents(const EnvironmentMessage& change) {
  std::uint64_t left = change.contents.size();
  for (const ExtentMessage& extent : change.extents) {
    if (extent.disk >= disk_count_) return broken("an environment block on a disk that there is not");
    if (extent.length == 0 || extent.length > left)
      return broken("an environment block that lies in more or less than its size");
    if (!range_inside(extent.offset, extent.length, disk_sizes_[extent.disk]))
      return broken("an environment block outside of its disk");
    left -= extent.length;
    for (const ExtentMessage& other : environment_extents_)
      if (other.disk == extent.disk && other.offset < extent.offset + extent.length &&
          extent.offset < other.offset + other.length)
        return broken("environment blocks that share bytes");
    environment_extents_.push_back(extent);
  }
  if (left != 0) return broken("an environment block that lies in more or less than its size");
  return {};
}

Result<void> Conversation::handle_verdict(const Frame& frame) {
  PVHGRUB_TRY_ASSIGN(const VerdictMessage verdict, VerdictMessage::decode(frame.payload));
  if (verdict.success) PVHGRUB_TRY(require_success_is_whole());
  verdict_ = verdict;
  return {};
}

Result<void> Conversation::require_success_is_whole() const {
  if (menu_is_open()) return broken("success while a person was asked");
  if (!layers_seen_) return broken("success before it told what confines it");
  if (mode_ == Mode::kList && !menu_seen_) return broken("success without a menu");
  if (mode_ != Mode::kBoot) return {};
  if (!choice_seen_) return broken("success without a choice");
  if (!decision_seen_ && !bare_configuration_) return broken("success without a decision");
  bool kernel = false;
  for (const auto& output : outputs_) {
    if (!output) continue;
    if (!output->ended) return broken("success with an unfinished output");
    kernel = kernel || output->kind == OutputKind::kKernel;
  }
  if (!kernel && !not_really_) return broken("success without a kernel");
  return {};
}

}  // namespace pvhgrub::protocol
