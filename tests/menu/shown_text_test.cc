// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/shown_text.h"

#include <catch2/catch.hpp>
#include <clocale>

#include "base/limits.h"

namespace pvhgrub::menu {
namespace {

std::string narrow(std::u32string_view text) {
  std::string out;
  for (const char32_t character : text) append_utf8(out, character);
  return out;
}

/// For as long as a test lasts.
class Utf8Locale {
 public:
  Utf8Locale() { there_ = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr; }
  ~Utf8Locale() { std::setlocale(LC_CTYPE, "C"); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  [[nodiscard]] bool there() const { return there_; }

 private:
  bool there_ = false;
};

}  // namespace

TEST_CASE("controls, bytes that are no text and invisible characters are shown by their bytes") {
  CHECK(narrow(shown_text("a\x1B[2J\n\x7F", false)) == "a\\x1b[2J\\x0a\\x7f");
  CHECK(narrow(shown_text("\xFF\xC3", true)) == "\\xff\\xc3");
  CHECK(narrow(shown_text("\xC2\x9B", true)) == "\\xc2\\x9b");           // CSI of eight bits
  CHECK(narrow(shown_text("\xE2\x80\xAE", true)) == "\\xe2\\x80\\xae");  // right-to-left override
}

TEST_CASE("a terminal of ASCII gets nothing else") {
  CHECK(narrow(shown_text("\xC3\xA9", false)) == "\\xc3\\xa9");
}

TEST_CASE("wide characters take two cells, marks that take none are shown by their bytes") {
  const Utf8Locale locale;
  if (!locale.there()) {
    WARN("left out: this machine has no locale C.UTF-8");
    return;
  }
  const auto pieces = shown_pieces("\xC3\xA9\xE6\xBC\xA2\xCC\x81", true);
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[0].width == 1);
  CHECK(pieces[1].width == 2);
  CHECK(narrow(pieces[2].shown) == "\\xcc\\x81");
  CHECK(pieces[2].width == 8);
}

TEST_CASE("tabs become blanks only where that was asked for") {
  CHECK(narrow(shown_text("\t", false)) == "\\x09");
  CHECK(narrow(shown_pieces("\t", false, 3).front().shown) == "   ");
}

TEST_CASE("what does not fit is cut, with a mark where that has room") {
  CHECK(narrow(cut_to_width(U"abcdef", 6, U"...")) == "abcdef");
  CHECK(narrow(cut_to_width(U"abcdef", 5, U"...")) == "ab...");
  CHECK(narrow(cut_to_width(U"abcdef", 2, U"...")) == "ab");
  CHECK(narrow(cut_to_width(U"abcdef", 0)).empty());
}

TEST_CASE("lines are broken at blanks, and words that are too long anywhere") {
  const auto lines = wrap(U"one two three", 8, 10);
  REQUIRE(lines.size() == 2);
  CHECK(narrow(lines[0]) == "one two ");
  CHECK(narrow(lines[1]) == "three");
  const auto long_word = wrap(U"abcdefghij", 4, 10);
  REQUIRE(long_word.size() == 3);
  CHECK(narrow(long_word[2]) == "ij");
  const auto most = wrap(U"one two three four", 6, 2);
  REQUIRE(most.size() == 2);
  CHECK(narrow(most[1]) == "two...");
  CHECK(wrap(U"", 10, 5).size() == 1);
  CHECK(wrap(U"abc", 0, 5).size() == 3);
}

TEST_CASE("a text of megabytes is shown as far as a screen could") {
  const std::string text(16 * limits::kMiB, 'x');
  CHECK(shown_text(text, false).size() == limits::kShownTextBytes + 3);
}

TEST_CASE("lines are taken one by one, and one that is too long goes on as another") {
  const std::string text = "one\n\n" + std::string(limits::kScreenLineBytes, 'x') + "\n" +
                           std::string(limits::kScreenLineBytes + 1, 'y');
  std::string_view rest = text;
  CHECK(take_line(rest) == "one");
  CHECK(take_line(rest).empty());
  CHECK(take_line(rest).size() == limits::kScreenLineBytes);
  CHECK(take_line(rest) == std::string(limits::kScreenLineBytes, 'y'));
  CHECK(take_line(rest) == "y");
  CHECK(rest.empty());
}

}  // namespace pvhgrub::menu
