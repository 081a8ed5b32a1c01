// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/details.h"

#include "base/limits.h"

namespace pvhgrub::menu {
namespace {

// So much is remembered; beyond, it is looked up anew.
constexpr std::size_t kRemembered = 1000;

std::string first_problem(const grubcfg::BootEntry& entry) {
  if (!entry.error.empty()) return entry.error;
  return entry.kind == grubcfg::BootEntry::Kind::kNone ? "the entry loads nothing" : "";
}

}  // namespace

const EntryDetails* DetailsCache::find(const grubcfg::Menu& menu, std::size_t index) const {
  const auto found = known_.find({&menu, index});
  return found != known_.end() ? &found->second.details : nullptr;
}

Result<void> DetailsCache::evaluate(Known& known, grubcfg::Menu& menu, std::size_t index) {
  if (menu.entries()[index].is_submenu) {
    known.details.complete = true;
    return {};
  }
  host_.begin_request();
  host_.send_words(WordsTo::kNobody);
  Result<grubcfg::BootEntry> entry = menu.evaluate(index);
  if (!entry) {
    if (entry.error().code == ErrorCode::kInternal) return std::unexpected(std::move(entry).error());
    known.details.problem = entry.error().describe();
    known.details.complete = true;
    return {};
  }
  EntryDetails& details = known.details;
  details.kernel = entry->kernel.to_string();
  if (entry->kind == grubcfg::BootEntry::Kind::kNone) details.kernel.clear();
  for (const grubcfg::InitrdFile& initrd : entry->initrds)
    details.initrds += (details.initrds.empty() ? "" : " ") + initrd.file.to_string();
  details.command_line = entry->command_line;
  details.problem = first_problem(*entry);
  details.complete = !details.problem.empty() || entry->kind == grubcfg::BootEntry::Kind::kOther;
  known.entry = *std::move(entry);
  return {};
}

Result<void> DetailsCache::look_up(grubcfg::Menu& menu, std::size_t index,
                                   const std::function<bool()>& interrupted) {
  if (known_.size() >= kRemembered) known_.clear();
  const Place place{&menu, index};
  const auto known = known_.find(place);
  if (known == known_.end()) {
    Known made;
    PVHGRUB_TRY(evaluate(made, menu, index));
    known_.emplace(place, std::move(made));
    return {};
  }
  EntryDetails& details = known->second.details;
  if (details.complete) return {};
  const std::string key =
      details.kernel + "\n" + details.initrds + "\n" + std::to_string(details.command_line.size());
  if (const auto kind = boot_kinds_.find(key); kind != boot_kinds_.end()) {
    details.boot = kind->second;
    details.complete = true;
    return {};
  }
  if (host_.processor_milliseconds() > limits::kDetailsMilliseconds) {
    details.boot = "not looked up any more: too much was";
    details.complete = true;
    return {};
  }
  host_.begin_request();
  host_.send_words(WordsTo::kNobody);
  Result<std::string> kind = host_.boot_kind(known->second.entry, interrupted);
  if (!kind) {
    if (kind.error().code == ErrorCode::kInternal) return std::unexpected(std::move(kind).error());
    details.problem = kind.error().describe();
    details.complete = true;
    return {};
  }
  if (kind->empty()) return {};
  details.boot = *kind;
  details.complete = true;
  boot_kinds_.emplace(key, *std::move(kind));
  return {};
}

}  // namespace pvhgrub::menu
