// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::worker {

/// One initrd file, opened.
struct RamdiskFile {
  std::unique_ptr<fs::File> file;
  std::optional<std::string> newc_name;  ///< wrap it into a cpio archive under this name
};

/// All initrd files of an entry as the one ramdisk that Xen passes on, joined as GRUB joins them: each begins
/// at a multiple of four bytes, `newc:` files are wrapped, and a run of those ends with a trailer. Where
/// several files are joined and the first is compressed with gzip, an empty archive of 4096 bytes goes in
/// front: libxenguest up to 4.19 would gunzip the whole, and cut it after the first member.
class Ramdisk {
 public:
  [[nodiscard]] static Result<Ramdisk> join(std::vector<RamdiskFile> files);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Sends exactly size() bytes.
  [[nodiscard]] Result<void> send(fs::ContentSink& sink);

 private:
  struct Part {
    std::string before;  ///< bytes in front of the file: padding and archive headers
    std::unique_ptr<fs::File> file;
  };
  std::vector<Part> parts_;
  std::string after_;
  std::uint64_t size_ = 0;
};

}  // namespace pvhgrub::worker
