// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/block_list_file.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/limits.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// GRUB counts in these, whatever the disk's own sectors are.
constexpr std::uint64_t kSectorBytes = 512;

struct Run {
  std::uint64_t begin = 0;   ///< bytes from the list's first byte
  std::uint64_t offset = 0;  ///< bytes from the device's start
  std::uint64_t length = 0;  ///< bytes, at least 1
};

class BlockListFile : public fs::File {
 public:
  BlockListFile(fs::BlockSource& device, std::vector<Run> runs, Budget& budget)
      : device_(device), runs_(std::move(runs)), budget_(budget) {}

  [[nodiscard]] std::uint64_t size() const override { return runs_.back().begin + runs_.back().length; }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size()) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - offset)));
    const std::size_t wanted = out.size();
    for (auto run = run_at(offset); !out.empty(); ++run) {
      PVHGRUB_TRY(budget_.charge_steps(1, "reading a list of blocks"));
      const std::uint64_t within = offset - run->begin;
      const auto part =
          out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), run->length - within)));
      PVHGRUB_TRY(device_.read_at(run->offset + within, part));
      offset += part.size();
      out = out.subspan(part.size());
    }
    return wanted;
  }

  Result<void> send(fs::ContentSink& sink) override {
    for (const Run& run : runs_) {
      for (std::uint64_t done = 0; done < run.length;) {
        PVHGRUB_TRY(budget_.charge_steps(1, "sending a list of blocks"));
        PVHGRUB_TRY_ASSIGN(const fs::DiskExtent extent, device_.locate(run.offset + done, run.length - done));
        PVHGRUB_TRY(sink.extent(extent));
        done += extent.length;
      }
    }
    return {};
  }

  // Whether the device itself may be written to is for Devices::check_overwritable to say.
  Result<std::vector<fs::DiskExtent>> overwritable_extents() override {
    std::vector<fs::DiskExtent> extents;
    for (const Run& run : runs_) {
      for (std::uint64_t done = 0; done < run.length;) {
        if (extents.size() >= limits::kEnvironmentExtents)
          return fail(ErrorCode::kUnsupported,
                      "it lies in more than " + std::to_string(limits::kEnvironmentExtents) + " places");
        PVHGRUB_TRY_ASSIGN(const fs::DiskExtent extent, device_.locate(run.offset + done, run.length - done));
        for (const fs::DiskExtent& other : extents)
          if (fs::overlap(extent, other))
            return fail(ErrorCode::kUnsupported, "the list names some of its blocks twice");
        extents.push_back(extent);
        done += extent.length;
      }
    }
    return extents;
  }

 private:
  [[nodiscard]] std::vector<Run>::const_iterator run_at(std::uint64_t offset) const {
    return std::prev(std::ranges::upper_bound(runs_, offset, {}, &Run::begin));
  }

  fs::BlockSource& device_;
  std::vector<Run> runs_;  // at least one, ascending by begin
  Budget& budget_;
};

std::unexpected<Error> invalid(std::string_view list) {
  return fail(ErrorCode::kSyntax, "invalid file name `" + std::string(list) + "'");
}

/// One run of the list, in sectors; what follows it stays in `rest`.
struct ParsedRun {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

Result<ParsedRun> parse_run(std::string_view list, std::string_view& rest, std::uint64_t sectors) {
  ParsedRun run;
  if (!rest.starts_with('+')) {
    const ParsedNumber offset = parse_number(rest, 0);
    if (offset.status != kStatusOk || !offset.rest.starts_with('+')) return invalid(list);
    run.offset = offset.value;
    rest = offset.rest;
  }
  rest.remove_prefix(1);
  if (rest.empty() || rest.starts_with(',')) {
    run.length = sectors - std::min(run.offset, sectors);
  } else {
    const ParsedNumber length = parse_number(rest, 0);
    if (length.status != kStatusOk) return invalid(list);
    run.length = length.value;
    rest = length.rest;
  }
  // GRUB also ends a run at white space, and looks at nothing behind it up to the next comma's run.
  if (run.length == 0 || (!rest.empty() && rest.front() != ',' && !is_space(rest.front())))
    return invalid(list);
  if (!range_inside(run.offset, run.length, sectors))
    return fail(ErrorCode::kSyntax, "beyond the total sectors");
  if (!rest.empty()) rest.remove_prefix(1);
  return run;
}

}  // namespace

Result<std::unique_ptr<fs::File>> open_block_list(fs::BlockSource& device, std::string_view list,
                                                  Budget& budget) {
  const std::uint64_t sectors = device.size() / kSectorBytes;
  const auto count = static_cast<std::size_t>(std::ranges::count(list, ',')) + 1;
  PVHGRUB_TRY(budget.charge_steps(count, "reading a list of blocks"));
  PVHGRUB_TRY(budget.charge_bytes(count * sizeof(Run), "reading a list of blocks"));
  std::vector<Run> runs;
  runs.reserve(count);
  std::uint64_t size = 0;
  std::string_view rest = list;
  for (std::size_t i = 0; i < count; ++i) {
    PVHGRUB_TRY_ASSIGN(const ParsedRun run, parse_run(list, rest, sectors));
    // Inside the device, whose size in bytes fits; but a list may name the same blocks again and again.
    const Run bytes{size, run.offset * kSectorBytes, run.length * kSectorBytes};
    const auto sum = checked_add(size, bytes.length);
    if (!sum) return fail(ErrorCode::kLimit, "a list of blocks of more bytes than can be counted");
    size = *sum;
    runs.push_back(bytes);
  }
  return std::make_unique<BlockListFile>(device, std::move(runs), budget);
}

}  // namespace pvhgrub::grubcfg
