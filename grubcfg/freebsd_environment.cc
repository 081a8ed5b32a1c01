// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/freebsd_environment.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

/// What the kernel adds itself ("acpi.rsdp=0x...").
constexpr std::size_t kReservedBytes = 64;
/// Name and value together, with '=' and NUL: longer ones are thrown away (sys/sys/kenv.h).
constexpr std::size_t kVariableBytes = 128 + 1 + 128 + 1;

/// Variables that only the loader reads (loader.conf(5), "DEFAULT SETTINGS"; loader(8), "Environment
/// Variables"), so that the page is kept for those of the kernel.
bool is_of_loader(std::string_view name) {
  constexpr std::array<std::string_view, 37> kNames = {"acpi.rsdp",
                                                       "autoboot_delay",
                                                       "beastie_disable",
                                                       "bootenv_autolist",
                                                       "bootfile",
                                                       "bootlock_password",
                                                       "comconsole_pcidev",
                                                       "comconsole_port",
                                                       "comconsole_speed",
                                                       "console",
                                                       "currdev",
                                                       "efi_com_port",
                                                       "efi_com_speed",
                                                       "efi_max_resolution",
                                                       "entropy_efi_seed",
                                                       "entropy_efi_seed_size",
                                                       "geom_eli_passphrase_prompt",
                                                       "kernel",
                                                       "kernel_options",
                                                       "kernel_path",
                                                       "kernels",
                                                       "kernels_autodetect",
                                                       "local_loader_conf_files",
                                                       "module_blacklist",
                                                       "module_path",
                                                       "nextboot_conf",
                                                       "nextboot_enable",
                                                       "password",
                                                       "print_delay",
                                                       "product_vars",
                                                       "prompt",
                                                       "root_disk_unit",
                                                       "rootdev",
                                                       "twiddle_divisor",
                                                       "vbe_max_resolution",
                                                       "verbose_loading",
                                                       "xen_kernel"};
  return std::ranges::find(kNames, name) != kNames.end() || name.starts_with("loader_") ||
         name.starts_with("tftp.") || name.starts_with("screen.");
}

/// What no boot does without comes first, for the page may be too small for all.
int importance(std::string_view name) {
  if (name.starts_with("vfs.root.")) return 0;
  if (name.starts_with("boot_") || name.starts_with("init_")) return 1;
  return 2;
}

bool can_be_told(std::string_view value) {
  return value.find_first_of(std::string_view(", \t\r\n\0", 6)) == std::string_view::npos;
}

std::string_view first_of(std::string_view list, std::string_view separators) {
  return list.substr(0, std::min(list.find_first_of(separators), list.size()));
}

/// "rw" or "ro" out of "rw,noatime": /etc/rc mounts the root anew with all that fstab says.
std::string_view access_of(std::string_view options) {
  while (!options.empty()) {
    const std::string_view option = first_of(options, ",");
    if (option == "rw" || option == "ro") return option;
    options.remove_prefix(std::min(option.size() + 1, options.size()));
  }
  return {};
}

class CommandLine {
 public:
  void add(const std::string& name, std::string value);
  FreebsdCommandLine take();

 private:
  FreebsdCommandLine line_;
  std::vector<std::string> with_separators_;
  std::vector<std::string> too_long_;
};

void CommandLine::add(const std::string& name, std::string value) {
  if (name == "vfs.root.mountfrom" && !can_be_told(value)) {
    const std::string first(first_of(value, " \t"));
    if (!first.empty() && can_be_told(first)) {
      line_.notices.push_back(
          "of the places to mount the root from only the first can be told to the kernel, " + first + ": " +
          value);
      value = first;
    }
  }
  if (name == "vfs.root.mountfrom.options" && !can_be_told(value)) {
    value = access_of(value);
    if (value.empty()) return;
  }
  if (!can_be_told(value)) {
    with_separators_.push_back(name);
    return;
  }
  const std::size_t bytes = name.size() + 1 + value.size() + 1;
  if (bytes > kVariableBytes ||
      line_.text.size() + bytes > limits::kFreebsdEnvironmentBytes - kReservedBytes) {
    too_long_.push_back(name);
    return;
  }
  line_.text += (line_.text.empty() ? "" : ",") + name + "=" + value;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kMostNames = 20;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMostNames; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMostNames ? text + " and " + std::to_string(names.size() - kMostNames) + " more"
                                   : text;
}

FreebsdCommandLine CommandLine::take() {
  if (!with_separators_.empty())
    line_.notices.push_back(
        "values with commas or blanks cannot be told to a FreeBSD kernel that its own loader does not start; "
        "without effect: " +
        joined(with_separators_) + " (what sysctl(8) can set at run time belongs in /etc/sysctl.conf)");
  if (!too_long_.empty())
    line_.notices.push_back("too long for the kernel's first environment, of which each variable may have " +
                            std::to_string(kVariableBytes) + " bytes and all " +
                            std::to_string(limits::kFreebsdEnvironmentBytes) +
                            "; without effect: " + joined(too_long_));
  return std::move(line_);
}

/// Whether the loader would load it, and the kernel cannot do without or load it later by itself: the host's
/// id and the saved entropy are read again by /etc/rc.
bool is_missed(const std::string& key, const FreebsdModule& module, std::string_view blacklist) {
  if (!module.load || module.type == "hostuuid" || module.type == "boot_entropy_cache") return false;
  const std::string& name = module.name.empty() ? key : module.name;
  while (!blacklist.empty()) {
    const std::string_view word = first_of(blacklist, ";, ");
    if (word == name) return false;
    blacklist.remove_prefix(std::min(word.size() + 1, blacklist.size()));
  }
  return true;
}

}  // namespace

FreebsdCommandLine freebsd_command_line(const FreebsdSettings& settings) {
  CommandLine line;
  for (const int rank : {0, 1, 2})
    for (const auto& [name, value] : settings.variables)
      if (importance(name) == rank && !is_of_loader(name)) line.add(name, value);
  FreebsdCommandLine made = line.take();
  std::vector<std::string> missed;
  const std::string blacklist = settings.get("module_blacklist");
  for (const auto& [key, module] : settings.modules)
    if (is_missed(key, module, blacklist)) missed.push_back(module.name.empty() ? key : module.name);
  if (!missed.empty())
    made.notices.push_back(
        "what FreeBSD's loader loads beside the kernel cannot be handed over with it: " + joined(missed) +
        "; name modules in kld_list of /etc/rc.conf, and boot through firmware (--source=efi) where the root "
        "file system needs one of them");
  if (!settings.has("vfs.root.mountfrom"))
    made.notices.emplace_back(
        "neither loader.conf nor /etc/fstab says where the root file system is, and FreeBSD will ask for it "
        "(mountroot>): set vfs.root.mountfrom in /boot/loader.conf");
  return made;
}

}  // namespace pvhgrub::grubcfg
