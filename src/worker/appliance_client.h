// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fsreaders/appliance_file_system.h"
#include "protocol/appliance_messages.h"

namespace pvhgrub::worker {

/// The bytes between worker and appliance, so that tests and fuzzers can be the appliance.
class ApplianceTransport {
 public:
  ApplianceTransport() = default;
  ApplianceTransport(const ApplianceTransport&) = delete;
  ApplianceTransport& operator=(const ApplianceTransport&) = delete;
  virtual ~ApplianceTransport() = default;
  /// Sends all of it.
  [[nodiscard]] virtual Result<void> send(Bytes bytes) = 0;
  /// Fills all of `out`, however long that takes: the broker's deadline ends it.
  [[nodiscard]] virtual Result<void> receive(std::span<std::byte> out) = 0;
};

/// The socket that the worker was started with, by read(2) and write(2) alone, which the syscall filter
/// allows on it.
class ApplianceSocket final : public ApplianceTransport {
 public:
  explicit ApplianceSocket(int descriptor) : descriptor_(descriptor) {}
  Result<void> send(Bytes bytes) override;
  Result<void> receive(std::span<std::byte> out) override;

 private:
  int descriptor_;
};

/// Asks the appliance, and takes its answers for what they are: bytes of a program that a guest may have
/// taken over. After an answer that breaks the protocol (kProtocol) nothing more is asked.
class ApplianceClient final : public fs::Appliance {
 public:
  /// `transport` outlives it.
  explicit ApplianceClient(ApplianceTransport& transport) : transport_(transport) {}

  Result<std::vector<fs::ApplianceVolume>> file_systems() override;
  Result<std::vector<fs::ApplianceEntry>> list(std::uint32_t number, const std::string& path) override;
  Result<std::string> read_link(std::uint32_t number, const std::string& path) override;
  Result<void> read(std::uint32_t number, const std::string& path, std::uint64_t offset,
                    std::span<std::byte> out) override;

 private:
  /// Takes one part of an answer, whose payload is valid until it returns.
  using TakePart = std::function<Result<void>(Bytes payload)>;
  [[nodiscard]] Result<void> ask(protocol::ApplianceOperation operation,
                                 const protocol::ApplianceQuestion& question, const TakePart& take);
  [[nodiscard]] Result<void> exchange(protocol::ApplianceOperation operation,
                                      const protocol::ApplianceQuestion& question, const TakePart& take);

  ApplianceTransport& transport_;
  std::vector<std::byte> payload_;
  std::optional<Error> broken_;
};

}  // namespace pvhgrub::worker
