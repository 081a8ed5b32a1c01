// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_reader.h"

#include <algorithm>

#include "base/limits.h"
#include "bootimage/pe.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kType1Suffix = ".conf";
constexpr std::string_view kType2Suffix = ".efi";

/// What the specification calls the machine that `cpu` (GrubSettings) stands for: guests of Xen on x86 run
/// 64-bit kernels whatever GRUB is built for.
std::string architecture_of(std::string_view cpu) {
  return cpu == "arm64" ? "aa64" : "x64";
}

std::uint16_t machine_of(std::string_view architecture) {
  return architecture == "aa64" ? bootimage::kPeMachineArm64 : bootimage::kPeMachineAmd64;
}

/// systemd-boot takes no hidden files, and keeps "auto-" for entries of its own.
bool is_entry_name(const fs::DirectoryEntry& entry, std::string_view suffix) {
  const std::string_view name = entry.name;
  return entry.type != fs::FileType::kDirectory && !name.starts_with('.') && name.size() > suffix.size() &&
         equal_ignoring_case(name.substr(name.size() - suffix.size()), suffix) &&
         !equal_ignoring_case(name.substr(0, 5), "auto-");
}

/// The entries of one type in a directory, by name.
Result<std::vector<std::string>> entry_names(GuestFiles files, const FileReference& directory,
                                             std::string_view suffix) {
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> all, files.list(directory));
  std::vector<std::string> names;
  for (const fs::DirectoryEntry& entry : all)
    if (is_entry_name(entry, suffix)) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

/// What systemd-boot hands to an EFI program as its load options. In front of a `linux` entry's options it
/// puts its initrds for old kernels; to a unified kernel image that is a command line as any other.
std::string load_options(const Type1Entry& entry) {
  std::string words;
  const auto append = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  if (entry.profile > 0) append("@" + std::to_string(entry.profile));
  if (entry.loader == Type1Entry::Loader::kLinux) {
    for (const std::string& initrd : entry.initrds) {
      std::string path = initrd;
      std::ranges::replace(path, '/', '\\');
      append("initrd=" + path);
    }
  }
  if (!entry.options.empty()) append(entry.options);
  return words;
}

/// Initrds that the boot loader brings go behind the microcode of a unified kernel image (systemd-stub(7)).
void insert_behind_microcode(std::vector<InitrdFile>& initrds, std::vector<InitrdFile> more) {
  const auto place = std::ranges::find_if_not(initrds, [](const InitrdFile& initrd) {
    return initrd.file.part && initrd.file.part->name == ".ucode";
  });
  initrds.insert(place, std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::string_view command_of(Type1Entry::Loader loader) {
  switch (loader) {
    case Type1Entry::Loader::kEfi:
      return "efi";
    case Type1Entry::Loader::kUki:
      return "uki";
    case Type1Entry::Loader::kUrl:
      return "uki-url";
    default:
      return "linux";
  }
}

/// systemd-boot's title for a profile of an image.
std::string profile_title(std::string_view name, const UnifiedProfile& profile, std::size_t number) {
  std::string title(name);
  if (!profile.title.empty()) {
    title += " (" + profile.title + ")";
  } else if (number > 0) {
    title += " (" + (profile.id.empty() ? "Profile #" + std::to_string(number + 1) : profile.id) + ")";
  }
  return title;
}

}  // namespace

BlsReader::BlsReader(const MenuContext& context)
    : context_(context),
      images_(context.files(), context.budget, context.diagnostics),
      architecture_(architecture_of(context.settings.cpu)) {}

void BlsReader::leave_out(const std::string& where, const std::string& why) {
  context_.diagnostics.notice(where, "this entry is left out: " + why);
}

Result<void> BlsReader::add(BlsEntry entry) {
  if (entries_.size() >= limits::kMenuEntries)
    return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kMenuEntries) + " boot entries",
                entry.where);
  entries_.push_back(std::move(entry));
  return {};
}

Result<BootEntry> BlsReader::type1_boot(const Type1Entry& entry, const std::string& device) {
  BootEntry boot;
  boot.kind =
      entry.loader == Type1Entry::Loader::kLinux ? BootEntry::Kind::kLinux : BootEntry::Kind::kChainloader;
  boot.loader_command = command_of(entry.loader);
  boot.kernel = {device, entry.path};
  boot.command_line = entry.options;
  std::vector<InitrdFile> initrds;
  if (entry.loader == Type1Entry::Loader::kLinux)
    for (const std::string& initrd : entry.initrds) initrds.push_back({{device, initrd}, std::nullopt});
  if (!entry.device_tree.empty()) boot.device_tree = FileReference{device, entry.device_tree};
  if (entry.loader == Type1Entry::Loader::kUrl) {
    boot.kernel = {"", entry.path};
    boot.error = "the image comes from the network: " + entry.path;
    return boot;
  }
  PVHGRUB_TRY_ASSIGN(const std::optional<UnifiedImage> image, images_.read(boot.kernel));
  if (image) {
    std::optional<FileReference> device_tree = std::move(boot.device_tree);
    boot = start_unified_image(*image, load_options(entry));
    if (!boot.device_tree) boot.device_tree = std::move(device_tree);
  }
  insert_behind_microcode(boot.initrds, std::move(initrds));
  return boot;
}

Result<void> BlsReader::read_type1_file(const FileReference& file, std::string_view name) {
  const std::string where = file.to_string();
  std::string why;
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> text,
                     context_.files().read(file, limits::kBootEntryBytes, &why));
  if (!text) {
    leave_out(where, why);
    return {};
  }
  text_bytes_ += text->size();
  if (text_bytes_ > limits::kConfigurationBytes)
    return fail(ErrorCode::kLimit,
                "boot entries of more than " + std::to_string(limits::kConfigurationBytes) + " bytes", where);
  PVHGRUB_TRY_ASSIGN(Type1Entry parsed, parse_type1_entry(*text, where, architecture_, unknown_keys_,
                                                          context_.budget, context_.diagnostics));
  if (parsed.is_for_other_machine) {
    context_.diagnostics.explain(where + ": " + parsed.refusal);
    return {};
  }
  if (!parsed.refusal.empty()) {
    leave_out(parsed.refusal_line == 0 ? where : where + ":" + std::to_string(parsed.refusal_line),
              parsed.refusal);
    return {};
  }
  if (parsed.loader != Type1Entry::Loader::kUrl) {
    const FileReference loader{file.device, parsed.path};
    PVHGRUB_TRY_ASSIGN(const bool there, context_.files().is_file(loader));
    if (!there) {
      leave_out(where, "there is no file " + loader.to_string());
      return {};
    }
  }
  BlsEntry entry;
  CountedName counted = split_boot_counter(name, kType1Suffix);
  entry.file_id = to_lower_case(counted.name);
  entry.id = std::move(counted.name);
  entry.counter = counted.counter;
  entry.title = std::move(parsed.title);
  entry.version = std::move(parsed.version);
  entry.machine_id = std::move(parsed.machine_id);
  entry.sort_key = std::move(parsed.sort_key);
  entry.where = where;
  PVHGRUB_TRY_ASSIGN(entry.boot, type1_boot(parsed, file.device));
  entry.source = std::move(*text);
  return add(std::move(entry));
}

Result<void> BlsReader::read_type1(const BootPlace& place) {
  PVHGRUB_TRY_ASSIGN(const FileReference directory,
                     find_in_place(context_.files(), place, {"loader", "entries"}));
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> names,
                     entry_names(context_.files(), directory, kType1Suffix));
  if (!names.empty())
    context_.diagnostics.explain(std::to_string(names.size()) + " entries in " + directory.to_string());
  for (const std::string& name : names)
    PVHGRUB_TRY(read_type1_file({directory.device, join_path(directory.path, name)}, name));
  return {};
}

Result<void> BlsReader::read_type2_file(const FileReference& file, std::string_view name,
                                        bool needs_os_release) {
  const std::string where = file.to_string();
  PVHGRUB_TRY_ASSIGN(std::optional<UnifiedImage> image, images_.read(file));
  if (!image) {
    leave_out(where, "it is no unified kernel image");
    return {};
  }
  if (image->machine != machine_of(architecture_)) {
    context_.diagnostics.explain(where + ": it is for another architecture");
    return {};
  }
  const CountedName counted = split_boot_counter(name, kType2Suffix);
  for (std::size_t number = 0; number < image->profiles.size(); ++number) {
    UnifiedProfile& profile = image->profiles[number];
    const OsRelease release = profile.os_release.value_or(OsRelease());
    BlsEntry entry;
    entry.id = counted.name;
    if (number > 0) entry.id += "@" + (profile.id.empty() ? std::to_string(number) : profile.id);
    if (release.name.empty() && needs_os_release) {
      leave_out(where, "its .osrel does not tell a name, and systemd-boot shows no such image");
      continue;
    }
    entry.file_id = to_lower_case(counted.name);
    entry.profile = static_cast<std::uint32_t>(number);
    entry.title = profile_title(release.name.empty() ? counted.name : release.name, profile, number);
    entry.version = release.version;
    if (!release.sort_key.empty()) entry.sort_key = release.sort_key;
    entry.counter = counted.counter;
    entry.where = where;
    entry.boot = std::move(profile.boot);
    PVHGRUB_TRY(add(std::move(entry)));
  }
  return {};
}

Result<void> BlsReader::read_image(const FileReference& file) {
  return read_type2_file(file, std::string_view(file.path).substr(file.path.rfind('/') + 1), false);
}

Result<void> BlsReader::read_type2(const BootPlace& place, bool needs_os_release) {
  PVHGRUB_TRY_ASSIGN(const FileReference directory, find_in_place(context_.files(), place, {"EFI", "Linux"}));
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> names,
                     entry_names(context_.files(), directory, kType2Suffix));
  if (!names.empty())
    context_.diagnostics.explain(std::to_string(names.size()) + " images in " + directory.to_string());
  for (const std::string& name : names)
    PVHGRUB_TRY(read_type2_file({directory.device, join_path(directory.path, name)}, name, needs_os_release));
  return {};
}

}  // namespace pvhgrub::grubcfg
