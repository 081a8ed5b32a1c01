// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/authentication.h"

#include <crypt.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>

#include "base/limits.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// What GRUB takes of a password, the final NUL included (GRUB_AUTH_MAX_PASSLEN).
constexpr std::size_t kPasswordBytes = 1024;

/// Compares as GRUB does, in buffers of one size, so that the time tells neither the length nor where they
/// differ.
bool equal_in_constant_time(std::string_view a, std::string_view b) {
  std::array<char, kPasswordBytes> one{};
  std::array<char, kPasswordBytes> other{};
  std::memcpy(one.data(), a.data(), std::min(a.size(), one.size() - 1));
  std::memcpy(other.data(), b.data(), std::min(b.size(), other.size() - 1));
  return memeql_sec(one.data(), other.data(), one.size()) != 0;
}

std::unexpected<Error> unusable(const MenuPassword& password, const std::string& why) {
  return fail(ErrorCode::kUnsupported,
              "the password of user `" + password.user + "' cannot be checked: " + why);
}

/// No value where the text is no bytes in hexadecimal.
std::optional<std::vector<std::uint8_t>> bytes_of(std::string_view text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return 16;
  };
  std::vector<std::uint8_t> bytes;
  if (text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned high = digit(text[i]);
    const unsigned low = digit(text[i + 1]);
    if (high > 15 || low > 15) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

/// grub.pbkdf2.sha512.ROUNDS.SALT.HASH (GRUB manual, "password_pbkdf2"), salt and hash in hexadecimal.
struct Pbkdf2Secret {
  unsigned rounds = 0;
  std::vector<std::uint8_t> salt;
  std::vector<std::uint8_t> hash;
};

Result<Pbkdf2Secret> read_pbkdf2(const MenuPassword& password) {
  constexpr std::string_view kPrefix = "grub.pbkdf2.sha512.";
  const std::string form = "grub-mkpasswd-pbkdf2 makes " + std::string(kPrefix) + "ROUNDS.SALT.HASH of one";
  const std::string_view secret = password.secret;
  if (!secret.starts_with(kPrefix)) return unusable(password, form);
  const ParsedNumber rounds = parse_number(secret.substr(kPrefix.size()), 0);
  if (rounds.status != kStatusOk || !rounds.rest.starts_with('.')) return unusable(password, form);
  const std::string_view rest = rounds.rest.substr(1);
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return unusable(password, form);
  std::optional<std::vector<std::uint8_t>> salt = bytes_of(rest.substr(0, dot));
  std::optional<std::vector<std::uint8_t>> hash = bytes_of(rest.substr(dot + 1));
  if (!salt || !hash || hash->empty() || rounds.value == 0) return unusable(password, form);
  // Each 64 bytes of the hash cost all rounds again.
  const std::uint64_t blocks = (hash->size() + SHA512_DIGEST_SIZE - 1) / SHA512_DIGEST_SIZE;
  if (rounds.value > limits::kPasswordRounds || rounds.value * blocks > limits::kPasswordRounds)
    return unusable(password, "it asks for " + std::to_string(rounds.value) + " rounds, more than the " +
                                  std::to_string(limits::kPasswordRounds) +
                                  " that are calculated; make it anew with fewer");
  return Pbkdf2Secret{static_cast<unsigned>(rounds.value), std::move(*salt), std::move(*hash)};
}

Result<bool> matches_pbkdf2(const MenuPassword& password, std::string_view entered) {
  PVHGRUB_TRY_ASSIGN(const Pbkdf2Secret secret, read_pbkdf2(password));
  entered = entered.substr(0, kPasswordBytes - 1);
  std::array<std::uint8_t, kPasswordBytes> key{};
  std::memcpy(key.data(), entered.data(), entered.size());
  std::vector<std::uint8_t> hash(secret.hash.size());
  pbkdf2_hmac_sha512(entered.size(), key.data(), secret.rounds, secret.salt.size(), secret.salt.data(),
                     hash.size(), hash.data());
  return memeql_sec(hash.data(), secret.hash.data(), hash.size()) != 0;
}

/// crypt(5), "md5crypt": $1$, a salt of up to eight characters, $, 22 characters.
Result<bool> matches_md5_crypt(const MenuPassword& password, std::string_view entered) {
  constexpr std::string_view kPrefix = "$1$";
  constexpr std::size_t kSaltCharacters = 8;
  constexpr std::size_t kHashCharacters = 22;
  const std::string_view secret = password.secret;
  const std::size_t dollar =
      secret.starts_with(kPrefix) ? secret.find('$', kPrefix.size()) : std::string_view::npos;
  if (dollar > kPrefix.size() + kSaltCharacters || secret.size() != dollar + 1 + kHashCharacters)
    return unusable(password, "grub-md5-crypt makes $1$SALT$HASH of one");
  const auto data = std::make_unique<crypt_data>();
  const std::string phrase(entered.substr(0, kPasswordBytes - 1));
  const char* const hash = crypt_r(phrase.c_str(), password.secret.c_str(), data.get());
  if (hash == nullptr || !std::string_view(hash).starts_with(kPrefix))
    return unusable(password, "this system's crypt(3) does not know MD5, or the hash is malformed");
  return equal_in_constant_time(hash, password.secret);
}

bool names(const std::optional<std::string>& list, std::string_view user) {
  if (!list) return false;
  const std::vector<std::string> users = split_user_names(*list);
  return std::ranges::find(users, user) != users.end();
}

}  // namespace

Result<bool> password_matches(const MenuPassword& password, std::string_view entered) {
  switch (password.kind) {
    case MenuPassword::Kind::kPlain:
      return equal_in_constant_time(entered, password.secret);
    case MenuPassword::Kind::kPbkdf2:
      return matches_pbkdf2(password, entered);
    case MenuPassword::Kind::kMd5Crypt:
      return matches_md5_crypt(password, entered);
    case MenuPassword::Kind::kUnusable:
      break;
  }
  return false;
}

// GRUB 2 locks both once $superusers is set, even to nobody. GRUB Legacy does so for the menu's own password;
// one of a single entry guards that entry.
bool Login::locks_editing(const Menu& menu) {
  if (!menu.superusers()) return false;
  return menu.source().kind != "grub-legacy" || !menu.superusers()->empty();
}

bool Login::asks_for_name(const Menu& menu) {
  return menu.source().kind == "grub2";
}

bool Login::is_superuser(const Menu& menu) const {
  return std::ranges::any_of(users_, [&](const std::string& user) { return names(menu.superusers(), user); });
}

bool Login::may_edit(const Menu& menu) const {
  return !locks_editing(menu) || is_superuser(menu);
}

bool Login::may_boot(const Menu& menu, const MenuEntry& entry) const {
  if (!menu.superusers() || !entry.restricted || is_superuser(menu)) return true;
  return std::ranges::any_of(users_, [&](const std::string& user) {
    return std::ranges::find(entry.users, user) != entry.users.end();
  });
}

void Login::note(const std::string& user) {
  if (std::ranges::find(users_, user) == users_.end()) users_.push_back(user);
  user_ = user;
}

Result<bool> Login::log_in(const Menu& menu, std::string_view user, std::string_view password) {
  const std::vector<MenuPassword>& passwords = menu.passwords();
  if (passwords.empty()) return false;
  if (!asks_for_name(menu)) return log_in_without_name(passwords, password);
  const auto found = std::ranges::find(passwords, user, &MenuPassword::user);
  if (found == passwords.end()) {
    // Somebody else's password is checked, so that the time does not tell who there is.
    (void)password_matches(passwords.front(), password);
    return false;
  }
  PVHGRUB_TRY_ASSIGN(const bool matches, password_matches(*found, password));
  if (matches) note(found->user);
  return matches;
}

// Each entry may have a password of its own. One that cannot be checked is told where no other matches.
Result<bool> Login::log_in_without_name(const std::vector<MenuPassword>& passwords,
                                        std::string_view password) {
  Result<bool> answer = false;
  const std::size_t count = std::min(passwords.size(), limits::kCheckedPasswords);
  for (const MenuPassword& candidate : std::span(passwords).first(count)) {
    const Result<bool> matches = password_matches(candidate, password);
    if (!matches) {
      if (answer) answer = std::unexpected(matches.error());
      continue;
    }
    if (!*matches) continue;
    note(candidate.user);
    return true;
  }
  if (answer && count < passwords.size())
    return fail(ErrorCode::kUnsupported, "the menu has more than " + std::to_string(count) +
                                             " passwords, of which only the first are checked");
  return answer;
}

}  // namespace pvhgrub::grubcfg
