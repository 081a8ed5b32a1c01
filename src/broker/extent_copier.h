// SPDX-License-Identifier: LGPL-2.1-or-later
// Fills the output files with what the worker sends: bytes at once, extents from a queue, one bounded piece a
// turn.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "protocol/conversation.h"
#include "src/broker/output_files.h"

namespace pvhgrub::broker {

class ExtentCopier {
 public:
  /// `disks`: the descriptors that extents name by index; not owned. Outputs are made in `directory`.
  ExtentCopier(std::vector<int> disks, std::shared_ptr<OutputDirectory> directory)
      : disks_(std::move(disks)), directory_(std::move(directory)) {}

  /// Makes the file for one kind of output.
  [[nodiscard]] Result<void> begin(protocol::OutputKind kind, std::uint64_t size);
  /// Writes bytes, queues an extent. The piece has been checked against the output's size and the disk's.
  [[nodiscard]] Result<void> add(protocol::OutputKind kind, const protocol::Piece& piece);

  [[nodiscard]] bool pending() const { return !queue_.empty(); }
  [[nodiscard]] bool full() const { return queue_.size() >= limits::kQueuedPieces; }
  /// Copies at most limits::kCopyPiece bytes of the oldest extent.
  [[nodiscard]] Result<void> step();

  /// Gives every output its full size (holes at the end were not written). Nothing may be pending.
  [[nodiscard]] Result<void> finish();
  /// The output's path; nothing when the worker sent none of that kind.
  [[nodiscard]] std::optional<std::string> path(protocol::OutputKind kind) const;
  /// The outputs stay.
  void keep();

 private:
  // How bytes get from a disk to an output, best first: the first that works for a pair of files is used for
  // the rest.
  enum class Method : std::uint8_t { kCopyFileRange, kSendfile, kReadWrite };
  struct Output {
    OutputFile file;
    std::uint64_t size = 0;
    Method method = Method::kCopyFileRange;
  };
  struct Task {
    protocol::OutputKind kind{};
    std::uint64_t position = 0;
    protocol::ExtentMessage extent;
  };

  [[nodiscard]] Output& output(protocol::OutputKind kind) {
    return *outputs_.at(static_cast<std::size_t>(kind));
  }
  [[nodiscard]] Result<std::uint64_t> copy_some(Output& output, const Task& task, std::uint64_t length);
  [[nodiscard]] Result<std::uint64_t> write_from_mapping(Output& output, const Task& task,
                                                         std::uint64_t length);
  [[nodiscard]] Result<std::uint64_t> read_and_write(const Task& task, std::uint64_t length);
  [[nodiscard]] std::unexpected<Error> cannot_write(const Output& output) const;

  std::vector<int> disks_;
  std::shared_ptr<OutputDirectory> directory_;
  std::array<std::optional<Output>, 2> outputs_;  // by OutputKind
  std::deque<Task> queue_;
};

}  // namespace pvhgrub::broker
