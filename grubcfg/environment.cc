// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/environment.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kStatusName = "?";

// Below this many changes, copying them is cheaper than merging them into the shared part.
constexpr std::size_t kChangesWorthSharing = 32;

/// Variables with a hook in GRUB's modules: `unset` empties them.
bool is_watched(std::string_view name) {
  constexpr std::array<std::string_view, 8> kWatched = {
      "color_highlight", "color_normal", "lang", "locale_dir",
      "pager",           "prefix",       "root", "secondary_locale_dir"};
  return std::ranges::find(kWatched, name) != kWatched.end();
}

}  // namespace

const Environment::Variable* Environment::find(std::string_view name) const {
  if (const auto changed = changes_.find(name); changed != changes_.end())
    return changed->second.present ? &changed->second : nullptr;
  if (!shared_) return nullptr;
  const auto found = shared_->find(name);
  if (found == shared_->end() || (shared_exported_only_ && !found->second.exported)) return nullptr;
  return &found->second;
}

const std::string* Environment::get(std::string_view name) const {
  if (name == kStatusName) return status_present_ ? &status_ : nullptr;
  const Variable* variable = find(name);
  return variable != nullptr ? &variable->value : nullptr;
}

std::string_view Environment::value_or_empty(std::string_view name) const {
  const std::string* value = get(name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

Environment::Variable& Environment::writable(std::string_view name) {
  const auto changed = changes_.find(name);
  if (changed != changes_.end()) {
    if (!changed->second.present) changed->second = Variable();
    return changed->second;
  }
  const Variable* old = find(name);
  return changes_.emplace(name, old != nullptr ? *old : Variable()).first->second;
}

Result<void> Environment::account(std::string_view name, const Variable* old, std::size_t new_size,
                                  Budget& budget) {
  if (new_size > limits::kWordBytes || name.size() > limits::kWordBytes)
    return fail(ErrorCode::kLimit, "variable `" + std::string(name.substr(0, 64)) + "' grew past " +
                                       std::to_string(limits::kWordBytes) + " bytes");
  PVHGRUB_TRY(budget.charge_bytes(new_size + name.size(), "setting variables of a boot configuration"));
  const std::size_t old_size = old != nullptr ? old->value.size() : 0;
  if (old == nullptr) {
    ++count_;
    bytes_ += name.size();
  }
  bytes_ += new_size;
  bytes_ -= std::min(bytes_, old_size);
  if (count_ > limits::kVariables)
    return fail(ErrorCode::kLimit,
                "a boot configuration sets more than " + std::to_string(limits::kVariables) + " variables");
  if (bytes_ > limits::kEnvironmentBytes)
    return fail(ErrorCode::kLimit, "the variables of a boot configuration hold more than " +
                                       std::to_string(limits::kEnvironmentBytes) + " bytes");
  return {};
}

Result<void> Environment::set(std::string_view name, std::string_view value, Budget& budget) {
  if (name == "root" && value.size() >= 2 && value.starts_with('(') && value.ends_with(')'))
    value = value.substr(1, value.size() - 2);
  PVHGRUB_TRY(account(name, find(name), value.size(), budget));
  if (name == kStatusName) {
    status_ = value;
    status_present_ = true;
    return {};
  }
  // `value` may be a view of this very variable's value.
  std::string copy(value);
  writable(name).value = std::move(copy);
  return {};
}

Result<void> Environment::unset(std::string_view name, Budget& budget) {
  if (name == kStatusName) {
    status_present_ = false;
    return {};
  }
  const Variable* variable = find(name);
  if (variable == nullptr) return {};
  if (is_watched(name)) return set(name, "", budget);
  if (count_ > 0) --count_;
  bytes_ -= std::min(bytes_, variable->value.size() + name.size());
  if (shared_ && shared_->contains(name)) {
    Variable& hidden = writable(name);
    hidden.value.clear();
    hidden.exported = false;
    hidden.present = false;
  } else {
    changes_.erase(changes_.find(name));
  }
  return {};
}

Result<void> Environment::export_variable(std::string_view name, Budget& budget) {
  if (name == kStatusName) {
    status_exported_ = true;
    status_present_ = true;
    return {};
  }
  const Variable* variable = find(name);
  if (variable == nullptr) {
    PVHGRUB_TRY(set(name, "", budget));
  } else if (variable->exported) {
    return {};
  }
  writable(name).exported = true;
  return {};
}

void Environment::set_status(int status) {
  status_ = std::to_string(status);
  status_present_ = true;
}

Environment Environment::exported_copy() const {
  Environment copy;
  copy.shared_ = shared_;
  copy.shared_exported_only_ = true;
  for (const auto& [name, variable] : changes_) {
    const bool visible = variable.present && variable.exported;
    if (visible) {
      copy.changes_.emplace(name, variable);
    } else if (shared_ && shared_->contains(name)) {
      Variable hidden;
      hidden.present = false;
      copy.changes_.emplace(name, hidden);
    }
  }
  copy.count_ = count_;
  copy.bytes_ = bytes_;
  if (status_exported_) {
    copy.status_ = status_;
    copy.status_present_ = status_present_;
    copy.status_exported_ = true;
  }
  return copy;
}

void Environment::share() {
  if (shared_ && changes_.size() < kChangesWorthSharing) return;
  auto merged = std::make_shared<Variables>();
  if (shared_)
    for (const auto& [name, variable] : *shared_)
      if ((!shared_exported_only_ || variable.exported) && !changes_.contains(name))
        merged->emplace(name, variable);
  for (auto& [name, variable] : changes_)
    if (variable.present) merged->emplace(name, std::move(variable));
  changes_.clear();
  shared_ = std::move(merged);
  shared_exported_only_ = false;
}

std::vector<std::pair<std::string, std::string>> Environment::list() const {
  std::map<std::string_view, std::string_view> sorted;
  if (shared_)
    for (const auto& [name, variable] : *shared_)
      if (!shared_exported_only_ || variable.exported) sorted[name] = variable.value;
  for (const auto& [name, variable] : changes_) {
    if (variable.present) {
      sorted[name] = variable.value;
    } else {
      sorted.erase(name);
    }
  }
  if (status_present_) sorted[kStatusName] = status_;
  std::vector<std::pair<std::string, std::string>> listed;
  listed.reserve(sorted.size());
  for (const auto& [name, value] : sorted) listed.emplace_back(name, value);
  return listed;
}

}  // namespace pvhgrub::grubcfg
