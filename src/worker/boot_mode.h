// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "grubcfg/choice.h"
#include "src/worker/guest.h"

namespace pvhgrub::worker {

/// Who is asked what to boot.
class Person {
 public:
  Person() = default;
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  virtual ~Person() = default;

  /// The same menu each time. An error ends the request.
  [[nodiscard]] virtual Result<grubcfg::Choice> choose(grubcfg::Menu& menu) = 0;
  /// What was chosen cannot be booted. True: choose() wants to be called again.
  [[nodiscard]] virtual bool reject(const Error& why) = 0;
};

/// Chooses what to boot, or asks `person` where that is not null, and sends its kernel, ramdisk and command
/// line.
[[nodiscard]] Result<void> run_boot(Guest& guest, const protocol::Request& request, Channel& channel,
                                    Reporter& reporter, Budget& budget, Person* person);

}  // namespace pvhgrub::worker
