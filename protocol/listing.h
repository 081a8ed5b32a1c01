// SPDX-License-Identifier: LGPL-2.1-or-later
// What -l prints: entries as they come from the worker, written as text for a person or as one JSON object.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/messages.h"

namespace pvhgrub::protocol {

/// Takes a listing in the worker's order and gives the text to print. Holds only what the open menus need, so
/// that a menu of 100,000 entries costs no more memory than one.
class ListingWriter {
 public:
  ListingWriter() = default;
  ListingWriter(const ListingWriter&) = delete;
  ListingWriter& operator=(const ListingWriter&) = delete;
  virtual ~ListingWriter() = default;

  /// Each returns what is to be printed now.
  [[nodiscard]] virtual std::string menu(const MenuMessage& menu) = 0;
  [[nodiscard]] virtual std::string entry(const EntryMessage& entry) = 0;
  [[nodiscard]] virtual std::string end() = 0;
};

/// pygrub's five lines an entry ("title:", "  root:", "  kernel:", "  args:", "  initrd:"), submenus as "A>B"
/// titles and the default marked; guest text escaped.
[[nodiscard]] std::unique_ptr<ListingWriter> make_text_listing();

/// One JSON object; pvhgrub(1) shows an example.
[[nodiscard]] std::unique_ptr<ListingWriter> make_json_listing();

}  // namespace pvhgrub::protocol
