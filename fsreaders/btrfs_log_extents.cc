// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_log_extents.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"

namespace pvhgrub::fs {
namespace {

// "EXTENT_DATA".
constexpr std::size_t kUncompressedOffset = 8;
constexpr std::size_t kTypeOffset = 20;
constexpr std::size_t kSkippedOffset = 37;
constexpr std::size_t kLengthOffset = 45;
constexpr std::uint8_t kInline = 0;

Result<std::uint64_t> number_at(Bytes item, std::size_t offset) {
  ByteReader reader(item);
  PVHGRUB_TRY(reader.seek(offset));
  return reader.little_endian<std::uint64_t>();
}

void put_number(std::vector<std::byte>& item, std::size_t offset, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) item[offset + i] = static_cast<std::byte>(value >> (8 * i));
}

Result<bool> is_inline(Bytes item) {
  ByteReader reader(item);
  PVHGRUB_TRY(reader.seek(kTypeOffset));
  PVHGRUB_TRY_ASSIGN(const std::uint8_t type, reader.little_endian<std::uint8_t>());
  return type == kInline;
}

}  // namespace

Result<BtrfsLogExtents> BtrfsLogExtents::read(const BtrfsTreeEditor& editor, std::uint64_t inode,
                                              std::uint32_t sector_size) {
  BtrfsLogExtents extents(inode, sector_size);
  PVHGRUB_TRY_ASSIGN(std::vector<BtrfsTreeEditor::Item> items, editor.items(inode, BtrfsItem::kExtentData));
  for (BtrfsTreeEditor::Item& item : items) extents.now_.emplace(item.first.offset, std::move(item.second));
  extents.before_ = extents.now_;
  return extents;
}

Result<std::uint64_t> BtrfsLogExtents::end_of(std::uint64_t begin, Bytes item) const {
  PVHGRUB_TRY_ASSIGN(const bool within_tree, is_inline(item));
  PVHGRUB_TRY_ASSIGN(const std::uint64_t length,
                     number_at(item, within_tree ? kUncompressedOffset : kLengthOffset));
  const auto sum = checked_add(begin, length);
  const auto end = sum && within_tree ? checked_align_up<std::uint64_t>(*sum, sector_size_) : sum;
  if (!end)
    return fail(ErrorCode::kDamaged, "inode " + std::to_string(inode_) + " has an extent of " +
                                         std::to_string(length) + " bytes in the log");
  return *end;
}

Result<std::vector<std::byte>> BtrfsLogExtents::cut(std::uint64_t begin, Bytes item, std::uint64_t from,
                                                    std::uint64_t to) {
  std::vector<std::byte> rest(item.begin(), item.end());
  PVHGRUB_TRY_ASSIGN(const std::uint64_t skipped, number_at(item, kSkippedOffset));
  const auto more = checked_add(skipped, from - begin);
  if (!more) return fail(ErrorCode::kDamaged, "an extent that begins nowhere");
  put_number(rest, kSkippedOffset, *more);
  put_number(rest, kLengthOffset, to - from);
  return rest;
}

Result<void> BtrfsLogExtents::drop(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return {};
  auto extent = now_.lower_bound(begin);
  if (extent != now_.begin()) extent = std::prev(extent);  // may reach into it
  while (extent != now_.end() && extent->first < end) {
    const std::uint64_t first = extent->first;
    PVHGRUB_TRY_ASSIGN(const std::uint64_t last, end_of(first, extent->second));
    if (last <= begin) {
      ++extent;
      continue;
    }
    const std::vector<std::byte> item = std::move(extent->second);
    extent = now_.erase(extent);
    PVHGRUB_TRY_ASSIGN(const bool within_tree, is_inline(item));
    if (within_tree) continue;  // as short as a sector: what replaces a part of it replaces it all
    if (first < begin) {
      PVHGRUB_TRY_ASSIGN(now_[first], cut(first, item, first, begin));
    }
    if (last > end) {
      PVHGRUB_TRY_ASSIGN(now_[end], cut(first, item, end, last));
      break;
    }
  }
  return {};
}

Result<void> BtrfsLogExtents::replace(std::uint64_t begin, Bytes item) {
  PVHGRUB_TRY_ASSIGN(const std::uint64_t end, end_of(begin, item));
  const auto same = now_.find(begin);
  if (same != now_.end() && std::ranges::equal(same->second, item)) return {};
  PVHGRUB_TRY(drop(begin, end));
  now_[begin] = {item.begin(), item.end()};
  return {};
}

Result<void> BtrfsLogExtents::write(BtrfsTreeEditor& editor) const {
  for (const auto& [begin, item] : before_)
    if (!now_.contains(begin)) editor.erase({inode_, BtrfsItem::kExtentData, begin});
  for (const auto& [begin, item] : now_) {
    const auto old = before_.find(begin);
    if (old == before_.end() || old->second != item)
      PVHGRUB_TRY(editor.put({inode_, BtrfsItem::kExtentData, begin}, item));
  }
  return {};
}

}  // namespace pvhgrub::fs
