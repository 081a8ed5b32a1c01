// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/freebsd_settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "grubcfg/bsd_device.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kDefaults = "/boot/defaults/loader.conf";
constexpr std::string_view kHints = "/boot/device.hints";
/// What defaults/loader.conf says, for a system that has none.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kBuiltIn = {
    {{"loader_conf_files", "/boot/loader.conf"},
     {"loader_conf_dirs", "/boot/loader.conf.d"},
     {"local_loader_conf_files", "/boot/loader.conf.local"},
     {"kernels_autodetect", "YES"}}};

std::vector<std::string> words_of(std::string_view text, std::string_view separators = " \t\r\n") {
  std::vector<std::string> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
    if (text.empty()) return words;
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

class Collector {
 public:
  Collector(const MenuContext& context, std::string device) : context_(context), device_(std::move(device)) {}

  Result<FreebsdSettings> collect();

 private:
  Result<std::optional<std::string>> read(const std::string& path);
  Result<void> read_boot_config();
  /// The file, and all files that it leads to, in their order.
  Result<void> read_conf(std::string path);
  Result<void> read_directories();
  Result<void> read_fstab();
  Result<void> tell_next_boot();

  const MenuContext& context_;
  std::string device_;
  FreebsdSettings settings_;
  std::set<std::string> read_;  ///< files that count once only
};

Result<std::optional<std::string>> Collector::read(const std::string& path) {
  const FileReference file{device_, path};
  PVHGRUB_TRY_ASSIGN(const bool there, context_.files().is_file(file));
  if (!there) return std::nullopt;
  std::string why;
  PVHGRUB_TRY_ASSIGN(std::optional<std::string> text,
                     context_.files().read(file, limits::kLoaderFileBytes, &why));
  if (!text) context_.diagnostics.notice(file.to_string(), why + "; it is left out");
  return text;
}

// One line for the first boot program: a device and program of its own, and flags (boot.config(5)). The first
// of the two files that is there counts (stand/i386/boot2).
Result<void> Collector::read_boot_config() {
  for (const std::string_view name : {"/boot/config", "/boot.config"}) {
    const std::string path(name);
    PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text, read(path));
    if (!text) continue;
    PVHGRUB_TRY(context_.budget.charge_steps(1 + text->size() / 16, "reading boot.config"));
    apply_freebsd_boot_options(*text, settings_);
    context_.diagnostics.explain(FileReference{device_, path}.to_string() + ": boot flags " + *text);
    return {};
  }
  return {};
}

Result<void> Collector::read_conf(std::string path) {
  std::vector<std::string> waiting{std::move(path)};  // the next one last
  while (!waiting.empty()) {
    std::string next = join_path("/", waiting.back());
    waiting.pop_back();
    PVHGRUB_TRY(context_.budget.charge_steps(1, "reading loader.conf"));
    if (next == kHints || read_.contains(next)) continue;
    if (read_.size() >= limits::kLoaderFiles)
      return fail(ErrorCode::kLimit,
                  "more than " + std::to_string(limits::kLoaderFiles) + " files of settings for the loader",
                  FileReference{device_, next}.to_string());
    settings_.variables.erase("loader_conf_files");
    PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text, read(next));
    if (text) {
      const std::string name = FileReference{device_, next}.to_string();
      context_.diagnostics.explain("reading " + name);
      PVHGRUB_TRY(parse_freebsd_loader_conf(*text, name, settings_, context_.budget, context_.diagnostics));
    }
    read_.insert(std::move(next));
    std::vector<std::string> named = words_of(settings_.get("loader_conf_files"));
    waiting.insert(waiting.end(), named.rbegin(), named.rend());
  }
  return {};
}

Result<void> Collector::read_directories() {
  for (const std::string& directory : words_of(settings_.get("loader_conf_dirs"))) {
    PVHGRUB_TRY_ASSIGN(const std::vector<fs::DirectoryEntry> entries,
                       context_.files().list({device_, join_path("/", directory)}));
    std::vector<std::string> names;
    for (const fs::DirectoryEntry& entry : entries)
      if (entry.name.size() > 5 && entry.name.ends_with(".conf")) names.push_back(entry.name);
    std::ranges::sort(names);
    for (const std::string& name : names) PVHGRUB_TRY(read_conf(join_path(directory, name)));
  }
  return {};
}

// A request for one boot only: the loader reads the file and then marks it as done, which nothing here does.
Result<void> Collector::tell_next_boot() {
  const std::string path = settings_.get("nextboot_conf", "/boot/nextboot.conf");
  if (path.empty()) return {};
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text, read(join_path("/", path)));
  if (!text || !text->starts_with("nextboot_enable=\"YES\"")) return {};
  context_.diagnostics.notice(
      FileReference{device_, path}.to_string(),
      "what nextboot(8) asks for the next boot is not followed: it would be followed for ever, since no file "
      "of the guest is written; choose the kernel with --entry");
  return {};
}

// DEVICE MOUNTPOINT TYPE OPTIONS ..., stand/common/boot.c: a line of fewer fields is none. It is the fstab of
// `rootdev`, where that is set.
Result<void> Collector::read_fstab() {
  if (settings_.has("vfs.root.mountfrom")) return {};
  const std::string root = settings_.get("rootdev");
  if (context_.devices != nullptr && !root.empty()) {
    if (auto device = freebsd_device(*context_.devices, root)) {
      device_ = *std::move(device);
    } else {
      context_.diagnostics.notice(FileReference{device_, "/boot/loader.conf"}.to_string(),
                                  "rootdev names " + root + ", which is not among the guest's partitions: " +
                                      "the root file system is told by this one's /etc/fstab");
    }
  }
  PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text, read("/etc/fstab"));
  if (!text) return {};
  PVHGRUB_TRY(context_.budget.charge_steps(1 + text->size() / 16, "reading fstab"));
  for (const std::string& line : words_of(*text, "\n")) {
    if (line.starts_with('#') || line.starts_with(' ') || line.starts_with('\t')) continue;
    const std::vector<std::string> fields = words_of(line);
    if (fields.size() < 4 || fields[1] != "/") continue;
    settings_.variables["vfs.root.mountfrom"] = fields[2] + ":" + fields[0];
    settings_.variables.try_emplace("vfs.root.mountfrom.options", fields[3]);
    context_.diagnostics.explain("vfs.root.mountfrom from /etc/fstab: " + fields[2] + ":" + fields[0]);
    break;
  }
  return {};
}

Result<FreebsdSettings> Collector::collect() {
  PVHGRUB_TRY(read_boot_config());
  PVHGRUB_TRY_ASSIGN(const bool has_defaults, context_.files().is_file({device_, std::string(kDefaults)}));
  if (has_defaults) {
    PVHGRUB_TRY(read_conf(std::string(kDefaults)));
  } else {
    for (const auto& [name, value] : kBuiltIn) settings_.variables[std::string(name)] = value;
    PVHGRUB_TRY(read_conf(settings_.get("loader_conf_files")));
  }
  PVHGRUB_TRY(read_directories());
  for (const std::string& path : words_of(settings_.get("local_loader_conf_files")))
    PVHGRUB_TRY(read_conf(path));
  PVHGRUB_TRY(tell_next_boot());
  PVHGRUB_TRY(read_fstab());
  return std::move(settings_);
}

}  // namespace

Result<FreebsdSettings> read_freebsd_settings(const MenuContext& context, const std::string& device) {
  return Collector(context, device).collect();
}

void apply_freebsd_boot_options(std::string_view options, FreebsdSettings& settings) {
  constexpr std::array<std::pair<char, std::string_view>, 11> kFlags = {{{'a', "boot_askname"},
                                                                         {'C', "boot_cdrom"},
                                                                         {'d', "boot_ddb"},
                                                                         {'D', "boot_multicons"},
                                                                         {'g', "boot_gdb"},
                                                                         {'h', "boot_serial"},
                                                                         {'m', "boot_mute"},
                                                                         {'p', "boot_pause"},
                                                                         {'r', "boot_dfltroot"},
                                                                         {'s', "boot_single"},
                                                                         {'v', "boot_verbose"}}};
  for (const std::string& word : words_of(options)) {
    if (!word.starts_with('-')) {
      const std::size_t equals = word.find('=');
      // What is no assignment names the program to start.
      if (equals != std::string::npos && equals > 0)
        settings.variables[word.substr(0, equals)] = word.substr(equals + 1);
      continue;
    }
    for (const char flag : std::string_view(word).substr(1)) {
      if (flag == 'S') break;  // the rest is the speed of a serial line
      // A keyboard is looked for; a PVH guest has none.
      if (flag == 'P') settings.variables["boot_multicons"] = settings.variables["boot_serial"] = "YES";
      const auto known = std::ranges::find(kFlags, flag, &std::pair<char, std::string_view>::first);
      if (known != kFlags.end()) settings.variables[std::string(known->second)] = "YES";
    }
  }
}

}  // namespace pvhgrub::grubcfg
