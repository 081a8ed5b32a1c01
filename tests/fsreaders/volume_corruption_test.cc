// SPDX-License-Identifier: LGPL-2.1-or-later
// LVM's labels and metadata and MD's superblocks with a few bytes changed, and most often their checksums
// made right again: whatever a guest writes, assembling ends, within the budget, with volumes whose bytes lie
// on their devices or with a reason. Worth most in a build with sanitizers.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/crc32.h"
#include "base/limits.h"
#include "fsreaders/lvm_volumes.h"
#include "fsreaders/md_arrays.h"
#include "tests/fsreaders/memory_source.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;
using namespace pvhgrub::fs::test;

namespace {

using Random = std::mt19937;

std::size_t pick(Random& random, std::size_t limit) {
  return static_cast<std::size_t>(random()) % limit;
}

void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes.at(offset + i) = static_cast<std::byte>(value >> (8 * i));
}

void put(std::vector<std::byte>& bytes, std::size_t offset, std::string_view text) {
  std::ranges::copy(as_bytes(text), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

std::uint32_t word_at(const std::vector<std::byte>& bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = (value << 8) | std::to_integer<std::uint32_t>(bytes.at(offset + i));
  return value;
}

bool is_expected(ErrorCode code) {
  return code == ErrorCode::kDamaged || code == ErrorCode::kUnsupported || code == ErrorCode::kLimit ||
         code == ErrorCode::kNotFound;
}

/// Reads each volume here and there; true where one of them gave something.
bool read_volumes(const AssembledVolumes& assembled, std::size_t device_size, Random& random) {
  bool any = false;
  for (const Volume& volume : assembled.volumes) {
    REQUIRE_FALSE(volume.name.empty());
    REQUIRE((volume.source != nullptr) != volume.problem.has_value());
    if (volume.problem) {
      CHECK(is_expected(volume.problem->code));
      CHECK_FALSE(volume.problem->message.empty());
      continue;
    }
    const std::uint64_t size = volume.source->size();
    REQUIRE(size > 0);
    std::array<std::byte, 5'000> piece{};
    const std::uint64_t places[] = {0, size - 1, random() % size, size / 2,
                                    size - std::min<std::uint64_t>(size, 5'000)};
    for (const std::uint64_t place : places) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size - place));
      const auto read = volume.source->read_at(place, std::span(piece).first(count));
      if (read) any = true;
      if (!read) CHECK(is_expected(read.error().code));
      const auto extent = volume.source->locate(place, count);
      if (extent) {
        CHECK(extent->length > 0);
        CHECK(extent->length <= count);
        CHECK(range_inside<std::uint64_t>(extent->offset, extent->length, device_size));
      } else {
        CHECK(is_expected(extent.error().code));
      }
    }
    CHECK_FALSE(volume.source->read_at(size, std::span(piece).first(1)));
  }
  return any;
}

// --- MD

constexpr std::size_t kMemberSize = 512 * 1024;

/// One member of an array of four, without contents (include/uapi/linux/raid/md_p.h).
struct MdMember {
  std::vector<std::byte> bytes = std::vector<std::byte>(kMemberSize);
  std::size_t place = 0;
  bool old = false;

  MdMember(std::string_view version, std::int32_t level, std::uint32_t layout, std::uint32_t number) {
    old = version == "0.90";
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + number);
    place = version == "1.2" ? 4'096 : version == "1.1" ? 0 : kMemberSize - (old ? 65'536 : 8'192);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place), 4'096, std::byte{0});
    put(bytes, place, 0xA92B'4EFC, 4);
    if (old) {
      write_old(level, layout, number);
    } else {
      write_new(version == "1.0" ? 0 : 64, level, layout, number);
    }
    seal();
  }

  void write_new(std::uint64_t data_sector, std::int32_t level, std::uint32_t layout, std::uint32_t number) {
    put(bytes, place + 4, 1, 4);
    put(bytes, place + 16, "0123456789abcdef");
    put(bytes, place + 32, "host:0");
    put(bytes, place + 72, static_cast<std::uint32_t>(level), 4);
    put(bytes, place + 76, layout, 4);
    put(bytes, place + 80, level == 0 ? 0 : 512, 8);
    put(bytes, place + 88, 8, 4);
    put(bytes, place + 92, 4, 4);
    put(bytes, place + 128, data_sector, 8);
    put(bytes, place + 136, 512, 8);
    put(bytes, place + 144, place / 512, 8);
    put(bytes, place + 160, number, 4);
    put(bytes, place + 200, 10, 8);
    put(bytes, place + 220, 16, 4);
    for (std::uint32_t i = 0; i < 16; ++i)
      put(bytes, place + 256 + std::size_t{2} * i, i < 4 ? i : 0xFFFF, 2);
  }

  void write_old(std::int32_t level, std::uint32_t layout, std::uint32_t number) {
    const auto set = [&](std::size_t word, std::uint32_t value) { put(bytes, place + 4 * word, value, 4); };
    set(2, 90);
    for (const std::size_t word : {5U, 13U, 14U, 15U}) set(word, 0x1234'5678);
    set(7, static_cast<std::uint32_t>(level));
    set(8, 256);
    set(10, 4);
    set(39, 10);
    set(64, layout);
    set(65, 4'096);
    for (std::uint32_t i = 0; i < 4; ++i) {
      set(128 + std::size_t{32} * i, i);
      set(128 + std::size_t{32} * i + 3, i);
      set(128 + std::size_t{32} * i + 4, 6);
    }
    set(992, number);
  }

  void seal() {
    const std::size_t sum_place = place + (old ? 38 * 4 : 216);
    const std::size_t size =
        old ? 4'096 : std::min<std::size_t>(256 + 2 * std::size_t{word_at(bytes, place + 220)}, 4'096);
    put(bytes, sum_place, 0, 4);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i + 4 <= size; i += 4) sum += word_at(bytes, place + i);
    if (size % 4 != 0) sum += word_at(bytes, place + size / 4 * 4) & 0xFFFF;
    put(bytes, sum_place, (sum & 0xFFFF'FFFF) + (sum >> 32), 4);
  }

  void damage(Random& random) {
    constexpr std::size_t kNew[] = {4,   8,   72,  76,  80,  84,  88,  92,  128, 132, 136,
                                    140, 144, 160, 184, 186, 188, 200, 220, 256, 258};
    constexpr std::size_t kOld[] = {4,   8,   28,  32,  40,  44,  156, 160,  256,
                                    260, 512, 524, 528, 640, 652, 656, 3'968};
    const std::size_t where = old ? kOld[pick(random, std::size(kOld))] : kNew[pick(random, std::size(kNew))];
    const std::uint32_t values[] = {0,
                                    1,
                                    2,
                                    4,
                                    5,
                                    6,
                                    10,
                                    0x102,
                                    0x201,
                                    0x7FFF'FFFF,
                                    0x8000'0000,
                                    0xFFFF'FFFF,
                                    static_cast<std::uint32_t>(random()),
                                    static_cast<std::uint32_t>(random() % 1'024)};
    const std::size_t size = std::array<std::size_t, 3>{1, 2, 4}[pick(random, 3)];
    put(bytes, place + where, values[pick(random, std::size(values))], size);
    if (pick(random, 8) == 0) bytes[place + pick(random, 400)] = static_cast<std::byte>(random());
  }
};

// --- LVM

constexpr std::size_t kVolumeSize = 1 << 20;
constexpr std::size_t kAreaSize = 64 * 1024;
constexpr std::array<std::string_view, 3> kPhysical = {"aaaaaaAAAAaaaaAAAAaaaaAAAAaaaa01",
                                                       "bbbbbbBBBBbbbbBBBBbbbbBBBBbbbb02",
                                                       "ccccccCCCCccccCCCCccccCCCCcccc03"};

std::string dashed(std::string_view uuid) {
  std::string text;
  std::size_t from = 0;
  for (const std::size_t length : {6U, 4U, 4U, 4U, 4U, 4U, 6U}) {
    text += (from == 0 ? "" : "-") + std::string(uuid.substr(from, length));
    from += length;
  }
  return text;
}

std::string logical(const std::string& name, unsigned number, std::string_view segments) {
  std::string uuid = "ddddddDDDDddddDDDDddddDDDDdddd00";
  uuid.back() = static_cast<char>('0' + number);
  return name + " {\nid = \"" + dashed(uuid) + "\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\n" +
         std::string(segments) + "}\n";
}

/// A group of 16-KiB extents on three physical volumes of 60.
std::string group_text() {
  std::string text =
      "contents = \"Text Format Volume Group\"\nversion = 1\nvg {\nid = "
      "\"eeeeee-EEEE-eeee-EEEE-eeee-EEEE-eeee04\"\nseqno = 7\nstatus = [\"RESIZEABLE\", \"READ\", "
      "\"WRITE\"]\n"
      "extent_size = 32\nphysical_volumes {\n";
  for (std::size_t i = 0; i < kPhysical.size(); ++i)
    text += "pv" + std::to_string(i) + " {\nid = \"" + dashed(kPhysical[i]) +
            "\"\nstatus = [\"ALLOCATABLE\"]\npe_start = 128\npe_count = 60\n}\n";
  text += "}\nlogical_volumes {\n";
  text += logical(
      "root", 1,
      "segment_count = 2\nsegment1 {\nstart_extent = 0\nextent_count = 4\ntype = \"striped\"\n"
      "stripe_count = 1\nstripes = [\"pv0\", 0]\n}\nsegment2 {\nstart_extent = 4\nextent_count = 6\n"
      "type = \"striped\"\nstripe_count = 2\nstripe_size = 8\nstripes = [\"pv1\", 3, \"pv2\", 5]\n}\n");
  text += logical("mirror", 2,
                  "segment_count = 1\nsegment1 {\nstart_extent = 0\nextent_count = 3\ntype = \"mirror\"\n"
                  "mirror_count = 2\nmirrors = [\"image0\", 0, \"image1\", 0]\n}\n");
  text += logical(
      "raid", 3,
      "segment_count = 1\nsegment1 {\nstart_extent = 0\nextent_count = 6\ntype = \"raid5_ls\"\n"
      "device_count = 3\nstripe_size = 8\nregion_size = 4096\nraids = [\"meta0\", \"image0\", \"meta1\", "
      "\"image1\", \"meta2\", \"image2\"]\n}\n");
  for (unsigned i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i);
    for (const auto& [name, first] : {std::pair("image", "20"), std::pair("meta", "30")})
      text +=
          logical(name + number, 4 + i,
                  "segment_count = 1\nsegment1 {\nstart_extent = 0\nextent_count = 3\ntype = \"striped\"\n"
                  "stripe_count = 1\nstripes = [\"pv" +
                      number + "\", " + first + "]\n}\n");
  }
  return text + "}\n}\n";
}

std::uint32_t lvm_checksum(std::span<const std::byte> bytes) {
  Crc32 crc(0xF597'A6CF);
  crc.update(bytes);
  return ~crc.value();
}

/// A physical volume with that text as its metadata (the LVM2 format as libvslvm documents it).
struct PhysicalVolume {
  std::vector<std::byte> bytes = std::vector<std::byte>(kVolumeSize);

  PhysicalVolume(std::size_t number, const std::string& text) {
    for (std::size_t i = kAreaSize; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(i / 512 + number);
    put(bytes, 512, "LABELONE");
    put(bytes, 520, 1, 8);
    put(bytes, 532, 32, 4);
    put(bytes, 536, "LVM2 001");
    put(bytes, 544, kPhysical.at(number));
    put(bytes, 576, kVolumeSize, 8);
    put(bytes, 584, kAreaSize, 8);
    put(bytes, 616, 4'096, 8);
    put(bytes, 624, kAreaSize - 4'096, 8);
    put(bytes, 4'100, " LVM2 x[5A%r0N*>");
    put(bytes, 4'116, 1, 4);
    put(bytes, 4'120, 4'096, 8);
    put(bytes, 4'128, kAreaSize - 4'096, 8);
    // The text begins before the ring's end and goes on at its beginning.
    const std::size_t ring_end = kAreaSize;
    const std::size_t first = std::min<std::size_t>(text.size(), 1'024);
    put(bytes, 4'136, ring_end - first - 4'096, 8);
    put(bytes, 4'144, text.size(), 8);
    put(bytes, 4'152, lvm_checksum(std::as_bytes(std::span(text))), 4);
    put(bytes, ring_end - first, std::string_view(text).substr(0, first));
    put(bytes, 4'608, std::string_view(text).substr(first));
    seal();
  }

  void seal() {
    put(bytes, 528, lvm_checksum(std::span(bytes).subspan(532, 492)), 4);
    put(bytes, 4'096, lvm_checksum(std::span(bytes).subspan(4'100, 508)), 4);
  }
};

/// Changes a number, a word, a line or a character of the metadata.
void damage_text(std::string& text, Random& random) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::array<std::string_view, 9> kNumbers = {
      "0", "1", "3", "60", "4294967295", "4294967296", "9223372036854775807", "18446744073709551615", "-1"};
  constexpr std::array<std::string_view, 12> kWords = {"pv0",   "pv1",    "image0",  "image1",
                                                       "meta0", "root",   "raid",    "mirror",
                                                       "raid6", "raid10", "striped", "linear"};
  const std::size_t start = pick(random, text.size());
  switch (pick(random, 6)) {
    case 0:
    case 1: {
      const std::size_t begin = text.find_first_of(kDigits, start);
      if (begin == std::string::npos) return;
      const std::size_t end = std::min(text.find_first_not_of(kDigits, begin), text.size());
      text.replace(begin, end - begin, kNumbers[pick(random, kNumbers.size())]);
      return;
    }
    case 2:
    case 3: {
      const std::size_t begin = text.find('"', start);
      const std::size_t end = begin == std::string::npos ? begin : text.find('"', begin + 1);
      if (end == std::string::npos) return;
      text.replace(begin + 1, end - begin - 1, kWords[pick(random, kWords.size())]);
      return;
    }
    case 4: {
      const std::size_t begin = text.find('\n', start);
      const std::size_t end = begin == std::string::npos ? begin : text.find('\n', begin + 1);
      if (end == std::string::npos) return;
      const std::string line = text.substr(begin, end - begin);
      if (pick(random, 2) == 0) {
        text.erase(begin, end - begin);
      } else {
        text.insert(pick(random, 2) == 0 ? begin : text.find('\n', pick(random, begin + 1)), line);
      }
      return;
    }
    default:
      text[start] = static_cast<char>(random());
  }
}

}  // namespace

TEST_CASE("changed MD superblocks never crash, hang, or lead outside of their members", "[md]") {
  struct Form {
    std::string_view version;
    std::int32_t level;
    std::uint32_t layout;
  };
  constexpr std::array<Form, 9> kForms = {{{"0.90", 1, 0},
                                           {"0.90", 5, 2},
                                           {"1.0", 1, 0},
                                           {"1.1", 0, 0},
                                           {"1.2", 10, 0x102},
                                           {"1.2", 10, 0x201},
                                           {"1.2", 5, 3},
                                           {"1.2", 6, 8},
                                           {"1.0", -1, 0}}};
  Random random(90);
  unsigned readable = 0;
  for (unsigned round = 0; round < 720; ++round) {
    const Form& form = kForms.at(round % kForms.size());
    std::vector<std::unique_ptr<MemorySource>> sources;
    std::vector<VolumeCandidate> candidates;
    // Round 0 to 8: whole ones.
    const bool same_everywhere = pick(random, 2) == 0;
    const auto seed = static_cast<std::uint32_t>(random());
    for (std::uint32_t number = 0; number < 4; ++number) {
      MdMember member(form.version, form.level, form.layout, number);
      if (round >= kForms.size() && (same_everywhere || pick(random, 2) == 0)) {
        Random own(seed);
        Random& source = same_everywhere ? own : random;
        for (std::size_t change = 0; change <= pick(source, 2); ++change) member.damage(source);
        if (pick(source, 8) != 0) member.seal();
      }
      sources.push_back(std::make_unique<MemorySource>(std::move(member.bytes), number));
      candidates.push_back({"hd" + std::to_string(number), sources.back().get()});
    }
    INFO("round " << round);
    Budget budget(100'000, 16 << 20);
    const auto assembled = assemble_md(candidates, budget);
    if (!assembled) {
      CHECK(assembled.error().code == ErrorCode::kLimit);
      continue;
    }
    const bool read = read_volumes(*assembled, kMemberSize, random);
    if (round < kForms.size()) REQUIRE(read);
    readable += read ? 1U : 0U;
  }
  CHECK(readable > 200);
}

TEST_CASE("changed LVM labels and metadata never crash, hang, or lead outside of the volumes", "[lvm]") {
  Random random(91);
  unsigned readable = 0;
  for (unsigned round = 0; round < 700; ++round) {
    std::string text = group_text();
    if (round > 0 && round % 4 != 0)
      for (std::size_t change = 0; change <= pick(random, 4); ++change) damage_text(text, random);
    std::vector<std::unique_ptr<MemorySource>> sources;
    std::vector<VolumeCandidate> candidates;
    for (std::size_t number = 0; number < kPhysical.size(); ++number) {
      PhysicalVolume volume(number, text);
      if (round > 0 && round % 4 == 0) {
        // Where the label and the area's header have their fields.
        const std::size_t place = pick(random, 2) == 0 ? 512 + pick(random, 144) : 4'096 + pick(random, 64);
        const std::byte values[] = {std::byte{0}, std::byte{0xFF}, std::byte{0x80},
                                    static_cast<std::byte>(random())};
        volume.bytes[place] = values[pick(random, 4)];
        if (pick(random, 8) != 0) volume.seal();
      }
      sources.push_back(
          std::make_unique<MemorySource>(std::move(volume.bytes), static_cast<std::uint32_t>(number)));
      candidates.push_back({"hd" + std::to_string(number), sources.back().get()});
    }
    INFO("round " << round << "\n" << text);
    Budget budget(200'000, 16 << 20);
    const auto assembled = assemble_lvm(candidates, budget);
    if (!assembled) {
      CHECK(assembled.error().code == ErrorCode::kLimit);
      continue;
    }
    const bool read = read_volumes(*assembled, kVolumeSize, random);
    if (round == 0) {
      REQUIRE(read);
      REQUIRE(assembled->notes.empty());
      for (const Volume& volume : assembled->volumes) CHECK_FALSE(volume.problem);
    }
    readable += read ? 1U : 0U;
  }
  CHECK(readable > 300);
}
