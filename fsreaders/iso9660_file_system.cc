// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/iso9660_file_system.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/limits.h"
#include "fsreaders/directory_listing.h"
#include "fsreaders/iso9660_directory.h"
#include "fsreaders/iso9660_rock_ridge.h"
#include "fsreaders/iso9660_volume.h"
#include "fsreaders/run_file.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {
namespace {

// Plain names are the same in upper and lower case.
std::string fold_name(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return folded;
}

class Iso9660FileSystem final : public TreeFileSystem<Iso9660Node, DirectoryListing> {
 public:
  Iso9660FileSystem(BlockSource& source, Budget& budget, Iso9660Descriptor descriptor, Iso9660Names names,
                    std::uint8_t skip)
      : TreeFileSystem(budget),
        volume_(source, budget, descriptor.block_size),
        descriptor_(std::move(descriptor)),
        names_(names),
        skip_(skip) {}

  [[nodiscard]] std::string_view type_name() const override { return "iso9660"; }
  [[nodiscard]] std::string_view uuid() const override { return descriptor_.uuid; }
  [[nodiscard]] std::string_view label() const override { return descriptor_.label; }

 private:
  Result<Iso9660Node> root() override { return parse_iso9660_root(descriptor_.root, volume_.block_size()); }

  [[nodiscard]] FileInfo info(const Iso9660Node& node) const override {
    return {node.type, node.size, node.modification_time};
  }

  [[nodiscard]] std::uint64_t key(const Iso9660Node& directory) const override {
    return directory.sections.front().offset;
  }

  Result<DirectoryListing> read_directory(const Iso9660Node& node) override {
    DirectoryListing listing(names_ == Iso9660Names::kPlain ? fold_name : nullptr);
    Iso9660DirectoryReader reader(volume_, node, names_, skip_);
    for (;;) {
      PVHGRUB_TRY_ASSIGN(const std::optional<Iso9660Entry> entry, reader.next());
      if (!entry) break;
      PVHGRUB_TRY(listing.add(entry->name, entry->offset, entry->node.type));
    }
    listing.finish();
    return listing;
  }

  Result<std::optional<Iso9660Node>> find(const Iso9660Node& node, const DirectoryListing& directory,
                                          std::string_view name) override {
    const DirectoryListing::Entry* const found = directory.find(name);
    if (found == nullptr) return std::optional<Iso9660Node>();
    PVHGRUB_TRY_ASSIGN(std::optional<Iso9660Entry> entry,
                       Iso9660DirectoryReader(volume_, node, names_, skip_, found->handle).next());
    if (!entry) return fail(ErrorCode::kInternal, "a directory's entry is not where it was");
    if (entry->node.moved_to) PVHGRUB_TRY(follow(entry->node));
    return std::optional(std::move(entry->node));
  }

  Result<std::vector<DirectoryEntry>> entries(const Iso9660Node&,
                                              const DirectoryListing& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.entries().size());
    for (const DirectoryListing::Entry& entry : directory.entries())
      entries.push_back({std::string(directory.name(entry)), entry.type.value_or(FileType::kOther)});
    return entries;
  }

  Result<std::string> read_link(const Iso9660Node& node) override {
    if (node.link.empty() || node.link.find('\0') != node.link.npos)
      return damaged_iso9660("a symbolic link without a target", node.sections.front().offset);
    return node.link;
  }

  Result<std::unique_ptr<File>> open_node(const Iso9660Node& node) override {
    if (node.zisofs)
      return fail(ErrorCode::kUnsupported,
                  "the file is compressed (zisofs), which not even GRUB reads; make the image without");
    if (node.interleaved)
      return fail(ErrorCode::kUnsupported, "the file lies interleaved with another, which is not supported");
    RunFileLayout layout;
    layout.block_size = volume_.block_size();
    layout.size = node.size;
    std::uint64_t logical = 0;
    for (const Iso9660Section& section : node.sections) {
      const std::uint64_t blocks =
          (std::uint64_t{section.length} + layout.block_size - 1) / layout.block_size;
      if (!range_inside<std::uint64_t>(section.offset, section.length, volume_.source().size()))
        return damaged_iso9660("the file's contents lie past the device's end", section.offset);
      if (&section != &node.sections.back() && section.length % layout.block_size != 0)
        return fail(ErrorCode::kUnsupported, "a file section that does not end with a block");
      if (logical + blocks > UINT32_MAX) return damaged_iso9660("a file that is too large", section.offset);
      if (blocks > 0)
        layout.runs.push_back({static_cast<std::uint32_t>(logical), static_cast<std::uint32_t>(blocks),
                               section.offset / layout.block_size});
      logical += blocks;
    }
    return make_run_file(volume_.source(), std::move(layout));
  }

  // A directory that was moved: its own first record has its length.
  Result<void> follow(Iso9660Node& node) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> record, volume_.read(*node.moved_to, 34));
    PVHGRUB_TRY_ASSIGN(Iso9660Node there, parse_iso9660_root(record, volume_.block_size()));
    node.size = there.size;
    node.sections = std::move(there.sections);
    return {};
  }

  Iso9660Volume volume_;
  Iso9660Descriptor descriptor_;
  Iso9660Names names_;
  std::uint8_t skip_;
};

// As GRUB decides: Rock Ridge is there where the root's own record begins with SP (SUSP 5.3), and an ER
// follows.
Result<std::optional<std::uint8_t>> rock_ridge_skip(BlockSource& source, Budget& budget,
                                                    const Iso9660Descriptor& descriptor) {
  Iso9660Volume volume(source, budget, descriptor.block_size);
  PVHGRUB_TRY_ASSIGN(const Iso9660Node root, parse_iso9660_root(descriptor.root, descriptor.block_size));
  PVHGRUB_TRY_ASSIGN(const std::vector<std::byte> area,
                     Iso9660DirectoryReader(volume, root, Iso9660Names::kPlain, 0).own_system_use());
  PVHGRUB_TRY_ASSIGN(const RockRidge extension, read_rock_ridge(volume, area));
  return extension.has_extension ? extension.skip : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_iso9660_file_system(BlockSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(Iso9660Descriptors descriptors, read_iso9660_descriptors(source, budget));
  PVHGRUB_TRY_ASSIGN(const std::optional<std::uint8_t> skip,
                     rock_ridge_skip(source, budget, descriptors.primary));
  Iso9660Names names = skip ? Iso9660Names::kRockRidge : Iso9660Names::kPlain;
  Iso9660Descriptor descriptor = std::move(descriptors.primary);
  if (!skip && descriptors.joliet) {
    names = Iso9660Names::kJoliet;
    descriptor = std::move(*descriptors.joliet);
  }
  return std::make_unique<Iso9660FileSystem>(source, budget, std::move(descriptor), names, skip.value_or(0));
}

}  // namespace pvhgrub::fs
