// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/file_system.h"

#include <algorithm>

#include "fsreaders/device_name.h"

namespace pvhgrub::fs {

namespace {

/// Lets through what of a file's contents lies in [begin, end).
class ClippingSink : public ContentSink {
 public:
  ClippingSink(ContentSink& below, std::uint64_t begin, std::uint64_t end)
      : below_(below), begin_(begin), end_(end) {}

  Result<void> hole(std::uint64_t length) override {
    const Clip clip = next(length);
    return clip.length == 0 ? Result<void>{} : below_.hole(clip.length);
  }
  Result<void> extent(const DiskExtent& extent) override {
    const Clip clip = next(extent.length);
    return clip.length == 0 ? Result<void>{}
                            : below_.extent({extent.disk, extent.offset + clip.skipped, clip.length});
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    const Clip clip = next(bytes.size());
    return clip.length == 0 ? Result<void>{}
                            : below_.bytes(bytes.subspan(static_cast<std::size_t>(clip.skipped),
                                                         static_cast<std::size_t>(clip.length)));
  }

 private:
  struct Clip {
    std::uint64_t skipped = 0;
    std::uint64_t length = 0;
  };

  // What of the next `length` bytes lies inside. A file's pieces add up to its size: no sum overflows.
  Clip next(std::uint64_t length) {
    const std::uint64_t from = std::clamp(position_, begin_, end_);
    const std::uint64_t to = std::clamp(position_ + length, begin_, end_);
    const Clip clip{from > position_ ? from - position_ : 0, to - from};
    position_ += length;
    return clip;
  }

  ContentSink& below_;
  std::uint64_t begin_;
  std::uint64_t end_;
  std::uint64_t position_ = 0;
};

}  // namespace

Result<void> BlockSource::send(std::uint64_t offset, std::uint64_t length, ContentSink& sink) {
  while (length > 0) {
    PVHGRUB_TRY_ASSIGN(const DiskExtent extent, locate(offset, length));
    if (extent.length == 0 || extent.length > length)
      return fail(ErrorCode::kInternal, "a source located " + std::to_string(extent.length) + " bytes of " +
                                            std::to_string(length));
    PVHGRUB_TRY(sink.extent(extent));
    offset += extent.length;
    length -= extent.length;
  }
  return {};
}

Result<void> File::send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) {
  ClippingSink clipping(sink, offset, offset + length);
  return send(clipping);
}

const Device* Devices::device(std::string_view device_name) const {
  const auto found = std::ranges::find_if(
      devices(), [&](const Device& device) { return is_name_of_device(device_name, device.name); });
  return found != devices().end() ? &*found : nullptr;
}

std::vector<const Device*> Devices::partitions(std::string_view disk_name) const {
  std::vector<const Device*> found;
  const std::string disk = normal_device_name(disk_name);
  for (const Device& device : devices())
    if (device.name.size() > disk.size() && disk_of_device(device.name) == disk) found.push_back(&device);
  return found;
}

Result<std::string> read_whole_file(File& file, std::string_view path, std::size_t maximum, Budget& budget) {
  if (file.size() > maximum)
    return fail(ErrorCode::kLimit,
                "the file has " + std::to_string(file.size()) + " bytes, more than the " +
                    std::to_string(maximum) + " that are read of such a file",
                std::string(path));
  PVHGRUB_TRY(budget.charge_bytes(file.size(), "reading " + std::string(path)));
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  PVHGRUB_TRY_ASSIGN(const std::size_t count, file.read(0, std::as_writable_bytes(std::span(text))));
  text.resize(count);
  return text;
}

}  // namespace pvhgrub::fs
