// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_file.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "fsreaders/ext_block_map.h"
#include "fsreaders/joining_sink.h"
#include "fsreaders/run_file.h"

namespace pvhgrub::fs {

namespace {

std::unexpected<Error> damaged(const ExtInode& inode, std::string_view what) {
  return fail(ErrorCode::kDamaged,
              inode.name() + ": " + std::string(what) + "; run e2fsck on the file system");
}

std::unexpected<Error> not_overwritable(std::string why) {
  return fail(ErrorCode::kUnsupported, std::move(why));
}

// What the file's own flags say against overwriting it; empty for nothing. GRUB does not ask, but who made a
// file immutable did not expect it to change.
std::string overwriting_obstacle(const ExtInode& inode) {
  if (inode.has(EXT4_VERITY_FL)) return "the file has a checksum over its contents (fs-verity)";
  if (inode.has(EXT2_IMMUTABLE_FL) || inode.has(EXT2_APPEND_FL))
    return "the file is marked as one that must not change (chattr -i -a takes that away)";
  return {};
}

// A file whose contents lie in blocks.
class ExtBlockFile : public File {
 public:
  ExtBlockFile(const ExtLibrary& library, const ExtInode& inode, BlockRuns runs)
      : volume_(library.volume()),
        size_(inode.size),
        runs_(std::move(runs)),
        overwriting_obstacle_(overwriting_obstacle(inode)) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    const std::size_t wanted = out.size();
    while (!out.empty()) {
      const Piece piece = piece_at(offset);
      const std::span<std::byte> part =
          out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), piece.length)));
      if (piece.mapped)
        PVHGRUB_TRY(volume_.read(piece.place, part));
      else
        std::ranges::fill(part, std::byte{0});
      offset += part.size();
      out = out.subspan(part.size());
    }
    return wanted;
  }

  Result<void> send(ContentSink& sink) override { return send_range(0, size_, sink); }

  Result<void> send_range(std::uint64_t offset, std::uint64_t length, ContentSink& sink) override {
    JoiningSink joining(sink);
    for (const std::uint64_t end = offset + length; offset < end;) {
      Piece piece = piece_at(offset);
      piece.length = std::min(piece.length, end - offset);
      PVHGRUB_TRY(piece.mapped ? volume_.send(piece.place, piece.length, joining)
                               : joining.hole(piece.length));
      offset += piece.length;
    }
    return joining.flush();
  }

  // ext4 has no checksum over contents, and a journal that is clean is never replayed over them.
  Result<std::vector<DiskExtent>> overwritable_extents() override {
    if (!volume_.overwriting_obstacle().empty()) return not_overwritable(volume_.overwriting_obstacle());
    if (!overwriting_obstacle_.empty()) return not_overwritable(overwriting_obstacle_);
    if (size_ == 0) return not_overwritable("the file is empty");
    ExtentCollector collector;
    PVHGRUB_TRY(send(collector));
    return collector.take();
  }

 private:
  struct Piece {
    bool mapped = false;
    std::uint64_t place = 0;   ///< bytes from the file system's start
    std::uint64_t length = 0;  ///< bytes, at least 1, not past the file's end
  };

  // What the file consists of from `offset` (less than the size) on.
  [[nodiscard]] Piece piece_at(std::uint64_t offset) const {
    const std::uint64_t block_size = volume_.block_size();
    const auto run = find_run(runs_, offset / block_size);
    if (run == runs_.end()) return {false, 0, size_ - offset};
    const std::uint64_t start = run->logical * block_size;
    if (offset < start) return {false, 0, std::min(start, size_) - offset};
    return {true, run->physical * block_size + (offset - start),
            std::min(run->logical_end() * block_size, size_) - offset};
  }

  ExtVolume& volume_;
  std::uint64_t size_;
  BlockRuns runs_;
  std::string overwriting_obstacle_;
};

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
  return std::make_unique<ExtBlockFile>(library, inode, std::move(runs));
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
