// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/choice.h"

#include <algorithm>
#include <charconv>

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
    } else if (submenu.error().code == ErrorCode::kNoEntry) {
      reason = submenu.error().message;
    } else {
      return std::unexpected(std::move(submenu).error());
    }
  } else {
    PVHGRUB_TRY_ASSIGN(BootEntry evaluated, menu.evaluate(index));
    boots = would_boot(evaluated);
    if (boots) {
      choice_ = {path_, entry.title, std::move(evaluated)};
    } else {
      reason = why_not(evaluated);
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

/// The entry that one step of --entry names: a number, an id, a title.
std::optional<std::size_t> find_step(const Menu& menu, std::string_view step) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), number);
  if (error == std::errc() && end == step.data() + step.size() && number < menu.entries().size())
    return number;
  for (const auto member : {&MenuEntry::id, &MenuEntry::title}) {
    const auto found = std::ranges::find_if(
        menu.entries(), [&](const MenuEntry& entry) { return names_entry(entry.*member, step); });
    if (found != menu.entries().end()) return static_cast<std::size_t>(found - menu.entries().begin());
  }
  return std::nullopt;
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

}  // namespace

Result<Choice> choose_entry(Menu& menu, std::string_view wanted, Diagnostics& diagnostics) {
  EntryPath path;
  PVHGRUB_TRY_ASSIGN(Found found, walk(menu, wanted, path));
  PVHGRUB_TRY_ASSIGN(found, descend(found, path));
  diagnostics.explain("entry " + to_string(path) + " was asked for");
  PVHGRUB_TRY_ASSIGN(BootEntry entry, found.menu->evaluate(found.index));
  std::string title = found.menu->entries()[found.index].title;
  return Choice{std::move(path), std::move(title), std::move(entry)};
}

Result<Choice> choose_default(Menu& menu, Diagnostics& diagnostics) {
  if (menu.entries().empty()) return fail(ErrorCode::kNoEntry, "the menu has no entries");
  DefaultSearch search(diagnostics);
  PVHGRUB_TRY_ASSIGN(const bool found, search.try_menu(menu));
  if (!found)
    return fail(ErrorCode::kNoEntry,
                "neither the default entry nor a fallback can be booted:" + search.failures() +
                    " choose another with --entry, or mend the guest's boot configuration");
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
