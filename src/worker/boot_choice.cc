// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/boot_choice.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "grubcfg/hypervisor.h"

namespace pvhgrub::worker {

using grubcfg::BootEntry;
using grubcfg::Choice;
using protocol::HostFile;

namespace {

// The firmware's own rule: what it starts has this ending. FAT knows no case.
bool names_efi_program(std::string_view path) {
  constexpr std::string_view kEnding = ".efi";
  return path.size() > kEnding.size() &&
         std::ranges::equal(path.substr(path.size() - kEnding.size()), kEnding, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

}  // namespace

bool starts_efi_program(const BootEntry& entry, const protocol::Request& request) {
  return entry.error.empty() && entry.kind == BootEntry::Kind::kChainloader &&
         names_efi_program(entry.kernel.path) && !request.bare_configuration;
}

Error not_linux(const Choice& choice) {
  Error error{ErrorCode::kNoEntry, "", "entry \"" + choice.title + "\"", 0};
  if (!choice.entry.error.empty()) {
    error.message = choice.entry.error;
  } else if (choice.entry.kind == BootEntry::Kind::kChainloader) {
    error.message = "it starts another boot loader (" + choice.entry.kernel.to_string() +
                    "), which a guest without firmware cannot; choose a Linux entry with --entry";
  } else if (choice.entry.kind == BootEntry::Kind::kOther) {
    error.message = "it loads by \"" + choice.entry.loader_command +
                    "\", which is no Linux kernel; choose a Linux entry with --entry";
  } else {
    error.message = "it loads no kernel; choose another with --entry";
  }
  return error;
}

Result<void> settle_choice(Choice& choice, const protocol::Request& request) {
  if (!choice.entry.bootable() && !starts_efi_program(choice.entry, request))
    return std::unexpected(not_linux(choice));
  if (!request.boots_hypervisor) return {};
  if (auto boots = grubcfg::boot_hypervisor_of(choice.entry); !boots)
    return std::unexpected(at("entry \"" + choice.title + "\"", std::move(boots).error()));
  return {};
}

Result<void> check_command_line(const Choice& choice) {
  const std::string& line = choice.entry.command_line;
  const std::string where = choice.title.empty() ? "" : "entry \"" + choice.title + "\"";
  if (line.size() > limits::kCommandLineBytes)
    return fail(ErrorCode::kLimit,
                "the command line has " + std::to_string(line.size()) + " bytes, more than the " +
                    std::to_string(limits::kCommandLineBytes) +
                    " that libxl passes on; shorten it in the guest",
                where);
  if (line.find('\0') != std::string::npos)
    return fail(ErrorCode::kDamaged, "the command line holds a NUL byte", where);
  return {};
}

BootFacts boot_facts(const BootEntry& entry, const protocol::Request& request, const HostFiles& host_files) {
  BootFacts facts;
  facts.request = request.boot;
  facts.guest_type = request.guest_type;
  facts.is_efi_entry = entry.unified_image.has_value();
  facts.has_firmware = host_files.find(HostFile::Role::kFirmware) != nullptr;
  facts.no_firmware = request.no_firmware;
  facts.has_shim_file = host_files.find(HostFile::Role::kShim) != nullptr;
  facts.has_ramdisk = !entry.initrds.empty() || !host_files.ramdisk_members().empty();
  facts.command_line_bytes = entry.command_line.size();
  return facts;
}

}  // namespace pvhgrub::worker
