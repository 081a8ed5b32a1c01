// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <deque>
#include <utility>

#include "base/limits.h"
#include "grubcfg/file_access.h"
#include "grubcfg/syslinux.h"
#include "grubcfg/syslinux_menu_tree.h"

namespace pvhgrub::grubcfg {

namespace {

std::string directory_of(const std::string& path) {
  return join_path("/", path.substr(0, path.rfind('/') + 1));
}

/// INCLUDE's files.
class ConfigurationFiles final : public SyslinuxFiles {
 public:
  ConfigurationFiles(const MenuContext& context, const SyslinuxSource& source)
      : context_(context), source_(source) {}
  [[nodiscard]] std::string locate(std::string_view written) override {
    return syslinux_file(source_, written).to_string();
  }
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& name, std::string& why) override {
    const FileReference file{source_.device, source_.device.empty() ? name : name.substr(name.find(')') + 1)};
    context_.diagnostics.explain("reading " + name);
    return context_.files().read(file, limits::kConfigurationBytes, &why);
  }

 private:
  const MenuContext& context_;
  const SyslinuxSource& source_;
};

class Loader {
 public:
  explicit Loader(const MenuContext& context) : context_(context) {}

  Result<std::unique_ptr<Menu>> load(SyslinuxSource source, std::optional<std::string> bare_text);

 private:
  /// Reads a configuration into `node`; with a menu program as its DEFAULT, the one that that shows.
  Result<void> read(SyslinuxSource source, SyslinuxNode& node);
  Result<SyslinuxConfiguration> parse(const SyslinuxSource& source);
  Result<void> follow(SyslinuxLink link);
  Result<void> read_saved(const SyslinuxSource& source);
  std::unique_ptr<PlainMenu> assemble(SyslinuxNode& node);

  const MenuContext& context_;
  std::optional<std::string> bare_text_;
  SyslinuxSaved saved_;
  std::deque<SyslinuxLink> links_;
  std::size_t configurations_ = 0;
};

Result<SyslinuxConfiguration> Loader::parse(const SyslinuxSource& source) {
  std::vector<SyslinuxText> texts;
  std::string first_failure;
  for (const std::string& path : source.paths) {
    const FileReference file{source.device, path};
    std::string why;
    std::optional<std::string> text;
    if (bare_text_) {
      if (path == source.prompt_path) text = *bare_text_;
      why = "there is no disk to read it from";
    } else {
      context_.diagnostics.explain("reading " + file.to_string());
      PVHGRUB_TRY_ASSIGN(text, context_.files().read(file, limits::kConfigurationBytes, &why));
    }
    if (text) {
      texts.push_back({std::move(*text), file.to_string()});
      continue;
    }
    if (first_failure.empty()) first_failure = file.to_string() + ": " + why;
    if (source.paths.size() > 1) context_.diagnostics.notice(file.to_string(), "cannot be read: " + why);
  }
  if (texts.empty())
    return fail(ErrorCode::kNotFound, "the boot configuration cannot be read", first_failure);
  ConfigurationFiles files(context_, source);
  return parse_syslinux(texts, files, context_.budget, context_.diagnostics);
}

Result<void> Loader::read(SyslinuxSource source, SyslinuxNode& node) {
  while (true) {
    node.configurations.push_back(source);
    PVHGRUB_TRY_ASSIGN(const SyslinuxConfiguration configuration, parse(source));
    SyslinuxCommands commands(context_, source, configuration);
    const bool has_ui = configuration.user_interface.has_value();
    const std::optional<std::string>& command =
        has_ui ? configuration.user_interface : configuration.default_command;
    if (!source.by_menu && !configuration.has_device_trees && command) {
      PVHGRUB_TRY_ASSIGN(std::optional<SyslinuxSource> menu, commands.menu_of(*command, has_ui));
      if (menu) {
        source = std::move(*menu);
        continue;
      }
    }
    node.source.path = source.paths.front();
    SyslinuxMenuTree tree(context_, configuration, commands, saved_, node);
    PVHGRUB_TRY_ASSIGN(std::vector<SyslinuxLink> links, tree.fill(source.by_menu));
    if (node.entries.empty())
      return fail(ErrorCode::kNoEntry, "the boot configuration has no LABEL and nothing else to boot",
                  FileReference{source.device, source.paths.front()}.to_string());
    std::ranges::move(links, std::back_inserter(links_));
    return {};
  }
}

/// Whether the node stands in a menu of that configuration.
bool is_inside(const SyslinuxNode* node, const SyslinuxSource& source) {
  for (; node != nullptr; node = node->parent)
    if (std::ranges::find(node->configurations, source) != node->configurations.end()) return true;
  return false;
}

// Menus often lead back to the one they came from, which ends here. Files that all lead to each other are
// shown again below one another, until there are enough of them.
Result<void> Loader::follow(SyslinuxLink link) {
  BootEntry& boot = link.node->entries[link.index].boot;
  boot.loader_command = link.source.by_menu ? "menu.c32" : "config";
  const std::string name = FileReference{link.source.device, link.source.paths.front()}.to_string();
  if (is_inside(link.node, link.source)) {
    boot.error = "the entry leads back to the menu of " + name;
    return {};
  }
  if (link.node->depth >= limits::kSubmenuDepth || ++configurations_ > limits::kChainedConfigurations) {
    boot.error = "the entry leads to the menu of " + name + ", one more of too many menus";
    return {};
  }
  SyslinuxNode& child = link.node->add_child(link.index);
  Result<void> done = read(link.source, child);
  if (done) {
    link.node->entries[link.index].shown.is_submenu = true;
    return {};
  }
  if (is_fatal(done.error())) return done;
  link.node->children.pop_back();
  boot.error = done.error().describe();
  return {};
}

Result<void> Loader::read_saved(const SyslinuxSource& source) {
  if (context_.devices == nullptr) return {};
  PVHGRUB_TRY_ASSIGN(saved_, read_syslinux_saved(context_.files(), source.device, source.directory));
  if (saved_.once)
    context_.diagnostics.notice("(" + source.device + ")",
                                "extlinux --once asks for `" + *saved_.once +
                                    "', which is not followed: nobody would take the request back");
  return {};
}

// Recursion: bounded by the depth of the nodes.
std::unique_ptr<PlainMenu> Loader::assemble(SyslinuxNode& node) {
  for (auto& [index, child] : node.children) node.entries[index].submenu = assemble(*child);
  return std::make_unique<PlainMenu>(context_, node.source, std::move(node.entries),
                                     std::move(node.settings));
}

Result<std::unique_ptr<Menu>> Loader::load(SyslinuxSource source, std::optional<std::string> bare_text) {
  bare_text_ = std::move(bare_text);
  if (context_.devices != nullptr) {
    Result<fs::FileSystem*> mounted = context_.devices->file_system(source.device);
    if (mounted) {
      const std::string_view type = (*mounted)->type_name();
      source.on_fat = type == "fat" || type == "exfat" || type == "ntfs";
      source.is_isolinux = type == "iso9660";
    } else if (is_fatal(mounted.error())) {
      return std::unexpected(at(source.device, std::move(mounted).error()));
    }
  }
  PVHGRUB_TRY(read_saved(source));
  SyslinuxNode top;
  top.source = {"extlinux", source.device, source.prompt_path};
  PVHGRUB_TRY(read(std::move(source), top));
  while (!links_.empty()) {
    SyslinuxLink link = std::move(links_.front());
    links_.pop_front();
    PVHGRUB_TRY(follow(std::move(link)));
  }
  return assemble(top);
}

}  // namespace

Result<std::unique_ptr<Menu>> load_syslinux_menu(const MenuContext& context,
                                                 const ConfigurationSource& source) {
  SyslinuxSource first;
  first.device = source.device;
  first.prompt_path = join_path("/", source.path);
  first.paths = {first.prompt_path};
  first.directory = directory_of(first.prompt_path);
  return Loader(context).load(std::move(first), std::nullopt);
}

Result<std::unique_ptr<Menu>> load_bare_syslinux_menu(const MenuContext& context,
                                                      const ConfigurationSource& source, std::string text) {
  if (text.size() > limits::kScriptBytes)
    return fail(ErrorCode::kLimit, "a configuration of " + std::to_string(text.size()) + " bytes",
                source.path);
  SyslinuxSource first;
  first.prompt_path = source.path;
  first.paths = {source.path};
  first.directory = "/";
  return Loader(context).load(std::move(first), std::move(text));
}

}  // namespace pvhgrub::grubcfg
