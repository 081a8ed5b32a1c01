// SPDX-License-Identifier: LGPL-2.1-or-later
// Journals that debugfs(8) wrote into images and did not replay, read by us and then replayed by debugfs
// itself.
#include "fsreaders/ext_journal.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "fsreaders/ext_file_system.h"
#include "fsreaders/journal_format.h"
#include "tests/fsreaders/disk_image.h"
#include "tests/fsreaders/ext_image.h"

namespace pvhgrub::fs::test {
namespace {

namespace stdfs = std::filesystem;

bool have_tools() {
  static const bool have = run_quietly("command -v mke2fs") && run_quietly("command -v debugfs");
  if (!have) WARN("skipped: mke2fs or debugfs is missing");
  return have;
}

// An image whose file /file has 8 blocks of 'o', the middle two of which the journal writes anew.
struct JournalImage {
  TemporaryDirectory directory;
  stdfs::path image = directory.path() / "image";
  std::string replayed;  // what /file holds after replay
  bool made = false;

  // `first`: the first bytes of the second journalled block; `open_journal`: debugfs' command, "-c" for
  // checksums.
  explicit JournalImage(const std::string& options, const std::string& first = "n",
                        const std::string& open_journal = "jo") {
    write_file(directory.path() / "tree/file", std::string(8192, 'o'));
    if (!make_ext_image(image, 16 << 20, options, directory.path() / "tree")) return;
    std::string fresh(2048, 'n');
    fresh.replace(1024, first.size(), first);
    replayed = std::string(8192, 'o').replace(3072, 2048, fresh);
    write_file(directory.path() / "fresh", fresh);
    const std::uint64_t block = block_of_file(3);
    made = block != 0 &&
           commands(open_journal + "\njw -b " + std::to_string(block) + "," + std::to_string(block + 1) +
                    " " + (directory.path() / "fresh").string() + "\njc\n");
  }

  [[nodiscard]] bool commands(const std::string& text) const {
    write_file(directory.path() / "commands", text);
    return run_quietly("debugfs -w -f " + (directory.path() / "commands").string() + " " + image.string());
  }

  // The file system block of a block of /file.
  [[nodiscard]] std::uint64_t block_of_file(int logical) const {
    const auto output = run("PATH=$PATH:/usr/sbin:/sbin debugfs -R 'bmap /file " + std::to_string(logical) +
                            "' " + image.string() + " 2>/dev/null");
    std::uint64_t block = 0;
    if (output) std::istringstream(*output) >> block;
    return block;
  }
};

struct Piece {
  char kind;  // 'h', 'e', 'b'
  std::uint64_t length;
};

class PieceSink : public ContentSink {
 public:
  Result<void> hole(std::uint64_t length) override {
    pieces.push_back({'h', length});
    return {};
  }
  Result<void> extent(const DiskExtent& extent) override {
    pieces.push_back({'e', extent.length});
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    pieces.push_back({'b', bytes.size()});
    return {};
  }
  std::vector<Piece> pieces;
};

}  // namespace

TEST_CASE("file contents in the journal are read and sent as after replay") {
  if (!have_tools()) return;
  const std::string options = GENERATE(as<std::string>{}, "-t ext3 -b 1024", "-t ext4 -b 1024",
                                       "-t ext4 -b 1024 -O ^64bit", "-t ext4 -b 1024 -O ^metadata_csum");
  const std::string open_journal = GENERATE(as<std::string>{}, "jo", "jo -c -v 2", "jo -c -v 3");
  const JournalImage image(options, "n", open_journal);
  INFO(options << ", " << open_journal);
  REQUIRE(image.made);
  const OpenedImage opened = open_image(image.image);
  if (!opened.file_system) FAIL(opened.file_system.error().describe());
  REQUIRE((*opened.file_system)->notes().size() == 1);
  CHECK((*opened.file_system)->notes()[0].find("replayed in memory (1 transactions, 2 blocks)") !=
        std::string::npos);
  const auto file = (*opened.file_system)->open("/file");
  REQUIRE(file);
  CHECK(*read_contents(**file) == image.replayed);
  CHECK(*sent_contents(**file, *opened.source) == image.replayed);
  PieceSink sink;
  REQUIRE((*file)->send(sink));
  REQUIRE(sink.pieces.size() == 3);  // before, the two in the journal, after
  CHECK(sink.pieces[1].kind == 'e');
  CHECK(sink.pieces[1].length == 2048);
  std::vector<std::byte> part(100);
  REQUIRE((*file)->read(4090, part) == 100U);  // across the border of the two
  CHECK(as_text(part) == std::string_view(image.replayed).substr(4090, 100));
}

TEST_CASE("an escaped block is sent as bytes, the rest as extents") {
  if (!have_tools()) return;
  const JournalImage image("-t ext4 -b 1024", "\xc0\x3b\x39\x98");
  REQUIRE(image.made);
  const OpenedImage opened = open_image(image.image);
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/file");
  REQUIRE(file);
  CHECK(*read_contents(**file) == image.replayed);
  CHECK(*sent_contents(**file, *opened.source) == image.replayed);
  PieceSink sink;
  REQUIRE((*file)->send(sink));
  REQUIRE(sink.pieces.size() == 4);
  CHECK(sink.pieces[1].kind == 'e');
  CHECK(sink.pieces[2].kind == 'b');
  CHECK(sink.pieces[2].length == 1024);
}

TEST_CASE("debugfs replays a journal to the same file system as we read") {
  if (!have_tools()) return;
  const JournalImage image("-t ext4 -b 1024");
  REQUIRE(image.made);
  const OpenedImage before = open_image(image.image);
  REQUIRE(before.file_system);
  const auto ours = describe_tree(**before.file_system, *before.source);
  REQUIRE(run_quietly("debugfs -w -R jr " + image.image.string()));
  const OpenedImage after = open_image(image.image);
  REQUIRE(after.file_system);
  CHECK((*after.file_system)->notes().empty());
  CHECK(describe_tree(**after.file_system, *after.source) == ours);
}

TEST_CASE("a revoke record in the journal keeps the block of the disk") {
  if (!have_tools()) return;
  const JournalImage image("-t ext4 -b 1024");
  REQUIRE(image.made);
  REQUIRE(image.commands("jo\njw -r " + std::to_string(image.block_of_file(3)) + "\njc\n"));
  const OpenedImage opened = open_image(image.image);
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/file");
  REQUIRE(file);
  CHECK(*read_contents(**file) == std::string(8192, 'o').replace(4096, 1024, std::string(1024, 'n')));
}

TEST_CASE("a journal that the superblock does not ask to replay is left alone, as the kernel does") {
  if (!have_tools()) return;
  const JournalImage image("-t ext4 -b 1024");
  REQUIRE(image.made);
  REQUIRE(run_quietly("debugfs -w -R 'feature -needs_recovery' " + image.image.string()));
  const OpenedImage opened = open_image(image.image);
  REQUIRE(opened.file_system);
  CHECK((*opened.file_system)->notes().empty());
  CHECK(*read_contents(**(*opened.file_system)->open("/file")) == std::string(8192, 'o'));
}

TEST_CASE("a damaged block in the journal is an error for the file that needs it, with its place") {
  if (!have_tools()) return;
  const JournalImage image("-t ext4 -b 1024", "n", "jo -c");
  REQUIRE(image.made);
  std::vector<std::byte> bytes = MemorySource::bytes_of_file(image.image.string());
  const auto text = as_text(bytes);
  const std::size_t place = text.find(std::string(1024, 'n'));
  REQUIRE(place != text.npos);
  bytes[place + 5] = std::byte{'X'};
  const OpenedImage opened = open_bytes(std::move(bytes));
  REQUIRE(opened.file_system);
  const auto file = (*opened.file_system)->open("/file");
  REQUIRE(file);
  const auto read = read_contents(**file);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::kDamaged);
  CHECK(read.error().where == "file system byte " + std::to_string(place));
  const auto sent = sent_contents(**file, *opened.source);
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == ErrorCode::kDamaged);
}

TEST_CASE("an external journal that needs replay is refused, a clean one is no matter") {
  if (!have_tools()) return;
  const TemporaryDirectory directory;
  const stdfs::path image = directory.path() / "image";
  write_file(directory.path() / "tree/file", "x");
  REQUIRE(make_ext_image(image, 8 << 20, "-t ext4 -O ^has_journal", directory.path() / "tree"));
  REQUIRE(run_quietly("debugfs -w -R 'feature has_journal' " + image.string()));
  {
    const OpenedImage opened = open_image(image);
    REQUIRE(opened.file_system);
    CHECK((*opened.file_system)->open("/file"));
  }
  REQUIRE(run_quietly("debugfs -w -R 'feature needs_recovery' " + image.string()));
  const OpenedImage opened = open_image(image);
  REQUIRE_FALSE(opened.file_system);
  CHECK(opened.file_system.error().code == ErrorCode::kUnsupported);
  CHECK(opened.file_system.error().message.find("another device") != std::string::npos);
}

TEST_CASE("a journal superblock that is none is damage") {
  if (!have_tools()) return;
  const JournalImage image("-t ext4 -b 1024");
  REQUIRE(image.made);
  std::vector<std::byte> bytes = MemorySource::bytes_of_file(image.image.string());
  const std::size_t place = as_text(bytes).find(std::string_view("\xc0\x3b\x39\x98\0\0\0\4", 8));
  REQUIRE(place != std::string_view::npos);
  bytes[place] = std::byte{0};
  const OpenedImage opened = open_bytes(std::move(bytes));
  REQUIRE_FALSE(opened.file_system);
  CHECK(opened.file_system.error().code == ErrorCode::kDamaged);
}

}  // namespace pvhgrub::fs::test
