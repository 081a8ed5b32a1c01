// SPDX-License-Identifier: LGPL-2.1-or-later
// The confined half of pvhgrub. The order of worker_main() is the security argument: the request (from the
// broker, which is trusted) is read first, then every power is given up, then the first guest byte is read.
#pragma once

#include <memory>

#include "src/worker/boot_mode.h"

namespace pvhgrub::worker {

/// All that one request is served with; everything outlives who is asked.
struct Service {
  Guest& guest;
  const protocol::Request& request;
  Channel& channel;
  Reporter& reporter;
  Budget& budget;
};

/// The terminal of a request, opened before the worker was confined.
class MenuTerminal {
 public:
  MenuTerminal() = default;
  MenuTerminal(const MenuTerminal&) = delete;
  MenuTerminal& operator=(const MenuTerminal&) = delete;
  virtual ~MenuTerminal() = default;
  [[nodiscard]] virtual std::unique_ptr<Person> person(const Service& service) = 0;
};

using OpenTerminal = std::unique_ptr<MenuTerminal> (*)(const protocol::RequestTerminal& terminal);

/// The whole program but for its exit; returns the exit status. `open_terminal`: null where nobody can be
/// asked.
[[nodiscard]] int worker_main(int argc, char** argv, OpenTerminal open_terminal);

}  // namespace pvhgrub::worker
