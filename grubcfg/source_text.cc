// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/source_text.h"

#include <algorithm>

namespace pvhgrub::grubcfg {

namespace {
constexpr std::size_t kLinesPerMark = 256;
}  // namespace

std::shared_ptr<const SourceText> SourceText::from_file(std::string_view bytes, std::string name) {
  const auto made = std::make_shared<SourceText>();
  made->name_ = std::move(name);
  made->text_.reserve(bytes.size() + 1);
  std::uint32_t number = 0;
  std::uint32_t ordinal = 0;
  std::uint32_t expected = 0;
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    std::string_view line = bytes.substr(0, newline);
    bytes.remove_prefix(newline == std::string_view::npos ? bytes.size() : newline + 1);
    ++number;
    const std::size_t start = made->text_.size();
    for (const char character : line) {
      if (character == '\0') break;
      if (character != '\r') made->text_ += character;
    }
    // GRUB ends a file at a last line that holds nothing but carriage returns and has no newline.
    if (newline == std::string_view::npos && made->text_.size() == start) break;
    if (made->text_.size() > start && made->text_[start] == '#') {
      made->text_.resize(start);
      continue;
    }
    ++expected;
    if (ordinal == 0 || number != expected) {
      made->breaks_.push_back({static_cast<std::uint32_t>(start), ordinal, number});
      expected = number;
    }
    ++ordinal;
    made->text_ += '\n';
  }
  made->index_lines();
  return made;
}

std::shared_ptr<const SourceText> SourceText::from_string(std::string text, std::string name,
                                                          std::uint32_t line) {
  const auto made = std::make_shared<SourceText>();
  made->text_ = std::move(text);
  if (const std::size_t nul = made->text_.find('\0'); nul != std::string::npos) made->text_.resize(nul);
  made->name_ = std::move(name);
  made->breaks_.push_back({0, 0, line});
  made->index_lines();
  return made;
}

std::shared_ptr<const SourceText> SourceText::from_lines(std::span<const MadeLine> lines, std::string name) {
  const auto made = std::make_shared<SourceText>();
  made->name_ = std::move(name);
  std::size_t size = 0;
  for (const MadeLine& line : lines) size += line.text.size() + 1;
  made->text_.reserve(size);
  made->breaks_.reserve(lines.size());
  std::uint32_t ordinal = 0;
  for (const MadeLine& line : lines) {
    made->breaks_.push_back({static_cast<std::uint32_t>(made->text_.size()), ordinal, line.number});
    made->text_ += line.text;
    made->text_ += '\n';
    // A variable's value that became part of the line may hold newlines.
    ordinal += 1 + static_cast<std::uint32_t>(std::ranges::count(line.text, '\n'));
  }
  made->index_lines();
  return made;
}

void SourceText::index_lines() {
  std::size_t count = 0;
  every_256th_line_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n' && ++count % kLinesPerMark == 0)
      every_256th_line_.push_back(static_cast<std::uint32_t>(i + 1));
}

std::uint32_t SourceText::line_at(std::size_t offset) const {
  if (breaks_.empty()) return 1;
  const auto mark = std::prev(std::upper_bound(every_256th_line_.begin(), every_256th_line_.end(), offset));
  const auto marked =
      static_cast<std::size_t>(std::distance(every_256th_line_.begin(), mark)) * kLinesPerMark;
  const std::size_t end = std::min(offset, text_.size());
  const auto ordinal =
      marked + static_cast<std::size_t>(
                   std::count(text_.begin() + *mark, text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
  auto found = std::upper_bound(breaks_.begin(), breaks_.end(), offset,
                                [](std::size_t value, const LineBreak& line) { return value < line.offset; });
  if (found != breaks_.begin()) --found;
  return found->number + static_cast<std::uint32_t>(ordinal) - found->ordinal;
}

SourceRange SourceRange::whole(std::shared_ptr<const SourceText> source) {
  const auto size = static_cast<std::uint32_t>(source->text().size());
  return {std::move(source), 0, size};
}

}  // namespace pvhgrub::grubcfg
