// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/journal_file.h"

#include <string>

namespace pvhgrub::fs {

Result<std::uint64_t> JournalFile::offset_of(std::uint64_t index) const {
  const auto run = find_run(runs_, index);
  if (index >= blocks_ || run == runs_.end() || run->logical > index)
    return fail(ErrorCode::kDamaged, "the journal has no block " + std::to_string(index) + " of its " +
                                         std::to_string(blocks_) + "; run e2fsck on the file system");
  return (run->physical + (index - run->logical)) * block_size_;
}

Result<void> JournalFile::read(std::uint64_t index, std::span<std::byte> block) const {
  PVHGRUB_TRY_ASSIGN(const std::uint64_t offset, offset_of(index));
  return source_->read_at(offset, block);
}

}  // namespace pvhgrub::fs
