// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/editable_entry.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace pvhgrub::grubcfg {

namespace {

constexpr std::string_view kReading = "reading an edited entry";

/// The name as one word. A newline, which no line can hold, is "\n".
std::string escaped(std::string_view name) {
  std::string word;
  for (const char c : name) {
    if (c == '\n') {
      word += "\\n";
      continue;
    }
    if (std::string_view(" \t\\'\"").find(c) != std::string_view::npos) word += '\\';
    word += c;
  }
  return word;
}

/// What stands behind a file's name as the command line; a newline in it is as good as a blank to a kernel.
std::string as_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  return line;
}

std::string line_of(std::string_view command, const FileReference& file, std::string_view arguments) {
  std::string line = std::string(command) + " " + escaped(file.to_string());
  if (!arguments.empty()) line += " " + as_one_line(arguments);
  return line + "\n";
}

std::string as_comments(std::string_view source) {
  std::string text;
  while (!source.empty()) {
    const std::string_view line = source.substr(0, source.find('\n'));
    source.remove_prefix(std::min(source.size(), line.size() + 1));
    if (!line.empty()) text += "# " + std::string(line) + "\n";
  }
  return text;
}

/// Cuts the next word off; blanks, quotes and backslashes as escaped() writes them, and whole words in
/// quotes. No value at the line's end. Of the blanks that follow, one is taken.
std::optional<std::string> take_word(std::string_view& line) {
  while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
  if (line.empty()) return std::nullopt;
  std::string word;
  char quote = '\0';
  while (!line.empty()) {
    const char c = line.front();
    if (quote == '\0' && (c == ' ' || c == '\t')) break;
    line.remove_prefix(1);
    if (c == '\\' && quote != '\'' && !line.empty()) {
      word += line.front() == 'n' ? '\n' : line.front();
      line.remove_prefix(1);
    } else if (quote == c || (quote == '\0' && (c == '"' || c == '\''))) {
      quote = quote == c ? '\0' : c;
    } else {
      word += c;
    }
  }
  if (!line.empty()) line.remove_prefix(1);
  return word;
}

class EditedEntryReader {
 public:
  EditedEntryReader(const BootEntry& original, const std::string& device, const fs::Devices* devices)
      : original_(original), device_(device), devices_(devices) {
    entry_.hypervisor = original.hypervisor;
    entry_.hypervisor_command_line = original.hypervisor_command_line;
    entry_.environment_changes = original.environment_changes;
  }

  /// What is wrong with the line; empty for nothing.
  std::string take_line(std::string_view line);
  BootEntry finish();

 private:
  std::string load_kernel(BootEntry::Kind kind, const std::string& command, std::string_view rest);
  std::string load_initrds(std::string_view rest);
  std::string load_device_tree(std::string_view rest);
  /// No value, with `why`, where it is no file's name.
  std::optional<FileReference> file(const std::string& name, std::string& why) const;
  std::optional<FileReference> known(std::string_view name) const;

  const BootEntry& original_;
  const std::string& device_;
  const fs::Devices* devices_;
  BootEntry entry_;
};

/// A file that the entry had already, parts of files included.
std::optional<FileReference> EditedEntryReader::known(std::string_view name) const {
  if (original_.kernel.to_string() == name) return original_.kernel;
  for (const InitrdFile& initrd : original_.initrds)
    if (initrd.file.to_string() == name) return initrd.file;
  if (original_.device_tree && original_.device_tree->to_string() == name) return original_.device_tree;
  return std::nullopt;
}

std::optional<FileReference> EditedEntryReader::file(const std::string& name, std::string& why) const {
  if (std::optional<FileReference> reference = known(name)) return reference;
  FileReference reference{device_, name};
  if (name.starts_with('(')) {
    const std::size_t closing = name.find(')');
    if (closing == std::string::npos) {
      why = "missing `)' symbol in `" + name + "'";
      return std::nullopt;
    }
    reference.device = name.substr(1, closing - 1);
    reference.path = name.substr(closing + 1);
    const fs::Device* const device = devices_ != nullptr ? devices_->device(reference.device) : nullptr;
    if (device != nullptr) reference.device = device->name;
  }
  if (!reference.path.starts_with('/')) {
    why = "invalid file name `" + name + "': it should begin with a `/'";
    return std::nullopt;
  }
  return reference;
}

std::string EditedEntryReader::load_kernel(BootEntry::Kind kind, const std::string& command,
                                           std::string_view rest) {
  const std::optional<std::string> name = take_word(rest);
  if (!name) return "filename expected";
  std::string why;
  const std::optional<FileReference> kernel = file(*name, why);
  if (!kernel) return why;
  entry_.kind = kind;
  entry_.kernel = *kernel;
  entry_.loader_command = *kernel == original_.kernel ? original_.loader_command : command;
  entry_.command_line = rest;
  if (*kernel == original_.kernel) entry_.unified_image = original_.unified_image;
  // The command line as the entry has it, where it only was not shown as it is.
  if (*kernel == original_.kernel && rest == as_one_line(original_.command_line))
    entry_.command_line = original_.command_line;
  entry_.initrds.clear();
  return {};
}

std::string EditedEntryReader::load_initrds(std::string_view rest) {
  if (entry_.kind != BootEntry::Kind::kLinux) return "you need to load the kernel first";
  const std::size_t before = entry_.initrds.size();
  while (std::optional<std::string> name = take_word(rest)) {
    InitrdFile initrd;
    if (name->starts_with("newc:")) {
      const std::size_t colon = name->find(':', 5);
      if (colon == std::string::npos) return "`newc:' is followed by a name, `:' and a file";
      initrd.newc_name = name->substr(5, colon - 5);
      name->erase(0, colon + 1);
    }
    std::string why;
    const std::optional<FileReference> found = file(*name, why);
    if (!found) return why;
    initrd.file = *found;
    if (entry_.initrds.size() >= limits::kInitrds)
      return "more than " + std::to_string(limits::kInitrds) + " files for initrd";
    entry_.initrds.push_back(std::move(initrd));
  }
  return entry_.initrds.size() == before ? "filename expected" : "";
}

std::string EditedEntryReader::load_device_tree(std::string_view rest) {
  entry_.device_tree.reset();
  const std::optional<std::string> name = take_word(rest);
  if (!name) return {};
  std::string why;
  entry_.device_tree = file(*name, why);
  return why;
}

std::string EditedEntryReader::take_line(std::string_view line) {
  const std::optional<std::string> command = take_word(line);
  if (!command || command->starts_with('#')) return {};
  if (*command == "linux" || *command == "linux16" || *command == "linuxefi" || *command == "kernel")
    return load_kernel(BootEntry::Kind::kLinux, *command, line);
  if (*command == "chainloader") return load_kernel(BootEntry::Kind::kChainloader, *command, line);
  if (*command == "initrd" || *command == "initrd16" || *command == "initrdefi") return load_initrds(line);
  if (*command == "devicetree") return load_device_tree(line);
  return "can't find command `" + *command +
         "': an entry of this menu has linux, initrd, devicetree and chainloader";
}

BootEntry EditedEntryReader::finish() {
  if (entry_.kind != BootEntry::Kind::kLinux) {
    entry_.hypervisor.reset();
    entry_.hypervisor_command_line.clear();
  }
  if (entry_.kind == BootEntry::Kind::kNone) entry_.error = "the entry loads nothing";
  return std::move(entry_);
}

}  // namespace

std::string make_editable_text(const BootEntry& entry, std::string_view source) {
  std::string text;
  switch (entry.kind) {
    case BootEntry::Kind::kLinux:
      text = line_of("linux", entry.kernel, entry.command_line);
      break;
    case BootEntry::Kind::kChainloader:
      text = line_of("chainloader", entry.kernel, entry.command_line);
      break;
    case BootEntry::Kind::kNone:
    case BootEntry::Kind::kOther:
      return as_comments(source);
  }
  for (const InitrdFile& initrd : entry.initrds)
    text += "initrd " + (initrd.newc_name ? "newc:" + escaped(*initrd.newc_name) + ":" : std::string()) +
            escaped(initrd.file.to_string()) + "\n";
  if (entry.device_tree) text += line_of("devicetree", *entry.device_tree, {});
  return text;
}

std::string make_editable_script(std::string_view body) {
  // The lines, and the indentation that they share. A string over several lines, and a line that goes on
  // behind a backslash, keep theirs.
  std::vector<std::string_view> lines;
  std::optional<std::size_t> indentation;
  bool is_free = true;
  for (std::size_t begin = 0; begin < body.size();) {
    const std::size_t end = std::min(body.find('\n', begin), body.size());
    const std::string_view line = body.substr(begin, end - begin);
    begin = end + 1;
    lines.push_back(line);
    const std::size_t blanks = line.find_first_not_of(" \t");
    if (blanks == std::string_view::npos) continue;
    indentation = std::min(indentation.value_or(blanks), blanks);
    is_free = is_free && std::ranges::count(line, '"') % 2 == 0 && std::ranges::count(line, '\'') % 2 == 0 &&
              !line.ends_with('\\');
  }
  if (!is_free) indentation = 0;
  const auto is_empty = [](std::string_view line) {
    return line.find_first_not_of(" \t") == std::string_view::npos;
  };
  if (is_free) {
    while (!lines.empty() && is_empty(lines.back())) lines.pop_back();
  }
  std::string text;
  for (const std::string_view line : lines) {
    if (text.empty() && is_empty(line)) continue;
    text += line.substr(std::min(*indentation, line.size()));
    text += '\n';
  }
  return text;
}

bool is_unchanged(std::string_view text, std::string_view editable) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  while (editable.ends_with('\n')) editable.remove_suffix(1);
  return text == editable;
}

Result<BootEntry> read_edited_entry(const BootEntry& original, std::string_view text,
                                    const std::string& device, const GuestFiles& files,
                                    const fs::Devices* devices, Budget& budget) {
  if (text.size() > limits::kWordBytes)
    return fail(ErrorCode::kLimit, "an edited entry of " + std::to_string(text.size()) + " bytes");
  PVHGRUB_TRY(budget.charge_bytes(2 * text.size(), kReading));
  EditedEntryReader reader(original, device, devices);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    PVHGRUB_TRY(budget.charge_steps(1 + line.size() / 64, kReading));
    std::string wrong = reader.take_line(line);
    if (wrong.empty()) continue;
    BootEntry entry = reader.finish();
    entry.error = "line " + std::to_string(number) + ": " + std::move(wrong);
    return entry;
  }
  BootEntry entry = reader.finish();
  if (entry.error.empty()) PVHGRUB_TRY(check_files_of(entry, files));
  return entry;
}

Result<void> check_files_of(BootEntry& entry, GuestFiles files) {
  // Without a disk a file may be there.
  if (!files.has_disk()) return {};
  std::vector<const FileReference*> wanted = {&entry.kernel};
  if (entry.hypervisor) wanted.push_back(&*entry.hypervisor);
  for (const InitrdFile& initrd : entry.initrds) wanted.push_back(&initrd.file);
  for (const FileReference* const file : wanted) {
    if (file->path.empty()) continue;
    std::string why;
    PVHGRUB_TRY_ASSIGN(const std::unique_ptr<fs::File> opened, files.open(*file, &why));
    if (opened) continue;
    entry.error = file->to_string() + ": " + why;
    return {};
  }
  return {};
}

}  // namespace pvhgrub::grubcfg
