// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/boot_mode.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "bootimage/bzimage.h"
#include "grubcfg/choice.h"
#include "src/worker/boot_choice.h"
#include "src/worker/boot_outputs.h"
#include "src/worker/host_files.h"
#include "src/worker/kernel_reader.h"

namespace pvhgrub::worker {
namespace {

using grubcfg::BootEntry;
using grubcfg::Choice;
using protocol::BootKind;
using protocol::BootRequest;
using protocol::HostFile;

class BootMode {
 public:
  BootMode(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter,
           Budget& budget)
      : guest_(guest),
        request_(request),
        channel_(channel),
        reporter_(reporter),
        budget_(budget),
        host_files_(request) {}

  Result<void> run() {
    if (request_.boot == BootRequest::kFirmware) return run_firmware("--boot=firmware asks for it");
    PVHGRUB_TRY(choose());
    return boot_choice();
  }

  // A person chooses, and chooses anew where that cannot be booted.
  Result<void> run_with(Person& person) {
    std::optional<Result<void>> outcome;
    // What becomes of the choice is no reason to look for another configuration.
    PVHGRUB_TRY(guest_.with_menu([&](grubcfg::Menu& menu) -> Result<void> {
      outcome = ask_and_boot(person, menu);
      return {};
    }));
    return *std::move(outcome);
  }

 private:
  Result<void> boot_choice() {
    if (starts_efi_program(choice_.entry, request_)) return run_efi_program();
    if (request_.ramdisk) PVHGRUB_TRY(replace_ramdisk());
    if (!request_.arguments.empty()) {
      std::string& line = choice_.entry.command_line;
      line += (line.empty() ? "" : " ") + request_.arguments;
    }
    PVHGRUB_TRY(check_command_line(choice_));
    // A bare configuration has no files behind it: its choice is all there is to tell.
    if (request_.bare_configuration) return send_choice();
    PVHGRUB_TRY(open_files());
    PVHGRUB_TRY(check_kernel());
    PVHGRUB_TRY(send_choice());
    PVHGRUB_TRY_ASSIGN(const BootKind kind, boot_kernel());
    // Firmware starts the guest's own boot loader, which finds its environment blocks as they are.
    return request_.writes_environment() && kind != BootKind::kFirmware ? send_environment() : Result<void>();
  }

  Result<void> ask_and_boot(Person& person, grubcfg::Menu& menu) {
    for (;;) {
      PVHGRUB_TRY_ASSIGN(choice_, person.choose(menu));
      kernel_.reset();
      ramdisk_.reset();
      PVHGRUB_TRY_ASSIGN(picked_another_, is_another_than_default(menu));
      reporter_.explain("entry " + grubcfg::to_string(choice_.path) + ": " + choice_.title);
      Result<void> booted = settle_choice(choice_, request_);
      if (booted) booted = boot_choice();
      if (booted || decided_ || !person.reject(booted.error())) return booted;
    }
  }

  Result<void> choose() {
    if (request_.kernel) {
      PVHGRUB_TRY_ASSIGN(choice_.entry.kernel, guest_.find_file(*request_.kernel));
      choice_.entry.kind = BootEntry::Kind::kLinux;
      reporter_.explain("kernel from --kernel: " + choice_.entry.kernel.to_string());
      return {};
    }
    return guest_.with_menu([this](grubcfg::Menu& menu) -> Result<void> {
      PVHGRUB_TRY_ASSIGN(choice_, request_.entry ? grubcfg::choose_entry(menu, *request_.entry, reporter_)
                                                 : grubcfg::choose_default(menu, reporter_));
      PVHGRUB_TRY(settle_choice(choice_, request_));
      PVHGRUB_TRY_ASSIGN(picked_another_, is_another_than_default(menu));
      reporter_.explain("entry " + grubcfg::to_string(choice_.path) + ": " + choice_.title);
      return {};
    });
  }

  // Whether somebody asked for an entry that the guest's own boot loader would not start by itself.
  Result<bool> is_another_than_default(grubcfg::Menu& menu) const {
    if (!request_.entry && !request_.terminal) return false;
    PVHGRUB_TRY_ASSIGN(const grubcfg::EntryPath path, grubcfg::default_path(menu));
    return choice_.edited || path != choice_.path;
  }

  Result<void> run_efi_program() {
    const std::string what = "the entry starts the EFI program " + choice_.entry.kernel.to_string();
    if (request_.boot != BootRequest::kAuto) return std::unexpected(not_linux(choice_));
    if (host_files_.find(HostFile::Role::kFirmware) == nullptr)
      return fail(ErrorCode::kNoEntry, what + ", which only firmware can, and " + request_.no_firmware,
                  "entry \"" + choice_.title + "\"");
    return run_firmware(what);
  }

  // Firmware has its own way to the guest's boot loader, and starts what that starts by itself.
  Result<void> run_firmware(const std::string& why) {
    const HostFile* const firmware = host_files_.find(HostFile::Role::kFirmware);
    if (request_.guest_type == protocol::GuestType::kPv)
      return fail(ErrorCode::kNoEntry, no_firmware_for_pv(why), "firmware");
    if (firmware == nullptr) return fail(ErrorCode::kNoEntry, request_.no_firmware, "firmware");
    if (request_.entry && choice_.path.empty()) PVHGRUB_TRY(choose());
    PVHGRUB_TRY(check_conveyed());
    PVHGRUB_TRY(host_files_.check_bootable(*firmware, budget_));
    PVHGRUB_TRY(send_choice());
    BootOutputs outputs(channel_, request_.not_really);
    PVHGRUB_TRY(send_firmware(outputs, *firmware, why, ""));
    return {};
  }

  // Nothing of a choice reaches the firmware: what somebody asked for and would not get ends the boot.
  Result<void> check_conveyed() {
    const auto cannot = [](const std::string& what) {
      return fail(ErrorCode::kNoEntry,
                  "firmware starts the guest's own boot loader, and " + what +
                      " cannot be passed on to it; leave it out, or choose with --boot=direct");
    };
    if (request_.kernel) return cannot("--kernel=" + *request_.kernel);
    if (request_.ramdisk) return cannot("--ramdisk=" + *request_.ramdisk);
    if (!host_files_.ramdisk_members().empty()) return cannot("--module");
    if (picked_another_)
      return cannot(request_.entry ? "--entry=" + *request_.entry : "another entry than the default");
    if (!request_.arguments.empty())
      reporter_.notice("--args", "firmware takes no command line: " + request_.arguments + " goes nowhere");
    return {};
  }

  Result<void> send_firmware(BootOutputs& outputs, const HostFile& firmware, const std::string& why,
                             std::string description) {
    reporter_.notice("", "booting by firmware " + firmware.path + ": " + why +
                             "; what it starts is the guest's own default");
    protocol::DecisionMessage decision;
    decision.kind = BootKind::kFirmware;
    decision.reason = why;
    decision.description = std::move(description);
    PVHGRUB_TRY(outputs.abandon_all());
    PVHGRUB_TRY(send_decision(decision));
    return outputs.send_file(protocol::OutputKind::kKernel, *host_files_.open(firmware));
  }

  Result<void> replace_ramdisk() {
    choice_.entry.initrds.clear();
    grubcfg::FileReference file{"", *request_.ramdisk};
    if (!request_.bare_configuration) {
      PVHGRUB_TRY_ASSIGN(file, guest_.find_file(*request_.ramdisk));
    }
    reporter_.explain("ramdisk from --ramdisk: " + file.to_string());
    choice_.entry.initrds.push_back({std::move(file), std::nullopt});
    return {};
  }

  Result<void> open_files() {
    PVHGRUB_TRY_ASSIGN(kernel_, guest_.open_file(choice_.entry.kernel));
    if (kernel_->size() == 0)
      return fail(ErrorCode::kDamaged, "the kernel file is empty", choice_.entry.kernel.to_string());
    std::vector<RamdiskFile> files;
    for (const grubcfg::InitrdFile& initrd : choice_.entry.initrds) {
      PVHGRUB_TRY_ASSIGN(std::unique_ptr<fs::File> file, guest_.open_file(initrd.file));
      files.push_back({std::move(file), initrd.newc_name});
    }
    for (const HostFile* member : host_files_.ramdisk_members())
      files.push_back({host_files_.open(*member), member->newc_name});
    if (files.empty()) return {};
    PVHGRUB_TRY_ASSIGN(ramdisk_, Ramdisk::join(std::move(files)));
    return {};
  }

  Result<void> check_kernel() {
    std::array<std::byte, bootimage::kSetupHeaderBytes> start{};
    PVHGRUB_TRY_ASSIGN(const std::size_t count, kernel_->read(0, start));
    const auto limit = bootimage::command_line_size(Bytes(start).first(count));
    const std::size_t length = choice_.entry.command_line.size();
    if (limit && length > *limit)
      reporter_.notice(choice_.entry.kernel.to_string(),
                       "the command line has " + std::to_string(length) +
                           " bytes, and this kernel keeps only the " + "first " + std::to_string(*limit) +
                           "; shorten it in the guest's boot configuration");
    return {};
  }

  Result<void> send_choice() {
    protocol::ChoiceMessage message;
    for (const std::size_t index : choice_.path) message.path.push_back(static_cast<std::uint32_t>(index));
    message.id = choice_.id;
    message.title = choice_.title;
    message.kernel = choice_.entry.kernel.to_string();
    for (const grubcfg::InitrdFile& initrd : choice_.entry.initrds)
      message.initrds.push_back(initrd.file.to_string());
    message.command_line = choice_.entry.command_line;
    return channel_.send(protocol::FrameType::kChoice, 0, message.encode().payload());
  }

  Result<void> send_decision(const protocol::DecisionMessage& decision) {
    decided_ = true;
    reporter_.explain("boot: " + std::string(protocol::boot_kind_name(decision.kind)) + ", since " +
                      decision.reason);
    return channel_.send(protocol::FrameType::kDecision, 0, decision.encode().payload());
  }

  // The outputs go out while it is still being found out what the kernel is: the broker copies the ramdisk
  // while the kernel is decompressed here. Where it turns out otherwise, they are given up.
  Result<BootKind> boot_kernel() {
    BootOutputs outputs(channel_, request_.not_really);
    Result<BootKind> booted = boot_kernel_into(outputs);
    if (!booted && !decided_ && request_.terminal) PVHGRUB_TRY(outputs.abandon_all());
    return booted;
  }

  Result<BootKind> boot_kernel_into(BootOutputs& outputs) {
    if (ramdisk_) PVHGRUB_TRY(outputs.send_ramdisk(*ramdisk_));
    const bool decompresses =
        request_.kernel_format == protocol::KernelFormat::kElf && !request_.not_really &&
        (request_.boot != BootRequest::kShim || host_files_.find(HostFile::Role::kShim) == nullptr);
    FileBytes bytes(*kernel_);
    auto image = read_kernel(bytes, decompresses ? &outputs : nullptr, request_.kernel_limit, budget_);
    const std::string name = "kernel " + choice_.entry.kernel.to_string();
    if (!image) {
      // Damage of the file system tells the file's name itself.
      const bool named = image.error().where.starts_with(choice_.entry.kernel.to_string());
      return std::unexpected(at(named ? "kernel" : name, std::move(image).error()));
    }
    reporter_.explain(name + ": " + image->describe());
    for (const std::string& notice : image->notices) reporter_.notice(name, notice);
    if (image->layers.front().kind == bootimage::ImageKind::kUnifiedImage && request_.kernel)
      reporter_.notice(name,
                       "it is a unified kernel image, of which --kernel takes the kernel alone; its entry "
                       "in the menu has its initrd and command line too");
    auto decision = decide_boot(*image, boot_facts(choice_.entry, request_, host_files_));
    if (!decision) return std::unexpected(at(name, std::move(decision).error()));
    if (!decision->notice.empty()) reporter_.notice(name, decision->notice);
    if (decision->kind == BootKind::kFirmware) {
      PVHGRUB_TRY(check_conveyed());
      const HostFile& firmware = *host_files_.find(HostFile::Role::kFirmware);
      PVHGRUB_TRY(host_files_.check_bootable(firmware, budget_));
      PVHGRUB_TRY(send_firmware(outputs, firmware, decision->reason, image->describe()));
      return decision->kind;
    }
    PVHGRUB_TRY(boot_image(outputs, *image, *decision));
    return decision->kind;
  }

  Result<void> boot_image(BootOutputs& outputs, const bootimage::KernelImage& image,
                          const BootDecision& decision) {
    protocol::DecisionMessage message;
    message.kind = decision.kind;
    message.reason = decision.reason;
    message.command_line = choice_.entry.command_line;
    message.description = image.describe();
    message.kernel_version = kernel_version(image);
    if (decision.with_shim_file) {
      const HostFile& shim = *host_files_.find(HostFile::Role::kShim);
      PVHGRUB_TRY(host_files_.check_bootable(shim, budget_));
      message.command_line = shim_command_line(choice_.entry.command_line);
      PVHGRUB_TRY(send_decision(message));
      PVHGRUB_TRY(outputs.send_file(protocol::OutputKind::kKernel, *host_files_.open(shim)));
      return outputs.send_file(protocol::OutputKind::kRamdisk, *kernel_);
    }
    PVHGRUB_TRY(send_decision(message));
    if (outputs.has_kernel()) return outputs.end_kernel();
    const bool whole = request_.kernel_format == protocol::KernelFormat::kAsIs;
    return outputs.send_kernel(*kernel_, kernel_range(image, whole));
  }

  // The broker alone decides whether it writes them.
  Result<void> send_environment() {
    constexpr std::size_t kNameBytes = 1024;
    for (const grubcfg::EnvironmentBlockChange& change : choice_.entry.environment_changes) {
      protocol::EnvironmentMessage message;
      message.name = change.file.to_string().substr(0, kNameBytes);
      message.answers_request = change.answers_request;
      for (const fs::DiskExtent& extent : change.extents)
        message.extents.push_back({extent.disk, extent.offset, extent.length});
      message.old_contents = change.old_contents;
      message.contents = change.contents;
      PVHGRUB_TRY(channel_.send(protocol::FrameType::kEnvironment, 0, message.encode().payload()));
    }
    return {};
  }

  Guest& guest_;
  const protocol::Request& request_;
  Channel& channel_;
  Reporter& reporter_;
  Budget& budget_;
  HostFiles host_files_;
  Choice choice_;
  bool decided_ = false;         // and told so
  bool picked_another_ = false;  // than what the guest's own boot loader would start
  std::unique_ptr<fs::File> kernel_;
  std::optional<Ramdisk> ramdisk_;
};

}  // namespace

Result<void> run_boot(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter,
                      Budget& budget, Person* person) {
  BootMode mode(guest, request, channel, reporter, budget);
  return person != nullptr ? mode.run_with(*person) : mode.run();
}

}  // namespace pvhgrub::worker
