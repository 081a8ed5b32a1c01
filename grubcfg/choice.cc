// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/choice.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>

#include "base/limits.h"
#include "grubcfg/entry_number.h"

namespace pvhgrub::grubcfg {

namespace {

/// How many entries a message lists at most.
constexpr std::size_t kListedEntries = 20;

bool would_boot(const BootEntry& entry) {
  return entry.error.empty() && entry.kind != BootEntry::Kind::kNone;
}

std::string why_not(const BootEntry& entry) {
  return entry.error.empty() ? "the entry loads nothing" : entry.error;
}

// On one line: an error is a line, and a line break in it would come out escaped.
std::string list_entries(const Menu& menu) {
  std::string list;
  const std::vector<MenuEntry>& entries = menu.entries();
  for (std::size_t i = 0; i < std::min(entries.size(), kListedEntries); ++i)
    list += (i == 0 ? " " : ", ") + std::to_string(i) + (entries[i].is_submenu ? "> (" : " (") +
            entries[i].title + ")";
  if (entries.size() > kListedEntries)
    list += " and " + std::to_string(entries.size() - kListedEntries) + " more";
  return list;
}

/// Tries entries as GRUB does that nobody watches, into submenus.
class DefaultSearch {
 public:
  explicit DefaultSearch(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Result<bool> try_menu(Menu& menu);
  Choice take() { return std::move(choice_); }
  [[nodiscard]] const std::string& failures() const { return failures_; }

 private:
  Result<bool> try_entry(Menu& menu, std::size_t index);

  Diagnostics& diagnostics_;
  EntryPath path_;
  Choice choice_;
  std::string failures_;
};

Result<bool> DefaultSearch::try_entry(Menu& menu, std::size_t index) {
  if (path_.size() >= limits::kSubmenuDepth)
    return fail(ErrorCode::kLimit,
                "submenus nested deeper than " + std::to_string(limits::kSubmenuDepth) + " levels");
  const MenuEntry& entry = menu.entries()[index];
  path_.push_back(index);
  bool boots = false;
  std::string reason;
  if (entry.is_submenu) {
    Result<Menu*> submenu = menu.submenu(index);
    if (submenu) {
      PVHGRUB_TRY_ASSIGN(boots, try_menu(**submenu));
      if (!boots) menu.keep_environment_changes((*submenu)->environment_changes());
    } else if (submenu.error().code == ErrorCode::kNoEntry) {
      reason = submenu.error().message;
    } else {
      return std::unexpected(std::move(submenu).error());
    }
  } else if (reason = menu.unattended_obstacle(index); reason.empty()) {
    PVHGRUB_TRY_ASSIGN(BootEntry evaluated, menu.evaluate(index));
    boots = would_boot(evaluated);
    if (boots) {
      choice_ = {path_, entry.title, entry.id, std::move(evaluated), false};
    } else {
      reason = why_not(evaluated);
      menu.keep_environment_changes(evaluated.environment_changes);
    }
  }
  if (!reason.empty()) {
    failures_ += " entry " + to_string(path_) + " (" + entry.title + "): " + reason + ";";
    diagnostics_.notice("",
                        "entry " + to_string(path_) + " (" + entry.title + ") cannot be booted: " + reason);
  }
  path_.pop_back();
  return boots;
}

Result<bool> DefaultSearch::try_menu(Menu& menu) {
  if (menu.entries().empty()) return false;
  PVHGRUB_TRY_ASSIGN(const bool boots, try_entry(menu, menu.default_index()));
  if (boots) return true;
  for (const std::size_t index : menu.fallback()) {
    diagnostics_.notice(
        "", "falling back to entry " + std::to_string(index) + " (" + menu.entries()[index].title + ")");
    PVHGRUB_TRY_ASSIGN(const bool falls_back, try_entry(menu, index));
    if (falls_back) return true;
  }
  return false;
}

std::optional<std::size_t> find_index(const Menu& menu, std::string_view step) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), number);
  if (error == std::errc() && end == step.data() + step.size() && number < menu.entries().size())
    return number;
  return std::nullopt;
}

/// The endings that the ids of BLS entries have, and people leave out.
constexpr std::array<std::string_view, 2> kIdEndings = {".conf", ".efi"};

/// "--entry=X.conf" also names the id "X", since GRUB's blscfg leaves the ending out, and "X" also "X.conf",
/// since systemd-boot keeps it.
bool is_id_but_for_ending(std::string_view id, std::string_view wanted) {
  return std::ranges::any_of(kIdEndings, [&](std::string_view ending) {
    return (wanted.ends_with(ending) && id == wanted.substr(0, wanted.size() - ending.size())) ||
           (id.ends_with(ending) && id.substr(0, id.size() - ending.size()) == wanted);
  });
}

std::optional<std::size_t> find_by(const Menu& menu, const std::function<bool(const MenuEntry&)>& matches) {
  const auto found = std::ranges::find_if(menu.entries(), matches);
  if (found == menu.entries().end()) return std::nullopt;
  return static_cast<std::size_t>(found - menu.entries().begin());
}

std::optional<std::size_t> find_name(const Menu& menu, std::string_view step) {
  auto found = find_by(menu, [&](const MenuEntry& entry) { return names_entry(entry.id, step); });
  if (!found) found = find_by(menu, [&](const MenuEntry& entry) { return names_entry(entry.title, step); });
  if (!found)
    found = find_by(menu, [&](const MenuEntry& entry) { return is_id_but_for_ending(entry.id, step); });
  return found;
}

std::optional<std::size_t> find_glob(const Menu& menu, std::string_view step) {
  if (step.find_first_of("*?[") == std::string_view::npos) return std::nullopt;
  const std::string pattern(step);
  return find_by(menu, [&](const MenuEntry& entry) {
    return fnmatch(pattern.c_str(), entry.id.c_str(), 0) == 0 ||
           fnmatch(pattern.c_str(), entry.title.c_str(), 0) == 0;
  });
}

/// The entry that one step of --entry names: a number, an id, a title, a glob.
std::optional<std::size_t> find_step(const Menu& menu, std::string_view step) {
  std::optional<std::size_t> found = find_index(menu, step);
  if (!found) found = find_name(menu, step);
  return found ? found : find_glob(menu, step);
}

/// The first step of a path; a doubled '>' belongs to a name.
std::string_view first_step(std::string_view wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != '>') continue;
    if (!wanted.substr(i + 1).starts_with('>')) return wanted.substr(0, i);
    ++i;
  }
  return wanted;
}

struct Found {
  Menu* menu = nullptr;
  std::size_t index = 0;
};

/// Walks down `wanted`; a name with a single '>' in it is taken as a whole first.
Result<Found> walk(Menu& menu, std::string_view wanted, EntryPath& path) {
  Menu* current = &menu;
  std::string_view rest = wanted;
  while (true) {
    const auto whole = std::ranges::find_if(
        current->entries(), [&](const MenuEntry& entry) { return entry.title == rest || entry.id == rest; });
    const std::string_view step = first_step(rest);
    const bool is_last = whole != current->entries().end() || step.size() >= rest.size();
    std::optional<std::size_t> index = find_step(*current, is_last ? rest : step);
    if (!index && whole != current->entries().end())
      index = static_cast<std::size_t>(whole - current->entries().begin());
    if (!index)
      return fail(ErrorCode::kNoEntry, "no entry `" + std::string(rest) + "'" +
                                           (path.empty() ? "" : " in submenu " + to_string(path)) +
                                           "; there are:" + list_entries(*current));
    path.push_back(*index);
    if (is_last) return Found{current, *index};
    if (!current->entries()[*index].is_submenu)
      return fail(ErrorCode::kNoEntry, "entry " + to_string(path) + " (" + current->entries()[*index].title +
                                           ") is no submenu, so it has no `" +
                                           std::string(rest.substr(step.size() + 1)) + "'");
    PVHGRUB_TRY_ASSIGN(current, current->submenu(*index));
    rest.remove_prefix(step.size() + 1);
    if (path.size() >= limits::kSubmenuDepth)
      return fail(ErrorCode::kLimit,
                  "submenus nested deeper than " + std::to_string(limits::kSubmenuDepth) + " levels");
  }
}

/// The entry with that title or id in any submenu, the first in the order of the listing.
Result<std::optional<Found>> find_in_submenus(Menu& menu, std::string_view wanted, EntryPath& path) {
  for (std::size_t index = 0; index < menu.entries().size(); ++index) {
    if (!menu.entries()[index].is_submenu || path.size() >= limits::kSubmenuDepth) continue;
    const Result<Menu*> submenu = menu.submenu(index);
    if (!submenu && submenu.error().code == ErrorCode::kNoEntry) continue;  // GRUB shows none either
    if (!submenu) return std::unexpected(submenu.error());
    path.push_back(index);
    if (const std::optional<std::size_t> found = find_name(**submenu, wanted)) {
      path.push_back(*found);
      return Found{*submenu, *found};
    }
    PVHGRUB_TRY_ASSIGN(const std::optional<Found> deeper, find_in_submenus(**submenu, wanted, path));
    if (deeper) return deeper;
    path.pop_back();
  }
  return std::nullopt;
}

/// Goes on into submenus to their defaults, and to the entry there.
Result<Found> descend(Found found, EntryPath& path) {
  while (found.menu->entries()[found.index].is_submenu) {
    if (path.size() >= limits::kSubmenuDepth)
      return fail(ErrorCode::kLimit,
                  "submenus nested deeper than " + std::to_string(limits::kSubmenuDepth) + " levels");
    PVHGRUB_TRY_ASSIGN(found.menu, found.menu->submenu(found.index));
    if (found.menu->entries().empty())
      return fail(ErrorCode::kNoEntry, "submenu " + to_string(path) + " has no entries");
    found.index = found.menu->default_index();
    path.push_back(found.index);
  }
  return found;
}

Result<Found> find(Menu& menu, std::string_view wanted, EntryPath& path) {
  Result<Found> walked = walk(menu, wanted, path);
  if (walked || walked.error().code != ErrorCode::kNoEntry) return walked;
  EntryPath inside;
  PVHGRUB_TRY_ASSIGN(const std::optional<Found> found, find_in_submenus(menu, wanted, inside));
  if (!found) return walked;
  path = std::move(inside);
  return *found;
}

}  // namespace

Result<Choice> choose_entry(Menu& menu, std::string_view wanted, Diagnostics& diagnostics) {
  EntryPath path;
  PVHGRUB_TRY_ASSIGN(Found found, find(menu, wanted, path));
  PVHGRUB_TRY_ASSIGN(found, descend(found, path));
  diagnostics.explain("entry " + to_string(path) + " was asked for");
  PVHGRUB_TRY_ASSIGN(BootEntry entry, found.menu->evaluate(found.index));
  std::string title = found.menu->entries()[found.index].title;
  std::string id = found.menu->entries()[found.index].id;
  return Choice{std::move(path), std::move(title), std::move(id), std::move(entry), false};
}

Result<Choice> choose_default(Menu& menu, Diagnostics& diagnostics) {
  if (menu.entries().empty()) return fail(ErrorCode::kNoEntry, "the menu has no entries");
  DefaultSearch search(diagnostics);
  PVHGRUB_TRY_ASSIGN(const bool found, search.try_menu(menu));
  if (!found)
    return fail(
        ErrorCode::kNoEntry,
        "neither the default entry nor a fallback can be booted:" + search.failures() +
            " choose another with --entry, name the guest's other disks if it has more, or mend its boot "
            "configuration");
  Choice choice = search.take();
  diagnostics.explain("default: " + to_string(choice.path) + " (" + choice.title + ")");
  return choice;
}

Result<EntryPath> default_path(Menu& menu) {
  if (menu.entries().empty()) return fail(ErrorCode::kNoEntry, "the menu has no entries");
  EntryPath path = {menu.default_index()};
  PVHGRUB_TRY(descend({&menu, menu.default_index()}, path));
  return path;
}

}  // namespace pvhgrub::grubcfg
