// SPDX-License-Identifier: LGPL-2.1-or-later
// hashsum and its kin: md5sum, sha1sum, sha256sum, sha512sum, crc (GRUB manual, "hashsum").
#include <nettle/nettle-meta.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/crc32.h"
#include "base/hexadecimal.h"
#include "base/limits.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::size_t kPieceBytes = 64 * std::size_t{1024};
/// To hash a byte takes longer than to read it: the budget's bytes for each.
constexpr std::uint64_t kBudgetBytesForAByte = 2;

/// One hash under computation.
class Hash {
 public:
  Hash() = default;
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  virtual ~Hash() = default;
  virtual void update(Bytes bytes) = 0;
  /// Of all that was given since the last call, in lower-case hexadecimal.
  [[nodiscard]] virtual std::string finish() = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;  ///< bytes
};

class NettleHash final : public Hash {
 public:
  explicit NettleHash(const nettle_hash& hash)
      : hash_(hash), context_((hash.context_size + sizeof(Word) - 1) / sizeof(Word)) {
    hash_.init(context_.data());
  }
  void update(Bytes bytes) override {
    // Any object may be read through unsigned char; nettle asks for no other type.
    hash_.update(context_.data(), bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  }
  [[nodiscard]] std::string finish() override {
    std::vector<std::uint8_t> digest(hash_.digest_size);
    hash_.digest(context_.data(), digest.size(), digest.data());
    return hexadecimal(std::as_bytes(std::span(digest)));
  }
  [[nodiscard]] std::size_t size() const override { return hash_.digest_size; }

 private:
  using Word = std::max_align_t;
  const nettle_hash& hash_;
  std::vector<Word> context_;
};

class Crc32Hash final : public Hash {
 public:
  void update(Bytes bytes) override { crc_.update(bytes); }
  [[nodiscard]] std::string finish() override {
    const std::uint32_t value = std::exchange(crc_, Crc32()).value();
    const std::array<std::byte, 4> bytes = {std::byte(value >> 24), std::byte((value >> 16) & 0xFF),
                                            std::byte((value >> 8) & 0xFF), std::byte(value & 0xFF)};
    return hexadecimal(bytes);
  }
  [[nodiscard]] std::size_t size() const override { return 4; }

 private:
  Crc32 crc_;
};

/// The hash of that name, or null with GRUB's error raised.
std::unique_ptr<Hash> find_hash(Evaluator& evaluator, std::string_view name) {
  struct Known {
    std::string_view name;
    const nettle_hash* hash;
  };
  const std::array<Known, 8> kHashes = {{{"md4", &nettle_md4},
                                         {"md5", &nettle_md5},
                                         {"ripemd160", &nettle_ripemd160},
                                         {"sha1", &nettle_sha1},
                                         {"sha224", &nettle_sha224},
                                         {"sha256", &nettle_sha256},
                                         {"sha384", &nettle_sha384},
                                         {"sha512", &nettle_sha512}}};
  constexpr std::array<std::string_view, 7> kOthers = {"adler32", "crc24rfc2440", "crc32rfc1510", "crc64",
                                                       "tiger",   "tiger192",     "whirlpool"};
  for (const Known& known : kHashes)
    if (equal_ignoring_case(known.name, name)) return std::make_unique<NettleHash>(*known.hash);
  if (equal_ignoring_case(name, "crc32")) return std::make_unique<Crc32Hash>();
  const bool is_other =
      std::ranges::any_of(kOthers, [&](std::string_view other) { return equal_ignoring_case(other, name); });
  if (is_other) {
    evaluator.raise(kStatusNotImplemented,
                    "this version of pvhgrub cannot compute the hash `" + std::string(name) + "'");
  } else {
    evaluator.raise(kStatusBadArgument, "unknown hash");
  }
  return nullptr;
}

class HashCommand {
 public:
  HashCommand(Evaluator& evaluator, Hash& hash, const ParsedOptions& parsed)
      : evaluator_(evaluator), hash_(hash), parsed_(parsed) {}

  Result<Status> print();
  Result<Status> check(const std::string& list);

 private:
  enum class Line : std::uint8_t { kGood, kStop, kUnread, kMismatch };

  [[nodiscard]] bool keeps_going() const { return parsed_.options[3].set; }
  /// The hash of the file; no value with GRUB's error raised.
  Result<std::optional<std::string>> hash_file(const std::string& name);
  Result<Line> check_line(std::string_view line);
  Result<void> say(const std::string& text) { return evaluator_.print(text + "\n"); }

  Evaluator& evaluator_;
  Hash& hash_;
  const ParsedOptions& parsed_;
};

Result<std::optional<std::string>> HashCommand::hash_file(const std::string& name) {
  FileAccess files(evaluator_);
  const std::optional<FileReference> file = files.locate(name);
  if (!file) return std::nullopt;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files.open(*file));
  if (!opened) return std::nullopt;
  // A small file must not cost the clearing of a large buffer; one byte at least, to see the end.
  std::vector<std::byte> piece(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(opened->size(), 1, kPieceBytes)));
  std::uint64_t offset = 0;
  while (true) {
    Result<std::size_t> count = opened->read(offset, piece);
    if (!count) {
      (void)hash_.finish();
      PVHGRUB_TRY(files.report(std::move(count).error(), *file));
      return std::nullopt;
    }
    PVHGRUB_TRY(evaluator_.session().budget.charge_bytes(kBudgetBytesForAByte * *count, "hashing files"));
    const Bytes bytes = Bytes(piece).first(*count);
    if (offset == 0 && parsed_.options[4].set &&
        (as_text(bytes).starts_with("\x1f\x8b") || as_text(bytes).starts_with("\xfd"
                                                                              "7zXZ"))) {
      evaluator_.raise(kStatusNotImplemented, "`" + name + "' is compressed, and is not looked into");
      return std::nullopt;
    }
    hash_.update(bytes);
    if (bytes.empty()) return hash_.finish();
    offset += bytes.size();
  }
}

Result<Status> HashCommand::print() {
  std::size_t unread = 0;
  for (const std::string& name : parsed_.arguments) {
    PVHGRUB_TRY_ASSIGN(const std::optional<std::string> digest, hash_file(name));
    if (digest) {
      PVHGRUB_TRY(say(*digest + "  " + name));
      continue;
    }
    if (!keeps_going()) return evaluator_.error();
    evaluator_.print_error();
    ++unread;
  }
  if (unread == 0) return kStatusOk;
  return evaluator_.raise(kStatusTestFailure, std::to_string(unread) + " files couldn't be read");
}

Result<HashCommand::Line> HashCommand::check_line(std::string_view line) {
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  const auto is_hexadecimal = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  const std::size_t digits = 2 * hash_.size();
  if (line.size() < digits + 2 || !std::ranges::all_of(line.substr(0, digits), is_hexadecimal) ||
      !std::ranges::all_of(line.substr(digits, 2), is_blank)) {
    evaluator_.raise(kStatusBadFileType, "invalid hash list");
    return Line::kStop;
  }
  const std::string name(line.substr(digits + 2));
  const std::string* const directory = parsed_.options[2].value();
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> digest,
                     hash_file(directory != nullptr ? *directory + "/" + name : name));
  if (!digest) return Line::kStop;
  if (equal_ignoring_case(*digest, line.substr(0, digits))) {
    PVHGRUB_TRY(say(name + ": OK"));
    return Line::kGood;
  }
  PVHGRUB_TRY(say(name + ": HASH MISMATCH"));
  return Line::kMismatch;
}

Result<Status> HashCommand::check(const std::string& list) {
  FileAccess files(evaluator_);
  const std::optional<FileReference> file = files.locate(list);
  if (!file) return evaluator_.error();
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text, files.read(*file, limits::kConfigurationBytes));
  if (!text) return evaluator_.error();
  std::size_t mismatches = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1, "checking a list of hashes"));
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    PVHGRUB_TRY_ASSIGN(const Line outcome, check_line(line));
    if (outcome == Line::kStop) return evaluator_.error();
    if (outcome != Line::kMismatch) continue;
    if (!keeps_going()) return evaluator_.raise(kStatusTestFailure, "a hash mismatches");
    ++mismatches;
  }
  if (mismatches == 0) return kStatusOk;
  return evaluator_.raise(kStatusTestFailure, "hash of " + std::to_string(mismatches) + " files mismatches");
}

/// The hash that the command itself means; empty for `hashsum`.
std::string_view own_hash(std::string_view command) {
  if (command == "crc") return "crc32";
  if (command == "hashsum") return {};
  return command.substr(0, command.size() - 3);  // md5sum
}

Result<Status> run_hashsum(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 5> kOptions = {{{"hash", 'h', true, false},
                                                   {"check", 'c', true, false},
                                                   {"prefix", 'p', true, false},
                                                   {"keep-going", 'k', false, false},
                                                   {"uncompress", 'u', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  const std::string* const given = parsed.options[0].value();
  const std::string_view name = given != nullptr ? std::string_view(*given) : own_hash(call.name);
  if (name.empty()) return evaluator.raise(kStatusBadArgument, "no hash specified");
  const std::unique_ptr<Hash> hash = find_hash(evaluator, name);
  if (!hash) return evaluator.error();
  HashCommand command(evaluator, *hash, parsed);
  const std::string* const list = parsed.options[1].value();
  if (list == nullptr) return command.print();
  if (!parsed.arguments.empty())
    return evaluator.raise(kStatusBadArgument, "--check is incompatible with file list");
  return command.check(*list);
}

constexpr std::array kCommands = {
    CommandEntry{"hashsum", run_hashsum},   CommandEntry{"md5sum", run_hashsum},
    CommandEntry{"sha1sum", run_hashsum},   CommandEntry{"sha256sum", run_hashsum},
    CommandEntry{"sha512sum", run_hashsum}, CommandEntry{"crc", run_hashsum},
};

}  // namespace

std::span<const CommandEntry> hash_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
