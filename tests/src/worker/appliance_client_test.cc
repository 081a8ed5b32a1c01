// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/appliance_client.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "base/appliance_limits.h"
#include "base/budget.h"

namespace pvhgrub::worker {
namespace {

using protocol::AnswerState;
using protocol::ApplianceEntry;
using protocol::ApplianceHeader;
using protocol::ApplianceOperation;
using protocol::ApplianceQuestion;

// An honest appliance over a tree in memory, unless a test changes what it says.
class FakeAppliance final : public ApplianceTransport {
 public:
  struct Node {
    ApplianceEntry::Type type = ApplianceEntry::Type::kRegular;
    std::string contents;  // or the link's target
  };
  std::map<std::string, Node> tree = {
      {"/boot", {ApplianceEntry::Type::kDirectory, ""}},
      {"/boot/kernel", {ApplianceEntry::Type::kRegular, std::string(3'000'000, 'K')}},
      {"/boot/up", {ApplianceEntry::Type::kSymlink, "../link"}},
      {"/link", {ApplianceEntry::Type::kSymlink, "/boot/kernel"}},
      {"/circle", {ApplianceEntry::Type::kSymlink, "circle"}},
      {"/pipe", {ApplianceEntry::Type::kOther, ""}}};
  std::vector<ApplianceQuestion> questions;
  std::optional<std::string> whole_answer;  // instead of all that it would say
  std::uint64_t size_lie = 0;
  std::size_t short_by = 0;
  std::vector<std::string> more_names;

  Result<void> send(Bytes bytes) override {
    const auto header = ApplianceHeader::decode(bytes.first(protocol::kApplianceHeaderBytes),
                                                limits::kApplianceQuestionBytes);
    REQUIRE(header);
    const auto question = ApplianceQuestion::decode(bytes.subspan(protocol::kApplianceHeaderBytes));
    REQUIRE(question);
    questions.push_back(*question);
    if (whole_answer)
      pending_ += *whole_answer;
    else
      answer(header->operation, *question);
    return {};
  }

  Result<void> receive(std::span<std::byte> out) override {
    if (pending_.size() < out.size()) return fail(ErrorCode::kIo, "the end");
    std::ranges::copy(as_bytes(pending_).first(out.size()), out.begin());
    pending_.erase(0, out.size());
    return {};
  }

  static std::string part(ApplianceOperation operation, AnswerState state, Bytes payload) {
    const ApplianceHeader header{
        .length = static_cast<std::uint32_t>(payload.size()), .operation = operation, .state = state};
    return std::string(as_text(header.encode())) + std::string(as_text(payload));
  }

 private:
  void answer(ApplianceOperation operation, const ApplianceQuestion& question) {
    switch (operation) {
      case ApplianceOperation::kFileSystems: {
        const protocol::ApplianceVolumes volumes{{{"hd0", "ext4", "1-2", "root"}}};
        pending_ += part(operation, AnswerState::kLast, volumes.encode().payload());
        break;
      }
      case ApplianceOperation::kList:
        answer_list(question.path);
        break;
      case ApplianceOperation::kReadLink:
        pending_ += part(operation, AnswerState::kLast, as_bytes(tree.at(question.path).contents));
        break;
      case ApplianceOperation::kRead: {
        const std::string& contents = tree.at(question.path).contents;
        const std::size_t offset =
            std::min<std::size_t>(contents.size(), static_cast<std::size_t>(question.offset));
        std::string bytes = contents.substr(offset, question.length);
        bytes.resize(bytes.size() - std::min(bytes.size(), short_by));
        pending_ += part(operation, AnswerState::kLast, as_bytes(bytes));
        break;
      }
    }
  }

  // Each entry in a part of its own.
  void answer_list(const std::string& path) {
    const std::string prefix = path == "/" ? path : path + "/";
    for (const auto& [name, node] : tree) {
      if (!name.starts_with(prefix) || name.find('/', prefix.size()) != std::string::npos) continue;
      protocol::ApplianceEntries one;
      one.entries.push_back(
          {name.substr(prefix.size()), node.type, size_lie != 0 ? size_lie : node.contents.size(), 5});
      pending_ += part(ApplianceOperation::kList, AnswerState::kMore, one.encode().payload());
    }
    protocol::ApplianceEntries last;
    for (const std::string& name : more_names)
      last.entries.push_back({name, ApplianceEntry::Type::kRegular, 1, 0});
    pending_ += part(ApplianceOperation::kList, AnswerState::kLast, last.encode().payload());
  }

  std::string pending_;
};

class CountingSink final : public fs::ContentSink {
 public:
  Result<void> hole(std::uint64_t length) override {
    return fail(ErrorCode::kInternal, std::to_string(length));
  }
  Result<void> extent(const fs::DiskExtent& extent) override {
    return fail(ErrorCode::kInternal, std::to_string(extent.length));
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    text += as_text(bytes);
    return {};
  }
  std::string text;
};

struct Setup {
  FakeAppliance fake;
  ApplianceClient client{fake};
  Budget budget = Budget::standard();
  fs::ApplianceVolume volume{"hd0", "ext4", "1-2", "root"};
  std::unique_ptr<fs::FileSystem> files = fs::open_appliance_file_system(client, 0, volume, budget);
};

}  // namespace

TEST_CASE("a tree through the appliance is a file system like any other") {
  Setup setup;
  CHECK(setup.files->type_name() == "ext2");
  CHECK(setup.files->uuid() == "1-2");
  CHECK(setup.files->label() == "root");
  const auto names = setup.files->list("/");
  REQUIRE(names);
  CHECK(names->size() == 4);
  for (const char* const path :
       {"/boot/kernel", "/link", "/boot/up", "/boot/../boot/./up", "//boot//kernel"}) {
    const auto info = setup.files->stat(path);
    INFO(path);
    REQUIRE(info);
    CHECK(info->type == fs::FileType::kRegular);
    CHECK(info->size == 3'000'000);
    CHECK(info->modification_time == 5);
  }
  // Links are followed here: the appliance is asked for nothing but plain paths.
  for (const ApplianceQuestion& question : setup.fake.questions)
    CHECK(question.path.find("..") == std::string::npos);
  CHECK(setup.files->stat("/nowhere").error().code == ErrorCode::kNotFound);
  CHECK(setup.files->stat("/boot/kernel/x").error().code == ErrorCode::kWrongType);
  CHECK(setup.files->stat("/circle").error().code == ErrorCode::kLimit);
  CHECK(setup.files->open("/pipe").error().code == ErrorCode::kWrongType);
}

TEST_CASE("contents come in pieces, and a range without what is before it") {
  Setup setup;
  setup.fake.tree["/boot/kernel"].contents.replace(2'000'000, 5, "hello");
  const auto file = setup.files->open("/link");
  REQUIRE(file);
  CountingSink whole;
  REQUIRE((*file)->send(whole));
  CHECK(whole.text == setup.fake.tree["/boot/kernel"].contents);
  setup.fake.questions.clear();
  CountingSink range;
  REQUIRE((*file)->send_range(1'999'999, 7, range));
  CHECK(range.text == "KhelloK");
  CHECK(setup.fake.questions.size() == 1);
  std::vector<std::byte> end(100);
  CHECK((*file)->read(2'999'990, end).value_or(0) == 10);
  CHECK((*file)->read(3'000'000, end).value_or(1) == 0);
}

TEST_CASE("names that no path can name are left out of what the appliance lists") {
  Setup setup;
  setup.fake.more_names = {"..", ".", "", "a/b", std::string("a\0b", 3), "good"};
  const auto names = setup.files->list("/boot");
  REQUIRE(names);
  std::vector<std::string> got;
  for (const auto& entry : *names) got.push_back(entry.name);
  CHECK(got == std::vector<std::string>{"kernel", "up", "good"});
}

TEST_CASE("an answer that breaks the protocol ends all questions") {
  const auto part = FakeAppliance::part;
  const std::string one =
      part(ApplianceOperation::kList, AnswerState::kMore, protocol::ApplianceEntries{}.encode().payload());
  std::string for_ever;
  for (int i = 0; i < 2000; ++i) for_ever += one;
  const std::vector<std::string> answers = {
      part(ApplianceOperation::kRead, AnswerState::kLast, {}),              // another question's
      part(ApplianceOperation::kList, AnswerState::kLast, as_bytes("\1")),  // cut
      part(ApplianceOperation::kList, AnswerState::kLast,
           as_bytes("\xff\xff\xff\xff")),                                      // four thousand million
      part(ApplianceOperation::kList, AnswerState::kError, as_bytes("\x08")),  // no failure's form
      std::string("\xff\xff\xff\xff\2\0\0\0", 8),                              // too long
      std::string("\0\0\0\0\2\0\7\0", 8),                                      // no known state
      for_ever};
  for (const std::string& answer : answers) {
    Setup setup;
    setup.fake.whole_answer = answer;
    const auto listed = setup.files->list("/");
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == ErrorCode::kProtocol);
    setup.fake.whole_answer.reset();
    const std::size_t asked = setup.fake.questions.size();
    CHECK(setup.files->list("/boot").error().code == ErrorCode::kProtocol);
    CHECK(setup.fake.questions.size() == asked);
  }
}

TEST_CASE("a failure that the appliance tells is the file's alone") {
  Setup setup;
  const protocol::ApplianceFailure failure{ErrorCode::kDamaged, "structure needs cleaning"};
  setup.fake.whole_answer =
      FakeAppliance::part(ApplianceOperation::kList, AnswerState::kError, failure.encode().payload());
  CHECK(setup.files->list("/").error().code == ErrorCode::kDamaged);
  setup.fake.whole_answer.reset();
  CHECK(setup.files->list("/").has_value());
}

TEST_CASE("a piece of a file that is not as long as asked for is no contents") {
  Setup setup;
  const auto file = setup.files->open("/boot/kernel");
  REQUIRE(file);
  setup.fake.short_by = 1;
  CountingSink sink;
  CHECK((*file)->send(sink).error().code == ErrorCode::kProtocol);
}

TEST_CASE("a size that cannot be is met by a failed read, not by memory") {
  Setup setup;
  setup.fake.size_lie = ~std::uint64_t{0};
  const auto file = setup.files->open("/boot/kernel");
  REQUIRE(file);
  CountingSink sink;
  CHECK_FALSE((*file)->send(sink));
  CHECK(sink.text.size() <= 3'000'000);
}

TEST_CASE("ten thousand entries are looked up quickly, and charge the budget") {
  Setup setup;
  for (int i = 0; i < 10'000; ++i) setup.fake.more_names.push_back("name-" + std::to_string(i));
  const std::uint64_t before = setup.budget.steps_left();
  for (int i = 0; i < 10'000; ++i) REQUIRE(setup.files->stat("/boot/name-" + std::to_string(i)));
  CHECK(setup.budget.steps_left() < before - 10'000);
  CHECK(setup.fake.questions.size() == 2);
}

}  // namespace pvhgrub::worker
