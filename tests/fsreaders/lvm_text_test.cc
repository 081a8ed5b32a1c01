// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/lvm_text.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/volume_limits.h"
#include "fsreaders/lvm_metadata.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;

namespace {

Error error_of(const std::string& text) {
  Budget budget = Budget::standard();
  const auto parsed = LvmText::parse(text, budget);
  REQUIRE_FALSE(parsed);
  return parsed.error();
}

constexpr std::string_view kGroup = R"(contents = "Text Format Volume Group"
version = 1
description = "Created *after* executing 'lvcreate -n \"root\" vg'"
vg {
	id = "lCyyIH-3Vg4-SCIo-vuRc-Didc-JHP6-lJxYUt"
	seqno = 7
	status = ["RESIZEABLE", "READ", "WRITE"]
	extent_size = 8192		# 4 Megabytes
	physical_volumes {
		pv0 {
			id = "fLq8aP-TqEh-JtXA-eMPU-Ca9a-FvWP-nClv1Q"
			status = ["ALLOCATABLE"]
			flags = ["MISSING"]
			pe_start = 2048
			pe_count = 15
		}
	}
	logical_volumes {
		root {
			id = "x0n8iN-sDfu-HxZA-Sbzv-hs67-y5aS-isM2Q1"
			status = ["READ", "WRITE", "VISIBLE"]
			segment_count = 2
			segment2 { start_extent = 4 extent_count = 2 type = "mirror"
				mirrors = ["pv0", 8, "pv0", 12] }
			segment1 { start_extent = 0 extent_count = 4 type = "striped"
				stripe_count = 1 stripes = [ "pv0", 0 ] }
		}
		hidden {
			id = "y0n8iN-sDfu-HxZA-Sbzv-hs67-y5aS-isM2Q1"
			status = []
			segment1 { start_extent = 0 extent_count = 1 type = "snapshot" origin = "root" cow_store = "old" }
		}
		bad { id = "z0n8iN-sDfu-HxZA-Sbzv-hs67-y5aS-isM2Q1" segment1 { type = "striped" } }
	}
}
)";

}  // namespace

TEST_CASE("sections, lists, strings with escapes, numbers and comments are read") {
  Budget budget = Budget::standard();
  const auto text = LvmText::parse(
      "a = 1 # one\nb = \"x \\\"y\\\\ # z\"\nc = []\nd = [\"e\", 2,'f\\']\n"
      "s/1 { t { u = -3 v = 1.5 } }\n\"quoted\" = word\n",
      budget);
  REQUIRE(text);
  const LvmSection root = text->root();
  CHECK(root.number("a") == 1);
  CHECK(root.text("b") == "x \"y\\ # z");
  CHECK(root.values("c").empty());
  REQUIRE(root.values("d").size() == 3);
  CHECK(root.values("d")[1].number == 2);
  CHECK(root.values("d")[2].text == "f\\");
  CHECK(root.text("quoted") == "word");
  REQUIRE(root.section("s/1"));
  const auto t = root.section("s/1")->section("t");
  REQUIRE(t);
  CHECK(t->text("u") == "-3");
  CHECK_FALSE(t->number("u"));
  CHECK_FALSE(t->number("v"));
  CHECK_FALSE(root.text("d"));
  CHECK_FALSE(root.text("nothing"));
  CHECK(root.sections().size() == 1);
}

TEST_CASE("a NUL ends the text") {
  Budget budget = Budget::standard();
  const auto text = LvmText::parse(std::string("a = 1\n\0}}}", 10), budget);
  REQUIRE(text);
  CHECK(text->root().number("a") == 1);
}

TEST_CASE("what breaks the syntax is told with its line") {
  CHECK(error_of("a = 1\nb").where == "line 2");
  CHECK(error_of("a {\n").code == ErrorCode::kDamaged);
  CHECK(error_of("}").message.find("without its {") != std::string::npos);
  CHECK(error_of("a = \"b").message.find("not closed") != std::string::npos);
  CHECK(error_of("a = \"b\\").message.find("not closed") != std::string::npos);
  CHECK(error_of("a = [1").code == ErrorCode::kDamaged);
  CHECK(error_of("a = [1 2]").code == ErrorCode::kDamaged);
  CHECK(error_of("a = ").code == ErrorCode::kDamaged);
  CHECK(error_of("= 1").code == ErrorCode::kDamaged);
}

TEST_CASE("depth and counts of a metadata text are limited") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "a{";
  CHECK(error_of(deep).code == ErrorCode::kLimit);
  std::string many = "a=[";
  for (std::size_t i = 0; i < limits::kVolumeMetadataItems; ++i) many += "1,";
  CHECK(error_of(many + "]").code == ErrorCode::kLimit);
  Budget budget(100, 1000);
  const auto poor = LvmText::parse(many, budget);
  REQUIRE_FALSE(poor);
  CHECK(poor.error().code == ErrorCode::kLimit);
}

TEST_CASE("a volume group's metadata tells its volumes") {
  Budget budget = Budget::standard();
  const auto text = LvmText::parse(std::string(kGroup), budget);
  REQUIRE(text);
  CHECK(text->root().text("description") == "Created *after* executing 'lvcreate -n \"root\" vg'");
  const auto group = read_lvm_group(*text, budget);
  REQUIRE(group);
  CHECK(group->name == "vg");
  CHECK(group->sequence == 7);
  CHECK(group->extent_size == 4 * limits::kMiB);
  REQUIRE(group->physical.size() == 1);
  CHECK(group->physical[0].uuid == "fLq8aPTqEhJtXAeMPUCa9aFvWPnClv1Q");
  CHECK(group->physical[0].missing);
  CHECK(group->physical[0].start == limits::kMiB);
  REQUIRE(group->logical.size() == 3);
  const LvmLogicalVolume& root = group->logical[0];
  CHECK(root.visible);
  REQUIRE(root.segments.size() == 2);
  CHECK(root.segments[0].type == "striped");
  REQUIRE(root.segments[1].areas.size() == 2);
  CHECK(root.segments[1].areas[1].extent == 12);
  CHECK_FALSE(group->logical[1].visible);
  REQUIRE(group->snapshots.size() == 1);
  CHECK(group->snapshots[0].store == "old");
  CHECK(group->logical[2].problem);
}

TEST_CASE("metadata that is none of a volume group is damaged") {
  for (const std::string_view change :
       {"vg {", "extent_size = 8192", "seqno = 7", "pe_count = 15", "id = \"lCyy"}) {
    INFO(change);
    std::string text(kGroup);
    text.replace(text.find(change), change.size(), change.ends_with("{") ? "v/g {" : "other = \"lCyy");
    if (!change.starts_with("id")) {
      text = std::string(kGroup);
      text.replace(text.find(change), change.size(), change.ends_with("{") ? "v/g {" : "other = 0");
    }
    Budget budget = Budget::standard();
    const auto parsed = LvmText::parse(text, budget);
    REQUIRE(parsed);
    const auto group = read_lvm_group(*parsed, budget);
    REQUIRE_FALSE(group);
    CHECK(group.error().code == ErrorCode::kDamaged);
  }
}
