// SPDX-License-Identifier: LGPL-2.1-or-later
// decompress() over strings.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "bootimage/decompress.h"

namespace pvhgrub::bootimage {

/// Gives `data` in pieces of at most `piece` bytes. `data` must outlive it.
inline CompressedSource source_of(std::string_view data, std::size_t piece = std::size_t{64} * 1024) {
  return [data, piece](std::span<std::byte> out) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({piece, data.size(), out.size()});
    std::memcpy(out.data(), data.data(), count);
    data.remove_prefix(count);
    return count;
  };
}

struct Outcome {
  Result<Decompressed> result;
  std::string output;  ///< what the sink was given

  [[nodiscard]] ErrorCode code() const { return result ? ErrorCode::kInternal : result.error().code; }
  [[nodiscard]] std::string message() const { return result ? "no error" : result.error().describe(); }
};

inline Outcome run_decompress(Compression compression, std::string_view data,
                              const DecompressionLimits& limits = {},
                              std::size_t piece = std::size_t{64} * 1024) {
  Budget budget = Budget::standard();
  Outcome outcome{Decompressed{}, {}};
  const auto collect = [&outcome](Bytes bytes) -> Result<SinkAnswer> {
    outcome.output += as_text(bytes);
    return SinkAnswer::kMore;
  };
  outcome.result = decompress(compression, source_of(data, piece), collect, limits, budget);
  return outcome;
}

/// Limits with a declared size.
inline DecompressionLimits declared(std::uint64_t size) {
  DecompressionLimits limits;
  limits.declared = size;
  return limits;
}

}  // namespace pvhgrub::bootimage
