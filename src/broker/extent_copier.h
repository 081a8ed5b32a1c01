// SPDX-License-Identifier: LGPL-2.1-or-later
// Fills the output files with what the worker sends: bytes at once, extents from a queue, one bounded piece a
// turn.
#pragma once

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

  /// Makes the file for one kind of output. `size`: bytes at most.
  [[nodiscard]] Result<void> begin(protocol::OutputKind kind, std::uint64_t size);
  /// The output is whole: so many bytes.
  void end(protocol::OutputKind kind, std::uint64_t size);
  /// Takes the output back, and what is still to be copied into it.
  void abandon(protocol::OutputKind kind);
  /// Makes a file for a module of the host's, and queues all `size` bytes of `fd` for it; not owned.
  [[nodiscard]] Result<void> add_module(int fd, std::uint64_t size);
  /// Writes bytes, queues an extent. The piece has been checked against the output's size and the disk's.
  [[nodiscard]] Result<void> add(protocol::OutputKind kind, const protocol::Piece& piece);

  /// Bytes of all outputs that are in their files, and those that were announced; the sizes of outputs whose
  /// end has not come may be too large.
  struct Amount {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
  };
  [[nodiscard]] Amount amount() const;

  [[nodiscard]] bool pending() const { return !queue_.empty(); }
  [[nodiscard]] bool full() const { return queue_.size() >= limits::kQueuedPieces; }
  /// Copies at most limits::kCopyPiece bytes of the oldest extent.
  [[nodiscard]] Result<void> step();

  /// Gives every output its full size (holes at the end were not written). Nothing may be pending.
  [[nodiscard]] Result<void> finish();
  /// What was made, in order: kernel, ramdisk where there is one, modules.
  struct Made {
    std::string path;
    std::uint64_t size = 0;  ///< bytes
    int fd = -1;             ///< the copier's
  };
  [[nodiscard]] std::vector<Made> made() const;
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
    std::uint64_t received = 0;  ///< bytes of it that came, holes included
    Method method = Method::kCopyFileRange;
  };
  struct Task {
    std::size_t output = 0;  // index into outputs_
    std::uint64_t position = 0;
    protocol::ExtentMessage extent;
  };

  static std::size_t index_of(protocol::OutputKind kind) { return static_cast<std::size_t>(kind); }
  [[nodiscard]] Result<void> write_bytes(Output& output, std::uint64_t position, Bytes bytes) const;
  [[nodiscard]] Result<std::uint64_t> copy_some(Output& output, const Task& task, std::uint64_t length);
  [[nodiscard]] Result<std::uint64_t> write_from_mapping(Output& output, const Task& task,
                                                         std::uint64_t length);
  [[nodiscard]] Result<std::uint64_t> read_and_write(const Task& task, std::uint64_t length);
  [[nodiscard]] std::unexpected<Error> cannot_write(const Output& output) const;

  std::vector<int> disks_;
  std::shared_ptr<OutputDirectory> directory_;
  std::vector<std::optional<Output>> outputs_{2};  // by OutputKind, then the modules
  std::deque<Task> queue_;
};

}  // namespace pvhgrub::broker
