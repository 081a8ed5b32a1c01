// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/guest.h"

#include <algorithm>

#include "fsreaders/file_range.h"
#include "grubcfg/block_list_file.h"
#include "grubcfg/configuration_search.h"
#include "grubcfg/other_systems.h"
#include "protocol/descriptors.h"
#include "src/worker/named_file.h"

namespace pvhgrub::worker {
namespace {

// True for errors that the next configuration would meet as well, or that no other may hide.
bool ends_everything(ErrorCode code) {
  return code == ErrorCode::kLimit || code == ErrorCode::kProtocol || code == ErrorCode::kInternal;
}

fs::DiskInput disk_input(const protocol::RequestDisk& disk) {
  fs::DiskInput input;
  input.fd = static_cast<int>(disk.descriptor);
  input.size = disk.size;
  input.sector_size = disk.sector_size;
  input.block_device = disk.block_device;
  input.offset = disk.offset.value_or(0);
  input.has_offset = disk.offset.has_value();
  return input;
}

grubcfg::GrubenvMode grubenv_mode(protocol::GrubenvMode mode) {
  switch (mode) {
    case protocol::GrubenvMode::kRead:
      break;
    case protocol::GrubenvMode::kWrite:
      return grubcfg::GrubenvMode::kWrite;
    case protocol::GrubenvMode::kIgnore:
      return grubcfg::GrubenvMode::kIgnore;
  }
  return grubcfg::GrubenvMode::kRead;
}

/// The error's text for a list that names the device already.
std::string text_of(Error error, const std::string& device) {
  if (error.where == device) error.where.clear();
  return error.describe();
}

/// `name`: of a file, as a person wrote it.
std::unexpected<Error> no_such_device(const fs::Devices& devices, std::string_view name) {
  constexpr std::size_t kShown = 20;
  std::string text = "there is no such device; the guest has";
  const std::vector<fs::Device>& all = devices.devices();
  for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i) text += (i == 0 ? " " : "; ") + all[i].name;
  if (all.size() > kShown) text += "; and more (--inspect shows all)";
  return fail(ErrorCode::kNotFound, text, std::string(name));
}

}  // namespace

Guest::Guest(const protocol::Request& request, std::string script, Reporter& reporter, Budget& budget)
    : request_(request),
      script_(std::move(script)),
      reporter_(reporter),
      budget_(budget),
      appliance_socket_(protocol::kApplianceDescriptor) {
  if (!request.grub_platform.empty()) settings_.platform = request.grub_platform;
  settings_.grubenv = grubenv_mode(request.grubenv);
  settings_.boot_image_argument = !request.no_boot_image;
  settings_.boots_hypervisor = request.boots_hypervisor;
}

Result<void> Guest::open_disks() {
  if (request_.disks.empty()) return {};
  std::vector<fs::DiskInput> inputs;
  inputs.reserve(request_.disks.size());
  for (const protocol::RequestDisk& disk : request_.disks) inputs.push_back(disk_input(disk));
  PVHGRUB_TRY_ASSIGN(disks_,
                     fs::DiskSet::open(inputs, budget_, [this](std::string where, std::string message) {
                       reporter_.notice(std::move(where), std::move(message));
                     }));
  if (request_.appliance != protocol::ApplianceUse::kNone)
    PVHGRUB_TRY(disks_->use_appliance(appliance_, request_.appliance == protocol::ApplianceUse::kAll));
  for (const fs::Device& device : disks_->devices())
    reporter_.explain("device " + device.name + ": " + std::to_string(device.size) + " bytes" +
                      (device.partition_type.empty() ? "" : ", type " + device.partition_type));
  return {};
}

Result<std::unique_ptr<grubcfg::Menu>> Guest::load(const grubcfg::ConfigurationSource& source) {
  if (request_.bare_configuration)
    return grubcfg::load_bare_configuration(script_, source, settings_, budget_, reporter_);
  return grubcfg::load_configuration(*disks_, source, settings_, budget_, reporter_);
}

std::string Guest::kind_of(std::string_view path) const {
  if (const auto named = grubcfg::kind_named(request_.source)) return std::string(*named);
  return std::string(grubcfg::kind_of_configuration(path));
}

Result<std::vector<grubcfg::ConfigurationSource>> Guest::sources() {
  if (request_.bare_configuration)
    return std::vector{grubcfg::ConfigurationSource{kind_of(request_.script_name), "", request_.script_name}};
  if (request_.configuration) {
    PVHGRUB_TRY_ASSIGN(const grubcfg::FileReference file, find_file(*request_.configuration));
    return std::vector{grubcfg::ConfigurationSource{kind_of(file.path), file.device, file.path}};
  }
  PVHGRUB_TRY_ASSIGN(std::vector<grubcfg::ConfigurationSource> found,
                     grubcfg::find_configurations(*disks_, budget_, reporter_, &damage_));
  if (const auto wanted = grubcfg::kind_named(request_.source)) {
    if (std::erase_if(found, [&](const auto& source) { return source.kind != *wanted; }) > 0)
      reporter_.explain("only configurations of the kind " + std::string(*wanted) + " count (--source)");
  } else {
    grubcfg::leave_out_stand_ins(found);
  }
  if (found.empty()) return std::unexpected(no_configuration());
  for (std::size_t i = 0; i < found.size(); ++i)
    reporter_.explain("configuration " + std::to_string(i + 1) + " of " + std::to_string(found.size()) +
                      ": " + grubcfg::FileReference{found[i].device, found[i].path}.to_string() + " (" +
                      found[i].kind + ")");
  return found;
}

Result<void> Guest::with_menu(const std::function<Result<void>(grubcfg::Menu&)>& use) {
  PVHGRUB_TRY_ASSIGN(const std::vector<grubcfg::ConfigurationSource> all, sources());
  std::optional<Error> first;
  for (const grubcfg::ConfigurationSource& source : all) {
    const std::string place = grubcfg::FileReference{source.device, source.path}.to_string();
    if (first) {
      reporter_.notice(first->where, first->message);
      reporter_.notice(place, "trying this configuration instead");
    }
    reporter_.explain("boot configuration: " + place + " (" + source.kind + ")");
    auto menu = load(source);
    Result<void> used = menu ? use(**menu) : std::unexpected(std::move(menu).error());
    if (used) return {};
    if (ends_everything(used.error().code)) return used;
    if (!first) first = at(place, std::move(used).error());
  }
  return std::unexpected(*std::move(first));
}

Error Guest::no_configuration() {
  Error error{
      ErrorCode::kNoEntry,
      request_.source.empty()
          ? "no boot configuration found: looked for those of GRUB, the Boot Loader Specification, "
            "unified kernel images, syslinux, GRUB Legacy, FreeBSD and NetBSD, for kernels alone and for "
            "EFI programs on"
          : "no boot configuration of the kind that --source=" + request_.source + " names was found on",
      "", 0};
  for (const fs::Device& device : disks_->devices()) {
    if (!device.begins_as.empty()) continue;
    error.message += " " + device.name;
    const auto file_system = disks_->file_system(device.name);
    if (file_system) {
      error.message += " (" + std::string((*file_system)->type_name()) + ");";
      continue;
    }
    // A file system that cannot be read may be the one that holds it: then that is the cause to tell.
    const Error& reason = file_system.error();
    if (reason.code == ErrorCode::kDamaged || reason.code == ErrorCode::kIo) error.code = reason.code;
    error.message += " (" + text_of(reason, device.name) + ");";
  }
  if (damage_) {
    error.code = damage_->code;
    error.message += " it may lie where nothing can be read: " + damage_->describe() + ";";
  }
  const auto others = grubcfg::recognise_other_systems(*disks_, budget_);
  if (!others) return others.error();
  for (const std::string& sentence : *others) error.message += " " + sentence + ";";
  error.message += " check that this is the guest's boot disk, or name a kernel with --kernel";
  return error;
}

Result<bool> Guest::evaluate() {
  return grubcfg::evaluate_script(script_, request_.script_name, disks_.get(), settings_, budget_, reporter_);
}

Result<std::unique_ptr<fs::File>> Guest::open_file(const grubcfg::FileReference& file) {
  if (grubcfg::is_block_list(file.path)) {
    fs::BlockSource* const device = disks_->source(file.device);
    if (device == nullptr) return fail(ErrorCode::kNotFound, "there is no such device", file.to_string());
    auto blocks = grubcfg::open_block_list(*device, file.path, budget_);
    if (!blocks) return std::unexpected(at(file.to_string(), std::move(blocks).error()));
    return name_file(std::move(*blocks), file.to_string());
  }
  auto file_system = disks_->file_system(file.device);
  if (!file_system) return std::unexpected(at(file.to_string(), std::move(file_system).error()));
  auto opened = (*file_system)->open(file.path);
  if (!opened) return std::unexpected(at("(" + file.device + ")", std::move(opened).error()));
  if (file.part) {
    auto part = fs::open_file_range(std::move(*opened), file.part->offset, file.part->size);
    if (!part) return std::unexpected(at(file.to_string(), std::move(part).error()));
    return name_file(std::move(*part), file.to_string());
  }
  return name_file(std::move(*opened), file.to_string());
}

Result<grubcfg::FileReference> Guest::find_file(std::string_view name) {
  const std::size_t close = name.find(')');
  if (name.starts_with('(') && close != std::string_view::npos) {
    const fs::Device* const device = disks_->device(name.substr(1, close - 1));
    if (device == nullptr) return no_such_device(*disks_, name);
    return grubcfg::FileReference{device->name, std::string(name.substr(close + 1))};
  }
  if (!name.starts_with('/'))
    return fail(ErrorCode::kUsage,
                "a file in the guest is named as /path or (device)/path, not " + std::string(name));
  for (const fs::Device& device : disks_->devices()) {
    if (!device.begins_as.empty()) continue;
    const auto file_system = disks_->file_system(device.name);
    if (!file_system) {
      if (file_system.error().code == ErrorCode::kLimit) return std::unexpected(file_system.error());
      continue;
    }
    if ((*file_system)->stat(name)) return grubcfg::FileReference{device.name, std::string(name)};
  }
  return fail(ErrorCode::kNotFound, "no file system of the guest that can be read has this file",
              std::string(name));
}

}  // namespace pvhgrub::worker
