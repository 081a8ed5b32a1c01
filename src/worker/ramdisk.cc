// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/ramdisk.h"

#include <array>

#include "base/bytes.h"
#include "base/checked.h"
#include "src/worker/cpio.h"

namespace pvhgrub::worker {
namespace {

// A whole block, so that the files behind it keep their place in blocks and can still be reflinked.
constexpr std::size_t kEmptyArchiveBytes = 4096;

Result<bool> begins_with_gzip(fs::File& file) {
  std::array<std::byte, 2> magic{};
  PVHGRUB_TRY_ASSIGN(const std::size_t count, file.read(0, magic));
  return count == 2 && magic[0] == std::byte{0x1F} && magic[1] == std::byte{0x8B};  // RFC 1952, section 2.3.1
}

std::string padding(std::uint64_t position) {
  return std::string(static_cast<std::size_t>((kCpioAlignment - position % kCpioAlignment) % kCpioAlignment),
                     '\0');
}

}  // namespace

Result<Ramdisk> Ramdisk::join(std::vector<RamdiskFile> files) {
  Ramdisk ramdisk;
  CpioWriter archive;
  bool in_archive = false;
  if (files.size() > 1 && !files.front().newc_name) {
    PVHGRUB_TRY_ASSIGN(const bool gzip, begins_with_gzip(*files.front().file));
    if (gzip) ramdisk.parts_.push_back({empty_cpio(kEmptyArchiveBytes), nullptr});
  }
  std::uint64_t size = ramdisk.parts_.empty() ? 0 : kEmptyArchiveBytes;
  for (RamdiskFile& member : files) {
    std::string before = padding(size);
    if (member.newc_name) {
      PVHGRUB_TRY_ASSIGN(const std::string header, archive.file(*member.newc_name, member.file->size()));
      before += header;
    } else if (in_archive) {
      before += archive.end();
    }
    in_archive = member.newc_name.has_value();
    const auto with_header = checked_add<std::uint64_t>(size, before.size());
    const auto with_file = with_header ? checked_add(*with_header, member.file->size()) : std::nullopt;
    if (!with_file) return fail(ErrorCode::kLimit, "the initrd files are too large");
    size = *with_file;
    ramdisk.parts_.push_back({std::move(before), std::move(member.file)});
  }
  if (in_archive) ramdisk.after_ = padding(size) + archive.end();
  ramdisk.size_ = size + ramdisk.after_.size();
  return ramdisk;
}

Result<void> Ramdisk::send(fs::ContentSink& sink) {
  for (Part& part : parts_) {
    if (!part.before.empty()) PVHGRUB_TRY(sink.bytes(as_bytes(part.before)));
    if (part.file) PVHGRUB_TRY(part.file->send(sink));
  }
  if (!after_.empty()) PVHGRUB_TRY(sink.bytes(as_bytes(after_)));
  return {};
}

}  // namespace pvhgrub::worker
