// SPDX-License-Identifier: LGPL-2.1-or-later
// decompress_speed FILE: decompresses FILE to standard output by bootimage/decompress.h, as `xz -dc FILE` and
// its like do. bench/decompress_speed.py times it beside them.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/unique_fd.h"
#include "bootimage/decompress.h"

namespace {

using namespace pvhgrub;

Result<bootimage::SinkAnswer> write_all(Bytes piece) {
  while (!piece.empty()) {
    const ssize_t count = write(STDOUT_FILENO, piece.data(), piece.size());
    if (count < 0) return fail_errno("cannot write");
    piece = piece.subspan(static_cast<std::size_t>(count));
  }
  return bootimage::SinkAnswer::kMore;
}

Result<void> run(const char* path) {
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail_errno("cannot open", path);
  std::array<std::byte, bootimage::kCompressionMagicBytes> magic{};
  if (pread(file.get(), magic.data(), magic.size(), 0) < 0) return fail_errno("cannot read", path);
  const auto compression = bootimage::recognise_compression(magic);
  if (!compression) return fail(ErrorCode::kUnsupported, "not compressed in a way that is known", path);
  const auto source = [&](std::span<std::byte> out) -> Result<std::size_t> {
    const ssize_t count = read(file.get(), out.data(), out.size());
    if (count < 0) return fail_errno("cannot read", path);
    return static_cast<std::size_t>(count);
  };
  Budget budget = Budget::standard();
  PVHGRUB_TRY(bootimage::decompress(*compression, source, write_all, {}, budget));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: decompress_speed FILE\n", stderr);
    return 2;
  }
  const auto done = run(argv[1]);
  if (done) return 0;
  std::fprintf(stderr, "decompress_speed: %s\n", done.error().describe().c_str());
  return 1;
}
