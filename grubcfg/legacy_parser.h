// SPDX-License-Identifier: LGPL-2.1-or-later
// The text of a menu.lst (GRUB Legacy manual, "Configuration") cut into what stands before the first title,
// and entries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "grubcfg/diagnostics.h"

namespace pvhgrub::grubcfg {

/// The commands of GRUB 0.97 and of the patches that distributions put on it.
enum class LegacyCommand : std::uint8_t {
  kBoot,
  kChainloader,
  kConfigfile,
  kDefault,
  kFallback,
  kFind,
  kHiddenmenu,
  kInitrd,
  kKernel,
  kLeave,  ///< halt, quit, reboot
  kLock,
  kModule,
  kPassword,
  kRoot,
  kSavedefault,
  kTimeout,
  kTitle,
  kUuid,           ///< Debian's and Ubuntu's: the root is the file system with this UUID
  kWithoutEffect,  ///< on what is booted: colours, terminals, drive maps, ...
};

/// One command with its arguments as GRUB reads them: tabs are blanks, a backslash before the line's end is
/// one as well, carriage returns are nothing.
struct LegacyLine {
  std::string name;          ///< "kernel"
  std::string argument;      ///< what follows the name and any blanks and '='; blanks at its end are kept
  std::size_t begin = 0;     ///< where its name stands in the text
  std::uint32_t number = 0;  ///< of the line it begins on, from 1
  bool too_long = false;     ///< more than limits::kWordBytes: cut there
};

/// Goes through a text command by command; comments (a '#' first on the line) and empty lines are left out.
class LegacyLineReader {
 public:
  /// `offset` must be where a line begins, and `number` that line's.
  explicit LegacyLineReader(std::string_view text, std::size_t offset = 0, std::uint32_t number = 1)
      : text_(text), offset_(offset), number_(number) {}

  /// No value at the end of the text.
  [[nodiscard]] std::optional<LegacyLine> next();
  /// Where the line begins that is read next.
  [[nodiscard]] std::size_t offset() const { return offset_; }
  /// Its number.
  [[nodiscard]] std::uint32_t number() const { return number_; }

 private:
  std::string_view text_;
  std::size_t offset_;
  std::uint32_t number_;
};

/// A command where it stands in the text, to be read again: small, since a menu may have many.
struct LegacyStatement {
  std::uint32_t offset = 0;
  std::uint32_t line = 0;
  LegacyCommand command = LegacyCommand::kWithoutEffect;
};

struct LegacyEntry {
  std::string title;
  std::uint32_t line = 0;             ///< of the title
  std::uint32_t first_statement = 0;  ///< in LegacyConfiguration::statements
  std::uint32_t statement_count = 0;  ///< at least one
  std::uint32_t body_begin = 0;       ///< of the text after the title's line
  std::uint32_t body_end = 0;
};

struct LegacyConfiguration {
  std::string text;
  std::string name;                     ///< for messages
  std::vector<LegacyStatement> header;  ///< before the first title, only those with an effect there
  std::vector<LegacyEntry> entries;
  std::vector<LegacyStatement> statements;  ///< of all entries

  [[nodiscard]] LegacyLine read(const LegacyStatement& statement) const;
  /// "file:line"
  [[nodiscard]] std::string where(std::uint32_t line) const { return name + ":" + std::to_string(line); }
};

/// As GRUB does, skips commands that it does not know, and titles without a command after them, with a
/// notice. A Result's error is kLimit.
[[nodiscard]] Result<LegacyConfiguration> parse_legacy_configuration(std::string text, std::string name,
                                                                     Budget& budget,
                                                                     Diagnostics& diagnostics);

/// The decimal or hexadecimal (0x) number at the beginning of `text`, taken off it; no value where there is
/// none, or it is larger than an int.
[[nodiscard]] std::optional<std::uint32_t> take_legacy_number(std::string_view& text);

/// The text up to the first blank, and what follows the blanks.
struct LegacyWords {
  std::string_view first;
  std::string_view rest;
};
[[nodiscard]] LegacyWords split_legacy_words(std::string_view text);

}  // namespace pvhgrub::grubcfg
