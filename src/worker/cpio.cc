// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/cpio.h"

#include <array>
#include <cstdio>

#include "base/checked.h"

namespace pvhgrub::worker {
namespace {

// Modes as GRUB gives them to what it wraps: readable and executable by all (GRUB manual, "initrd").
constexpr std::uint32_t kDirectoryMode = 0040777;
constexpr std::uint32_t kFileMode = 0100777;

std::string header(std::string_view name, std::uint32_t mode, std::uint32_t size) {
  // "070701", then thirteen fields of eight hexadecimal digits: inode, mode, uid, gid, links, mtime, file
  // size, device and rdevice (two each), name length with the NUL, checksum (unused in this format).
  std::array<char, 111> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08zx%08x",
                    0U, mode, 0U, 0U, 1U, 0U, size, 0U, 0U, 0U, 0U, name.size() + 1, 0U);
  std::string out(text.data(), static_cast<std::size_t>(length));
  out += name;
  out += '\0';
  while (out.size() % kCpioAlignment != 0) out += '\0';
  return out;
}

}  // namespace

Result<std::string> CpioWriter::file(std::string_view name, std::uint64_t size) {
  const auto size32 = checked_cast<std::uint32_t>(size);
  if (!size32)
    return fail(ErrorCode::kLimit,
                "an initrd file of 4 GiB or more cannot be wrapped by newc:", std::string(name));
  std::string out;
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos;
       slash = name.find('/', slash + 1)) {
    const std::string_view directory = name.substr(0, slash);
    if (!directory.empty() && directories_.emplace(directory).second)
      out += header(directory, kDirectoryMode, 0);
  }
  return out + header(name, kFileMode, *size32);
}

std::string CpioWriter::end() {
  directories_.clear();
  return header("TRAILER!!!", 0, 0);
}

std::string empty_cpio(std::size_t size) {
  std::string out = CpioWriter().end();
  out.resize(size, '\0');
  return out;
}

}  // namespace pvhgrub::worker
