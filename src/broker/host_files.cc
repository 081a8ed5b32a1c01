// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/host_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "src/broker/firmware_paths.h"

namespace pvhgrub::broker {
namespace {

using protocol::BootRequest;
using protocol::HostFile;

// The firmware that is looked for where nobody names one.
constexpr const char* kUsualFirmware = "ovmf";

Result<HostModule> open_regular(const std::string& path) {
  HostModule module;
  module.path = path;
  module.fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!module.fd.valid()) return fail_errno("cannot open it", path);
  struct stat status = {};
  if (fstat(module.fd.get(), &status) != 0) return fail_errno("cannot ask what it is", path);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kUsage, "this is no regular file", path);
  module.size = static_cast<std::uint64_t>(status.st_size);
  return module;
}

HostFile described(HostFile::Role role, const std::string& path, std::uint64_t size) {
  HostFile file;
  file.role = role;
  file.path = path;
  file.size = size;
  return file;
}

// Only a boot can need it.
bool may_need_firmware(const Options& options) {
  return (options.boot == BootRequest::kAuto || options.boot == BootRequest::kFirmware) &&
         !options.list_entries && !options.is_configuration && !options.evaluate && !options.sandbox_report;
}

}  // namespace

Result<HostFiles> HostFiles::open(const Options& options, const HostConfiguration& host) {
  HostFiles files;
  if (may_need_firmware(options)) {
    Result<FirmwareFile> firmware = find_firmware(host, options.firmware.value_or(kUsualFirmware));
    const bool asked_for = options.firmware || options.boot == BootRequest::kFirmware;
    if (!firmware && asked_for) return std::unexpected(at("--firmware", std::move(firmware).error()));
    if (firmware) {
      files.files_.push_back(
          {described(HostFile::Role::kFirmware, firmware->path, firmware->size), std::move(firmware->fd)});
    } else {
      files.no_firmware_ = firmware.error().describe();
    }
  } else {
    files.no_firmware_ = "--boot=" + std::string(options.boot == BootRequest::kShim ? "shim" : "direct") +
                         " leaves firmware out";
  }
  if (options.shim) {
    PVHGRUB_TRY_ASSIGN(HostModule shim, open_regular(*options.shim));
    files.files_.push_back({described(HostFile::Role::kShim, shim.path, shim.size), std::move(shim.fd)});
  }
  for (const ModuleOption& option : options.modules) {
    PVHGRUB_TRY_ASSIGN(HostModule module, open_regular(option.path));
    if (option.ramdisk_name.empty()) {
      files.modules_.push_back(std::move(module));
      continue;
    }
    HostFile member = described(HostFile::Role::kRamdiskMember, module.path, module.size);
    member.newc_name = option.ramdisk_name;
    files.files_.push_back({std::move(member), std::move(module.fd)});
  }
  return files;
}

void HostFiles::add_to(protocol::Request& request, int first, std::vector<sandbox::FdGrant>& grants) const {
  request.no_firmware = no_firmware_;
  request.host_files.clear();
  int number = first;
  for (const Opened& opened : files_) {
    HostFile file = opened.file;
    file.descriptor = static_cast<std::uint32_t>(number);
    request.host_files.push_back(std::move(file));
    grants.push_back({opened.fd.get(), number++});
  }
}

std::vector<int> HostFiles::descriptors() const {
  std::vector<int> out;
  out.reserve(files_.size());
  for (const Opened& opened : files_) out.push_back(opened.fd.get());
  return out;
}

std::string HostFiles::path_of(HostFile::Role role) const {
  const auto found = std::ranges::find(files_, role, [](const Opened& opened) { return opened.file.role; });
  return found == files_.end() ? std::string() : found->file.path;
}

}  // namespace pvhgrub::broker
