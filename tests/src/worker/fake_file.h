// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::worker {

/// A file whose contents are a text; sends them as bytes.
class FakeFile final : public fs::File {
 public:
  explicit FakeFile(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    const Bytes rest = as_bytes(text_).subspan(std::min<std::size_t>(offset, text_.size()));
    const std::size_t count = std::min(rest.size(), out.size());
    std::ranges::copy(rest.first(count), out.begin());
    return count;
  }
  Result<void> send(fs::ContentSink& sink) override { return sink.bytes(as_bytes(text_)); }

 private:
  std::string text_;
};

/// Takes contents into a text.
class TextSink final : public fs::ContentSink {
 public:
  Result<void> hole(std::uint64_t length) override {
    text.append(static_cast<std::size_t>(length), '\0');
    return {};
  }
  Result<void> extent(const fs::DiskExtent&) override {
    return fail(ErrorCode::kInternal, "no extents here");
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    text += as_text(bytes);
    return {};
  }
  std::string text;
};

}  // namespace pvhgrub::worker
