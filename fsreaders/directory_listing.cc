// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/directory_listing.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"

namespace pvhgrub::fs {

Result<void> DirectoryListing::add(std::string_view name, std::uint64_t handle,
                                   std::optional<FileType> type) {
  if (name.empty() || name == "." || name == "..") return {};
  if (name.find('/') != name.npos || name.find('\0') != name.npos) return {};
  const std::string folded = fold_ != nullptr ? fold_(name) : std::string();
  if (entries_.size() >= limits::kDirectoryEntries ||
      names_.size() + name.size() + folded.size() > limits::kDirectoryNameBytes)
    return fail(ErrorCode::kLimit, "a directory of more than " + std::to_string(limits::kDirectoryEntries) +
                                       " names or " + std::to_string(limits::kDirectoryNameBytes) +
                                       " bytes of them");
  Entry entry{handle, static_cast<std::uint32_t>(names_.size()), static_cast<std::uint32_t>(name.size()),
              type};
  Key key{entry.name_offset, entry.name_length, static_cast<std::uint32_t>(entries_.size())};
  names_ += name;
  if (fold_ != nullptr) {
    key.offset = static_cast<std::uint32_t>(names_.size());
    key.length = static_cast<std::uint32_t>(folded.size());
    names_ += folded;
  }
  entries_.push_back(entry);
  keys_.push_back(key);
  return {};
}

void DirectoryListing::finish() {
  names_.shrink_to_fit();
  entries_.shrink_to_fit();
  keys_.shrink_to_fit();
  // The order of the disk decides between two of the same name.
  std::ranges::sort(keys_, [this](const Key& a, const Key& b) {
    return std::tuple(text(a), a.entry) < std::tuple(text(b), b.entry);
  });
}

const DirectoryListing::Entry* DirectoryListing::find(std::string_view name) const {
  const std::string wanted = fold_ != nullptr ? fold_(name) : std::string(name);
  const auto found = std::ranges::lower_bound(keys_, std::string_view(wanted), {},
                                              [this](const Key& key) { return text(key); });
  return found != keys_.end() && text(*found) == wanted ? &entries_[found->entry] : nullptr;
}

std::size_t DirectoryListing::memory() const {
  return names_.capacity() + entries_.capacity() * sizeof(Entry) + keys_.capacity() * sizeof(Key);
}

}  // namespace pvhgrub::fs
