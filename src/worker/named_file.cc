// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/named_file.h"

#include <utility>

namespace pvhgrub::worker {
namespace {

class NamedFile final : public fs::File {
 public:
  NamedFile(std::unique_ptr<fs::File> file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}

  [[nodiscard]] std::uint64_t size() const override { return file_->size(); }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    return named(file_->read(offset, out));
  }

  Result<void> send(fs::ContentSink& sink) override { return named(file_->send(sink)); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, fs::ContentSink& sink) override {
    return named(file_->send_range(offset, length, sink));
  }

  Result<std::vector<fs::DiskExtent>> overwritable_extents() override {
    return named(file_->overwritable_extents());
  }

 private:
  template <typename T>
  Result<T> named(Result<T> result) const {
    if (result ||
        (result.error().code != ErrorCode::kDamaged && result.error().code != ErrorCode::kUnsupported))
      return result;
    return std::unexpected(at(name_, std::move(result).error()));
  }

  std::unique_ptr<fs::File> file_;
  std::string name_;
};

}  // namespace

std::unique_ptr<fs::File> name_file(std::unique_ptr<fs::File> file, std::string name) {
  return std::make_unique<NamedFile>(std::move(file), std::move(name));
}

}  // namespace pvhgrub::worker
