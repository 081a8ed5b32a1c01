// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands for hardware, firmware and networks, which a PVH guest has not. Whether GRUB's own PVH build has a
// command (Presence) is what its command.lst says.
#include <array>

#include "grubcfg/command_table.h"
#include "grubcfg/options.h"

namespace pvhgrub::grubcfg {

namespace {

Result<Status> run_nothing(Evaluator&, const CommandCall&) {
  return kStatusOk;
}

// A question that hardware would have to answer: no.
Result<Status> run_false(Evaluator& evaluator, const CommandCall&) {
  return evaluator.raise(kStatusTestFailure, "false");
}

// The guest's network cards are no business of a boot loader in the host.
Result<Status> run_network(Evaluator& evaluator, const CommandCall&) {
  return evaluator.raise(kStatusNoNetworkCard, "no network card found");
}

// What reads the firmware's variables or registers into a GRUB variable, which then stays as it was.
Result<Status> run_no_firmware(Evaluator& evaluator, const CommandCall& call) {
  return evaluator.raise(kStatusNotImplemented,
                         "a PVH guest has no firmware for `" + std::string(call.name) + "' to ask");
}

// What changes the guest's disk.
Result<Status> run_no_writing(Evaluator& evaluator, const CommandCall& call) {
  return evaluator.raise(kStatusNotImplemented, "`" + std::string(call.name) +
                                                    "' would change the guest's disk, which is only read");
}

// Ubuntu asks whether the graphics card is on a list; a PVH guest has none.
Result<Status> run_hwmatch(Evaluator& evaluator, const CommandCall&) {
  PVHGRUB_TRY(evaluator.set_variable("match", "0"));
  return kStatusOk;
}

// -l: long mode; -p: physical address extension. A host that runs Xen 4.10 or later has both.
Result<Status> run_cpuid(Evaluator& evaluator, const CommandCall& call) {
  constexpr std::array<OptionSpec, 2> kOptions = {
      {{"long-mode", 'l', false, false}, {"pae", 'p', false, false}}};
  ParsedOptions parsed;
  if (!parse_options(evaluator, call.arguments, kOptions, static_cast<unsigned>(OptionStyle::kPlain), parsed))
    return evaluator.error();
  return kStatusOk;
}

constexpr Presence kSome = Presence::kSomeBuilds;

constexpr std::array kCommands = {
    // Questions.
    CommandEntry{"cmostest", run_false, kSome},
    CommandEntry{"cpuid", run_cpuid},
    CommandEntry{"hwmatch", run_hwmatch, kSome},
    CommandEntry{"keystatus", run_false},
    CommandEntry{"rdmsr", run_false, kSome},
    CommandEntry{"smbios", run_false, kSome},
    CommandEntry{"inb", run_no_firmware, kSome},
    CommandEntry{"inl", run_no_firmware, kSome},
    CommandEntry{"inw", run_no_firmware, kSome},
    CommandEntry{"read_byte", run_no_firmware},
    CommandEntry{"read_dword", run_no_firmware},
    CommandEntry{"read_word", run_no_firmware},
    CommandEntry{"xen_cat", run_no_firmware, kSome},
    CommandEntry{"xen_ls", run_no_firmware, kSome},
    // Memory, ports, tables, timers.
    CommandEntry{"915resolution", run_nothing, kSome},
    CommandEntry{"acpi", run_nothing, kSome},
    CommandEntry{"backtrace", run_nothing},
    CommandEntry{"badram", run_nothing},
    CommandEntry{"boottime", run_nothing, kSome},
    CommandEntry{"cacheinfo", run_nothing, kSome},
    CommandEntry{"cbmemc", run_nothing, kSome},
    CommandEntry{"cmosclean", run_nothing, kSome},
    CommandEntry{"cmosdump", run_nothing, kSome},
    CommandEntry{"cmosset", run_nothing, kSome},
    CommandEntry{"coreboot_boottime", run_nothing, kSome},
    CommandEntry{"cutmem", run_nothing},
    CommandEntry{"date", run_nothing},
    CommandEntry{"drivemap", run_nothing, kSome},
    CommandEntry{"dump", run_nothing},
    CommandEntry{"gdbstub", run_nothing, kSome},
    CommandEntry{"gdbstub_break", run_nothing, kSome},
    CommandEntry{"gdbstub_stop", run_nothing, kSome},
    CommandEntry{"hdparm", run_nothing, kSome},
    CommandEntry{"hexdump_random", run_nothing, kSome},
    CommandEntry{"lsacpi", run_nothing, kSome},
    CommandEntry{"lsapm", run_nothing, kSome},
    CommandEntry{"lscoreboot", run_nothing, kSome},
    CommandEntry{"lsdev", run_nothing, kSome},
    CommandEntry{"lsfreemem", run_nothing, kSome},
    CommandEntry{"lsmem", run_nothing, kSome},
    CommandEntry{"lsmemregions", run_nothing, kSome},
    CommandEntry{"lsmmap", run_nothing},
    CommandEntry{"lspci", run_nothing, kSome},
    CommandEntry{"lsspd", run_nothing, kSome},
    CommandEntry{"nthibr", run_false, kSome},
    CommandEntry{"outb", run_nothing, kSome},
    CommandEntry{"outl", run_nothing, kSome},
    CommandEntry{"outw", run_nothing, kSome},
    CommandEntry{"pcidump", run_nothing, kSome},
    CommandEntry{"play", run_nothing, kSome},
    CommandEntry{"sendkey", run_nothing, kSome},
    CommandEntry{"setpci", run_nothing, kSome},
    CommandEntry{"stress_big_allocs", run_nothing, kSome},
    CommandEntry{"suspend", run_nothing, kSome},
    CommandEntry{"usb", run_nothing, kSome},
    CommandEntry{"write_byte", run_nothing},
    CommandEntry{"write_dword", run_nothing},
    CommandEntry{"write_word", run_nothing},
    CommandEntry{"wrmsr", run_nothing, kSome},
    // Firmware.
    CommandEntry{"connectefi", run_nothing, kSome},
    CommandEntry{"efi-export-env", run_no_firmware, kSome},
    CommandEntry{"efi-load-env", run_no_firmware, kSome},
    CommandEntry{"efiemu_loadcore", run_nothing, kSome},
    CommandEntry{"efiemu_pnvram", run_nothing, kSome},
    CommandEntry{"efiemu_prepare", run_nothing, kSome},
    CommandEntry{"efiemu_unload", run_nothing, kSome},
    CommandEntry{"efitextmode", run_nothing, kSome},
    CommandEntry{"efivar", run_no_firmware, kSome},
    CommandEntry{"fakebios", run_nothing, kSome},
    CommandEntry{"fix_video", run_nothing, kSome},
    CommandEntry{"fwconfig", run_no_firmware, kSome},
    CommandEntry{"getenv", run_no_firmware, kSome},
    CommandEntry{"loadbios", run_nothing, kSome},
    CommandEntry{"lsefi", run_nothing, kSome},
    CommandEntry{"lsefienv", run_nothing, kSome},
    CommandEntry{"lsefimmap", run_nothing, kSome},
    CommandEntry{"lsefisystab", run_nothing, kSome},
    CommandEntry{"lssal", run_nothing, kSome},
    // Networks.
    CommandEntry{"net_add_addr", run_network},
    CommandEntry{"net_add_dns", run_network},
    CommandEntry{"net_add_route", run_network},
    CommandEntry{"net_bootp", run_network},
    CommandEntry{"net_bootp6", run_network},
    CommandEntry{"net_del_addr", run_network},
    CommandEntry{"net_del_dns", run_network},
    CommandEntry{"net_del_route", run_network},
    CommandEntry{"net_dhcp", run_network},
    CommandEntry{"net_get_dhcp_option", run_network},
    CommandEntry{"net_ipv6_autoconf", run_network},
    CommandEntry{"net_ls_addr", run_nothing},
    CommandEntry{"net_ls_cards", run_nothing},
    CommandEntry{"net_ls_dns", run_nothing},
    CommandEntry{"net_ls_routes", run_nothing},
    CommandEntry{"net_nslookup", run_network},
    CommandEntry{"net_set_vlan", run_network, kSome},
    // Changes of a disk.
    CommandEntry{"gptrepair", run_no_writing, kSome},
    CommandEntry{"gptsync", run_no_writing},
    CommandEntry{"macppcbless", run_no_writing},
    CommandEntry{"mactelbless", run_no_writing},
    CommandEntry{"parttool", run_no_writing},
};

}  // namespace

std::span<const CommandEntry> hardware_commands() {
  return kCommands;
}

}  // namespace pvhgrub::grubcfg
