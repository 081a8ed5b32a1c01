// SPDX-License-Identifier: LGPL-2.1-or-later
// A terminal that can only write on, line after line: where there is no cursor addressing.
#pragma once

#include <termios.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "menu/key.h"

namespace pvhgrub::menu {

class Teletype {
 public:
  Teletype() = default;
  Teletype(const Teletype&) = delete;
  Teletype& operator=(const Teletype&) = delete;
  virtual ~Teletype() = default;

  [[nodiscard]] virtual bool utf8() const = 0;
  /// UTF-8 that is fit for a terminal; "\n" ends a line. kIo: nobody is there any more.
  [[nodiscard]] virtual Result<void> write(std::string_view text) = 0;
  /// The next key, at most so long; no value: as long as it takes. Escape sequences come as kUnknown.
  [[nodiscard]] virtual Result<Key> read_key(std::optional<std::chrono::milliseconds> wait) = 0;
  [[nodiscard]] virtual bool key_waits() = 0;
  /// Puts it back as it was found, until the next write() or read_key().
  virtual void leave() = 0;
};

/// On a terminal's descriptor, which outlives it.
class DescriptorTeletype final : public Teletype {
 public:
  DescriptorTeletype(int fd, bool utf8) : fd_(fd), utf8_(utf8) {}
  ~DescriptorTeletype() override { leave(); }

  [[nodiscard]] bool utf8() const override { return utf8_; }
  [[nodiscard]] Result<void> write(std::string_view text) override;
  [[nodiscard]] Result<Key> read_key(std::optional<std::chrono::milliseconds> wait) override;
  [[nodiscard]] bool key_waits() override;
  void leave() override;

 private:
  void take();
  [[nodiscard]] Result<std::optional<unsigned char>> read_byte(int wait_milliseconds);

  int fd_;
  bool utf8_;
  std::optional<termios> found_;  ///< the mode to put back
};

}  // namespace pvhgrub::menu
