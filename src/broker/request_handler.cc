// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/request_handler.h"

#include "base/escape.h"

namespace pvhgrub::broker {
namespace {

// The worker's own words about itself: lines are kept, everything else is escaped.
std::string escape_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += escape_for_terminal(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::unexpected<Error> unasked() {
  return fail(ErrorCode::kProtocol, "the worker sent something that nobody asked for");
}

}  // namespace

Result<void> RequestHandler::layers(const std::string& text) {
  if (print_layers_) return console_.print(escape_lines(text));
  console_.explain("the worker is confined: " + text);
  return {};
}

Result<void> RequestHandler::log(const protocol::LogMessage& message) {
  switch (message.level) {
    case protocol::LogLevel::kDebug:
      console_.debug(message.text);
      break;
    case protocol::LogLevel::kExplain:
      console_.explain(message.text);
      break;
    case protocol::LogLevel::kNotice:
    case protocol::LogLevel::kWarning:
      console_.notice(message.where, message.text);
      break;
  }
  return {};
}

// A file or pipe gets exactly what the script echoed; a terminal must not be driven by what it may have read
// of the guest.
Result<void> RequestHandler::echo(Bytes text) {
  if (!console_.output_is_terminal()) return console_.print_raw(as_text(text));
  for (std::string_view rest = as_text(text); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    PVHGRUB_TRY(console_.print(escape_for_terminal(rest.substr(0, end), rest.size() * 4)));
    if (end == std::string_view::npos) break;
    PVHGRUB_TRY(console_.print("\n"));
    rest.remove_prefix(end + 1);
  }
  return {};
}

Result<void> RequestHandler::menu(const protocol::MenuMessage& menu) {
  return listing_ ? console_.print(listing_->menu(menu)) : unasked();
}

Result<void> RequestHandler::entry(const protocol::EntryMessage& entry) {
  return listing_ ? console_.print(listing_->entry(entry)) : unasked();
}

Result<void> RequestHandler::choice(const protocol::ChoiceMessage& choice) {
  choice_ = choice;
  std::string text = "kernel " + choice.kernel;
  for (const std::string& initrd : choice.initrds) text += ", initrd " + initrd;
  console_.explain(text);
  console_.explain("command line: " + choice.command_line);
  return {};
}

// The screen is the menu's from here on: lines in between would tear it, also after a choice that cannot be
// booted, which brings it back.
Result<void> RequestHandler::menu_state(protocol::MenuState state) {
  if (terminal_ == nullptr) return unasked();
  terminal_->menu_open(state != protocol::MenuState::kClosed);
  console_.hold(true);
  return {};
}

Result<void> RequestHandler::output_begin(protocol::OutputKind kind, std::uint64_t size) {
  return copier_ != nullptr ? copier_->begin(kind, size) : unasked();
}

Result<void> RequestHandler::output_end(protocol::OutputKind kind, std::uint64_t size) {
  if (copier_ == nullptr) return unasked();
  copier_->end(kind, size);
  return {};
}

Result<void> RequestHandler::output_abandon(protocol::OutputKind kind) {
  if (copier_ == nullptr) return unasked();
  copier_->abandon(kind);
  return {};
}

Result<void> RequestHandler::decision(const protocol::DecisionMessage& decision) {
  decision_ = decision;
  if (decision.command_line != choice_->command_line)
    console_.explain("command line handed over: " + decision.command_line);
  return {};
}

Result<void> RequestHandler::fact(const protocol::FactMessage& fact) {
  facts_.push_back(fact);
  return {};
}

Result<void> RequestHandler::piece(protocol::OutputKind kind, const protocol::Piece& piece) {
  return copier_ != nullptr ? copier_->add(kind, piece) : unasked();
}

Result<void> RequestHandler::environment(const protocol::EnvironmentMessage& change) {
  if (copier_ == nullptr) return unasked();
  environment_changes_.push_back(change);
  return {};
}

}  // namespace pvhgrub::broker
