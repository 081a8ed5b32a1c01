// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/menu_person.h"

#include <ctime>
#include <optional>
#include <string>

#include "menu/boot_menu.h"
#include "menu/curses_terminal.h"
#include "menu/numbered_menu.h"
#include "protocol/descriptors.h"
#include "src/worker/boot_choice.h"
#include "src/worker/boot_decision.h"
#include "src/worker/kernel_reader.h"

namespace pvhgrub::worker {
namespace {

/// A kernel's bytes, until somebody wants to do something else.
class InterruptibleBytes final : public bootimage::ByteSource {
 public:
  InterruptibleBytes(fs::File& file, const std::function<bool()>& interrupted)
      : bytes_(file), interrupted_(interrupted) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (was_interrupted_ || interrupted_()) {
      was_interrupted_ = true;
      return fail(ErrorCode::kIo, "interrupted");
    }
    return bytes_.read_at(offset, out);
  }
  [[nodiscard]] bool was_interrupted() const { return was_interrupted_; }

 private:
  FileBytes bytes_;
  const std::function<bool()>& interrupted_;
  bool was_interrupted_ = false;
};

class Host final : public menu::MenuHost {
 public:
  explicit Host(const Service& service) : service_(service), host_files_(service.request) {}

  void begin_request() override { service_.budget = Budget::standard(); }

  void send_words(menu::WordsTo where) override {
    using Destination = Reporter::Destination;
    switch (where) {
      case menu::WordsTo::kCaller:
        return service_.reporter.send_to(Destination::kBroker);
      case menu::WordsTo::kNobody:
        return service_.reporter.send_to(Destination::kNowhere);
      case menu::WordsTo::kScreen:
        return service_.reporter.send_to(Destination::kText);
    }
  }

  std::string words() override { return service_.reporter.text(); }

  Result<std::string> boot_kind(const grubcfg::BootEntry& entry,
                                const std::function<bool()>& interrupted) override {
    if (service_.request.bare_configuration) return "the files are not looked at: there is no disk";
    if (starts_efi_program(entry, service_.request))
      return host_files_.find(protocol::HostFile::Role::kFirmware) != nullptr
                 ? "by firmware: it is an EFI program"
                 : Result<std::string>(std::unexpected(
                       Error{ErrorCode::kNoEntry, "it is an EFI program, and " + service_.request.no_firmware,
                             "", 0}));
    if (!entry.bootable()) return std::unexpected(not_linux({{}, "", "", entry, false}));
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> kernel, service_.guest.open_file(entry.kernel));
    InterruptibleBytes bytes(*kernel, interrupted);
    auto image = read_kernel(bytes, nullptr, service_.request.kernel_limit, service_.budget);
    if (bytes.was_interrupted()) return std::string();
    if (!image) return std::unexpected(std::move(image).error());
    PVHGRUB_TRY_ASSIGN(const BootDecision decision,
                       decide_boot(*image, boot_facts(entry, service_.request, host_files_)));
    return std::string(protocol::boot_kind_name(decision.kind)) + ", since " + decision.reason + " (" +
           image->describe() + ")";
  }

  Result<void> check(const grubcfg::Choice& choice) override {
    if (service_.request.bare_configuration) return {};
    grubcfg::Choice settled = choice;
    PVHGRUB_TRY(settle_choice(settled, service_.request));
    if (starts_efi_program(settled.entry, service_.request)) return {};
    PVHGRUB_TRY(check_command_line(settled));
    PVHGRUB_TRY(service_.guest.open_file(settled.entry.kernel));
    for (const grubcfg::InitrdFile& initrd : settled.entry.initrds)
      PVHGRUB_TRY(service_.guest.open_file(initrd.file));
    return {};
  }

  // A message that cannot be sent shows at the next one that says so.
  void attend(menu::Attendance state) override {
    using protocol::MenuState;
    protocol::MenuStateMessage message;
    if (state == menu::Attendance::kShown) message.state = MenuState::kShown;
    if (state == menu::Attendance::kAttended) message.state = MenuState::kAttended;
    if (service_.channel.send(protocol::FrameType::kMenuState, 0, message.encode().payload()))
      (void)service_.channel.flush();
  }

  menu::Countdown::Clock::time_point now() override { return menu::Countdown::Clock::now(); }

  std::uint64_t processor_milliseconds() override {
    timespec time = {};
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
    return static_cast<std::uint64_t>(time.tv_sec) * 1000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
  }

 private:
  Service service_;
  HostFiles host_files_;
};

class TerminalPerson final : public Person {
 public:
  TerminalPerson(const Service& service, menu::OpenedTerminal& terminal)
      : service_(service), host_(service), terminal_(terminal) {}

  Result<grubcfg::Choice> choose(grubcfg::Menu& menu) override {
    if (!session_) session_.emplace(menu, host_, service_.reporter);
    const std::string& head = service_.request.terminal->title;
    if (terminal_.screen && !screen_) screen_.emplace(*terminal_.screen, *session_, host_, head);
    if (!terminal_.screen && !numbered_) numbered_.emplace(*terminal_.teletype, *session_, host_, head);
    Result<grubcfg::Choice> choice = screen_ ? screen_->choose() : numbered_->choose();
    host_.send_words(menu::WordsTo::kCaller);
    host_.begin_request();
    return choice;
  }

  bool reject(const Error& why) override {
    switch (why.code) {
      case ErrorCode::kProtocol:
      case ErrorCode::kInternal:
      case ErrorCode::kSandbox:
      case ErrorCode::kUsage:
        return false;
      default:
        break;
    }
    if (screen_) screen_->reject(why.describe());
    if (numbered_) numbered_->reject(why.describe());
    return true;
  }

 private:
  Service service_;
  Host host_;
  menu::OpenedTerminal& terminal_;
  std::optional<menu::MenuSession> session_;
  std::optional<menu::BootMenu> screen_;
  std::optional<menu::NumberedMenu> numbered_;
};

class OpenMenuTerminal final : public MenuTerminal {
 public:
  explicit OpenMenuTerminal(menu::OpenedTerminal terminal) : terminal_(std::move(terminal)) {}
  std::unique_ptr<Person> person(const Service& service) override {
    return std::make_unique<TerminalPerson>(service, terminal_);
  }

 private:
  menu::OpenedTerminal terminal_;
};

}  // namespace

std::unique_ptr<MenuTerminal> open_menu_terminal(const protocol::RequestTerminal& terminal) {
  return std::make_unique<OpenMenuTerminal>(
      menu::open_terminal(protocol::kTerminalDescriptor, terminal.type, terminal.utf8));
}

}  // namespace pvhgrub::worker
