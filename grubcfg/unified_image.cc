// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/unified_image.h"

#include <algorithm>
#include <charconv>

#include "grubcfg/boot_counter.h"
#include "grubcfg/file_access.h"
#include "grubcfg/key_value_lines.h"
#include "grubcfg/pe_file.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kLoaderCommand = "uki";

/// Names of files in a message.
constexpr std::size_t kNamedFiles = 5;

void append_words(std::string& line, std::string_view words) {
  if (words.empty()) return;
  if (!line.empty()) line += ' ';
  line += words;
}

/// The directory of what belongs to one image only: a boot counter in the image's name is no part of it.
FileReference companion_directory(const FileReference& file) {
  const std::size_t name = file.path.rfind('/') + 1;
  return {file.device,
          file.path.substr(0, name) + split_boot_counter(file.path.substr(name), ".efi").name + ".extra.d"};
}

void add_initrd(BootEntry& boot, const FileReference& file, const std::optional<FilePart>& part, bool first) {
  if (!part) return;
  InitrdFile initrd{{file.device, file.path, part}, std::nullopt};
  boot.initrds.insert(first ? boot.initrds.begin() : boot.initrds.end(), std::move(initrd));
}

// Each addon's microcode goes in front of all others, since the kernel takes the first that it finds; each
// addon's initrd behind all others, since later files win.
void apply(UnifiedProfile& profile, const UnifiedAddon& addon) {
  add_initrd(profile.boot, addon.file, addon.sections.get(UnifiedSection::kMicrocode), true);
  add_initrd(profile.boot, addon.file, addon.sections.get(UnifiedSection::kInitrd), false);
  append_words(profile.more_command_line, addon.command_line);
}

struct LoadOptions {
  std::size_t profile = 0;
  std::string command_line;
};

LoadOptions parse_load_options(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; })) return {};
  std::uint32_t number = 0;
  if (text.starts_with('@')) {
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    if (error == std::errc() && (rest.empty() || rest.starts_with(' ')))
      return {number, clean_command_line(rest.empty() ? rest : rest.substr(1))};
  }
  return {0, clean_command_line(text)};
}

}  // namespace

Result<std::string> UnifiedImageReader::text(fs::File& opened, const FileReference& file,
                                             const FilePart& part) {
  Result<std::string> text = read_text_part(opened, part, budget_);
  if (text || is_fatal(text.error())) return text;
  diagnostics_.notice(file.to_string(), part.name + " cannot be read: " + text.error().describe());
  return std::string();
}

Result<UnifiedProfile> UnifiedImageReader::read_profile(fs::File& opened, const FileReference& file,
                                                        const UnifiedSections& sections) {
  UnifiedProfile profile;
  BootEntry& boot = profile.boot;
  boot.kind = BootEntry::Kind::kLinux;
  boot.loader_command = kLoaderCommand;
  boot.unified_image = file;
  const std::optional<FilePart>& kernel = sections.get(UnifiedSection::kLinux);
  boot.kernel = {file.device, file.path, kernel};
  if (!kernel) boot.error = file.to_string() + ": this profile has no kernel (.linux)";
  add_initrd(boot, file, sections.get(UnifiedSection::kMicrocode), false);
  add_initrd(boot, file, sections.get(UnifiedSection::kInitrd), false);
  if (const auto& part = sections.get(UnifiedSection::kDeviceTree))
    boot.device_tree = FileReference{file.device, file.path, part};
  if (sections.get(UnifiedSection::kAutomaticDeviceTree))
    diagnostics_.explain(file.to_string() + ": .dtbauto is passed over: it is chosen by the hardware");
  if (const auto& part = sections.get(UnifiedSection::kCommandLine)) {
    Result<std::string> words = read_text_part(opened, *part, budget_);
    if (words) {
      profile.command_line = clean_command_line(*words);
    } else if (is_fatal(words.error())) {
      return std::unexpected(std::move(words).error());
    } else {
      boot.error = file.to_string() + ": .cmdline cannot be read: " + words.error().describe();
    }
  }
  boot.command_line = profile.command_line;
  if (const auto& part = sections.get(UnifiedSection::kOsRelease)) {
    PVHGRUB_TRY_ASSIGN(const std::string release, text(opened, file, *part));
    PVHGRUB_TRY_ASSIGN(profile.os_release, parse_os_release(release, budget_));
  }
  if (const auto& part = sections.get(UnifiedSection::kProfile)) {
    PVHGRUB_TRY_ASSIGN(const std::string about, text(opened, file, *part));
    KeyValueLines lines(about, "=");
    while (const std::optional<KeyValueLine> line = lines.next()) {
      PVHGRUB_TRY(budget_.charge_steps(1, "reading unified kernel images"));
      if (line->key == "ID" && line->value) profile.id = *line->value;
      if (line->key == "TITLE" && line->value) profile.title = *line->value;
    }
  }
  return profile;
}

Result<const Companions*> UnifiedImageReader::global_companions(const std::string& device) {
  const auto found = global_companions_.find(device);
  if (found != global_companions_.end()) return &found->second;
  const FileReference addons{device, "/loader/addons"};
  PVHGRUB_TRY_ASSIGN(Companions companions, read_companions(files_, addons, budget_, diagnostics_));
  companions.unsupported.clear();  // such files count in their own directories only
  for (const std::string_view directory : {"/loader/credentials", "/loader/extensions"}) {
    const FileReference place{device, std::string(directory)};
    PVHGRUB_TRY_ASSIGN(const Companions others, read_companions(files_, place, budget_, diagnostics_));
    tell_unsupported(place, others);
  }
  return &global_companions_.emplace(device, std::move(companions)).first->second;
}

void UnifiedImageReader::tell_unsupported(const FileReference& directory, const Companions& companions) {
  if (companions.unsupported.empty()) return;
  std::string names;
  for (std::size_t i = 0; i < std::min(companions.unsupported.size(), kNamedFiles); ++i)
    names += (i == 0 ? "" : ", ") + companions.unsupported[i];
  if (companions.unsupported.size() > kNamedFiles)
    names += " and " + std::to_string(companions.unsupported.size() - kNamedFiles) + " more";
  diagnostics_.notice(directory.to_string(),
                      "credentials and system extensions for unified kernel images are not handed to the "
                      "guest: " +
                          names);
}

Result<void> UnifiedImageReader::apply_addons(UnifiedImage& image, const FileReference& file,
                                              const std::vector<std::optional<std::string>>& unames) {
  PVHGRUB_TRY_ASSIGN(const Companions* const global, global_companions(file.device));
  const FileReference directory = companion_directory(file);
  PVHGRUB_TRY_ASSIGN(const Companions own, read_companions(files_, directory, budget_, diagnostics_));
  tell_unsupported(directory, own);
  for (std::size_t i = 0; i < image.profiles.size(); ++i) {
    UnifiedProfile& profile = image.profiles[i];
    for (const Companions* const companions : {global, &own}) {
      PVHGRUB_TRY(budget_.charge_steps(companions->addons.size(), "reading unified kernel images"));
      for (const UnifiedAddon& addon : companions->addons) {
        if (addon.fits(image.machine, unames[i])) {
          apply(profile, addon);
        } else if (i == 0) {
          diagnostics_.explain(file.to_string() + ": " + addon.file.to_string() +
                               " is for another kernel or machine");
        }
      }
    }
    append_words(profile.boot.command_line, profile.more_command_line);
  }
  return {};
}

Result<std::optional<UnifiedImage>> UnifiedImageReader::read_open_file(fs::File& opened,
                                                                       const FileReference& file) {
  PVHGRUB_TRY_ASSIGN(const bootimage::PeImage headers, read_pe_file(opened, budget_));
  const std::vector<UnifiedSections> profiles = unified_profiles(headers);
  if (std::ranges::none_of(profiles, [](const UnifiedSections& sections) {
        return sections.get(UnifiedSection::kLinux).has_value();
      }))
    return std::nullopt;
  UnifiedImage image;
  image.machine = headers.machine;
  std::vector<std::optional<std::string>> unames;
  for (const UnifiedSections& sections : profiles) {
    PVHGRUB_TRY_ASSIGN(UnifiedProfile profile, read_profile(opened, file, sections));
    image.profiles.push_back(std::move(profile));
    unames.emplace_back();
    if (const auto& part = sections.get(UnifiedSection::kUname)) {
      PVHGRUB_TRY_ASSIGN(unames.back(), text(opened, file, *part));
    }
  }
  PVHGRUB_TRY(apply_addons(image, file, unames));
  return image;
}

Result<std::optional<UnifiedImage>> UnifiedImageReader::read(const FileReference& file) {
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files_.open(file));
  if (!opened) return std::nullopt;
  Result<std::optional<UnifiedImage>> image = read_open_file(*opened, file);
  if (image) return image;
  const Error& error = image.error();
  if (is_fatal(error)) return std::unexpected(at(file.to_string(), error));
  if (error.code != ErrorCode::kUnsupported) diagnostics_.notice(file.to_string(), error.describe());
  return std::nullopt;
}

Result<std::optional<UnifiedImage>> read_unified_image(GuestFiles files, const FileReference& file,
                                                       Budget& budget, Diagnostics& diagnostics) {
  return UnifiedImageReader(std::move(files), budget, diagnostics).read(file);
}

BootEntry start_unified_image(const UnifiedImage& image, std::string_view load_options) {
  const LoadOptions options = parse_load_options(load_options);
  if (options.profile >= image.profiles.size()) {
    BootEntry entry = image.profiles.front().boot;
    entry.error = entry.kernel.to_string() + ": the image has no profile @" + std::to_string(options.profile);
    return entry;
  }
  const UnifiedProfile& profile = image.profiles[options.profile];
  BootEntry entry = profile.boot;
  if (options.command_line.empty()) return entry;
  entry.command_line = options.command_line;
  append_words(entry.command_line, profile.more_command_line);
  return entry;
}

}  // namespace pvhgrub::grubcfg
