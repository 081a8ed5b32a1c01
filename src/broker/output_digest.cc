// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/output_digest.h"

#include <nettle/sha2.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <vector>

#include "base/hexadecimal.h"
#include "base/limits.h"

namespace pvhgrub::broker {

Result<std::string> sha256_of_file(int fd, const std::string& where) {
  sha256_ctx context;
  sha256_init(&context);
  std::vector<std::uint8_t> piece(256 * limits::kKiB);
  for (off_t offset = 0;;) {
    const ssize_t count = pread(fd, piece.data(), piece.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("cannot read it for its checksum", where);
    if (count == 0) break;
    sha256_update(&context, static_cast<std::size_t>(count), piece.data());
    offset += count;
  }
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&context, digest.size(), digest.data());
  return hexadecimal(std::as_bytes(std::span(digest)));
}

}  // namespace pvhgrub::broker
