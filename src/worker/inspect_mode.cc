// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/inspect_mode.h"

#include <array>

#include "bootimage/byte_source.h"
#include "bootimage/image_facts.h"
#include "grubcfg/choice.h"
#include "src/worker/boot_decision.h"
#include "src/worker/kernel_reader.h"

namespace pvhgrub::worker {
namespace {

using protocol::GuestType;

class Inspector {
 public:
  Inspector(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter,
            Budget& budget)
      : guest_(guest), request_(request), channel_(channel), reporter_(reporter), budget_(budget) {}

  Result<void> run() {
    const protocol::RequestDisk& file = request_.disks.front();
    bootimage::DescriptorSource source(static_cast<int>(file.descriptor), file.size);
    PVHGRUB_TRY_ASSIGN(const auto start,
                       bootimage::read_start(source, bootimage::kImageStartBytes, budget_, "the start"));
    if (!file.offset && bootimage::recognise_image(start) != bootimage::ImageKind::kOther) {
      PVHGRUB_TRY_ASSIGN(const auto image, read_kernel(source, nullptr, request_.kernel_limit, budget_));
      return tell_kernel(image, false, false, 0);
    }
    PVHGRUB_TRY(guest_.open_disks());
    PVHGRUB_TRY(tell_devices());
    return tell_boot();
  }

 private:
  Result<void> tell(const std::string& group, std::string_view name, std::string value) {
    if (value.empty()) return {};
    // A fact must fit a frame; what is longer is no fact for a person.
    constexpr std::size_t kValueBytes = 16 * limits::kKiB;
    value.resize(std::min(value.size(), kValueBytes));
    const protocol::FactMessage fact{group, std::string(name), std::move(value)};
    return channel_.send(protocol::FrameType::kFact, 0, fact.encode().payload());
  }

  Result<void> tell_kernel(const bootimage::KernelImage& image, bool is_efi_entry, bool has_ramdisk,
                           std::size_t command_line_bytes) {
    PVHGRUB_TRY(tell("kernel", "description", image.describe()));
    for (const bootimage::ImageFact& fact : bootimage::facts_of(image))
      PVHGRUB_TRY(tell("kernel", fact.name, fact.value));
    constexpr std::array<std::pair<GuestType, std::string_view>, 3> kTypes = {
        {{GuestType::kPvh, "pvh"}, {GuestType::kPv, "pv"}, {GuestType::kArm, "arm"}}};
    for (const auto& [type, name] : kTypes) {
      BootFacts facts;
      facts.request = request_.boot;
      facts.guest_type = type;
      facts.is_efi_entry = is_efi_entry;
      facts.has_ramdisk = has_ramdisk;
      facts.command_line_bytes = command_line_bytes;
      facts.no_firmware = "needs firmware made for Xen (--firmware)";
      const auto decision = decide_boot(image, facts);
      PVHGRUB_TRY(tell("boot as", name,
                       decision
                           ? std::string(protocol::boot_kind_name(decision->kind)) + ": " + decision->reason
                           : "no: " + decision.error().message));
    }
    return {};
  }

  Result<void> tell_devices() {
    for (const fs::Device& device : guest_.devices().devices()) {
      const std::string group = "(" + device.name + ")";
      PVHGRUB_TRY(tell(group, "size", std::to_string(device.size)));
      PVHGRUB_TRY(tell(group, "partition-type", device.partition_type));
      PVHGRUB_TRY(tell(group, "partition-label", device.partition_label));
      PVHGRUB_TRY(tell(group, "partition-uuid", device.partition_uuid));
      if (!device.begins_as.empty()) {
        PVHGRUB_TRY(tell(group, "contents", "begins where (" + device.begins_as + ") does"));
        continue;
      }
      const auto file_system = guest_.devices().file_system(device.name);
      if (!file_system) {
        if (file_system.error().code == ErrorCode::kLimit) return std::unexpected(file_system.error());
        PVHGRUB_TRY(tell(group, "contents", file_system.error().message));
        continue;
      }
      PVHGRUB_TRY(tell(group, "file-system", std::string((*file_system)->type_name())));
      PVHGRUB_TRY(tell(group, "uuid", std::string((*file_system)->uuid())));
      PVHGRUB_TRY(tell(group, "label", std::string((*file_system)->label())));
      for (const std::string& note : (*file_system)->notes()) PVHGRUB_TRY(tell(group, "note", note));
    }
    return {};
  }

  Result<void> tell_boot() {
    grubcfg::Choice choice;
    const Result<void> chosen = guest_.with_menu([&](grubcfg::Menu& menu) -> Result<void> {
      PVHGRUB_TRY_ASSIGN(choice, request_.entry ? grubcfg::choose_entry(menu, *request_.entry, reporter_)
                                                : grubcfg::choose_default(menu, reporter_));
      const grubcfg::ConfigurationSource& source = menu.source();
      PVHGRUB_TRY(
          tell("boot", "configuration", grubcfg::FileReference{source.device, source.path}.to_string()));
      PVHGRUB_TRY(tell("boot", "kind", source.kind));
      return tell("boot", "entries", std::to_string(menu.entries().size()));
    });
    if (!chosen && chosen.error().code == ErrorCode::kLimit) return chosen;
    if (!chosen) return tell("boot", "problem", chosen.error().describe());
    PVHGRUB_TRY(tell("boot", "entry", grubcfg::to_string(choice.path)));
    PVHGRUB_TRY(tell("boot", "title", choice.title));
    PVHGRUB_TRY(tell("boot", "id", choice.id));
    PVHGRUB_TRY(tell("boot", "kernel", choice.entry.kernel.to_string()));
    for (const grubcfg::InitrdFile& initrd : choice.entry.initrds)
      PVHGRUB_TRY(tell("boot", "initrd", initrd.file.to_string()));
    PVHGRUB_TRY(tell("boot", "command-line", choice.entry.command_line));
    PVHGRUB_TRY(tell("boot", "problem", choice.entry.error));
    if (!choice.entry.bootable()) return {};
    return tell_kernel_of(choice.entry);
  }

  Result<void> tell_kernel_of(const grubcfg::BootEntry& entry) {
    const auto told = [&]() -> Result<void> {
      PVHGRUB_TRY_ASSIGN(const auto file, guest_.open_file(entry.kernel));
      FileBytes bytes(*file);
      PVHGRUB_TRY_ASSIGN(const auto image, read_kernel(bytes, nullptr, request_.kernel_limit, budget_));
      return tell_kernel(image, entry.unified_image.has_value(), !entry.initrds.empty(),
                         entry.command_line.size());
    }();
    if (told || told.error().code == ErrorCode::kLimit || told.error().code == ErrorCode::kProtocol)
      return told;
    return tell("kernel", "problem", told.error().describe());
  }

  Guest& guest_;
  const protocol::Request& request_;
  Channel& channel_;
  Reporter& reporter_;
  Budget& budget_;
};

}  // namespace

Result<void> run_inspect(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter,
                         Budget& budget) {
  if (request.disks.empty()) return fail(ErrorCode::kUsage, "--inspect needs a disk or a kernel image");
  return Inspector(guest, request, channel, reporter, budget).run();
}

}  // namespace pvhgrub::worker
