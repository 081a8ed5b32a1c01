// SPDX-License-Identifier: LGPL-2.1-or-later
// One worker from its start to its verdict, in one poll loop: its frames, the copying, the deadline, and
// signals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "protocol/conversation.h"
#include "sandbox/spawn.h"
#include "src/broker/appliance_process.h"
#include "src/broker/extent_copier.h"
#include "src/broker/progress.h"
#include "src/broker/termination.h"

namespace pvhgrub::broker {

struct SessionSettings {
  std::string worker_path;
  std::optional<uid_t> run_as;
  bool allow_landlock_only = false;
  std::uint64_t deadline_milliseconds = 0;  ///< 0: none
  std::uint64_t started_milliseconds = 0;  ///< when the deadline began (CLOCK_MONOTONIC); 0: with the session
  int terminal = -1;            ///< where a person is asked, on standard input's number; -1: nowhere
  bool shows_progress = false;  ///< there, while contents are copied
  ApplianceProcess* appliance = nullptr;  ///< started already, where there is one; outlives the session
};

/// pvhgrub-worker, or pvhgrub-worker-menu which can ask a person, beside this program, else where it was
/// installed.
[[nodiscard]] Result<std::string> find_worker(bool with_menu);

class WorkerSession {
 public:
  /// `termination` and `copier` (may be null) outlive the session.
  WorkerSession(SessionSettings settings, Termination& termination, ExtentCopier* copier)
      : settings_(std::move(settings)), termination_(termination), copier_(copier) {}

  /// Starts a worker on `request` with those descriptors and stays until its verdict, every queued byte
  /// copied. The worker is gone when this returns, however it returns. A verdict that is an error is returned
  /// as that error.
  [[nodiscard]] Result<protocol::VerdictMessage> run(const protocol::Request& request,
                                                     const std::vector<sandbox::FdGrant>& descriptors,
                                                     protocol::WorkerEvents& events);

  /// After run() has failed: whether the appliance might read what the worker could not.
  [[nodiscard]] bool lacks_reader() const { return lacks_reader_; }

 private:
  [[nodiscard]] Result<void> loop(protocol::Conversation& conversation);
  [[nodiscard]] Result<void> wait_for_events(bool may_read, bool& readable);
  [[nodiscard]] Result<void> read_from_worker(protocol::Conversation& conversation);
  [[nodiscard]] Error explain_sudden_end(sandbox::WorkerProcess& worker, Error error);
  void mind_menu(protocol::MenuState state);
  [[nodiscard]] Error out_of_time() const;
  void show_progress();
  [[nodiscard]] bool copying() const { return copier_ != nullptr && copier_->pending(); }
  [[nodiscard]] bool queue_full() const { return copier_ != nullptr && copier_->full(); }

  SessionSettings settings_;
  Termination& termination_;
  ExtentCopier* copier_;
  UniqueFd channel_;
  bool lacks_reader_ = false;
  bool ended_ = false;                       // the worker closed its end
  std::uint64_t started_ = 0;                // milliseconds, CLOCK_MONOTONIC
  std::optional<std::uint64_t> verdict_at_;  // the same clock
  std::optional<std::uint64_t> menu_at_;     // the same clock: a person is at the menu since
  protocol::MenuState menu_state_ = protocol::MenuState::kClosed;
  std::optional<Progress> progress_;
};

}  // namespace pvhgrub::broker
