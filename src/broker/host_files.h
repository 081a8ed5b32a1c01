// SPDX-License-Identifier: LGPL-2.1-or-later
// The host's own files that take part in a boot: firmware, the PV shim, modules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "protocol/messages.h"
#include "sandbox/spawn.h"
#include "src/broker/host_configuration.h"
#include "src/broker/options.h"

namespace pvhgrub::broker {

/// A module that becomes an output of its own: copied by the broker alone.
struct HostModule {
  std::string path;
  UniqueFd fd;
  std::uint64_t size = 0;  ///< bytes
};

class HostFiles {
 public:
  /// Opens what the options name. Firmware that nobody asked for may be missing: the request then says why.
  /// kUsage and kNotFound as find_firmware(); kIo; kUsage for what is no regular file.
  [[nodiscard]] static Result<HostFiles> open(const Options& options, const HostConfiguration& host);

  /// Puts what the worker needs into its request. Their descriptors in the worker begin at `first`.
  void add_to(protocol::Request& request, int first, std::vector<sandbox::FdGrant>& grants) const;

  /// The descriptors of what add_to() put there, in the same order.
  [[nodiscard]] std::vector<int> descriptors() const;
  [[nodiscard]] const std::vector<HostModule>& modules() const { return modules_; }
  /// The path of the file of that role; empty where there is none.
  [[nodiscard]] std::string path_of(protocol::HostFile::Role role) const;

 private:
  struct Opened {
    protocol::HostFile file;
    UniqueFd fd;
  };
  std::vector<Opened> files_;  // for the worker
  std::vector<HostModule> modules_;
  std::string no_firmware_;
};

}  // namespace pvhgrub::broker
