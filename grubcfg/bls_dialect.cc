// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/bls_dialect.h"

#include <algorithm>
#include <array>
#include <optional>

#include "grubcfg/file_access.h"
#include "grubcfg/grub_flavour.h"
#include "grubcfg/guest_files.h"

namespace pvhgrub::grubcfg {

namespace {

bool is_any_set(Evaluator& evaluator, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(
      names, [&](std::string_view name) { return evaluator.environment().get(name) != nullptr; });
}

/// Which of the two modules the guest's GRUB directory holds. A signed GRUB image has its modules built in,
/// so there may be neither.
Result<std::optional<BlsDialect>> find_installed_module(Evaluator& evaluator) {
  constexpr std::array<std::string_view, 7> kPlatforms = {
      "x86_64-efi", "i386-pc", "i386-xen_pvh", "x86_64-xen", "i386-xen", "i386-efi", "arm64-efi"};
  Session& session = evaluator.session();
  if (session.devices == nullptr) return std::nullopt;
  const std::optional<FileReference> prefix =
      FileAccess(evaluator).locate(evaluator.environment().value_or_empty("prefix"));
  evaluator.clear_error();
  if (!prefix || !prefix->path.starts_with('/')) return std::nullopt;
  GuestFiles files(session.devices, session.budget);
  for (const std::string_view platform : kPlatforms) {
    const std::string directory = prefix->path + "/" + std::string(platform) + "/";
    PVHGRUB_TRY_ASSIGN(const bool red_hat, files.is_file({prefix->device, directory + "blscfg.mod"}));
    if (red_hat) return BlsDialect::kRedHat;
    PVHGRUB_TRY_ASSIGN(const bool upstream, files.is_file({prefix->device, directory + "blsuki.mod"}));
    if (upstream) return BlsDialect::kUpstream;
  }
  return std::nullopt;
}

/// Red Hat's command, or what SUSE made of it: the distribution tells.
Result<BlsDialectFinding> tell_suse_apart(Evaluator& evaluator, BlsDialectFinding finding) {
  if (finding.dialect != BlsDialect::kRedHat) return finding;
  PVHGRUB_TRY_ASSIGN(const GrubFlavour flavour,
                     find_flavour(evaluator.session(), evaluator.state(), evaluator.menu_source(), {}));
  if (flavour.is_suse) finding.dialect = BlsDialect::kSuse;
  return finding;
}

// From the surest sign to the weakest:
//  1. How the command is called. Options are 2.14's alone; `bls_import`, and arguments that are no options,
//     are Red Hat's alone (2.14 passes over them).
//  2. What the configuration did before: `insmod blscfg` or `insmod blsuki`, the name of the module that has
//     the command; the command `uki`; `increment` and `decrement`, which only Red Hat's GRUB has.
//  3. The module in $prefix.
//  4. Variables that only one of the two reads, or, as `boot`, only Red Hat's grub2-mkconfig sets.
//  5. The name of GRUB's directory: Red Hat and those who took its GRUB say grub2, GRUB itself grub.
//  6. None of these, as in a vendor's directory on the EFI system partition: Red Hat's, which is eight years
//     the older.
Result<BlsDialectFinding> find_red_hat_or_upstream(Evaluator& evaluator, const CommandCall& call) {
  using Finding = BlsDialectFinding;
  const MachineState& state = evaluator.state();
  if (call.name == "bls_import") return Finding{BlsDialect::kRedHat, "the command bls_import"};
  if (std::ranges::any_of(call.arguments,
                          [](std::string_view argument) { return argument.starts_with('-'); }))
    return Finding{BlsDialect::kUpstream, "the options"};
  if (!call.arguments.empty()) return Finding{BlsDialect::kRedHat, "the arguments"};

  if (state.bls_dialect) return Finding{*state.bls_dialect, "earlier commands"};
  if (state.is_red_hat) return Finding{BlsDialect::kRedHat, "earlier commands"};

  PVHGRUB_TRY_ASSIGN(const std::optional<BlsDialect> installed, find_installed_module(evaluator));
  if (installed) return Finding{*installed, "the installed module"};

  if (is_any_set(evaluator, {"blsuki_save_default"})) return Finding{BlsDialect::kUpstream, "the variables"};
  if (is_any_set(evaluator, {"kernelopts", "default_kernelopts", "tuned_params", "blsdir", "boot"}))
    return Finding{BlsDialect::kRedHat, "the variables"};

  const std::string_view prefix = evaluator.environment().value_or_empty("prefix");
  if (prefix.ends_with("/grub")) return Finding{BlsDialect::kUpstream, "the name of GRUB's directory"};
  if (prefix.ends_with("/grub2")) return Finding{BlsDialect::kRedHat, "the name of GRUB's directory"};
  return Finding{BlsDialect::kRedHat, "nothing that would say otherwise"};
}

}  // namespace

Result<BlsDialectFinding> find_bls_dialect(Evaluator& evaluator, const CommandCall& call) {
  PVHGRUB_TRY_ASSIGN(const BlsDialectFinding finding, find_red_hat_or_upstream(evaluator, call));
  return tell_suse_apart(evaluator, finding);
}

}  // namespace pvhgrub::grubcfg
