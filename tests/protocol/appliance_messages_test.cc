// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/appliance_messages.h"

#include <catch2/catch.hpp>
#include <limits>

#include "protocol/appliance_start.h"

namespace pvhgrub::protocol {
namespace {

// Every shorter payload, and one byte more, is an error.
template <typename Message>
void check_exact_length(const Message& message) {
  const PayloadWriter writer = message.encode();
  const Bytes payload = writer.payload();
  CHECK(Message::decode(payload).has_value());
  for (std::size_t length = 0; length < payload.size(); ++length)
    CHECK_FALSE(Message::decode(payload.first(length)).has_value());
  std::vector<std::byte> longer(payload.begin(), payload.end());
  longer.push_back(std::byte{0});
  CHECK_FALSE(Message::decode(longer).has_value());
}

ApplianceEntries two_entries() {
  return {{{"a", ApplianceEntry::Type::kSymlink, 7, -1},
           {"b", ApplianceEntry::Type::kRegular, std::numeric_limits<std::uint64_t>::max(), 0}}};
}

}  // namespace

TEST_CASE("the appliance's messages come back as they were, and only whole") {
  check_exact_length(ApplianceQuestion{3, "/boot/x", 1ULL << 40, 4096});
  check_exact_length(ApplianceVolumes{{{"hd0,2", "f2fs", "uuid", "label"}, {"lvm/a-b", "ext4", "", ""}}});
  check_exact_length(two_entries());
  check_exact_length(ApplianceFailure{ErrorCode::kDamaged, "why"});
  check_exact_length(ApplianceStart{{1, 2}, {"LIBGUESTFS_PATH=/x"}});

  const auto question =
      ApplianceQuestion::decode(ApplianceQuestion{3, "/boot/x", 1ULL << 40, 4096}.encode().payload());
  REQUIRE(question);
  CHECK(question->file_system == 3);
  CHECK(question->path == "/boot/x");
  CHECK(question->offset == 1ULL << 40);
  CHECK(question->length == 4096);
  const auto entries = ApplianceEntries::decode(two_entries().encode().payload());
  REQUIRE(entries);
  REQUIRE(entries->entries.size() == 2);
  CHECK(entries->entries[0].type == ApplianceEntry::Type::kSymlink);
  CHECK(entries->entries[0].modification_time == -1);
  CHECK(entries->entries[1].size == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("a header's length, operation and state have ranges") {
  const ApplianceHeader header{
      .length = 100, .operation = ApplianceOperation::kRead, .state = AnswerState::kMore};
  const auto bytes = header.encode();
  const auto back = ApplianceHeader::decode(bytes, 100);
  REQUIRE(back);
  CHECK(back->length == 100);
  CHECK(back->operation == ApplianceOperation::kRead);
  CHECK(back->state == AnswerState::kMore);
  CHECK_FALSE(ApplianceHeader::decode(bytes, 99));
  auto changed = bytes;
  for (const int operation : {0, 5, 255}) {
    changed[4] = static_cast<std::byte>(operation);
    CHECK_FALSE(ApplianceHeader::decode(changed, 100));
  }
  changed = bytes;
  changed[6] = std::byte{3};
  CHECK_FALSE(ApplianceHeader::decode(changed, 100));
}

TEST_CASE("a list that says it is longer than its payload is refused before it is made") {
  PayloadWriter writer;
  writer.put_u32(0xFFFFFFFF);
  CHECK_FALSE(ApplianceEntries::decode(writer.payload()));
  CHECK_FALSE(ApplianceVolumes::decode(writer.payload()));
}

TEST_CASE("texts about a file system and a failure are short") {
  const std::string longest(limits::kApplianceTextBytes, 'x');
  const auto decode = [](const std::string& label) {
    return ApplianceVolumes::decode(ApplianceVolumes{{{"hd0", "f2fs", "", label}}}.encode().payload());
  };
  CHECK(decode(longest));
  CHECK_FALSE(decode(longest + "x"));
  CHECK(ApplianceFailure::decode(ApplianceFailure{ErrorCode::kIo, longest}.encode().payload()));
  CHECK_FALSE(ApplianceFailure::decode(ApplianceFailure{ErrorCode::kIo, longest + "x"}.encode().payload()));
}

TEST_CASE("an entry of no known type is refused") {
  PayloadWriter writer;
  writer.put_u32(1);
  writer.put_text("a");
  writer.put_u8(4);
  writer.put_u64(0);
  writer.put_u64(0);
  CHECK_FALSE(ApplianceEntries::decode(writer.payload()));
}

TEST_CASE("a question has a path that a file may have, and a length that an answer holds") {
  const auto decode = [](const ApplianceQuestion& question) {
    return ApplianceQuestion::decode(question.encode().payload()).has_value();
  };
  CHECK(decode({0, "/" + std::string(limits::kPathBytes - 1, 'x'), 0, limits::kApplianceReadBytes}));
  CHECK_FALSE(decode({0, "/" + std::string(limits::kPathBytes, 'x'), 0, 0}));
  CHECK_FALSE(decode({0, std::string("/a\0b", 4), 0, 0}));
  CHECK_FALSE(decode({0, "/a", 0, limits::kApplianceReadBytes + 1}));
}

TEST_CASE("a failure cannot blame this program or the sandbox") {
  for (const ErrorCode code :
       {ErrorCode::kInternal, ErrorCode::kSandbox, ErrorCode::kUsage, ErrorCode::kProtocol})
    CHECK_FALSE(ApplianceFailure::decode(ApplianceFailure{code, "x"}.encode().payload()));
}

}  // namespace pvhgrub::protocol
