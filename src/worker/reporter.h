// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>

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

  /// Where words go from now on: to the broker (as at first), nowhere, or into text().
  enum class Destination : std::uint8_t { kBroker, kNowhere, kText };
  void send_to(Destination destination) { destination_ = destination; }
  /// What came since it was asked last, in lines.
  [[nodiscard]] std::string text() { return std::exchange(text_, {}); }

 private:
  void log(protocol::LogLevel level, std::string where, std::string text);

  void write(std::string_view line);

  Channel& channel_;
  Destination destination_ = Destination::kBroker;
  std::string text_;
  std::uint64_t records_ = 0;  ///< sent
  bool explain_;
  bool echo_;
};

}  // namespace pvhgrub::worker
