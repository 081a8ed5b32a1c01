// SPDX-License-Identifier: LGPL-2.1-or-later
// Entries of menus without a language as a person edits them: "linux FILE ARGUMENTS", "initrd FILE",
// "devicetree FILE", "chainloader FILE ARGUMENTS", one a line.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

/// The lines of an entry. A file is written as FileReference::to_string(), with a backslash in front of
/// blanks, quotes and backslashes; all that follows linux's file and one blank is the command line as it is.
/// Where the entry loads nothing, `source`, its text in the configuration, stands there as comments.
[[nodiscard]] std::string make_editable_text(const BootEntry& entry, std::string_view source);

/// The body of an entry in GRUB's language as a person edits it: without empty lines around it and, where
/// that changes nothing of what it means, without the indentation that all of its lines share.
[[nodiscard]] std::string make_editable_script(std::string_view body);

/// Whether `text` is still `editable`, but for newlines at its end.
[[nodiscard]] bool is_unchanged(std::string_view text, std::string_view editable);

/// What an entry becomes by a text that make_editable_text() made of it and a person changed. What the text
/// does not show (a hypervisor, environment blocks) stays. `device`: of names without one. BootEntry::error
/// tells the line that is wrong, or the file that is not there. The error is kLimit and the like.
[[nodiscard]] Result<BootEntry> read_edited_entry(const BootEntry& original, std::string_view text,
                                                  const std::string& device, const GuestFiles& files,
                                                  const fs::Devices* devices, Budget& budget);

/// Sets BootEntry::error where the kernel, a hypervisor or an initrd is not there.
[[nodiscard]] Result<void> check_files_of(BootEntry& entry, GuestFiles files);

}  // namespace pvhgrub::grubcfg
