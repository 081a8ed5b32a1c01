// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/list_mode.h"

#include "grubcfg/choice.h"

namespace pvhgrub::worker {
namespace {

std::vector<std::uint32_t> wire_path(const grubcfg::EntryPath& path) {
  std::vector<std::uint32_t> out;
  for (const std::size_t index : path) out.push_back(static_cast<std::uint32_t>(index));
  return out;
}

class Lister {
 public:
  Lister(Channel& channel, Budget& budget) : channel_(channel), budget_(budget) {}

  /// True once something of a menu was sent: then no other menu may follow.
  [[nodiscard]] bool started() const { return started_; }

  Result<void> menu(grubcfg::Menu& menu) {
    PVHGRUB_TRY_ASSIGN(const grubcfg::EntryPath default_path, grubcfg::default_path(menu));
    protocol::MenuMessage message;
    message.source_kind = menu.source().kind;
    message.source_device = menu.source().device;
    message.source_path = menu.source().path;
    message.default_path = wire_path(default_path);
    message.timeout = menu.timeout();
    message.timeout_style = static_cast<std::uint8_t>(menu.timeout_style());
    started_ = true;
    PVHGRUB_TRY(channel_.send(protocol::FrameType::kMenu, 0, message.encode().payload()));
    return entries(menu);
  }

 private:
  Result<void> entries(grubcfg::Menu& menu) {
    for (std::size_t index = 0; index < menu.entries().size(); ++index) {
      PVHGRUB_TRY(budget_.charge_steps(1, "listing the menu"));
      if (++count_ > limits::kMenuEntries)
        return fail(ErrorCode::kLimit,
                    "the menu has more than " + std::to_string(limits::kMenuEntries) + " entries");
      path_.push_back(index);
      PVHGRUB_TRY(entry(menu, index));
      path_.pop_back();
    }
    return {};
  }

  Result<void> entry(grubcfg::Menu& menu, std::size_t index) {
    const grubcfg::MenuEntry& shown = menu.entries()[index];
    protocol::EntryMessage message;
    message.path = wire_path(path_);
    message.id = shown.id;
    message.title = shown.title;
    message.classes = shown.classes;
    message.users = shown.users;
    message.restricted = shown.restricted;
    message.hidden = shown.hidden;
    message.hotkey = shown.hotkey;
    message.is_submenu = shown.is_submenu;
    if (!shown.is_submenu) {
      PVHGRUB_TRY_ASSIGN(const grubcfg::BootEntry boot, menu.evaluate(index));
      describe(boot, message);
      return send(std::move(message));
    }
    if (path_.size() > limits::kSubmenuDepth) {
      message.error =
          "submenus nested deeper than " + std::to_string(limits::kSubmenuDepth) + " levels are not listed";
      return send(std::move(message));
    }
    PVHGRUB_TRY(send(std::move(message)));
    PVHGRUB_TRY_ASSIGN(grubcfg::Menu* const submenu, menu.submenu(index));
    return entries(*submenu);
  }

  static void describe(const grubcfg::BootEntry& boot, protocol::EntryMessage& message) {
    message.loader = boot.loader_command;
    if (!boot.kernel.path.empty()) message.kernel = boot.kernel.to_string();
    for (const grubcfg::InitrdFile& initrd : boot.initrds) {
      message.initrds.push_back(initrd.newc_name ? "newc:" + *initrd.newc_name + ":" + initrd.file.to_string()
                                                 : initrd.file.to_string());
    }
    message.command_line = boot.command_line;
    if (boot.hypervisor) message.hypervisor = boot.hypervisor->to_string();
    message.hypervisor_command_line = boot.hypervisor_command_line;
    message.error = boot.error;
  }

  // An entry whose texts do not fit a frame is listed without them, and says so.
  Result<void> send(protocol::EntryMessage message) {
    protocol::PayloadWriter payload = message.encode();
    if (payload.payload().size() > limits::kFramePayload) {
      protocol::EntryMessage short_message;
      short_message.path = std::move(message.path);
      short_message.title = message.title.substr(0, 1024);
      short_message.id = message.id.substr(0, 1024);
      short_message.is_submenu = message.is_submenu;
      short_message.error = "this entry's texts are too long to list";
      payload = short_message.encode();
    }
    return channel_.send(protocol::FrameType::kEntry, 0, payload.payload());
  }

  Channel& channel_;
  Budget& budget_;
  grubcfg::EntryPath path_;
  std::size_t count_ = 0;
  bool started_ = false;
};

}  // namespace

Result<void> run_list(Guest& guest, const protocol::Request& request, Channel& channel, Budget& budget) {
  Lister lister(channel, budget);
  std::optional<Error> failure;
  const Result<void> listed = guest.with_menu([&](grubcfg::Menu& menu) -> Result<void> {
    Result<void> done = lister.menu(menu);
    if (done || !lister.started()) return done;
    failure = std::move(done).error();
    return {};
  });
  if (failure) return std::unexpected(*std::move(failure));
  if (listed || !request.bare_configuration || listed.error().code != ErrorCode::kNoEntry) return listed;
  protocol::MenuMessage empty;
  empty.source_kind = guest.kind_of(request.script_name);
  empty.source_path = request.script_name;
  return channel.send(protocol::FrameType::kMenu, 0, empty.encode().payload());
}

}  // namespace pvhgrub::worker
