// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/appliance_messages.h"

#include <algorithm>
#include <bit>

namespace pvhgrub::protocol {
namespace {

constexpr std::array kFailureCodes = {ErrorCode::kIo,      ErrorCode::kNotFound,    ErrorCode::kWrongType,
                                      ErrorCode::kDamaged, ErrorCode::kUnsupported, ErrorCode::kLimit};

// Decodes a list of which each element takes at least `least` bytes.
template <typename Element, typename Get>
Result<std::vector<Element>> get_list(Bytes payload, std::size_t least, Get&& get) {
  PayloadReader reader(payload);
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, reader.u32());
  if (count > payload.size() / least)
    return fail(ErrorCode::kProtocol, "a list of " + std::to_string(count) + " elements in " +
                                          std::to_string(payload.size()) + " bytes");
  std::vector<Element> list(count);
  for (Element& element : list) PVHGRUB_TRY(get(reader, element));
  PVHGRUB_TRY(reader.finish());
  return list;
}

Result<std::string> get_short_text(PayloadReader& reader) {
  PVHGRUB_TRY_ASSIGN(std::string text, reader.text());
  if (text.size() > limits::kApplianceTextBytes)
    return fail(ErrorCode::kProtocol, "a text of " + std::to_string(text.size()) + " bytes, more than " +
                                          std::to_string(limits::kApplianceTextBytes));
  return text;
}

}  // namespace

std::array<std::byte, kApplianceHeaderBytes> ApplianceHeader::encode() const {
  PayloadWriter writer;
  writer.put_u32(length);
  writer.put_u16(static_cast<std::uint16_t>(operation));
  writer.put_u16(static_cast<std::uint16_t>(state));
  std::array<std::byte, kApplianceHeaderBytes> bytes{};
  std::ranges::copy(writer.payload(), bytes.begin());
  return bytes;
}

Result<ApplianceHeader> ApplianceHeader::decode(Bytes bytes, std::size_t most) {
  PayloadReader reader(bytes);
  ApplianceHeader header;
  PVHGRUB_TRY_ASSIGN(header.length, reader.u32());
  PVHGRUB_TRY_ASSIGN(const std::uint16_t operation, reader.u16());
  PVHGRUB_TRY_ASSIGN(const std::uint16_t state, reader.u16());
  PVHGRUB_TRY(reader.finish());
  if (header.length > most)
    return fail(ErrorCode::kProtocol, "a message of " + std::to_string(header.length) + " bytes, more than " +
                                          std::to_string(most));
  if (operation < static_cast<std::uint16_t>(ApplianceOperation::kFileSystems) ||
      operation > static_cast<std::uint16_t>(ApplianceOperation::kRead))
    return fail(ErrorCode::kProtocol, "the unknown operation " + std::to_string(operation));
  if (state > static_cast<std::uint16_t>(AnswerState::kError))
    return fail(ErrorCode::kProtocol, "an answer of the unknown state " + std::to_string(state));
  header.operation = static_cast<ApplianceOperation>(operation);
  header.state = static_cast<AnswerState>(state);
  return header;
}

PayloadWriter ApplianceQuestion::encode() const {
  PayloadWriter writer;
  writer.put_u32(file_system);
  writer.put_text(path);
  writer.put_u64(offset);
  writer.put_u32(length);
  return writer;
}

Result<ApplianceQuestion> ApplianceQuestion::decode(Bytes payload) {
  PayloadReader reader(payload);
  ApplianceQuestion question;
  PVHGRUB_TRY_ASSIGN(question.file_system, reader.u32());
  PVHGRUB_TRY_ASSIGN(question.path, reader.text());
  PVHGRUB_TRY_ASSIGN(question.offset, reader.u64());
  PVHGRUB_TRY_ASSIGN(question.length, reader.u32());
  PVHGRUB_TRY(reader.finish());
  if (question.path.size() > limits::kPathBytes || question.path.find('\0') != std::string::npos)
    return fail(ErrorCode::kProtocol, "a path that no file has");
  if (question.length > limits::kApplianceReadBytes)
    return fail(ErrorCode::kProtocol, "a read of " + std::to_string(question.length) + " bytes");
  return question;
}

PayloadWriter ApplianceVolumes::encode() const {
  PayloadWriter writer;
  writer.put_u32(static_cast<std::uint32_t>(volumes.size()));
  for (const ApplianceVolume& volume : volumes)
    for (const std::string* text : {&volume.device, &volume.type, &volume.uuid, &volume.label})
      writer.put_text(*text);
  return writer;
}

Result<ApplianceVolumes> ApplianceVolumes::decode(Bytes payload) {
  constexpr std::size_t kLeast = 16;  // four texts' lengths
  auto list = get_list<ApplianceVolume>(
      payload, kLeast, [](PayloadReader& reader, ApplianceVolume& volume) -> Result<void> {
        for (std::string* text : {&volume.device, &volume.type, &volume.uuid, &volume.label}) {
          PVHGRUB_TRY_ASSIGN(*text, get_short_text(reader));
        }
        return {};
      });
  if (!list) return std::unexpected(std::move(list).error());
  return ApplianceVolumes{std::move(*list)};
}

PayloadWriter ApplianceEntries::encode() const {
  PayloadWriter writer;
  writer.put_u32(static_cast<std::uint32_t>(entries.size()));
  for (const ApplianceEntry& entry : entries) {
    writer.put_text(entry.name);
    writer.put_u8(static_cast<std::uint8_t>(entry.type));
    writer.put_u64(entry.size);
    writer.put_u64(std::bit_cast<std::uint64_t>(entry.modification_time));
  }
  return writer;
}

Result<ApplianceEntries> ApplianceEntries::decode(Bytes payload) {
  constexpr std::size_t kLeast = 21;  // a text's length and three numbers
  auto list = get_list<ApplianceEntry>(
      payload, kLeast, [](PayloadReader& reader, ApplianceEntry& entry) -> Result<void> {
        PVHGRUB_TRY_ASSIGN(entry.name, reader.text());
        PVHGRUB_TRY_ASSIGN(const std::uint8_t type, reader.u8());
        if (type > static_cast<std::uint8_t>(ApplianceEntry::Type::kOther))
          return fail(ErrorCode::kProtocol, "a file of the unknown type " + std::to_string(type));
        entry.type = static_cast<ApplianceEntry::Type>(type);
        PVHGRUB_TRY_ASSIGN(entry.size, reader.u64());
        PVHGRUB_TRY_ASSIGN(const std::uint64_t time, reader.u64());
        entry.modification_time = std::bit_cast<std::int64_t>(time);
        return {};
      });
  if (!list) return std::unexpected(std::move(list).error());
  return ApplianceEntries{std::move(*list)};
}

PayloadWriter ApplianceFailure::encode() const {
  PayloadWriter writer;
  writer.put_u8(static_cast<std::uint8_t>(code));
  writer.put_text(message);
  return writer;
}

Result<ApplianceFailure> ApplianceFailure::decode(Bytes payload) {
  PayloadReader reader(payload);
  ApplianceFailure failure;
  PVHGRUB_TRY_ASSIGN(const std::uint8_t code, reader.u8());
  PVHGRUB_TRY_ASSIGN(failure.message, get_short_text(reader));
  PVHGRUB_TRY(reader.finish());
  const auto* const known = std::ranges::find(kFailureCodes, static_cast<ErrorCode>(code));
  if (known == kFailureCodes.end())
    return fail(ErrorCode::kProtocol, "a failure of the kind " + std::to_string(code));
  failure.code = *known;
  return failure;
}

}  // namespace pvhgrub::protocol
