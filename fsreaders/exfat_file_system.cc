// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/exfat_file_system.h"

#include <utility>

#include "fsreaders/exfat_boot_region.h"
#include "fsreaders/exfat_directory.h"
#include "fsreaders/exfat_names.h"
#include "fsreaders/run_file.h"
#include "fsreaders/tree_file_system.h"

namespace pvhgrub::fs {

namespace {

class ExfatFileSystem final : public TreeFileSystem<ExfatNode, ExfatDirectory> {
 public:
  ExfatFileSystem(BlockSource& source, Budget& budget, ExfatBootRegion boot)
      : TreeFileSystem(budget), table_(source, budget, boot.layout), boot_(std::move(boot)) {}

  Result<void> read_root() {
    PVHGRUB_TRY_ASSIGN(ClusterStream stream, ClusterStream::of_chain(table_, boot_.root_cluster));
    PVHGRUB_TRY_ASSIGN(ExfatRoot root, read_exfat_root(table_, std::move(stream)));
    label_ = std::move(root.label);
    Result<ExfatUpcaseTable> upcase =
        root.upcase ? ExfatUpcaseTable::read(table_, root.upcase->first_cluster, root.upcase->length,
                                             root.upcase->checksum)
                    : fail(ErrorCode::kDamaged, "the root directory names no up-case table");
    if (upcase) {
      upcase_ = std::move(*upcase);
    } else if (upcase.error().code == ErrorCode::kDamaged) {
      boot_.notes.push_back(upcase.error().describe() + "; only A to Z are found in either case");
    } else {
      return std::unexpected(std::move(upcase).error());
    }
    return {};
  }

  [[nodiscard]] std::string_view type_name() const override { return "exfat"; }
  [[nodiscard]] std::string_view uuid() const override { return boot_.serial; }
  [[nodiscard]] std::string_view label() const override { return label_; }
  [[nodiscard]] std::vector<std::string> notes() const override { return boot_.notes; }

 private:
  Result<ExfatNode> root() override {
    ExfatNode node;
    node.type = FileType::kDirectory;
    node.is_root = true;
    node.first_cluster = boot_.root_cluster;
    return node;
  }

  [[nodiscard]] FileInfo info(const ExfatNode& node) const override {
    return {node.type, node.type == FileType::kDirectory ? 0 : node.size, node.modification_time};
  }

  [[nodiscard]] std::uint64_t key(const ExfatNode& directory) const override {
    // A hostile entry may say another length of the same cluster; which of the two is kept does not matter.
    return directory.is_root ? ~std::uint64_t{0} : directory.first_cluster;
  }

  Result<ExfatDirectory> read_directory(const ExfatNode& node) override {
    if (!node.is_root && node.size == 0)
      return ExfatDirectory::read(table_, ClusterStream::of_region(table_, 0, 0), upcase_);
    if (node.contiguous) {
      PVHGRUB_TRY(table_.contiguous(node.first_cluster, clusters_of(node)));
      PVHGRUB_TRY_ASSIGN(const std::uint64_t offset, table_.offset_of(node.first_cluster));
      return ExfatDirectory::read(table_, ClusterStream::of_region(table_, offset, node.size), upcase_);
    }
    PVHGRUB_TRY_ASSIGN(ClusterStream stream, ClusterStream::of_chain(table_, node.first_cluster));
    return ExfatDirectory::read(table_, std::move(stream), upcase_);
  }

  Result<std::optional<ExfatNode>> find(const ExfatNode&, const ExfatDirectory& directory,
                                        std::string_view name) override {
    const DirectoryListing::Entry* const entry = directory.listing().find(name);
    if (entry == nullptr) return std::optional<ExfatNode>();
    const ExfatNode& node = directory.node(*entry);
    if (node.damage)
      return fail(
          ErrorCode::kDamaged,
          "its directory entries do not have the checksum that they say; check the file system in the "
          "guest (fsck.exfat)",
          "offset " + std::to_string(*node.damage));
    return std::optional(node);
  }

  Result<std::vector<DirectoryEntry>> entries(const ExfatNode&, const ExfatDirectory& directory) override {
    std::vector<DirectoryEntry> entries;
    entries.reserve(directory.listing().entries().size());
    for (const DirectoryListing::Entry& entry : directory.listing().entries())
      entries.push_back({std::string(directory.listing().name(entry)), directory.node(entry).type});
    return entries;
  }

  Result<std::string> read_link(const ExfatNode&) override {
    return fail(ErrorCode::kInternal, "exFAT has no symbolic links");
  }

  Result<std::unique_ptr<File>> open_node(const ExfatNode& node) override {
    const ClusterLayout& layout = table_.layout();
    RunFileLayout file;
    file.origin = layout.data_offset;
    file.block_size = layout.cluster_size;
    file.size = node.size;
    file.stored = node.stored;
    file.overwriting_obstacle.clear();  // no checksum of contents, no journal, no cluster twice
    PVHGRUB_TRY_ASSIGN(file.runs, node.contiguous ? table_.contiguous(node.first_cluster, clusters_of(node))
                                                  : table_.chain(node.first_cluster, clusters_of(node)));
    return make_run_file(table_.source(), std::move(file));
  }

  [[nodiscard]] std::uint64_t clusters_of(const ExfatNode& node) const {
    const std::uint64_t size = table_.layout().cluster_size;
    return node.size / size + (node.size % size != 0 ? 1 : 0);
  }

  ClusterTable table_;
  ExfatBootRegion boot_;
  ExfatUpcaseTable upcase_;
  std::string label_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_exfat_file_system(BlockSource& source, Budget& budget) {
  PVHGRUB_TRY_ASSIGN(ExfatBootRegion boot, read_exfat_boot_region(source));
  auto file_system = std::make_unique<ExfatFileSystem>(source, budget, std::move(boot));
  PVHGRUB_TRY(file_system->read_root());
  return file_system;
}

}  // namespace pvhgrub::fs
