// SPDX-License-Identifier: LGPL-2.1-or-later
// menuentry, submenu, hiddenentry, and the passwords that guard them (GRUB manual, "menuentry",
// "Authentication").
#include <array>

#include "grubcfg/command_table.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

Result<void> note_password(Evaluator& evaluator, MenuPassword password) {
  std::vector<MenuPassword>& passwords = evaluator.state().passwords;
  std::erase_if(passwords, [&](const MenuPassword& known) { return known.user == password.user; });
  Budget& budget = evaluator.session().budget;
  PVHGRUB_TRY(budget.charge_steps(1 + passwords.size(), "noting passwords"));
  PVHGRUB_TRY(budget.charge_bytes(password.user.size() + password.secret.size(), "noting passwords"));
  passwords.push_back(std::move(password));
  return {};
}

enum EntryOption : std::size_t { kClass, kUsers, kHotkey, kSource, kId, kUnrestricted };

constexpr std::array<OptionSpec, 6> kEntryOptions = {{{"class", '\1', true, false},
                                                      {"users", '\2', true, false},
                                                      {"hotkey", '\3', true, false},
                                                      {"source", '\4', true, false},
                                                      {"id", '\0', true, false},
                                                      {"unrestricted", '\0', false, false}}};

MenuEntry make_entry(const CommandCall& call, ParsedOptions& parsed, std::string title) {
  MenuEntry entry;
  entry.title = std::move(title);
  const std::string* id = parsed.options[kId].value();
  entry.id = id != nullptr ? *id : entry.title;
  entry.classes = std::move(parsed.options[kClass].values);
  const std::string* users = parsed.options[kUsers].value();
  if (users != nullptr) entry.users = split_user_names(*users);
  // Whether it is really restricted is known when the menu is complete: only $superusers makes it so.
  entry.restricted = users != nullptr || !parsed.options[kUnrestricted].set;
  if (const std::string* hotkey = parsed.options[kHotkey].value()) entry.hotkey = *hotkey;
  entry.is_submenu = call.name == "submenu";
  entry.hidden = call.name == "hiddenentry";
  return entry;
}

Result<Status> run_menuentry(Evaluator& evaluator, const CommandCall& call) {
  if (call.name == "hiddenentry") evaluator.state().is_suse = true;
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kEntryOptions,
                     static_cast<unsigned>(OptionStyle::kUnknownAreArguments), parsed))
    return evaluator.error();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusBadArgument, "missing arguments");
  const std::string* text = parsed.options[kSource].value();
  if (text != nullptr && call.block != nullptr)
    return evaluator.raise(kStatusBadArgument, "multiple menuentry definitions");
  if (text == nullptr && call.block == nullptr)
    return evaluator.raise(kStatusBadArgument, "no menuentry definition");
  // The block came as the last argument.
  if (call.block != nullptr) parsed.arguments.pop_back();
  if (parsed.arguments.empty()) return evaluator.raise(kStatusMenu, "menuentry is missing title");
  EntryBody body;
  body.range = call.block != nullptr
                   ? *call.block
                   : SourceRange::whole(SourceText::from_string(*text, evaluator.where() + " (--source)", 1));
  std::string title = std::move(parsed.arguments.front());
  body.more_arguments.assign(std::make_move_iterator(parsed.arguments.begin() + 1),
                             std::make_move_iterator(parsed.arguments.end()));
  PVHGRUB_TRY(evaluator.add_entry(make_entry(call, parsed, std::move(title)), std::move(body)));
  return kStatusOk;
}

// password USER CLEAR-TEXT, password_pbkdf2 USER HASH
Result<Status> run_password(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.size() != 2) return evaluator.raise(kStatusBadArgument, "two arguments expected");
  PVHGRUB_TRY(note_password(evaluator, {call.arguments[0], call.arguments[1],
                                        call.name == "password_pbkdf2" ? MenuPassword::Kind::kPbkdf2
                                                                       : MenuPassword::Kind::kPlain}));
  return kStatusOk;
}

// legacy_password [--md5] SECRET: GRUB Legacy's has no user, so that GRUB calls him "legacy".
Result<Status> run_legacy_password(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "arguments expected");
  MenuPassword password{std::string(kLegacyUser), call.arguments[0], MenuPassword::Kind::kPlain};
  if (call.arguments[0].starts_with("--")) {
    const bool is_md5 = call.arguments[0] == "--md5" && call.arguments.size() > 1;
    password.kind = is_md5 ? MenuPassword::Kind::kMd5Crypt : MenuPassword::Kind::kUnusable;
    if (is_md5) password.secret = call.arguments[1];
  }
  PVHGRUB_TRY(note_password(evaluator, std::move(password)));
  return kStatusOk;
}

// It asks for the password that it names; here nobody can be asked while an entry is evaluated.
Result<Status> run_legacy_check_password(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "arguments expected");
  evaluator.notice("the entry asks for a password of its own, which is taken as not known");
  return kStatusAccessDenied;
}

constexpr std::array kCommands = {
    CommandEntry{"menuentry", run_menuentry, Presence::kEveryBuild, true, true},
    CommandEntry{"submenu", run_menuentry, Presence::kEveryBuild, true, true},
    CommandEntry{"hiddenentry", run_menuentry, Presence::kSomeBuilds, true, true},
    CommandEntry{"password", run_password},
    CommandEntry{"password_pbkdf2", run_password},
    CommandEntry{"legacy_password", run_legacy_password},
    CommandEntry{"legacy_check_password", run_legacy_check_password},
};

}  // namespace

std::span<const CommandEntry> menu_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
