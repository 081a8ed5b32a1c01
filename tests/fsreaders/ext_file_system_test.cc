// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/ext_file_system.h"

#include <ext2fs/ext2fs.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

constexpr std::uint64_t kImageBytes = std::uint64_t{48} << 20U;

// A tree with what a boot file system has, and the sizes at which a file changes its form.
const stdfs::path& sample_tree() {
  static const TemporaryDirectory directory;
  static const stdfs::path tree = [] {
    const stdfs::path root = directory.path() / "tree";
    write_file(root / "boot/vmlinuz", noise(1'500'001, 1));
    write_file(root / "boot/initrd.img", noise(2'345'678, 2));
    write_file(root / "boot/grub/grub.cfg", noise(23'456, 3));
    write_file(root / "boot/größe-ü.conf", "x");
    for (const std::size_t size :
         {0U, 1U, 59U, 60U, 61U, 100U, 159U, 160U, 161U, 1023U, 1024U, 1025U, 4095U, 4096U, 4097U, 65536U})
      write_file(root / "sizes" / std::to_string(size), noise(size, static_cast<std::uint32_t>(size)));
    for (int i = 0; i < 700; ++i)
      write_file(
          root / "many" / ("entry-" + std::to_string(i) + std::string(static_cast<std::size_t>(i % 60), 'x')),
          std::to_string(i));
    std::string deep = "deep";
    for (int i = 0; i < 30; ++i) deep += "/d" + std::to_string(i);
    write_file(root / deep / "leaf", "leaf");
    stdfs::create_directories(root / "links");
    const std::pair<const char*, std::string> links[] = {
        {"relative", "../boot/grub/grub.cfg"},
        {"absolute", "/boot/vmlinuz"},
        {"directory", "/boot"},
        {"through", "directory/grub/grub.cfg"},
        {"loop", "loop"},
        {"dangling", "nowhere"},
        {"up", "../../../../boot/grub/../vmlinuz"},
        {"l59", "/" + std::string(46, '/') + "boot/vmlinuz"},
        {"l60", "/" + std::string(47, '/') + "boot/vmlinuz"},
        {"l61", "/" + std::string(48, '/') + "boot/vmlinuz"},
        {"l150", "/" + std::string(137, '/') + "boot/vmlinuz"},
        {"l900", "/" + std::string(887, '/') + "boot/vmlinuz"},
    };
    for (const auto& [name, target] : links) stdfs::create_symlink(target, root / "links" / name);
    for (int i = 0; i < 45; ++i)
      stdfs::create_symlink("chain" + std::to_string(i + 1), root / "links" / ("chain" + std::to_string(i)));
    stdfs::create_symlink("../boot/vmlinuz", root / "links/chain45");
    return root;
  }();
  return tree;
}

// An image with ext4's usual features of the sample tree, made once.
OpenedImage sample_image() {
  static const TemporaryDirectory directory;
  static const bool made =
      make_ext_image(directory.path() / "image", kImageBytes,
                     "-t ext4 -b 1024 -L bootfs -U 01234567-89ab-cdef-0123-456789abcdef", sample_tree());
  REQUIRE(made);
  return open_image(directory.path() / "image");
}

bool have_tools() {
  static const bool have = run_quietly("command -v mke2fs") && run_quietly("command -v debugfs");
  if (!have) WARN("skipped: mke2fs or debugfs is missing");
  return have;
}

ErrorCode code_of(const auto& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

// Changes an image with debugfs(8).
bool debugfs(const stdfs::path& image, const std::string& command) {
  return run_quietly("debugfs -w -R '" + command + "' " + image.string());
}

}  // namespace

TEST_CASE("every combination of features reads bit for bit") {
  if (!have_tools()) return;
  const std::string options = GENERATE(
      as<std::string>{}, "-t ext2 -b 1024", "-t ext2 -b 4096", "-t ext2 -r 0 -b 1024", "-t ext2 -O ^filetype",
      "-t ext3 -b 1024", "-t ext4 -b 1024", "-t ext4 -b 2048", "-t ext4 -b 4096", "-t ext4 -b 65536",
      "-t ext2 -b 65536", "-t ext4 -b 1024 -O meta_bg,^resize_inode,64bit", "-t ext4 -O ^64bit",
      "-t ext4 -O inline_data", "-t ext4 -b 1024 -O inline_data -I 1024", "-t ext4 -O bigalloc -C 65536",
      "-t ext4 -O ^metadata_csum,uninit_bg", "-t ext4 -O metadata_csum_seed", "-t ext4 -O ea_inode,large_dir",
      "-t ext4 -O quota,project", "-t ext4 -O sparse_super2", "-t ext4 -O orphan_file",
      "-t ext4 -O stable_inodes,encrypt,verity", "-t ext4 -O casefold -E encoding=utf8", "-t ext4 -O mmp",
      "-t ext4 -O ^extent,^64bit", "-t ext4 -O ^flex_bg", "-t ext4 -O fast_commit", "-t ext4 -I 128",
      "-t ext4 -O ^has_journal", "-t ext4 -O ^dir_index,^dir_nlink,^huge_file",
      "-t ext4 -N 3000 -g 2048 -b 1024");
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  INFO(options);
  // Large blocks and clusters take a whole one for each small file.
  const bool coarse = options.find("65536") != options.npos;
  if (!make_ext_image(image, coarse ? 2 * kImageBytes : kImageBytes, options, sample_tree())) {
    WARN("skipped: this mke2fs does not know " << options);
    return;
  }
  const OpenedImage opened = open_image(image);
  if (!opened.file_system) FAIL(opened.file_system.error().describe());
  CHECK((*opened.file_system)->notes().empty());
  CHECK(describe_tree(**opened.file_system, *opened.source) == describe_directory(sample_tree()));
}

TEST_CASE("UUID, label and GRUB's name of an ext file system") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->type_name() == "ext2");
  CHECK((*opened.file_system)->uuid() == "01234567-89ab-cdef-0123-456789abcdef");
  CHECK((*opened.file_system)->label() == "bootfs");
}

TEST_CASE("symbolic links are followed within the file system, fast and slow ones") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  FileSystem& file_system = **opened.file_system;
  for (const char* name : {"absolute", "up", "l59", "l60", "l61", "l150", "l900", "chain10"}) {
    INFO(name);
    const auto info = file_system.stat("/links/" + std::string(name));
    REQUIRE(info);
    CHECK(info->size == 1'500'001);
  }
  CHECK(file_system.stat("/links/through")->size == 23'456);
  CHECK(file_system.stat("/links/directory")->type == FileType::kDirectory);
  CHECK(file_system.stat("/links/directory/../sizes/100")->size == 100);
  CHECK(code_of(file_system.stat("/links/loop")) == ErrorCode::kLimit);
  CHECK(code_of(file_system.stat("/links/chain0")) == ErrorCode::kLimit);  // 46 links
  CHECK(file_system.stat("/links/chain6"));                                // 40
  CHECK(code_of(file_system.stat("/links/chain5")) == ErrorCode::kLimit);  // 41
  CHECK(code_of(file_system.stat("/links/dangling")) == ErrorCode::kNotFound);
}

TEST_CASE("paths may have dots and repeated slashes, and dots stay at the root") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  FileSystem& file_system = **opened.file_system;
  CHECK(file_system.stat("//boot/./grub//../grub/grub.cfg")->size == 23'456);
  CHECK(file_system.stat("/../../boot/grub/grub.cfg")->size == 23'456);
  CHECK(file_system.stat("/")->type == FileType::kDirectory);
  CHECK(code_of(file_system.stat("boot")) == ErrorCode::kNotFound);
  CHECK(code_of(file_system.stat("")) == ErrorCode::kNotFound);
  CHECK(code_of(file_system.stat(std::string("/boot\0x", 7))) == ErrorCode::kNotFound);
  CHECK(code_of(file_system.stat("/" + std::string(4096, 'x'))) == ErrorCode::kNotFound);
}

TEST_CASE("a file where a directory should stand, and the reverse, are of the wrong type") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  FileSystem& file_system = **opened.file_system;
  CHECK(code_of(file_system.open("/boot")) == ErrorCode::kWrongType);
  CHECK(code_of(file_system.list("/boot/vmlinuz")) == ErrorCode::kWrongType);
  CHECK(code_of(file_system.stat("/boot/vmlinuz/x")) == ErrorCode::kWrongType);
  CHECK(code_of(file_system.stat("/boot/vmlinuz/")) == ErrorCode::kWrongType);
  const auto missing = file_system.open("/boot/nothing");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().where == "/boot/nothing");
}

TEST_CASE("a file is read from any offset, and less than asked only at its end") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/boot/grub/grub.cfg");
  REQUIRE(file);
  const std::string whole = noise(23'456, 3);
  std::vector<std::byte> out(1000);
  for (const std::size_t offset : {0U, 1U, 1023U, 1024U, 5000U, 22'456U}) {
    REQUIRE((*file)->read(offset, out) == 1000U);
    CHECK(as_text(out) == std::string_view(whole).substr(offset, 1000));
  }
  CHECK((*file)->read(23'000, out) == 456U);
  CHECK((*file)->read(23'456, out) == 0U);
  CHECK((*file)->read(~std::uint64_t{0}, out) == 0U);
}

TEST_CASE("a large file takes few reads, and is sent in few pieces") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  opened.source->reset_counters();
  const auto file = (*opened.file_system)->open("/boot/initrd.img");
  REQUIRE(file);
  std::vector<std::byte> out(2'345'678);
  REQUIRE((*file)->read(0, out) == 2'345'678U);
  CHECK(opened.source->reads() < 20);
}

TEST_CASE("a look-up in a large directory reads it once") {
  if (!have_tools()) return;
  const OpenedImage opened = sample_image();
  REQUIRE(opened.file_system);
  FileSystem& file_system = **opened.file_system;
  REQUIRE(file_system.stat("/many/entry-1x"));
  const std::uint64_t steps = opened.budget->steps_left();
  for (int i = 0; i < 100; ++i) REQUIRE(file_system.stat("/many/entry-1x"));
  CHECK(steps - opened.budget->steps_left() < 2000);
}

TEST_CASE("holes, also at a file's end, are zeros and cost no reads") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path tree = directory.path() / "tree";
  write_file(tree / "holes", "begin");
  stdfs::resize_file(tree / "holes", 30U << 20U);
  {
    std::fstream file(tree / "holes", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20 << 20);
    file << "middle";
  }
  const std::string kind = GENERATE(as<std::string>{}, "-t ext4", "-t ext2 -b 1024");
  REQUIRE(make_ext_image(directory.path() / "image", kImageBytes, kind, tree));
  const OpenedImage opened = open_image(directory.path() / "image");
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/holes");
  REQUIRE(file);
  opened.source->reset_counters();
  const auto text = read_contents(**file);
  REQUIRE(text);
  CHECK(opened.source->bytes_read() < 100'000);
  CHECK(*text == *sent_contents(**file, *opened.source));
  std::string expected(30U << 20U, '\0');
  expected.replace(0, 5, "begin");
  expected.replace(20U << 20U, 6, "middle");
  CHECK(*text == expected);
}

TEST_CASE("preallocated blocks that were never written are zeros, whatever lies there") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/file", "x");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4 -b 1024", directory.path() / "tree"));
  REQUIRE(debugfs(image, "fallocate /file 1 100"));
  REQUIRE(debugfs(image, "set_inode_field /file size 50000"));
  std::vector<std::byte> bytes = MemorySource::bytes_of_file(image.string());
  const OpenedImage opened = open_bytes(std::move(bytes));
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/file");
  REQUIRE(file);
  const auto text = read_contents(**file);
  REQUIRE(text);
  CHECK(*text == "x" + std::string(49'999, '\0'));
}

TEST_CASE("a directory without regard to case finds a name in another case, also beyond ASCII") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/loader/Größe.Conf", "content");
  if (!make_ext_image(image, 8 << 20, "-t ext4 -O casefold -E encoding=utf8", directory.path() / "tree")) {
    WARN("skipped: this mke2fs does not know casefold");
    return;
  }
  {
    const OpenedImage opened = open_image(image);
    REQUIRE(opened.file_system);
    CHECK(code_of((*opened.file_system)->stat("/loader/GRÖSSE.CONF")) == ErrorCode::kNotFound);
  }
  REQUIRE(debugfs(image, "set_inode_field /loader flags 0x40080000"));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->stat("/loader/Größe.Conf"));
  CHECK((*opened.file_system)->stat("/loader/GRÖßE.CONF"));
  CHECK((*opened.file_system)->stat("/loader/grösse.conf"));
  CHECK(code_of((*opened.file_system)->stat("/loader/Grosse.conf")) == ErrorCode::kNotFound);
  CHECK(code_of((*opened.file_system)->stat("/LOADER/Größe.Conf")) == ErrorCode::kNotFound);
}

TEST_CASE("a directory is listed in the order of the disk, whatever its names are") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  stdfs::create_directories(directory.path() / "tree");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4", directory.path() / "tree"));
  for (const std::string name : {"zebra", "ape", "mule"}) REQUIRE(debugfs(image, "mkdir /" + name));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  const auto entries = (*opened.file_system)->list("/");
  REQUIRE(entries);
  std::string names;
  for (const DirectoryEntry& entry : *entries) names += entry.name + " ";
  CHECK(names == "lost+found zebra ape mule ");
}

TEST_CASE("encrypted files, links and directories are refused with a reason") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/dir/file", "cipher");
  stdfs::create_symlink("target", directory.path() / "tree/link");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4 -O encrypt", directory.path() / "tree"));
  REQUIRE(debugfs(image, "set_inode_field /dir/file flags 0x80800"));
  REQUIRE(debugfs(image, "set_inode_field /link flags 0x800"));
  {
    const OpenedImage opened = open_image(image);
    REQUIRE(opened.file_system);
    const auto file = (*opened.file_system)->open("/dir/file");
    REQUIRE_FALSE(file);
    CHECK(file.error().code == ErrorCode::kUnsupported);
    CHECK(file.error().message.find("encrypted") != std::string::npos);
    CHECK((*opened.file_system)->stat("/dir/file"));
    CHECK(code_of((*opened.file_system)->stat("/link")) == ErrorCode::kUnsupported);
  }
  REQUIRE(debugfs(image, "set_inode_field /dir flags 0x80800"));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  CHECK(code_of((*opened.file_system)->list("/dir")) == ErrorCode::kUnsupported);
  CHECK(code_of((*opened.file_system)->open("/dir/file")) == ErrorCode::kUnsupported);
  CHECK((*opened.file_system)->list("/"));
}

TEST_CASE("device nodes and sockets are neither files nor directories") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/file", "x");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4", directory.path() / "tree"));
  REQUIRE(debugfs(image, "mknod pipe p"));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->stat("/pipe")->type == FileType::kOther);
  CHECK(code_of((*opened.file_system)->open("/pipe")) == ErrorCode::kWrongType);
}

TEST_CASE("the time of change reaches past 2038") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/file", "x");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4", directory.path() / "tree"));
  REQUIRE(debugfs(image, "set_inode_field /file mtime 20500101000000"));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->stat("/file")->modification_time == 2'524'608'000);
}

TEST_CASE("a size that no ext file can have is damage") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/file", "x");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4 -b 1024", directory.path() / "tree"));
  REQUIRE(debugfs(image, "set_inode_field /file size 0x7fffffffffffffff"));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  CHECK(code_of((*opened.file_system)->open("/file")) == ErrorCode::kDamaged);
}

TEST_CASE("an inode with a wrong checksum is damage that names it") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/file", "x");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4", directory.path() / "tree"));
  REQUIRE(debugfs(image, "set_inode_field /file checksum 0x12345678"));
  const OpenedImage opened = open_image(image);
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/file");
  REQUIRE_FALSE(file);
  CHECK(file.error().code == ErrorCode::kDamaged);
  CHECK(file.error().message.find("inode 12") != std::string::npos);
  CHECK(file.error().message.find("checksum") != std::string::npos);
}

TEST_CASE("a failing disk is told with the offset, and does not end the program") {
  if (!have_tools()) return;
  for (std::uint64_t good = 0; good < 40; ++good) {
    OpenedImage opened = sample_image();
    REQUIRE(opened.file_system);
    auto source = std::make_unique<MemorySource>(opened.source->bytes());
    source->fail_reads(good);
    Budget budget = Budget::standard();
    const auto file_system = open_ext_file_system(*source, budget);
    if (!file_system) {
      CHECK(file_system.error().code == ErrorCode::kIo);
      CHECK(file_system.error().where.find("offset") != std::string::npos);
      continue;
    }
    const auto file = (*file_system)->open("/boot/vmlinuz");
    if (!file) {
      CHECK(file.error().code == ErrorCode::kIo);
      CHECK(file.error().where.find("offset") != std::string::npos);
    }
  }
}

TEST_CASE("an image that is cut off is refused") {
  if (!have_tools()) return;
  const OpenedImage whole = sample_image();
  REQUIRE(whole.file_system);
  std::vector<std::byte> bytes = whole.source->bytes();
  bytes.resize(bytes.size() - 1024);
  const OpenedImage opened = open_bytes(std::move(bytes));
  REQUIRE_FALSE(opened.file_system);
  CHECK(opened.file_system.error().code == ErrorCode::kDamaged);
  CHECK(opened.file_system.error().message.find("cut off") != std::string::npos);
}

TEST_CASE("what is no ext file system costs one read to tell") {
  MemorySource source(std::vector<std::byte>(1 << 20));
  Budget budget = Budget::standard();
  CHECK(code_of(open_ext_file_system(source, budget)) == ErrorCode::kUnsupported);
  CHECK(source.reads() == 1);
  MemorySource tiny(std::vector<std::byte>(100));
  CHECK(code_of(open_ext_file_system(tiny, budget)) == ErrorCode::kUnsupported);
  CHECK(tiny.reads() == 0);
}

TEST_CASE("an external journal is no file system") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  REQUIRE(make_ext_image(directory.path() / "image", 8 << 20, "-O journal_dev", {}));
  const OpenedImage opened = open_image(directory.path() / "image");
  REQUIRE_FALSE(opened.file_system);
  CHECK(opened.file_system.error().code == ErrorCode::kUnsupported);
  CHECK(opened.file_system.error().message.find("external journal") != std::string::npos);
}

}  // namespace pvhgrub::fs::test
