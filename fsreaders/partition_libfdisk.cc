// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/partition_libfdisk.h"

#include <fcntl.h>
#include <libfdisk/libfdisk.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "fsreaders/partition_msdos.h"
#include "fsreaders/partition_sun_label.h"

namespace pvhgrub::fs {
namespace {

struct ContextDeleter {
  // Not fdisk_deassign_device(), which would fsync(2) and sync(2): calls that kill the confined worker.
  // Without it the descriptor stays open, as it must: libfdisk was only lent it.
  void operator()(fdisk_context* context) const { fdisk_unref_context(context); }
};
struct TableDeleter {
  void operator()(fdisk_table* table) const { fdisk_unref_table(table); }
};
struct IteratorDeleter {
  void operator()(fdisk_iter* iterator) const { fdisk_free_iter(iterator); }
};
using Context = std::unique_ptr<fdisk_context, ContextDeleter>;
using Table = std::unique_ptr<fdisk_table, TableDeleter>;
using Iterator = std::unique_ptr<fdisk_iter, IteratorDeleter>;

std::string text_or_empty(const char* text) {
  return text != nullptr ? std::string(text) : std::string();
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

extern "C" {
/// libfdisk's way to speak: notes that it did, answers no question. Its words are for somebody who is about
/// to write the table, so they are not shown.
static int pvhgrub_libfdisk_speaks(fdisk_context* /*context*/, fdisk_ask* ask, void* data) noexcept {
  *static_cast<bool*>(data) = true;
  const int type = fdisk_ask_get_type(ask);
  const bool statement =
      type == FDISK_ASKTYPE_INFO || type == FDISK_ASKTYPE_WARN || type == FDISK_ASKTYPE_WARNX;
  return statement ? 0 : -EINVAL;
}
}

/// Undoes what libblkid, which libfdisk asks for the disk's topology, leaves on the open file:
/// POSIX_FADV_RANDOM, without which the kernel reads ahead, for us and for the broker that copies a kernel
/// from the same open file.
class ReadAheadRestorer {
 public:
  explicit ReadAheadRestorer(int fd) : fd_(fd) {}
  ReadAheadRestorer(const ReadAheadRestorer&) = delete;
  ReadAheadRestorer& operator=(const ReadAheadRestorer&) = delete;
  // A failure costs speed only.
  ~ReadAheadRestorer() { static_cast<void>(posix_fadvise(fd_, 0, 0, POSIX_FADV_NORMAL)); }

 private:
  int fd_;
};

/// UEFI 2.10, table 5.8.
constexpr std::uint64_t kRequiredPartition = 1;
constexpr std::uint64_t kNoBlockIoProtocol = 2;
constexpr std::uint64_t kLegacyBiosBootable = 4;

/// The attribute bits from libfdisk's text for them: names for the first three, "GUID:48,56" for the upper
/// sixteen.
std::uint64_t attribute_bits(const std::string& text) {
  std::uint64_t bits = 0;
  if (text.find("RequiredPartition") != std::string::npos) bits |= kRequiredPartition;
  if (text.find("NoBlockIOProtocol") != std::string::npos) bits |= kNoBlockIoProtocol;
  if (text.find("LegacyBIOSBootable") != std::string::npos) bits |= kLegacyBiosBootable;
  unsigned number = 0;
  const std::size_t guid = text.find("GUID:");
  if (guid == std::string::npos) return bits;
  for (const char c : text.substr(guid + 5) + ",") {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<unsigned>(c - '0');
    } else {
      if (number >= 48 && number < 64) bits |= std::uint64_t{1} << number;
      number = 0;
    }
  }
  return bits;
}

TableEntry convert(fdisk_partition* entry, const std::string& label_type) {
  const bool gpt = label_type == "gpt";
  TableEntry partition;
  partition.number = std::uint64_t{fdisk_partition_get_partno(entry)} + 1;
  if (fdisk_partition_has_start(entry)) partition.start = fdisk_partition_get_start(entry);
  if (fdisk_partition_has_size(entry)) partition.sectors = fdisk_partition_get_size(entry);
  if (fdisk_parttype* type = fdisk_partition_get_type(entry); type != nullptr) {
    const unsigned code = fdisk_parttype_get_code(type);
    partition.type = gpt                   ? lower_case(text_or_empty(fdisk_parttype_get_string(type)))
                     : label_type == "sun" ? sun_type_name(code)
                                           : msdos_type_name(code);
  }
  if (gpt) {
    partition.uuid = lower_case(text_or_empty(fdisk_partition_get_uuid(entry)));
    partition.label = text_or_empty(fdisk_partition_get_name(entry));
    partition.attributes = attribute_bits(text_or_empty(fdisk_partition_get_attrs(entry)));
    partition.bootable = (partition.attributes & kLegacyBiosBootable) != 0;
  } else {
    partition.bootable = fdisk_partition_is_bootable(entry) != 0;
    partition.extended = fdisk_partition_is_container(entry) != 0;
  }
  return partition;
}

Result<void> read_partitions(const Disk& disk, fdisk_context* context, LibfdiskTable& result) {
  fdisk_table* raw_table = nullptr;
  const int error = fdisk_get_partitions(context, &raw_table);
  const Table table(raw_table);
  const Iterator iterator(fdisk_new_iter(FDISK_ITER_FORWARD));
  if (error != 0 || table == nullptr || iterator == nullptr) {
    errno = error != 0 ? -error : ENOMEM;
    return fail_errno("libfdisk could not list the partitions", disk.name());
  }
  fdisk_partition* entry = nullptr;
  while (fdisk_table_next_partition(table.get(), iterator.get(), &entry) == 0)
    if (fdisk_partition_is_freespace(entry) == 0)
      result.partitions.push_back(convert(entry, result.label_type));
  return {};
}

}  // namespace

Result<LibfdiskTable> read_with_libfdisk(const Disk& disk, std::uint32_t sector_size) {
  // Both libraries would print what they do, guest text among it, to standard error.
  unsetenv("LIBFDISK_DEBUG");
  unsetenv("LIBBLKID_DEBUG");

  LibfdiskTable result;
  const Context context(fdisk_new_context());
  if (context == nullptr) {
    errno = ENOMEM;
    return fail_errno("libfdisk could not start", disk.name());
  }
  fdisk_set_ask(context.get(), pvhgrub_libfdisk_speaks, &result.spoke);
  fdisk_disable_dialogs(context.get(), 1);
  // Also keeps it from searching for other signatures on the disk.
  fdisk_enable_listonly(context.get(), 1);
  // libfdisk would ask the device by ioctl(2), which the confined worker may not, and then take 512.
  fdisk_save_user_sector_size(context.get(), sector_size, sector_size);

  const ReadAheadRestorer restorer(disk.input().fd);
  const int error =
      fdisk_assign_device_by_fd(context.get(), disk.input().fd, disk.name().c_str(), /*readonly=*/1);
  if (error != 0) {
    errno = -error;
    return fail_errno("libfdisk could not read the disk", disk.name());
  }
  result.sectors = fdisk_get_nsectors(context.get());
  if (fdisk_has_label(context.get()) == 0) return result;
  const fdisk_label* label = fdisk_get_label(context.get(), nullptr);
  result.label_type = text_or_empty(label != nullptr ? fdisk_label_get_name(label) : nullptr);
  if (result.label_type != "gpt" && result.label_type != "dos" && result.label_type != "sun") return result;
  PVHGRUB_TRY(read_partitions(disk, context.get(), result));
  return result;
}

}  // namespace pvhgrub::fs
