// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/boot_mode.h"

#include <array>

#include "bootimage/bzimage.h"
#include "grubcfg/choice.h"
#include "grubcfg/hypervisor.h"
#include "src/worker/output_stream.h"
#include "src/worker/ramdisk.h"

namespace pvhgrub::worker {
namespace {

using grubcfg::BootEntry;
using grubcfg::Choice;

// What an entry that loads no Linux kernel is, and what to do about it.
Error not_linux(const Choice& choice) {
  Error error{ErrorCode::kNoEntry, "", "entry \"" + choice.title + "\"", 0};
  if (!choice.entry.error.empty()) {
    error.message = choice.entry.error;
  } else if (choice.entry.kind == BootEntry::Kind::kChainloader) {
    error.message = "it starts another boot loader (" + choice.entry.kernel.to_string() +
                    "), which a guest without firmware cannot; choose a Linux entry with --entry";
  } else if (choice.entry.kind == BootEntry::Kind::kOther) {
    error.message = "it loads by \"" + choice.entry.loader_command +
                    "\", which is no Linux kernel; choose a Linux entry with --entry";
  } else {
    error.message = "it loads no kernel; choose another with --entry";
  }
  return error;
}

class BootMode {
 public:
  BootMode(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter)
      : guest_(guest), request_(request), channel_(channel), reporter_(reporter) {}

  Result<void> run() {
    PVHGRUB_TRY(choose());
    if (request_.ramdisk) PVHGRUB_TRY(replace_ramdisk());
    if (!request_.arguments.empty()) {
      std::string& line = choice_.entry.command_line;
      line += (line.empty() ? "" : " ") + request_.arguments;
    }
    PVHGRUB_TRY(check_command_line());
    // A bare configuration has no files behind it: its choice is all there is to tell.
    if (request_.bare_configuration) return send_choice();
    PVHGRUB_TRY(open_files());
    PVHGRUB_TRY(check_kernel());
    PVHGRUB_TRY(send_choice());
    if (request_.not_really) return {};
    PVHGRUB_TRY(send_files());
    return request_.writes_environment() ? send_environment() : Result<void>();
  }

 private:
  Result<void> choose() {
    if (request_.kernel) {
      PVHGRUB_TRY_ASSIGN(choice_.entry.kernel, guest_.find_file(*request_.kernel));
      reporter_.explain("kernel from --kernel: " + choice_.entry.kernel.to_string());
      return {};
    }
    return guest_.with_menu([this](grubcfg::Menu& menu) -> Result<void> {
      PVHGRUB_TRY_ASSIGN(choice_, request_.entry ? grubcfg::choose_entry(menu, *request_.entry, reporter_)
                                                 : grubcfg::choose_default(menu, reporter_));
      if (!choice_.entry.bootable()) return std::unexpected(not_linux(choice_));
      if (request_.boots_hypervisor)
        if (auto boots = grubcfg::boot_hypervisor_of(choice_.entry); !boots)
          return std::unexpected(at("entry \"" + choice_.title + "\"", std::move(boots).error()));
      reporter_.explain("entry " + grubcfg::to_string(choice_.path) + ": " + choice_.title);
      return {};
    });
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

  // libxl drops an item of 8192 bytes or more and boots without a command line, so that is refused here; so
  // is what no result format can carry.
  Result<void> check_command_line() {
    const std::string& line = choice_.entry.command_line;
    const std::string where = choice_.title.empty() ? "" : "entry \"" + choice_.title + "\"";
    if (line.size() > limits::kCommandLineBytes)
      return fail(ErrorCode::kLimit,
                  "the command line has " + std::to_string(line.size()) + " bytes, more than the " +
                      std::to_string(limits::kCommandLineBytes) +
                      " that libxl passes on; shorten it in the guest",
                  where);
    if (line.find('\0') != std::string::npos)
      return fail(ErrorCode::kDamaged, "the command line holds a NUL byte", where);
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
    message.title = choice_.title;
    message.kernel = choice_.entry.kernel.to_string();
    for (const grubcfg::InitrdFile& initrd : choice_.entry.initrds)
      message.initrds.push_back(initrd.file.to_string());
    message.command_line = choice_.entry.command_line;
    return channel_.send(protocol::FrameType::kChoice, 0, message.encode().payload());
  }

  Result<void> send_files() {
    OutputStream kernel(channel_, 1);
    PVHGRUB_TRY(kernel.begin(protocol::OutputKind::kKernel, kernel_->size()));
    PVHGRUB_TRY(kernel_->send(kernel));
    PVHGRUB_TRY(kernel.end());
    if (!ramdisk_) return {};
    OutputStream ramdisk(channel_, 2);
    PVHGRUB_TRY(ramdisk.begin(protocol::OutputKind::kRamdisk, ramdisk_->size()));
    PVHGRUB_TRY(ramdisk_->send(ramdisk));
    return ramdisk.end();
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
  Choice choice_;
  std::unique_ptr<fs::File> kernel_;
  std::optional<Ramdisk> ramdisk_;
};

}  // namespace

Result<void> run_boot(Guest& guest, const protocol::Request& request, Channel& channel, Reporter& reporter) {
  return BootMode(guest, request, channel, reporter).run();
}

}  // namespace pvhgrub::worker
