// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/grubenv.h"

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kSignature = "# GRUB Environment Block\n";
constexpr std::size_t kNone = std::string::npos;

std::string escape_value(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '\n') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// GRUB takes names and values for C strings.
std::string_view up_to_zero(std::string_view text) {
  return text.substr(0, text.find('\0'));
}

std::string unescape_value(std::string_view escaped) {
  std::string value;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '\\' && i + 1 < escaped.size()) ++i;
    if (escaped[i] == '\0') break;
    value += escaped[i];
  }
  return value;
}

}  // namespace

Result<EnvironmentBlock> EnvironmentBlock::parse(std::string bytes) {
  if (bytes.size() > limits::kEnvironmentBlockBytes)
    return fail(ErrorCode::kLimit, "an environment block of " + std::to_string(bytes.size()) + " bytes");
  // GRUB wants at least one byte behind it.
  if (!bytes.starts_with(kSignature) || bytes.size() == kSignature.size())
    return fail(ErrorCode::kDamaged, "invalid environment block");
  return EnvironmentBlock(std::move(bytes));
}

std::size_t EnvironmentBlock::line_end(std::size_t begin) const {
  std::size_t i = begin;
  while (i < bytes_.size() && bytes_[i] != '\n') i += bytes_[i] == '\\' ? 2U : 1U;
  return i;
}

bool EnvironmentBlock::is_well_formed() const {
  const std::size_t fill = free_begin();
  for (std::size_t i = kSignature.size(); i < fill;) {
    const bool is_comment = bytes_[i] == '#';
    const std::size_t end = line_end(i);
    if (end >= fill) return false;
    const std::string_view line = std::string_view(bytes_).substr(i, end - i);
    const std::size_t equals = line.find('=');
    if (!is_comment && (equals == kNone || equals == 0 || line.find('\\') < equals)) return false;
    for (std::size_t c = 0; c < line.size(); ++c) {
      const bool is_control = static_cast<unsigned char>(line[c]) < ' ' || line[c] == '\x7f';
      const bool is_hidden_newline = line[c] == '\n';  // a backslash stands before it
      if (is_control && line[c] != '\t' && !is_hidden_newline) return false;
    }
    i = end + 1;
  }
  return true;
}

Result<EnvironmentVariables> EnvironmentBlock::variables(Budget& budget) const {
  EnvironmentVariables found;
  std::size_t i = kSignature.size();
  while (i < bytes_.size()) {
    PVHGRUB_TRY(budget.charge_steps(1, "reading an environment block"));
    std::size_t end = 0;
    if (bytes_[i] == '#') {
      end = line_end(i);
    } else {
      // GRUB looks for the '=' without regard to line ends, and drops a last line without a newline.
      const std::size_t equals = bytes_.find('=', i);
      if (equals == kNone) break;
      end = line_end(equals + 1);
      if (end >= bytes_.size()) break;
      const std::string_view text(bytes_);
      found.emplace_back(up_to_zero(text.substr(i, equals - i)),
                         unescape_value(text.substr(equals + 1, end - equals - 1)));
    }
    i = end + 1;
  }
  return found;
}

std::pair<std::size_t, std::size_t> EnvironmentBlock::find(std::string_view name) const {
  // To GRUB a comment is a line like any other here.
  std::size_t i = kSignature.size();
  while (i < bytes_.size()) {
    const std::size_t end = line_end(i);
    const std::string_view line = std::string_view(bytes_).substr(i);
    if (line.starts_with(name) && line.substr(name.size()).starts_with('='))
      return {i, end < bytes_.size() ? end + 1 : kNone};
    i = end + 1;
  }
  return {kNone, kNone};
}

// Where the '#' that fill the block begin.
std::size_t EnvironmentBlock::free_begin() const {
  std::size_t i = bytes_.size();
  while (i > kSignature.size() && bytes_[i - 1] == '#') --i;
  return i;
}

bool EnvironmentBlock::set(std::string_view name, std::string_view value) {
  const std::string line = std::string(name) + "=" + escape_value(value) + "\n";
  const auto [begin, end] = find(name);
  if (begin != kNone && end == kNone) return false;
  const std::size_t old_size = begin == kNone ? 0 : end - begin;
  const std::size_t free = bytes_.size() - free_begin();
  if (line.size() > old_size + free) return false;
  // To GRUB a block whose last line has no newline is broken.
  if (bytes_[free_begin() - 1] != '\n') return false;
  const std::size_t size = bytes_.size();
  if (begin == kNone) {
    bytes_.insert(free_begin(), line);
  } else {
    bytes_.replace(begin, old_size, line);
  }
  bytes_.resize(size, '#');
  return true;
}

void EnvironmentBlock::remove(std::string_view name) {
  const auto [begin, end] = find(name);
  if (begin == kNone || end == kNone) return;
  const std::size_t size = bytes_.size();
  bytes_.erase(begin, end - begin);
  bytes_.resize(size, '#');
}

}  // namespace pvhgrub::grubcfg
