// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/syslinux_menu_tree.h"

#include <algorithm>
#include <set>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

/// Without the signs that mark hotkeys, and without the blanks at its end.
std::string title_of(std::string_view text) {
  std::string title;
  for (const char c : text)
    if (c != '^') title += c;
  while (!title.empty() && is_syslinux_space(title.back())) title.pop_back();
  return title;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_syslinux_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

/// The letter behind the first '^', in lower case; 0 for none.
char hotkey_of(std::string_view text) {
  const std::size_t sign = text.find('^');
  if (sign == std::string_view::npos || sign + 1 >= text.size()) return '\0';
  const char c = text[sign + 1];
  if (c <= ' ' || c > '~') return '\0';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// "$6$...": one that only whoever knows the hash function can check.
bool is_hashed(std::string_view password) {
  return password.size() >= 3 && password[0] == '$' && password[2] == '$';
}

std::string submenu_title(const SyslinuxItem& item) {
  if (item.entry.menu_label) return title_of(*item.entry.menu_label);
  return title_of(item.submenu->title.empty() ? item.submenu->tag : item.submenu->title);
}

}  // namespace

SyslinuxNode& SyslinuxNode::add_child(std::size_t index) {
  auto child = std::make_unique<SyslinuxNode>();
  child->source = source;
  child->parent = this;
  child->index_in_parent = index;
  child->depth = depth + 1;
  SyslinuxNode& added = *child;
  children.emplace_back(index, std::move(child));
  return added;
}

void SyslinuxMenuTree::notice(std::string message) {
  context_.diagnostics.notice(FileReference{top_.source.device, top_.source.path}.to_string(),
                              std::move(message));
}

Result<std::vector<SyslinuxLink>> SyslinuxMenuTree::fill(bool by_menu) {
  PVHGRUB_TRY(add_menu(*configuration_.top, top_));
  if (configuration_.has_device_trees) {
    decide_by_u_boot();
  } else if (by_menu) {
    PVHGRUB_TRY(decide_by_menu());
  } else {
    PVHGRUB_TRY(decide_by_prompt());
  }
  // Only so many files are followed: the default's is the first. Where the time ran out in the first menu,
  // nobody is asked in those on the way to the default either.
  SyslinuxNode* node = &top_;
  while (!node->entries.empty()) {
    const std::size_t wanted = node->settings.default_index;
    const auto link = std::ranges::find_if(
        links_, [&](const SyslinuxLink& other) { return other.node == node && other.index == wanted; });
    if (link != links_.end()) std::rotate(links_.begin(), link, link + 1);
    const auto child = std::ranges::find(node->children, wanted, [](const auto& pair) { return pair.first; });
    if (child == node->children.end()) break;
    node = child->second.get();
    if (top_.settings.timeout) node->settings.timeout = 0;
  }
  return std::move(links_);
}

// --- The menus and their entries ---

Result<void> SyslinuxMenuTree::put(SyslinuxNode& node, PlainEntry entry, std::optional<SyslinuxSource> link) {
  PVHGRUB_TRY(context_.budget.charge_steps(1, "making menu entries"));
  PVHGRUB_TRY(context_.budget.charge_bytes(sizeof(PlainEntry), "making menu entries"));
  if (link) links_.push_back({&node, node.entries.size(), std::move(*link)});
  node.entries.push_back(std::move(entry));
  return {};
}

// Recursion: the parser bounds the depth of submenus.
Result<void> SyslinuxMenuTree::add_menu(const SyslinuxMenu& menu, SyslinuxNode& node) {
  nodes_.emplace(&menu, &node);
  std::vector<std::optional<std::size_t>> indexes;
  indexes.reserve(menu.items.size());
  for (const SyslinuxItem& item : menu.items) {
    // Headings and empty lines are no entries.
    indexes.push_back(item.entry.disabled ? std::nullopt : std::optional(node.entries.size()));
    if (item.entry.disabled) continue;
    if (item.submenu) {
      PVHGRUB_TRY(add_submenu(item, node));
    } else {
      PVHGRUB_TRY(add_entry(menu, item.entry, node));
    }
  }
  set_access(menu, node);
  set_menu_default(menu, node, indexes);
  // Of entries with the same hotkey the first has it.
  std::set<char> taken;
  for (PlainEntry& entry : node.entries)
    if (!entry.shown.hotkey.empty() && !taken.insert(entry.shown.hotkey.front()).second)
      entry.shown.hotkey.clear();
  return {};
}

Result<void> SyslinuxMenuTree::add_entry(const SyslinuxMenu& menu, const SyslinuxEntry& entry,
                                         SyslinuxNode& node) {
  PlainEntry plain;
  plain.shown.id = trimmed(entry.label);
  plain.shown.title = entry.menu_label ? title_of(*entry.menu_label) : plain.shown.id;
  plain.shown.hidden = entry.hidden;
  if (entry.menu_label && !entry.hidden)
    if (const char key = hotkey_of(*entry.menu_label); key != '\0') plain.shown.hotkey = std::string(1, key);
  plain.source = entry.source;
  if (entry.password) restrict_entry(plain, node, entry, plain.shown.id);
  PVHGRUB_TRY_ASSIGN(SyslinuxOutcome outcome, commands_.choose(entry));
  plain.boot = std::move(outcome.boot);
  places_.emplace(&entry, Place{&node, node.entries.size(), &menu});
  return put(node, std::move(plain), std::move(outcome.menu));
}

Result<void> SyslinuxMenuTree::add_submenu(const SyslinuxItem& item, SyslinuxNode& node) {
  const std::size_t index = node.entries.size();
  PlainEntry plain;
  plain.shown.title = submenu_title(item);
  plain.shown.id = item.submenu->tag.empty() ? plain.shown.title : item.submenu->tag;
  if (item.entry.menu_label)
    if (const char key = hotkey_of(*item.entry.menu_label); key != '\0')
      plain.shown.hotkey = std::string(1, key);
  plain.source = item.entry.source;
  if (item.entry.password) restrict_entry(plain, node, item.entry, plain.shown.id);
  SyslinuxNode& child = node.add_child(index);
  PVHGRUB_TRY(add_menu(*item.submenu, child));
  plain.shown.is_submenu = !child.entries.empty();
  if (child.entries.empty()) {
    plain.boot.error = "the submenu has no entries";
    node.children.pop_back();
    nodes_.erase(item.submenu.get());
  }
  return put(node, std::move(plain), std::nullopt);
}

void SyslinuxMenuTree::set_menu_default(const SyslinuxMenu& menu, SyslinuxNode& node,
                                        const std::vector<std::optional<std::size_t>>& indexes) {
  const auto shown = std::ranges::find_if(node.entries, [](const PlainEntry& e) { return !e.shown.hidden; });
  if (shown != node.entries.end())
    node.settings.default_index = static_cast<std::size_t>(shown - node.entries.begin());
  if (menu.default_item && indexes[*menu.default_item]) {
    node.settings.default_index = *indexes[*menu.default_item];
  } else if (&node == &top_) {
    const auto first =
        std::ranges::find_if(menu.items, [](const SyslinuxItem& item) { return !item.entry.hidden; });
    first_is_disabled_ = first != menu.items.end() && first->entry.disabled;
  }
}

// A password without a name: its user is called as the entry. GRUB's model knows passwords in clear text, and
// hashes of its own; who knows the password of another hash cannot be told from who does not.
void SyslinuxMenuTree::restrict_entry(PlainEntry& entry, SyslinuxNode& node, const SyslinuxEntry& shown,
                                      const std::string& user) {
  entry.shown.restricted = true;
  entry.shown.users = {user};
  const std::string& secret = *shown.password;
  if (is_hashed(secret)) {
    context_.diagnostics.notice(shown.where,
                                "MENU PASSWD: this kind of password cannot be checked; name the "
                                "entry from the host to boot it");
  } else if (!secret.empty()) {
    node.settings.passwords.push_back({user, secret, MenuPassword::Kind::kPlain});
    context_.diagnostics.explain(shown.where + ": asks user `" + user + "' for the password of MENU PASSWD");
  }
}

void SyslinuxMenuTree::set_access(const SyslinuxMenu& menu, SyslinuxNode& node) {
  const bool restricted =
      std::ranges::any_of(node.entries, [](const PlainEntry& entry) { return entry.shown.restricted; });
  if (!menu.master_password && !restricted && menu.allow_options) return;
  // Whoever has no superuser to log in as edits nothing: what ALLOWOPTIONS 0 means, and MENU PASSWD needs.
  node.settings.superusers = "";
  if (!menu.master_password || menu.master_password->empty()) return;
  std::string user = "master";
  while (std::ranges::any_of(node.entries, [&](const PlainEntry& entry) { return entry.shown.id == user; }))
    user += "-password";
  if (is_hashed(*menu.master_password)) {
    notice(
        "MENU MASTER PASSWD: this kind of password cannot be checked, so nothing can be edited in the menu");
    return;
  }
  node.settings.superusers = user;
  node.settings.passwords.push_back({user, *menu.master_password, MenuPassword::Kind::kPlain});
  context_.diagnostics.explain("MENU MASTER PASSWD is the password of user `" + user + "'");
}

// --- What is booted by itself, and when ---

void SyslinuxMenuTree::set_timeout(std::optional<std::uint64_t> tenths) {
  // Tenths of a second, rounded up: one tenth is not "at once".
  if (tenths) top_.settings.timeout = static_cast<std::uint32_t>((*tenths + 9) / 10);
}

void SyslinuxMenuTree::set_default(const Place& place) {
  place.node->settings.default_index = place.index;
  for (const SyslinuxNode* node = place.node; node != &top_; node = node->parent)
    node->parent->settings.default_index = node->index_in_parent;
}

std::optional<SyslinuxMenuTree::Place> SyslinuxMenuTree::place_of_label(const std::string& command) const {
  const SyslinuxEntry* const entry = commands_.find_label(command);
  const auto found = entry != nullptr ? places_.find(entry) : places_.end();
  return found != places_.end() ? std::optional(found->second) : std::nullopt;
}

Result<std::optional<SyslinuxMenuTree::Place>> SyslinuxMenuTree::place_of(const std::string& command,
                                                                          bool hidden) {
  std::string_view arguments = command;
  (void)take_syslinux_word(arguments);
  if (arguments.empty()) {
    const std::optional<Place> place = place_of_label(command);
    if (place) return place;
  }
  PVHGRUB_TRY_ASSIGN(std::optional<SyslinuxOutcome> outcome, commands_.type(command));
  if (!outcome) return std::nullopt;
  PlainEntry plain;
  plain.shown.title = plain.shown.id = trimmed(command);
  plain.shown.hidden = hidden;
  plain.source = command;
  plain.boot = std::move(outcome->boot);
  const Place place{&top_, top_.entries.size(), configuration_.top.get()};
  PVHGRUB_TRY(put(top_, std::move(plain), std::move(outcome->menu)));
  return place;
}

Result<void> SyslinuxMenuTree::set_fallback(const std::string& command) {
  PVHGRUB_TRY_ASSIGN(const std::optional<Place> place, place_of(command, true));
  if (place && place->node == &top_) {
    top_.settings.fallback = {place->index};
  } else {
    notice("ONERROR is skipped: `" + command + "' is nothing that can be booted from the first menu");
  }
  return {};
}

// Without a menu program: what DEFAULT says is booted at once, unless PROMPT asks before.
Result<void> SyslinuxMenuTree::decide_by_prompt() {
  const SyslinuxConfiguration& configuration = configuration_;
  const std::optional<std::string>& command =
      configuration.user_interface ? configuration.user_interface : configuration.default_command;
  const bool at_once = command && (configuration.user_interface || configuration.no_escape ||
                                   !configuration.prompt.value_or(false));
  const std::uint64_t wait = configuration.timeout != 0 ? configuration.timeout : configuration.total_timeout;
  const std::optional<std::string>& chosen =
      !at_once && wait != 0 && configuration.on_timeout ? configuration.on_timeout : command;
  if (!chosen) {
    notice("there is neither DEFAULT nor UI, so syslinux would wait for a command");
    return {};
  }
  PVHGRUB_TRY_ASSIGN(std::optional<Place> place, place_of(*chosen, false));
  // ONERROR gets the command that failed behind it; its own words behind a label are lost.
  std::optional<std::string> handler;
  if (configuration.on_error && command) {
    std::string_view text = *configuration.on_error;
    if (commands_.find_label(text) != nullptr) text = take_syslinux_word(text);
    handler = std::string(text) + " " + *command;
  }
  if (!place) {
    const std::string what =
        "what is to be booted, `" + *chosen + "', is neither a LABEL nor a file that is there";
    if (handler) {
      PVHGRUB_TRY_ASSIGN(place, place_of(*handler, false));
    }
    notice(what + (place ? ", so ONERROR counts" : ", so syslinux would wait for a command"));
    handler.reset();
  }
  if (!place) return {};
  set_default(*place);
  if (at_once) {
    set_timeout(0);
  } else if (wait != 0) {
    set_timeout(wait);
  }
  return handler ? set_fallback(*handler) : Result<void>();
}

// As menu.c32 shows it.
Result<void> SyslinuxMenuTree::decide_by_menu() {
  const SyslinuxConfiguration& configuration = configuration_;
  const SyslinuxMenu* start = configuration.start;
  bool chosen = start != configuration.top.get();
  const auto start_at = [&](const std::optional<std::string>& label) {
    const std::optional<Place> place = label ? place_of_label(*label) : std::nullopt;
    if (!place || place->node->entries[place->index].shown.hidden) return;
    place->node->settings.default_index = place->index;
    start = place->menu;
    chosen = true;
  };
  if (configuration.user_interface) start_at(configuration.default_command);
  if (configuration.menu_saves) start_at(saved_.choice);
  const auto node = nodes_.find(start);
  if (node != nodes_.end() && !node->second->entries.empty())
    set_default({node->second, node->second->settings.default_index, start});
  if (start->on_error) PVHGRUB_TRY(set_fallback(*start->on_error));

  // Whichever runs out first; 0 is none.
  std::uint64_t wait = start->timeout != 0 ? start->timeout : configuration.total_timeout;
  if (configuration.total_timeout != 0) wait = std::min(wait, configuration.total_timeout);
  if (configuration.menu_shift_key) {
    set_timeout(0);
    return {};
  }
  if (wait == 0 || node == nodes_.end() || node->second->entries.empty()) return {};
  if (first_is_disabled_ && !chosen) return {};
  if (start->on_timeout) {
    PVHGRUB_TRY_ASSIGN(const std::optional<Place> place, place_of(*start->on_timeout, false));
    if (!place) {
      notice("ONTIMEOUT names neither a LABEL nor a file that is there: `" + *start->on_timeout + "'");
      return {};
    }
    set_default(*place);
  } else if (node->second->entries[node->second->settings.default_index].shown.is_submenu) {
    // Only a key opens a submenu.
    return {};
  }
  set_timeout(wait);
  // It tells the seconds that are left, and shows the menu at the first key.
  if (configuration.menu_hidden) top_.settings.timeout_style = TimeoutStyle::kCountdown;
  return {};
}

// A menu is asked for by PROMPT, or by any MENU line outside of the entries. Labels that were not tried yet
// are tried in order when the default fails.
void SyslinuxMenuTree::decide_by_u_boot() {
  if (configuration_.default_command) {
    const std::optional<Place> place = place_of_label(*configuration_.default_command);
    if (place) {
      set_default(*place);
    } else {
      notice("DEFAULT names no LABEL: `" + *configuration_.default_command + "'");
    }
  }
  if (!configuration_.prompt.value_or(configuration_.has_menu_lines)) {
    set_timeout(0);
  } else if (configuration_.timeout != 0) {
    set_timeout(configuration_.timeout);
  }
  for (std::size_t i = 0; i < top_.entries.size(); ++i)
    if (i != top_.settings.default_index) top_.settings.fallback.push_back(i);
}

}  // namespace pvhgrub::grubcfg
