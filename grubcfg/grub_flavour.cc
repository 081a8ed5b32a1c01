// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/grub_flavour.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/limits.h"
#include "grubcfg/evaluator.h"
#include "grubcfg/guest_files.h"
#include "grubcfg/loader_command_line.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// Names of distributions (os-release(5), ID and ID_LIKE) and of their directories in EFI.
constexpr std::array<std::string_view, 15> kRedHatNames = {
    "fedora", "rhel",  "redhat", "centos", "rocky",     "almalinux",  "ol",       "oracle",
    "amzn",   "qubes", "xcp-ng", "anolis", "openeuler", "scientific", "eurolinux"};
constexpr std::array<std::string_view, 4> kAzureNames = {"azurelinux", "mariner", "azl", "cbl-mariner"};
constexpr std::array<std::string_view, 3> kSuseNames = {"suse", "opensuse", "sles"};
constexpr std::array<std::string_view, 9> kUpstreamNames = {"debian", "ubuntu", "arch",    "alpine", "gentoo",
                                                            "nixos",  "guix",   "flatcar", "endless"};

template <std::size_t Count>
bool is_one_of(const std::array<std::string_view, Count>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view known) { return equal_ignoring_case(known, name); });
}

/// The flavour of a distribution by one of its names; no value for a name that is not known.
std::optional<GrubFlavour> flavour_of_name(std::string_view name) {
  if (is_one_of(kAzureNames, name)) return kAzureFlavour;
  if (is_one_of(kRedHatNames, name)) return kRedHatFlavour;
  if (is_one_of(kSuseNames, name)) return kSuseFlavour;
  if (is_one_of(kUpstreamNames, name)) return kUpstreamFlavour;
  return std::nullopt;
}

/// The value of a key, without its quotes; empty where it is not there.
std::string_view os_release_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(key) || !line.substr(key.size()).starts_with('=')) continue;
    std::string_view value = line.substr(key.size() + 1);
    while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    return quoted ? value.substr(1, value.size() - 2) : value;
  }
  return {};
}

/// What an os-release file says: by its ID, else by the first name of ID_LIKE that is known. One that names
/// none is of some other distribution.
GrubFlavour flavour_of_os_release(std::string_view text) {
  if (const auto flavour = flavour_of_name(os_release_value(text, "ID"))) return *flavour;
  std::string_view like = os_release_value(text, "ID_LIKE");
  while (!like.empty()) {
    const std::string_view name = like.substr(0, like.find(' '));
    if (const auto flavour = flavour_of_name(name)) return *flavour;
    like.remove_prefix(std::min(like.size(), name.size() + 1));
  }
  return kUpstreamFlavour;
}

Result<std::optional<GrubFlavour>> flavour_of_root(Session& session, const ConfigurationSource& source) {
  if (session.devices == nullptr || source.device.empty()) return std::nullopt;
  GuestFiles files(session.devices, session.budget);
  for (const std::string_view path : {"/etc/os-release", "/usr/lib/os-release"}) {
    PVHGRUB_TRY_ASSIGN(const std::optional<std::string> text,
                       files.read({source.device, std::string(path)}, limits::kOsReleaseBytes));
    if (text) return flavour_of_os_release(*text);
  }
  return std::nullopt;
}

/// The directories of a path, without its last part.
std::vector<std::string_view> directories_of(std::string_view path) {
  std::vector<std::string_view> names;
  while (true) {
    while (path.starts_with('/')) path.remove_prefix(1);
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return names;
    names.push_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
}

std::optional<GrubFlavour> flavour_of_vendor(const std::vector<std::string_view>& directories) {
  if (directories.size() < 2 || !equal_ignoring_case(directories[0], "efi")) return std::nullopt;
  return flavour_of_name(directories[1]);
}

bool is_red_hat_media_argument(std::string_view word) {
  return word.starts_with("inst.") || word.starts_with("rd.live.") || word.starts_with("root=live:");
}

}  // namespace

Result<GrubFlavour> find_flavour(Session& session, const MachineState& state,
                                 const ConfigurationSource& source, std::span<const std::string> arguments) {
  // One configuration, and all entries of its menu, ask again and again.
  if (!session.root_flavour || session.root_flavour->first != source.device) {
    PVHGRUB_TRY_ASSIGN(const std::optional<GrubFlavour> flavour, flavour_of_root(session, source));
    session.root_flavour = {source.device, flavour};
  }
  if (session.root_flavour->second) return *session.root_flavour->second;
  const std::vector<std::string_view> directories = directories_of(source.path);
  if (const auto flavour = flavour_of_vendor(directories)) return *flavour;
  if (state.is_suse) return kSuseFlavour;
  if (state.is_red_hat || std::ranges::find(directories, "grub2") != directories.end() ||
      std::ranges::any_of(arguments, is_red_hat_media_argument))
    return kRedHatFlavour;
  return kUpstreamFlavour;
}

Result<bool> passes_hex_escapes(Evaluator& evaluator, std::span<const std::string> words) {
  const bool any = std::ranges::any_of(words, [](std::string_view word) {
    for (std::size_t at = word.find('\\'); at != std::string_view::npos; at = word.find('\\', at + 1))
      if (begins_with_hex_escape(word.substr(at))) return true;
    return false;
  });
  if (!any) return false;
  PVHGRUB_TRY_ASSIGN(const GrubFlavour flavour,
                     find_flavour(evaluator.session(), evaluator.state(), evaluator.menu_source(), words));
  return flavour.passes_hex_escapes;
}

}  // namespace pvhgrub::grubcfg
