// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/unified_addons.h"

#include <algorithm>

#include "base/limits.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/pe_file.h"

namespace pvhgrub::grubcfg {

namespace {

bool ends_with_ignoring_case(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() &&
         equal_ignoring_case(text.substr(text.size() - suffix.size()), suffix);
}

/// As systemd-stub chooses: no hidden file, no directory, ASCII names only.
bool is_candidate(const fs::DirectoryEntry& entry) {
  return !entry.name.starts_with('.') && entry.type != fs::FileType::kDirectory &&
         std::ranges::all_of(entry.name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

Result<UnifiedAddon> read_addon(fs::File& opened, const FileReference& file, Budget& budget) {
  UnifiedAddon addon;
  addon.file = file;
  PVHGRUB_TRY_ASSIGN(const bootimage::PeImage image, read_pe_file(opened, budget));
  addon.machine = image.machine;
  // Addons have no profiles: this is all of it.
  addon.sections = unified_profiles(image).front();
  if (addon.sections.get(UnifiedSection::kLinux))
    return fail(ErrorCode::kWrongType, "it has a kernel of its own, so it is no addon");
  if (const auto& part = addon.sections.get(UnifiedSection::kCommandLine)) {
    PVHGRUB_TRY_ASSIGN(const std::string text, read_text_part(opened, *part, budget));
    addon.command_line = clean_command_line(text);
  }
  if (const auto& part = addon.sections.get(UnifiedSection::kUname)) {
    PVHGRUB_TRY_ASSIGN(addon.uname, read_text_part(opened, *part, budget));
    addon.uname_is_whole = addon.uname->size() < part->size;
  }
  return addon;
}

}  // namespace

std::string clean_command_line(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  std::string clean(text);
  std::ranges::replace_if(clean, is_blank, ' ');
  return clean;
}

bool UnifiedAddon::fits(std::uint16_t image_machine, const std::optional<std::string>& image_uname) const {
  if (machine != image_machine) return false;
  if (!uname || !image_uname) return true;
  return uname_is_whole ? *image_uname == *uname : image_uname->starts_with(*uname);
}

Result<Companions> read_companions(GuestFiles files, const FileReference& directory, Budget& budget,
                                   Diagnostics& diagnostics) {
  Companions companions;
  PVHGRUB_TRY_ASSIGN(std::vector<fs::DirectoryEntry> entries, files.list(directory));
  std::ranges::sort(entries, {}, &fs::DirectoryEntry::name);
  for (const fs::DirectoryEntry& entry : entries) {
    if (!is_candidate(entry)) continue;
    if (ends_with_ignoring_case(entry.name, ".cred") || ends_with_ignoring_case(entry.name, ".raw"))
      companions.unsupported.push_back(entry.name);
    if (!ends_with_ignoring_case(entry.name, ".addon.efi")) continue;
    const FileReference file{directory.device, join_path(directory.path, entry.name)};
    if (companions.addons.size() >= limits::kUnifiedAddons) {
      diagnostics.notice(file.to_string(), "this addon and later ones are left out: there are more than " +
                                               std::to_string(limits::kUnifiedAddons));
      break;
    }
    std::string why;
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files.open(file, &why));
    Result<UnifiedAddon> addon = opened ? read_addon(*opened, file, budget) : fail(ErrorCode::kIo, why);
    if (addon) {
      companions.addons.push_back(std::move(*addon));
    } else if (is_fatal(addon.error())) {
      return std::unexpected(at(file.to_string(), std::move(addon).error()));
    } else {
      diagnostics.notice(file.to_string(), "this addon is left out: " + addon.error().describe());
    }
  }
  return companions;
}

}  // namespace pvhgrub::grubcfg
