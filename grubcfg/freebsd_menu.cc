// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/freebsd_menu.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "grubcfg/bsd_device.h"
#include "grubcfg/freebsd_environment.h"
#include "grubcfg/freebsd_settings.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// FreeBSD's loader opens NAME.gz and NAME.bz2 for NAME (libsa's gzipfs and bzipfs).
constexpr std::array<std::string_view, 3> kEndings = {"", ".gz", ".bz2"};

Result<std::optional<std::string>> find_compressed_or_not(GuestFiles& files, const std::string& device,
                                                          const std::string& path) {
  for (const std::string_view ending : kEndings) {
    std::string name = path + std::string(ending);
    PVHGRUB_TRY_ASSIGN(const bool there, files.is_file({device, name}));
    if (there) return name;
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view list, std::string_view separators) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(separators), list.size());
    if (end > 0) parts.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

bool is_yes(const FreebsdSettings& settings, const std::string& name) {
  return equal_ignoring_case(settings.get(name), "yes");
}

/// As boot_env_to_howto() sees it: set to anything but "no".
bool is_on(const FreebsdSettings& settings, const std::string& name) {
  return settings.has(name) && !equal_ignoring_case(settings.get(name), "no");
}

class MenuMaker {
 public:
  MenuMaker(const MenuContext& context, const ConfigurationSource& source, FreebsdSettings settings)
      : context_(context), source_(source), settings_(std::move(settings)) {}

  Result<std::unique_ptr<Menu>> make();

 private:
  /// Finds `device_`.
  void choose_device();
  /// The names of the kernels, the one that is booted first.
  Result<std::vector<std::string>> kernels();
  /// The file that the loader loads for a kernel's name (config.lua, loadKernel).
  Result<FileReference> kernel_file(const std::string& kernel);
  Result<void> add(std::string title, std::string id, const std::string& kernel,
                   const FreebsdSettings& settings, bool tell);
  [[nodiscard]] PlainMenuSettings behaviour() const;
  void restrict_entries(PlainMenuSettings& behaviour);

  const MenuContext& context_;
  const ConfigurationSource& source_;
  FreebsdSettings settings_;
  std::string device_;  ///< where the kernels are
  std::vector<PlainEntry> entries_;
};

// The loader's current device is that which it was started from, unless a setting changes it.
void MenuMaker::choose_device() {
  device_ = source_.device;
  const std::string wanted = settings_.get("currdev");
  if (wanted.empty() || context_.devices == nullptr) return;
  if (auto found = freebsd_device(*context_.devices, wanted)) {
    device_ = *std::move(found);
  } else {
    context_.diagnostics.notice(FileReference{source_.device, source_.path}.to_string(),
                                "currdev names " + wanted + ", which is not among the guest's partitions: " +
                                    "the kernel is looked for on (" + device_ + ")");
  }
}

Result<std::vector<std::string>> MenuMaker::kernels() {
  std::vector<std::string> found{settings_.get("kernel", "kernel")};
  const auto add_new = [&](const std::string& name) {
    if (found.size() < limits::kFreebsdKernels && std::ranges::find(found, name) == found.end())
      found.push_back(name);
  };
  for (const std::string& name : split(settings_.get("kernels"), ";, ")) add_new(name);
  if (!is_yes(settings_, "kernels_autodetect")) return found;
  PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries,
                     context_.files().list({device_, "/boot"}));
  std::vector<std::string> directories;
  for (const fs::DirectoryEntry& entry : entries)
    if (entry.type != fs::FileType::kRegular) directories.push_back(entry.name);
  std::ranges::sort(directories);
  directories.resize(std::min(directories.size(), limits::kFreebsdDirectories));
  for (const std::string& name : directories) {
    PVHGRUB_TRY_ASSIGN(const bool there, context_.files().is_file({device_, "/boot/" + name + "/kernel"}));
    if (there) add_new(name);
  }
  return found;
}

Result<FileReference> MenuMaker::kernel_file(const std::string& kernel) {
  std::vector<std::string> names = split(settings_.get("bootfile"), ";");
  names.emplace_back("kernel");
  std::vector<std::string> paths;
  for (const std::string& directory : {"/boot/" + kernel, "/" + kernel})
    for (const std::string& name : names) paths.push_back(join_path(directory, name));
  paths.push_back(join_path("/", kernel));
  GuestFiles files = context_.files();
  for (const std::string& path : paths) {
    PVHGRUB_TRY_ASSIGN(std::optional<std::string> file, find_compressed_or_not(files, device_, path));
    if (file) return FileReference{device_, std::move(*file)};
  }
  return FileReference{device_, paths.front()};
}

Result<void> MenuMaker::add(std::string title, std::string id, const std::string& kernel,
                            const FreebsdSettings& settings, bool tell) {
  PlainEntry entry;
  entry.shown.title = std::move(title);
  entry.shown.id = std::move(id);
  entry.shown.classes = {"freebsd", "bsd"};
  entry.boot.kind = BootEntry::Kind::kLinux;
  entry.boot.loader_command = "boot";
  PVHGRUB_TRY_ASSIGN(entry.boot.kernel, kernel_file(kernel));
  FreebsdCommandLine line = freebsd_command_line(settings);
  entry.boot.command_line = std::move(line.text);
  if (tell) {
    const std::string where = FileReference{source_.device, source_.path}.to_string();
    for (std::string& notice : line.notices) context_.diagnostics.notice(where, std::move(notice));
  }
  std::string words = entry.boot.command_line;
  std::ranges::replace(words, ',', '\n');
  entry.source = "load " + entry.boot.kernel.path + "\n" + words + (words.empty() ? "" : "\n") + "boot\n";
  entries_.push_back(std::move(entry));
  return {};
}

// loader(8): autoboot_delay in seconds, "NO" never, -1 at once and without a way to stop it; ten where it is
// no number. beastie_disable leaves the menu out, not the delay.
PlainMenuSettings MenuMaker::behaviour() const {
  PlainMenuSettings behaviour;
  const std::string delay = settings_.get("autoboot_delay");
  std::uint32_t seconds = 10;
  (void)std::from_chars(delay.data(), delay.data() + delay.size(), seconds);
  behaviour.timeout = seconds;
  if (equal_ignoring_case(delay, "no")) behaviour.timeout = std::nullopt;
  if (delay.starts_with('-')) behaviour.timeout = 0;
  if (is_yes(settings_, "beastie_disable")) behaviour.timeout_style = TimeoutStyle::kCountdown;
  if (behaviour.timeout == 0U) behaviour.timeout_style = TimeoutStyle::kHidden;
  return behaviour;
}

// `password` keeps all but the default boot from who does not know it, `bootlock_password` the boot itself
// (loader.conf(5)).
void MenuMaker::restrict_entries(PlainMenuSettings& behaviour) {
  const std::string lock = settings_.get("bootlock_password");
  const std::string password = settings_.get("password");
  if (lock.empty() && password.empty()) return;
  behaviour.superusers = std::string(kLegacyUser);
  behaviour.passwords.push_back({std::string(kLegacyUser), lock.empty() ? password : lock});
  for (std::size_t i = lock.empty() ? 1 : 0; i < entries_.size(); ++i) entries_[i].shown.restricted = true;
}

Result<std::unique_ptr<Menu>> MenuMaker::make() {
  choose_device();
  apply_freebsd_boot_options(settings_.get("kernel_options"), settings_);
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> names, kernels());
  const std::string& kernel = names.front();
  const bool single = is_on(settings_, "boot_single");
  FreebsdSettings other = settings_;
  if (single) {
    other.variables.erase("boot_single");
  } else {
    other.variables["boot_single"] = "YES";
  }
  PVHGRUB_TRY(add("FreeBSD", kernel, kernel, settings_, true));
  PVHGRUB_TRY(add(single ? "FreeBSD (multi user)" : "FreeBSD (single user)",
                  single ? "multi-user" : "single-user", kernel, other, false));
  for (std::size_t i = 1; i < names.size(); ++i)
    PVHGRUB_TRY(add("FreeBSD (" + names[i] + ")", names[i], names[i], settings_, false));
  PlainMenuSettings settings = behaviour();
  restrict_entries(settings);
  return std::make_unique<PlainMenu>(context_, source_, std::move(entries_), std::move(settings));
}

}  // namespace

Result<std::optional<std::string>> find_freebsd(GuestFiles files, const std::string& device) {
  constexpr std::string_view kConfiguration = "/boot/loader.conf";
  constexpr std::string_view kDefaults = "/boot/defaults/loader.conf";
  PVHGRUB_TRY_ASSIGN(const bool has_defaults, files.is_file({device, std::string(kDefaults)}));
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> kernel,
                     find_compressed_or_not(files, device, "/boot/kernel/kernel"));
  if (!has_defaults && !kernel) return std::nullopt;
  PVHGRUB_TRY_ASSIGN(const bool configured, files.is_file({device, std::string(kConfiguration)}));
  if (configured) return std::string(kConfiguration);
  return has_defaults ? std::string(kDefaults) : std::move(kernel);
}

Result<std::unique_ptr<Menu>> load_freebsd_menu(const MenuContext& context,
                                                const ConfigurationSource& source) {
  PVHGRUB_TRY_ASSIGN(FreebsdSettings settings, read_freebsd_settings(context, source.device));
  return MenuMaker(context, source, std::move(settings)).make();
}

}  // namespace pvhgrub::grubcfg
