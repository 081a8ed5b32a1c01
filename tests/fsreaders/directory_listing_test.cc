// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/directory_listing.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

using namespace pvhgrub;
using namespace pvhgrub::fs;

namespace {

std::string upper(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace

TEST_CASE("a listing finds names by their bytes, the first of two") {
  DirectoryListing listing;
  REQUIRE(listing.add("vmlinuz", 3, FileType::kRegular));
  REQUIRE(listing.add("grub", 1, FileType::kDirectory));
  REQUIRE(listing.add("vmlinuz", 9, std::nullopt));
  listing.finish();
  REQUIRE(listing.find("vmlinuz") != nullptr);
  CHECK(listing.find("vmlinuz")->handle == 3);
  CHECK(listing.find("grub")->type == FileType::kDirectory);
  CHECK(listing.find("GRUB") == nullptr);
  CHECK(listing.name(listing.entries()[0]) == "vmlinuz");
}

TEST_CASE("a listing that folds names finds them in any form and tells them as they are") {
  DirectoryListing listing(upper);
  REQUIRE(listing.add("Grub.Cfg", 7, FileType::kRegular));
  listing.finish();
  REQUIRE(listing.find("grub.cfg") != nullptr);
  CHECK(listing.name(*listing.find("GRUB.CFG")) == "Grub.Cfg");
}

TEST_CASE("a listing leaves out what no path can name") {
  DirectoryListing listing;
  using namespace std::string_view_literals;
  for (const std::string_view name : {""sv, "."sv, ".."sv, "a/b"sv, "a\0b"sv})
    REQUIRE(listing.add(name, 1, std::nullopt));
  listing.finish();
  CHECK(listing.entries().empty());
}

TEST_CASE("a listing ends at its limit of bytes") {
  DirectoryListing listing;
  const std::string name(1 << 20, 'x');
  Result<void> added;
  for (std::size_t i = 0; added && i <= limits::kDirectoryNameBytes / name.size(); ++i)
    added = listing.add(name, i, std::nullopt);
  REQUIRE_FALSE(added);
  CHECK(added.error().code == ErrorCode::kLimit);
}
