// SPDX-License-Identifier: LGPL-2.1-or-later
// The second half of the translation: the script that GRUB makes of a syslinux configuration.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "grubcfg/file_access.h"
#include "grubcfg/number.h"
#include "grubcfg/syslinux_translation.h"

namespace pvhgrub::grubcfg {

namespace {

using Entry = TranslatedEntry;
using Kind = TranslatedEntry::Kind;

/// Configurations that lead to each other; GRUB calls itself for the next one.
constexpr unsigned kNestedFiles = 20;

std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

/// Cuts off what is no white space.
std::string_view take_word(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && !is_space(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equal_ignoring_case(text.substr(0, start.size()), start);
}

/// A word in single quotes of GRUB's language.
std::string quoted(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

/// A file's name, its directory in front, as words of GRUB's language.
std::string quoted_file(const TranslatedFile& file, std::string_view name) {
  return quoted(name.starts_with('/') ? file.root : file.directory) + "/" + quoted(name);
}

std::string number(std::uint64_t value) {
  return std::to_string(static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
}

/// As strtol(text, NULL, 0).
std::int64_t signed_number(std::string_view text) {
  text = skip_space(text);
  const bool negative = text.starts_with('-');
  const std::uint64_t value = parse_number(text.substr(negative ? 1 : 0), 0).value;
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

/// The name that GRUB opens: without repeated slashes. GRUB means to resolve "." and ".." too, in place, but
/// looks for the slash to go back to in what is not written yet; the outcome is the same here.
std::string simplified(std::string name) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = std::string_view(name).substr(i);
    if (rest.front() == '/' && end != 0 && name[end - 1] == '/') continue;
    if (rest.starts_with("/./")) {
      i += 2;
      continue;
    }
    if (rest.starts_with("/../")) {
      i += 3;
      const std::size_t slash = name.rfind('/', end);
      if (slash == std::string::npos) name[0] = '/';
      end = slash == std::string::npos ? 1 : slash + 1;
      continue;
    }
    name[end++] = name[i];
  }
  name.resize(end);
  return name;
}

class Script {
 public:
  explicit Script(Evaluator& evaluator) : evaluator_(evaluator) {}

  Result<bool> write_file(TranslatedFile& file);
  std::string take() { return std::move(text_); }

 private:
  Result<void> put(std::string_view text) {
    PVHGRUB_TRY(evaluator_.session().budget.charge_steps(1, "translating a syslinux configuration"));
    PVHGRUB_TRY(
        evaluator_.session().budget.charge_bytes(text.size(), "translating a syslinux configuration"));
    text_ += text;
    return {};
  }
  Result<bool> write_says(const std::vector<std::string>& says);
  Result<bool> write_menu_entry(TranslatedFile& file, const Entry& entry);
  Result<bool> write_entry(TranslatedFile& file, const Entry& entry);
  Result<bool> write_entries_named(TranslatedFile& file, std::string_view label);
  Result<bool> write_linux(const TranslatedFile& file, const Entry& entry);
  Result<bool> write_localboot(const Entry& entry);
  Result<bool> write_program(TranslatedFile& file, const Entry& entry);
  Result<bool> write_chain(const TranslatedFile& file, std::string_view arguments);
  Result<bool> write_multiboot(const TranslatedFile& file, std::string_view arguments);
  Result<bool> write_by_processor(TranslatedFile& file, std::string_view arguments);
  Result<bool> write_by_flavour(TranslatedFile& file, std::string_view arguments);
  Result<bool> write_menu_files(TranslatedFile& file, const Entry& entry);
  Result<bool> write_configuration(TranslatedFile& file, std::string_view name, std::string_view directory);

  Evaluator& evaluator_;
  std::string text_;
  unsigned depth_ = 0;  ///< of entries that are written into one another
};

// The last one is lost on the way.
Result<bool> Script::write_says(const std::vector<std::string>& says) {
  for (std::size_t i = 0; i + 1 < says.size(); ++i) PVHGRUB_TRY(put("echo " + quoted(says[i]) + "\n"));
  return true;
}

// Without a TIMEOUT there is no menu: what DEFAULT names is loaded at once.
Result<bool> Script::write_file(TranslatedFile& file) {
  PVHGRUB_TRY_ASSIGN(const bool is_read, read_for_translation(evaluator_, file));
  if (!is_read) return false;
  PVHGRUB_TRY_ASSIGN(bool done, write_says(file.says));
  if (file.background) PVHGRUB_TRY(put("  background_image " + quoted_file(file, *file.background) + "\n"));
  if (file.entries.empty()) return true;
  if (file.timeout == 0 && file.default_label) return write_entries_named(file, *file.default_label);
  PVHGRUB_TRY(put("set timeout=" + number((file.timeout + 9) / 10) + "\n"));
  if (file.default_label) PVHGRUB_TRY(put(" default=" + quoted(*file.default_label) + "\n"));
  for (const Entry& entry : file.entries) {
    PVHGRUB_TRY_ASSIGN(done, write_menu_entry(file, entry));
    if (!done) return false;
  }
  return true;
}

Result<bool> Script::write_menu_entry(TranslatedFile& file, const Entry& entry) {
  std::string head = "menuentry " + quoted(entry.title ? *entry.title : entry.label);
  if (entry.hotkey != '\0') head += " --hotkey '" + std::string(1, entry.hotkey) + "'";
  PVHGRUB_TRY(put(head + " --id " + quoted(entry.label) + " {\n"));
  PVHGRUB_TRY_ASSIGN(const bool done, write_entry(file, entry));
  if (!done) return false;
  PVHGRUB_TRY(put("}\n"));
  return true;
}

// All of them, the last first.
Result<bool> Script::write_entries_named(TranslatedFile& file, std::string_view label) {
  PVHGRUB_TRY(evaluator_.session().budget.charge_steps(file.entries.size(), "looking for a label"));
  for (std::size_t i = file.entries.size(); i-- > 0;) {
    if (!equal_ignoring_case(file.entries[i].label, label)) continue;
    PVHGRUB_TRY_ASSIGN(const bool done, write_entry(file, file.entries[i]));
    if (!done) return false;
  }
  return true;
}

Result<bool> Script::write_entry(TranslatedFile& file, const Entry& entry) {
  PVHGRUB_TRY_ASSIGN(const DepthGuard guard,
                     DepthGuard::enter(depth_, limits::kRecursionDepth, "labels that run each other"));
  PVHGRUB_TRY_ASSIGN(const bool done, write_says(entry.says));
  if (!done) return false;
  switch (entry.kind) {
    case Kind::kLinux:
      return write_linux(file, entry);
    case Kind::kChainloader:
      PVHGRUB_TRY(put("  chainloader " + quoted_file(file, entry.kernel) + "\n"));
      return true;
    case Kind::kChainloaderBpb:
      PVHGRUB_TRY(put("  chainloader --bpb " + quoted_file(file, entry.kernel) + "\n"));
      return true;
    case Kind::kLocalboot:
      return write_localboot(entry);
    case Kind::kCom32:
    case Kind::kComboot:
      return write_program(file, entry);
    case Kind::kConfig:
      PVHGRUB_TRY(write_configuration(file, entry.kernel, entry.append ? *entry.append : entry.argument));
      return true;
    case Kind::kNone:
    case Kind::kBin:
    case Kind::kPxe:
    case Kind::kImage:
      break;
  }
  PVHGRUB_TRY(put("true;\n"));
  return true;
}

Result<bool> Script::write_linux(const TranslatedFile& file, const Entry& entry) {
  const std::string append = entry.append.value_or("");
  // The first "initrd=" that begins a word.
  std::optional<std::string_view> initrd;
  for (std::size_t i = 0; i < append.size() && !initrd; ++i) {
    if (i != 0 && !is_space(append[i - 1])) continue;
    std::string_view rest = std::string_view(append).substr(i);
    if (!starts_with_ignoring_case(rest, "initrd=")) continue;
    rest.remove_prefix(std::string_view("initrd=").size());
    initrd = take_word(rest);
  }
  PVHGRUB_TRY(put(" if test x$grub_platform = xpc; then linux_suffix=16; else linux_suffix= ; fi\n"));
  PVHGRUB_TRY(put("  linux$linux_suffix " + quoted_file(file, entry.kernel) + " " + append + "\n"));
  if (!initrd && entry.initrds.empty()) return true;
  PVHGRUB_TRY(put("  initrd$linux_suffix "));
  // An empty name begins with what follows it.
  if (initrd) PVHGRUB_TRY(put(quoted_file(file, *initrd) + " "));
  for (const std::string& name : entry.initrds) PVHGRUB_TRY(put(quoted_file(file, name) + " "));
  PVHGRUB_TRY(put("\n"));
  return true;
}

Result<bool> Script::write_localboot(const Entry& entry) {
  constexpr std::int64_t kFloppies = 3;
  constexpr std::int64_t kFirstDisk = 0x80;
  constexpr std::int64_t kDisks = 10;
  const auto device = static_cast<std::int32_t>(signed_number(entry.kernel));
  if (device >= 0 && device < kFloppies) {
    PVHGRUB_TRY(put("  root=fd" + std::to_string(device) + ";\n  chainloader +1;\n"));
  } else if (device >= kFirstDisk && device < kFirstDisk + kDisks) {
    PVHGRUB_TRY(put("  root=hd" + std::to_string(device - kFirstDisk) + ";\n  chainloader +1;\n"));
  } else {
    // The number comes to stand in a line of its own, as a command.
    PVHGRUB_TRY(put("true;\n" + std::to_string(device) + "\n"));
  }
  return true;
}

Result<bool> Script::write_program(TranslatedFile& file, const Entry& entry) {
  const std::string name = entry.kernel.substr(entry.kernel.find_last_of("/\\") + 1);
  const std::string append = entry.append.value_or("");
  const auto is = [&](std::string_view program) { return equal_ignoring_case(name, program); };
  if (is("chain.c32")) return write_chain(file, append);
  if (is("mboot.c32")) return write_multiboot(file, append);
  if (is("ifcpu64.c32")) return write_by_processor(file, append);
  if (is("whichsys.c32")) return write_by_flavour(file, append);
  if (is("menu.c32") || is("vesamenu.c32")) return write_menu_files(file, entry);
  std::string_view command = "true;\n";
  if (is("reboot.c32")) command = "  reboot\n";
  if (is("poweroff.com")) command = "  halt\n";
  PVHGRUB_TRY(put(command));
  return true;
}

// "hd0 1 file=... swap": nothing is written where a word is unknown.
Result<bool> Script::write_chain(const TranslatedFile& file, std::string_view arguments) {
  std::optional<std::string> disk;
  std::optional<std::uint64_t> partition;
  std::optional<std::string_view> loader;
  bool swap = false;
  while (!arguments.empty()) {
    arguments = skip_space(arguments);
    const bool is_disk = arguments.starts_with("hd");
    if (is_disk || arguments.starts_with("fd")) {
      const ParsedNumber parsed = parse_number(arguments.substr(2), 0);
      // GRUB 2.06 writes as many bytes of " root=hd" as a pointer has, less one.
      disk = (is_disk ? "h" : "f") + number(parsed.value);
      arguments = parsed.rest;
    } else if (starts_with_ignoring_case(arguments, "file=")) {
      arguments.remove_prefix(std::string_view("file=").size());
      loader = take_word(arguments);
      if (!arguments.empty()) arguments.remove_prefix(1);
    } else if (starts_with_ignoring_case(arguments, "swap")) {
      swap = true;
      arguments.remove_prefix(std::string_view("swap").size());
    } else if (!arguments.empty() && arguments.front() >= '0' && arguments.front() <= '9') {
      const ParsedNumber parsed = parse_number(arguments, 0);
      partition = parsed.value;
      arguments = parsed.rest;
    } else {
      break;
    }
  }
  if (!disk || !arguments.empty()) return true;
  PVHGRUB_TRY(put(" root=" + *disk + (partition ? "," + number(*partition + 1) : "") + ";\n"));
  if (loader) {
    PVHGRUB_TRY(put("  chainloader " + quoted_file(file, *loader) + ";\n"));
  } else {
    PVHGRUB_TRY(put(" chainloader +1;\n"));
  }
  if (swap) PVHGRUB_TRY(put(" drivemap -s hd0 \"root\";\n"));
  return true;
}

// GRUB never gets past the first blank of the arguments, and runs out of memory.
Result<bool> Script::write_multiboot(const TranslatedFile& file, std::string_view arguments) {
  std::string_view rest = arguments;
  const std::string_view first = take_word(rest);
  if (!rest.empty()) {
    evaluator_.raise(kStatusOutOfMemory, "out of memory: GRUB cannot translate the arguments of mboot.c32");
    return false;
  }
  if (first == "--") {
    PVHGRUB_TRY(put("\n"));
  } else if (!first.empty()) {
    PVHGRUB_TRY(put("  multiboot " + quoted_file(file, first)));
  }
  return true;
}

// ifcpu64.c32 LONG-MODE [-- PAE] -- OTHER
Result<bool> Script::write_by_processor(TranslatedFile& file, std::string_view arguments) {
  std::vector<std::string_view> labels;
  arguments = skip_space(arguments);
  labels.push_back(take_word(arguments));
  for (arguments = skip_space(arguments); labels.size() < 3 && arguments.starts_with("--");
       arguments = skip_space(arguments)) {
    arguments = skip_space(arguments.substr(2));
    labels.push_back(take_word(arguments));
  }
  PVHGRUB_TRY(put("if cpuid --long-mode; then true;\n"));
  PVHGRUB_TRY_ASSIGN(bool done, write_entries_named(file, labels.front()));
  if (done && labels.size() == 3) {
    PVHGRUB_TRY(put("elif cpuid --pae; then true;\n"));
    PVHGRUB_TRY_ASSIGN(done, write_entries_named(file, labels[1]));
  }
  if (!done) return false;
  PVHGRUB_TRY(put("else\n"));
  if (labels.size() > 1) {
    PVHGRUB_TRY_ASSIGN(done, write_entries_named(file, labels.back()));
    if (!done) return false;
  }
  PVHGRUB_TRY(put("fi\n"));
  return true;
}

// whichsys.c32 -iso- LABEL -pxe- LABEL -sys- LABEL
Result<bool> Script::write_by_flavour(TranslatedFile& file, std::string_view arguments) {
  struct Named {
    std::string_view key;
    SyslinuxFlavour flavour;
    std::string_view test;
  };
  static constexpr std::array<Named, 3> kFlavours = {
      {{"-iso-", SyslinuxFlavour::kIsolinux, "x$syslinux_flavour = xiso -o x$syslinux_flavour = x"},
       {"-pxe-", SyslinuxFlavour::kPxelinux, "x$syslinux_flavour = xpxe"},
       {"-sys-", SyslinuxFlavour::kSyslinux, "x$syslinux_flavour = xsys"}}};
  const Named* current = kFlavours.data();
  while (!arguments.empty()) {
    arguments = skip_space(arguments);
    const auto* const key = std::ranges::find_if(
        kFlavours, [&](const Named& named) { return starts_with_ignoring_case(arguments, named.key); });
    if (key != kFlavours.end()) {
      current = key;
      arguments.remove_prefix(key->key.size());
      continue;
    }
    const std::string_view label = take_word(arguments);
    bool done = true;
    if (file.flavour == SyslinuxFlavour::kUnknown) {
      PVHGRUB_TRY(put("if [ " + std::string(current->test) + " ]; then true;\n"));
      file.flavour = current->flavour;
      PVHGRUB_TRY_ASSIGN(done, write_entries_named(file, label));
      file.flavour = SyslinuxFlavour::kUnknown;
      PVHGRUB_TRY(put("fi\n"));
    } else if (file.flavour == current->flavour) {
      PVHGRUB_TRY_ASSIGN(done, write_entries_named(file, label));
    }
    if (!done) return false;
  }
  return true;
}

Result<bool> Script::write_menu_files(TranslatedFile& file, const Entry& entry) {
  std::string_view rest = entry.append ? std::string_view(*entry.append) : std::string_view();
  while (!rest.empty()) {
    const std::string_view name = take_word(rest);
    if (!rest.empty()) rest.remove_prefix(1);
    rest = skip_space(rest);
    // "~" is the file that is being read.
    if (name == "~") continue;
    PVHGRUB_TRY_ASSIGN(const bool done, write_configuration(file, name, ""));
    if (!done) break;
  }
  return true;
}

// Another configuration stands in the script as it is translated, unless it leads back to one around it.
// False: it stopped at an error, which GRUB forgets.
Result<bool> Script::write_configuration(TranslatedFile& file, std::string_view name,
                                         std::string_view directory) {
  TranslatedFile next;
  next.name = simplified(name_in(file, name));
  next.root = file.root;
  next.directory = name_in(file, directory);
  next.parent = &file;
  next.flavour = file.flavour;
  unsigned depth = 0;
  bool is_known = false;
  for (const TranslatedFile* around = &file; around != nullptr && !is_known; around = around->parent)
    is_known = around->name == next.name || depth++ > kNestedFiles;
  if (is_known) {
    PVHGRUB_TRY(put("  syslinux_configfile -r " + quoted_file(file, "/") + " -c " +
                    quoted_file(file, directory) + " " + quoted_file(file, name) + "\n"));
    return true;
  }
  PVHGRUB_TRY_ASSIGN(const bool done, write_file(next));
  if (done) return true;
  const bool is_missing =
      evaluator_.error() == kStatusFileNotFound || evaluator_.error() == kStatusBadFilename;
  evaluator_.clear_error();
  return is_missing;
}

}  // namespace

Result<std::optional<std::string>> translate_syslinux(Evaluator& evaluator, TranslatedFile& file) {
  Script script(evaluator);
  PVHGRUB_TRY_ASSIGN(const bool done, script.write_file(file));
  if (!done) return std::nullopt;
  return script.take();
}

}  // namespace pvhgrub::grubcfg
