// SPDX-License-Identifier: LGPL-2.1-or-later
// What a reader makes of a whole file system, for scripts that compare it with what was put there: one line
// for each file and directory, by name. Contents count as read() gives them and as send() does, which must be
// the same.
//   read_tree DEVICE IMAGE...      DEVICE by GRUB's name ("hd0"); "-" only tells the devices and where they
//   lie
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <vector>

#include "base/budget.h"
#include "base/crc32.h"
#include "base/limits.h"
#include "base/unique_fd.h"
#include "fsreaders/disk_set.h"
#ifdef PVHGRUB_READ_BY_APPLIANCE
#include "tests/src/appliance/appliance_reader.h"
#endif

namespace pvhgrub::fs {
namespace {

class DigestSink final : public ContentSink {
 public:
  explicit DigestSink(const std::vector<UniqueFd>& images) : images_(images) {}
  Result<void> hole(std::uint64_t length) override {
    const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece)));
    for (; length > 0; length -= std::min<std::uint64_t>(length, kPiece))
      crc.update(Bytes(zeros).first(static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece))));
    return {};
  }
  Result<void> extent(const DiskExtent& extent) override {
    ++extents;
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min<std::uint64_t>(extent.length, kPiece)));
    for (std::uint64_t done = 0; done < extent.length;) {
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), extent.length - done));
      if (pread(images_.at(extent.disk).get(), piece.data(), count,
                static_cast<off_t>(extent.offset + done)) != static_cast<ssize_t>(count))
        return fail(ErrorCode::kIo, "an extent that is not on its disk");
      crc.update(Bytes(piece).first(count));
      done += count;
    }
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    crc.update(bytes);
    return {};
  }
  Crc32 crc;
  std::size_t extents = 0;

 private:
  static constexpr std::uint64_t kPiece = 1024UL * 1024;
  const std::vector<UniqueFd>& images_;
};

class TreeReader {
 public:
  TreeReader(Devices& devices, const std::vector<UniqueFd>& images) : devices_(devices), images_(images) {}

  Result<void> tell(const std::string& device) {
    PVHGRUB_TRY_ASSIGN(FileSystem * file_system, devices_.file_system(device));
    std::printf("%s uuid=%s label=%s\n", std::string(file_system->type_name()).c_str(),
                std::string(file_system->uuid()).c_str(), std::string(file_system->label()).c_str());
    if (const auto subvolume = file_system->subvolume(std::nullopt); subvolume)
      std::fprintf(stderr, "subvolume: %" PRIu64 " at %s\n", subvolume->number, subvolume->path.c_str());
    for (const std::string& note : file_system->notes()) std::fprintf(stderr, "note: %s\n", note.c_str());
    return directory(*file_system, "");
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): the tests' trees are some hundred directories deep
  Result<void> directory(FileSystem& file_system, const std::string& path) {
    PVHGRUB_TRY_ASSIGN(std::vector<DirectoryEntry> entries,
                       file_system.list(path.empty() ? std::string("/") : path));
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    for (const DirectoryEntry& entry : entries) {
      const std::string child = path + "/" + entry.name;
      switch (entry.type) {
        case FileType::kDirectory:
          std::printf("d %s\n", child.c_str());
          PVHGRUB_TRY(directory(file_system, child));
          break;
        case FileType::kRegular:
          PVHGRUB_TRY(contents(file_system, 'f', child));
          break;
        case FileType::kSymlink:
          // Links out of the tree, or in a circle, lead nowhere; directories are told where they are.
          if (const auto info = file_system.stat(child); info && info->type == FileType::kRegular) {
            PVHGRUB_TRY(contents(file_system, 'l', child));
          } else {
            std::printf("l %s\n", child.c_str());
          }
          break;
        case FileType::kOther:
          std::printf("o %s\n", child.c_str());
          break;
      }
    }
    return {};
  }

  Result<void> contents(FileSystem& file_system, char type, const std::string& path) {
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<File> file, file_system.open(path));
    PVHGRUB_TRY_ASSIGN(const FileInfo info, file_system.stat(path));
    if (info.size != file->size())
      return fail(ErrorCode::kInternal, "stat and open disagree on the size", path);
    Crc32 crc;
    std::vector<std::byte> piece(1000 * 1000);  // not a whole number of blocks
    for (std::uint64_t offset = 0; offset < file->size();) {
      PVHGRUB_TRY_ASSIGN(const std::size_t count, file->read(offset, piece));
      if (count == 0) return fail(ErrorCode::kInternal, "the file ends before its size", path);
      crc.update(Bytes(piece).first(count));
      offset += count;
    }
    DigestSink sink(images_);
    PVHGRUB_TRY(file->send(sink));
    if (sink.crc.value() != crc.value())
      return fail(ErrorCode::kInternal, "read and send give different contents", path);
    std::printf("%c %s %" PRIu64 " %08" PRIx32 "\n", type, path.c_str(), file->size(), crc.value());
    return {};
  }

  Devices& devices_;
  const std::vector<UniqueFd>& images_;
};

Result<void> run(int argc, char** argv) {
  std::vector<UniqueFd> images;
  std::vector<DiskInput> inputs;
  for (int i = 2; i < argc; ++i) {
    images.emplace_back(open(argv[i], O_RDONLY | O_CLOEXEC));
    struct stat status = {};
    if (fstat(images.back().get(), &status) != 0) return fail_errno("cannot open it", argv[i]);
    DiskInput input;
    input.fd = images.back().get();
    input.size = static_cast<std::uint64_t>(status.st_size);
    inputs.push_back(input);
  }
  Budget budget(~std::uint64_t{0}, ~std::uint64_t{0});  // a whole tree is more than a boot reads
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<DiskSet> disks,
                     DiskSet::open(inputs, budget, [](const std::string& where, const std::string& message) {
                       std::fprintf(stderr, "%s: %s\n", where.c_str(), message.c_str());
                     }));
#ifdef PVHGRUB_READ_BY_APPLIANCE
  std::vector<broker::ApplianceDisk> appliance_disks;
  for (const DiskInput& input : inputs) appliance_disks.push_back({input.fd, input.size});
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<ApplianceReader> reader, ApplianceReader::start(appliance_disks));
  PVHGRUB_TRY(disks->use_appliance(reader->appliance(), true));
#endif
  const std::string device = argv[1];
  if (device != "-") return TreeReader(*disks, images).tell(device);
  // Name, first byte, bytes; a volume has no one place.
  for (const Device& each : disks->devices()) {
    BlockSource* const source = disks->source(each.name);
    std::uint64_t first_byte = 0;
    if (source != nullptr)
      if (const auto place = source->locate(0, 1)) first_byte = place->offset;
    std::printf("%s %" PRIu64 " %" PRIu64 "\n", each.name.c_str(), first_byte, each.size);
  }
  return {};
}

}  // namespace
}  // namespace pvhgrub::fs

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto done = pvhgrub::fs::run(argc, argv);
  if (!done) std::fprintf(stderr, "%s\n", done.error().describe().c_str());
  return done ? 0 : 1;
}
