// SPDX-License-Identifier: LGPL-2.1-or-later
#include "src/broker/help.h"

namespace pvhgrub::broker {

const char* const kHelp =
    R"(usage: pvhgrub [OPTION]... DISK [DISK]...

Boots a Linux guest's own choice of kernel: reads the boot configuration on DISK (an image file or block device) in a
sandbox and hands kernel, ramdisk and command line to the toolstack. In xl.cfg: bootloader = "pvhgrub"

As pygrub:
  -q, --quiet               boot the default entry, ask nobody (without it a terminal shows the menu)
  -i, --interactive         show the menu, also where standard output is no terminal
  -l, --list-entries        list the boot entries (as JSON with --output-format=json)
  -n, --not-really          choose and check, but copy nothing
  -h, --help                print this
  --output=FILE             write the result here; '-', the default, is standard output
  --output-format=FORMAT    sxp (the default), simple, simple0, simple0-extended, json
  --output-directory=DIR    put kernel and ramdisk here (default /var/run/xen/pygrub)
  --kernel=PATH             boot this file of the guest, read no boot configuration
  --ramdisk=PATH            take this file of the guest as the ramdisk
  --args=ARGS               append to the kernel's command line
  --entry=ENTRY             boot this entry: index, title, id, glob, or a path of them ('1>0')
  --offset=BYTES            the file system begins here on DISK, no partition table is read
  --runas=UID               user id of the confined worker, never 0
  --isconfig                DISK is a boot configuration file instead
  --debug                   say still more than --explain

And also:
  --explain                 tell each step from disk to choice, and why, on standard error
  --disk=PATH               another disk of the guest: hd1, then hd2 ... (as more DISKs; LVM, RAID, search)
  --eval=FILE               run a GRUB script ('-': standard input) and boot nothing; DISK may be left out
  --source=KIND             follow only this kind of boot configuration: grub, bls, uki, extlinux, grub-legacy,
                            freebsd, netbsd, elf (a kernel alone), efi (what a UEFI firmware starts)
  --config=PATH             follow this file of the guest, (device)/path or /path
  --grubenv=MODE            the guest's environment block: read (the default; one-shot entries are not followed),
                            write (as GRUB: also what it saves), ignore
  --no-boot-image           leave BOOT_IMAGE= out of the command line
  --boot-hypervisor         of a Xen entry, boot Xen itself and give it the Linux kernel as its module
  --boot=HOW                auto (the default: what the kernel says decides), direct, firmware, shim
  --guest-type=TYPE         the domain is pvh, pv or arm (default: as xenstore tells, else unknown)
  --firmware=NAME           what starts a guest that has no kernel for Xen: ovmf, pvgrub, a path of the host
  --shim=PATH               Xen's PV shim on the host, for a PV kernel in a PVH domain
  --kernel-format=FORM      hand the kernel over decompressed (elf, the default) or as it is in the guest (as-is)
  --module=PATH             a file of the host that goes with the kernel, beside the ramdisk (json, simple0-extended)
  --module-as=FORM          the module before it: raw, or initrd:NAME to put it into the ramdisk under that name
  --sha256                  tell the checksum of each output (json, simple0-extended)
  --inspect                 tell what DISK, or the kernel image that it is, holds and how it would boot
  --grub-platform=NAME      what $grub_platform says (default xen_pvh)
  --appliance=WHEN          read file systems by libguestfs: never (the default), auto (where no reader fits; takes
                            tens of seconds), always
  --deadline=SECONDS        give up after so long (default 120; 0: never)
  --sandbox-report          tell which layers confine the worker; DISK may be left out
  --allow-landlock-only     where namespaces cannot be had, let Landlock alone hide the host's files
  --version                 print the version

Exit status: 0 result written, 1 error, 2 usage, 3 no sandbox, 4 nothing to boot, 5 guest damaged, 6 limit or deadline.
)";

}  // namespace pvhgrub::broker
