// SPDX-License-Identifier: LGPL-2.1-or-later
// Transactions of an XFS log, put together from the operations of its records. Layout: "XFS Algorithms & Data
// Structures", "Log Operations" and "Log Items"; what the operations carry is little-endian.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "fsreaders/xfs_log.h"

namespace pvhgrub::fs {

/// What an item changes (its first two bytes).
enum class XfsLogType : std::uint16_t {
  kInode = 0x123b,
  kBuffer = 0x123c,
  kInodeCreate = 0x123f,
  kMapIntent = 0x1244,
  kMapDone = 0x1245,
  kExchangeIntent = 0x1248,
  kExchangeDone = 0x1249,
};

/// One item: what it is, then the data in as many regions as it says.
struct XfsLogItem {
  std::vector<std::vector<std::byte>> regions;  ///< the first is the format; empty where it was not kept
  std::uint32_t expected = 0;                   ///< regions that the format announces
  [[nodiscard]] Bytes format() const { return regions.empty() ? Bytes() : Bytes(regions.front()); }
  /// The type as it is stored.
  [[nodiscard]] std::uint16_t type() const;
  [[nodiscard]] bool is(XfsLogType type) const { return this->type() == static_cast<std::uint16_t>(type); }
};

struct XfsLogTransaction {
  std::uint64_t lsn = 0;  ///< of the record in which it begins
  std::size_t header_bytes = 0;
  std::size_t held = 0;  ///< bytes of memory
  std::vector<XfsLogItem> items;
};

/// Takes records in order, and hands on each transaction when it is committed.
class XfsLogTransactions {
 public:
  /// Whether the contents of a region beside the format are needed; `index` from 1.
  using Keep = std::function<bool(const XfsLogItem& item, std::size_t index)>;
  using Commit = std::function<Result<void>(const XfsLogTransaction& transaction)>;
  XfsLogTransactions(Budget& budget, Keep keep, Commit commit)
      : budget_(budget), keep_(std::move(keep)), commit_(std::move(commit)) {}

  /// kDamaged: operations that do not fit the record or each other. kLimit: transactions larger than
  /// limits::kXfsLogTransactionBytes.
  [[nodiscard]] Result<void> take(const XfsLogRecord& record);

 private:
  struct Operation {
    std::uint32_t transaction = 0;
    std::uint8_t flags = 0;
    Bytes data;
  };
  [[nodiscard]] Result<void> take_operation(const Operation& operation, std::uint64_t lsn);
  [[nodiscard]] Result<void> add(XfsLogTransaction& transaction, Bytes data);
  [[nodiscard]] Result<void> add_to_last(XfsLogTransaction& transaction, Bytes data);
  [[nodiscard]] Result<void> hold(XfsLogTransaction& transaction, std::size_t bytes);

  Budget& budget_;
  Keep keep_;
  Commit commit_;
  std::unordered_map<std::uint32_t, XfsLogTransaction> open_;
  std::size_t held_ = 0;  // bytes of all open ones
};

}  // namespace pvhgrub::fs
