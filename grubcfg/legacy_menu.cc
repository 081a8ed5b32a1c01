// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_menu.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/limits.h"
#include "grubcfg/choice.h"
#include "grubcfg/command_line.h"
#include "grubcfg/editable_entry.h"
#include "grubcfg/legacy_saved_default.h"

namespace pvhgrub::grubcfg {

namespace {

/// A notice goes through the worker's channel, which takes as long as some fifty lines.
constexpr std::uint64_t kNoticeSteps = 50;
constexpr std::string_view kKind = "grub-legacy";
/// GRUB 0.97's list of fallback entries.
struct FallbackList {
  static constexpr std::int32_t kEndOfList = -1;

  void read(std::string_view argument);
  /// The entries that are there.
  [[nodiscard]] std::vector<std::size_t> below(std::size_t limit) const;

  std::array<std::int32_t, 8> entries = {kEndOfList};
  bool is_valid = false;
  bool failed = false;  ///< the last read() found something that it could not use
};

// GRUB 0.97's fallback_func writes into the list as it reads: what stops it in the middle (something else
// than a number, or a number that came before with more behind it) leaves the rest of an earlier list there.
void FallbackList::read(std::string_view argument) {
  std::size_t count = 0;
  failed = false;
  while (!argument.empty() && count < entries.size()) {
    const auto number = take_legacy_number(argument);
    failed = !number;
    if (failed) return;
    const auto written = std::span(entries).first(count);
    if (std::ranges::find(written, static_cast<std::int32_t>(*number)) != written.end()) continue;
    entries[count++] = static_cast<std::int32_t>(*number);
    argument = split_legacy_words(argument).rest;
  }
  if (count < entries.size()) entries[count] = kEndOfList;
  is_valid = count > 0;
}

std::vector<std::size_t> FallbackList::below(std::size_t limit) const {
  std::vector<std::size_t> list;
  if (!is_valid) return list;
  for (const std::int32_t entry : entries) {
    if (entry == kEndOfList) break;
    if (static_cast<std::size_t>(entry) < limit) list.push_back(static_cast<std::size_t>(entry));
  }
  return list;
}

FileReference place_of(const ConfigurationSource& source) {
  return {source.device, source.path};
}

/// "--md5 HASH", or the password itself; what follows is left.
MenuPassword read_secret(std::string user, std::string_view& argument) {
  MenuPassword password;
  password.user = std::move(user);
  if (argument.starts_with("--")) {
    const LegacyWords option = split_legacy_words(argument);
    password.kind = option.first == "--md5" ? MenuPassword::Kind::kMd5Crypt : MenuPassword::Kind::kUnusable;
    argument = option.rest;
  }
  const LegacyWords words = split_legacy_words(argument);
  password.secret = words.first;
  argument = words.rest;
  return password;
}

}  // namespace

LegacyMenu::LegacyMenu(std::shared_ptr<LegacyFamily> family, ConfigurationSource source,
                       LegacyConfiguration configuration)
    : family_(std::move(family)),
      source_(std::move(source)),
      configuration_(std::move(configuration)),
      text_bytes_(configuration_.text.size()) {
  source_.kind = kKind;
  family_->open_menus.push_back(place_of(source_));
  family_->text_bytes += text_bytes_;
  surroundings_ = std::make_unique<LegacySurroundings>(LegacySurroundings{
      family_->context, family_->listed, configuration_, source_.device, family_->home_device, {}, {}});
}

LegacyMenu::~LegacyMenu() {
  std::erase(family_->open_menus, place_of(source_));
  family_->text_bytes -= text_bytes_;
}

Result<std::unique_ptr<LegacyMenu>> LegacyMenu::make(std::shared_ptr<LegacyFamily> family,
                                                     ConfigurationSource source, std::string text) {
  const std::string where = place_of(source).to_string();
  const MenuContext& context = family->context;
  PVHGRUB_TRY_ASSIGN(LegacyConfiguration configuration,
                     parse_legacy_configuration(std::move(text), where, context.budget, context.diagnostics));
  if (configuration.entries.empty())
    return fail(ErrorCode::kNoEntry, "the boot configuration has no menu entry", where);
  auto menu = std::unique_ptr<LegacyMenu>(
      new LegacyMenu(std::move(family), std::move(source), std::move(configuration)));
  PVHGRUB_TRY(menu->read_header());
  menu->make_entries();
  return menu;
}

Result<std::unique_ptr<LegacyMenu>> LegacyMenu::read(std::shared_ptr<LegacyFamily> family,
                                                     ConfigurationSource source) {
  const FileReference place = place_of(source);
  std::string why;
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> text,
                     family->context.files().read(place, limits::kConfigurationBytes, &why));
  if (!text)
    return fail(ErrorCode::kNotFound, "the boot configuration cannot be read: " + why, place.to_string());
  if (family->text_bytes + text->size() > limits::kConfigurationBytes)
    return fail(ErrorCode::kLimit,
                "boot configurations that lead to one another have more than " +
                    std::to_string(limits::kConfigurationBytes) + " bytes",
                place.to_string());
  return make(std::move(family), std::move(source), *std::move(text));
}

void LegacyMenu::notice(std::uint32_t line, std::string message) {
  // The next charge tells when there were too many.
  (void)family_->context.budget.charge_steps(kNoticeSteps, "reporting on a boot configuration");
  family_->context.diagnostics.notice(configuration_.where(line), std::move(message));
}

Result<void> LegacyMenu::read_header() {
  std::uint32_t wanted = 0;
  bool is_hidden = false;
  FallbackList fallback;
  for (const LegacyStatement& statement : configuration_.header) {
    const LegacyLine line = configuration_.read(statement);
    PVHGRUB_TRY(
        family_->context.budget.charge_steps(1 + line.argument.size() / 64, "reading a boot configuration"));
    std::string_view argument = line.argument;
    switch (statement.command) {
      case LegacyCommand::kDefault:
        if (argument == "saved") {
          PVHGRUB_TRY_ASSIGN(
              wanted, read_legacy_saved_default(family_->context.files(), place_of(source_),
                                                family_->context.budget, family_->context.diagnostics));
          saved_default_ = wanted;
        } else if (const auto number = take_legacy_number(argument)) {
          wanted = *number;
          saved_default_.reset();
        } else {
          notice(line.number, "`" + line.argument + "' is no number of an entry, nor `saved'");
        }
        break;
      case LegacyCommand::kFallback:
        fallback.read(argument);
        if (fallback.failed)
          notice(line.number, "GRUB Legacy takes only numbers as fallback entries, each of them once");
        break;
      case LegacyCommand::kHiddenmenu:
        is_hidden = true;
        break;
      case LegacyCommand::kPassword:
        read_password(argument, line.number);
        break;
      case LegacyCommand::kTimeout:
        if (const auto seconds = take_legacy_number(argument)) {
          settings_.timeout = seconds;
        } else {
          notice(line.number, "`" + line.argument + "' is no number of seconds");
        }
        break;
      default:
        break;
    }
  }
  // Without a timeout GRUB shows the menu all the same.
  if (is_hidden && settings_.timeout) settings_.timeout_style = TimeoutStyle::kHidden;
  settings_.fallback = fallback.below(configuration_.entries.size());
  surroundings_->fallback = settings_.fallback;
  settle_default(wanted);
  return {};
}

void LegacyMenu::read_password(std::string_view argument, std::uint32_t line) {
  std::string_view rest = argument;
  settings_.passwords = {read_secret(std::string(kLegacyUser), rest)};
  settings_.superusers = kLegacyUser;
  password_menu_.reset();
  if (!rest.empty()) password_menu_ = {std::string(rest), line};
}

void LegacyMenu::settle_default(std::uint32_t wanted) {
  const std::size_t count = configuration_.entries.size();
  settings_.default_index = wanted;
  if (wanted < count) return;
  settings_.default_index = 0;
  if (settings_.fallback.empty()) return;
  settings_.default_index = settings_.fallback.front();
  settings_.fallback.erase(settings_.fallback.begin());
}

void LegacyMenu::make_entries() {
  shown_.reserve(configuration_.entries.size() + 1);
  for (std::size_t index = 0; index < configuration_.entries.size(); ++index) {
    MenuEntry entry;
    entry.title = configuration_.entries[index].title;
    entry.id = entry.title;
    shown_.push_back(std::move(entry));
    restrict_entry(index);
  }
  if (!password_menu_) return;
  // The password leads to another menu: an entry that is not shown stands for the key.
  MenuEntry entry;
  entry.title = "the menu behind the password, " + password_menu_->name;
  entry.id = entry.title;
  entry.restricted = true;
  entry.hidden = true;
  entry.hotkey = "p";
  shown_.push_back(std::move(entry));
}

// `lock` fails while the menu's password was not typed, where it has one; `password` in an entry asks for the
// entry's own. What stands behind `boot` is never run.
void LegacyMenu::restrict_entry(std::size_t index) {
  const LegacyEntry& entry = configuration_.entries[index];
  MenuEntry& shown = shown_[index];
  const bool has_password = settings_.superusers == kLegacyUser;
  for (std::uint32_t i = 0; i < entry.statement_count; ++i) {
    const LegacyStatement& statement = configuration_.statements[entry.first_statement + i];
    if (statement.command == LegacyCommand::kBoot) break;
    if (statement.command == LegacyCommand::kPassword ||
        (statement.command == LegacyCommand::kLock && has_password))
      guards_.try_emplace(index, statement);
    if (statement.command != LegacyCommand::kPassword || !shown.users.empty()) continue;
    const LegacyLine line = configuration_.read(statement);
    std::string_view argument = line.argument;
    shown.users = {"entry " + std::to_string(index)};
    settings_.passwords.push_back(read_secret(shown.users.front(), argument));
    if (!settings_.superusers) settings_.superusers = "";
  }
  shown.restricted = guards_.contains(index);
}

// GRUB 0.97 fails at `lock` (error 32, "Must be authenticated"), and goes on to the fallback entries; at
// `password` it waits for one for ever, which nobody would see here: that counts as failed too.
std::string LegacyMenu::unattended_obstacle(std::size_t index) const {
  const auto guard = guards_.find(index);
  if (guard == guards_.end()) return {};
  const bool is_lock = guard->second.command == LegacyCommand::kLock;
  return configuration_.where(guard->second.line) + ": it is " +
         (is_lock ? "locked by the menu's password" : "guarded by a password of its own") +
         ", which nobody is asked for here; --entry boots it all the same";
}

Result<BootEntry> LegacyMenu::evaluate(std::size_t index) {
  if (index >= shown_.size())
    return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is none that can be booted");
  PVHGRUB_TRY(family_->context.budget.charge_steps(1, "running an entry of a boot configuration"));
  if (index >= configuration_.entries.size()) {
    PVHGRUB_TRY_ASSIGN(const LegacyFile file,
                       find_legacy_file(*surroundings_, password_menu_->name, password_menu_->line));
    if (file.failure.empty()) return follow(file.file);
    BootEntry entry;
    entry.error = configuration_.where(password_menu_->line) + ": " + file.failure;
    return entry;
  }
  PVHGRUB_TRY_ASSIGN(LegacyOutcome outcome, run_legacy_entry(*surroundings_, index));
  if (outcome.configuration) return follow(*outcome.configuration);
  if (outcome.saved_default && saved_default_ && index == settings_.default_index &&
      *outcome.saved_default != index)
    notice(configuration_.entries[index].line,
           "GRUB Legacy would note entry " + std::to_string(*outcome.saved_default) +
               " as the one to boot next, which is not done here, since nothing is written to the guest");
  return std::move(outcome.entry);
}

Result<BootEntry> LegacyMenu::follow(const FileReference& configuration) {
  BootEntry none;
  const std::string name = configuration.to_string();
  if (std::ranges::find(family_->open_menus, configuration) != family_->open_menus.end()) {
    none.error = "it leads back to the menu " + name + ", which led to it";
    return none;
  }
  if (family_->open_menus.size() >= limits::kSubmenuDepth)
    return fail(ErrorCode::kLimit,
                "more than " + std::to_string(limits::kSubmenuDepth) +
                    " boot configurations that lead to one another",
                name);
  family_->context.diagnostics.explain("the entry leads to the menu of " + name);
  const auto menu = read(family_, {std::string(kKind), configuration.device, configuration.path});
  Result<Choice> choice =
      menu ? choose_default(**menu, family_->context.diagnostics) : std::unexpected(menu.error());
  if (choice) return std::move(choice->entry);
  if (choice.error().code != ErrorCode::kNoEntry && choice.error().code != ErrorCode::kNotFound)
    return std::unexpected(std::move(choice).error());
  none.error = choice.error().describe();
  return none;
}

// The commands of GRUB Legacy would lead to other files once the devices that they name have stand-ins: what
// is edited is what the entry came to.
Result<std::string> LegacyMenu::editable_text(std::size_t index) {
  PVHGRUB_TRY_ASSIGN(const BootEntry entry, evaluate(index));
  return make_editable_text(entry, entry_source(index));
}

Result<BootEntry> LegacyMenu::evaluate_edited(std::size_t index, std::string_view text) {
  PVHGRUB_TRY_ASSIGN(BootEntry entry, evaluate(index));
  if (is_unchanged(text, make_editable_text(entry, entry_source(index)))) return entry;
  return read_edited_entry(entry, text, source_.device, family_->context.files(), family_->context.devices,
                           family_->context.budget);
}

Result<std::unique_ptr<CommandLine>> LegacyMenu::command_line() {
  return command_line_.open(family_->context, source_);
}

Result<Menu*> LegacyMenu::submenu(std::size_t index) {
  return fail(ErrorCode::kInternal, "entry " + std::to_string(index) + " is no submenu");
}

std::string_view LegacyMenu::entry_source(std::size_t index) const {
  if (index >= configuration_.entries.size()) return {};
  const LegacyEntry& entry = configuration_.entries[index];
  return std::string_view(configuration_.text).substr(entry.body_begin, entry.body_end - entry.body_begin);
}

Result<std::unique_ptr<Menu>> load_legacy_menu(const MenuContext& context,
                                               const ConfigurationSource& source) {
  const auto family = std::make_shared<LegacyFamily>(context);
  family->home_device = source.device;
  return LegacyMenu::read(family, source);
}

Result<std::unique_ptr<Menu>> load_bare_legacy_menu(const MenuContext& context,
                                                    const ConfigurationSource& source, std::string text) {
  const auto family = std::make_shared<LegacyFamily>(context);
  family->home_device = source.device;
  return LegacyMenu::make(family, source, std::move(text));
}

}  // namespace pvhgrub::grubcfg
