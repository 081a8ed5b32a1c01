// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/listing.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pvhgrub::protocol;

namespace {

EntryMessage entry(std::vector<std::uint32_t> path, std::string title, bool is_submenu) {
  EntryMessage message;
  message.path = std::move(path);
  message.id = title + "-id";
  message.title = std::move(title);
  message.is_submenu = is_submenu;
  if (!is_submenu) {
    message.kernel = "(hd0,gpt2)/boot/vmlinuz";
    message.initrds = {"(hd0,gpt2)/boot/initrd"};
    message.command_line = "BOOT_IMAGE=/boot/vmlinuz ro";
  }
  return message;
}

std::string whole(ListingWriter& writer) {
  std::string text = writer.menu({"grub2", "hd0,gpt2", "/boot/grub/grub.cfg", {1, 0}, 5, 1});
  text += writer.entry(entry({0}, "first", false));
  text += writer.entry(entry({1}, "more", true));
  text += writer.entry(entry({1, 0}, "deep \x1b[2J", false));
  text += writer.entry(entry({1, 1}, "deeper", true));
  text += writer.entry(entry({1, 1, 0}, "deepest", false));
  text += writer.entry(entry({2}, "last \xff", false));
  return text + writer.end();
}

}  // namespace

TEST_CASE("the JSON listing is one object whose entries nest as the menus do") {
  const auto writer = make_json_listing();
  const auto listing = nlohmann::json::parse(whole(*writer));
  CHECK(listing["source"] ==
        nlohmann::json{{"kind", "grub2"}, {"device", "hd0,gpt2"}, {"path", "/boot/grub/grub.cfg"}});
  CHECK(listing["default"] == "1>0");
  CHECK(listing["timeout"] == 5);
  CHECK(listing["timeout_style"] == "countdown");
  REQUIRE(listing["entries"].size() == 3);
  const auto& first = listing["entries"][0];
  CHECK(first["index"] == "0");
  CHECK(first["id"] == "first-id");
  CHECK(first["kernel"] == "(hd0,gpt2)/boot/vmlinuz");
  CHECK(first["initrds"] == nlohmann::json{"(hd0,gpt2)/boot/initrd"});
  CHECK(first["cmdline"] == "BOOT_IMAGE=/boot/vmlinuz ro");
  CHECK(first["hypervisor"].is_null());
  CHECK(first["error"].is_null());
  CHECK(first["entries"].empty());
  const auto& more = listing["entries"][1];
  CHECK(more["is_submenu"] == true);
  CHECK(more["kernel"].is_null());
  REQUIRE(more["entries"].size() == 2);
  CHECK(more["entries"][0]["index"] == "1>0");
  CHECK(more["entries"][1]["entries"][0]["title"] == "deepest");
  CHECK(listing["entries"][2]["index"] == "2");
}

TEST_CASE("an empty menu is an empty list in JSON") {
  const auto writer = make_json_listing();
  const std::string text = writer->menu({"grub2", "", "x", {}, std::nullopt, 0}) + writer->end();
  const auto listing = nlohmann::json::parse(text);
  CHECK(listing["entries"].empty());
  CHECK(listing["default"].is_null());
  CHECK(listing["timeout"].is_null());
  CHECK(listing["source"]["device"].is_null());
}

TEST_CASE("the text listing has pygrub's lines, the whole title, and guest text escaped") {
  const auto writer = make_text_listing();
  const std::string text = whole(*writer);
  CHECK(
      text.starts_with("title: first\n  root: (hd0,gpt2)\n  kernel: /boot/vmlinuz\n"
                       "  args: BOOT_IMAGE=/boot/vmlinuz ro\n  initrd: /boot/initrd\n  index: 0\n"));
  CHECK(text.find("title: more>deep \\x1b[2J\n") != std::string::npos);
  CHECK(text.find("  index: 1>0 (default)\n") != std::string::npos);
  CHECK(text.find("title: more>deeper>deepest\n") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}
