// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_file.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "fsreaders/ext_block_map.h"

namespace pvhgrub::fs {

namespace {

std::unexpected<Error> damaged(const ExtInode& inode, std::string_view what) {
  return fail(ErrorCode::kDamaged,
              inode.name() + ": " + std::string(what) + "; run e2fsck on the file system");
}

// Joins pieces that follow on each other on the disk: the parts of a run that a journal's copies cut.
class JoiningSink : public ContentSink {
 public:
  explicit JoiningSink(ContentSink& below) : below_(below) {}

  Result<void> hole(std::uint64_t length) override {
    PVHGRUB_TRY(flush());
    return below_.hole(length);
  }
  Result<void> extent(const DiskExtent& extent) override {
    if (pending_.length > 0 && pending_.disk == extent.disk &&
        pending_.offset + pending_.length == extent.offset) {
      pending_.length += extent.length;
      return {};
    }
    PVHGRUB_TRY(flush());
    pending_ = extent;
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    PVHGRUB_TRY(flush());
    return below_.bytes(bytes);
  }
  Result<void> flush() {
    if (pending_.length == 0) return {};
    return below_.extent(std::exchange(pending_, DiskExtent{}));
  }

 private:
  ContentSink& below_;
  DiskExtent pending_;
};

std::unexpected<Error> not_overwritable(std::string why) {
  return fail(ErrorCode::kUnsupported, std::move(why));
}

// Takes contents that lie on the disk as they are, and no others.
class ExtentCollector : public ContentSink {
 public:
  Result<void> hole(std::uint64_t) override {
    return not_overwritable(
        "a part of it has no block of its own (sparse, or preallocated and never written); make it anew "
        "in the guest");
  }
  Result<void> extent(const DiskExtent& extent) override {
    extents_.push_back(extent);
    return {};
  }
  Result<void> bytes(Bytes) override {
    return not_overwritable("its contents do not lie on the disk as they are");
  }
  [[nodiscard]] std::vector<DiskExtent> take() { return std::move(extents_); }

 private:
  std::vector<DiskExtent> extents_;
};

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

// A file whose contents lie in its inode. What its size has over the stored bytes are zeros, as Linux reads
// them.
class ExtInlineFile : public File {
 public:
  ExtInlineFile(std::uint64_t size, std::vector<std::byte> contents)
      : size_(size), contents_(std::move(contents)) {
    if (contents_.size() > size_) contents_.resize(static_cast<std::size_t>(size_));
  }

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    std::ranges::fill(out, std::byte{0});
    if (offset < contents_.size()) {
      const auto stored = std::span(contents_).subspan(static_cast<std::size_t>(offset));
      std::ranges::copy(stored.first(std::min(stored.size(), out.size())), out.begin());
    }
    return out.size();
  }

  Result<void> send(ContentSink& sink) override {
    if (!contents_.empty()) PVHGRUB_TRY(sink.bytes(contents_));
    return size_ > contents_.size() ? sink.hole(size_ - contents_.size()) : Result<void>{};
  }

  Result<std::vector<DiskExtent>> overwritable_extents() override {
    return not_overwritable(
        "its contents lie within its inode (inline_data), which has a checksum over them");
  }

 private:
  std::uint64_t size_;
  std::vector<std::byte> contents_;
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
    return std::make_unique<ExtInlineFile>(inode.size, std::move(contents));
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
