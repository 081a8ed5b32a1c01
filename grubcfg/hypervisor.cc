// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/hypervisor.h"

#include <array>
#include <utility>

#include "base/bytes.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// The first number of a compiled FLASK policy (xen/xsm/flask/ss/policydb.h, XSM_MAGIC).
constexpr std::uint32_t kPolicyMagic = 0xF97C'FF8C;

/// The word of that key on a command line, without the key and its '='; no value for none. The last one
/// counts.
std::optional<std::string_view> option_of(std::string_view line, std::string_view key) {
  std::optional<std::string_view> value;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    if (word == "--") break;
    if (word.starts_with(key) && word.substr(key.size()).starts_with('='))
      value = word.substr(key.size() + 1);
  }
  return value;
}

/// The module with microcode that `ucode=NUMBER` names: from the first, 0, or from behind, -1. No value for
/// none (docs/misc/xen-command-line.pandoc, "ucode").
std::optional<std::size_t> microcode_module(std::string_view xen_line, std::size_t modules) {
  const std::optional<std::string_view> option = option_of(xen_line, "ucode");
  if (!option) return std::nullopt;
  const bool from_behind = option->starts_with('-');
  const ParsedNumber number = parse_number(option->substr(from_behind ? 1 : 0), 0);
  if (number.status != kStatusOk || number.value > modules) return std::nullopt;
  const auto distance = static_cast<std::size_t>(number.value);
  if (!from_behind) return distance < modules ? std::optional(distance) : std::nullopt;
  return distance > 0 ? std::optional(modules - distance) : std::nullopt;
}

Result<bool> is_policy(Evaluator& evaluator, const FileReference& file) {
  if (evaluator.session().devices == nullptr) return false;
  PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, FileAccess(evaluator).open(file));
  evaluator.clear_error();
  std::array<std::byte, 4> start{};
  if (!opened) return false;
  const Result<std::size_t> count = opened->read(0, start);
  if (!count) return is_fatal(count.error()) ? Result<bool>(std::unexpected(count.error())) : false;
  ByteReader reader(Bytes(start).first(*count));
  const auto magic = reader.little_endian<std::uint32_t>();
  return magic && *magic == kPolicyMagic;
}

void add_word(std::string& line, std::string_view words) {
  if (!line.empty() && !words.empty()) line += ' ';
  line += words;
}

}  // namespace

Result<void> assign_modules(Evaluator& evaluator) {
  LoadedSystem& loaded = evaluator.state().loaded;
  if (loaded.modules.empty()) return {};
  loaded.entry.kind = BootEntry::Kind::kLinux;
  loaded.entry.kernel = loaded.modules.front().file;
  loaded.entry.command_line = loaded.modules.front().command_line;
  loaded.entry.initrds.clear();
  const std::optional<std::size_t> microcode =
      microcode_module(loaded.entry.hypervisor_command_line, loaded.modules.size());
  for (std::size_t i = 1; i < loaded.modules.size(); ++i) {
    const FileReference& file = loaded.modules[i].file;
    PVHGRUB_TRY_ASSIGN(const bool policy, is_policy(evaluator, file));
    if (i != microcode && !policy && loaded.entry.initrds.empty()) {
      loaded.entry.initrds.push_back({file, std::nullopt});
    } else {
      evaluator.notice("module `" + file.to_string() + "' is for the hypervisor and is left out");
    }
  }
  return {};
}

Result<void> boot_hypervisor_of(BootEntry& entry) {
  if (!entry.hypervisor || entry.kind != BootEntry::Kind::kLinux) return {};
  if (!entry.initrds.empty())
    return fail(
        ErrorCode::kUnsupported,
        "the hypervisor " + entry.hypervisor->to_string() + " would need two modules, the Linux kernel " +
            entry.kernel.to_string() + " and its initrd " + entry.initrds.front().file.to_string() +
            ", but Xen passes one: boot Linux without --boot-hypervisor, or a kernel that needs no initrd");
  // Xen takes what stands behind " -- " for its first module's. On a line that begins so it would not find
  // it, and "placeholder" is the word that it ignores.
  constexpr std::string_view kSeparator = " -- ";
  const std::string& xen_line = entry.hypervisor_command_line;
  const std::size_t separator = xen_line.find(kSeparator);
  std::string line = xen_line.substr(0, separator);
  std::string linux_line = entry.command_line;
  if (separator != std::string::npos)
    add_word(linux_line, std::string_view(xen_line).substr(separator + kSeparator.size()));
  if (!linux_line.empty()) {
    if (line.empty()) line = "placeholder";
    line += " -- " + linux_line;
  }
  entry.initrds = {InitrdFile{std::move(entry.kernel), std::nullopt}};
  entry.kernel = std::move(*entry.hypervisor);
  entry.hypervisor.reset();
  entry.hypervisor_command_line.clear();
  entry.command_line = std::move(line);
  return {};
}

}  // namespace pvhgrub::grubcfg
