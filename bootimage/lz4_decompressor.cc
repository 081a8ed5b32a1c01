// SPDX-License-Identifier: LGPL-2.1-or-later
// LZ4 by liblz4: the legacy frame, which `lz4 -l` writes for Linux, and the present frame (LZ4 Frame Format
// Description, "Legacy frame" and "General Structure of LZ4 Frame format").
#include <lz4.h>
#include <lz4frame.h>

#include <array>
#include <new>
#include <string_view>

#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

constexpr std::uint32_t kLegacyMagic = 0x184C2102;
constexpr std::uint32_t kFrameMagic = 0x184D2204;
/// What a block of the legacy frame decompresses to: 8 MiB, the last one to less.
constexpr std::size_t kLegacyBlock = 8 * limits::kMiB;
constexpr std::size_t kLegacyCompressedBlock = LZ4_COMPRESSBOUND(kLegacyBlock);

using Word = std::array<std::byte, 4>;

std::uint32_t number(const Word& word) {
  return *ByteReader(word).little_endian<std::uint32_t>();
}

/// Blocks, each with its compressed size before it, to the source's end. Has no checksum.
class LegacyLz4Decompressor final : public Decompressor {
 public:
  explicit LegacyLz4Decompressor(CompressedInput& input) : input_(input) {}

  [[nodiscard]] Result<void> open() {
    PVHGRUB_TRY_ASSIGN(block_, Buffer::allocate(kLegacyCompressedBlock, Compression::kLz4));
    PVHGRUB_TRY_ASSIGN(output_, Buffer::allocate(kOutputPiece + kLegacyBlock, Compression::kLz4));
    return {};
  }

  [[nodiscard]] Result<Bytes> next() override {
    std::size_t filled = 0;
    while (filled < kOutputPiece) {
      PVHGRUB_TRY_ASSIGN(const Bytes in, input_.peek());
      if (in.empty()) break;
      Word word{};
      PVHGRUB_TRY(input_.read(word));
      // A further frame may follow: `lz4` takes files joined with cat.
      if (number(word) == kLegacyMagic) continue;
      PVHGRUB_TRY_ASSIGN(const std::size_t count, decode(number(word), output_.all().subspan(filled)));
      filled += count;
    }
    return output_.all().first(filled);
  }

 private:
  [[nodiscard]] Result<std::size_t> decode(std::uint32_t size, std::span<std::byte> out) {
    if (size == 0 || size > kLegacyCompressedBlock)
      return input_.damaged("a block says that it has " + std::to_string(size) + " bytes");
    const std::span<std::byte> compressed = block_.all().first(size);
    PVHGRUB_TRY(input_.read(compressed));
    // liblz4 counts bytes as char; reading and writing any object as such is what the standard allows.
    const int count = LZ4_decompress_safe(reinterpret_cast<const char*>(compressed.data()),
                                          reinterpret_cast<char*>(out.data()), static_cast<int>(size),
                                          static_cast<int>(kLegacyBlock));
    if (count < 0) return input_.damaged("the block that ends here is not well-formed");
    return static_cast<std::size_t>(count);
  }

  CompressedInput& input_;
  Buffer block_;
  Buffer output_;
};

struct FreeContext {
  void operator()(LZ4F_dctx* context) const { (void)LZ4F_freeDecompressionContext(context); }
};

class FrameLz4Decompressor final : public StreamDecompressor {
 public:
  using StreamDecompressor::StreamDecompressor;

  /// `magic`: what was read of the input already.
  [[nodiscard]] Result<void> open(const Word& magic) {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0)
      return out_of_memory(Compression::kLz4);
    context_.reset(context);
    std::byte nothing{};
    PVHGRUB_TRY(decode(magic, {&nothing, 0}));
    return {};
  }

 private:
  [[nodiscard]] Result<Progress> step(Bytes in, std::span<std::byte> out) override { return decode(in, out); }

  [[nodiscard]] Result<Progress> decode(Bytes in, std::span<std::byte> out) {
    std::size_t consumed = in.size();
    std::size_t produced = out.size();
    const std::size_t status =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(status) != 0) return describe(LZ4F_getErrorName(status));
    return Progress{consumed, produced, status == 0};
  }

  [[nodiscard]] std::unexpected<Error> describe(std::string_view name) {
    // The library tells its failures apart by name only; the numbers are not part of its stable interface.
    if (name == "ERROR_allocation_failed") return out_of_memory(Compression::kLz4);
    if (name == "ERROR_headerVersion_wrong" || name == "ERROR_reservedFlag_set")
      return input_.failure(ErrorCode::kUnsupported, "the lz4 data use a feature that liblz4 does not know");
    return input_.damaged(std::string(name));
  }

  std::unique_ptr<LZ4F_dctx, FreeContext> context_;
};

}  // namespace

Result<std::unique_ptr<Decompressor>> open_lz4(CompressedInput& input) {
  Word magic{};
  PVHGRUB_TRY(input.read(magic));
  if (number(magic) == kLegacyMagic) {
    std::unique_ptr<LegacyLz4Decompressor> legacy(new (std::nothrow) LegacyLz4Decompressor(input));
    if (legacy == nullptr) return out_of_memory(Compression::kLz4);
    PVHGRUB_TRY(legacy->open());
    return legacy;
  }
  if (number(magic) != kFrameMagic) return input.damaged("they do not begin as lz4 data do");
  std::unique_ptr<FrameLz4Decompressor> frame(new (std::nothrow) FrameLz4Decompressor(input));
  if (frame == nullptr) return out_of_memory(Compression::kLz4);
  PVHGRUB_TRY(frame->open(magic));
  return frame;
}

}  // namespace pvhgrub::bootimage
