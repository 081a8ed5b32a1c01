#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The boot configurations of all kinds on one disk: what is booted, and which of them wins."""
import os
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from guest_image import UUID  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
XBOOTLDR = "BC13C2FF-59E6-4262-A352-B275FD6F7172"
MIB = 1048576


def pe_file(*sections):
    """A PE32+ program with these (name, contents) as its sections (PE format, Microsoft)."""
    headers = bytearray(b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)).ljust(0x80, b"\0")
    headers += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections), 0, 0, 0, 240, 0x22)
    optional = bytearray(240)
    struct.pack_into("<H", optional, 0, 0x20B)
    struct.pack_into("<II", optional, 32, 4096, 512)  # alignment of sections in memory and in the file
    struct.pack_into("<H", optional, 68, 10)  # EFI application
    struct.pack_into("<I", optional, 108, 16)
    offset, address, table, body = 1024, 4096, b"", b""
    for name, contents in sections:
        raw = (len(contents) + 511) // 512 * 512
        table += struct.pack("<8sIIIIIIHHI", name.encode(), len(contents), address, raw, offset, 0, 0, 0, 0, 0x40000040)
        body += contents.ljust(raw, b"\0")
        offset += raw
        address += (len(contents) + 4095) // 4096 * 4096
    struct.pack_into("<II", optional, 56, address, 1024)  # size of the image, of the headers
    return bytes(headers + optional + table).ljust(1024, b"\0") + body


def unified_image(tree, title="Arch Linux", command_line="root=/dev/xvda2 rw uki"):
    return pe_file((".osrel", f'ID=arch\nPRETTY_NAME="{title}"\nVERSION_ID=1\n'.encode()),
                   (".cmdline", command_line.encode()), (".linux", tree.kernel), (".initrd", tree.initrd))


SYSTEMD_BOOT = pe_file((".text", b"\xc3"), (".sdmagic", b"#### LoaderInfo: systemd-boot 252 ####\0"))
GRUB_EFI = pe_file((".text", b"\xc3"), ("mods", b"mimg"))


class Configurations(Fixture):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kernels = {"/boot/vmlinuz": cls.tree.kernel, "/boot/initrd.img": cls.tree.initrd}

    def disk_of(self, *partitions):
        """A GPT disk; each partition is (type GUID, {path: contents})."""
        path = os.path.join(self.base, "several.img")
        with open(path, "wb") as file:
            file.truncate((2 + 24 * len(partitions)) * MIB)
        script = "label: gpt\n"
        for number, (kind, _) in enumerate(partitions):
            script += f"start={1 + 24 * number}MiB, size=24MiB, type={kind}\n"
        guest_image.run("sfdisk", "-q", path, input=script.encode())
        for number, (_, files) in enumerate(partitions):
            tree = os.path.join(self.out, f"tree{number}")
            for name, contents in files.items():
                os.makedirs(os.path.dirname(tree + name), exist_ok=True)
                with open(tree + name, "wb") as file:
                    file.write(contents if isinstance(contents, bytes) else contents.encode())
            guest_image.make_ext4(path, tree, 24, (1 + 24 * number) * MIB)
            subprocess.run(["rm", "-r", tree], check=True)
        return path

    def of_root(self, **files):
        return ("L", {**self.kernels, **{name: text for name, text in files.items()}})

    def kinds(self, disk):
        """The kinds in the order in which they would be tried."""
        done = pvhgrub("-q", "-n", "--explain", disk)
        lines = done.stderr.decode().splitlines()
        return [line.rsplit("(", 1)[1].rstrip(")\r") for line in lines
                if ": configuration " in line and " of " in line]


GRUB_CFG = "menuentry 'from grub' {\n linux /boot/vmlinuz grub\n}\n"
BLS_ENTRY = ("title from bls\nsort-key aaa\nversion 6.1\nlinux /boot/vmlinuz\ninitrd /boot/initrd.img\noptions root=/dev/xvda2\n"
             "options ro bls\n")
EXTLINUX = "DEFAULT linux\nLABEL linux\n LINUX /boot/vmlinuz\n INITRD /boot/initrd.img\n APPEND ro extlinux\n"
MENU_LST = "default 0\ntimeout 3\ntitle from legacy\nroot (hd0,0)\nkernel /boot/vmlinuz ro legacy\ninitrd /boot/initrd.img\n"
ALL = {"/boot/grub/grub.cfg": GRUB_CFG, "/loader/entries/a.conf": BLS_ENTRY,
       "/boot/extlinux/extlinux.conf": EXTLINUX, "/boot/grub/menu.lst": MENU_LST}


class EachKind(Configurations):
    def check_boot(self, disk, words, *arguments):
        result = self.boot(*arguments, disk=disk)
        self.assertEqual(self.contents(result["kernel"]), self.tree.kernel)
        self.assertEqual(self.contents(result["ramdisk"]), self.tree.initrd)
        self.assertEqual(result["args"], words)

    def test_an_entry_of_systemd_boot_is_booted_with_its_options_joined(self):
        disk = self.disk_of((ESP, {**self.kernels, "/loader/entries/a.conf": BLS_ENTRY}))
        self.check_boot(disk, "root=/dev/xvda2 ro bls")
        listing = self.listing(disk=disk)
        self.assertEqual(listing["source"]["kind"], "bls")
        self.assertEqual(listing["entries"][0]["title"], "from bls")

    def test_entries_of_esp_and_xbootldr_make_one_menu(self):
        disk = self.disk_of((ESP, {**self.kernels, "/loader/loader.conf": "timeout 7\ndefault b*\n",
                                   "/loader/entries/a.conf": BLS_ENTRY}),
                            (XBOOTLDR, {**self.kernels, "/loader/entries/b.conf": BLS_ENTRY.replace("bls", "xboot")}))
        listing = self.listing(disk=disk)
        self.assertEqual(len(listing["entries"]), 2)
        self.assertEqual(listing["timeout"], 7)
        self.check_boot(disk, "root=/dev/xvda2 ro xboot")

    def test_a_unified_kernel_image_is_unwrapped(self):
        disk = self.disk_of((ESP, {"/EFI/Linux/arch.efi": unified_image(self.tree)}))
        self.check_boot(disk, "root=/dev/xvda2 rw uki")
        listing = self.listing(disk=disk)
        self.assertEqual(listing["source"]["kind"], "uki")
        self.assertEqual(listing["entries"][0]["title"], "Arch Linux")
        self.assertEqual(listing["entries"][0]["kernel"], "(hd0,gpt1)/EFI/Linux/arch.efi:.linux")

    def test_a_unified_kernel_image_is_booted_where_firmware_would_find_it(self):
        disk = self.disk_of((ESP, {"/EFI/BOOT/BOOTX64.EFI": unified_image(self.tree)}))
        self.check_boot(disk, "root=/dev/xvda2 rw uki")

    def test_grub_starts_a_unified_kernel_image(self):
        disk = self.disk_of(("L", {"/uki.efi": unified_image(self.tree),
                                   "/boot/grub/grub.cfg": "menuentry uki {\n chainloader /uki.efi\n}\n"}))
        self.check_boot(disk, "root=/dev/xvda2 rw uki")

    def test_extlinux_is_booted_as_it_would(self):
        disk = self.disk_of(("L", {**self.kernels, "/boot/extlinux/extlinux.conf": EXTLINUX}))
        self.check_boot(disk, "BOOT_IMAGE=/boot/vmlinuz ro extlinux initrd=/boot/initrd.img")
        self.assertEqual(self.listing(disk=disk)["source"]["kind"], "extlinux")

    def test_grub_legacy_is_booted_as_it_would(self):
        disk = self.disk_of(("L", {**self.kernels, "/boot/grub/menu.lst": MENU_LST}))
        self.check_boot(disk, "ro legacy")
        self.assertEqual(self.listing(disk=disk)["source"]["kind"], "grub-legacy")

    def test_grub_follows_fedoras_entries(self):
        disk = self.disk_of(("L", {**self.kernels, "/loader/entries/f-6.1.conf": BLS_ENTRY,
                                   "/loader/entries/f-6.10.conf": BLS_ENTRY.replace("from bls", "newest"),
                                   "/boot/grub2/grub.cfg": "set default_kernelopts='quiet'\nblscfg\n"}))
        listing = self.listing(disk=disk)
        self.assertEqual(listing["source"]["kind"], "grub2")
        self.assertEqual([entry["title"] for entry in listing["entries"]], ["newest", "from bls"])
        self.assertEqual(listing["entries"][0]["cmdline"], "BOOT_IMAGE=(hd0,gpt1)/boot/vmlinuz root=/dev/xvda2")

    def test_a_bare_configuration_of_each_kind_is_known_by_its_name(self):
        for name, text, words in (("extlinux.conf", EXTLINUX, b"BOOT_IMAGE=/boot/vmlinuz ro extlinux initrd=/boot/initrd.img"),
                                  ("menu.lst", MENU_LST, b"ro legacy"), ("grub.cfg", GRUB_CFG, b"BOOT_IMAGE=/boot/vmlinuz grub")):
            path = os.path.join(self.out, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            done = pvhgrub("--isconfig", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b"  args: " + words + b"\n", done.stdout)

    def test_a_bare_configuration_is_what_source_says(self):
        path = os.path.join(self.out, "some.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write(MENU_LST)
        self.assertIn(b"ro legacy", pvhgrub("--isconfig", "--source=grub-legacy", path).stdout)
        self.assertEqual(pvhgrub("--isconfig", "--source=bls", path).returncode, 2)


class WhichWins(Configurations):
    def test_without_a_loader_that_is_known_the_documented_order_counts(self):
        disk = self.disk_of(("L", {**self.kernels, **ALL, "/EFI/Linux/a.efi": unified_image(self.tree)}))
        self.assertEqual(self.kinds(disk), ["grub2", "bls", "uki", "extlinux", "grub-legacy"])
        self.assertTrue(self.boot(disk=disk)["args"].endswith("grub"))

    def test_what_a_uefi_firmware_starts_comes_first(self):
        for program, first in ((SYSTEMD_BOOT, "bls"), (GRUB_EFI, "grub2"), (unified_image(self.tree), "uki")):
            disk = self.disk_of((ESP, {"/EFI/BOOT/BOOTX64.EFI": program}), ("L", {**self.kernels, **ALL}))
            self.assertEqual(self.kinds(disk)[0], first)

    def test_a_loader_that_is_installed_alone_needs_no_default_name(self):
        disk = self.disk_of((ESP, {"/EFI/systemd/systemd-bootx64.efi": SYSTEMD_BOOT}), ("L", {**self.kernels, **ALL}))
        self.assertEqual(self.kinds(disk)[0], "bls")

    def test_what_a_bios_starts_comes_first_where_there_is_no_efi_program(self):
        disk = self.disk_of(("L", {**self.kernels, **ALL}))
        with open(disk, "r+b") as file:
            file.seek(MIB + 3)
            file.write(b"EXTLINUX")  # the first partition's boot sector, as extlinux --install leaves it
        self.assertEqual(self.kinds(disk)[0], "extlinux")
        with open(disk, "r+b") as file:
            file.seek(384)
            file.write(b"GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0")  # the disk's, as grub-install leaves it
        self.assertEqual(self.kinds(disk)[:2], ["grub2", "grub-legacy"])

    def test_the_next_configuration_is_tried_when_one_cannot_be_booted(self):
        disk = self.disk_of(("L", {**self.kernels, "/boot/grub/grub.cfg": "menuentry a {\n linux /not-there\n}\n",
                                   "/boot/extlinux/extlinux.conf": EXTLINUX}))
        result = self.boot(disk=disk)
        self.assertTrue(result["args"].endswith("extlinux initrd=/boot/initrd.img"))
        self.assertIn(b"trying this configuration instead", pvhgrub("-q", "-n", disk).stderr)

    def test_source_follows_only_the_kind_that_it_names(self):
        disk = self.disk_of(("L", {**self.kernels, **ALL, "/EFI/Linux/a.efi": unified_image(self.tree)}))
        for source, end in (("grub", "grub"), ("bls", "bls"), ("uki", "uki"), ("extlinux", "extlinux initrd=/boot/initrd.img"),
                            ("grub-legacy", "legacy")):
            self.assertTrue(self.boot(f"--source={source}", disk=disk)["args"].endswith(end))

    def test_source_that_is_not_there_says_so(self):
        done = self.boot("--source=uki", disk=self.disk_of(("L", {**self.kernels, **ALL})), status=4)
        self.assertIn(b"--source=uki", done.stderr)
        self.assertEqual(pvhgrub("--source=lilo", self.disk).returncode, 2)

    def test_config_names_the_file_itself(self):
        disk = self.disk_of(("L", {**self.kernels, **ALL, "/other/extlinux.conf": EXTLINUX.replace("ro", "other"),
                                   "/EFI/Linux/a.efi": unified_image(self.tree)}))
        for path, words in (("/other/extlinux.conf", "other extlinux initrd=/boot/initrd.img"), ("(hd0,gpt1)/boot/grub/menu.lst", "ro legacy"),
                            ("(hd0,gpt1)/loader/entries", "root=/dev/xvda2 ro bls"),
                            ("/EFI/Linux/a.efi", "root=/dev/xvda2 rw uki")):
            self.assertTrue(self.boot(f"--config={path}", disk=disk)["args"].endswith(words), path)

    def test_config_that_is_not_there_says_so(self):
        done = self.boot("--config=/nowhere/grub.cfg", status=1)
        self.assertIn(b"/nowhere/grub.cfg", done.stderr)

    def test_explain_says_which_loader_it_is(self):
        disk = self.disk_of((ESP, {"/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT}), ("L", {**self.kernels, **ALL}))
        self.assertIn(b"(hd0,gpt1)/EFI/BOOT/BOOTX64.EFI is systemd-boot, which a UEFI firmware starts",
                      pvhgrub("-q", "-n", "--explain", disk).stderr)


class Entries(Configurations):
    def test_entries_of_the_boot_loader_specification_are_named_with_or_without_their_ending(self):
        disk = self.disk_of((ESP, {**self.kernels, "/loader/entries/a-1.conf": BLS_ENTRY,
                                   "/loader/entries/b-2.conf": BLS_ENTRY.replace("bls", "two")}))
        for name in ("b-2", "b-2.conf", "b-*", "from two", "*two"):
            self.assertTrue(self.boot(f"--entry={name}", disk=disk)["args"].endswith("two"), name)

    def test_an_entry_inside_a_submenu_is_found_by_its_id(self):
        self.assertTrue(self.boot("--entry=recovery")["args"].endswith("single"))

    def test_a_wrong_entry_is_an_error_that_lists_what_there_is(self):
        done = self.boot("--entry=nothing*", status=4)
        for part in (b"nothing*", b"Debian GNU/Linux", b"Advanced options"):
            self.assertIn(part, done.stderr)


class CommandLine(Configurations):
    def test_boot_image_can_be_left_out(self):
        self.assertEqual(self.boot("--no-boot-image")["args"], f"root=UUID={UUID} ro quiet")


if __name__ == "__main__":
    unittest.main()
