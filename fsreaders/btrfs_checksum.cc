// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/btrfs_checksum.h"

#include <blake2.h>
#include <nettle/sha2.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/crc32c.h"

namespace pvhgrub::fs {
namespace {

#ifdef PVHGRUB_FUZZING
constexpr bool kFuzzing = true;
#else
constexpr bool kFuzzing = false;
#endif

constexpr std::size_t kLongest = 32;
using Digest = std::array<std::byte, kLongest>;

Digest little_endian(std::uint64_t value) {
  Digest digest{};
  for (std::size_t i = 0; i < 8; ++i) digest[i] = static_cast<std::byte>(value >> (8 * i));
  return digest;
}

Digest digest_of(BtrfsChecksum kind, Bytes bytes) {
  Digest digest{};
  auto* const out = reinterpret_cast<std::uint8_t*>(digest.data());
  const auto* const in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  switch (kind) {
    case BtrfsChecksum::kCrc32c:
      return little_endian(crc32c(bytes));
    case BtrfsChecksum::kXxhash64:
      return little_endian(XXH64(bytes.data(), bytes.size(), 0));
    case BtrfsChecksum::kSha256: {
      sha256_ctx context{};
      sha256_init(&context);
      sha256_update(&context, bytes.size(), in);
      sha256_digest(&context, kLongest, out);
      return digest;
    }
    case BtrfsChecksum::kBlake2b:
      // Without a key, 256 bits; fails for sizes that it cannot give only.
      if (blake2b(out, in, nullptr, kLongest, bytes.size(), 0) != 0) digest.fill(std::byte{0});
      return digest;
  }
  return digest;
}

}  // namespace

std::optional<BtrfsChecksum> btrfs_checksum_kind(std::uint16_t number) {
  if (number > static_cast<std::uint16_t>(BtrfsChecksum::kBlake2b)) return std::nullopt;
  return static_cast<BtrfsChecksum>(number);
}

std::size_t btrfs_checksum_size(BtrfsChecksum kind) {
  switch (kind) {
    case BtrfsChecksum::kCrc32c:
      return 4;
    case BtrfsChecksum::kXxhash64:
      return 8;
    default:
      return kLongest;
  }
}

std::string_view btrfs_checksum_name(BtrfsChecksum kind) {
  switch (kind) {
    case BtrfsChecksum::kCrc32c:
      return "crc32c";
    case BtrfsChecksum::kXxhash64:
      return "xxhash64";
    case BtrfsChecksum::kSha256:
      return "sha256";
    case BtrfsChecksum::kBlake2b:
      return "blake2b";
  }
  return "unknown";
}

bool btrfs_checksum_matches(BtrfsChecksum kind, Bytes bytes, Bytes stored) {
  const std::size_t size = btrfs_checksum_size(kind);
  if (stored.size() < size) return false;
  if (kFuzzing) return true;
  const Digest digest = digest_of(kind, bytes);
  return std::ranges::equal(Bytes(digest).first(size), stored.first(size));
}

}  // namespace pvhgrub::fs
