// SPDX-License-Identifier: LGPL-2.1-or-later
// All that GRUB remembers between two commands. Copied for each entry that is looked at, so it is cheap to
// copy.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "fsreaders/file_system.h"
#include "grubcfg/bls_directory.h"
#include "grubcfg/diagnostics.h"
#include "grubcfg/environment.h"
#include "grubcfg/environment_blocks.h"
#include "grubcfg/grub_flavour.h"
#include "grubcfg/grub_settings.h"
#include "grubcfg/menu.h"
#include "grubcfg/source_text.h"
#include "grubcfg/syntax_tree.h"

namespace pvhgrub::grubcfg {

/// A map that copies share until one of them writes.
template <typename Value>
class SharedMap {
 public:
  [[nodiscard]] const Value* find(std::string_view key) const {
    if (!map_) return nullptr;
    const auto found = map_->find(key);
    return found != map_->end() ? &found->second : nullptr;
  }
  void assign(std::string_view key, Value value) {
    if (!map_ || map_.use_count() > 1) map_ = map_ ? std::make_shared<Map>(*map_) : std::make_shared<Map>();
    map_->insert_or_assign(std::string(key), std::move(value));
  }
  [[nodiscard]] std::size_t size() const { return map_ ? map_->size() : 0; }
  template <typename Use>
  void for_each(Use&& use) const {
    if (!map_) return;
    for (const auto& [key, value] : *map_) use(value);
  }
  template <typename Use>
  void for_each_key(Use&& use) const {
    if (!map_) return;
    for (const auto& [key, value] : *map_) use(std::string_view(key));
  }

 private:
  using Map = std::map<std::string, Value, std::less<>>;
  std::shared_ptr<Map> map_;
};

/// A file that a multiboot kernel is given, with its arguments.
struct HypervisorModule {
  FileReference file;
  std::string command_line;
};

/// What the loader commands have put in place so far.
struct LoadedSystem {
  BootEntry entry;            ///< kind kNone: nothing
  bool takes_initrd = false;  ///< the last `linux` succeeded
  std::vector<HypervisorModule> modules;
};

/// A disk that `loopback` made: what the script calls it, and what Devices does.
struct LoopbackDisk {
  std::string name;
  std::string disk;
};

/// What SUSE's `btrfs-mount-subvol` did: paths that begin with `directory` go on in the subvolume.
struct BtrfsMount {
  std::string directory;
  std::string subvolume;  ///< path from the top-level subvolume, without '/' at its end
  friend bool operator==(const BtrfsMount&, const BtrfsMount&) = default;
};

/// What GRUB 2's legacy_kernel takes the next kernel for.
enum class LegacyKernel : std::uint8_t { kGuess, kLinux, kMultiboot, kFreeBsd, kNetBsd, kOpenBsd };

struct MachineState {
  Environment environment;
  SharedMap<std::shared_ptr<const SyntaxTree>> functions;
  /// Environment blocks that save_env changed, or of which a request was followed; by the name under which
  /// the block was first read.
  SharedMap<SavedBlock> saved_blocks;
  SharedMap<std::string> found_devices;  ///< by "kind key": where `search` found something first
  std::vector<LoopbackDisk> loopbacks;   ///< the newest first
  std::vector<BtrfsMount> btrfs_mounts;
  std::vector<MenuPassword> passwords;
  LoadedSystem loaded;
  LegacyKernel legacy_kernel = LegacyKernel::kGuess;  ///< what was loaded or asked for last
  unsigned extractor_level = 0;     ///< inside extract_entries_...: only some commands may run
  unsigned recursion_depth = 0;     ///< commands and lists under execution inside one another
  bool function_return = false;     ///< `return` was called and its function has not ended yet
  bool continues = false;           ///< the pending breaks come from `continue`
  std::uint64_t active_breaks = 0;  ///< loops still to be left
  std::uint64_t active_loops = 0;
  bool is_red_hat = false;  ///< a command was run that only Red Hat's GRUB has: see grub_flavour.h
  bool is_suse = false;     ///< one that only SUSE's has
  std::optional<FileReference> device_tree;  ///< `devicetree`
  std::optional<BlsDialect> bls_dialect;  ///< whose `blscfg` an earlier command was, or loaded the module of
  /// The entry files that Red Hat's blscfg found so far: it remembers them from one call to the next.
  std::shared_ptr<const std::vector<BlsFile>> bls_files;
};

/// What one evaluation and all menus that come from it share.
struct Session {
  fs::Devices* devices = nullptr;  ///< null: a bare configuration, files are not looked for
  GrubSettings settings;
  Budget& budget;
  Diagnostics& diagnostics;
  unsigned menu_depth = 0;
  std::size_t menu_entries = 0;
  KnownBlocks environment_blocks = {};
  bool told_ignoring = false;  ///< it was told that environment blocks are passed over
  /// All disks that `loopback` made, by the names of Devices: each is known only to the state that made it.
  std::set<std::string, std::less<>> loopback_disks = {};
  /// What os-release on a device says of the guest's GRUB, no value inside for nothing: see grub_flavour.cc.
  std::optional<std::pair<std::string, std::optional<GrubFlavour>>> root_flavour = std::nullopt;
};

/// How to run an entry, beside what the menu shows of it.
struct EntryBody {
  SourceRange range;
  std::vector<std::string> more_arguments;  ///< $2 and on; $1 is the title
};

struct MenuUnderConstruction {
  std::vector<MenuEntry> entries;
  std::vector<EntryBody> bodies;
};

}  // namespace pvhgrub::grubcfg
