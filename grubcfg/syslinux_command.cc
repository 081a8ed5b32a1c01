// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/syslinux_command.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"
#include "grubcfg/number.h"

namespace pvhgrub::grubcfg {

namespace {

/// Programs that run labels which run programs: more is a circle.
constexpr unsigned kCommandDepth = 16;
/// Bytes of a command line that syslinux itself boots with (MAX_CMDLINE_LEN).
constexpr std::size_t kLongestCommandLine = 2048;

/// What KERNEL loads, by the end of its name; other files are Linux kernels. Cases count.
constexpr std::array<std::pair<std::string_view, SyslinuxImage>, 6> kExtensions = {
    {{".c32", SyslinuxImage::kCom32},
     {".img", SyslinuxImage::kFdimage},
     {".bss", SyslinuxImage::kBss},
     {".bin", SyslinuxImage::kBoot},
     {".bs", SyslinuxImage::kBoot},
     {".0", SyslinuxImage::kPxe}}};

SyslinuxImage image_by_extension(std::string_view file) {
  for (const auto& [extension, image] : kExtensions)
    if (file.ends_with(extension)) return image;
  return SyslinuxImage::kKernel;
}

std::string_view first_word(std::string_view text) {
  return take_syslinux_word(text);
}

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty() && is_syslinux_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::string_view word = take_syslinux_word(text); !word.empty(); word = take_syslinux_word(text))
    words.push_back(word);
  return words;
}

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

/// The name of a program without its directory, in lower case.
std::string program_name(std::string_view path) {
  std::string name(path.substr(path.find_last_of("/\\") + 1));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name;
}

bool is_menu_program(std::string_view name) {
  return name == "menu.c32" || name == "vesamenu.c32";
}

BootEntry refused(BootEntry::Kind kind, std::string loader, std::string error) {
  BootEntry boot;
  boot.kind = kind;
  boot.loader_command = std::move(loader);
  boot.error = std::move(error);
  return boot;
}

}  // namespace

FileReference syslinux_file(const SyslinuxSource& source, std::string_view written) {
  std::string name(written);
  if (source.on_fat) std::ranges::replace(name, '\\', '/');
  // PXELINUX's sign for a name that begins at the root whatever the current directory is.
  if (name.starts_with("::")) name.replace(0, 2, "/");
  return {source.device, join_path(source.directory, name)};
}

SyslinuxCommands::SyslinuxCommands(const MenuContext& context, const SyslinuxSource& source,
                                   const SyslinuxConfiguration& configuration)
    : context_(context), source_(source), configuration_(configuration) {
  add_labels(*configuration.top);
}

// The first of equal labels counts. The prompt takes a label's first word, the menu and U-Boot all of it.
// Recursion: the parser bounds the depth of submenus.
void SyslinuxCommands::add_labels(const SyslinuxMenu& menu) {
  const bool whole = source_.by_menu || configuration_.has_device_trees;
  for (const SyslinuxItem& item : menu.items) {
    if (item.submenu) {
      add_labels(*item.submenu);
    } else if (!item.entry.disabled) {
      labels_.emplace(whole ? without_trailing_space(item.entry.label) : first_word(item.entry.label),
                      &item.entry);
    }
  }
}

const SyslinuxEntry* SyslinuxCommands::find_label(std::string_view command) const {
  const auto found =
      labels_.find(configuration_.has_device_trees ? without_trailing_space(command) : first_word(command));
  return found != labels_.end() ? found->second : nullptr;
}

// --- Command lines ---

// What SYSAPPEND adds of itself. Outside of a network boot the first two bits add nothing.
std::string SyslinuxCommands::sysappend(std::uint32_t bits, std::string_view where) {
  constexpr std::uint32_t kNetwork = 0x3;
  constexpr std::uint32_t kFileSystemUuid = 0x40000;
  constexpr std::uint32_t kMachine = kFileSystemUuid - 1 - kNetwork;
  if ((bits & kMachine) != 0)
    context_.diagnostics.notice(std::string(where),
                                "SYSAPPEND: what describes the machine is left out of the command line");
  if ((bits & kFileSystemUuid) == 0 || context_.devices == nullptr) return {};
  const Result<fs::FileSystem*> mounted = context_.devices->file_system(source_.device);
  if (!mounted) return {};
  std::string uuid((*mounted)->uuid());
  if ((*mounted)->type_name() == "fat") {
    for (char& c : uuid)
      if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  } else if ((*mounted)->type_name() != "ext2") {
    return {};
  }
  return uuid.empty() ? uuid : "FSUUID=" + uuid;
}

// The line that syslinux runs for an entry: "file arguments", after APPEND what INITRD and SYSAPPEND add.
std::string SyslinuxCommands::command_line_of(const SyslinuxEntry& entry) {
  std::string line;
  if (entry.kernel) {
    line = *entry.kernel;
  } else {
    line = source_.by_menu ? std::string_view(entry.label) : first_word(entry.label);
  }
  if (!entry.append.empty()) line += " " + entry.append;
  if (!entry.initrds.empty()) line += " initrd=" + entry.initrds.back();
  const std::string more = sysappend(entry.sysappend, entry.where);
  if (!more.empty()) line += " " + more;
  return line;
}

SyslinuxCommands::Command SyslinuxCommands::split(std::string_view text, SyslinuxImage image) {
  Command command;
  command.image = image;
  // "KERNEL" with nothing behind it names no file, whatever APPEND says; "LINUX" does not come first.
  if (image == SyslinuxImage::kKernel && !text.empty() && is_syslinux_space(text.front())) {
    command.arguments = text;
    return command;
  }
  std::string_view word = take_syslinux_word(text);
  // ".linux FILE ARGUMENTS" tells the kind of the file; there may be several, the last counts.
  while (word.starts_with('.')) {
    const std::optional<SyslinuxImage> named = syslinux_image_named(word.substr(1));
    if (!named) break;
    command.image = *named;
    word = take_syslinux_word(text);
  }
  command.kernel = word;
  command.arguments = text;
  if (command.image == SyslinuxImage::kKernel) command.image = image_by_extension(word);
  if (command.image == SyslinuxImage::kCom32 && !word.ends_with(".c32")) command.kernel += ".c32";
  return command;
}

Result<std::optional<SyslinuxCommands::Command>> SyslinuxCommands::look_up(std::string_view text) {
  std::string_view arguments = text;
  const std::string_view word = take_syslinux_word(arguments);
  if (word.empty()) return std::nullopt;
  if (const SyslinuxEntry* const entry = find_label(text)) {
    std::string line = command_line_of(*entry);
    if (!arguments.empty()) line.append(" ").append(arguments);
    return split(line, entry->image);
  }
  if (!configuration_.implicit && !source_.by_menu) return std::nullopt;
  std::string line(text);
  const std::string more = sysappend(configuration_.sysappend, "SYSAPPEND");
  if (!more.empty()) line += " " + more;
  Command command = split(line, SyslinuxImage::kKernel);
  if (command.image != SyslinuxImage::kKernel) return command;
  // The prompt looks for the name with each extension first.
  GuestFiles files = context_.files();
  for (const auto& [extension, image] : kExtensions) {
    if (source_.by_menu || !files.has_disk()) break;
    PVHGRUB_TRY_ASSIGN(const bool there, files.is_file(file(command.kernel + std::string(extension))));
    if (!there) continue;
    command.kernel += extension;
    command.image = image;
    return command;
  }
  PVHGRUB_TRY_ASSIGN(const bool there, files.is_file(file(command.kernel)));
  if (!there) return std::nullopt;
  return command;
}

Result<SyslinuxOutcome> SyslinuxCommands::choose(const SyslinuxEntry& entry) {
  switch (entry.action) {
    case SyslinuxAction::kBoot:
      break;
    case SyslinuxAction::kGoto:
      return SyslinuxOutcome{
          refused(BootEntry::Kind::kNone, "menu goto", "the entry leads to the menu `" + entry.target + "'"),
          std::nullopt};
    case SyslinuxAction::kExit:
      return SyslinuxOutcome{
          refused(BootEntry::Kind::kNone, "menu exit", "the entry leads back to another menu"), std::nullopt};
    case SyslinuxAction::kQuit:
      return SyslinuxOutcome{
          refused(BootEntry::Kind::kNone, "menu quit", "the entry leads to syslinux's prompt"), std::nullopt};
    case SyslinuxAction::kHelp:
      return SyslinuxOutcome{refused(BootEntry::Kind::kNone, "menu help",
                                     "the entry shows the text " + file(entry.target).to_string()),
                             std::nullopt};
  }
  if (configuration_.has_device_trees) return boot_by_u_boot(entry);
  return run(split(command_line_of(entry), entry.image), &entry);
}

Result<std::optional<SyslinuxOutcome>> SyslinuxCommands::type(std::string_view text) {
  PVHGRUB_TRY_ASSIGN(std::optional<Command> command, look_up(text));
  if (!command) return std::nullopt;
  const SyslinuxEntry* const entry = find_label(text);
  // A label that only leads elsewhere has nothing to load.
  if (entry != nullptr && (entry->action != SyslinuxAction::kBoot || configuration_.has_device_trees)) {
    PVHGRUB_TRY_ASSIGN(SyslinuxOutcome outcome, choose(*entry));
    return outcome;
  }
  PVHGRUB_TRY_ASSIGN(SyslinuxOutcome outcome, run(*command, entry));
  return outcome;
}

// --- What a command runs ---

Result<SyslinuxOutcome> SyslinuxCommands::run(const Command& command, const SyslinuxEntry* entry) {
  const std::string where =
      entry != nullptr ? entry->where : "(" + source_.device + ")" + source_.paths.front();
  const std::string kernel = command.kernel;
  const auto refuse = [](BootEntry::Kind kind, std::string loader, std::string error) {
    return SyslinuxOutcome{refused(kind, std::move(loader), std::move(error)), std::nullopt};
  };
  switch (command.image) {
    case SyslinuxImage::kKernel:
    case SyslinuxImage::kLinux:
    case SyslinuxImage::kFdimage: {  // syslinux 6 has no other loader for it than Linux's
      PVHGRUB_TRY_ASSIGN(BootEntry boot, boot_linux(command, where));
      return SyslinuxOutcome{std::move(boot), std::nullopt};
    }
    case SyslinuxImage::kCom32:
      return run_program(command, where);
    case SyslinuxImage::kConfig:
      return SyslinuxOutcome{{}, configuration_source(kernel, first_word(command.arguments))};
    case SyslinuxImage::kLocalboot:
      return refuse(BootEntry::Kind::kNone, "localboot",
                    "the entry boots the machine's disk or network by itself (LOCALBOOT " + kernel +
                        "); choose one that loads Linux");
    case SyslinuxImage::kBoot:
    case SyslinuxImage::kBss:
      return refuse(BootEntry::Kind::kOther, "boot",
                    kernel + " is a boot sector, which no PVH guest can run");
    case SyslinuxImage::kPxe:
      return refuse(BootEntry::Kind::kOther, "pxe",
                    kernel + " is a program for a network boot, which no PVH guest can run");
    case SyslinuxImage::kComboot:
    case SyslinuxImage::kNone:
      break;
  }
  return refuse(BootEntry::Kind::kOther, "comboot",
                kernel + " is a program that syslinux 6 cannot run either");
}

Result<SyslinuxOutcome> SyslinuxCommands::run_program(const Command& command, std::string_view where) {
  const std::string name = program_name(command.kernel);
  const std::vector<std::string_view> words = words_of(command.arguments);
  if (is_menu_program(name)) return SyslinuxOutcome{{}, menu_source(command.arguments)};
  if (name == "config.c32" && !words.empty())
    return SyslinuxOutcome{{},
                           configuration_source(words[0], words.size() > 1 ? words[1] : std::string_view())};
  if (name == "mboot.c32") {
    PVHGRUB_TRY_ASSIGN(BootEntry boot, boot_multiboot(command.arguments));
    return SyslinuxOutcome{std::move(boot), std::nullopt};
  }
  if (name == "linux.c32" && !words.empty()) {
    PVHGRUB_TRY_ASSIGN(BootEntry boot, boot_linux(split(command.arguments, SyslinuxImage::kLinux), where));
    return SyslinuxOutcome{std::move(boot), std::nullopt};
  }
  if (name == "reboot.c32" || name == "poweroff.c32")
    return SyslinuxOutcome{refused(BootEntry::Kind::kNone, name, "the entry runs " + name), std::nullopt};
  std::string next;
  if (name == "ifcpu64.c32") {
    // "LONG-MODE -- PAE -- OTHER": a host that runs Xen 4.10 or later has long mode.
    next = joined(
        std::span(words).first(static_cast<std::size_t>(std::ranges::find(words, "--") - words.begin())));
  } else if (name == "whichsys.c32") {
    const std::string_view own = source_.is_isolinux ? "-iso-" : "-sys-";
    const auto is_key = [](std::string_view word) {
      return word == "-iso-" || word == "-pxe-" || word == "-sys-";
    };
    // Of several the last counts.
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] != own) continue;
      const auto rest = std::span(words).subspan(i + 1);
      next = joined(rest.first(static_cast<std::size_t>(std::ranges::find_if(rest, is_key) - rest.begin())));
    }
  } else {
    return SyslinuxOutcome{refused(BootEntry::Kind::kOther, name,
                                   "the entry runs the program " + name +
                                       ", which no PVH guest can; choose one that loads Linux"),
                           std::nullopt};
  }
  if (depth_ >= kCommandDepth)
    return SyslinuxOutcome{refused(BootEntry::Kind::kNone, name, "programs that run each other for ever"),
                           std::nullopt};
  ++depth_;
  Result<std::optional<SyslinuxOutcome>> outcome = type(next);
  --depth_;
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (*outcome) return std::move(**outcome);
  return SyslinuxOutcome{refused(BootEntry::Kind::kNone, name,
                                 name + " runs `" + next + "', which is neither a label nor a file"),
                         std::nullopt};
}

Result<void> SyslinuxCommands::add_initrds(BootEntry& boot, std::string_view names, std::string_view where) {
  while (true) {
    const std::size_t comma = std::min(names.find(','), names.size());
    if (boot.initrds.size() >= limits::kInitrds)
      return fail(ErrorCode::kLimit, "more than " + std::to_string(limits::kInitrds) + " initrds",
                  std::string(where));
    const std::string_view name = first_word(names.substr(0, comma));
    if (name.empty() && boot.error.empty()) boot.error = "initrd= names no file";
    boot.initrds.push_back({file(name), std::nullopt});
    if (comma == names.size()) return {};
    names.remove_prefix(comma + 1);
  }
}

// Linux gets "BOOT_IMAGE=file arguments", with the blank even where there are no arguments. The initrds are
// those of the first "initrd=", wherever it stands, and it stays in the command line.
Result<BootEntry> SyslinuxCommands::boot_linux(const Command& command, std::string_view where) {
  BootEntry boot;
  boot.kind = BootEntry::Kind::kLinux;
  boot.loader_command = "linux";
  boot.kernel = file(command.kernel);
  std::string line = "BOOT_IMAGE=" + command.kernel + " " + command.arguments;
  PVHGRUB_TRY(context_.budget.charge_bytes(sizeof(BootEntry) + line.size(), "making boot entries"));
  if (command.kernel.empty()) boot.error = "the entry names no kernel";
  if (const std::size_t begin = line.find("initrd="); begin != std::string::npos) {
    const std::string_view rest = std::string_view(line).substr(begin + std::string_view("initrd=").size());
    PVHGRUB_TRY(add_initrds(boot, rest.substr(0, rest.find(' ')), where));
  }
  if (command.kernel.size() + 1 + command.arguments.size() >= kLongestCommandLine)
    context_.diagnostics.notice(std::string(where), "syslinux itself refuses a command line of " +
                                                        std::to_string(line.size()) + " bytes");
  if (context_.settings.boot_image_argument) {
    boot.command_line = std::move(line);
  } else {
    boot.command_line = command.arguments;
  }
  return boot;
}

// mboot.c32 [-solaris] [-aout] XEN ARGUMENTS --- LINUX ARGUMENTS --- INITRD
Result<BootEntry> SyslinuxCommands::boot_multiboot(std::string_view arguments) {
  constexpr std::array<std::string_view, 4> kOptions = {"-solaris", "-aout", "-no-solaris", "-no-aout"};
  BootEntry boot;
  boot.kind = BootEntry::Kind::kOther;
  boot.loader_command = "mboot.c32";
  const std::vector<std::string_view> words = words_of(arguments);
  PVHGRUB_TRY(context_.budget.charge_bytes(sizeof(BootEntry) + arguments.size(), "making boot entries"));
  std::span<const std::string_view> rest = words;
  while (!rest.empty() && std::ranges::find(kOptions, rest.front()) != kOptions.end()) rest = rest.subspan(1);
  for (std::size_t part = 0; !rest.empty(); ++part) {
    const auto length = static_cast<std::size_t>(std::ranges::find(rest, "---") - rest.begin());
    const std::span<const std::string_view> image = rest.first(length);
    rest = rest.subspan(std::min(length + 1, rest.size()));
    if (image.empty()) {
      boot.error = "mboot.c32: a part between two --- names no file";
      return boot;
    }
    if (part == 0) {
      boot.hypervisor = file(image.front());
      boot.hypervisor_command_line = joined(image.subspan(1));
    } else if (part == 1) {
      boot.kind = BootEntry::Kind::kLinux;
      boot.kernel = file(image.front());
      boot.command_line = joined(image.subspan(1));
    } else if (part == 2) {
      boot.initrds = {InitrdFile{file(image.front()), std::nullopt}};
    } else {
      context_.diagnostics.notice(
          "mboot.c32", "module `" + std::string(image.front()) + "' is for the hypervisor and is left out");
    }
  }
  if (boot.kind != BootEntry::Kind::kLinux)
    boot.error = "mboot.c32 loads no Linux kernel as its first module";
  return boot;
}

// U-Boot reads the same file for boards that need a device tree. Its Linux gets what APPEND says and no more,
// and an initrd is one file. https://docs.u-boot.org/en/latest/usage/cmd/pxe.html
Result<SyslinuxOutcome> SyslinuxCommands::boot_by_u_boot(const SyslinuxEntry& entry) {
  if (entry.image == SyslinuxImage::kLocalboot)
    return SyslinuxOutcome{refused(BootEntry::Kind::kNone, "localboot",
                                   "the entry runs a command of the board (LOCALBOOT); choose another"),
                           std::nullopt};
  BootEntry boot;
  boot.kind = BootEntry::Kind::kLinux;
  boot.loader_command = "linux";
  const std::string_view kernel = entry.kernel ? without_trailing_space(*entry.kernel) : std::string_view();
  // "image#configuration": what of a FIT image is booted.
  boot.kernel = file(kernel.substr(0, kernel.find('#')));
  if (kernel.empty()) boot.error = "the entry names no kernel";
  boot.command_line = without_trailing_space(entry.append);
  PVHGRUB_TRY(
      context_.budget.charge_bytes(sizeof(BootEntry) + boot.command_line.size(), "making boot entries"));
  std::string_view initrd;
  if (!entry.initrds.empty()) {
    initrd = without_trailing_space(entry.initrds.front());
  } else if (const std::size_t begin = entry.append.find("initrd="); begin != std::string::npos) {
    initrd = first_word(std::string_view(entry.append).substr(begin + std::string_view("initrd=").size()));
  }
  if (!initrd.empty()) boot.initrds = {InitrdFile{file(initrd), std::nullopt}};
  if (entry.device_tree && *entry.device_tree != "-")
    boot.device_tree = file(without_trailing_space(*entry.device_tree));
  if (boot.command_line.find("${") != std::string::npos)
    context_.diagnostics.notice(entry.where, "U-Boot fills variables in APPEND in, which is not done here");
  return SyslinuxOutcome{std::move(boot), std::nullopt};
}

// --- Further configurations ---

SyslinuxSource SyslinuxCommands::configuration_source(std::string_view file_name,
                                                      std::string_view directory) const {
  SyslinuxSource next = source_;
  next.by_menu = false;
  next.prompt_path = file(file_name).path;
  next.paths = {next.prompt_path};
  if (!directory.empty()) next.directory = file(directory).path;
  return next;
}

// menu.c32 [FILE...]: "~" is the configuration that the prompt has read.
SyslinuxSource SyslinuxCommands::menu_source(std::string_view arguments) const {
  SyslinuxSource next = source_;
  next.by_menu = true;
  next.paths.clear();
  for (const std::string_view word : words_of(arguments))
    next.paths.push_back(word == "~" ? source_.prompt_path : file(word).path);
  if (next.paths.empty()) next.paths = {source_.prompt_path};
  return next;
}

Result<std::optional<SyslinuxSource>> SyslinuxCommands::menu_of(std::string_view command,
                                                                bool is_user_interface) {
  if (find_label(command) != nullptr) return std::nullopt;
  PVHGRUB_TRY_ASSIGN(const std::optional<Command> found, look_up(command));
  std::string name;
  std::string_view arguments = command;
  if (found) {
    if (found->image != SyslinuxImage::kCom32) return std::nullopt;
    name = program_name(found->kernel);
    arguments = found->arguments;
  } else {
    // The programs may lie in a directory of their own that PATH names.
    name = program_name(take_syslinux_word(arguments)) + ".c32";
  }
  if (is_menu_program(name)) return menu_source(arguments);
  // Others that draw a menu of the same labels: gfxboot.c32.
  if (!is_user_interface && name.find("gfxboot") == std::string::npos) return std::nullopt;
  if (is_user_interface && !found) return std::nullopt;
  context_.diagnostics.explain("the menu program " + name + " is taken for menu.c32");
  SyslinuxSource next = source_;
  next.by_menu = true;
  return next;
}

}  // namespace pvhgrub::grubcfg
