// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/worker/appliance_client.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace pvhgrub::worker {
namespace {

using protocol::AnswerState;
using protocol::ApplianceHeader;
using protocol::ApplianceOperation;

// Parts of one answer: an honest appliance fills each but the last, so that none needs more.
constexpr std::size_t kParts = 1024;

fs::FileType file_type(protocol::ApplianceEntry::Type type) {
  using Type = protocol::ApplianceEntry::Type;
  switch (type) {
    case Type::kRegular:
      return fs::FileType::kRegular;
    case Type::kDirectory:
      return fs::FileType::kDirectory;
    case Type::kSymlink:
      return fs::FileType::kSymlink;
    case Type::kOther:
      break;
  }
  return fs::FileType::kOther;
}

// What does not decode is a broken protocol, whatever the decoder calls it; limits stay what they are.
Error as_protocol_error(Error error) {
  if (error.code != ErrorCode::kLimit) error.code = ErrorCode::kProtocol;
  return error;
}

std::unexpected<Error> lost(std::string why) {
  return fail(ErrorCode::kIo, std::move(why) + "; see its last lines above");
}

}  // namespace

Result<void> ApplianceSocket::send(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return lost("the appliance has ended");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> ApplianceSocket::receive(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = ::read(descriptor_, out.data(), out.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return lost("the appliance ended before it answered");
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> ApplianceClient::ask(ApplianceOperation operation, const protocol::ApplianceQuestion& question,
                                  const TakePart& take) {
  if (broken_) return std::unexpected(*broken_);
  Result<void> done = exchange(operation, question, take);
  // What follows on the socket then is nobody's answer any more.
  if (!done && (done.error().code == ErrorCode::kProtocol || done.error().code == ErrorCode::kIo))
    done.error().message = "the appliance: " + done.error().message;
  if (!done && done.error().code == ErrorCode::kProtocol) broken_ = done.error();
  return done;
}

Result<void> ApplianceClient::exchange(ApplianceOperation operation,
                                       const protocol::ApplianceQuestion& question, const TakePart& take) {
  const protocol::PayloadWriter payload = question.encode();
  const ApplianceHeader header{.length = static_cast<std::uint32_t>(payload.payload().size()),
                               .operation = operation,
                               .state = AnswerState::kLast};
  const auto head = header.encode();
  std::vector<std::byte> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), payload.payload().begin(), payload.payload().end());
  PVHGRUB_TRY(transport_.send(bytes));
  for (std::size_t part = 0; part < kParts; ++part) {
    std::array<std::byte, protocol::kApplianceHeaderBytes> answer_head{};
    PVHGRUB_TRY(transport_.receive(answer_head));
    PVHGRUB_TRY_ASSIGN(const ApplianceHeader answer,
                       ApplianceHeader::decode(answer_head, limits::kApplianceAnswerBytes));
    if (answer.operation != operation) return fail(ErrorCode::kProtocol, "it answered another question");
    payload_.resize(answer.length);
    PVHGRUB_TRY(transport_.receive(payload_));
    if (answer.state == AnswerState::kError) {
      auto failure = protocol::ApplianceFailure::decode(payload_);
      if (!failure) return std::unexpected(as_protocol_error(std::move(failure).error()));
      return fail(failure->code, std::move(failure->message));
    }
    if (Result<void> taken = take(payload_); !taken) {
      // The rest of the answer is not read, so there can be no other question.
      broken_ = as_protocol_error(std::move(taken).error());
      return std::unexpected(*broken_);
    }
    if (answer.state == AnswerState::kLast) return {};
  }
  return fail(ErrorCode::kProtocol, "an answer in more than " + std::to_string(kParts) + " parts");
}

Result<std::vector<fs::ApplianceVolume>> ApplianceClient::file_systems() {
  std::vector<fs::ApplianceVolume> all;
  PVHGRUB_TRY(ask(ApplianceOperation::kFileSystems, {}, [&](Bytes payload) -> Result<void> {
    PVHGRUB_TRY_ASSIGN(protocol::ApplianceVolumes part, protocol::ApplianceVolumes::decode(payload));
    if (part.volumes.size() > limits::kApplianceFileSystems - all.size())
      return fail(ErrorCode::kLimit,
                  "more than " + std::to_string(limits::kApplianceFileSystems) + " file systems");
    for (protocol::ApplianceVolume& volume : part.volumes)
      all.push_back({std::move(volume.device), std::move(volume.type), std::move(volume.uuid),
                     std::move(volume.label)});
    return {};
  }));
  return all;
}

Result<std::vector<fs::ApplianceEntry>> ApplianceClient::list(std::uint32_t number, const std::string& path) {
  std::vector<fs::ApplianceEntry> all;
  std::size_t name_bytes = 0;
  PVHGRUB_TRY(ask(ApplianceOperation::kList, {number, path, 0, 0}, [&](Bytes payload) -> Result<void> {
    PVHGRUB_TRY_ASSIGN(protocol::ApplianceEntries part, protocol::ApplianceEntries::decode(payload));
    if (part.entries.size() > limits::kDirectoryEntries - all.size())
      return fail(ErrorCode::kLimit,
                  "a directory of more than " + std::to_string(limits::kDirectoryEntries) + " entries");
    for (protocol::ApplianceEntry& entry : part.entries) {
      name_bytes += entry.name.size();
      all.push_back({std::move(entry.name), {file_type(entry.type), entry.size, entry.modification_time}});
    }
    if (name_bytes > limits::kDirectoryNameBytes)
      return fail(ErrorCode::kLimit, "a directory whose names take more than " +
                                         std::to_string(limits::kDirectoryNameBytes) + " bytes");
    return {};
  }));
  return all;
}

Result<std::string> ApplianceClient::read_link(std::uint32_t number, const std::string& path) {
  std::string target;
  PVHGRUB_TRY(ask(ApplianceOperation::kReadLink, {number, path, 0, 0}, [&](Bytes payload) -> Result<void> {
    if (!target.empty() || payload.size() > limits::kPathBytes)
      return fail(ErrorCode::kProtocol, "a symbolic link's target that no link has");
    target = as_text(payload);
    return {};
  }));
  return target;
}

Result<void> ApplianceClient::read(std::uint32_t number, const std::string& path, std::uint64_t offset,
                                   std::span<std::byte> out) {
  bool answered = false;
  const auto length = static_cast<std::uint32_t>(out.size());
  return ask(ApplianceOperation::kRead, {number, path, offset, length}, [&](Bytes payload) -> Result<void> {
    if (answered || payload.size() != out.size())
      return fail(ErrorCode::kProtocol, std::to_string(payload.size()) + " bytes of a file instead of " +
                                            std::to_string(out.size()));
    answered = true;
    std::ranges::copy(payload, out.begin());
    return {};
  });
}

}  // namespace pvhgrub::worker
