// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/configuration.h"

#include <algorithm>
#include <array>

#include "base/limits.h"
#include "grubcfg/configuration_file.h"
#include "grubcfg/grub_menu.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kKind = "grub2";

/// Where GRUB's own configuration lies: on the root file system, or on a separate /boot.
constexpr std::array<std::string_view, 4> kUsualPaths = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg",
                                                         "/grub/grub.cfg", "/grub2/grub.cfg"};

/// Partition types that never hold a file system of a guest: not worth a notice.
bool never_has_files(const fs::Device& device) {
  constexpr std::array<std::string_view, 6> kTypes = {"21686148-6449-6e6f-744e-656564454649",  // BIOS boot
                                                      "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",  // Linux swap
                                                      "0x82",                                  // Linux swap
                                                      "0x5",
                                                      "0x05",
                                                      "0x0f"};  // extended
  return std::ranges::find(kTypes, device.partition_type) != kTypes.end();
}

class Finder {
 public:
  Finder(fs::Devices& devices, Budget& budget, Diagnostics& diagnostics)
      : devices_(devices), budget_(budget), diagnostics_(diagnostics) {}

  Result<std::vector<ConfigurationSource>> find();

 private:
  /// The file system of a device; null where it has none that can be read.
  Result<fs::FileSystem*> mount(const fs::Device& device);
  Result<bool> is_file(fs::FileSystem& file_system, const std::string& path);
  Result<void> look_in_usual_places(const fs::Device& device, fs::FileSystem& file_system);
  Result<void> look_in_efi_directories(const fs::Device& device, fs::FileSystem& file_system);
  Result<std::vector<std::string>> names_like(fs::FileSystem& file_system, const std::string& directory,
                                              std::string_view wanted);
  void add(std::vector<ConfigurationSource>& list, const fs::Device& device, std::string path);

  fs::Devices& devices_;
  Budget& budget_;
  Diagnostics& diagnostics_;
  std::vector<ConfigurationSource> usual_;
  std::vector<ConfigurationSource> efi_;
};

Result<fs::FileSystem*> Finder::mount(const fs::Device& device) {
  Result<fs::FileSystem*> mounted = devices_.file_system(device.name);
  if (mounted) return mounted;
  const Error& error = mounted.error();
  if (error.code == ErrorCode::kLimit) return std::unexpected(at(device.name, error));
  const bool has_partitions = std::ranges::any_of(
      devices_.devices(), [&](const fs::Device& other) { return other.name.starts_with(device.name + ","); });
  if (error.code == ErrorCode::kUnsupported && (has_partitions || never_has_files(device))) {
    diagnostics_.explain(device.name + ": no file system here");
  } else {
    // The devices themselves told this as a notice, once, whoever asked first.
    diagnostics_.explain(device.name + ": skipped: " + error.describe());
  }
  return nullptr;
}

Result<bool> Finder::is_file(fs::FileSystem& file_system, const std::string& path) {
  PVHGRUB_TRY(budget_.charge_steps(1, "looking for boot configurations"));
  const Result<fs::FileInfo> info = file_system.stat(path);
  if (info) return info->type == fs::FileType::kRegular;
  if (info.error().code == ErrorCode::kLimit) return std::unexpected(info.error());
  return false;
}

void Finder::add(std::vector<ConfigurationSource>& list, const fs::Device& device, std::string path) {
  diagnostics_.explain("found " + path + " on " + device.name);
  list.push_back({std::string(kKind), device.name, std::move(path)});
}

Result<void> Finder::look_in_usual_places(const fs::Device& device, fs::FileSystem& file_system) {
  for (const std::string_view path : kUsualPaths) {
    PVHGRUB_TRY_ASSIGN(const bool there, is_file(file_system, std::string(path)));
    if (there) add(usual_, device, std::string(path));
  }
  return {};
}

// The names in a directory that are `wanted` but for case; all of them where it is empty.
Result<std::vector<std::string>> Finder::names_like(fs::FileSystem& file_system, const std::string& directory,
                                                    std::string_view wanted) {
  std::vector<std::string> names;
  const Result<std::vector<fs::DirectoryEntry>> entries = file_system.list(directory);
  if (!entries) {
    if (entries.error().code == ErrorCode::kLimit) return std::unexpected(entries.error());
    return names;
  }
  PVHGRUB_TRY(budget_.charge_steps(entries->size(), "looking for boot configurations"));
  for (const fs::DirectoryEntry& entry : *entries)
    if (wanted.empty() || equal_ignoring_case(entry.name, wanted)) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

// EFI/<vendor>/grub.cfg on the EFI system partition, which most often runs `configfile` on the real one.
Result<void> Finder::look_in_efi_directories(const fs::Device& device, fs::FileSystem& file_system) {
  PVHGRUB_TRY_ASSIGN(const std::vector<std::string> roots, names_like(file_system, "/", "efi"));
  for (const std::string& root : roots) {
    PVHGRUB_TRY_ASSIGN(const std::vector<std::string> vendors, names_like(file_system, "/" + root, ""));
    for (const std::string& vendor : vendors) {
      const std::string directory = "/" + root + "/" + vendor;
      PVHGRUB_TRY_ASSIGN(const std::vector<std::string> files,
                         names_like(file_system, directory, "grub.cfg"));
      for (const std::string& file : files) {
        PVHGRUB_TRY_ASSIGN(const bool there, is_file(file_system, directory + "/" + file));
        if (there) add(efi_, device, directory + "/" + file);
      }
    }
  }
  return {};
}

Result<std::vector<ConfigurationSource>> Finder::find() {
  for (const fs::Device& device : devices_.devices()) {
    PVHGRUB_TRY_ASSIGN(fs::FileSystem* const file_system, mount(device));
    if (file_system == nullptr) continue;
    PVHGRUB_TRY(look_in_usual_places(device, *file_system));
    PVHGRUB_TRY(look_in_efi_directories(device, *file_system));
  }
  usual_.insert(usual_.end(), efi_.begin(), efi_.end());
  return std::move(usual_);
}

/// Sets up an evaluator as GRUB starts: `root`, `prefix` and `cmdpath` for a configuration on a device.
Result<Evaluator> start(Session& session, const ConfigurationSource& source) {
  Evaluator evaluator(session, MachineState());
  evaluator.set_menu_source(source);
  Environment& environment = evaluator.environment();
  const auto define = [&](std::string_view name, std::string_view value) -> Result<void> {
    PVHGRUB_TRY(environment.set(name, value, session.budget));
    return environment.export_variable(name, session.budget);
  };
  if (!source.device.empty()) {
    const std::string directory = source.path.substr(0, source.path.rfind('/'));
    const std::string prefix = "(" + source.device + ")" + directory;
    PVHGRUB_TRY(define("root", source.device));
    PVHGRUB_TRY(define("prefix", prefix));
    PVHGRUB_TRY(define("cmdpath", prefix));
  }
  PVHGRUB_TRY(set_predefined_variables(environment, session.settings, session.budget));
  return evaluator;
}

}  // namespace

Result<std::vector<ConfigurationSource>> find_configurations(fs::Devices& devices, Budget& budget,
                                                             Diagnostics& diagnostics) {
  return Finder(devices, budget, diagnostics).find();
}

Result<std::unique_ptr<Menu>> load_configuration(fs::Devices& devices, const ConfigurationSource& source,
                                                 const GrubSettings& settings, Budget& budget,
                                                 Diagnostics& diagnostics) {
  const auto session = std::make_shared<Session>(Session{&devices, settings, budget, diagnostics});
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start(*session, source));
  const std::string name = "(" + source.device + ")" + source.path;
  PVHGRUB_TRY_ASSIGN(const bool read, run_configuration_file(evaluator, name));
  if (!read) return fail(ErrorCode::kNotFound, "the boot configuration cannot be read", name);
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<Menu> menu, GrubMenu::from_evaluation(session, std::move(evaluator)));
  return menu;
}

Result<std::unique_ptr<Menu>> load_bare_configuration(std::string text, std::string name,
                                                      const GrubSettings& settings, Budget& budget,
                                                      Diagnostics& diagnostics) {
  if (text.size() > limits::kScriptBytes)
    return fail(ErrorCode::kLimit, "a script of " + std::to_string(text.size()) + " bytes", name);
  const auto session = std::make_shared<Session>(Session{nullptr, settings, budget, diagnostics});
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start(*session, {std::string(kKind), "", name}));
  const SourceRange script = SourceRange::whole(SourceText::from_file(text, std::move(name)));
  text = std::string();
  PVHGRUB_TRY(evaluator.run_file(script));
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<Menu> menu, GrubMenu::from_evaluation(session, std::move(evaluator)));
  return menu;
}

Result<bool> evaluate_script(std::string text, std::string name, fs::Devices* devices,
                             const GrubSettings& settings, Budget& budget, Diagnostics& diagnostics) {
  if (text.size() > limits::kScriptBytes)
    return fail(ErrorCode::kLimit, "a script of " + std::to_string(text.size()) + " bytes", name);
  Session session{devices, settings, budget, diagnostics};
  ConfigurationSource source{std::string(kKind), "", name};
  if (devices != nullptr) {
    PVHGRUB_TRY_ASSIGN(const std::vector<ConfigurationSource> found,
                       find_configurations(*devices, budget, diagnostics));
    if (!found.empty()) {
      source = found.front();
    } else {
      for (const fs::Device& device : devices->devices()) {
        if (!devices->file_system(device.name)) continue;
        source = {std::string(kKind), device.name, std::string(kUsualPaths[0])};
        break;
      }
    }
  }
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start(session, source));
  const SourceRange script = SourceRange::whole(SourceText::from_file(text, std::move(name)));
  text = std::string();
  PVHGRUB_TRY(evaluator.run_file(script));
  return evaluator.environment().value_or_empty("?") == "0" || evaluator.environment().get("?") == nullptr;
}

}  // namespace pvhgrub::grubcfg
