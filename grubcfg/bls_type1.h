// SPDX-License-Identifier: LGPL-2.1-or-later
// Entries of type 1 of the Boot Loader Specification, as systemd-boot reads them.
// https://uapi-group.org/specifications/specs/boot_loader_specification/#type-1-boot-loader-specification-entries
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/budget.h"
#include "grubcfg/diagnostics.h"

namespace pvhgrub::grubcfg {

struct Type1Entry {
  enum class Loader : std::uint8_t {
    kNone,   ///< the file names nothing to boot
    kLinux,  ///< `linux`
    kEfi,    ///< `efi`
    kUki,    ///< `uki`
    kUrl,    ///< `uki-url`
  };
  Loader loader = Loader::kNone;
  std::string path;  ///< of the loader, absolute on the entry's file system; the URL for kUrl
  std::string title;
  std::string version;
  std::string machine_id;
  std::optional<std::string> sort_key;
  std::vector<std::string> initrds;  ///< absolute paths
  std::string options;               ///< all of them, with a blank between two
  std::string device_tree;           ///< an absolute path; empty for none
  std::uint32_t profile = 0;         ///< of a unified kernel image
  /// Why systemd-boot leaves the entry out, with the line: empty for an entry that it shows.
  std::string refusal;
  std::size_t refusal_line = 0;
  bool is_for_other_machine = false;  ///< that is why
};

/// Reads one entry's file; `name` is its name for messages. Keys that are not known are told once in
/// `unknown_keys`. `architecture` is this machine's, in the specification's words ("x64"); an entry for
/// another one is refused. A Result's error is kLimit.
[[nodiscard]] Result<Type1Entry> parse_type1_entry(std::string_view text, std::string_view name,
                                                   std::string_view architecture,
                                                   std::set<std::string, std::less<>>& unknown_keys,
                                                   Budget& budget, Diagnostics& diagnostics);

}  // namespace pvhgrub::grubcfg
