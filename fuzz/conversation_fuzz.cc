// SPDX-License-Identifier: LGPL-2.1-or-later
// Exercises the broker's reading of frames: what a worker that a guest has taken over could send.
// In production: protocol::Conversation in src/broker/worker_session.cc, outside of any sandbox.
// Input: one byte for the mode and --grubenv, then the bytes of the socket, at most 256 KiB (four frames of
// the largest size).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "protocol/conversation.h"
#include "protocol/environment_block.h"
#include "protocol/inspection.h"
#include "protocol/listing.h"

namespace {

using namespace pvhgrub;
using namespace pvhgrub::protocol;

constexpr std::size_t kInput = 256U << 10U;
constexpr std::uint64_t kDiskBytes = 1'000'000;

// Holds what the conversation promises of every piece.
class Checker final : public WorkerEvents {
 public:
  Result<void> layers(const std::string&) override { return {}; }
  Result<void> log(const LogMessage&) override { return {}; }
  Result<void> echo(Bytes) override { return {}; }
  Result<void> menu(const MenuMessage& menu) override {
    (void)listing_->menu(menu);
    return {};
  }
  Result<void> entry(const EntryMessage& entry) override {
    (void)listing_->entry(entry);
    return {};
  }
  Result<void> choice(const ChoiceMessage&) override {
    if (menu_state_ != MenuState::kClosed) std::abort();
    return {};
  }
  Result<void> menu_state(MenuState state) override {
    if (menu_state_ == state) std::abort();
    menu_state_ = state;
    return {};
  }
  Result<void> output_begin(OutputKind, std::uint64_t size) override {
    size_ = std::max(size_, size);
    return {};
  }
  Result<void> output_end(OutputKind, std::uint64_t size) override {
    if (size > size_) std::abort();
    return {};
  }
  Result<void> output_abandon(OutputKind) override { return {}; }
  Result<void> decision(const DecisionMessage&) override { return {}; }
  Result<void> fact(const FactMessage& fact) override {
    (void)format_inspection({fact, fact}, true);
    (void)format_inspection({fact, fact}, false);
    return {};
  }
  Result<void> piece(OutputKind, const Piece& piece) override {
    if (piece.length == 0 || !range_inside(piece.position, piece.length, size_)) std::abort();
    if (piece.kind == Piece::Kind::kExtent &&
        (piece.extent.disk != 0 || !range_inside(piece.extent.offset, piece.length, kDiskBytes)))
      std::abort();
    return {};
  }
  Result<void> environment(const EnvironmentMessage& change) override {
    std::uint64_t sum = 0;
    for (const ExtentMessage& extent : change.extents) {
      if (extent.disk != 0 || !range_inside(extent.offset, extent.length, kDiskBytes)) std::abort();
      for (const ExtentMessage& other : written_)
        if (extent.offset < other.offset + other.length && other.offset < extent.offset + extent.length)
          std::abort();
      written_.push_back(extent);
      sum += extent.length;
    }
    if (sum != change.contents.size() || sum != change.old_contents.size()) std::abort();
    if (!is_environment_block(change.contents) || !is_environment_block(change.old_contents)) std::abort();
    return {};
  }

 private:
  MenuState menu_state_ = MenuState::kClosed;
  std::vector<ExtentMessage> written_;
  std::unique_ptr<ListingWriter> listing_ = make_json_listing();
  std::uint64_t size_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kInput) return 0;
  Request request;
  request.mode = static_cast<Mode>(data[0] % 4);
  request.grubenv = static_cast<GrubenvMode>(data[0] / 4 % 3);
  request.disks = {{5, kDiskBytes, 0, false, std::nullopt}};
  Checker checker;
  Conversation conversation(request, checker);
  std::span<const std::uint8_t> rest(data + 1, size - 1);
  while (!rest.empty()) {
    const auto room = conversation.room();
    const std::size_t count = std::min(room.size(), rest.size());
    std::ranges::copy(std::as_bytes(rest.first(count)), room.begin());
    conversation.filled(count);
    rest = rest.subspan(count);
    for (;;) {
      const auto handled = conversation.handle_next();
      if (!handled) return 0;
      if (!*handled) break;
    }
  }
  (void)conversation.finish();
  return 0;
}
