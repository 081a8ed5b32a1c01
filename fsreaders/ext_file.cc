// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_file.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "fsreaders/ext_block_map.h"
#include "fsreaders/run_file.h"

namespace pvhgrub::fs {

namespace {

std::unexpected<Error> damaged(const ExtInode& inode, std::string_view what) {
  return fail(ErrorCode::kDamaged,
              inode.name() + ": " + std::string(what) + "; run e2fsck on the file system");
}

// What speaks against overwriting a file; empty for nothing. ext4 has no checksum over contents, and a
// journal that is clean is never replayed over them. GRUB does not ask for the flags, but who made a file
// immutable did not expect it to change.
std::string overwriting_obstacle(const ExtVolume& volume, const ExtInode& inode) {
  if (!volume.overwriting_obstacle().empty()) return volume.overwriting_obstacle();
  if (inode.has(EXT4_VERITY_FL)) return "the file has a checksum over its contents (fs-verity)";
  if (inode.has(EXT2_IMMUTABLE_FL) || inode.has(EXT2_APPEND_FL))
    return "the file is marked as one that must not change (chattr -i -a takes that away)";
  return {};
}

Result<std::vector<std::byte>> inline_contents(const ExtInode& inode) {
  PVHGRUB_TRY_ASSIGN(const ExtInlineData data, read_ext_inline_data(inode));
  std::vector<std::byte> contents(data.first.begin(), data.first.end());
  contents.insert(contents.end(), data.second.begin(), data.second.end());
  return contents;
}

// Whether a link's target stands in the block field. Linux decides by the size where inodes may hold
// attributes elsewhere (ea_inode), else by whether the inode occupies any block but that of its attributes.
bool is_fast_link(const ExtLibrary& library, const ExtInode& inode) {
  if (inode.size >= inode.block_field().size() || inode.has(EXT4_EXTENTS_FL)) return false;
  if ((library.get()->super->s_feature_incompat & EXT4_FEATURE_INCOMPAT_EA_INODE) != 0) return true;
  const std::uint64_t cluster = std::uint64_t{library.volume().block_size()}
                                << library.get()->cluster_ratio_bits;
  const std::uint64_t attributes = inode.has_attribute_block ? cluster / 512 : 0;
  return inode.sectors <= attributes;
}

}  // namespace

Result<std::unique_ptr<File>> open_ext_file(const ExtLibrary& library, const ExtInode& inode) {
  if (inode.has(EXT4_ENCRYPT_FL))
    return fail(
        ErrorCode::kUnsupported,
        "the file is encrypted (fscrypt), and its key is within the guest; what is needed to boot must lie "
        "outside of encrypted directories");
  if (inode.has(EXT4_INLINE_DATA_FL)) {
    PVHGRUB_TRY_ASSIGN(std::vector<std::byte> contents, inline_contents(inode));
    return make_memory_file(
        inode.size, std::move(contents),
        "its contents lie within its inode (inline_data), which has a checksum over them");
  }
  PVHGRUB_TRY_ASSIGN(BlockRuns runs, read_ext_block_runs(library, inode));
  ExtVolume& volume = library.volume();
  RunFileLayout layout;
  layout.block_size = volume.block_size();
  layout.size = inode.size;
  layout.runs = std::move(runs);
  layout.overwriting_obstacle = overwriting_obstacle(volume, inode);
  return make_run_file(volume, std::move(layout));
}

Result<std::string> read_ext_link(const ExtLibrary& library, const ExtInode& inode) {
  if (inode.size == 0 || inode.size > limits::kPathBytes)
    return damaged(inode, "a symbolic link with a target of " + std::to_string(inode.size) + " bytes");
  std::string target(static_cast<std::size_t>(inode.size), '\0');
  if (!inode.has(EXT4_ENCRYPT_FL) && !inode.has(EXT4_INLINE_DATA_FL) && is_fast_link(library, inode)) {
    target = as_text(inode.block_field().first(target.size()));
  } else {
    PVHGRUB_TRY(library.volume().budget().charge_bytes(target.size(), "reading a symbolic link"));
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, open_ext_file(library, inode));
    PVHGRUB_TRY(file->read(0, std::as_writable_bytes(std::span(target))));
  }
  target.resize(std::min(target.find('\0'), target.size()));  // as every user of a C string sees it
  if (target.empty()) return damaged(inode, "a symbolic link without a target");
  return target;
}

}  // namespace pvhgrub::fs
