// SPDX-License-Identifier: LGPL-2.1-or-later
// Files opened as disks: their contents are those of the real disk, and lie there.
#include <catch2/catch.hpp>
#include <fstream>

#include "base/limits.h"
#include "fsreaders/disk_set.h"
#include "fsreaders/loopback_source.h"
#include "fsreaders/utf16.h"
#include "tests/fsreaders/disk_image.h"
#include "tests/fsreaders/ext_image.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

constexpr std::uint64_t kMiB = limits::kMiB;

/// Puts together what is sent, extents from the disk's image, and counts the kinds.
class CollectingSink final : public ContentSink {
 public:
  explicit CollectingSink(const std::string& image) : image_(image, std::ios::binary) {}
  Result<void> hole(std::uint64_t length) override {
    ++holes;
    contents.append(static_cast<std::size_t>(length), '\0');
    return {};
  }
  Result<void> extent(const DiskExtent& extent) override {
    ++extents;
    std::string piece(static_cast<std::size_t>(extent.length), '\0');
    image_.seekg(static_cast<std::streamoff>(extent.offset));
    REQUIRE(image_.read(piece.data(), static_cast<std::streamsize>(piece.size())));
    contents += piece;
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    ++byte_runs;
    contents += as_text(bytes);
    return {};
  }

  std::string contents;
  std::size_t holes = 0;
  std::size_t extents = 0;
  std::size_t byte_runs = 0;

 private:
  std::ifstream image_;
};

/// A tree with the files of `names`, each of noise, made into an ext4 of `size` bytes at `image`.
void make_ext4(const std::filesystem::path& image, std::uint64_t size, const std::filesystem::path& tree) {
  REQUIRE(make_ext_image(image, size, "-t ext4", tree));
}

struct Notes {
  std::vector<std::string> all;
  NoteSink sink() {
    return [this](const std::string& where, const std::string& message) {
      all.push_back(where + ": " + message);
    };
  }
};

std::unique_ptr<DiskSet> open_disk(const Image& image, Budget& budget, Notes& notes) {
  auto set = DiskSet::open({image.input()}, budget, notes.sink());
  REQUIRE(set);
  return std::move(*set);
}

/// A disk that is one ext4 which holds the tree.
Image disk_of_tree(const TemporaryDirectory& tree, std::uint64_t size) {
  Image image(size);
  REQUIRE(run("PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -d " + tree.path().string() + " " +
              image.path() + " >/dev/null 2>&1"));
  return image;
}

std::string sent(DiskSet& set, const std::string& device, const std::string& path, CollectingSink& sink) {
  const auto file_system = set.file_system(device);
  INFO(device << path);
  REQUIRE(file_system);
  const auto file = (*file_system)->open(path);
  REQUIRE(file);
  REQUIRE((*file)->send(sink));
  return sink.contents;
}

}  // namespace

TEST_CASE("a file system in a file of a file system sends extents of the real disk") {
  if (!have_programs({"mke2fs"})) return;
  const TemporaryDirectory inner;
  const TemporaryDirectory outer;
  const std::string kernel = noise(300'001, 1);
  write_file(inner.path() / "vmlinuz", kernel);
  make_ext4(outer.path() / "disk.img", 8 * kMiB, inner.path());
  const Image image = disk_of_tree(outer, 32 * kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  CHECK(set->add_loopback("loop0", "hd0", "/disk.img").value() == "loop0");
  CollectingSink sink(image.path());
  CHECK(sent(*set, "loop0", "/vmlinuz", sink) == kernel);
  CHECK(sink.extents >= 1);
  CHECK(sink.byte_runs == 0);
  CHECK(set->devices().size() == 1);
  REQUIRE(set->device("loop0") != nullptr);
  CHECK(set->device("loop0")->size == 8 * kMiB);
  CHECK(set->partitions("loop0").empty());
  CHECK(notes.all.empty());
}

TEST_CASE("a part of a file is sent as that part of the whole") {
  if (!have_programs({"mke2fs"})) return;
  const TemporaryDirectory tree;
  const std::string contents = noise(100'000, 2);
  write_file(tree.path() / "f", contents + std::string(50'000, '\0') + contents);
  REQUIRE(run("fallocate --dig-holes " + (tree.path() / "f").string()));
  const Image image = disk_of_tree(tree, 16 * kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  const auto file = set->file_system("hd0").value()->open("/f");
  REQUIRE(file);
  const std::string all = contents + std::string(50'000, '\0') + contents;
  for (const auto& [offset, length] : {std::pair<std::uint64_t, std::uint64_t>{0, 250'000},
                                       {1, 99'998},
                                       {99'999, 50'002},
                                       {120'000, 1},
                                       {249'999, 1},
                                       {250'000, 0}}) {
    CollectingSink direct(image.path());
    REQUIRE((*file)->send_range(offset, length, direct));
    CHECK(direct.contents == all.substr(offset, length));
    CollectingSink clipped(image.path());
    REQUIRE((*file)->File::send_range(offset, length, clipped));
    CHECK(clipped.contents == direct.contents);
  }
}

TEST_CASE("what the outer file does not store comes as holes") {
  if (!have_programs({"mke2fs", "fallocate"})) return;
  const TemporaryDirectory inner;
  const TemporaryDirectory outer;
  const std::string contents = noise(64 * 1024, 3) + std::string(256 * 1024, '\0') + noise(64 * 1024, 4);
  write_file(inner.path() / "f", contents);
  make_ext4(outer.path() / "disk.img", 8 * kMiB, inner.path());
  // mke2fs writes the zeros of f; so they are holes of disk.img only.
  REQUIRE(run("fallocate --dig-holes " + (outer.path() / "disk.img").string()));
  const Image image = disk_of_tree(outer, 32 * kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  REQUIRE(set->add_loopback("l", "hd0", "/disk.img"));
  CollectingSink sink(image.path());
  CHECK(sent(*set, "l", "/f", sink) == contents);
  BlockSource* const source = set->source("l");
  REQUIRE(source != nullptr);
  CHECK(source->locate(1024, 10));                                     // its superblock
  CHECK_FALSE(source->locate(source->size() - 4096, 10).has_value());  // nothing was ever written there
  CHECK_FALSE(source->locate(source->size(), 1).has_value());
  CHECK_FALSE(source->locate(0, 0).has_value());
}

TEST_CASE("partitions of a file that is a disk are devices") {
  if (!have_programs({"mke2fs", "sfdisk"})) return;
  const TemporaryDirectory inner;
  const TemporaryDirectory outer;
  const std::string kernel = noise(200'000, 5);
  write_file(inner.path() / "vmlinuz", kernel);
  const std::string disk = (outer.path() / "disk.img").string();
  for (const std::string label : {"gpt", "dos"}) {
    INFO(label);
    const std::string table =
        label == "gpt" ? "label: gpt\\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDEF\\nstart=2048, "
                         "size=16384, name=Größe, attrs=GUID:48\\n"
                       : "label: dos\\nlabel-id: 0x12345678\\nstart=2048, size=16384, type=83\\n"
                         "start=20480, size=16384, type=5\\nstart=22528, size=2048, type=82\\n";
    REQUIRE(run("rm -f " + disk + " && truncate -s 20M " + disk + " && printf '" + table +
                "' | PATH=$PATH:/usr/sbin:/sbin sfdisk -q " + disk));
    REQUIRE(run("PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -d " + inner.path().string() +
                " -E offset=1048576 " + disk + " 8192k >/dev/null 2>&1"));
    const Image image = disk_of_tree(outer, 64 * kMiB);
    Budget budget = Budget::standard();
    Notes notes;
    const auto set = open_disk(image, budget, notes);
    CHECK(set->add_loopback("loop0", "hd0", "/disk.img").value() == "loop0");
    const auto partitions = set->partitions("loop0");
    REQUIRE(partitions.size() == (label == "gpt" ? 1 : 2));
    const std::string name = label == "gpt" ? "loop0,gpt1" : "loop0,msdos1";
    CHECK(partitions[0]->name == name);
    CHECK(partitions[0]->size == 8 * kMiB);
    if (label == "gpt") {
      CHECK(partitions[0]->partition_label == "Größe");
      CHECK(partitions[0]->partition_type == "0fc63daf-8483-4772-8e79-3d69d8477de4");
      CHECK(partitions[0]->partition_uuid.size() == 36);
      CHECK(partitions[0]->partition_attributes == std::uint64_t{1} << 48);
      CHECK(set->device("loop0")->disk_uuid == "01234567-89ab-cdef-0123-456789abcdef");
    } else {
      CHECK(partitions[0]->partition_uuid == "12345678-01");
      CHECK(partitions[1]->name == "loop0,msdos5");
      CHECK(partitions[1]->size == 2048 * 512);
    }
    for (const std::string& known : {name, std::string("loop0,1"), std::string("loop0,01")}) {
      CollectingSink sink(image.path());
      CHECK(sent(*set, known, "/vmlinuz", sink) == kernel);
    }
    CHECK(set->file_system("loop0").error().code == ErrorCode::kUnsupported);
    CHECK(set->file_system("loop0,3").error().code == ErrorCode::kNotFound);
  }
}

TEST_CASE("disks in files in disks in files, as deep as any real one") {
  if (!have_programs({"mke2fs"})) return;
  std::string kernel = noise(50'000, 6);
  auto tree = std::make_unique<TemporaryDirectory>();
  write_file(tree->path() / "vmlinuz", kernel);
  std::uint64_t size = 4 * kMiB;
  for (unsigned depth = 0; depth <= limits::kLoopbackDepth; ++depth) {
    auto outer = std::make_unique<TemporaryDirectory>();
    make_ext4(outer->path() / "disk.img", size, tree->path());
    write_file(outer->path() / "level", std::to_string(depth));
    tree = std::move(outer);
    size *= 2;
  }
  const Image image = disk_of_tree(*tree, size);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  std::string device = "hd0";
  for (unsigned depth = 1; depth <= limits::kLoopbackDepth; ++depth) {
    const auto next = set->add_loopback("l" + std::to_string(depth), device, "/disk.img");
    REQUIRE(next);
    device = *next;
    CollectingSink sink(image.path());
    CHECK(sent(*set, device, "/level", sink) == std::to_string(limits::kLoopbackDepth - depth));
  }
  const auto too_deep = set->add_loopback("l", device, "/disk.img");
  REQUIRE_FALSE(too_deep);
  CHECK(too_deep.error().code == ErrorCode::kUnsupported);
  CHECK(too_deep.error().message.find("deep in one another") != std::string::npos);
}

TEST_CASE("one name for two files makes two disks, and a taken name another one") {
  if (!have_programs({"mke2fs"})) return;
  const TemporaryDirectory inner;
  const TemporaryDirectory outer;
  write_file(inner.path() / "which", "a");
  make_ext4(outer.path() / "a.img", 2 * kMiB, inner.path());
  write_file(inner.path() / "which", "b");
  make_ext4(outer.path() / "b.img", 2 * kMiB, inner.path());
  const Image image = disk_of_tree(outer, 16 * kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  CHECK(set->add_loopback("loop", "hd0", "/a.img").value() == "loop");
  CHECK(set->add_loopback("loop", "hd00", "/a.img").value() == "loop");
  CHECK(set->add_loopback("loop", "hd0", "/b.img").value() == "loop:2");
  CHECK(set->add_loopback("hd0", "hd0", "/b.img").value() == "loop_hd0");
  CHECK(set->add_loopback("a,b", "hd0", "/b.img").value() == "a_b");
  CHECK(set->add_loopback("", "hd0", "/b.img").value() == "loop:3");
  const auto which = [&](const std::string& device) {
    CollectingSink sink(image.path());
    return sent(*set, device, "/which", sink);
  };
  CHECK(which("loop") == "a");
  CHECK(which("loop:2") == "b");
  CHECK(which("loop_hd0") == "b");
  CHECK(set->add_loopback("x", "hd0", "/nosuch").error().code == ErrorCode::kNotFound);
  CHECK(set->add_loopback("x", "hd0", "/lost+found").error().code == ErrorCode::kWrongType);
  CHECK(set->add_loopback("x", "hd7", "/a.img").error().code == ErrorCode::kNotFound);
}

TEST_CASE("the number of files opened as disks has an end") {
  if (!have_programs({"mke2fs"})) return;
  const TemporaryDirectory tree;
  write_file(tree.path() / "f", "no disk at all");
  const Image image = disk_of_tree(tree, 8 * kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  for (std::size_t i = 0; i < limits::kLoopbackDisks; ++i)
    REQUIRE(set->add_loopback("l" + std::to_string(i), "hd0", "/f"));
  CHECK(set->add_loopback("l0", "hd0", "/f").value() == "l0");
  CHECK(set->add_loopback("more", "hd0", "/f").error().code == ErrorCode::kUnsupported);
  CHECK(set->file_system("l0").error().code == ErrorCode::kUnsupported);
  CHECK(set->device("l0")->size == 512);  // whole sectors
}

TEST_CASE("a file whose partition table is damaged is a disk without partitions, with a note") {
  if (!have_programs({"mke2fs"})) return;
  const TemporaryDirectory tree;
  Image small(kMiB);
  write_boot_record(small, 0, {MsdosEntry{0xEE, 1, 2'047, 0}});
  small.write(512, "EFI PART");
  REQUIRE(run("cp " + small.path() + " " + (tree.path() / "f").string()));
  const Image image = disk_of_tree(tree, 8 * kMiB);
  Budget budget = Budget::standard();
  Notes notes;
  const auto set = open_disk(image, budget, notes);
  CHECK(set->add_loopback("l", "hd0", "/f").value() == "l");
  CHECK(set->partitions("l").empty());
  REQUIRE(notes.all.size() == 1);
  CHECK(notes.all[0].starts_with("l: the partition table is damaged"));
}

TEST_CASE("names of partitions are UTF-16") {
  const auto text = [](std::initializer_list<unsigned> units) {
    std::vector<std::byte> bytes;
    for (const unsigned unit : units) {
      bytes.push_back(static_cast<std::byte>(unit & 0xFF));
      bytes.push_back(static_cast<std::byte>(unit >> 8));
    }
    return utf8_of_utf16(bytes);
  };
  CHECK(text({'a', 0xE4, 0x20AC, 0, 'x'}) == "aä€");
  CHECK(text({0xD83D, 0xDE00, '!'}) == "😀!");
  CHECK(text({0xD83D, 'x'}) == "\xEF\xBF\xBDx");
  CHECK(text({0xDE00, 0xD83D}) == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(text({}).empty());
}
