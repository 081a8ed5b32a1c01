// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/conversation.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::protocol;

namespace {

// Counts what the conversation let through.
class Recorder final : public WorkerEvents {
 public:
  Result<void> layers(const std::string& text) override { return note("layers " + text); }
  Result<void> log(const LogMessage& message) override {
    ++logs;
    return note("log " + message.text);
  }
  Result<void> echo(Bytes text) override { return note("echo " + std::string(as_text(text))); }
  Result<void> menu(const MenuMessage&) override { return note("menu"); }
  Result<void> entry(const EntryMessage& entry) override { return note("entry " + entry.title); }
  Result<void> choice(const ChoiceMessage& choice) override { return note("choice " + choice.kernel); }
  Result<void> menu_state(MenuState state) override {
    return note("menu " + std::to_string(static_cast<int>(state)));
  }
  Result<void> output_begin(OutputKind, std::uint64_t size) override {
    return note("begin " + std::to_string(size));
  }
  Result<void> output_end(OutputKind, std::uint64_t size) override {
    return note("end " + std::to_string(size));
  }
  Result<void> output_abandon(OutputKind kind) override {
    return note(kind == OutputKind::kKernel ? "abandon kernel" : "abandon ramdisk");
  }
  Result<void> decision(const DecisionMessage& decision) override {
    return note("decision " + std::string(boot_kind_name(decision.kind)));
  }
  Result<void> fact(const FactMessage& fact) override { return note("fact " + fact.name); }
  Result<void> piece(OutputKind, const Piece& piece) override {
    return note("piece " + std::to_string(piece.position) + "+" + std::to_string(piece.length));
  }
  Result<void> environment(const EnvironmentMessage& change) override {
    return note("environment " + change.name);
  }
  std::vector<std::string> seen;
  std::uint64_t logs = 0;

 private:
  Result<void> note(std::string what) {
    if (seen.size() < 100) seen.push_back(std::move(what));
    return {};
  }
};

Request boot_request() {
  Request request;
  request.mode = Mode::kBoot;
  request.disks = {{5, 1'000'000, 0, false, std::nullopt}};
  return request;
}

Request terminal_request() {
  Request request = boot_request();
  request.terminal = RequestTerminal{"vt100", false, "a guest"};
  return request;
}

Request request_for(Mode mode) {
  Request request = boot_request();
  request.mode = mode;
  return request;
}

// A worker that says what a test tells it to.
class Talk {
 public:
  explicit Talk(const Request& request) : conversation_(request, recorder) {}

  Result<void> send(FrameType type, std::uint16_t stream, const PayloadWriter& payload) {
    return send_raw(type, stream, payload.payload());
  }
  Result<void> send_raw(FrameType type, std::uint16_t stream, Bytes payload) {
    const auto header = encode_header(type, stream, payload.size());
    const auto room = conversation_.room();
    REQUIRE(room.size() >= header.size() + payload.size());
    std::ranges::copy(payload, std::ranges::copy(header, room.begin()).out);
    conversation_.filled(header.size() + payload.size());
    for (;;) {
      PVHGRUB_TRY_ASSIGN(const bool handled, conversation_.handle_next());
      if (!handled) return {};
    }
  }
  Result<void> layers() {
    PayloadWriter text;
    text.put_text("all");
    return send(FrameType::kLayers, 0, text);
  }
  Result<void> choice(std::string command_line = "") {
    return send(FrameType::kChoice, 0,
                ChoiceMessage{{0}, "id", "t", "/k", {}, std::move(command_line)}.encode());
  }
  Result<void> decision(std::string command_line = "") {
    return send(FrameType::kDecision, 0,
                DecisionMessage{BootKind::kDirect, "", std::move(command_line), "", ""}.encode());
  }
  Result<void> abandon(std::uint16_t stream) { return send_raw(FrameType::kAbandon, stream, {}); }
  Result<void> menu_open(bool open) { return menu_state(open ? MenuState::kAttended : MenuState::kClosed); }
  Result<void> menu_state(MenuState state) {
    return send(FrameType::kMenuState, 0, MenuStateMessage{state}.encode());
  }
  Result<void> begin(std::uint16_t stream, OutputKind kind, std::uint64_t size, bool exact = true) {
    return send(FrameType::kStreamBegin, stream, StreamBeginMessage{kind, size, exact}.encode());
  }
  Result<void> extent(std::uint16_t stream, ExtentMessage extent) {
    return send(FrameType::kExtent, stream, extent.encode());
  }
  Result<void> environment(const EnvironmentMessage& change) {
    return send(FrameType::kEnvironment, 0, change.encode());
  }
  Result<void> success() { return send(FrameType::kVerdict, 0, VerdictMessage{true, true, {}}.encode()); }
  Result<void> finish() { return conversation_.finish(); }

  Recorder recorder;

 private:
  Conversation conversation_;
};

// A boot that has come so far that contents may follow.
struct Booting : Talk {
  Booting() : Talk(boot_request()) {
    REQUIRE(layers());
    REQUIRE(choice());
    REQUIRE(begin(1, OutputKind::kKernel, 100));
  }
};

void check_refused(const Result<void>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kProtocol);
}

std::string block_of(const std::string& lines, std::size_t size = 1024) {
  std::string block = "# GRUB Environment Block\n" + lines;
  block.resize(size, '#');
  return block;
}

EnvironmentMessage change_at(std::vector<ExtentMessage> extents, std::size_t size = 1024) {
  return {"(hd0)/grubenv", true, std::move(extents), block_of("next_entry=a\n", size),
          block_of("next_entry=\n", size)};
}

// A boot that may ask for environment blocks to be written.
struct Writing : Talk {
  Writing() : Talk(request()) {
    REQUIRE(layers());
    REQUIRE(choice());
  }
  static Request request() {
    Request request = boot_request();
    request.grubenv = GrubenvMode::kWrite;
    return request;
  }
};

EntryMessage entry_at(std::vector<std::uint32_t> path, bool is_submenu) {
  EntryMessage entry;
  entry.path = std::move(path);
  entry.is_submenu = is_submenu;
  return entry;
}

}  // namespace

TEST_CASE("a whole boot passes, its pieces with their places in the output") {
  Booting talk;
  REQUIRE(talk.extent(1, {0, 5000, 60}));
  REQUIRE(talk.send(FrameType::kHole, 1, HoleMessage{30}.encode()));
  REQUIRE(talk.send_raw(FrameType::kBytes, 1, as_bytes("0123456789")));
  REQUIRE(talk.send_raw(FrameType::kStreamEnd, 1, {}));
  REQUIRE(talk.decision());
  REQUIRE(talk.success());
  CHECK(talk.finish());
  CHECK(talk.recorder.seen == std::vector<std::string>{"layers all", "choice /k", "begin 100", "piece 0+60",
                                                       "piece 60+30", "piece 90+10", "end 100",
                                                       "decision direct"});
}

TEST_CASE("two outputs may be interleaved at will") {
  Booting talk;
  REQUIRE(talk.begin(2, OutputKind::kRamdisk, 20));
  REQUIRE(talk.extent(1, {0, 0, 50}));
  REQUIRE(talk.extent(2, {0, 100, 20}));
  REQUIRE(talk.extent(1, {0, 50, 50}));
  REQUIRE(talk.send_raw(FrameType::kStreamEnd, 2, {}));
  REQUIRE(talk.send_raw(FrameType::kStreamEnd, 1, {}));
  REQUIRE(talk.decision());
  CHECK(talk.success());
}

TEST_CASE("an output of no certain size has the size that came, up to what was said") {
  Talk talk(boot_request());
  REQUIRE(talk.layers());
  REQUIRE(talk.choice());
  REQUIRE(talk.begin(1, OutputKind::kKernel, 100, false));
  REQUIRE(talk.extent(1, {0, 0, 70}));
  REQUIRE(talk.send_raw(FrameType::kStreamEnd, 1, {}));
  CHECK(talk.recorder.seen.back() == "end 70");
  Talk more(boot_request());
  REQUIRE(more.layers());
  REQUIRE(more.choice());
  REQUIRE(more.begin(1, OutputKind::kKernel, 100, false));
  check_refused(more.extent(1, {0, 0, 101}));
}

TEST_CASE("outputs may be given up, each once and before the decision, and begin again") {
  Booting talk;
  REQUIRE(talk.begin(2, OutputKind::kRamdisk, 20));
  REQUIRE(talk.extent(1, {0, 0, 50}));
  REQUIRE(talk.abandon(1));
  REQUIRE(talk.abandon(2));
  REQUIRE(talk.decision());
  check_refused(talk.extent(1, {0, 50, 50}));
  REQUIRE(talk.begin(1, OutputKind::kKernel, 10));
  REQUIRE(talk.extent(1, {0, 0, 10}));
  REQUIRE(talk.send_raw(FrameType::kStreamEnd, 1, {}));
  CHECK(talk.success());
  Booting not_begun;
  check_refused(not_begun.abandon(2));
  check_refused(not_begun.abandon(0));
  check_refused(not_begun.abandon(3));
  Booting twice;
  REQUIRE(twice.abandon(1));
  REQUIRE(twice.begin(1, OutputKind::kKernel, 10));
  check_refused(twice.abandon(1));
  Booting too_late;
  REQUIRE(too_late.decision());
  check_refused(too_late.abandon(1));
  Booting talking;
  check_refused(talking.send_raw(FrameType::kAbandon, 1, as_bytes("x")));
}

TEST_CASE("a decision comes once, after the choice, and success needs it") {
  Talk early(boot_request());
  REQUIRE(early.layers());
  check_refused(early.decision());
  Booting twice;
  REQUIRE(twice.decision());
  check_refused(twice.decision());
  Booting without;
  REQUIRE(without.extent(1, {0, 0, 100}));
  REQUIRE(without.send_raw(FrameType::kStreamEnd, 1, {}));
  check_refused(without.success());
  Booting long_line;
  const auto refused = long_line.decision(std::string(limits::kCommandLineBytes + 1, 'a'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimit);
}

TEST_CASE(
    "the host's files are sources of extents behind the disks, but never places of environment blocks") {
  Request request = boot_request();
  request.grubenv = GrubenvMode::kWrite;
  HostFile firmware;
  firmware.size = 4096;
  request.host_files.push_back(firmware);
  Talk talk(request);
  REQUIRE(talk.layers());
  REQUIRE(talk.choice());
  REQUIRE(talk.begin(1, OutputKind::kKernel, 8192));
  CHECK(talk.extent(1, {1, 0, 4096}));
  check_refused(talk.extent(1, {1, 1, 4096}));
  check_refused(talk.extent(1, {2, 0, 1}));
  check_refused(talk.environment(change_at({{1, 0, 1024}})));
}

TEST_CASE("facts are for inspections only, and so many") {
  Talk talk(request_for(Mode::kInspect));
  REQUIRE(talk.layers());
  const auto fact = FactMessage{"kernel", "pvh", "yes"}.encode();
  for (std::uint64_t i = 0; i < limits::kFacts; ++i) REQUIRE(talk.send(FrameType::kFact, 0, fact));
  CHECK_FALSE(talk.send(FrameType::kFact, 0, fact));
  Booting booting;
  check_refused(booting.send(FrameType::kFact, 0, fact));
}

TEST_CASE("nothing may come before the worker told what confines it, but its failure") {
  Talk early(boot_request());
  check_refused(early.choice());
  Talk failing(boot_request());
  CHECK(failing.send(FrameType::kVerdict, 0,
                     VerdictMessage{false, true, {ErrorCode::kSandbox, "no", "", 0}}.encode()));
  CHECK(failing.finish());
  Talk lying(boot_request());
  check_refused(lying.success());
}

TEST_CASE("frames that come twice are refused") {
  Talk layers_twice(boot_request());
  REQUIRE(layers_twice.layers());
  check_refused(layers_twice.layers());
  Booting twice;
  check_refused(twice.choice());
  Booting begun_twice;
  check_refused(begun_twice.begin(1, OutputKind::kRamdisk, 5));
  Booting same_kind;
  check_refused(same_kind.begin(2, OutputKind::kKernel, 5));
}

TEST_CASE("anything after the verdict is refused") {
  Talk talk(request_for(Mode::kReport));
  REQUIRE(talk.layers());
  REQUIRE(talk.success());
  check_refused(talk.success());
  Talk trailing(request_for(Mode::kReport));
  REQUIRE(trailing.layers());
  REQUIRE(trailing.success());
  check_refused(trailing.send(FrameType::kLog, 0, LogMessage{}.encode()));
}

TEST_CASE("an end without a verdict is refused") {
  Booting talk;
  check_refused(talk.finish());
}

TEST_CASE("extents outside of their disk are refused, whatever overflows") {
  for (const ExtentMessage extent :
       {ExtentMessage{1, 0, 1}, ExtentMessage{0, 999'999, 2}, ExtentMessage{0, ~0ULL, 2},
        ExtentMessage{0, 1'000'001, 1}, ExtentMessage{0, 2, ~0ULL}}) {
    Booting talk;
    check_refused(talk.extent(1, extent));
  }
  Booting last_byte;
  CHECK(last_byte.extent(1, {0, 999'999, 1}));
}

TEST_CASE("contents must be exactly as long as they were declared") {
  Booting more;
  check_refused(more.extent(1, {0, 0, 101}));
  Booting overflowing;
  REQUIRE(overflowing.extent(1, {0, 0, 50}));
  check_refused(overflowing.send(FrameType::kHole, 1, HoleMessage{~0ULL}.encode()));
  Booting less;
  REQUIRE(less.extent(1, {0, 0, 99}));
  check_refused(less.send_raw(FrameType::kStreamEnd, 1, {}));
  Booting empty;
  check_refused(empty.send(FrameType::kHole, 1, HoleMessage{0}.encode()));
  Booting unfinished;
  check_refused(unfinished.success());
  Booting after_end;
  REQUIRE(after_end.extent(1, {0, 0, 100}));
  REQUIRE(after_end.send_raw(FrameType::kStreamEnd, 1, {}));
  check_refused(after_end.extent(1, {0, 0, 1}));
}

TEST_CASE("outputs above their caps are refused as a limit") {
  Talk talk(boot_request());
  REQUIRE(talk.layers());
  REQUIRE(talk.choice());
  const auto kernel = talk.begin(1, OutputKind::kKernel, limits::kKernelBytes + 1);
  REQUIRE_FALSE(kernel);
  CHECK(kernel.error().code == ErrorCode::kLimit);
  CHECK_FALSE(talk.begin(2, OutputKind::kRamdisk, ~0ULL));
  CHECK(talk.begin(2, OutputKind::kRamdisk, limits::kRamdiskBytes));
  Request smaller = boot_request();
  smaller.kernel_limit = 99;
  Talk host(smaller);
  REQUIRE(host.layers());
  REQUIRE(host.choice());
  CHECK_FALSE(host.begin(1, OutputKind::kKernel, 100));
}

TEST_CASE("streams are numbered 1 and 2, and other frames have none") {
  Talk talk(boot_request());
  REQUIRE(talk.layers());
  REQUIRE(talk.choice());
  check_refused(talk.begin(0, OutputKind::kKernel, 1));
  check_refused(talk.begin(3, OutputKind::kKernel, 1));
  check_refused(talk.begin(0xFFFF, OutputKind::kKernel, 1));
  check_refused(talk.send(FrameType::kLog, 1, LogMessage{}.encode()));
}

TEST_CASE("success needs a choice and a kernel, unless nothing is to be copied") {
  Talk bare(boot_request());
  REQUIRE(bare.layers());
  check_refused(bare.success());
  Talk no_kernel(boot_request());
  REQUIRE(no_kernel.layers());
  REQUIRE(no_kernel.choice());
  check_refused(no_kernel.success());
  Request request = boot_request();
  request.not_really = true;
  Talk not_really(request);
  REQUIRE(not_really.layers());
  REQUIRE(not_really.choice());
  REQUIRE(not_really.decision());
  CHECK(not_really.success());
  Talk copying(request);
  REQUIRE(copying.layers());
  REQUIRE(copying.choice());
  check_refused(copying.begin(1, OutputKind::kKernel, 1));
}

TEST_CASE("a command line that libxl would drop is refused as a limit") {
  Talk talk(boot_request());
  REQUIRE(talk.layers());
  const auto refused = talk.choice(std::string(limits::kCommandLineBytes + 1, 'a'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kLimit);
}

TEST_CASE("a mode's frames are refused in another mode") {
  Talk listing(request_for(Mode::kList));
  REQUIRE(listing.layers());
  check_refused(listing.choice());
  check_refused(listing.send_raw(FrameType::kEcho, 0, as_bytes("x")));
  Booting booting;
  check_refused(booting.send(FrameType::kMenu, 0, MenuMessage{}.encode()));
  check_refused(booting.send_raw(FrameType::kEcho, 0, as_bytes("x")));
  check_refused(booting.send(FrameType::kRequest, 0, Request{}.encode()));
}

TEST_CASE("entries must come in the order of their menus") {
  const auto play = [](std::vector<EntryMessage> entries) -> Result<void> {
    Talk talk(request_for(Mode::kList));
    REQUIRE(talk.layers());
    REQUIRE(talk.send(FrameType::kMenu, 0, MenuMessage{}.encode()));
    for (const EntryMessage& entry : entries) PVHGRUB_TRY(talk.send(FrameType::kEntry, 0, entry.encode()));
    return talk.success();
  };
  CHECK(play({entry_at({0}, false), entry_at({1}, true), entry_at({1, 0}, true), entry_at({1, 0, 0}, false),
              entry_at({1, 1}, false), entry_at({2}, false)}));
  CHECK(play({entry_at({0}, true), entry_at({1}, false)}));
  check_refused(play({entry_at({1}, false)}));
  check_refused(play({entry_at({0}, false), entry_at({0}, false)}));
  check_refused(play({entry_at({0}, false), entry_at({0, 0}, false)}));
  check_refused(play({entry_at({0}, true), entry_at({0, 1}, false)}));
  check_refused(play({entry_at({0}, true), entry_at({0, 0}, false), entry_at({1, 1}, false)}));
  check_refused(play({entry_at({0}, false), entry_at({2}, false)}));
}

TEST_CASE("an entry before its menu is refused, and so is a listing without one") {
  Talk early(request_for(Mode::kList));
  REQUIRE(early.layers());
  check_refused(early.send(FrameType::kEntry, 0, entry_at({0}, false).encode()));
  Talk none(request_for(Mode::kList));
  REQUIRE(none.layers());
  check_refused(none.success());
}

TEST_CASE("messages for people are dropped after a number, with one notice, and end nothing") {
  Talk talk(request_for(Mode::kReport));
  REQUIRE(talk.layers());
  for (std::uint64_t i = 0; i < limits::kLogRecords + 500; ++i)
    REQUIRE(talk.send(FrameType::kLog, 0, LogMessage{LogLevel::kNotice, "", "x"}.encode()));
  CHECK(talk.recorder.logs == limits::kLogRecords);
  CHECK(talk.success());
}

TEST_CASE("echoed text beyond its cap is a limit") {
  Talk talk(request_for(Mode::kEvaluate));
  REQUIRE(talk.layers());
  const std::string piece(limits::kFramePayload, 'x');
  Result<void> result;
  for (std::uint64_t sent = 0; result && sent <= limits::kEchoBytes; sent += piece.size())
    result = talk.send_raw(FrameType::kEcho, 0, as_bytes(piece));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kLimit);
}

TEST_CASE("environment blocks pass after the choice, also between the contents and behind them") {
  Writing talk;
  REQUIRE(talk.environment(change_at({{0, 4096, 1024}})));
  REQUIRE(talk.begin(1, OutputKind::kKernel, 10));
  REQUIRE(talk.environment(change_at({{0, 8192, 512}, {0, 5120, 512}})));
  REQUIRE(talk.extent(1, {0, 0, 10}));
  REQUIRE(talk.send_raw(FrameType::kStreamEnd, 1, {}));
  REQUIRE(talk.environment(change_at({{0, 999'999 - 1023, 1024}})));
  REQUIRE(talk.decision());
  REQUIRE(talk.success());
  CHECK(talk.finish());
  CHECK(std::ranges::count(talk.recorder.seen, "environment (hd0)/grubenv") == 3);
}

TEST_CASE("environment blocks are refused where nobody writes them") {
  for (const GrubenvMode mode : {GrubenvMode::kRead, GrubenvMode::kIgnore}) {
    Request request = boot_request();
    request.grubenv = mode;
    Talk talk(request);
    REQUIRE(talk.layers());
    REQUIRE(talk.choice());
    check_refused(talk.environment(change_at({{0, 0, 1024}})));
  }
  for (bool Request::* flag : {&Request::not_really, &Request::bare_configuration}) {
    Request request = Writing::request();
    request.*flag = true;
    Talk talk(request);
    REQUIRE(talk.layers());
    REQUIRE(talk.choice());
    check_refused(talk.environment(change_at({{0, 0, 1024}})));
  }
  for (const Mode mode : {Mode::kList, Mode::kEvaluate, Mode::kReport}) {
    Request request = request_for(mode);
    request.grubenv = GrubenvMode::kWrite;
    Talk talk(request);
    REQUIRE(talk.layers());
    check_refused(talk.environment(change_at({{0, 0, 1024}})));
  }
  Talk before_choice(Writing::request());
  REQUIRE(before_choice.layers());
  check_refused(before_choice.environment(change_at({{0, 0, 1024}})));
  Talk before_layers(Writing::request());
  check_refused(before_layers.environment(change_at({{0, 0, 1024}})));
  Writing with_stream;
  check_refused(with_stream.send(FrameType::kEnvironment, 1, change_at({{0, 0, 1024}}).encode()));
}

TEST_CASE("environment blocks must lie inside their disks, in exactly their size") {
  for (const std::vector<ExtentMessage>& extents : {std::vector<ExtentMessage>{},
                                                    {{1, 0, 1024}},
                                                    {{0, 999'999, 1024}},
                                                    {{0, ~0ULL, 1024}},
                                                    {{0, 1'000'001, 1024}},
                                                    {{0, 0, 1023}},
                                                    {{0, 0, 1025}},
                                                    {{0, 0, ~0ULL}},
                                                    {{0, 0, 1024}, {0, 4096, 1}},
                                                    {{0, 0, 512}, {0, 4096, 513}},
                                                    {{0, 0, 0}, {0, 0, 1024}},
                                                    {{0, 0, 1024}, {0, 4096, 0}},
                                                    {{0, 0, 512}, {0, 256, 512}}}) {
    Writing talk;
    check_refused(talk.environment(change_at(extents)));
  }
}

TEST_CASE("environment blocks must not share bytes, and are few") {
  Writing talk;
  REQUIRE(talk.environment(change_at({{0, 4096, 1024}})));
  check_refused(talk.environment(change_at({{0, 5119, 1024}})));
  Writing many;
  for (std::size_t i = 0; i < limits::kEnvironmentBlocks; ++i)
    REQUIRE(many.environment(change_at({{0, i * 4096, 1024}})));
  check_refused(many.environment(change_at({{0, 500'000, 1024}})));
  Writing pieces;
  std::vector<ExtentMessage> extents;
  for (std::uint64_t i = 0; i <= limits::kEnvironmentExtents; ++i) extents.push_back({0, i * 100, 16});
  check_refused(pieces.environment(change_at(extents, 16 * extents.size())));
}

TEST_CASE("only an environment block that changes may stand in place of another of its size") {
  const std::string whole = block_of("a=1\n");
  const auto refused = [](const std::string& old_contents, const std::string& contents) {
    Writing talk;
    check_refused(talk.environment({"e", false, {{0, 0, old_contents.size()}}, old_contents, contents}));
  };
  refused(whole, whole);
  refused(whole, block_of("b=1\n", 1023));
  refused(whole, std::string(1024, 'x'));
  refused(std::string(1024, 'x'), whole);
  refused(whole, "");
  refused("", whole);
  const std::string large = block_of("a=1\n", limits::kEnvironmentBlockBytes + 1);
  refused(large, block_of("b=1\n", limits::kEnvironmentBlockBytes + 1));
  Writing largest;
  CHECK(largest.environment({std::string(1024, 'n'),
                             true,
                             {{0, 0, limits::kEnvironmentBlockBytes}},
                             block_of("a=1\n", limits::kEnvironmentBlockBytes),
                             block_of("a=2\n", limits::kEnvironmentBlockBytes)}));
}

TEST_CASE("a person may be asked, and asked again, before anything is decided") {
  Talk talk(terminal_request());
  REQUIRE(talk.layers());
  REQUIRE(talk.menu_open(true));
  check_refused(talk.choice());
  Talk again(terminal_request());
  REQUIRE(again.layers());
  REQUIRE(again.menu_open(true));
  REQUIRE(again.menu_open(false));
  for (int i = 0; i < 3; ++i) {
    REQUIRE(again.choice());
    REQUIRE(again.begin(1, OutputKind::kKernel, 100));
    REQUIRE(again.abandon(1));
    REQUIRE(again.menu_open(true));
    REQUIRE(again.menu_open(false));
  }
  REQUIRE(again.choice());
  REQUIRE(again.decision());
  check_refused(again.menu_open(true));
}

TEST_CASE("a new choice leaves nothing of the one before") {
  Talk talk(terminal_request());
  REQUIRE(talk.layers());
  REQUIRE(talk.choice());
  REQUIRE(talk.begin(1, OutputKind::kKernel, 100));
  check_refused(talk.choice());
}

TEST_CASE("without a terminal nobody is asked, and chosen is once") {
  Talk talk(boot_request());
  REQUIRE(talk.layers());
  check_refused(talk.menu_open(true));
  Talk twice(boot_request());
  REQUIRE(twice.layers());
  REQUIRE(twice.choice());
  check_refused(twice.choice());
}

TEST_CASE("somebody may come to a menu, and a state that is none is refused") {
  Talk talk(terminal_request());
  REQUIRE(talk.layers());
  REQUIRE(talk.menu_state(MenuState::kShown));
  REQUIRE(talk.menu_state(MenuState::kAttended));
  check_refused(talk.menu_state(MenuState::kAttended));
  Talk wrong(terminal_request());
  REQUIRE(wrong.layers());
  check_refused(wrong.menu_state(static_cast<MenuState>(3)));
}

TEST_CASE("a menu is opened and closed in turn, and nothing comes out of an open one") {
  Talk talk(terminal_request());
  REQUIRE(talk.layers());
  check_refused(talk.menu_open(false));
  Talk open(terminal_request());
  REQUIRE(open.layers());
  REQUIRE(open.choice());
  REQUIRE(open.menu_open(true));
  check_refused(open.begin(1, OutputKind::kKernel, 100));
  Talk success(terminal_request());
  REQUIRE(success.layers());
  REQUIRE(success.choice());
  REQUIRE(success.menu_open(true));
  check_refused(success.success());
}

TEST_CASE("choices without end come to one") {
  Talk talk(terminal_request());
  REQUIRE(talk.layers());
  for (std::uint64_t i = 0; i <= limits::kChoices; ++i) REQUIRE(talk.choice());
  const Result<void> more = talk.choice();
  REQUIRE_FALSE(more);
  CHECK(more.error().code == ErrorCode::kLimit);
}
