// SPDX-License-Identifier: LGPL-2.1-or-later
// The environment blocks of a guest: read once, changed in memory, and which of their requests are followed.
//
// A request is a variable that asks for something at the next boot only: next_entry (grub-reboot),
// prev_saved_entry (grub-reboot of GRUB before 2.00), prev_entry (Ubuntu's way back after a boot without
// initrd), menu_show_once and menu_show_once_timeout (Fedora). GRUB's configuration takes it back with
// save_env before it boots. Where nothing is written to the disk, following one would mean to follow it at
// every boot, so there it counts as not made. Counters (Fedora's boot_counter, RAUC's A_TRY, Mender's
// bootcount) are no requests: what they say is followed, but where nothing is written they stand still, as
// they do for GRUB on a file system that it cannot write to. Ubuntu's recordfail and Fedora's boot_success
// and boot_indeterminate only say how long a menu is shown. systemd's LoaderEntryOneShot is a variable of the
// firmware, and never in a block.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grubcfg/grub_settings.h"
#include "grubcfg/grubenv.h"
#include "grubcfg/menu.h"

namespace pvhgrub::grubcfg {

class Evaluator;
struct MachineState;

/// One block as it lies on the disk.
struct BlockOnDisk {
  FileReference file;  ///< the name under which it was first read
  EnvironmentBlock block;
  std::vector<fs::DiskExtent> extents;  ///< where it lies
  std::string obstacle;                 ///< why nothing can be written there, in words; empty where it can
  bool told_request = false;            ///< the notice of a request that is not followed was given
  bool told_saving = false;             ///< the notice that nothing of it is written was given
};

/// The blocks of one evaluation and all that comes from it, by every name that they were read under. All see
/// the same contents, so that what the broker is told to find on the disk is what was followed.
using KnownBlocks = std::map<std::string, std::shared_ptr<BlockOnDisk>, std::less<>>;

/// A block as save_env left it.
struct SavedBlock {
  std::shared_ptr<BlockOnDisk> disk;
  EnvironmentBlock block;
  bool answers_request = false;  ///< as EnvironmentBlockChange::answers_request
};

/// The block of that name ("(hd0,gpt2)/boot/grub/grubenv", "(hd0,gpt2)512+1"), with what was saved to it so
/// far; no value with GRUB's error raised.
[[nodiscard]] Result<std::optional<SavedBlock>> open_environment_block(Evaluator& evaluator,
                                                                       std::string_view name);

/// Whether save_env's changes of this block go to the disk.
[[nodiscard]] bool is_written(GrubenvMode mode, const BlockOnDisk& block);

/// The requests among what load_env took from a block: "next_entry=b", in their order; those that are empty
/// are none.
[[nodiscard]] std::vector<std::string> find_requests(const EnvironmentVariables& variables);

/// Makes the requests empty; with prev_saved_entry, saved_entry becomes what it was before the request, as
/// the configuration itself does it after it has followed one.
void withdraw_requests(EnvironmentVariables& variables);

/// What is to be written to the disk.
[[nodiscard]] std::vector<EnvironmentBlockChange> environment_changes(const MachineState& state);

/// Puts blocks back into the state in which `changes` left them.
void restore_environment_changes(MachineState& state, const KnownBlocks& known,
                                 const std::vector<EnvironmentBlockChange>& changes);

}  // namespace pvhgrub::grubcfg
