// SPDX-License-Identifier: LGPL-2.1-or-later
// pvhgrub-appliance, the program that reads file systems by libguestfs for a worker (--appliance). It has
// namespaces, a user id and limits of its own, sees the disks read-only, and speaks to the worker on a socket
// that the broker only hands over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "sandbox/spawn.h"
#include "src/broker/console.h"

namespace pvhgrub::broker {

/// pvhgrub-appliance beside this program, else where it was installed. kUnsupported where it is in neither
/// place: it is built only where libguestfs is.
[[nodiscard]] Result<std::string> find_appliance();

struct ApplianceDisk {
  int fd = -1;             ///< open for reading only; not owned
  std::uint64_t size = 0;  ///< bytes
};

class ApplianceProcess {
 public:
  /// Starts the program; it takes its time to be ready, in which the worker waits for its first answer. The
  /// process ends with this object. `console` outlives it.
  [[nodiscard]] static Result<ApplianceProcess> start(const std::string& path, std::optional<uid_t> run_as,
                                                      const std::vector<ApplianceDisk>& disks,
                                                      Console& console);

  /// The worker's end of the socket, until it has been handed over.
  [[nodiscard]] int workers_end() const { return workers_end_.get(); }
  void handed_over() { workers_end_.reset(); }

  /// Readable when it has something to tell, or has ended; -1 once it says no more.
  [[nodiscard]] int progress_fd() const { return control_.get(); }
  /// Tells what it said. Never waits.
  void read_progress();

 private:
  ApplianceProcess(sandbox::WorkerProcess process, Console& console)
      : process_(std::move(process)), console_(&console) {}

  sandbox::WorkerProcess process_;
  Console* console_;
  UniqueFd control_;
  UniqueFd workers_end_;
  std::string line_;      // said so far, without its end
  std::size_t said_ = 0;  // bytes
};

}  // namespace pvhgrub::broker
