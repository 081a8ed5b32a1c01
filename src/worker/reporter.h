// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "grubcfg/diagnostics.h"
#include "src/worker/channel.h"

namespace pvhgrub::worker {

/// Sends what the evaluation has to tell to the broker.
class Reporter final : public grubcfg::Diagnostics {
 public:
  /// `explain`: send the steps as well. `echo`: send what scripts echo as it is; without it that is one of
  /// the steps, since a menu's "Loading Linux ..." is no output of ours. The channel outlives the reporter.
  Reporter(Channel& channel, bool explain, bool echo) : channel_(channel), explain_(explain), echo_(echo) {}

  void notice(std::string where, std::string message) override;
  void explain(std::string text) override;
  [[nodiscard]] Result<void> echo(std::string_view text) override;

 private:
  void log(protocol::LogLevel level, std::string where, std::string text);

  Channel& channel_;
  std::uint64_t records_ = 0;  ///< sent
  bool explain_;
  bool echo_;
};

}  // namespace pvhgrub::worker
