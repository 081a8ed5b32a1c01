// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/configuration.h"

#include <algorithm>

#include "base/limits.h"
#include "grubcfg/bare_kernel.h"
#include "grubcfg/configuration_file.h"
#include "grubcfg/configuration_search.h"
#include "grubcfg/firmware_menu.h"
#include "grubcfg/freebsd_menu.h"
#include "grubcfg/grub_menu.h"
#include "grubcfg/legacy_grub.h"
#include "grubcfg/netbsd_menu.h"
#include "grubcfg/syslinux.h"
#include "grubcfg/systemd_boot.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kGrub = "grub2";

}  // namespace

Result<std::unique_ptr<Menu>> load_configuration(fs::Devices& devices, const ConfigurationSource& source,
                                                 const GrubSettings& settings, Budget& budget,
                                                 Diagnostics& diagnostics) {
  const MenuContext context{&devices, settings, budget, diagnostics};
  if (source.kind == "bls" || source.kind == "uki") return load_systemd_boot_menu(context, source);
  if (source.kind == "extlinux") return load_syslinux_menu(context, source);
  if (source.kind == "grub-legacy") return load_legacy_menu(context, source);
  if (source.kind == "freebsd") return load_freebsd_menu(context, source);
  if (source.kind == "netbsd") return load_netbsd_menu(context, source);
  if (source.kind == "elf") return load_bare_kernel_menu(context, source);
  if (source.kind == "efi") return load_firmware_menu(context, source);
  const auto session = std::make_shared<Session>(Session{&devices, settings, budget, diagnostics});
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start_evaluator(*session, source));
  const std::string name = "(" + source.device + ")" + source.path;
  PVHGRUB_TRY_ASSIGN(const bool read, run_configuration_file(evaluator, name));
  if (!read) return fail(ErrorCode::kNotFound, "the boot configuration cannot be read", name);
  PVHGRUB_TRY_ASSIGN(std::unique_ptr<Menu> menu, GrubMenu::from_evaluation(session, std::move(evaluator)));
  return menu;
}

Result<std::unique_ptr<Menu>> load_bare_configuration(std::string text, const ConfigurationSource& source,
                                                      const GrubSettings& settings, Budget& budget,
                                                      Diagnostics& diagnostics) {
  if (text.size() > limits::kScriptBytes)
    return fail(ErrorCode::kLimit, "a configuration of " + std::to_string(text.size()) + " bytes",
                source.path);
  const MenuContext context{nullptr, settings, budget, diagnostics};
  if (source.kind == "extlinux") return load_bare_syslinux_menu(context, source, std::move(text));
  if (source.kind == "grub-legacy") return load_bare_legacy_menu(context, source, std::move(text));
  if (source.kind == "netbsd") return load_bare_netbsd_menu(context, source, text);
  if (source.kind != kGrub)
    return fail(
        ErrorCode::kUsage,
        "a menu of the kind " + source.kind + " is made of files on a disk: name the disk that holds them",
        source.path);
  const auto session = std::make_shared<Session>(Session{nullptr, settings, budget, diagnostics});
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start_evaluator(*session, source));
  const SourceRange script = SourceRange::whole(SourceText::from_file(text, source.path));
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
  ConfigurationSource source{std::string(kGrub), "", name};
  if (devices != nullptr) {
    PVHGRUB_TRY_ASSIGN(const std::vector<ConfigurationSource> found,
                       find_configurations(*devices, budget, diagnostics));
    const auto grub = std::ranges::find(found, kGrub, &ConfigurationSource::kind);
    if (grub != found.end()) {
      source = *grub;
    } else {
      for (const fs::Device& device : devices->devices()) {
        if (!devices->file_system(device.name)) continue;
        source = {std::string(kGrub), device.name, "/boot/grub/grub.cfg"};
        break;
      }
    }
  }
  PVHGRUB_TRY_ASSIGN(Evaluator evaluator, start_evaluator(session, source));
  const SourceRange script = SourceRange::whole(SourceText::from_file(text, std::move(name)));
  text = std::string();
  PVHGRUB_TRY(evaluator.run_file(script));
  return evaluator.environment().value_or_empty("?") == "0" || evaluator.environment().get("?") == nullptr;
}

}  // namespace pvhgrub::grubcfg
