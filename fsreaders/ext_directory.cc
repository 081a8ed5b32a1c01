// SPDX-License-Identifier: LGPL-2.1-or-later
// Layout: Linux kernel documentation, filesystems/ext4, "Directory Entries". Hash trees are laid out so that
// whoever reads the blocks in order sees their inner nodes as unused entries.
#include "fsreaders/ext_directory.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "fsreaders/ext_block_map.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kEntryHeaderBytes = 8;
constexpr std::size_t kSmallestEntryBytes = 12;
// The parent's inode number, which an inline directory begins with instead of "." and "..".
constexpr std::size_t kInlineParentBytes = 4;
// Bytes read of a directory at once.
constexpr std::size_t kReadBytes = 256 * std::size_t{1024};

// A length of 16 bits cannot say 65536, nor need it say what is no multiple of four: blocks of 64 KiB use
// both.
std::uint32_t decode_record_length(std::uint16_t stored, std::uint32_t block_size) {
  if (block_size < 65536) return stored;
  if (stored == 65535 || stored == 0) return block_size;
  return (stored & 65532U) | ((stored & 3U) << 16U);
}

}  // namespace

class ExtDirectoryReader {
 public:
  ExtDirectoryReader(const ExtLibrary& library, const ExtInode& inode)
      : ext2fs_(library),
        inode_(inode),
        block_size_(library.volume().block_size()),
        has_file_types_((library.get()->super->s_feature_incompat & EXT2_FEATURE_INCOMPAT_FILETYPE) != 0) {}

  Result<ExtDirectory> read() {
    PVHGRUB_TRY(inode_.has(EXT4_INLINE_DATA_FL) ? read_inline() : read_blocks());
    directory_.folds_case_ = inode_.has(EXT4_CASEFOLD_FL);
    directory_.names_.shrink_to_fit();
    directory_.entries_.shrink_to_fit();
    // The order of the disk decides between two of the same name.
    std::ranges::sort(directory_.entries_, [&](const ExtDirectory::Entry& a, const ExtDirectory::Entry& b) {
      return std::tuple(directory_.name(a), a.name_offset) < std::tuple(directory_.name(b), b.name_offset);
    });
    return std::move(directory_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> damaged(const std::string& what, std::uint64_t offset) const {
    std::string where = "directory byte " + std::to_string(offset);
    if (block_place_ != 0)
      where += " (file system byte " + std::to_string(block_place_ + offset % block_size_) + ")";
    return fail(ErrorCode::kDamaged,
                "directory " + inode_.name() + ": " + what + "; run e2fsck on the file system",
                std::move(where));
  }

  Result<void> read_inline() {
    PVHGRUB_TRY_ASSIGN(const ExtInlineData data, read_ext_inline_data(inode_));
    PVHGRUB_TRY(take_entries(data.first.subspan(kInlineParentBytes), kInlineParentBytes));
    return take_entries(data.second, data.first.size());
  }

  Result<void> read_blocks() {
    PVHGRUB_TRY_ASSIGN(const BlockRuns runs, read_ext_block_runs(ext2fs_, inode_));
    const std::uint64_t blocks = inode_.size / block_size_ + (inode_.size % block_size_ != 0 ? 1 : 0);
    std::vector<std::byte> buffer;
    for (const BlockRun& run : runs) {
      const std::uint64_t end = std::min(run.logical_end(), blocks);
      for (std::uint64_t logical = run.logical; logical < end;) {
        const std::uint64_t count = std::min<std::uint64_t>(end - logical, kReadBytes / block_size_);
        buffer.resize(static_cast<std::size_t>(count * block_size_));
        PVHGRUB_TRY(ext2fs_.volume().budget().charge_bytes(buffer.size(), "reading a directory"));
        const std::uint64_t place = (run.physical + (logical - run.logical)) * block_size_;
        PVHGRUB_TRY(ext2fs_.volume().read_at(place, buffer));
        for (std::uint64_t i = 0; i < count; ++i) {
          block_place_ = place + i * block_size_;
          PVHGRUB_TRY(
              take_block(std::span(buffer).subspan(static_cast<std::size_t>(i * block_size_), block_size_),
                         (logical + i) * block_size_));
        }
        logical += count;
      }
    }
    return {};
  }

  Result<void> take_block(std::span<std::byte> block, std::uint64_t offset) {
    // The library's structure is a view of the bytes, which begin at a multiple of the block size within a
    // vector.
    if (ext2fs_dir_block_csum_verify(ext2fs_.get(), inode_.number,
                                     reinterpret_cast<ext2_dir_entry*>(block.data())) == 0)
      return damaged("a block has a wrong checksum", offset);
    return take_entries(block, offset);
  }

  // `bytes`: one block, or one part of inline data; entries do not cross its end. `offset`: where it lies,
  // for messages.
  Result<void> take_entries(Bytes bytes, std::uint64_t offset) {
    ByteReader reader(bytes);
    while (reader.remaining() >= kEntryHeaderBytes) {
      PVHGRUB_TRY(ext2fs_.volume().budget().charge_steps(1, "reading a directory"));
      const std::size_t start = reader.position();
      PVHGRUB_TRY_ASSIGN(const auto number, reader.little_endian<std::uint32_t>());
      PVHGRUB_TRY_ASSIGN(const auto stored_length, reader.little_endian<std::uint16_t>());
      PVHGRUB_TRY_ASSIGN(const auto name_word, reader.little_endian<std::uint16_t>());
      const std::uint32_t length = decode_record_length(stored_length, block_size_);
      // Where the file system stores types, the high byte is the type; else the name's length has 16 bits.
      const unsigned name_length = has_file_types_ ? name_word & 0xffU : name_word;
      const unsigned file_type = has_file_types_ ? name_word >> 8U : unsigned{EXT2_FT_UNKNOWN};
      if (length < kSmallestEntryBytes || length % 4 != 0 || length > bytes.size() - start ||
          name_length > length - kEntryHeaderBytes || name_length > EXT2_NAME_LEN)
        return damaged("an entry has a length of " + std::to_string(length) + " and a name of " +
                           std::to_string(name_length) + " bytes",
                       offset + start);
      PVHGRUB_TRY_ASSIGN(const Bytes name, reader.take(name_length));
      if (number != 0) PVHGRUB_TRY(take_entry(number, as_text(name), file_type, offset + start));
      PVHGRUB_TRY(reader.seek(start + length));
    }
    return {};
  }

  Result<void> take_entry(std::uint32_t number, std::string_view name, unsigned file_type,
                          std::uint64_t offset) {
    if (number > ext2fs_.get()->super->s_inodes_count)
      return damaged("an entry names inode " + std::to_string(number) + ", which does not exist", offset);
    // No path can name such an entry, so it is as if it were not there; so does Linux since 5.5.
    if (name.empty() || name.find('/') != name.npos || name.find('\0') != name.npos) return {};
    if (name == "." || name == "..") return {};
    if (directory_.entries_.size() >= limits::kDirectoryEntries ||
        directory_.names_.size() + name.size() > limits::kDirectoryNameBytes)
      return fail(ErrorCode::kLimit, "directory " + inode_.name() + " holds more than " +
                                         std::to_string(limits::kDirectoryEntries) + " names or " +
                                         std::to_string(limits::kDirectoryNameBytes) + " bytes of them");
    directory_.entries_.push_back({.name_offset = static_cast<std::uint32_t>(directory_.names_.size()),
                                   .inode = number,
                                   .name_length = static_cast<std::uint8_t>(name.size()),
                                   .file_type = static_cast<std::uint8_t>(file_type)});
    directory_.names_ += name;
    return {};
  }

  const ExtLibrary& ext2fs_;
  const ExtInode& inode_;
  const std::uint32_t block_size_;
  const bool has_file_types_;
  std::uint64_t block_place_ = 0;  // file system byte of the block at hand; 0 of inline data
  ExtDirectory directory_;
};

namespace {

// Two names that are the same without regard to case have the same hash of their folded form, which is what
// libext2fs offers of Unicode case folding; with 63 bits, two others do not have it by accident.
std::optional<std::pair<ext2_dirhash_t, ext2_dirhash_t>> folded_hash(const ExtLibrary& library,
                                                                     std::string_view name) {
  const ext2_filsys file_system = library.get();
  if (file_system->encoding == nullptr) return std::nullopt;
  std::pair<ext2_dirhash_t, ext2_dirhash_t> hash;
  const errcode_t code =
      ext2fs_dirhash2(EXT2_HASH_HALF_MD4, name.data(), static_cast<int>(name.size()), file_system->encoding,
                      EXT4_CASEFOLD_FL, file_system->super->s_hash_seed, &hash.first, &hash.second);
  if (code != 0) return std::nullopt;
  return hash;
}

}  // namespace

Result<ExtDirectory> ExtDirectory::read(const ExtLibrary& library, const ExtInode& inode) {
  if (inode.has(EXT4_ENCRYPT_FL))
    return fail(ErrorCode::kUnsupported, "directory " + inode.name() +
                                             " is encrypted (fscrypt), and its key is within the guest; what "
                                             "is needed to boot must lie outside "
                                             "of encrypted directories");
  return ExtDirectoryReader(library, inode).read();
}

std::optional<std::uint32_t> ExtDirectory::find(const ExtLibrary& library, std::string_view wanted) const {
  const auto found =
      std::ranges::lower_bound(entries_, wanted, {}, [&](const Entry& entry) { return name(entry); });
  if (found != entries_.end() && name(*found) == wanted) return found->inode;
  if (!folds_case_) return std::nullopt;
  const auto hash = folded_hash(library, wanted);
  if (!hash) return std::nullopt;
  for (const Entry& entry : entries_) {
    if (folded_hash(library, name(entry)) == hash) return entry.inode;
  }
  return std::nullopt;
}

}  // namespace pvhgrub::fs
