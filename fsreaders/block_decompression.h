// SPDX-License-Identifier: LGPL-2.1-or-later
// Blocks that a file system compressed one by one. (Whole kernels, which are too large for memory, are
// bootimage's.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace pvhgrub::fs {

enum class BlockCompression : std::uint8_t {
  kZlib,       ///< RFC 1950
  kLzo1x,      ///< one LZO1X block, without lzop's container
  kZstd,       ///< one frame of RFC 8878, with a window of at most 8 MiB
  kXz,         ///< one .xz stream, with a dictionary of at most 8 MiB
  kLzma,       ///< the .lzma ("alone") format, likewise
  kLz4,        ///< one LZ4 block, without a frame
  kDeflate,    ///< RFC 1951, without a container
  kMicroLzma,  ///< MicroLZMA (liblzma, container.h): LZMA without a header and without an end; exact sizes
               ///< only
};

/// Decompresses one block that begins at `in`'s first byte, and tells how many bytes of `out` it filled. What
/// follows the block's own end in `in` is ignored (padding). A block that gives more than `out` has room for
/// fills it, and the rest is dropped; an LZO1X block, which cannot stop in the middle, is kDamaged then. An
/// LZ4 block does not tell its end: padding may follow it only where `out` has room for no more than it
/// gives.
///
/// kDamaged: corrupt or cut off; the message says of which format, not where. kLimit: no memory for the
/// decoder (at most some 10 MiB), or a window that is too large. Charges no budget: the caller knows the
/// sizes.
[[nodiscard]] Result<std::size_t> decompress_block(BlockCompression compression, Bytes in,
                                                   std::span<std::byte> out);

/// Decompresses a block whose length is known: it must fill `out` to its last byte and, where it is `whole`,
/// end there; one that is not whole may give more. A whole LZ4 or MicroLZMA block is all of `in`, without
/// padding behind it. The errors of decompress_block().
[[nodiscard]] Result<void> decompress_exactly(BlockCompression compression, Bytes in,
                                              std::span<std::byte> out, bool whole);

}  // namespace pvhgrub::fs
