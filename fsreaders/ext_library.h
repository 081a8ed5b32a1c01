// SPDX-License-Identifier: LGPL-2.1-or-later
// libext2fs over an ExtVolume: an io_manager of our own, since the library's own ones want files and system
// calls that the confined worker does not have.
#pragma once

#include <ext2fs/ext2fs.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "fsreaders/ext_volume.h"

namespace pvhgrub::fs {

class ExtLibrary {
 public:
  /// Opens the file system read-only through `volume`, which outlives the result.
  [[nodiscard]] static Result<ExtLibrary> open(ExtVolume& volume);

  [[nodiscard]] ext2_filsys get() const { return file_system_.get(); }
  [[nodiscard]] ExtVolume& volume() const { return *volume_; }

  /// What a failed call of the library means: the read that failed below it, where one did, with its place on
  /// the disk; else the library's own code. Also drops what the channel remembered.
  [[nodiscard]] Error error(errcode_t code, const std::string& doing) const;

 private:
  struct Closer {
    void operator()(ext2_filsys file_system) const { ext2fs_free(file_system); }
  };
  ExtLibrary(ext2_filsys file_system, ExtVolume& volume) : file_system_(file_system), volume_(&volume) {}

  std::unique_ptr<struct_ext2_filsys, Closer> file_system_;
  ExtVolume* volume_;
};

}  // namespace pvhgrub::fs
