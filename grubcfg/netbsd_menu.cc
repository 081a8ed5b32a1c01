// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/netbsd_menu.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "grubcfg/bsd_device.h"
#include "grubcfg/netbsd_boot_cfg.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// In the order in which the loader tries them (sys/arch/i386/stand/boot/boot2.c); those in a directory of
/// the kernel's name since NetBSD 10, with KERNEL_DIR.
constexpr std::array<std::string_view, 10> kKernels = {
    "/netbsd",     "/netbsd.gz",      "/netbsd/kernel", "/netbsd/kernel.gz", "/onetbsd",
    "/onetbsd.gz", "/onetbsd/kernel", "/netbsd.old",    "/netbsd.old.gz",    "/netbsd.old/kernel"};
/// Seconds, where no boot.cfg says (boot(8)).
constexpr std::uint32_t kUsualTimeout = 5;

std::string_view disk_of(std::string_view device) {
  return device.substr(0, device.find(','));
}

/// A kernel and where the kernel itself will find its root.
struct FoundKernel {
  FileReference file;
  std::string root;
};

class MenuMaker {
 public:
  MenuMaker(const MenuContext& context, const ConfigurationSource& source, NetbsdBootCfg configuration,
            bool has_file)
      : context_(context),
        source_(source),
        configuration_(std::move(configuration)),
        has_file_(has_file),
        files_(context.files()) {}

  Result<std::unique_ptr<Menu>> make();

 private:
  Result<void> add_items();
  Result<void> add_usual_kernels();
  PlainEntry& add(std::string title, const FoundKernel& kernel, const std::string& flags);
  Result<BootEntry> boot_of(const NetbsdCommands& commands);
  /// The file that a `boot` names, on the device that it names; no value where it is not there, and `missing`
  /// then is what was looked for.
  Result<std::optional<FoundKernel>> find(const NetbsdBoot& boot, FileReference& missing);
  [[nodiscard]] std::vector<std::string> devices_of(const NetbsdDevice& device) const;
  /// What is root where the kernel comes from the source's own device.
  [[nodiscard]] std::string usual_root() const;
  void tell_what_is_lost(std::vector<std::string> lost, const std::vector<std::string>& more,
                         bool of_default);

  const MenuContext& context_;
  const ConfigurationSource& source_;
  NetbsdBootCfg configuration_;
  bool has_file_;
  GuestFiles files_;
  std::string usual_root_;
  std::vector<PlainEntry> entries_;
};

std::vector<std::string> MenuMaker::devices_of(const NetbsdDevice& device) const {
  std::vector<std::string> names;
  if (context_.devices == nullptr) return {source_.device};
  const std::string disk = "hd" + std::to_string(device.unit);
  const bool by_letter = device.label.empty() && device.kind == "hd";
  if (by_letter && has_bsd_label(*context_.devices, disk))
    return bsd_partitions(*context_.devices, disk, device.partition);
  for (const fs::Device& candidate : context_.devices->devices()) {
    const bool fits = device.label.empty() ? by_letter && disk_of(candidate.name) == disk
                                           : candidate.partition_label == device.label;
    if (!fits) continue;
    // Without a label on the disk the file tells which partition the letter means.
    names.insert(candidate.name == source_.device ? names.begin() : names.end(), candidate.name);
  }
  return names;
}

// NetBSD's own loader says which partition the kernel came from. Without it the kernel takes partition a of
// the first disk (xen_bootconf), so only another place must be told. Disks are numbered as they come.
std::string MenuMaker::usual_root() const {
  if (!configuration_.root.empty() || context_.devices == nullptr) return configuration_.root;
  const fs::Device* const device = context_.devices->device(source_.device);
  const bool is_gpt = source_.device.find(",gpt") != std::string::npos;
  if (is_gpt && device != nullptr && !device->partition_label.empty() &&
      device->partition_label.find_first_of(" \t") == std::string::npos)
    return "NAME=" + device->partition_label;
  if (is_gpt) {
    context_.diagnostics.notice(source_.device,
                                "the partition has no label by which NetBSD's kernel could find its root: "
                                "give it one (gpt label), or write root= into /boot.cfg");
    return {};
  }
  const std::string_view disk = disk_of(source_.device);
  const char letter = bsd_letter(source_.device).value_or('a');
  if (!disk.starts_with("hd") || (disk == "hd0" && letter == 'a')) return {};
  return "xbd" + std::string(disk.substr(2)) + letter;
}

Result<std::optional<FoundKernel>> MenuMaker::find(const NetbsdBoot& boot, FileReference& missing) {
  const std::optional<NetbsdFile> named = parse_netbsd_file(boot.file);
  missing = {"", boot.file};
  if (!named) return std::nullopt;
  std::vector<std::string> devices{source_.device};
  std::string root = usual_root_;
  if (named->device) {
    devices = devices_of(*named->device);
    if (configuration_.root.empty())
      root = named->device->label.empty()
                 ? "xbd" + std::to_string(named->device->unit) + std::string(1, named->device->partition)
                 : "NAME=" + named->device->label;
  }
  std::vector<std::string> paths;
  if (named->path.empty()) paths.assign(kKernels.begin(), kKernels.end());
  if (!named->path.empty()) paths.push_back(join_path("/", named->path));
  if (!devices.empty()) missing = {devices.front(), paths.front()};
  for (const std::string& device : devices) {
    for (const std::string& path : paths) {
      PVHGRUB_TRY_ASSIGN(const bool there, files_.is_file({device, path}));
      if (there) return FoundKernel{{device, path}, root};
    }
  }
  return std::nullopt;
}

std::string command_line_of(const std::string& root, const std::string& flags) {
  std::string line = root.empty() ? "" : "root=" + root;
  if (!flags.empty()) line += (line.empty() ? "" : " ") + flags;
  return line;
}

Result<BootEntry> MenuMaker::boot_of(const NetbsdCommands& commands) {
  BootEntry entry;
  entry.loader_command = "boot";
  if (commands.boots.empty()) {
    entry.kind = commands.starts_other ? BootEntry::Kind::kOther : BootEntry::Kind::kNone;
    if (commands.starts_other) entry.loader_command = "multiboot";
    entry.error = commands.obstacle;
    return entry;
  }
  entry.kind = BootEntry::Kind::kLinux;
  std::optional<FileReference> first_missing;
  for (const NetbsdBoot& boot : commands.boots) {
    FileReference missing;
    PVHGRUB_TRY_ASSIGN(const std::optional<FoundKernel> kernel, find(boot, missing));
    if (!kernel) {
      if (!first_missing) first_missing = missing;
      continue;
    }
    entry.kernel = kernel->file;
    entry.command_line = command_line_of(kernel->root, boot.flags);
    return entry;
  }
  entry.kernel = *first_missing;
  entry.error = first_missing->to_string() + ": no such kernel";
  return entry;
}

void MenuMaker::tell_what_is_lost(std::vector<std::string> lost, const std::vector<std::string>& more,
                                  bool of_default) {
  lost.insert(lost.end(), more.begin(), more.end());
  if (lost.empty()) return;
  std::string text = "cannot be handed over to NetBSD's kernel without NetBSD's loader: ";
  for (std::size_t i = 0; i < lost.size(); ++i) text += (i == 0 ? "" : "; ") + lost[i];
  const std::string where = FileReference{source_.device, source_.path}.to_string();
  if (of_default) {
    context_.diagnostics.notice(where, text);
  } else {
    context_.diagnostics.explain(where + ": " + text);
  }
}

PlainEntry& MenuMaker::add(std::string title, const FoundKernel& kernel, const std::string& flags) {
  PlainEntry entry;
  entry.shown.title = entry.shown.id = std::move(title);
  entry.boot.kind = BootEntry::Kind::kLinux;
  entry.boot.loader_command = "boot";
  entry.boot.kernel = kernel.file;
  entry.boot.command_line = command_line_of(kernel.root, flags);
  entry.source = "boot " + kernel.file.path + (flags.empty() ? "" : " " + flags) + "\n";
  return entries_.emplace_back(std::move(entry));
}

Result<void> MenuMaker::add_items() {
  for (std::size_t i = 0; i < configuration_.items.size(); ++i) {
    const NetbsdCommands commands = run_netbsd_commands(configuration_, i);
    PlainEntry entry;
    entry.shown.title = entry.shown.id = configuration_.items[i].title;
    PVHGRUB_TRY_ASSIGN(entry.boot, boot_of(commands));
    entry.source = configuration_.items[i].commands;
    tell_what_is_lost(configuration_.handed_over, commands.handed_over, i == configuration_.default_index);
    entries_.push_back(std::move(entry));
  }
  return {};
}

Result<void> MenuMaker::add_usual_kernels() {
  for (const std::string_view path : kKernels) {
    FoundKernel kernel{{source_.device, std::string(path)}, usual_root_};
    PVHGRUB_TRY_ASSIGN(const bool there, files_.is_file(kernel.file));
    if (!there) continue;
    if (entries_.empty()) {
      add("NetBSD", kernel, "");
      add("NetBSD (single user)", kernel, "-s");
    } else {
      add("NetBSD (" + std::string(path.substr(1)) + ")", kernel, "");
    }
  }
  if (!entries_.empty()) tell_what_is_lost(configuration_.handed_over, {}, true);
  return {};
}

Result<std::unique_ptr<Menu>> MenuMaker::make() {
  usual_root_ = usual_root();
  PlainMenuSettings settings;
  settings.timeout = has_file_ ? configuration_.timeout : kUsualTimeout;
  if (configuration_.items.empty()) {
    PVHGRUB_TRY(add_usual_kernels());
    settings.timeout_style = TimeoutStyle::kCountdown;
  } else {
    PVHGRUB_TRY(add_items());
    settings.default_index = configuration_.default_index;
  }
  if (entries_.empty())
    return fail(ErrorCode::kNoEntry, "there is no kernel of NetBSD's usual names (/netbsd), and no menu",
                FileReference{source_.device, source_.path}.to_string());
  if (settings.timeout == 0U) settings.timeout_style = TimeoutStyle::kHidden;
  return std::make_unique<PlainMenu>(context_, source_, std::move(entries_), std::move(settings));
}

}  // namespace

Result<std::optional<std::string>> find_netbsd(GuestFiles files, const std::string& device) {
  constexpr std::string_view kConfiguration = "/boot.cfg";
  for (const std::string_view kernel : kKernels) {
    PVHGRUB_TRY_ASSIGN(const bool there, files.is_file({device, std::string(kernel)}));
    if (!there) continue;
    PVHGRUB_TRY_ASSIGN(const bool configured, files.is_file({device, std::string(kConfiguration)}));
    return std::string(configured ? kConfiguration : kernel);
  }
  return std::nullopt;
}

Result<std::unique_ptr<Menu>> load_netbsd_menu(const MenuContext& context,
                                               const ConfigurationSource& source) {
  if (!source.path.ends_with(".cfg")) return MenuMaker(context, source, {}, false).make();
  const FileReference file{source.device, source.path};
  std::string why;
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text,
                     context.files().read(file, limits::kLoaderFileBytes, &why));
  if (!text)
    return fail(ErrorCode::kNotFound, "the boot configuration cannot be read: " + why, file.to_string());
  PVHGRUB_TRY_ASSIGN(NetbsdBootCfg configuration,
                     parse_netbsd_boot_cfg(*text, file.to_string(), context.budget, context.diagnostics));
  return MenuMaker(context, source, std::move(configuration), true).make();
}

Result<std::unique_ptr<Menu>> load_bare_netbsd_menu(const MenuContext& context,
                                                    const ConfigurationSource& source,
                                                    const std::string& text) {
  PVHGRUB_TRY_ASSIGN(NetbsdBootCfg configuration,
                     parse_netbsd_boot_cfg(text, source.path, context.budget, context.diagnostics));
  return MenuMaker(context, source, std::move(configuration), true).make();
}

}  // namespace pvhgrub::grubcfg
