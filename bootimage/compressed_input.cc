// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bootimage/compressed_input.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace pvhgrub::bootimage {
namespace {

/// Bytes asked of the source at once: from 64 KiB on the decoders are no faster.
constexpr std::size_t kInputPiece = 128 * limits::kKiB;

std::string data_of(Compression compression) {
  return "the " + std::string(compression_name(compression)) + " data";
}

}  // namespace

std::unexpected<Error> out_of_memory(Compression compression) {
  return fail(ErrorCode::kLimit, "decompressing " + std::string(compression_name(compression)) +
                                     " data takes more memory than the worker may use");
}

Result<Buffer> Buffer::allocate(std::size_t size, Compression compression) {
  Buffer buffer{std::unique_ptr<std::byte[]>(new (std::nothrow) std::byte[size]), size};
  if (buffer.bytes == nullptr) return out_of_memory(compression);
  return buffer;
}

std::unexpected<Error> CompressedInput::failure(ErrorCode code, std::string message) const {
  return fail(code, std::move(message), "compressed byte " + std::to_string(consumed_));
}

std::unexpected<Error> CompressedInput::damaged(const std::string& how) const {
  return failure(ErrorCode::kDamaged, data_of(compression_) + " are damaged: " + how);
}

std::unexpected<Error> CompressedInput::truncated() const {
  return damaged("they end before the stream does");
}

Result<std::size_t> CompressedInput::read_source(std::span<std::byte> out) {
  if (source_ended_ || out.empty()) return 0;
  // Empty blocks, which every format has, would otherwise be read for as long as the disk has bytes.
  if (consumed_ > limits::kDecompressionLag + produced_ + produced_ / 8)
    return failure(ErrorCode::kLimit, data_of(compression_) + " give less than they take: " +
                                          std::to_string(produced_) + " bytes");
  PVHGRUB_TRY(budget_.charge_steps(1, "decompressing a kernel"));
  PVHGRUB_TRY_ASSIGN(const std::size_t count, source_(out));
  if (count > out.size())
    return fail(ErrorCode::kInternal, "a source of compressed data gave more than was asked");
  source_ended_ = count == 0;
  PVHGRUB_TRY(budget_.charge_bytes(count, "decompressing a kernel"));
  return count;
}

Result<Bytes> CompressedInput::peek() {
  if (!buffered_.empty() || source_ended_) return buffered_;
  if (buffer_.size == 0) {
    PVHGRUB_TRY_ASSIGN(buffer_, Buffer::allocate(kInputPiece, compression_));
  }
  PVHGRUB_TRY_ASSIGN(const std::size_t count, read_source(buffer_.all()));
  buffered_ = buffer_.all().first(count);
  return buffered_;
}

Result<void> CompressedInput::read(std::span<std::byte> out) {
  while (!out.empty()) {
    // Large runs go straight to where they are wanted.
    if (buffered_.empty() && out.size() >= kInputPiece) {
      PVHGRUB_TRY_ASSIGN(const std::size_t count, read_source(out));
      if (count == 0) return truncated();
      consumed_ += count;
      out = out.subspan(count);
      continue;
    }
    PVHGRUB_TRY_ASSIGN(const Bytes available, peek());
    if (available.empty()) return truncated();
    const std::size_t count = std::min(available.size(), out.size());
    std::memcpy(out.data(), available.data(), count);
    consume(count);
    out = out.subspan(count);
  }
  return {};
}

}  // namespace pvhgrub::bootimage
