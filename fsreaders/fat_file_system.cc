// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/fat_file_system.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fsreaders/cluster_table.h"
#include "fsreaders/fat_boot_sector.h"
#include "fsreaders/fat_directory.h"
#include "fsreaders/run_file.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {

namespace {

class FatFileSystem final : public TreeFileSystem<FatNode, FatDirectory> {
 public:
  FatFileSystem(BlockSource& source, Budget& budget, FatBootSector boot)
      : TreeFileSystem(budget), table_(source, budget, boot.layout), boot_(std::move(boot)) {}

  /// The label lies in the root directory: the one that counts for GRUB, blkid and Windows. The copy in the
  /// boot sector does not follow a change of it.
  Result<void> read_label() {
    PVHGRUB_TRY_ASSIGN(const FatNode node, root());
    PVHGRUB_TRY_ASSIGN(const FatDirectory directory, read_directory(node));
    label_ = directory.label();
    return {};
  }

  [[nodiscard]] std::string_view type_name() const override { return "fat"; }
  [[nodiscard]] std::string_view uuid() const override { return boot_.serial; }
  [[nodiscard]] std::string_view label() const override { return label_; }
  [[nodiscard]] std::vector<std::string> notes() const override { return boot_.notes; }

 private:
  Result<FatNode> root() override { return FatNode{FileType::kDirectory, true, boot_.root_cluster, 0, 0}; }

  [[nodiscard]] FileInfo info(const FatNode& node) const override {
    return {node.type, node.size, node.modification_time};
  }

  [[nodiscard]] std::uint64_t key(const FatNode& directory) const override {
    return directory.is_root ? ~std::uint64_t{0} : directory.first_cluster;
  }

  Result<FatDirectory> read_directory(const FatNode& node) override {
    if (node.is_root && boot_.root_length != 0)
      return FatDirectory::read(table_,
                                ClusterStream::of_region(table_, boot_.root_offset, boot_.root_length));
    PVHGRUB_TRY_ASSIGN(ClusterStream stream, ClusterStream::of_chain(table_, node.first_cluster));
    return FatDirectory::read(table_, std::move(stream));
  }

  Result<std::optional<FatNode>> find(const FatNode&, const FatDirectory& directory,
                                      std::string_view name) override {
    const DirectoryListing::Entry* const entry = directory.listing().find(name);
    return entry != nullptr ? std::optional(directory.node(*entry)) : std::nullopt;
  }

  Result<std::vector<DirectoryEntry>> entries(const FatNode&, const FatDirectory& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.listing().entries().size());
    for (const DirectoryListing::Entry& entry : directory.listing().entries())
      entries.push_back({std::string(directory.listing().name(entry)), directory.node(entry).type});
    return entries;
  }

  Result<std::string> read_link(const FatNode&) override {
    return fail(ErrorCode::kInternal, "FAT has no symbolic links");
  }

  Result<std::unique_ptr<File>> open_node(const FatNode& node) override {
    const ClusterLayout& layout = table_.layout();
    RunFileLayout file;
    file.origin = layout.data_offset;
    file.block_size = layout.cluster_size;
    file.size = node.size;
    file.overwriting_obstacle.clear();  // no checksum, no journal, and no cluster comes twice in a chain
    const std::uint64_t clusters = (std::uint64_t{node.size} + layout.cluster_size - 1) / layout.cluster_size;
    PVHGRUB_TRY_ASSIGN(file.runs, table_.chain(node.first_cluster, clusters));
    return make_run_file(table_.source(), std::move(file));
  }

  ClusterTable table_;
  FatBootSector boot_;
  std::string label_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_fat_file_system(BlockSource& source, Budget& budget) {
  std::array<std::byte, kFatBootSectorBytes> sector{};
  if (source.size() < sector.size()) return fail(ErrorCode::kUnsupported, "not a FAT file system");
  PVHGRUB_TRY(source.read_at(0, sector));
  PVHGRUB_TRY_ASSIGN(FatBootSector boot, parse_fat_boot_sector(sector, source.size()));
  if (!range_inside(boot.root_offset, boot.root_length, source.size()))
    return fail(ErrorCode::kDamaged, "the root directory lies behind the end of the device", "offset 0");
  auto file_system = std::make_unique<FatFileSystem>(source, budget, std::move(boot));
  PVHGRUB_TRY(file_system->read_label());
  return file_system;
}

}  // namespace pvhgrub::fs
