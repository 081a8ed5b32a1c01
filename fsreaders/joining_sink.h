// SPDX-License-Identifier: LGPL-2.1-or-later
// Sinks between a file and who takes its contents.
#pragma once

#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "fsreaders/file_system.h"

namespace pvhgrub::fs {

/// Joins pieces that follow on each other on the disk. flush() when all is sent.
class JoiningSink : public ContentSink {
 public:
  explicit JoiningSink(ContentSink& below) : below_(below) {}

  Result<void> hole(std::uint64_t length) override {
    PVHGRUB_TRY(flush());
    return below_.hole(length);
  }
  Result<void> extent(const DiskExtent& extent) override {
    if (pending_.length > 0 && pending_.disk == extent.disk &&
        pending_.offset + pending_.length == extent.offset) {
      pending_.length += extent.length;
      return {};
    }
    PVHGRUB_TRY(flush());
    pending_ = extent;
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    PVHGRUB_TRY(flush());
    return below_.bytes(bytes);
  }
  Result<void> flush() {
    if (pending_.length == 0) return {};
    return below_.extent(std::exchange(pending_, DiskExtent{}));
  }

 private:
  ContentSink& below_;
  DiskExtent pending_;
};

/// Takes contents that lie on the disk as they are, and no others.
class ExtentCollector : public ContentSink {
 public:
  Result<void> hole(std::uint64_t) override {
    return fail(ErrorCode::kUnsupported,
                "a part of it has no block of its own (sparse, or preallocated and never written); make it "
                "anew in the guest");
  }
  Result<void> extent(const DiskExtent& extent) override {
    extents_.push_back(extent);
    return {};
  }
  Result<void> bytes(Bytes) override {
    return fail(ErrorCode::kUnsupported, "its contents do not lie on the disk as they are");
  }
  [[nodiscard]] std::vector<DiskExtent> take() { return std::move(extents_); }

 private:
  std::vector<DiskExtent> extents_;
};

}  // namespace pvhgrub::fs
