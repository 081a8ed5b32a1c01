// SPDX-License-Identifier: LGPL-2.1-or-later
// confined_decompress FILE: decompresses FILE as the worker would, under its system call filter and its
// limits, and with the same libraries in its address space. Prints "BYTES ADLER32", or the error.
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <optional>
#include <string>

#include "bootimage/decompress.h"
#include "sandbox/resource_limits.h"
#include "sandbox/seccomp_filter.h"

namespace {

using namespace pvhgrub;

Result<std::string> decompress_disk(int disk) {
  std::array<std::byte, bootimage::kCompressionMagicBytes> magic{};
  if (pread(disk, magic.data(), magic.size(), 0) < 0) return fail_errno("cannot read");
  const auto compression = bootimage::recognise_compression(magic);
  if (!compression) return fail(ErrorCode::kUnsupported, "not compressed");
  off_t at = 0;
  const auto source = [&](std::span<std::byte> out) -> Result<std::size_t> {
    const ssize_t count = pread(disk, out.data(), out.size(), at);
    if (count < 0) return fail_errno("cannot read");
    at += count;
    return static_cast<std::size_t>(count);
  };
  uLong checksum = adler32(0, nullptr, 0);
  const auto sum = [&](Bytes piece) -> Result<bootimage::SinkAnswer> {
    checksum =
        adler32(checksum, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
    return bootimage::SinkAnswer::kMore;
  };
  Budget budget = Budget::standard();
  // Twice, as one that inspects a kernel and then sends it: the first must give its memory back.
  PVHGRUB_TRY(bootimage::decompress(*compression, source, sum, {}, budget));
  at = 0;
  checksum = adler32(0, nullptr, 0);
  PVHGRUB_TRY_ASSIGN(const auto done, bootimage::decompress(*compression, source, sum, {}, budget));
  return std::to_string(done.produced) + " " + std::to_string(checksum);
}

Result<std::string> confined(const char* path) {
  const int disk = open(path, O_RDONLY | O_CLOEXEC);
  if (disk < 0) return fail_errno("cannot open", path);
  PVHGRUB_TRY(sandbox::limit_resources());
  PVHGRUB_TRY(
      sandbox::load_seccomp_filter(sandbox::Profile::kExtract, {.channel = STDOUT_FILENO, .disks = {disk}}));
  return decompress_disk(disk);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto told = confined(argv[1]);
  const std::string text = (told ? *told : told.error().describe()) + "\n";
  const bool written = write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  _exit(told && written ? 0 : 1);
}
