// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest as one request sees it: its disks, and the boot menu that they hold.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "fsreaders/disk_set.h"
#include "grubcfg/configuration.h"
#include "protocol/messages.h"
#include "src/worker/appliance_client.h"
#include "src/worker/reporter.h"

namespace pvhgrub::worker {

class Guest {
 public:
  /// All references outlive the guest. `script` is what --isconfig or --eval was given.
  Guest(const protocol::Request& request, std::string script, Reporter& reporter, Budget& budget);

  /// Opens the request's disks. kDamaged where a partition table cannot be read, kIo.
  [[nodiscard]] Result<void> open_disks();

  /// Calls `use` with each boot menu in the order of preference until one call succeeds; what failed before
  /// is told as notices. All failing: the first one's error. An error that would meet every menu (limits, the
  /// host, the protocol) ends at once.
  [[nodiscard]] Result<void> with_menu(const std::function<Result<void>(grubcfg::Menu&)>& use);

  /// The kind of configuration that --source names, or the path's name tells.
  [[nodiscard]] std::string kind_of(std::string_view path) const;

  /// The request's devices, once open_disks() has succeeded.
  [[nodiscard]] fs::Devices& devices() { return *disks_; }

  /// Whether a device was asked for that only the appliance may be able to read.
  [[nodiscard]] bool lacks_reader() const { return disks_ != nullptr && disks_->lacks_reader(); }

  /// --eval: the status of the script's last command.
  [[nodiscard]] Result<bool> evaluate();

  /// Opens a file of the guest's.
  [[nodiscard]] Result<std::unique_ptr<fs::File>> open_file(const grubcfg::FileReference& file);

  /// A file as a person names it: "(hd0,gpt2)/path", or "/path" on the first file system that has it.
  [[nodiscard]] Result<grubcfg::FileReference> find_file(std::string_view name);

 private:
  [[nodiscard]] Result<std::unique_ptr<grubcfg::Menu>> load(const grubcfg::ConfigurationSource& source);
  /// The configurations to try, in order. kNoEntry where there is none.
  [[nodiscard]] Result<std::vector<grubcfg::ConfigurationSource>> sources();
  [[nodiscard]] Error no_configuration();

  const protocol::Request& request_;
  std::string script_;
  Reporter& reporter_;
  Budget& budget_;
  grubcfg::GrubSettings settings_;
  ApplianceSocket appliance_socket_;
  ApplianceClient appliance_{appliance_socket_};
  std::unique_ptr<fs::DiskSet> disks_;
  std::optional<Error> damage_;  ///< met in the search for configurations
};

}  // namespace pvhgrub::worker
