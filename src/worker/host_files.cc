// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/host_files.h"

#include <algorithm>

#include "base/checked.h"
#include "bootimage/byte_source.h"
#include "src/worker/kernel_reader.h"

namespace pvhgrub::worker {
namespace {

using protocol::HostFile;

class DescriptorFile final : public fs::File {
 public:
  DescriptorFile(const HostFile& file, std::uint32_t number)
      : bytes_(static_cast<int>(file.descriptor), file.size), number_(number) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size()) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - offset)));
    PVHGRUB_TRY(bytes_.read_at(offset, out));
    return out.size();
  }

  Result<void> send(fs::ContentSink& sink) override {
    return size() == 0 ? Result<void>() : sink.extent({number_, 0, size()});
  }

 private:
  bootimage::DescriptorSource bytes_;
  std::uint32_t number_;
};

}  // namespace

const HostFile* HostFiles::find(HostFile::Role role) const {
  const auto found = std::ranges::find(request_.host_files, role, &HostFile::role);
  return found == request_.host_files.end() ? nullptr : &*found;
}

std::vector<const HostFile*> HostFiles::ramdisk_members() const {
  std::vector<const HostFile*> members;
  for (const HostFile& file : request_.host_files)
    if (file.role == HostFile::Role::kRamdiskMember) members.push_back(&file);
  return members;
}

std::unique_ptr<fs::File> HostFiles::open(const HostFile& file) const {
  const auto index = static_cast<std::size_t>(&file - request_.host_files.data());
  return std::make_unique<DescriptorFile>(file, static_cast<std::uint32_t>(request_.disks.size() + index));
}

Result<void> HostFiles::check_bootable(const HostFile& file, Budget& budget) const {
  bootimage::DescriptorSource source(static_cast<int>(file.descriptor), file.size);
  auto image = read_kernel(source, nullptr, limits::kKernelBytes, budget);
  if (!image) return std::unexpected(at(file.path, std::move(image).error()));
  const bool arm = request_.guest_type == protocol::GuestType::kArm;
  if (arm && (image->kind() == bootimage::ImageKind::kArm64Image ||
              image->kind() == bootimage::ImageKind::kArm32Image))
    return {};
  if (!arm && image->elf && image->elf->support.pvh_entry) return {};
  const bool shim = file.role == HostFile::Role::kShim;
  const std::string why = image->elf ? image->elf->support.no_pvh : image->problem;
  return fail(
      ErrorCode::kUnsupported,
      "this is " + image->describe() + ", which does not start as " +
          (arm ? "a guest on arm" : "a PVH guest" + (why.empty() ? "" : ": " + why)) + "; " +
          (shim ? "--shim wants Xen's own xen-shim"
                : "--firmware wants an image made for it: OVMF for Xen (OvmfXen), or GRUB's PVH build"),
      file.path);
}

}  // namespace pvhgrub::worker
