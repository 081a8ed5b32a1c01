// SPDX-License-Identifier: LGPL-2.1-or-later
// GRUB 2's reading of a syslinux configuration: its commands syslinux_configfile and the like translate one
// into GRUB's language and run that. What syslinux itself would boot is another matter (syslinux.h): GRUB
// knows few of the directives, and the translation has ways of its own. Followed is GRUB 2.06.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "grubcfg/evaluator.h"

namespace pvhgrub::grubcfg {

/// The loader that the configuration was written for, where that is known.
enum class SyslinuxFlavour : std::uint8_t { kUnknown, kIsolinux, kPxelinux, kSyslinux };

/// What GRUB remembers of an entry.
struct TranslatedEntry {
  enum class Kind : std::uint8_t {
    kNone,
    kLinux,
    kChainloader,
    kBin,
    kPxe,
    kChainloaderBpb,
    kCom32,
    kComboot,
    kImage,
    kConfig,
    kLocalboot,
  };
  std::string label;
  std::optional<std::string> title;
  char hotkey = '\0';
  Kind kind = Kind::kNone;
  std::string kernel;    ///< the rest of its line; of CONFIG the first word
  std::string argument;  ///< of CONFIG: the words behind
  std::optional<std::string> append;
  std::vector<std::string> initrds;
  std::vector<std::string> says;
};

/// A configuration file as GRUB reads it.
struct TranslatedFile {
  std::string name;       ///< as GRUB opens it
  std::string root;       ///< directory that names with a leading '/' begin in
  std::string directory;  ///< the one that other names begin in
  const TranslatedFile* parent = nullptr;
  SyslinuxFlavour flavour = SyslinuxFlavour::kUnknown;
  std::vector<TranslatedEntry> entries;
  std::optional<std::string> default_label;
  std::optional<std::string> background;
  std::vector<std::string> says;
  std::uint64_t timeout = 0;  ///< tenths of a second
};

/// Reads the file that file.name names into `file`. False, with GRUB's error raised, where GRUB stops at an
/// error. A Result's error is fatal.
[[nodiscard]] Result<bool> read_for_translation(Evaluator& evaluator, TranslatedFile& file);

/// The script that the file, and those it leads to, are translated into. No value as above.
[[nodiscard]] Result<std::optional<std::string>> translate_syslinux(Evaluator& evaluator,
                                                                    TranslatedFile& file);

/// The full name of a file that the configuration names.
[[nodiscard]] std::string name_in(const TranslatedFile& file, std::string_view name);

}  // namespace pvhgrub::grubcfg
