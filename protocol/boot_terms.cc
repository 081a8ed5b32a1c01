// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/boot_terms.h"

#include <array>
#include <string>
#include <utility>

namespace pvhgrub::protocol {
namespace {

template <typename Value, std::size_t kCount>
Result<Value> parse(std::string_view name,
                    const std::array<std::pair<std::string_view, Value>, kCount>& words,
                    std::string_view option) {
  std::string known;
  for (const auto& [word, value] : words) {
    if (word == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  return fail(ErrorCode::kUsage,
              std::string(option) + " is one of " + known + ", not '" + std::string(name) + "'");
}

}  // namespace

Result<BootRequest> parse_boot_request(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, BootRequest>, 4> kWords = {
      {{"auto", BootRequest::kAuto},
       {"direct", BootRequest::kDirect},
       {"firmware", BootRequest::kFirmware},
       {"shim", BootRequest::kShim}}};
  return parse(name, kWords, "--boot");
}

Result<GuestType> parse_guest_type(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, GuestType>, 3> kWords = {
      {{"pvh", GuestType::kPvh}, {"pv", GuestType::kPv}, {"arm", GuestType::kArm}}};
  return parse(name, kWords, "--guest-type");
}

Result<KernelFormat> parse_kernel_format(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, KernelFormat>, 2> kWords = {
      {{"elf", KernelFormat::kElf}, {"as-is", KernelFormat::kAsIs}}};
  return parse(name, kWords, "--kernel-format");
}

std::string_view boot_kind_name(BootKind kind) {
  switch (kind) {
    case BootKind::kDirect:
      return "direct";
    case BootKind::kFirmware:
      return "firmware";
    case BootKind::kShim:
      return "shim";
  }
  return "";
}

}  // namespace pvhgrub::protocol
