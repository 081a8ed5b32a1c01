// SPDX-License-Identifier: LGPL-2.1-or-later
// What every format's decoder is. Library symbols appear in the files of the decoders only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "bootimage/compressed_input.h"
#include "bootimage/decompress.h"

namespace pvhgrub::bootimage {

/// Decodes one stream. A decoder keeps no checks of sizes and ratios: those are decompress()'s.
class Decompressor {
 public:
  Decompressor() = default;
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  virtual ~Decompressor() = default;

  /// The next decompressed bytes, some kOutputPiece of them; fewer only at the stream's end, none behind it.
  /// They live until the next call. After a failure it may not be called again.
  [[nodiscard]] virtual Result<Bytes> next() = 0;
};

/// Bytes that a decoder gives at once: few enough to stay in the processor's cache until they are sent on.
inline constexpr std::size_t kOutputPiece = 256 * limits::kKiB;

/// For the libraries that work as z_stream does: some bytes in, some bytes out, until a stream's end.
class StreamDecompressor : public Decompressor {
 public:
  explicit StreamDecompressor(CompressedInput& input) : input_(input) {}
  [[nodiscard]] Result<Bytes> next() final;

 protected:
  struct Progress {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool ended = false;  ///< the stream's end was reached, its checksum is right
  };
  /// One call of the library. `in` is empty only at the source's end, `out` never. No progress is no failure
  /// here.
  [[nodiscard]] virtual Result<Progress> step(Bytes in, std::span<std::byte> out) = 0;

  CompressedInput& input_;

 private:
  Buffer output_;
  bool ended_ = false;
};

// Each format's decoder, ready to decode. kLimit: no memory. The input must outlive it.
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_gzip(CompressedInput& input);
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_bzip2(CompressedInput& input);
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_xz(CompressedInput& input);
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_lzma(CompressedInput& input);
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_lzo(CompressedInput& input);
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_lz4(CompressedInput& input);
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_zstd(CompressedInput& input);
/// The one of the input's format.
[[nodiscard]] Result<std::unique_ptr<Decompressor>> open_decompressor(CompressedInput& input);

}  // namespace pvhgrub::bootimage
