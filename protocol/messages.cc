// SPDX-License-Identifier: LGPL-2.1-or-later
#include "protocol/messages.h"

namespace pvhgrub::protocol {
namespace {

// Lists on the wire are bounded by the frame that holds them: an element takes at least four bytes.
constexpr std::size_t kListLength = limits::kFramePayload / 4;

void put_optional_text(PayloadWriter& writer, const std::optional<std::string>& text) {
  writer.put_u8(text ? 1 : 0);
  writer.put_text(text.value_or(""));
}

Result<std::optional<std::string>> get_optional_text(PayloadReader& reader) {
  PVHGRUB_TRY_ASSIGN(const bool present, reader.boolean());
  PVHGRUB_TRY_ASSIGN(std::string text, reader.text());
  return present ? std::optional(std::move(text)) : std::nullopt;
}

void put_texts(PayloadWriter& writer, const std::vector<std::string>& texts) {
  writer.put_u32(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) writer.put_text(text);
}

Result<std::uint32_t> get_count(PayloadReader& reader) {
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, reader.u32());
  if (count > kListLength)
    return fail(ErrorCode::kProtocol, "a list of " + std::to_string(count) + " elements");
  return count;
}

Result<std::vector<std::string>> get_texts(PayloadReader& reader) {
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, get_count(reader));
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < count; ++i) {
    PVHGRUB_TRY_ASSIGN(std::string text, reader.text());
    texts.push_back(std::move(text));
  }
  return texts;
}

void put_path(PayloadWriter& writer, const std::vector<std::uint32_t>& path) {
  writer.put_u32(static_cast<std::uint32_t>(path.size()));
  for (const std::uint32_t index : path) writer.put_u32(index);
}

Result<std::vector<std::uint32_t>> get_path(PayloadReader& reader) {
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, get_count(reader));
  if (count > limits::kSubmenuDepth + 1) return fail(ErrorCode::kProtocol, "an entry too deep in submenus");
  std::vector<std::uint32_t> path;
  for (std::uint32_t i = 0; i < count; ++i) {
    PVHGRUB_TRY_ASSIGN(const std::uint32_t index, reader.u32());
    path.push_back(index);
  }
  return path;
}

// Reads an enumeration whose values are 0 to `last`.
template <typename Enumeration>
Result<Enumeration> get_enumeration(PayloadReader& reader, Enumeration last) {
  PVHGRUB_TRY_ASSIGN(const std::uint8_t value, reader.u8());
  if (value > static_cast<std::uint8_t>(last))
    return fail(ErrorCode::kProtocol, "the value " + std::to_string(value) + " is outside its enumeration");
  return static_cast<Enumeration>(value);
}

void put_disk(PayloadWriter& writer, const RequestDisk& disk) {
  writer.put_u32(disk.descriptor);
  writer.put_u64(disk.size);
  writer.put_u32(disk.sector_size);
  writer.put_u8(disk.block_device ? 1 : 0);
  writer.put_u8(disk.offset ? 1 : 0);
  writer.put_u64(disk.offset.value_or(0));
}

Result<RequestDisk> get_disk(PayloadReader& reader) {
  RequestDisk disk;
  PVHGRUB_TRY_ASSIGN(disk.descriptor, reader.u32());
  PVHGRUB_TRY_ASSIGN(disk.size, reader.u64());
  PVHGRUB_TRY_ASSIGN(disk.sector_size, reader.u32());
  PVHGRUB_TRY_ASSIGN(disk.block_device, reader.boolean());
  PVHGRUB_TRY_ASSIGN(const bool has_offset, reader.boolean());
  PVHGRUB_TRY_ASSIGN(const std::uint64_t offset, reader.u64());
  if (has_offset) disk.offset = offset;
  return disk;
}

void put_host_file(PayloadWriter& writer, const HostFile& file) {
  writer.put_u8(static_cast<std::uint8_t>(file.role));
  writer.put_u32(file.descriptor);
  writer.put_u64(file.size);
  writer.put_text(file.path);
  writer.put_text(file.newc_name);
}

Result<HostFile> get_host_file(PayloadReader& reader) {
  HostFile file;
  PVHGRUB_TRY_ASSIGN(file.role, get_enumeration(reader, HostFile::Role::kRamdiskMember));
  PVHGRUB_TRY_ASSIGN(file.descriptor, reader.u32());
  PVHGRUB_TRY_ASSIGN(file.size, reader.u64());
  PVHGRUB_TRY_ASSIGN(file.path, reader.text());
  PVHGRUB_TRY_ASSIGN(file.newc_name, reader.text());
  return file;
}

void put_extent(PayloadWriter& writer, const ExtentMessage& extent) {
  writer.put_u32(extent.disk);
  writer.put_u64(extent.offset);
  writer.put_u64(extent.length);
}

Result<ExtentMessage> get_extent(PayloadReader& reader) {
  ExtentMessage extent;
  PVHGRUB_TRY_ASSIGN(extent.disk, reader.u32());
  PVHGRUB_TRY_ASSIGN(extent.offset, reader.u64());
  PVHGRUB_TRY_ASSIGN(extent.length, reader.u64());
  return extent;
}

void put_terminal(PayloadWriter& writer, const std::optional<RequestTerminal>& terminal) {
  writer.put_u8(terminal ? 1 : 0);
  if (!terminal) return;
  writer.put_text(terminal->type);
  writer.put_u8(terminal->utf8 ? 1 : 0);
  writer.put_text(terminal->title);
}

Result<std::optional<RequestTerminal>> get_terminal(PayloadReader& reader) {
  PVHGRUB_TRY_ASSIGN(const bool there, reader.boolean());
  if (!there) return std::nullopt;
  RequestTerminal terminal;
  PVHGRUB_TRY_ASSIGN(terminal.type, reader.text());
  PVHGRUB_TRY_ASSIGN(terminal.utf8, reader.boolean());
  PVHGRUB_TRY_ASSIGN(terminal.title, reader.text());
  return terminal;
}

}  // namespace

PayloadWriter MenuStateMessage::encode() const {
  PayloadWriter writer;
  writer.put_u8(static_cast<std::uint8_t>(state));
  return writer;
}

Result<MenuStateMessage> MenuStateMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  MenuStateMessage message;
  PVHGRUB_TRY_ASSIGN(message.state, get_enumeration(reader, MenuState::kAttended));
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter Request::encode() const {
  PayloadWriter writer;
  writer.put_u8(static_cast<std::uint8_t>(mode));
  for (const bool flag :
       {bare_configuration, has_script, not_really, explain, no_boot_image, boots_hypervisor})
    writer.put_u8(flag ? 1 : 0);
  writer.put_text(script_name);
  put_optional_text(writer, entry);
  put_optional_text(writer, kernel);
  put_optional_text(writer, ramdisk);
  writer.put_text(arguments);
  writer.put_text(grub_platform);
  writer.put_text(source);
  put_optional_text(writer, configuration);
  writer.put_u8(static_cast<std::uint8_t>(grubenv));
  writer.put_u8(static_cast<std::uint8_t>(boot));
  writer.put_u8(static_cast<std::uint8_t>(guest_type));
  writer.put_u8(static_cast<std::uint8_t>(kernel_format));
  writer.put_u64(kernel_limit);
  writer.put_u64(ramdisk_limit);
  writer.put_text(no_firmware);
  writer.put_u8(static_cast<std::uint8_t>(appliance));
  put_terminal(writer, terminal);
  writer.put_u32(static_cast<std::uint32_t>(disks.size()));
  for (const RequestDisk& disk : disks) put_disk(writer, disk);
  writer.put_u32(static_cast<std::uint32_t>(host_files.size()));
  for (const HostFile& file : host_files) put_host_file(writer, file);
  return writer;
}

Result<Request> Request::decode(Bytes payload) {
  PayloadReader reader(payload);
  Request request;
  PVHGRUB_TRY_ASSIGN(request.mode, get_enumeration(reader, Mode::kInspect));
  for (bool* flag : {&request.bare_configuration, &request.has_script, &request.not_really, &request.explain,
                     &request.no_boot_image, &request.boots_hypervisor}) {
    PVHGRUB_TRY_ASSIGN(*flag, reader.boolean());
  }
  PVHGRUB_TRY_ASSIGN(request.script_name, reader.text());
  PVHGRUB_TRY_ASSIGN(request.entry, get_optional_text(reader));
  PVHGRUB_TRY_ASSIGN(request.kernel, get_optional_text(reader));
  PVHGRUB_TRY_ASSIGN(request.ramdisk, get_optional_text(reader));
  PVHGRUB_TRY_ASSIGN(request.arguments, reader.text());
  PVHGRUB_TRY_ASSIGN(request.grub_platform, reader.text());
  PVHGRUB_TRY_ASSIGN(request.source, reader.text());
  PVHGRUB_TRY_ASSIGN(request.configuration, get_optional_text(reader));
  PVHGRUB_TRY_ASSIGN(request.grubenv, get_enumeration(reader, GrubenvMode::kIgnore));
  PVHGRUB_TRY_ASSIGN(request.boot, get_enumeration(reader, BootRequest::kShim));
  PVHGRUB_TRY_ASSIGN(request.guest_type, get_enumeration(reader, GuestType::kArm));
  PVHGRUB_TRY_ASSIGN(request.kernel_format, get_enumeration(reader, KernelFormat::kAsIs));
  PVHGRUB_TRY_ASSIGN(request.kernel_limit, reader.u64());
  PVHGRUB_TRY_ASSIGN(request.ramdisk_limit, reader.u64());
  PVHGRUB_TRY_ASSIGN(request.no_firmware, reader.text());
  PVHGRUB_TRY_ASSIGN(request.appliance, get_enumeration(reader, ApplianceUse::kAll));
  PVHGRUB_TRY_ASSIGN(request.terminal, get_terminal(reader));
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, get_count(reader));
  for (std::uint32_t i = 0; i < count; ++i) {
    PVHGRUB_TRY_ASSIGN(const RequestDisk disk, get_disk(reader));
    request.disks.push_back(disk);
  }
  PVHGRUB_TRY_ASSIGN(const std::uint32_t files, get_count(reader));
  for (std::uint32_t i = 0; i < files; ++i) {
    PVHGRUB_TRY_ASSIGN(HostFile file, get_host_file(reader));
    request.host_files.push_back(std::move(file));
  }
  PVHGRUB_TRY(reader.finish());
  return request;
}

PayloadWriter LogMessage::encode() const {
  PayloadWriter writer;
  writer.put_u8(static_cast<std::uint8_t>(level));
  writer.put_text(where);
  writer.put_text(text);
  return writer;
}

Result<LogMessage> LogMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  LogMessage message;
  PVHGRUB_TRY_ASSIGN(message.level, get_enumeration(reader, LogLevel::kWarning));
  PVHGRUB_TRY_ASSIGN(message.where, reader.text());
  PVHGRUB_TRY_ASSIGN(message.text, reader.text());
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter MenuMessage::encode() const {
  PayloadWriter writer;
  writer.put_text(source_kind);
  writer.put_text(source_device);
  writer.put_text(source_path);
  put_path(writer, default_path);
  writer.put_u8(timeout ? 1 : 0);
  writer.put_u32(timeout.value_or(0));
  writer.put_u8(timeout_style);
  return writer;
}

Result<MenuMessage> MenuMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  MenuMessage message;
  PVHGRUB_TRY_ASSIGN(message.source_kind, reader.text());
  PVHGRUB_TRY_ASSIGN(message.source_device, reader.text());
  PVHGRUB_TRY_ASSIGN(message.source_path, reader.text());
  PVHGRUB_TRY_ASSIGN(message.default_path, get_path(reader));
  PVHGRUB_TRY_ASSIGN(const bool has_timeout, reader.boolean());
  PVHGRUB_TRY_ASSIGN(const std::uint32_t timeout, reader.u32());
  if (has_timeout) message.timeout = timeout;
  PVHGRUB_TRY_ASSIGN(message.timeout_style, get_enumeration<std::uint8_t>(reader, 2));
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter EntryMessage::encode() const {
  PayloadWriter writer;
  put_path(writer, path);
  writer.put_text(id);
  writer.put_text(title);
  put_texts(writer, classes);
  put_texts(writer, users);
  for (const bool flag : {restricted, hidden, is_submenu}) writer.put_u8(flag ? 1 : 0);
  writer.put_text(hotkey);
  writer.put_text(kernel);
  put_texts(writer, initrds);
  writer.put_text(command_line);
  writer.put_text(hypervisor);
  writer.put_text(hypervisor_command_line);
  writer.put_text(loader);
  writer.put_text(error);
  return writer;
}

Result<EntryMessage> EntryMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  EntryMessage message;
  PVHGRUB_TRY_ASSIGN(message.path, get_path(reader));
  if (message.path.empty()) return fail(ErrorCode::kProtocol, "an entry without an index");
  PVHGRUB_TRY_ASSIGN(message.id, reader.text());
  PVHGRUB_TRY_ASSIGN(message.title, reader.text());
  PVHGRUB_TRY_ASSIGN(message.classes, get_texts(reader));
  PVHGRUB_TRY_ASSIGN(message.users, get_texts(reader));
  for (bool* flag : {&message.restricted, &message.hidden, &message.is_submenu}) {
    PVHGRUB_TRY_ASSIGN(*flag, reader.boolean());
  }
  PVHGRUB_TRY_ASSIGN(message.hotkey, reader.text());
  PVHGRUB_TRY_ASSIGN(message.kernel, reader.text());
  PVHGRUB_TRY_ASSIGN(message.initrds, get_texts(reader));
  PVHGRUB_TRY_ASSIGN(message.command_line, reader.text());
  PVHGRUB_TRY_ASSIGN(message.hypervisor, reader.text());
  PVHGRUB_TRY_ASSIGN(message.hypervisor_command_line, reader.text());
  PVHGRUB_TRY_ASSIGN(message.loader, reader.text());
  PVHGRUB_TRY_ASSIGN(message.error, reader.text());
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter ChoiceMessage::encode() const {
  PayloadWriter writer;
  put_path(writer, path);
  writer.put_text(id);
  writer.put_text(title);
  writer.put_text(kernel);
  put_texts(writer, initrds);
  writer.put_text(command_line);
  return writer;
}

Result<ChoiceMessage> ChoiceMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  ChoiceMessage message;
  PVHGRUB_TRY_ASSIGN(message.path, get_path(reader));
  PVHGRUB_TRY_ASSIGN(message.id, reader.text());
  PVHGRUB_TRY_ASSIGN(message.title, reader.text());
  PVHGRUB_TRY_ASSIGN(message.kernel, reader.text());
  PVHGRUB_TRY_ASSIGN(message.initrds, get_texts(reader));
  PVHGRUB_TRY_ASSIGN(message.command_line, reader.text());
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter DecisionMessage::encode() const {
  PayloadWriter writer;
  writer.put_u8(static_cast<std::uint8_t>(kind));
  for (const std::string* text : {&reason, &command_line, &description, &kernel_version})
    writer.put_text(*text);
  return writer;
}

Result<DecisionMessage> DecisionMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  DecisionMessage message;
  PVHGRUB_TRY_ASSIGN(message.kind, get_enumeration(reader, BootKind::kShim));
  for (std::string* text :
       {&message.reason, &message.command_line, &message.description, &message.kernel_version}) {
    PVHGRUB_TRY_ASSIGN(*text, reader.text());
  }
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter FactMessage::encode() const {
  PayloadWriter writer;
  for (const std::string* text : {&group, &name, &value}) writer.put_text(*text);
  return writer;
}

Result<FactMessage> FactMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  FactMessage message;
  for (std::string* text : {&message.group, &message.name, &message.value}) {
    PVHGRUB_TRY_ASSIGN(*text, reader.text());
  }
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter StreamBeginMessage::encode() const {
  PayloadWriter writer;
  writer.put_u8(static_cast<std::uint8_t>(kind));
  writer.put_u64(size);
  writer.put_u8(exact ? 1 : 0);
  return writer;
}

Result<StreamBeginMessage> StreamBeginMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  StreamBeginMessage message;
  PVHGRUB_TRY_ASSIGN(message.kind, get_enumeration(reader, OutputKind::kRamdisk));
  PVHGRUB_TRY_ASSIGN(message.size, reader.u64());
  PVHGRUB_TRY_ASSIGN(message.exact, reader.boolean());
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter HoleMessage::encode() const {
  PayloadWriter writer;
  writer.put_u64(length);
  return writer;
}

Result<HoleMessage> HoleMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  HoleMessage message;
  PVHGRUB_TRY_ASSIGN(message.length, reader.u64());
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter ExtentMessage::encode() const {
  PayloadWriter writer;
  put_extent(writer, *this);
  return writer;
}

Result<ExtentMessage> ExtentMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  PVHGRUB_TRY_ASSIGN(const ExtentMessage message, get_extent(reader));
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter EnvironmentMessage::encode() const {
  PayloadWriter writer;
  writer.put_text(name);
  writer.put_u8(answers_request ? 1 : 0);
  writer.put_u32(static_cast<std::uint32_t>(extents.size()));
  for (const ExtentMessage& extent : extents) put_extent(writer, extent);
  writer.put_text(old_contents);
  writer.put_text(contents);
  return writer;
}

Result<EnvironmentMessage> EnvironmentMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  EnvironmentMessage message;
  PVHGRUB_TRY_ASSIGN(message.name, reader.text());
  PVHGRUB_TRY_ASSIGN(message.answers_request, reader.boolean());
  PVHGRUB_TRY_ASSIGN(const std::uint32_t count, reader.u32());
  if (count > limits::kEnvironmentExtents)
    return fail(ErrorCode::kProtocol, "an environment block in " + std::to_string(count) + " places");
  for (std::uint32_t i = 0; i < count; ++i) {
    PVHGRUB_TRY_ASSIGN(const ExtentMessage extent, get_extent(reader));
    message.extents.push_back(extent);
  }
  PVHGRUB_TRY_ASSIGN(message.old_contents, reader.text());
  PVHGRUB_TRY_ASSIGN(message.contents, reader.text());
  PVHGRUB_TRY(reader.finish());
  return message;
}

PayloadWriter VerdictMessage::encode() const {
  PayloadWriter writer;
  writer.put_u8(success ? 1 : 0);
  writer.put_u8(script_status ? 1 : 0);
  writer.put_u8(lacks_reader ? 1 : 0);
  writer.put_u8(static_cast<std::uint8_t>(error.code));
  writer.put_text(error.message);
  writer.put_text(error.where);
  writer.put_u32(static_cast<std::uint32_t>(error.system_errno));
  return writer;
}

Result<VerdictMessage> VerdictMessage::decode(Bytes payload) {
  PayloadReader reader(payload);
  VerdictMessage message;
  PVHGRUB_TRY_ASSIGN(message.success, reader.boolean());
  PVHGRUB_TRY_ASSIGN(message.script_status, reader.boolean());
  PVHGRUB_TRY_ASSIGN(message.lacks_reader, reader.boolean());
  PVHGRUB_TRY_ASSIGN(message.error.code, get_enumeration(reader, ErrorCode::kInternal));
  PVHGRUB_TRY_ASSIGN(message.error.message, reader.text());
  PVHGRUB_TRY_ASSIGN(message.error.where, reader.text());
  PVHGRUB_TRY_ASSIGN(const std::uint32_t number, reader.u32());
  const auto system_errno = checked_cast<int>(number);
  if (!system_errno) return fail(ErrorCode::kProtocol, "an error number out of range");
  message.error.system_errno = *system_errno;
  PVHGRUB_TRY(reader.finish());
  return message;
}

}  // namespace pvhgrub::protocol
