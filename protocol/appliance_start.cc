// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/appliance_start.h"

namespace pvhgrub::protocol {

PayloadWriter ApplianceStart::encode() const {
  PayloadWriter writer;
  writer.put_u32(static_cast<std::uint32_t>(disk_sizes.size()));
  for (const std::uint64_t size : disk_sizes) writer.put_u64(size);
  writer.put_u32(static_cast<std::uint32_t>(environment.size()));
  for (const std::string& variable : environment) writer.put_text(variable);
  return writer;
}

Result<ApplianceStart> ApplianceStart::decode(Bytes payload) {
  PayloadReader reader(payload);
  ApplianceStart start;
  PVHGRUB_TRY_ASSIGN(const std::uint32_t disks, reader.u32());
  if (disks > limits::kWorkerDescriptors) return fail(ErrorCode::kProtocol, "too many disks");
  for (std::uint32_t i = 0; i < disks; ++i) {
    PVHGRUB_TRY_ASSIGN(const std::uint64_t size, reader.u64());
    start.disk_sizes.push_back(size);
  }
  PVHGRUB_TRY_ASSIGN(const std::uint32_t variables, reader.u32());
  if (variables > std::size(kApplianceVariables)) return fail(ErrorCode::kProtocol, "too many variables");
  for (std::uint32_t i = 0; i < variables; ++i) {
    PVHGRUB_TRY_ASSIGN(std::string variable, reader.text());
    start.environment.push_back(std::move(variable));
  }
  PVHGRUB_TRY(reader.finish());
  return start;
}

}  // namespace pvhgrub::protocol
