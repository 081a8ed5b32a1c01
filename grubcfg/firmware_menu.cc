// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/firmware_menu.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// A guest of Xen has the host's processor, or its 32-bit mode.
#if defined(__aarch64__)
constexpr std::array<std::string_view, 3> kPrograms = {"bootaa64.efi", "bootx64.efi", "bootia32.efi"};
#else
constexpr std::array<std::string_view, 3> kPrograms = {"bootx64.efi", "bootia32.efi", "bootaa64.efi"};
#endif

Result<std::vector<std::string>> names_like(GuestFiles& files, const FileReference& directory,
                                            std::string_view wanted) {
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files.list(directory));
  std::vector<std::string> names;
  for (const fs::DirectoryEntry& entry : entries)
    if (equal_ignoring_case(entry.name, wanted)) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

/// The programs of one EFI/BOOT directory, in the order of kPrograms.
Result<std::vector<std::string>> programs_in(GuestFiles& files, const FileReference& directory) {
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries, files.list(directory));
  std::vector<std::string> found;
  for (const std::string_view wanted : kPrograms) {
    for (const fs::DirectoryEntry& entry : entries) {
      if (!equal_ignoring_case(entry.name, wanted)) continue;
      std::string path = directory.path + "/" + entry.name;
      PVHGRUB_TRY_ASSIGN(const bool there, files.is_file({directory.device, path}));
      if (there) found.push_back(std::move(path));
    }
  }
  return found;
}

PlainEntry entry_for(const std::string& device, const std::string& path) {
  PlainEntry entry;
  entry.shown.title = "EFI program " + path;
  entry.shown.id = path.substr(path.rfind('/') + 1);
  entry.boot.kind = BootEntry::Kind::kChainloader;
  entry.boot.loader_command = "chainloader";
  entry.boot.kernel = {device, path};
  entry.source = "chainloader " + entry.boot.kernel.to_string() + "\n";
  return entry;
}

}  // namespace

Result<std::optional<std::string>> find_default_efi_program(GuestFiles files, const std::string& device) {
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> roots, names_like(files, {device, "/"}, "efi"));
  for (const std::string& root : roots) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::string> boots, names_like(files, {device, "/" + root}, "boot"));
    for (const std::string& boot : boots) {
      PVHGRUB_TRY_ASSIGN(std::vector<std::string> programs,
                         programs_in(files, {device, "/" + root + "/" + boot}));
      if (!programs.empty()) return std::move(programs.front());
    }
  }
  return std::nullopt;
}

Result<std::unique_ptr<Menu>> load_firmware_menu(const MenuContext& context,
                                                 const ConfigurationSource& source) {
  std::vector<PlainEntry> entries;
  entries.push_back(entry_for(source.device, source.path));
  GuestFiles files = context.files();
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> others,
                     programs_in(files, {source.device, source.path.substr(0, source.path.rfind('/'))}));
  for (const std::string& path : others)
    if (path != source.path) entries.push_back(entry_for(source.device, path));
  PlainMenuSettings settings;
  settings.timeout = 0;
  settings.timeout_style = TimeoutStyle::kHidden;
  return std::make_unique<PlainMenu>(context, source, std::move(entries), std::move(settings));
}

}  // namespace pvhgrub::grubcfg
