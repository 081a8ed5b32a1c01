// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grubcfg/command_help.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "grubcfg/command_table.h"

namespace pvhgrub::grubcfg {

namespace {

struct Help {
  std::string_view name;
  std::string_view usage;  ///< what follows the name
  std::string_view effect;
};

/// What a person types, and the words of the language.
constexpr std::array kHelp = {
    Help{"[", "EXPRESSION ]", "the same as test"},
    Help{"blscfg", "[DIRECTORY|FILE]", "makes menu entries of the files in /loader/entries"},
    Help{"boot", "", "boots what is loaded"},
    Help{"break", "[LOOPS]", "leaves a loop"},
    Help{"cat", "FILE", "prints a file"},
    Help{"chainloader", "FILE [ARGUMENT...]", "loads an EFI program: a unified kernel image can be booted"},
    Help{"cmp", "[-v] FILE FILE", "tells whether two files have the same contents"},
    Help{"configfile", "FILE", "shows the menu of another configuration"},
    Help{"continue", "[LOOPS]", "goes on with a loop's next turn"},
    Help{"devicetree", "[FILE]", "names a device tree for the kernel; without a file, none"},
    Help{"echo", "[-n] [-e] [TEXT...]", "prints a text"},
    Help{"eval", "TEXT...", "executes a text as a command"},
    Help{"exit", "", "goes back to the menu"},
    Help{"export", "NAME...", "hands variables on to submenus and other configurations"},
    Help{"extract_entries_configfile", "FILE",
         "shows the entries of another configuration and runs nothing else"},
    Help{"extract_entries_source", "FILE",
         "takes the entries of another configuration and runs nothing else"},
    Help{"false", "", "does nothing, and fails"},
    Help{"file", "--is-KIND FILE", "tells whether a file is of a kind (--is-x86-linux, --is-x86_64-efi ...)"},
    Help{"for", "NAME in WORD...; do COMMAND...; done", "executes commands for each word"},
    Help{"function", "NAME { COMMAND...; }", "makes a command of others"},
    Help{"halt", "", "ends GRUB: here there is no machine to halt"},
    Help{"help", "[NAME...]", "lists the commands, or tells how those are used whose names begin so"},
    Help{"hexdump", "[-s SKIP] [-n BYTES] FILE|(DEVICE)", "prints bytes of a file or a device"},
    Help{"if", "COMMAND; then COMMAND...; [elif ...;] [else ...;] fi",
         "executes commands if another succeeds"},
    Help{"initrd", "FILE...", "loads one or more initial ramdisks for the kernel"},
    Help{"insmod", "MODULE", "loads a module of GRUB: here all are there"},
    Help{"legacy_configfile", "FILE", "shows the menu of GRUB Legacy (menu.lst)"},
    Help{"linux", "FILE [ARGUMENT...]", "loads a Linux kernel with its command line"},
    Help{"list_env", "[-f FILE]", "prints the variables of an environment block (grubenv)"},
    Help{"load_env", "[-f FILE] [NAME...]", "sets variables from an environment block (grubenv)"},
    Help{"loopback", "[-d] NAME [FILE]", "opens a disk image in a file as the disk (NAME)"},
    Help{"ls", "[-l] [-h] [-a] [FILE...]", "lists the devices, tells of one, or lists a directory"},
    Help{"menuentry", "TITLE [--id ID] [--class CLASS] [--users NAMES] { COMMAND...; }",
         "makes a menu entry"},
    Help{"module", "FILE [ARGUMENT...]",
         "loads a file for a Multiboot kernel: behind Xen, Linux or its initrd"},
    Help{"module2", "FILE [ARGUMENT...]",
         "loads a file for a Multiboot 2 kernel: behind Xen, Linux or its initrd"},
    Help{"multiboot", "FILE [ARGUMENT...]", "loads a Multiboot kernel, such as Xen"},
    Help{"multiboot2", "FILE [ARGUMENT...]", "loads a Multiboot 2 kernel, such as Xen"},
    Help{"normal", "[FILE]", "goes back to the menu, or shows the menu of another configuration"},
    Help{"normal_exit", "", "goes back to the menu"},
    Help{"password", "USER PASSWORD", "gives a user a password; `superusers' names who may edit"},
    Help{"password_pbkdf2", "USER HASH", "gives a user a password by what grub-mkpasswd-pbkdf2 made of it"},
    Help{"probe", "[--set NAME] [-d|-p|-f|-u|-l] DEVICE",
         "tells a device's driver, partition map, file system, UUID or label"},
    Help{"reboot", "", "ends GRUB: here there is no machine to boot anew"},
    Help{"regexp", "[--set [NUMBER:]NAME] PATTERN TEXT", "tells whether a text matches a regular expression"},
    Help{"save_env", "[-f FILE] NAME...", "saves variables in an environment block (grubenv)"},
    Help{"search", "[--file|--label|--fs-uuid] [--set[=NAME]] KEY", "looks for a device by what it holds"},
    Help{"set", "[NAME=VALUE]", "sets a variable, or prints them all"},
    Help{"sleep", "SECONDS", "waits, but not here"},
    Help{"source", "FILE", "executes the commands of another configuration"},
    Help{"submenu", "TITLE { COMMAND...; }", "makes a menu entry that is a menu of its own"},
    Help{"test", "EXPRESSION",
         "tells whether an expression is true: A = B, -f FILE, -d DIRECTORY, -z TEXT ..."},
    Help{"true", "", "does nothing, and succeeds"},
    Help{"unset", "NAME", "removes a variable"},
    Help{"until", "COMMAND; do COMMAND...; done", "executes commands until another succeeds"},
    Help{"while", "COMMAND; do COMMAND...; done", "executes commands while another succeeds"},
};

/// What the commands of one source file have in common.
std::string_view effect_of_kind(std::string_view name) {
  struct Kind {
    std::span<const CommandEntry> commands;
    std::string_view effect;
  };
  const std::array kinds = {
      Kind{language_commands(), "is a part of the language"},
      Kind{file_commands(), "reads a configuration or another file"},
      Kind{environment_commands(), "works on an environment block (grubenv)"},
      Kind{search_commands(), "looks for a device by what it holds, as search does"},
      Kind{device_commands(), "works on devices and file systems"},
      Kind{inspection_commands(), "looks into files or texts"},
      Kind{hash_commands(), "calculates or checks checksums of files"},
      Kind{loader_commands(), "loads a kernel or a loader, or a file for one"},
      Kind{menu_commands(), "makes menu entries, or guards them by passwords"},
      Kind{bls_commands(), "makes menu entries of Boot Loader Specification files"},
      Kind{legacy_commands(), "reads menus of GRUB Legacy"},
      Kind{syslinux_commands(), "reads menus of syslinux"},
      Kind{hardware_commands(), "is for hardware that a PVH guest does not have"},
  };
  for (const Kind& kind : kinds)
    if (std::ranges::find(kind.commands, name, &CommandEntry::name) != kind.commands.end())
      return kind.effect;
  return "is accepted, and has no effect on what is booted here";
}

std::string help_line(const Help& help) {
  std::string line(help.name);
  if (!help.usage.empty()) line += " " + std::string(help.usage);
  return line + " -- " + std::string(help.effect) + "\n";
}

/// All that help can tell of, in order.
std::vector<Help> all_help() {
  std::vector<Help> all(kHelp.begin(), kHelp.end());
  for (const std::string_view name : command_names())
    if (std::ranges::find(kHelp, name, &Help::name) == kHelp.end())
      all.push_back({name, "", effect_of_kind(name)});
  std::ranges::sort(all, {}, &Help::name);
  return all;
}

/// The names in columns for 80 characters; a longer name takes the place of two or more.
std::string in_columns(const std::vector<Help>& all) {
  constexpr std::size_t kColumn = 19;
  constexpr std::size_t kWidth = 4 * kColumn;
  std::string text;
  std::size_t column = 0;
  for (const Help& help : all) {
    const std::size_t width = (help.name.size() + kColumn) / kColumn * kColumn;
    if (column + width > kWidth) {
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
      column = 0;
    }
    text += help.name;
    text.append(width - help.name.size(), ' ');
    column += width;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

}  // namespace

Result<Status> run_help(Evaluator& evaluator, const CommandCall& call) {
  static const std::vector<Help> all = all_help();
  std::vector<std::string_view> wanted;
  for (const std::string& argument : call.arguments)
    if (!argument.starts_with("--")) wanted.emplace_back(argument);
  if (wanted.empty()) {
    PVHGRUB_TRY(
        evaluator.print(in_columns(all) + "`help NAME' tells how the commands are used that begin so.\n"));
    return kStatusOk;
  }
  PVHGRUB_TRY(evaluator.session().budget.charge_steps(wanted.size() * all.size() / 16, "printing help"));
  for (const std::string_view name : wanted) {
    std::string text;
    for (const Help& help : all)
      if (help.name.starts_with(name)) text += help_line(help);
    if (text.empty())
      return evaluator.raise(kStatusUnknownCommand,
                             "no command's name begins with `" + std::string(name) + "'");
    PVHGRUB_TRY(evaluator.print(text));
  }
  return kStatusOk;
}

}  // namespace pvhgrub::grubcfg
