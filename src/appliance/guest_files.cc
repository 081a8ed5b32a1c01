// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/appliance/guest_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/appliance_limits.h"

namespace pvhgrub::appliance {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
  // What libguestfs calls a list of strings: every one of it is to be freed, too.
  void operator()(char** texts) const {
    for (char** text = texts; *text != nullptr; ++text) std::free(*text);
    std::free(static_cast<void*>(texts));
  }
};
using Text = std::unique_ptr<char, Free>;
using Texts = std::unique_ptr<char*, Free>;

// Empty where libguestfs has none.
std::string text_of(char* text) {
  const Text owned(text);
  return owned ? std::string(owned.get()).substr(0, limits::kApplianceTextBytes) : std::string();
}

bool contains(char** texts, const std::string& wanted) {
  for (char** text = texts; text != nullptr && *text != nullptr; ++text)
    if (wanted == *text) return true;
  return false;
}

// As GRUB writes a volume: hyphens in a name are doubled (grub-core/disk/lvm.c knows it as the device
// mapper's way).
std::string doubled_hyphens(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == '-' ? std::string("--") : std::string(1, c);
  return out;
}

// GRUB's name of libguestfs's device; empty where it has none.
std::string grub_name(guestfs_h* handle, const std::string& device) {
  const Texts disks(guestfs_list_devices(handle));
  const auto disk_name = [&](const std::string& disk) {
    const int number = guestfs_device_index(handle, disk.c_str());
    return number < 0 ? std::string() : "hd" + std::to_string(number);
  };
  if (contains(disks.get(), device)) return disk_name(device);
  const Texts partitions(guestfs_list_partitions(handle));
  if (contains(partitions.get(), device)) {
    const std::string disk = text_of(guestfs_part_to_dev(handle, device.c_str()));
    const int number = guestfs_part_to_partnum(handle, device.c_str());
    const std::string name = disk_name(disk);
    return name.empty() || number < 1 ? std::string() : name + "," + std::to_string(number);
  }
  const std::string_view below_dev = std::string_view(device).substr(std::min<std::size_t>(5, device.size()));
  const std::size_t slash = below_dev.find('/');
  if (below_dev.starts_with("md")) {
    const std::string_view rest = below_dev.substr(2);
    return "md/" + std::string(rest.starts_with('/') ? rest.substr(1) : rest);
  }
  if (slash == std::string_view::npos || guestfs_is_lv(handle, device.c_str()) != 1) return {};
  return "lvm/" + doubled_hyphens(below_dev.substr(0, slash)) + "-" +
         doubled_hyphens(below_dev.substr(slash + 1));
}

protocol::ApplianceEntry::Type entry_type(std::int64_t mode) {
  using Type = protocol::ApplianceEntry::Type;
  constexpr std::int64_t kFormat = 0170000;
  switch (mode & kFormat) {
    case 0100000:
      return Type::kRegular;
    case 0040000:
      return Type::kDirectory;
    case 0120000:
      return Type::kSymlink;
    default:
      return Type::kOther;
  }
}

// libguestfs tells how far a start is in twelfths or so; a line at each third is enough.
void tell_progress(guestfs_h* handle, void* opaque, std::uint64_t event, int event_handle, int flags,
                   const char* buffer, std::size_t buffer_bytes, const std::uint64_t* array,
                   std::size_t array_length) {
  (void)handle;
  (void)event;
  (void)event_handle;
  (void)flags;
  (void)buffer;
  (void)buffer_bytes;
  if (array_length < 4 || array[3] == 0) return;
  const std::uint64_t percent = std::min<std::uint64_t>(array[2], array[3]) * 100 / array[3];
  (*static_cast<const Progress*>(opaque))("starting, " + std::to_string(percent) + " %");
}

}  // namespace

Result<std::unique_ptr<GuestFiles>> GuestFiles::start(const std::vector<std::string>& sockets,
                                                      const Progress& progress) {
  bool accelerated = access("/dev/kvm", R_OK | W_OK) == 0;
  progress(accelerated ? "starting (with KVM: this takes some seconds)"
                       : "starting (without KVM: this takes some ten seconds or more)");
  auto files = launch(sockets, progress, accelerated);
  if (!files && accelerated) {
    // A device that is there may still not work, as within some virtual machines.
    progress(files.error().describe() + "; starting without KVM (this takes some ten seconds or more)");
    files = launch(sockets, progress, false);
  }
  if (!files) return files;
  PVHGRUB_TRY((*files)->find_volumes());
  progress("started, " + std::to_string((*files)->volumes_.size()) + " file systems");
  return files;
}

Result<std::unique_ptr<GuestFiles>> GuestFiles::launch(const std::vector<std::string>& sockets,
                                                       const Progress& progress, bool accelerated) {
  Handle handle(guestfs_create_flags(GUESTFS_CREATE_NO_CLOSE_ON_EXIT));
  if (handle == nullptr) return fail(ErrorCode::kIo, "libguestfs gives no handle");
  std::unique_ptr<GuestFiles> files(new GuestFiles(std::move(handle)));
  guestfs_h* const g = files->handle_.get();
  guestfs_set_error_handler(g, nullptr, nullptr);
  Progress to_tell = progress;
  const int event =
      guestfs_set_event_callback(g, tell_progress, GUESTFS_EVENT_PROGRESS, 0, static_cast<void*>(&to_tell));
  std::string tcg = "force_tcg";
  char* settings[] = {accelerated ? nullptr : tcg.data(), nullptr};
  if (guestfs_set_backend(g, "direct") != 0 || guestfs_set_backend_settings(g, settings) != 0 ||
      guestfs_set_network(g, 0) != 0)
    return files->failure("cannot set up libguestfs");
  for (const std::string& socket : sockets) PVHGRUB_TRY(files->add_disk(socket));
  if (guestfs_launch(g) != 0) return files->failure("libguestfs does not start");
  if (event >= 0) guestfs_delete_event_callback(g, event);
  return files;
}

Result<void> GuestFiles::add_disk(const std::string& socket) {
  std::string server = "unix:" + socket;
  char* servers[] = {server.data(), nullptr};
  struct guestfs_add_drive_opts_argv options{};  // a function has the same name
  options.bitmask = GUESTFS_ADD_DRIVE_OPTS_READONLY_BITMASK | GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK |
                    GUESTFS_ADD_DRIVE_OPTS_PROTOCOL_BITMASK | GUESTFS_ADD_DRIVE_OPTS_SERVER_BITMASK;
  options.readonly = 1;
  options.format = "raw";
  options.protocol = "nbd";
  options.server = servers;
  if (guestfs_add_drive_opts_argv(handle_.get(), "", &options) != 0) return failure("cannot add a disk");
  return {};
}

Result<void> GuestFiles::find_volumes() {
  guestfs_h* const g = handle_.get();
  // A list of names and types in turn. Types that hold no files: guestfs(3), "guestfs_list_filesystems".
  const Texts found(guestfs_list_filesystems(g));
  if (found == nullptr) return failure("cannot look for file systems");
  for (char** pair = found.get(); pair[0] != nullptr && pair[1] != nullptr; pair += 2) {
    const std::string device = pair[0];
    const std::string type = pair[1];
    // A subvolume of btrfs is a directory of its volume, which is told as well.
    if (type == "swap" || type == "unknown" || type == "crypto_LUKS" || device.starts_with("btrfsvol:"))
      continue;
    protocol::ApplianceVolume volume;
    volume.device = grub_name(g, device);
    if (volume.device.empty() || volumes_.size() == limits::kApplianceFileSystems) continue;
    volume.type = type;
    volume.uuid = text_of(guestfs_vfs_uuid(g, device.c_str()));
    volume.label = text_of(guestfs_vfs_label(g, device.c_str()));
    volumes_.push_back(std::move(volume));
    devices_.push_back(device);
    // Before anything is mounted, as guestfs(3) wants it.
    if (guestfs_mkmountpoint(g, ("/" + std::to_string(volumes_.size() - 1)).c_str()) != 0)
      return failure("cannot make a mount point");
  }
  mounted_.resize(volumes_.size());
  return {};
}

std::unexpected<Error> GuestFiles::failure(const std::string& what) const {
  const char* const message = guestfs_last_error(handle_.get());
  ErrorCode code = ErrorCode::kIo;
  switch (guestfs_last_errno(handle_.get())) {
    case ENOENT:
      code = ErrorCode::kNotFound;
      break;
    case ENOTDIR:
    case EISDIR:
      code = ErrorCode::kWrongType;
      break;
    case EUCLEAN:
    case EBADMSG:
      code = ErrorCode::kDamaged;
      break;
    default:
      break;
  }
  return fail(code, what + ": " + (message != nullptr ? message : "libguestfs does not say why"));
}

Result<std::string> GuestFiles::place_of(std::uint32_t number, const std::string& path) {
  if (number >= volumes_.size() || !path.starts_with('/'))
    return fail(ErrorCode::kNotFound, "there is no such file system");
  const std::string place = "/" + std::to_string(number);
  if (!mounted_[number]) {
    if (guestfs_mount_ro(handle_.get(), devices_[number].c_str(), place.c_str()) != 0) {
      Error error = failure("it cannot be mounted").error();
      error.code = ErrorCode::kDamaged;
      return std::unexpected(std::move(error));
    }
    mounted_[number] = true;
  }
  return place + path;
}

Result<std::vector<protocol::ApplianceEntry>> GuestFiles::list(std::uint32_t number,
                                                               const std::string& path) {
  PVHGRUB_TRY_ASSIGN(const std::string place, place_of(number, path));
  guestfs_h* const g = handle_.get();
  const Texts names(guestfs_ls(g, place.c_str()));
  if (names == nullptr) return failure("cannot list " + path);
  struct FreeStats {
    void operator()(struct guestfs_statns_list* list) const { guestfs_free_statns_list(list); }
  };
  const std::unique_ptr<struct guestfs_statns_list, FreeStats> stats(
      guestfs_lstatnslist(g, place.c_str(), names.get()));
  if (stats == nullptr) return failure("cannot look at the files of " + path);
  std::vector<protocol::ApplianceEntry> entries;
  for (std::uint32_t i = 0; i < stats->len && names.get()[i] != nullptr; ++i) {
    const auto& stat = stats->val[i];
    // libguestfs marks what it could not look at by an inode number of -1.
    const bool known = stat.st_ino != -1;
    entries.push_back({names.get()[i],
                       known ? entry_type(stat.st_mode) : protocol::ApplianceEntry::Type::kOther,
                       known && stat.st_size > 0 ? static_cast<std::uint64_t>(stat.st_size) : 0,
                       known ? stat.st_mtime_sec : 0});
  }
  return entries;
}

Result<std::string> GuestFiles::read_link(std::uint32_t number, const std::string& path) {
  PVHGRUB_TRY_ASSIGN(const std::string place, place_of(number, path));
  const Text target(guestfs_readlink(handle_.get(), place.c_str()));
  if (target == nullptr) return failure("cannot read the link " + path);
  return std::string(target.get());
}

Result<std::string> GuestFiles::read(std::uint32_t number, const std::string& path, std::uint64_t offset,
                                     std::uint32_t length) {
  PVHGRUB_TRY_ASSIGN(const std::string place, place_of(number, path));
  std::string contents;
  while (contents.size() < length) {
    std::size_t count = 0;
    const Text piece(guestfs_pread(handle_.get(), place.c_str(), static_cast<int>(length - contents.size()),
                                   static_cast<std::int64_t>(offset + contents.size()), &count));
    if (piece == nullptr) return failure("cannot read " + path);
    if (count == 0) return fail(ErrorCode::kIo, path + " ends before its size");
    contents.append(piece.get(), count);
  }
  return contents;
}

}  // namespace pvhgrub::appliance
