// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/messages.h"

#include <catch2/catch.hpp>

using namespace pvhgrub;
using namespace pvhgrub::protocol;

namespace {

// Every shorter form of a message and every longer one must be refused.
template <typename Message>
void check_exact_length(const Message& message) {
  const PayloadWriter writer = message.encode();
  const Bytes whole = writer.payload();
  REQUIRE(Message::decode(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(Message::decode(whole.first(length)));
  std::vector<std::byte> longer(whole.begin(), whole.end());
  longer.push_back(std::byte{0});
  CHECK_FALSE(Message::decode(longer));
}

EntryMessage whole_entry() {
  EntryMessage entry;
  entry.path = {1, 0};
  entry.id = "id";
  entry.title = "title";
  entry.classes = {"debian", "gnu"};
  entry.users = {"root"};
  entry.restricted = true;
  entry.hotkey = "d";
  entry.kernel = "(hd0,gpt2)/vmlinuz";
  entry.initrds = {"(hd0,gpt2)/a", "(hd0,gpt2)/b"};
  entry.command_line = "BOOT_IMAGE=/vmlinuz quiet";
  entry.hypervisor = "(hd0,gpt2)/xen";
  entry.loader = "multiboot2";
  return entry;
}

}  // namespace

TEST_CASE("a request says the same after its way through the socket") {
  Request request;
  request.mode = Mode::kList;
  request.has_script = true;
  request.script_name = "grub.cfg";
  request.explain = true;
  request.entry = "1>0";
  request.ramdisk = "";
  request.arguments = "quiet";
  request.disks = {{5, 1ULL << 40U, 4096, true, 512}, {6, 7, 0, false, std::nullopt}};
  request.boot = BootRequest::kShim;
  request.guest_type = GuestType::kPv;
  request.kernel_format = KernelFormat::kAsIs;
  request.kernel_limit = 17;
  request.no_firmware = "none";
  request.host_files = {{HostFile::Role::kShim, 7, 99, "/xen-shim", ""}};
  const PayloadWriter payload = request.encode();
  const auto decoded = Request::decode(payload.payload());
  REQUIRE(decoded);
  CHECK(decoded->mode == Mode::kList);
  CHECK(decoded->has_script);
  CHECK_FALSE(decoded->not_really);
  CHECK(decoded->entry == "1>0");
  CHECK(decoded->kernel == std::nullopt);
  CHECK(decoded->ramdisk == "");
  CHECK(decoded->boot == BootRequest::kShim);
  CHECK(decoded->guest_type == GuestType::kPv);
  CHECK(decoded->kernel_format == KernelFormat::kAsIs);
  CHECK(decoded->kernel_limit == 17);
  CHECK(decoded->no_firmware == "none");
  REQUIRE(decoded->host_files.size() == 1);
  CHECK(decoded->host_files[0].role == HostFile::Role::kShim);
  CHECK(decoded->host_files[0].size == 99);
  CHECK(decoded->host_files[0].path == "/xen-shim");
  REQUIRE(decoded->disks.size() == 2);
  CHECK(decoded->disks[0].size == 1ULL << 40U);
  CHECK(decoded->disks[0].offset == 512U);
  CHECK(decoded->disks[1].offset == std::nullopt);
}

TEST_CASE("an entry says the same after its way through the socket") {
  const EntryMessage entry = whole_entry();
  const PayloadWriter payload = entry.encode();
  const auto decoded = EntryMessage::decode(payload.payload());
  REQUIRE(decoded);
  CHECK(decoded->path == entry.path);
  CHECK(decoded->initrds == entry.initrds);
  CHECK(decoded->restricted);
  CHECK_FALSE(decoded->is_submenu);
  CHECK(decoded->hypervisor == entry.hypervisor);
}

TEST_CASE("messages of another length than their own are refused") {
  check_exact_length(whole_entry());
  check_exact_length(Request{});
  Request with_file;
  with_file.host_files.push_back({HostFile::Role::kRamdiskMember, 6, 10, "/seed", "seed"});
  check_exact_length(with_file);
  check_exact_length(DecisionMessage{BootKind::kShim, "r", "c", "d", "v"});
  check_exact_length(FactMessage{"g", "n", "v"});
  check_exact_length(StreamBeginMessage{OutputKind::kRamdisk, 5, false});
  check_exact_length(LogMessage{LogLevel::kNotice, "hd0", "text"});
  check_exact_length(MenuMessage{"grub2", "hd0", "/grub.cfg", {1, 2}, 5, 1});
  check_exact_length(ChoiceMessage{{1}, "id", "t", "k", {"i"}, "c"});
  check_exact_length(StreamBeginMessage{OutputKind::kRamdisk, 5});
  check_exact_length(HoleMessage{5});
  check_exact_length(ExtentMessage{0, 1, 2});
  check_exact_length(VerdictMessage{false, true, {ErrorCode::kLimit, "m", "w", 5}});
}

TEST_CASE("values outside their range are refused") {
  PayloadWriter log;
  log.put_u8(4);
  log.put_text("");
  log.put_text("");
  CHECK_FALSE(LogMessage::decode(log.payload()));
  PayloadWriter truth;
  truth.put_u8(2);
  CHECK_FALSE(VerdictMessage::decode(truth.payload()));
  EntryMessage deep;
  deep.path.assign(limits::kSubmenuDepth + 2, 0);
  const PayloadWriter too_deep = deep.encode();
  CHECK_FALSE(EntryMessage::decode(too_deep.payload()));
  PayloadWriter list;
  list.put_u32(~0U);
  CHECK_FALSE(EntryMessage::decode(list.payload()));
}

TEST_CASE(
    "an environment block says the same after its way through the socket, and nothing shorter or longer") {
  const EnvironmentMessage change{
      "(hd0,gpt2)/boot/grub/grubenv", true, {{0, 4096, 512}, {0, 9216, 512}}, "old", "new"};
  const PayloadWriter payload = change.encode();
  const auto decoded = EnvironmentMessage::decode(payload.payload());
  REQUIRE(decoded);
  CHECK(decoded->name == change.name);
  CHECK(decoded->answers_request);
  REQUIRE(decoded->extents.size() == 2);
  CHECK(decoded->extents[1].offset == 9216);
  CHECK(decoded->old_contents == "old");
  CHECK(decoded->contents == "new");
  check_exact_length(change);
}
