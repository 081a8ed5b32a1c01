// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/output_files.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace pvhgrub::broker {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOwnerOnlyDirectory = 0700;

Result<std::string> random_name() {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::array<unsigned char, 6> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail_errno("cannot get random bytes");
  std::string name;
  for (const unsigned char byte : bytes) name += kLetters[byte % kLetters.size()];
  return name;
}

Result<void> make_default_directory() {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(kDefaultOutputDirectory).parent_path(), error);
  if (mkdir(kDefaultOutputDirectory, kOwnerOnlyDirectory) != 0 && errno != EEXIST)
    return fail_errno("cannot make the output directory; name another with --output-directory",
                      kDefaultOutputDirectory);
  return {};
}

}  // namespace

Result<std::shared_ptr<OutputDirectory>> OutputDirectory::open(std::string path) {
  if (path.empty()) {
    path = kDefaultOutputDirectory;
    PVHGRUB_TRY(make_default_directory());
  }
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open the output directory", path);
  return std::shared_ptr<OutputDirectory>(new OutputDirectory(std::move(fd), std::move(path)));
}

Result<OutputFile> OutputFile::create(std::shared_ptr<OutputDirectory> directory, std::string_view prefix) {
  constexpr int kTries = 100;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    PVHGRUB_TRY_ASSIGN(const std::string random, random_name());
    std::string name = std::string(prefix) + random;
    UniqueFd fd(openat(directory->fd(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       kOwnerOnly));
    if (fd.valid()) return OutputFile(std::move(directory), std::move(fd), std::move(name));
    if (errno != EEXIST) return fail_errno("cannot make an output file there", directory->path());
  }
  return fail(ErrorCode::kIo, "cannot find a free name for an output file", directory->path());
}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  directory_ = std::move(other.directory_);
  fd_ = std::move(other.fd_);
  name_ = std::move(other.name_);
  name_kept_ = other.name_kept_;
  return *this;
}

void OutputFile::remove() {
  if (directory_ && fd_.valid() && !name_kept_) unlinkat(directory_->fd(), name_.c_str(), 0);
}

Result<ResultFile> ResultFile::open(const std::string& path) {
  if (path.empty() || path == "-") return ResultFile(UniqueFd(), STDOUT_FILENO, false, "standard output");
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, kOwnerOnly));
  if (!fd.valid()) return fail_errno("cannot open it for the result", path);
  struct stat status = {};
  if (fstat(fd.get(), &status) != 0) return fail_errno("cannot ask what it is", path);
  const int number = fd.get();
  return ResultFile(std::move(fd), number, S_ISREG(status.st_mode), path);
}

Result<void> ResultFile::write(std::string_view record) {
  if (regular_ && (ftruncate(fd_, 0) != 0 || lseek(fd_, 0, SEEK_SET) != 0))
    return fail_errno("cannot empty the result file", path_);
  return write_all(fd_, record, path_);
}

void ResultFile::clear() {
  // Nothing more can be done where this fails, and the exit status says already that there is no result.
  if (regular_) (void)(ftruncate(fd_, 0) == 0);
}

Result<void> write_all(int fd, std::string_view text, const std::string& where) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot write", where);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace pvhgrub::broker
