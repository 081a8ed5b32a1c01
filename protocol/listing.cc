// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/listing.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "base/escape.h"

namespace pvhgrub::protocol {
namespace {

using Json = nlohmann::ordered_json;

std::string index_text(const std::vector<std::uint32_t>& path) {
  std::string text;
  for (const std::uint32_t index : path) {
    if (!text.empty()) text += '>';
    text += std::to_string(index);
  }
  return text;
}

class TextListing final : public ListingWriter {
 public:
  std::string menu(const MenuMessage& menu) override {
    default_path_ = menu.default_path;
    return {};
  }

  std::string entry(const EntryMessage& entry) override {
    titles_.resize(entry.path.size() - 1);
    titles_.push_back(escape_for_terminal(entry.title));
    if (entry.is_submenu && entry.error.empty()) return {};
    std::string title;
    for (const std::string& part : titles_) title += (title.empty() ? "" : ">") + part;
    std::string text = "title: " + title + "\n";
    const auto [device, path] = split_device(entry.kernel);
    text += "  root: " + escape_for_terminal(device) + "\n";
    text += "  kernel: " + escape_for_terminal(path) + "\n";
    text += "  args: " + escape_for_terminal(entry.command_line) + "\n";
    text += "  initrd: ";
    for (std::size_t i = 0; i < entry.initrds.size(); ++i)
      text += (i == 0 ? "" : " ") + escape_for_terminal(split_device(entry.initrds[i]).second);
    text += "\n";
    text += "  index: " + index_text(entry.path) + (entry.path == default_path_ ? " (default)\n" : "\n");
    if (!entry.hypervisor.empty()) text += "  hypervisor: " + escape_for_terminal(entry.hypervisor) + "\n";
    if (!entry.error.empty()) text += "  error: " + escape_for_terminal(entry.error) + "\n";
    return text;
  }

  std::string end() override { return {}; }

 private:
  static std::pair<std::string_view, std::string_view> split_device(std::string_view file) {
    const std::size_t close = file.find(')');
    if (!file.starts_with('(') || close == std::string_view::npos) return {"", file};
    return {file.substr(0, close + 1), file.substr(close + 1)};
  }

  std::vector<std::uint32_t> default_path_;
  std::vector<std::string> titles_;
};

Json texts(const std::vector<std::string>& values) {
  Json list = Json::array();
  for (const std::string& value : values) list.push_back(to_valid_utf8(value));
  return list;
}

Json text_or_null(const std::string& value) {
  return value.empty() ? Json(nullptr) : Json(to_valid_utf8(value));
}

class JsonListing final : public ListingWriter {
 public:
  std::string menu(const MenuMessage& menu) override {
    static constexpr std::array<const char*, 3> kStyles{"menu", "countdown", "hidden"};
    Json head;
    head["source"]["kind"] = to_valid_utf8(menu.source_kind);
    head["source"]["device"] = text_or_null(menu.source_device);
    head["source"]["path"] = to_valid_utf8(menu.source_path);
    head["default"] = menu.default_path.empty() ? Json(nullptr) : Json(index_text(menu.default_path));
    head["timeout"] = menu.timeout ? Json(*menu.timeout) : Json(nullptr);
    head["timeout_style"] = kStyles[menu.timeout_style];
    std::string text = head.dump();
    text.pop_back();  // the closing brace comes after the entries, which are printed as they arrive
    return text + R"(,"entries":[)";
  }

  // Every entry is left open, since its children come next; the next entry of the same menu or one above
  // closes it.
  std::string entry(const EntryMessage& entry) override {
    const bool has_elder = depth_ >= entry.path.size();
    std::string text = close_down_to(entry.path.size());
    std::string object = describe(entry).dump();
    object.pop_back();
    ++depth_;
    return text + (has_elder ? ",\n" : "\n") + object + R"(,"entries":[)";
  }

  std::string end() override { return close_down_to(1) + "\n]}\n"; }

 private:
  std::string close_down_to(std::size_t depth) {
    std::string text;
    for (; depth_ >= depth; --depth_) text += "]}";
    return text;
  }

  static Json describe(const EntryMessage& entry) {
    Json object;
    object["index"] = index_text(entry.path);
    object["id"] = to_valid_utf8(entry.id);
    object["title"] = to_valid_utf8(entry.title);
    object["class"] = texts(entry.classes);
    object["users"] = texts(entry.users);
    object["restricted"] = entry.restricted;
    object["hotkey"] = text_or_null(entry.hotkey);
    object["hidden"] = entry.hidden;
    object["loader"] = text_or_null(entry.loader);
    object["kernel"] = text_or_null(entry.kernel);
    object["initrds"] = texts(entry.initrds);
    object["cmdline"] = entry.kernel.empty() ? Json(nullptr) : Json(to_valid_utf8(entry.command_line));
    object["hypervisor"] = text_or_null(entry.hypervisor);
    object["hypervisor_cmdline"] =
        entry.hypervisor.empty() ? Json(nullptr) : Json(to_valid_utf8(entry.hypervisor_command_line));
    object["is_submenu"] = entry.is_submenu;
    object["error"] = text_or_null(entry.error);
    return object;
  }

  std::size_t depth_ = 0;  // entries that are open
};

}  // namespace

std::unique_ptr<ListingWriter> make_text_listing() {
  return std::make_unique<TextListing>();
}
std::unique_ptr<ListingWriter> make_json_listing() {
  return std::make_unique<JsonListing>();
}

}  // namespace pvhgrub::protocol
