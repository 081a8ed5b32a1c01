// SPDX-License-Identifier: LGPL-2.1-or-later
// The disks' file systems through libguestfs.
#pragma once

#include <guestfs.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/appliance_messages.h"

namespace pvhgrub::appliance {

/// Takes a line of text for a person, without its end.
using Progress = std::function<void(const std::string& line)>;

class GuestFiles {
 public:
  /// Starts libguestfs's own small machine on disks that NBD servers give at those sockets, read-only and as
  /// raw images always: a format that is looked for could be one that names other files of the host. No
  /// network. Takes some ten seconds without KVM, which is what is left where KVM does not work. kIo.
  [[nodiscard]] static Result<std::unique_ptr<GuestFiles>> start(const std::vector<std::string>& sockets,
                                                                 const Progress& progress);

  [[nodiscard]] const std::vector<protocol::ApplianceVolume>& volumes() const { return volumes_; }
  /// `number`: an index into volumes(), checked here.
  [[nodiscard]] Result<std::vector<protocol::ApplianceEntry>> list(std::uint32_t number,
                                                                   const std::string& path);
  [[nodiscard]] Result<std::string> read_link(std::uint32_t number, const std::string& path);
  /// Exactly `length` bytes from `offset`.
  [[nodiscard]] Result<std::string> read(std::uint32_t number, const std::string& path, std::uint64_t offset,
                                         std::uint32_t length);

 private:
  struct Close {
    void operator()(guestfs_h* handle) const { guestfs_close(handle); }
  };
  using Handle = std::unique_ptr<guestfs_h, Close>;
  explicit GuestFiles(Handle handle) : handle_(std::move(handle)) {}

  /// A machine with these disks that runs, with KVM or without.
  [[nodiscard]] static Result<std::unique_ptr<GuestFiles>> launch(const std::vector<std::string>& sockets,
                                                                  const Progress& progress, bool accelerated);
  [[nodiscard]] Result<void> add_disk(const std::string& socket);
  [[nodiscard]] Result<void> find_volumes();
  /// The name of `path` in the appliance; mounts the file system first where it is not yet.
  [[nodiscard]] Result<std::string> place_of(std::uint32_t number, const std::string& path);
  [[nodiscard]] std::unexpected<Error> failure(const std::string& what) const;

  Handle handle_;
  std::vector<protocol::ApplianceVolume> volumes_;
  std::vector<std::string> devices_;  // libguestfs's names, one a volume
  std::vector<bool> mounted_;
};

}  // namespace pvhgrub::appliance
