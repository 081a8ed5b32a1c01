// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/disk_container.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace pvhgrub::fs {
namespace {

using namespace std::string_view_literals;

enum class Remedy : std::uint8_t { kLibxl, kConvert, kDecompress };

struct Container {
  std::size_t offset;      // bytes from the start
  std::string_view magic;  // as it lies there
  std::string_view name;
  Remedy remedy;
  std::string_view word;  // xl-disk-configuration(5)'s format=, or the tool that decompresses it
};

constexpr std::array kContainers = {
    // QEMU, docs/interop/qcow2.txt and qed_spec.txt: header
    Container{0, "QFI\xfb"sv, "a qcow2 image", Remedy::kLibxl, "qcow2"},
    Container{0, "QED\0"sv, "a QED image", Remedy::kLibxl, "qed"},
    // Microsoft, Virtual Hard Disk Image Format Specification: a dynamic disk begins with a copy of its
    // footer
    Container{0, "conectix"sv, "a dynamic VHD image", Remedy::kLibxl, "vhd"},
    // Microsoft, [MS-VHDX] 2.2.1: file type identifier
    Container{0, "vhdxfile"sv, "a VHDX image", Remedy::kConvert, ""},
    // VMware, Virtual Disk Format 5.0: sparse extents, the older ESX ones, and descriptor files
    Container{0, "KDMV"sv, "a VMDK image", Remedy::kConvert, ""},
    Container{0, "COWD"sv, "a VMDK image", Remedy::kConvert, ""},
    Container{0, "# Disk DescriptorFile"sv, "a VMDK descriptor", Remedy::kConvert, ""},
    // VirtualBox, src/VBox/Storage/VDICore.h: VDI_IMAGE_SIGNATURE
    Container{64, "\x7f\x10\xda\xbe"sv, "a VDI image", Remedy::kConvert, ""},
    // QEMU, docs/interop/parallels.txt: header
    Container{0, "WithoutFreeSpace"sv, "a Parallels image", Remedy::kConvert, ""},
    Container{0, "WithouFreSpacExt"sv, "a Parallels image", Remedy::kConvert, ""},
    // RFC 1952 (with the only method there is), the .xz file format 2.1.1.1, RFC 8878 3.1.1, bzip2's header
    // without its first four bytes, of which the last is the block size
    Container{0, "\x1f\x8b\x08"sv, "compressed by gzip", Remedy::kDecompress, "gzip -d"},
    Container{0, "\xfd\x37zXZ\0"sv, "compressed by xz", Remedy::kDecompress, "xz -d"},
    Container{0, "\x28\xb5\x2f\xfd"sv, "compressed by zstd", Remedy::kDecompress, "zstd -d"},
    Container{4, "1AY&SY"sv, "compressed by bzip2", Remedy::kDecompress, "bzip2 -d"},
};

constexpr std::size_t kHeadBytes = 128;

std::string remedy_of(const Container& container) {
  switch (container.remedy) {
    case Remedy::kLibxl:
      return "let libxl attach it, which then hands over a block device: disk = [ \"format=" +
             std::string(container.word) + ", vdev=xvda, access=rw, target=PATH\" ]";
    case Remedy::kConvert:
      return "libxl cannot attach it; convert it with qemu-img convert -O raw";
    case Remedy::kDecompress:
      return "decompress it with " + std::string(container.word);
  }
  return {};
}

}  // namespace

Result<void> check_no_container(BlockSource& disk) {
  std::vector<std::byte> head(static_cast<std::size_t>(std::min<std::uint64_t>(disk.size(), kHeadBytes)));
  PVHGRUB_TRY(disk.read_at(0, head));
  const std::string_view text = as_text(head);
  const auto* const found = std::ranges::find_if(kContainers, [text](const Container& container) {
    return text.size() >= container.offset && text.substr(container.offset).starts_with(container.magic);
  });
  if (found == kContainers.end()) return {};
  return fail(ErrorCode::kUnsupported,
              "this is no plain disk but " + std::string(found->name) + "; " + remedy_of(*found));
}

}  // namespace pvhgrub::fs
