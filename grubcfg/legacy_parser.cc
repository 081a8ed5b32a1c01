// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/legacy_parser.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

/// A notice goes through the worker's channel, which takes as long as some fifty lines.
constexpr std::uint64_t kNoticeSteps = 50;
/// What GRUB 0.97 itself reads of a line, in bytes.
constexpr std::size_t kOwnLineBytes = 1500;

struct CommandName {
  std::string_view name;
  LegacyCommand command = LegacyCommand::kWithoutEffect;
};

/// Sorted by name. Of the commands that are not GRUB 0.97's own, background, foreground, splashimage and
/// viewport are of the graphics patch, gfxmenu of SUSE's, quiet and uuid of Debian's and Ubuntu's, silent and
/// verbose of Solaris', print of Debian's, shade and viewport of Gentoo's.
constexpr std::array kCommands = {
    CommandName{"background"},
    CommandName{"blocklist"},
    CommandName{"boot", LegacyCommand::kBoot},
    CommandName{"bootp"},
    CommandName{"cat"},
    CommandName{"chainloader", LegacyCommand::kChainloader},
    CommandName{"clear"},
    CommandName{"cmp"},
    CommandName{"color"},
    CommandName{"configfile", LegacyCommand::kConfigfile},
    CommandName{"debug"},
    CommandName{"default", LegacyCommand::kDefault},
    CommandName{"device"},
    CommandName{"dhcp"},
    CommandName{"displayapm"},
    CommandName{"displaymem"},
    CommandName{"dump"},
    CommandName{"efimap"},
    CommandName{"embed"},
    CommandName{"fallback", LegacyCommand::kFallback},
    CommandName{"find", LegacyCommand::kFind},
    CommandName{"foreground"},
    CommandName{"fstest"},
    CommandName{"geometry"},
    CommandName{"gfxmenu"},
    CommandName{"halt", LegacyCommand::kLeave},
    CommandName{"help"},
    CommandName{"hiddenmenu", LegacyCommand::kHiddenmenu},
    CommandName{"hide"},
    CommandName{"ifconfig"},
    CommandName{"impsprobe"},
    CommandName{"initrd", LegacyCommand::kInitrd},
    CommandName{"install"},
    CommandName{"ioprobe"},
    CommandName{"kernel", LegacyCommand::kKernel},
    CommandName{"lock", LegacyCommand::kLock},
    CommandName{"makeactive"},
    CommandName{"map"},
    CommandName{"md5crypt"},
    CommandName{"module", LegacyCommand::kModule},
    CommandName{"modulenounzip", LegacyCommand::kModule},
    CommandName{"pager"},
    CommandName{"partnew"},
    CommandName{"parttype"},
    CommandName{"password", LegacyCommand::kPassword},
    CommandName{"pause"},
    CommandName{"print"},
    CommandName{"quiet"},
    CommandName{"quit", LegacyCommand::kLeave},
    CommandName{"rarp"},
    CommandName{"read"},
    CommandName{"reboot", LegacyCommand::kLeave},
    CommandName{"root", LegacyCommand::kRoot},
    CommandName{"rootnoverify", LegacyCommand::kRoot},
    CommandName{"savedefault", LegacyCommand::kSavedefault},
    CommandName{"serial"},
    CommandName{"setkey"},
    CommandName{"setup"},
    CommandName{"shade"},
    CommandName{"silent"},
    CommandName{"splashimage"},
    CommandName{"terminal"},
    CommandName{"terminfo"},
    CommandName{"testload"},
    CommandName{"testvbe"},
    CommandName{"tftpserver"},
    CommandName{"timeout", LegacyCommand::kTimeout},
    CommandName{"title", LegacyCommand::kTitle},
    CommandName{"unhide"},
    CommandName{"uppermem"},
    CommandName{"uuid", LegacyCommand::kUuid},
    CommandName{"vbeprobe"},
    CommandName{"verbose"},
    CommandName{"viewport"},
};
static_assert(std::ranges::is_sorted(kCommands, {}, &CommandName::name));

std::optional<LegacyCommand> find_legacy_command(std::string_view name) {
  const auto found = std::ranges::lower_bound(kCommands, name, {}, &CommandName::name);
  if (found == kCommands.end() || found->name != name) return std::nullopt;
  return found->command;
}

bool has_effect_in_header(LegacyCommand command) {
  switch (command) {
    case LegacyCommand::kDefault:
    case LegacyCommand::kFallback:
    case LegacyCommand::kHiddenmenu:
    case LegacyCommand::kPassword:
    case LegacyCommand::kTimeout:
      return true;
    default:
      return false;
  }
}

/// What a person may have meant for all entries, and GRUB passes over.
bool is_for_entries_only(LegacyCommand command) {
  switch (command) {
    case LegacyCommand::kChainloader:
    case LegacyCommand::kConfigfile:
    case LegacyCommand::kInitrd:
    case LegacyCommand::kKernel:
    case LegacyCommand::kModule:
    case LegacyCommand::kRoot:
    case LegacyCommand::kUuid:
      return true;
    default:
      return false;
  }
}

class LegacyParser {
 public:
  LegacyParser(std::string text, std::string name, Budget& budget, Diagnostics& diagnostics)
      : budget_(budget), diagnostics_(diagnostics) {
    configuration_.text = std::move(text);
    configuration_.name = std::move(name);
  }

  Result<LegacyConfiguration> parse();

 private:
  /// `before` and `end`: what was read for the line, with what is left out in front of it.
  Result<void> take(const LegacyLine& line, std::size_t before, std::size_t end);
  Result<void> begin_entry(const LegacyLine& line, std::size_t end);
  Result<void> end_entry(std::size_t end);
  Result<void> notice(std::uint32_t line, std::string message);

  Budget& budget_;
  Diagnostics& diagnostics_;
  LegacyConfiguration configuration_;
  bool in_entry_ = false;
};

Result<void> LegacyParser::notice(std::uint32_t line, std::string message) {
  PVHGRUB_TRY(budget_.charge_steps(kNoticeSteps, "reporting on a boot configuration"));
  diagnostics_.notice(configuration_.where(line), std::move(message));
  return {};
}

// GRUB drops an entry that has not one command, so that it does not count among the numbers.
Result<void> LegacyParser::end_entry(std::size_t end) {
  if (!in_entry_) return {};
  LegacyEntry& entry = configuration_.entries.back();
  entry.body_end = static_cast<std::uint32_t>(end);
  if (entry.statement_count > 0) return {};
  const std::uint32_t line = entry.line;
  const std::string title = std::move(entry.title);
  configuration_.entries.pop_back();
  return notice(line, "the title `" + title + "' has no command after it, and so is no entry");
}

Result<void> LegacyParser::begin_entry(const LegacyLine& line, std::size_t end) {
  in_entry_ = true;
  if (configuration_.entries.size() >= limits::kMenuEntries)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kMenuEntries) + " menu entries",
                configuration_.where(line.number));
  LegacyEntry entry;
  // Nobody sees blanks at a title's end, which would only keep --entry from finding it.
  entry.title = line.argument.substr(0, line.argument.find_last_not_of(' ') + 1);
  entry.line = line.number;
  entry.first_statement = static_cast<std::uint32_t>(configuration_.statements.size());
  entry.body_begin = static_cast<std::uint32_t>(end);
  PVHGRUB_TRY(budget_.charge_bytes(sizeof(LegacyEntry) + entry.title.size(), "making menu entries"));
  configuration_.entries.push_back(std::move(entry));
  return {};
}

Result<void> LegacyParser::take(const LegacyLine& line, std::size_t before, std::size_t end) {
  if (line.too_long)
    return notice(line.number,
                  "a line of more than " + std::to_string(limits::kWordBytes) + " bytes is left out");
  if (line.name.empty()) return {};
  const std::optional<LegacyCommand> command = find_legacy_command(line.name);
  if (!command)
    return notice(line.number, "GRUB Legacy has no command `" + line.name + "': the line is left out");
  if (end - line.begin > kOwnLineBytes)
    PVHGRUB_TRY(notice(line.number, "GRUB Legacy itself reads only " + std::to_string(kOwnLineBytes) +
                                        " bytes of a line; here all of it counts"));
  if (*command == LegacyCommand::kTitle) {
    PVHGRUB_TRY(end_entry(before));
    return begin_entry(line, end);
  }
  std::vector<LegacyStatement>& list = in_entry_ ? configuration_.statements : configuration_.header;
  if (!in_entry_ && !has_effect_in_header(*command)) {
    if (!is_for_entries_only(*command)) return {};
    return notice(line.number, "`" + line.name + "' has no effect before the first title");
  }
  if (configuration_.statements.size() + configuration_.header.size() >= limits::kLegacyStatements)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kLegacyStatements) + " commands",
                configuration_.where(line.number));
  list.push_back({static_cast<std::uint32_t>(line.begin), line.number, *command});
  if (in_entry_) ++configuration_.entries.back().statement_count;
  return {};
}

Result<LegacyConfiguration> LegacyParser::parse() {
  if (configuration_.text.size() > limits::kConfigurationBytes)
    return fail(ErrorCode::kLimit,
                "a boot configuration of " + std::to_string(configuration_.text.size()) + " bytes",
                configuration_.name);
  LegacyLineReader reader(configuration_.text);
  while (true) {
    const std::size_t offset = reader.offset();
    const std::uint32_t number = reader.number();
    const std::optional<LegacyLine> line = reader.next();
    PVHGRUB_TRY(budget_.charge_steps(1 + (reader.number() - number) + (reader.offset() - offset) / 64,
                                     "reading a boot configuration"));
    if (!line) break;
    PVHGRUB_TRY(take(*line, offset, reader.offset()));
  }
  PVHGRUB_TRY(end_entry(configuration_.text.size()));
  return std::move(configuration_);
}

}  // namespace

// The rules of GRUB 0.97's get_line_from_config: a backslash keeps a line open, also that of a comment.
std::optional<LegacyLine> LegacyLineReader::next() {
  LegacyLine line;
  std::string text;
  bool after_backslash = false;
  bool in_comment = false;
  bool ended = false;
  while (!ended && offset_ < text_.size()) {
    char c = text_[offset_++];
    const std::uint32_t number = number_;
    if (c == '\n') ++number_;
    if (c == '\r') continue;
    if (c == '\t') c = ' ';
    if (after_backslash && c == '\n') {
      c = ' ';
      if (!text.empty()) text.pop_back();
    }
    after_backslash = c == '\\';
    if (in_comment) {
      in_comment = c != '\n';
    } else if (text.empty()) {
      if (c == '#') {
        in_comment = true;
      } else if (c != ' ' && c != '\n') {
        text += c;
        line.begin = offset_ - 1;
        line.number = number;
      }
    } else if (c == '\n') {
      ended = true;
    } else if (text.size() < limits::kWordBytes) {
      text += c;
    } else {
      line.too_long = true;
    }
  }
  if (text.empty()) return std::nullopt;
  // To GRUB a line is a C string.
  text.resize(std::min(text.find('\0'), text.size()));
  const std::size_t name_end = std::min(text.find_first_of(" ="), text.size());
  line.name = text.substr(0, name_end);
  line.argument = text.substr(std::min(text.find_first_not_of(" =", name_end), text.size()));
  return line;
}

LegacyLine LegacyConfiguration::read(const LegacyStatement& statement) const {
  return LegacyLineReader(text, statement.offset, statement.line).next().value_or(LegacyLine());
}

Result<LegacyConfiguration> parse_legacy_configuration(std::string text, std::string name, Budget& budget,
                                                       Diagnostics& diagnostics) {
  return LegacyParser(std::move(text), std::move(name), budget, diagnostics).parse();
}

std::optional<std::uint32_t> take_legacy_number(std::string_view& text) {
  constexpr std::uint64_t kMaximum = std::numeric_limits<std::int32_t>::max();
  std::string_view rest = text;
  std::uint64_t base = 10;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  }
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (; digits < rest.size(); ++digits) {
    const char c = rest[digits];
    std::uint64_t digit = base;
    if (c >= '0' && c <= '9') digit = static_cast<std::uint64_t>(c - '0');
    if (base == 16 && c >= 'a' && c <= 'f') digit = static_cast<std::uint64_t>(c - 'a') + 10;
    if (base == 16 && c >= 'A' && c <= 'F') digit = static_cast<std::uint64_t>(c - 'A') + 10;
    if (digit == base) break;
    value = value * base + digit;
    if (value > kMaximum) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text = rest.substr(digits);
  return static_cast<std::uint32_t>(value);
}

LegacyWords split_legacy_words(std::string_view text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::size_t next = std::min(text.find_first_not_of(' ', end), text.size());
  return {text.substr(0, end), text.substr(next)};
}

}  // namespace pvhgrub::grubcfg
