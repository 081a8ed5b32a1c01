// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/plain_menu.h"

#include <utility>

namespace pvhgrub::grubcfg {

PlainMenu::PlainMenu(const MenuContext& context, ConfigurationSource source, std::vector<PlainEntry> entries,
                     PlainMenuSettings settings)
    : context_(context),
      source_(std::move(source)),
      entries_(std::move(entries)),
      settings_(std::move(settings)) {
  shown_.reserve(entries_.size());
  for (PlainEntry& entry : entries_) shown_.push_back(std::move(entry.shown));
}

Result<std::string> PlainMenu::obstacle(const FileReference& file) {
  if (context_.devices == nullptr || file.path.empty()) return std::string();
  std::string why;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, context_.files().open(file, &why));
  return opened ? std::string() : file.to_string() + ": " + why;
}

Result<BootEntry> PlainMenu::evaluate(std::size_t index) {
  if (index >= entries_.size() || shown_[index].is_submenu)
    return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is none that can be booted");
  BootEntry entry = entries_[index].boot;
  if (!entry.error.empty()) return entry;
  if (entry.kind == BootEntry::Kind::kNone) {
    entry.error = "the entry loads nothing";
    return entry;
  }
  PVHGRUB_TRY_ASSIGN(entry.error, obstacle(entry.kernel));
  if (entry.error.empty() && entry.hypervisor) {
    PVHGRUB_TRY_ASSIGN(entry.error, obstacle(*entry.hypervisor));
  }
  for (const InitrdFile& initrd : entry.initrds) {
    if (!entry.error.empty()) break;
    PVHGRUB_TRY_ASSIGN(entry.error, obstacle(initrd.file));
  }
  return entry;
}

Result<Menu*> PlainMenu::submenu(std::size_t index) {
  if (index >= entries_.size() || !entries_[index].submenu)
    return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is no submenu");
  return entries_[index].submenu.get();
}

std::string_view PlainMenu::entry_source(std::size_t index) const {
  return index < entries_.size() ? std::string_view(entries_[index].source) : std::string_view();
}

}  // namespace pvhgrub::grubcfg
