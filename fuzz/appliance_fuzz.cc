// SPDX-License-Identifier: LGPL-2.1-or-later
// The worker's end of the appliance's socket: any bytes as answers, while a whole tree is listed and read.
#include <algorithm>

#include "base/appliance_limits.h"
#include "base/budget.h"
#include "src/worker/appliance_client.h"

namespace pvhgrub::worker {
namespace {

class AnyAnswer final : public ApplianceTransport {
 public:
  explicit AnyAnswer(Bytes bytes) : bytes_(bytes) {}
  Result<void> send(Bytes bytes) override {
    if (bytes.size() > protocol::kApplianceHeaderBytes + limits::kApplianceQuestionBytes) __builtin_trap();
    operation_ = bytes[4];
    return {};
  }
  Result<void> receive(std::span<std::byte> out) override {
    if (bytes_.size() < out.size()) return fail(ErrorCode::kIo, "the end");
    std::ranges::copy(bytes_.first(out.size()), out.begin());
    bytes_ = bytes_.subspan(out.size());
    // Mostly the question that was asked, or nothing behind the first answer would ever be reached.
    if (out.size() == protocol::kApplianceHeaderBytes && (out[4] & std::byte{0x80}) == std::byte{0})
      out[4] = operation_;
    return {};
  }

 private:
  Bytes bytes_;
  std::byte operation_{};
};

class NoSink final : public fs::ContentSink {
 public:
  Result<void> hole(std::uint64_t length) override { return fail(ErrorCode::kLimit, std::to_string(length)); }
  Result<void> extent(const fs::DiskExtent& extent) override {
    return fail(ErrorCode::kLimit, std::to_string(extent.length));
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    if (bytes.size() > limits::kApplianceReadBytes) __builtin_trap();
    return {};
  }
};

void walk(fs::FileSystem& files, const std::string& path, unsigned depth) {
  if (depth > 4) return;
  const auto entries = files.list(path);
  if (!entries) return;
  for (const fs::DirectoryEntry& entry : *entries) {
    if (entry.name.empty() || entry.name.find('/') != std::string::npos || entry.name == "..")
      __builtin_trap();
    const std::string child = (path == "/" ? "" : path) + "/" + entry.name;
    if (entry.type == fs::FileType::kDirectory) {
      walk(files, child, depth + 1);
    } else if (const auto file = files.open(child)) {
      NoSink sink;
      (void)(*file)->send(sink);
    }
  }
}

}  // namespace
}  // namespace pvhgrub::worker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pvhgrub;
  worker::AnyAnswer transport(std::as_bytes(std::span(data, size)));
  worker::ApplianceClient client(transport);
  Budget budget(100'000, 8 * limits::kMiB);
  const auto volumes = client.file_systems();
  if (!volumes) return 0;
  std::uint32_t number = 0;
  for (const fs::ApplianceVolume& volume : *volumes) {
    const auto files = fs::open_appliance_file_system(client, number++, volume, budget);
    worker::walk(*files, "/", 0);
  }
  return 0;
}
