// SPDX-License-Identifier: LGPL-2.1-or-later
// lzop's container, whose blocks liblzo2 decompresses. All numbers are big-endian. A header (magic, versions,
// method, flags, mode, time, name, checksum), then blocks: decompressed size, compressed size, checksums as
// the flags say, data; a decompressed size of 0 ends them.
#include <lzo/lzo1x.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>

#include "bootimage/decompressor.h"

namespace pvhgrub::bootimage {
namespace {

constexpr std::size_t kMagicBytes = 9;
/// lzop's block size, and the largest that Linux takes (lib/decompress_unlzo.c).
constexpr std::uint32_t kBlock = 256 * limits::kKiB;
/// The version from which on the header has a level and a 64-bit time; lzop 0.94 of 1997.
constexpr std::uint16_t kPresentVersion = 0x0940;
/// LZO1X-1, LZO1X-1(15) and LZO1X-999: three compressors, one decompressor.
constexpr unsigned kMethods[] = {1, 2, 3};

enum Flags : std::uint32_t {
  kAdlerOfOutput = 0x1,
  kAdlerOfInput = 0x2,
  kExtraField = 0x40,
  kCrcOfOutput = 0x100,
  kCrcOfInput = 0x200,
  kMultipart = 0x400,
  kFilter = 0x800,
  kCrcOfHeader = 0x1000,
};

const lzo_byte* data_of(Bytes bytes) {
  // liblzo2 counts bytes as unsigned char; reading any object as such is what the standard allows.
  return reinterpret_cast<const lzo_byte*>(bytes.data());
}

std::uint32_t adler32(Bytes bytes) {
  return lzo_adler32(1, data_of(bytes), bytes.size());
}

std::uint32_t crc32(Bytes bytes) {
  return lzo_crc32(0, data_of(bytes), bytes.size());
}

/// A header's fields as they are read, all of them together under its checksum.
class Header {
 public:
  explicit Header(CompressedInput& input) : input_(input) {}

  template <std::unsigned_integral T>
  [[nodiscard]] Result<T> number() {
    PVHGRUB_TRY_ASSIGN(const Bytes field, take(sizeof(T)));
    return ByteReader(field).big_endian<T>();
  }
  [[nodiscard]] Result<void> skip(std::size_t count) {
    PVHGRUB_TRY_ASSIGN(const Bytes field, take(count));
    (void)field;
    return {};
  }
  [[nodiscard]] Bytes checked() const { return Bytes(bytes_).first(size_); }

 private:
  [[nodiscard]] Result<Bytes> take(std::size_t count) {
    const std::span<std::byte> field = std::span(bytes_).subspan(size_, count);
    PVHGRUB_TRY(input_.read(field));
    size_ += count;
    return field;
  }

  CompressedInput& input_;
  std::array<std::byte, 512> bytes_{};  ///< the fields take 30 bytes, the longest name 255
  std::size_t size_ = 0;
};

class LzoDecompressor final : public Decompressor {
 public:
  explicit LzoDecompressor(CompressedInput& input) : input_(input) {}

  [[nodiscard]] Result<void> open() {
    if (lzo_init() != LZO_E_OK) return fail(ErrorCode::kInternal, "liblzo2 does not work on this machine");
    PVHGRUB_TRY_ASSIGN(block_, Buffer::allocate(kBlock, Compression::kLzo));
    PVHGRUB_TRY_ASSIGN(output_, Buffer::allocate(kOutputPiece + kBlock, Compression::kLzo));
    return read_header();
  }

  [[nodiscard]] Result<Bytes> next() override {
    std::size_t filled = 0;
    while (!ended_ && filled < kOutputPiece) {
      PVHGRUB_TRY_ASSIGN(const std::size_t count, read_block(output_.all().subspan(filled)));
      filled += count;
    }
    return output_.all().first(filled);
  }

 private:
  [[nodiscard]] Result<void> read_header() {
    std::array<std::byte, kMagicBytes> magic{};
    PVHGRUB_TRY(input_.read(magic));
    if (recognise_compression(magic) != Compression::kLzo)
      return input_.damaged("they do not begin as lzop's do");
    Header header(input_);
    PVHGRUB_TRY_ASSIGN(const auto version, header.number<std::uint16_t>());
    if (version < kPresentVersion) return unsupported("a version of lzop before 0.94");
    PVHGRUB_TRY(header.skip(2 + 2));  // liblzo2's version, the lzop that is needed to read it
    PVHGRUB_TRY_ASSIGN(const unsigned method, header.number<std::uint8_t>());
    PVHGRUB_TRY(header.skip(1));  // level
    PVHGRUB_TRY_ASSIGN(flags_, header.number<std::uint32_t>());
    if ((flags_ & (kFilter | kMultipart | kExtraField)) != 0)
      return unsupported("a filter, parts or extra fields");
    if (std::ranges::find(kMethods, method) == std::end(kMethods))
      return unsupported("a method other than LZO1X");
    PVHGRUB_TRY(header.skip(4 + 4 + 4));  // mode, time
    PVHGRUB_TRY_ASSIGN(const auto name_length, header.number<std::uint8_t>());
    PVHGRUB_TRY(header.skip(name_length));
    PVHGRUB_TRY_ASSIGN(const std::uint32_t checksum, number());
    const std::uint32_t actual =
        (flags_ & kCrcOfHeader) != 0 ? crc32(header.checked()) : adler32(header.checked());
    if (checksum != actual) return input_.damaged("the header's checksum is wrong");
    return {};
  }

  /// How many bytes it put into `out`; none only at the end.
  [[nodiscard]] Result<std::size_t> read_block(std::span<std::byte> out) {
    PVHGRUB_TRY_ASSIGN(const std::uint32_t size, number());
    ended_ = size == 0;
    if (ended_) return 0;
    PVHGRUB_TRY_ASSIGN(const std::uint32_t compressed_size, number());
    if (size > kBlock) return unsupported("a block of " + std::to_string(size) + " bytes");
    if (compressed_size == 0 || compressed_size > size)
      return input_.damaged("a block of " + std::to_string(size) + " bytes says that it has " +
                            std::to_string(compressed_size) + " compressed");
    PVHGRUB_TRY_ASSIGN(const Checksums of_output, read_checksums(kAdlerOfOutput, kCrcOfOutput));
    const bool stored = compressed_size == size;
    Checksums of_input;
    if (!stored) {
      PVHGRUB_TRY_ASSIGN(of_input, read_checksums(kAdlerOfInput, kCrcOfInput));
    }
    const std::span<std::byte> decompressed = out.first(size);
    const std::span<std::byte> compressed = stored ? decompressed : block_.all().first(compressed_size);
    PVHGRUB_TRY(input_.read(compressed));
    if (!stored) {
      PVHGRUB_TRY(verify(of_input, compressed));
      PVHGRUB_TRY(decode(compressed, decompressed));
    }
    PVHGRUB_TRY(verify(of_output, decompressed));
    return size;
  }

  [[nodiscard]] Result<void> decode(Bytes compressed, std::span<std::byte> out) {
    lzo_uint count = out.size();
    const int status = lzo1x_decompress_safe(data_of(compressed), compressed.size(),
                                             reinterpret_cast<lzo_byte*>(out.data()), &count, nullptr);
    if (status != LZO_E_OK || count != out.size())
      return input_.damaged("the block that ends here is not well-formed");
    return {};
  }

  struct Checksums {
    std::optional<std::uint32_t> adler;
    std::optional<std::uint32_t> crc;
  };

  [[nodiscard]] Result<Checksums> read_checksums(std::uint32_t adler_flag, std::uint32_t crc_flag) {
    Checksums checksums;
    if ((flags_ & adler_flag) != 0) {
      PVHGRUB_TRY_ASSIGN(checksums.adler, number());
    }
    if ((flags_ & crc_flag) != 0) {
      PVHGRUB_TRY_ASSIGN(checksums.crc, number());
    }
    return checksums;
  }

  [[nodiscard]] Result<void> verify(const Checksums& checksums, Bytes bytes) const {
    if ((checksums.adler && *checksums.adler != adler32(bytes)) ||
        (checksums.crc && *checksums.crc != crc32(bytes)))
      return input_.damaged("the checksum of the block that ends here is wrong");
    return {};
  }

  [[nodiscard]] Result<std::uint32_t> number() {
    std::array<std::byte, 4> bytes{};
    PVHGRUB_TRY(input_.read(bytes));
    return ByteReader(bytes).big_endian<std::uint32_t>();
  }

  [[nodiscard]] std::unexpected<Error> unsupported(const std::string& what) const {
    return input_.failure(ErrorCode::kUnsupported, "the lzo data have " + what + ", which no kernel has");
  }

  CompressedInput& input_;
  std::uint32_t flags_ = 0;
  Buffer block_;
  Buffer output_;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Decompressor>> open_lzo(CompressedInput& input) {
  std::unique_ptr<LzoDecompressor> lzo(new (std::nothrow) LzoDecompressor(input));
  if (lzo == nullptr) return out_of_memory(Compression::kLzo);
  PVHGRUB_TRY(lzo->open());
  return lzo;
}

}  // namespace pvhgrub::bootimage
