// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB's command line: what a person types, one line after another, over one state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/machine_state.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// What one line came to.
struct CommandOutcome {
  enum class Kind : std::uint8_t {
    kDone,        ///< executed, or refused with a notice: the next line, please
    kIncomplete,  ///< a statement goes on (`if ...; then`): call again with this and the next line, joined by
                  ///< a newline
    kBoot,   ///< `boot`: `entry` is what is loaded; it may be one that cannot be booted (BootEntry::error)
    kMenu,   ///< `configfile` and the like, or entries that were typed: `menu` is what they made
    kLeave,  ///< `normal`, `normal_exit`, `exit`: back to the menu
    kNothingToDo,  ///< `reboot`, `halt`, `fwsetup`: `command` says which; there is no machine to do it with
  };
  Kind kind = Kind::kDone;
  BootEntry entry;
  std::unique_ptr<Menu> menu;
  std::string command;
};

/// What Tab makes of a line.
struct Completion {
  std::string addition;                 ///< to insert at the cursor; may be empty
  std::vector<std::string> candidates;  ///< what to show where `addition` is not the whole answer
  std::string
      subject;  ///< what the candidates are: "commands", "devices", "partitions", "files", "variables"
};

class CommandLine {
 public:
  CommandLine(std::shared_ptr<Session> session, MachineState state, ConfigurationSource source);

  /// Executes `text`, a line or several. What it prints and its errors go to the session's Diagnostics. A
  /// Result's error is kLimit and the like; the state is then as before the line.
  [[nodiscard]] Result<CommandOutcome> run(std::string_view text);

  /// Completes what stands before the cursor: a command at the line's begin (or after `;`, `{`, `then` ...),
  /// a variable behind `$`, else a device or a file. `line`: all up to the cursor. Of many candidates the
  /// first are there, and one that says how many more there are.
  [[nodiscard]] Result<Completion> complete(std::string_view line);

  [[nodiscard]] const MachineState& state() const { return state_; }

 private:
  [[nodiscard]] Result<CommandOutcome> finish(Evaluator evaluator);
  [[nodiscard]] Result<CommandOutcome> make_menu(Evaluator evaluator);

  std::shared_ptr<Session> session_;
  MachineState state_;
  ConfigurationSource source_;
};

}  // namespace pvhgrub::grubcfg
