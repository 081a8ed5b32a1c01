// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands that look into files or texts: cmp, file, hexdump, testload, tr (GRUB manual, "Commands"), and the
// ones that print what GRUB's developers want to know.
#include <algorithm>
#include <array>
#include <cstdio>

#include "base/bytes.h"
#include "grubcfg/command_table.h"
#include "grubcfg/file_access.h"
#include "grubcfg/file_kind.h"
#include "grubcfg/number.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr unsigned kPlain = static_cast<unsigned>(OptionStyle::kPlain);
constexpr std::size_t kPieceBytes = 64 * std::size_t{1024};

/// Opens a file by the name that a script gives it; null with GRUB's error raised.
Result<std::unique_ptr<fs::File>> open_named(Evaluator& evaluator, std::string_view name) {
  FileAccess files(evaluator);
  const std::optional<FileReference> file = files.locate(name);
  if (!file) return nullptr;
  return files.open(*file);
}

/// Where two files of one size differ first; no value where they do not.
Result<std::optional<std::uint64_t>> first_difference(fs::File& one, fs::File& other, Budget& budget) {
  std::vector<std::byte> a(kPieceBytes);
  std::vector<std::byte> b(kPieceBytes);
  for (std::uint64_t offset = 0; offset < one.size();) {
    PVHGRUB_TRY_ASSIGN(const std::size_t count, one.read(offset, a));
    PVHGRUB_TRY_ASSIGN(const std::size_t other_count, other.read(offset, b));
    PVHGRUB_TRY(budget.charge_bytes(count + other_count, "comparing files"));
    const auto [here, there] = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(count),
                                             b.begin(), b.begin() + static_cast<std::ptrdiff_t>(other_count));
    const auto equal = static_cast<std::size_t>(here - a.begin());
    if (equal < count || equal < other_count) return offset + equal;
    if (count == 0) break;
    offset += count;
  }
  return std::nullopt;
}

// GRUB 2.06's cmp always says that it is content; a script that asks is written for 2.12, which tells.
Result<Status> run_cmp(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 1> kOptions = {{{"", 'v', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, kPlain, parsed)) return evaluator.error();
  if (parsed.arguments.size() != 2) return evaluator.raise(kStatusBadArgument, "two arguments expected");
  const auto& names = parsed.arguments;
  const auto say = [&](const std::string& text) {
    return parsed.options[0].set ? evaluator.print(text + "\n") : Result<void>{};
  };
  PVHGRUB_TRY(say("Compare file `" + names[0] + "' with `" + names[1] + "':"));
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> one, open_named(evaluator, names[0]));
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> other, open_named(evaluator, names[1]));
  if (!one || !other) return kStatusTestFailure;
  if (one->size() != other->size()) {
    PVHGRUB_TRY(say("Files differ in size: " + std::to_string(one->size()) + " [" + names[0] + "], " +
                    std::to_string(other->size()) + " [" + names[1] + "]"));
    return kStatusTestFailure;
  }
  auto difference = first_difference(*one, *other, evaluator.session().budget);
  if (!difference) {
    PVHGRUB_TRY(FileAccess(evaluator).report(std::move(difference).error(), {"", names[0]}));
    return kStatusTestFailure;
  }
  if (*difference) {
    PVHGRUB_TRY(say("Files differ at the offset " + std::to_string(**difference)));
    return kStatusTestFailure;
  }
  PVHGRUB_TRY(say("The files are identical."));
  return kStatusOk;
}

// file --is-KIND FILE
Result<Status> run_file(Evaluator& evaluator, const CommandCall& call) {
  std::optional<FileKind> kind;
  std::vector<std::string_view> names;
  for (const std::string& argument : call.arguments) {
    if (argument.size() < 2 || !argument.starts_with('-')) {
      names.push_back(argument);
      continue;
    }
    const std::optional<FileKind> asked =
        argument.starts_with("--") ? find_file_kind(argument.substr(2)) : std::nullopt;
    if (!asked) return evaluator.raise(kStatusBadArgument, "unknown argument `" + argument + "'");
    if (kind) return evaluator.raise(kStatusBadArgument, "multiple types specified");
    kind = asked;
  }
  if (names.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  if (!kind) return evaluator.raise(kStatusBadArgument, "no type specified");
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> file, open_named(evaluator, names[0]));
  if (!file) return evaluator.error();
  PVHGRUB_TRY(evaluator.session().budget.charge_bytes(kPieceBytes, "looking at a file's kind"));
  Result<bool> is = is_of_kind(*file, *kind);
  if (is) return *is ? kStatusOk : evaluator.raise(kStatusTestFailure, "false");
  if (is_fatal(is.error())) return std::unexpected(std::move(is).error());
  return evaluator.raise(is.error().code == ErrorCode::kIo ? kStatusReadError : kStatusNotImplemented,
                         "cannot tell what `" + std::string(names[0]) + "' is: " + is.error().describe());
}

// --- hexdump

constexpr std::size_t kLineBytes = 16;

std::string hexadecimal(std::uint64_t number, int digits) {
  std::array<char, 24> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%0*llx", digits, static_cast<unsigned long long>(number));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string dump_line(std::uint64_t offset, Bytes bytes) {
  std::string line = hexadecimal(offset, 8) + "  ";
  std::string text;
  for (std::size_t i = 0; i < kLineBytes; ++i) {
    if (i == kLineBytes / 2) line += ' ';
    if (i < bytes.size()) {
      const auto value = std::to_integer<unsigned>(bytes[i]);
      line += hexadecimal(value, 2) + " ";
      text += value >= 32 && value < 127 ? static_cast<char>(value) : '.';
    } else {
      line += "   ";
    }
  }
  return line + " |" + text + "|\n";
}

/// Of a run of equal lines its first and last are shown, with a star between.
std::string dump(std::uint64_t offset, Bytes bytes) {
  std::string text;
  const auto equal = [&](std::size_t a, std::size_t b) {
    return b + kLineBytes <= bytes.size() &&
           std::ranges::equal(bytes.subspan(a, kLineBytes), bytes.subspan(b, kLineBytes));
  };
  for (std::size_t at = 0; at < bytes.size(); at += kLineBytes) {
    text += dump_line(offset + at, bytes.subspan(at, std::min(kLineBytes, bytes.size() - at)));
    if (!equal(at, at + kLineBytes) || !equal(at, at + 2 * kLineBytes) || !equal(at, at + 3 * kLineBytes))
      continue;
    text += "*\n";
    while (equal(at, at + 2 * kLineBytes)) at += kLineBytes;
  }
  return text;
}

/// Prints `length` bytes of what `read` reads, from `offset`; less where it ends.
template <typename Read>
Result<Status> dump_bytes(Evaluator& evaluator, std::uint64_t offset, std::uint64_t length, Read read) {
  constexpr std::size_t kDumpPiece = 2048;
  std::vector<std::byte> piece(kDumpPiece);
  while (length > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length, kDumpPiece));
    PVHGRUB_TRY(evaluator.session().budget.charge_bytes(wanted, "dumping a file"));
    // A line of 16 bytes is put together from pieces, which takes as long as some eight commands.
    PVHGRUB_TRY(evaluator.session().budget.charge_steps(wanted / 2, "dumping a file"));
    PVHGRUB_TRY_ASSIGN(const std::size_t count, read(offset, std::span(piece).first(wanted)));
    if (count == 0) break;
    PVHGRUB_TRY(evaluator.print(dump(offset, Bytes(piece).first(count))));
    offset += count;
    length -= count;
  }
  return kStatusOk;
}

Result<Status> dump_device(Evaluator& evaluator, std::string_view name, std::uint64_t skip,
                           std::uint64_t length) {
  const std::optional<std::string> device = FileAccess(evaluator).resolve_device(name);
  fs::Devices* const devices = evaluator.session().devices;
  fs::BlockSource* const source = device && devices != nullptr ? devices->source(*device) : nullptr;
  if (source == nullptr) {
    evaluator.raise(kStatusUnknownDevice, "disk `" + std::string(name) + "' not found");
    return kStatusOk;
  }
  return dump_bytes(evaluator, skip, length,
                    [&](std::uint64_t offset, std::span<std::byte> out) -> Result<std::size_t> {
                      const std::uint64_t left = offset < source->size() ? source->size() - offset : 0;
                      out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left)));
                      const Result<void> read = source->read_at(offset, out);
                      if (!read && is_fatal(read.error())) return std::unexpected(read.error());
                      return read ? out.size() : 0;
                    });
}

// hexdump [-s SKIP] [-n LENGTH] FILE: whatever happens, GRUB is content.
Result<Status> run_hexdump(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 2> kOptions = {{{"skip", 's', true, false}, {"length", 'n', true, false}}};
  constexpr std::uint64_t kDefaultLength = 256;
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, kPlain, parsed)) return evaluator.error();
  std::array<std::uint64_t, 2> numbers = {0, kDefaultLength};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string* const value = parsed.options[i].value();
    if (value == nullptr) continue;
    const ParsedNumber number = parse_number(*value, 0);
    if (number.status != kStatusOk || !number.rest.empty())
      return evaluator.raise(kStatusBadArgument, std::string("the argument `-") + kOptions[i].short_name +
                                                     "' requires an integer");
    numbers[i] = number.value;
  }
  const auto [skip, length] = numbers;
  if (parsed.arguments.size() != 1) return evaluator.raise(kStatusBadArgument, "filename expected");
  const std::string& name = parsed.arguments[0];
  if (name == "(mem)") return kStatusOk;
  if (name.starts_with('(') && name.ends_with(')'))
    return dump_device(evaluator, std::string_view(name).substr(1, name.size() - 2), skip, length);
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> file, open_named(evaluator, name));
  if (!file) return kStatusOk;
  if (skip > file->size()) {
    evaluator.raise(kStatusOutOfRange, "attempt to read past the end of file");
    return kStatusOk;
  }
  return dump_bytes(evaluator, skip, length == 0 ? file->size() : length,
                    [&](std::uint64_t offset, std::span<std::byte> out) -> Result<std::size_t> {
                      Result<std::size_t> count = file->read(offset, out);
                      if (count || is_fatal(count.error())) return count;
                      PVHGRUB_TRY(FileAccess(evaluator).report(std::move(count).error(), {"", name}));
                      return std::size_t{0};
                    });
}

// testload, testspeed, blocklist: what they print is for GRUB's developers; whether the file is there counts.
Result<Status> run_open_only(Evaluator& evaluator, const CommandCall& call) {
  if (call.arguments.empty()) return evaluator.raise(kStatusBadArgument, "filename expected");
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> file, open_named(evaluator, call.arguments.back()));
  return file ? kStatusOk : evaluator.error();
}

// tr [--set VARIABLE] [-U | -D] [SET1 SET2] [TEXT]
Result<Status> run_tr(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::array<OptionSpec, 3> kOptions = {
      {{"set", 's', true, false}, {"upcase", 'U', false, false}, {"downcase", 'D', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, kPlain, parsed)) return evaluator.error();
  const std::vector<std::string>& arguments = parsed.arguments;
  if (arguments.size() > 3) return evaluator.raise(kStatusBadArgument, "too many parameters");
  const std::string* const variable = parsed.options[0].value();
  std::optional<std::string_view> from;
  std::optional<std::string_view> to;
  std::optional<std::string> text;
  if (variable != nullptr)
    if (const std::string* value = evaluator.environment().get(*variable)) text = *value;
  if (parsed.options[1].set) {
    from = kLower;
    to = kUpper;
  }
  if (parsed.options[2].set) {
    from = kUpper;
    to = kLower;
  }
  if (arguments.size() >= 2) {
    from = arguments[0];
    to = arguments[1];
  }
  if (arguments.size() % 2 == 1) text = arguments.back();
  if (!from || !to || !text) return evaluator.raise(kStatusBadArgument, "missing parameters");
  if (from->size() != to->size()) return evaluator.raise(kStatusBadArgument, "set sizes did not match");
  PVHGRUB_TRY(evaluator.session().budget.charge_steps(1 + text->size() / 8 * (1 + from->size() / 64),
                                                      "translating characters"));
  for (char& c : *text)
    if (const std::size_t place = from->find(c); place != std::string_view::npos) c = (*to)[place];
  if (variable == nullptr) {
    PVHGRUB_TRY(evaluator.print(*text + "\n"));
  } else {
    PVHGRUB_TRY(evaluator.set_variable(*variable, *text));
  }
  return kStatusOk;
}

// `time COMMAND ...` runs the command; how long it took is of no use to a boot.
Result<Status> run_time(Evaluator& evaluator, const CommandCall& call) {
  std::span<const std::string> words = call.arguments;
  while (!words.empty() && words.front() == "time") words = words.subspan(1);
  if (words.empty()) return evaluator.raise(kStatusBadArgument, "no command is specified");
  const CommandEntry* const command = find_command(words.front());
  if (command == nullptr)
    return evaluator.raise(kStatusUnknownCommand, "can't find command `" + words.front() + "'");
  return command->run(evaluator, CommandCall{words.front(), words.subspan(1), nullptr});
}

Result<Status> run_hello(Evaluator& evaluator, const CommandCall&) {
  PVHGRUB_TRY(evaluator.print("Hello World\n"));
  return kStatusOk;
}

constexpr std::array kCommands = {
    CommandEntry{"cmp", run_cmp},
    CommandEntry{"file", run_file},
    CommandEntry{"hexdump", run_hexdump},
    CommandEntry{"testload", run_open_only},
    CommandEntry{"testspeed", run_open_only},
    CommandEntry{"blocklist", run_open_only},
    CommandEntry{"tr", run_tr},
    CommandEntry{"time", run_time},
    CommandEntry{"hello", run_hello},
};

}  // namespace

std::span<const CommandEntry> inspection_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
