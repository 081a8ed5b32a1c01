// SPDX-License-Identifier: LGPL-2.1-or-later
// What people read: lines on standard error and standard output, with guest text escaped, on terminals of any
// mode.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace spdlog {
class logger;
}

namespace pvhgrub::broker {

enum class Verbosity : std::uint8_t { kNormal, kExplain, kDebug };

class Console {
 public:
  /// `runtime_error_prefix`: the final error begins with "RuntimeError: ", which xapi looks for.
  Console(Verbosity verbosity, bool runtime_error_prefix);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// One line each on standard error. Texts may hold guest bytes: they are escaped here.
  void debug(std::string_view text);
  void explain(std::string_view text);
  void notice(std::string_view where, std::string_view text);
  /// The last line: cause and remedy. xl's own message only says "consult logfile".
  void error(const Error& error);

  /// Text for standard output, which the caller has escaped already; gathered until `flush`.
  [[nodiscard]] Result<void> print(std::string_view text);
  /// Bytes for standard output exactly as they are.
  [[nodiscard]] Result<void> print_raw(std::string_view bytes);
  [[nodiscard]] Result<void> flush();
  /// Keeps lines back while `hold`; then they are printed. error() is never kept back, and ends it.
  void hold(bool hold);
  /// Forgets what was gathered and not printed yet: half a listing is of no use to anybody.
  void discard() { gathered_.clear(); }
  [[nodiscard]] bool output_is_terminal() const;

 private:
  std::shared_ptr<spdlog::logger> logger_;
  bool runtime_error_prefix_;
  void line(int level, const std::string& text);

  bool holding_ = false;
  std::vector<std::pair<int, std::string>> held_;
  bool output_is_raw_;  // standard output is a terminal that does not turn \n into \r\n
  std::string gathered_;
};

}  // namespace pvhgrub::broker
