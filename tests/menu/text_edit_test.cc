// SPDX-License-Identifier: LGPL-2.1-or-later
#include "menu/text_edit.h"

#include <catch2/catch.hpp>

#include "base/limits.h"

namespace pvhgrub::menu {
namespace {

using Kind = Key::Kind;

Key control(char32_t letter) {
  return {Kind::kControl, letter};
}

void apply(TextEdit& edit, std::initializer_list<Key> keys) {
  for (const Key& key : keys) CHECK(edit.apply(key));
}

}  // namespace

TEST_CASE("a text of several lines begins at its first character, a single line at its end") {
  const TextEdit lines("one\ntwo", false);
  CHECK(lines.line() == 0);
  CHECK(lines.column() == 0);
  CHECK(lines.text() == "one\ntwo");
  const TextEdit line("one", true);
  CHECK(line.column() == 3);
}

TEST_CASE("the cursor goes over characters, not bytes, and never into one") {
  TextEdit edit("a\xC3\xA9\xFF z\nshort", false);
  apply(edit, {{Kind::kRight}, {Kind::kRight}});
  CHECK(edit.column() == 3);
  apply(edit, {{Kind::kRight}});
  CHECK(edit.column() == 4);  // a byte that is no character
  apply(edit, {{Kind::kLeft}, {Kind::kLeft}});
  CHECK(edit.column() == 1);
  apply(edit, {{Kind::kDown}, {Kind::kRight}, {Kind::kUp}});
  CHECK(edit.column() == 1);
}

TEST_CASE("the ends of lines lead on to the lines beside them") {
  TextEdit edit("ab\ncd", false);
  apply(edit, {{Kind::kEnd}, {Kind::kRight}});
  CHECK(edit.line() == 1);
  CHECK(edit.column() == 0);
  apply(edit, {{Kind::kLeft}});
  CHECK(edit.line() == 0);
  CHECK(edit.column() == 2);
}

TEST_CASE("lines are broken, joined and opened") {
  TextEdit edit("abcd", false);
  apply(edit, {{Kind::kRight}, {Kind::kRight}, {Kind::kEnter}});
  CHECK(edit.text() == "ab\ncd");
  apply(edit, {{Kind::kBackspace}});
  CHECK(edit.text() == "abcd");
  apply(edit, {control('o')});
  CHECK(edit.text() == "ab\ncd");
  CHECK(edit.line() == 0);
  apply(edit, {{Kind::kDelete}});
  CHECK(edit.text() == "abcd");
}

TEST_CASE("what is killed comes back") {
  TextEdit edit("one two", false);
  apply(edit, {control('e'), control('w')});
  CHECK(edit.text() == "one ");
  apply(edit, {control('y'), control('a'), control('k')});
  CHECK(edit.text().empty());
  apply(edit, {control('y'), control('u'), control('y'), control('y')});
  CHECK(edit.text() == "one twoone two");
}

TEST_CASE("at a line's end the newline is killed") {
  TextEdit edit("one\ntwo", false);
  apply(edit, {control('e'), control('k')});
  CHECK(edit.text() == "onetwo");
  apply(edit, {control('y')});
  CHECK(edit.text() == "one\ntwo");
}

TEST_CASE("a single line takes no newline, and leaves keys up and down to others") {
  TextEdit edit("a", true);
  edit.insert("b\nc");
  CHECK(edit.text() == "abc");
  CHECK_FALSE(edit.apply({Kind::kEnter}));
  CHECK_FALSE(edit.apply({Kind::kUp}));
  CHECK_FALSE(edit.apply(control('p')));
}

TEST_CASE("a page moves as many lines, and stops at the ends") {
  TextEdit edit("0\n1\n2\n3\n4\n5\n6\n7\n8\n9", false);
  CHECK(edit.apply({Kind::kPageDown}, 4));
  CHECK(edit.line() == 4);
  CHECK(edit.apply({Kind::kPageDown}, 100));
  CHECK(edit.line() == 9);
  CHECK(edit.apply({Kind::kPageUp}, 6));
  CHECK(edit.line() == 3);
  CHECK(edit.apply({Kind::kPageUp}, 100));
  CHECK(edit.line() == 0);
}

TEST_CASE("a text grows to its limit and no further") {
  TextEdit edit("", false);
  for (int i = 0; i < 10; ++i) edit.insert(std::string(limits::kEditedTextBytes / 4, 'x'));
  CHECK(edit.text().size() <= limits::kEditedTextBytes);
  CHECK(edit.apply({Kind::kCharacter, U'y'}));
  CHECK(edit.text().size() <= limits::kEditedTextBytes);
}

TEST_CASE("keys at the very ends do nothing") {
  TextEdit edit("", false);
  apply(edit, {{Kind::kBackspace},
               {Kind::kDelete},
               {Kind::kLeft},
               {Kind::kRight},
               {Kind::kUp},
               {Kind::kDown},
               control('k'),
               control('u'),
               control('w'),
               control('y'),
               {Kind::kPageUp},
               {Kind::kPageDown}});
  CHECK(edit.text().empty());
}

}  // namespace pvhgrub::menu
