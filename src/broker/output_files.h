// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel and ramdisk files: made by the broker alone, under names of its choosing, in a directory that
// the toolstack named; gone again unless the request succeeds.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace pvhgrub::broker {

/// Where outputs go when nobody says: pygrub's directory, which xapi insists on.
inline constexpr const char* kDefaultOutputDirectory = "/var/run/xen/pygrub";

class OutputDirectory {
 public:
  /// An existing directory; an empty path means the default, which is made (0700).
  [[nodiscard]] static Result<std::shared_ptr<OutputDirectory>> open(std::string path);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  OutputDirectory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

/// One output, mode 0600. Removed when it goes out of scope, unless `keep` was called.
class OutputFile {
 public:
  /// Makes PREFIX followed by six random characters.
  [[nodiscard]] static Result<OutputFile> create(std::shared_ptr<OutputDirectory> directory,
                                                 std::string_view prefix);

  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() { remove(); }

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string path() const { return directory_->path() + "/" + name_; }
  void keep() { name_kept_ = true; }

 private:
  OutputFile(std::shared_ptr<OutputDirectory> directory, UniqueFd fd, std::string name)
      : directory_(std::move(directory)), fd_(std::move(fd)), name_(std::move(name)) {}
  void remove();

  std::shared_ptr<OutputDirectory> directory_;
  UniqueFd fd_;
  std::string name_;
  bool name_kept_ = false;
};

/// The file that the result record goes to (--output), opened before anything else so that a wrong path fails
/// early.
class ResultFile {
 public:
  /// An empty path or "-" is standard output.
  [[nodiscard]] static Result<ResultFile> open(const std::string& path);

  /// Whether --output named a file (a pipe counts as one), not standard output.
  [[nodiscard]] bool is_named() const { return owned_.valid(); }

  /// Writes the whole record in place of what the file held.
  [[nodiscard]] Result<void> write(std::string_view record);

  /// After a failure: a regular file holds nothing.
  void clear();

 private:
  ResultFile(UniqueFd owned, int fd, bool regular, std::string path)
      : owned_(std::move(owned)), fd_(fd), regular_(regular), path_(std::move(path)) {}
  UniqueFd owned_;
  int fd_;
  bool regular_;
  std::string path_;
};

/// Writes everything to `fd` or fails.
[[nodiscard]] Result<void> write_all(int fd, std::string_view text, const std::string& where);

}  // namespace pvhgrub::broker
