// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsreaders/xfs_log_transactions.h"

#include <string>
#include <utility>

#include "base/limits.h"
#include "fsreaders/xfs_fields.h"

namespace pvhgrub::fs {

namespace {

constexpr std::size_t kOperationBytes = 12;
constexpr std::size_t kTransactionHeaderBytes = 16;
// Operations' flags
constexpr std::uint8_t kStart = 0x01;
constexpr std::uint8_t kCommit = 0x02;
constexpr std::uint8_t kContinuation = 0x08;  // of the region before
constexpr std::uint8_t kUnmount = 0x20;
// A buffer of 64 KiB changed in every second chunk of 128 bytes, and its format.
constexpr std::uint32_t kMostRegions = 257;
// What an item and a region cost beside their bytes.
constexpr std::size_t kItemBytes = 96;
constexpr std::size_t kRegionBytes = 48;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kDamaged, "the log holds " + std::string(what) +
                                       "; mount the file system in the guest, or run xfs_repair on it");
}

}  // namespace

std::uint16_t XfsLogItem::type() const {
  return XfsFields(format()).little16(0);
}

Result<void> XfsLogTransactions::take(const XfsLogRecord& record) {
  Bytes rest(record.data);
  PVHGRUB_TRY(budget_.charge_steps(record.operations, "replaying the log"));
  for (std::uint32_t i = 0; i < record.operations && !rest.empty(); ++i) {
    if (rest.size() < kOperationBytes) return damaged("an operation that is cut off");
    const XfsFields fields(rest);
    const std::uint32_t length = fields.u32(4);
    rest = rest.subspan(kOperationBytes);
    if (length > rest.size()) return damaged("an operation that is longer than its record");
    PVHGRUB_TRY(take_operation({fields.u32(0), fields.u8(9), rest.first(length)}, record.lsn));
    rest = rest.subspan(length);
  }
  return {};
}

Result<void> XfsLogTransactions::take_operation(const Operation& operation, std::uint64_t lsn) {
  const auto found = open_.find(operation.transaction);
  if ((operation.flags & kStart) != 0) {
    if (found != open_.end()) return damaged("the beginning of a transaction twice");
    if (open_.size() >= limits::kXfsLogTransactionBytes / kItemBytes)
      return damaged("more transactions at once than a machine has");
    open_[operation.transaction].lsn = lsn;
    return {};
  }
  if ((operation.flags & kUnmount) != 0) return {};
  // It began before the log's oldest record: what it changed is on the disk.
  if (found == open_.end()) return {};
  if ((operation.flags & kCommit) != 0) {
    const XfsLogTransaction transaction = std::move(found->second);
    open_.erase(found);
    held_ -= transaction.held;
    return commit_(transaction);
  }
  if (operation.data.empty()) return {};
  return (operation.flags & kContinuation) != 0 ? add_to_last(found->second, operation.data)
                                                : add(found->second, operation.data);
}

Result<void> XfsLogTransactions::hold(XfsLogTransaction& transaction, std::size_t bytes) {
  if (bytes > limits::kXfsLogTransactionBytes - held_)
    return fail(ErrorCode::kLimit,
                "a transaction of the log has more than " +
                    std::to_string(limits::kXfsLogTransactionBytes >> 20U) +
                    " MiB; boot or mount the file system once by other means, which empties the log");
  transaction.held += bytes;
  held_ += bytes;
  return {};
}

// A region: the transaction's own header, the format of the next item, or data of the last one.
Result<void> XfsLogTransactions::add(XfsLogTransaction& transaction, Bytes data) {
  if (transaction.header_bytes < kTransactionHeaderBytes) {
    if (data.size() > kTransactionHeaderBytes - transaction.header_bytes)
      return damaged("a transaction without a header");
    transaction.header_bytes += data.size();
    return {};
  }
  if (transaction.items.empty() ||
      transaction.items.back().regions.size() == transaction.items.back().expected) {
    PVHGRUB_TRY(hold(transaction, kItemBytes));
    XfsLogItem& item = transaction.items.emplace_back();
    item.expected = XfsFields(data).little16(2);
    if (data.size() < 4 || item.expected == 0 || item.expected > kMostRegions)
      return damaged("an item that does not say what it is");
  }
  XfsLogItem& item = transaction.items.back();
  const bool needed = item.regions.empty() || keep_(item, item.regions.size());
  PVHGRUB_TRY(hold(transaction, kRegionBytes + (needed ? data.size() : 0)));
  item.regions.emplace_back();
  if (needed) item.regions.back().assign(data.begin(), data.end());
  return {};
}

// More of a region that did not fit its record.
Result<void> XfsLogTransactions::add_to_last(XfsLogTransaction& transaction, Bytes data) {
  if (transaction.items.empty()) return add(transaction, data);
  XfsLogItem& item = transaction.items.back();
  const std::size_t index = item.regions.size() - 1;
  if (index != 0 && !keep_(item, index)) return {};
  PVHGRUB_TRY(hold(transaction, data.size()));
  item.regions.back().insert(item.regions.back().end(), data.begin(), data.end());
  return {};
}

}  // namespace pvhgrub::fs
