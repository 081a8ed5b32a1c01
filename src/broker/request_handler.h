// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "protocol/conversation.h"
#include "protocol/listing.h"
#include "src/broker/console.h"
#include "src/broker/extent_copier.h"
#include "src/broker/menu_terminal.h"

namespace pvhgrub::broker {

/// What the broker does with a worker's words, for every mode. `copier` is null where no contents are asked
/// for.
class RequestHandler final : public protocol::WorkerEvents {
 public:
  /// `terminal`: where the menu is shown, null where there is none.
  RequestHandler(Console& console, std::unique_ptr<protocol::ListingWriter> listing, ExtentCopier* copier,
                 bool print_layers, MenuTerminal* terminal)
      : console_(console),
        listing_(std::move(listing)),
        copier_(copier),
        print_layers_(print_layers),
        terminal_(terminal) {}

  Result<void> layers(const std::string& text) override;
  Result<void> log(const protocol::LogMessage& message) override;
  Result<void> echo(Bytes text) override;
  Result<void> menu(const protocol::MenuMessage& menu) override;
  Result<void> entry(const protocol::EntryMessage& entry) override;
  Result<void> choice(const protocol::ChoiceMessage& choice) override;
  Result<void> menu_state(protocol::MenuState state) override;
  Result<void> decision(const protocol::DecisionMessage& decision) override;
  Result<void> fact(const protocol::FactMessage& fact) override;
  Result<void> output_begin(protocol::OutputKind kind, std::uint64_t size) override;
  Result<void> output_end(protocol::OutputKind kind, std::uint64_t size) override;
  Result<void> output_abandon(protocol::OutputKind kind) override;
  Result<void> piece(protocol::OutputKind kind, const protocol::Piece& piece) override;
  Result<void> environment(const protocol::EnvironmentMessage& change) override;

  [[nodiscard]] const std::optional<protocol::ChoiceMessage>& chosen() const { return choice_; }
  [[nodiscard]] const std::optional<protocol::DecisionMessage>& decided() const { return decision_; }
  /// In the order in which they came.
  [[nodiscard]] const std::vector<protocol::FactMessage>& facts() const { return facts_; }
  /// At most limits::kEnvironmentBlocks, to be written when all else has succeeded.
  [[nodiscard]] const std::vector<protocol::EnvironmentMessage>& environment_changes() const {
    return environment_changes_;
  }

 private:
  Console& console_;
  std::unique_ptr<protocol::ListingWriter> listing_;
  ExtentCopier* copier_;
  bool print_layers_;
  MenuTerminal* terminal_;
  std::optional<protocol::ChoiceMessage> choice_;
  std::optional<protocol::DecisionMessage> decision_;
  std::vector<protocol::FactMessage> facts_;
  std::vector<protocol::EnvironmentMessage> environment_changes_;
};

}  // namespace pvhgrub::broker
