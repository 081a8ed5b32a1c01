#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that boot by way of an EFI system partition, which is FAT: what is listed, and that what comes out is what was
put in, bit for bit."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from configurations_test import BLS_ENTRY, ESP, GRUB_EFI, MIB, SYSTEMD_BOOT, XBOOTLDR, unified_image  # noqa: E402
from guest_image import UUID  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin", "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
ESP_SERIAL = "1A2B-3C4D"
SYSTEMD_CODE = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

# What grub-install leaves on Debian's EFI system partition, and Anaconda on Fedora's.
DEBIAN_FIRST_FILE = f"search.fs_uuid {UUID} root hd0,gpt2 \nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"
FEDORA_FIRST_FILE = (f"search --no-floppy --root-dev-only --fs-uuid --set=dev {UUID}\nset prefix=($dev)/boot/grub2\nexport $prefix\n"
               "configfile $prefix/grub.cfg\n")
FEDORA_GRUB_CFG = ("set default_kernelopts='quiet'\n"
                   f"search --no-floppy --fs-uuid --set=boot {ESP_SERIAL.lower()}\nblscfg\n")


@unittest.skipIf(not shutil.which("mcopy") or not shutil.which("mkfs.fat", path=ENVIRONMENT["PATH"]),
                 "mtools or dosfstools is missing")
class EfiSystemPartition(Fixture):
    def disk_of(self, *partitions):
        """A GPT disk; each partition is (type GUID, format, {path: contents}); `format`: options of mkfs.fat, or None
        for ext4."""
        path = os.path.join(self.base, "esp.img")
        script, start, places = "label: gpt\n", 1, []
        for kind, options, _ in partitions:
            size = 40 if options and "32" in options else 24
            script += f"start={start}MiB, size={size}MiB, type={kind}\n"
            places.append((start, size))
            start += size
        with open(path, "wb") as file:
            file.truncate((start + 1) * MIB)
        guest_image.run("sfdisk", "-q", path, input=script.encode())
        for (kind, options, files), (start, size) in zip(partitions, places):
            tree = os.path.join(self.out, "tree")
            for name, contents in files.items():
                os.makedirs(os.path.dirname(tree + name), exist_ok=True)
                with open(tree + name, "wb") as file:
                    file.write(contents if isinstance(contents, bytes) else contents.encode())
            if options is None:
                guest_image.make_ext4(path, tree, size, start * MIB)
            else:
                image = os.path.join(self.out, "fat")
                with open(image, "wb") as file:
                    file.truncate(size * MIB)
                serial = ESP_SERIAL.replace("-", "") if kind == ESP else "0BADCAFE"
                guest_image.run("mkfs.fat", "-n", "ESP" if kind == ESP else "XBOOTLDR", "-i", serial, *options, image,
                                env=ENVIRONMENT)
                guest_image.run("mcopy", "-Q", "-s", "-i", image, *(os.path.join(tree, name) for name in os.listdir(tree)),
                                "::/", env=ENVIRONMENT)
                guest_image.run("dd", f"if={image}", f"of={path}", "bs=1M", f"seek={start}", "conv=notrunc,sparse")
                os.unlink(image)
            subprocess.run(["rm", "-r", tree], check=True)
        return path

    def root_of(self, **files):
        return ("L", None, {"/boot/vmlinuz": self.tree.kernel, "/boot/initrd.img": self.tree.initrd, **files})

    def check_boot(self, disk, words, *arguments):
        """Boots and has what was put in; no notice but that the kernel, which is noise, is none."""
        result = self.boot(*arguments, disk=disk)
        self.assertEqual(self.contents(result["kernel"]), self.tree.kernel)
        self.assertEqual(self.contents(result["ramdisk"]), self.tree.initrd)
        self.assertEqual(result["args"], words)
        done = pvhgrub("-n", "--output-format=json", *arguments, disk)
        notices = [line for line in done.stderr.splitlines() if not line.startswith(b"pvhgrub: kernel ")]
        self.assertEqual((done.returncode, notices), (0, []))

    def test_debians_first_file_leads_to_the_root_file_system(self):
        for options in (["-F", "12"], ["-F", "16"], ["-F", "32", "-s", "1"]):
            with self.subTest(options=options):
                disk = self.disk_of((ESP, options, {"/EFI/debian/grub.cfg": DEBIAN_FIRST_FILE, "/EFI/debian/grubx64.efi": GRUB_EFI}),
                                    self.root_of(**{"/boot/grub/grub.cfg": guest_image.GRUB_CFG}))
                self.check_boot(disk, f"BOOT_IMAGE=/boot/vmlinuz root=UUID={UUID} ro quiet")
                listing = self.listing(disk=disk)
                self.assertEqual(listing["entries"][0]["title"], "Debian GNU/Linux")
                self.assertEqual(listing["entries"][0]["kernel"], "(hd0,gpt2)/boot/vmlinuz")

    def test_the_first_file_itself_can_be_named(self):
        disk = self.disk_of((ESP, ["-F", "16"], {"/EFI/debian/grub.cfg": DEBIAN_FIRST_FILE}),
                            self.root_of(**{"/boot/grub/grub.cfg": guest_image.GRUB_CFG}))
        self.check_boot(disk, f"BOOT_IMAGE=/boot/vmlinuz root=UUID={UUID} ro quiet", "--config=(hd0,gpt1)/efi/DEBIAN/Grub.cfg")

    def test_fedoras_first_file_and_kernels_on_the_efi_system_partition(self):
        entry = BLS_ENTRY.replace("/boot/vmlinuz", "/fedora/6.1/linux").replace("/boot/initrd.img", "/fedora/6.1/initrd")
        disk = self.disk_of((ESP, ["-F", "32", "-s", "1"],
                             {"/EFI/fedora/grub.cfg": FEDORA_FIRST_FILE, "/loader/entries/fedora-6.1.conf": entry,
                              "/fedora/6.1/linux": self.tree.kernel, "/fedora/6.1/initrd": self.tree.initrd}),
                            self.root_of(**{"/boot/grub2/grub.cfg": FEDORA_GRUB_CFG}))
        listing = self.listing("--source=grub", disk=disk)
        self.assertEqual(listing["entries"][0]["title"], "from bls")
        self.assertEqual(listing["entries"][0]["kernel"], "(hd0,gpt1)/fedora/6.1/linux")
        result = self.boot("--source=grub", disk=disk)
        self.assertEqual(self.contents(result["kernel"]), self.tree.kernel)
        self.assertEqual(self.contents(result["ramdisk"]), self.tree.initrd)

    def test_systemd_boot_with_kernels_beside_its_entries(self):
        entry = BLS_ENTRY.replace("/boot/", "/token/6.1-1/")
        kernels = {"/token/6.1-1/vmlinuz": self.tree.kernel, "/token/6.1-1/initrd.img": self.tree.initrd}
        disk = self.disk_of(
            (ESP, ["-F", "32", "-s", "1"], {"/EFI/systemd/systemd-bootx64.efi": SYSTEMD_BOOT, "/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT,
                                            "/loader/loader.conf": "timeout 4\ndefault token-*\nconsole-mode max\n"}),
            (XBOOTLDR, ["-F", "16"], {"/loader/entries/token-6.1-1.conf": entry, **kernels}),
            self.root_of(**{"/boot/grub/grub.cfg": guest_image.GRUB_CFG}))
        self.check_boot(disk, "root=/dev/xvda2 ro bls")
        listing = self.listing(disk=disk)
        self.assertEqual(listing["source"]["kind"], "bls")
        self.assertEqual(listing["timeout"], 4)
        self.assertEqual(listing["entries"][0]["kernel"], "(hd0,gpt2)/token/6.1-1/vmlinuz")
        self.assertIn(b"(hd0,gpt1)/EFI/BOOT/BOOTX64.EFI is systemd-boot", pvhgrub("-q", "-n", "--explain", disk).stderr)

    def test_an_entry_whose_tries_are_used_up_comes_last(self):
        kernels = {"/boot/vmlinuz": self.tree.kernel, "/boot/initrd.img": self.tree.initrd}
        entries = {"/loader/entries/new-7.0+0-3.conf": BLS_ENTRY.replace("6.1", "7.0").replace("bls", "spent"),
                   "/loader/entries/old-6.1+2.conf": BLS_ENTRY}
        disk = self.disk_of((ESP, ["-F", "16"], {**kernels, **entries, "/EFI/BOOT/BOOTX64.EFI": SYSTEMD_BOOT}))
        self.assertEqual([entry["title"] for entry in self.listing(disk=disk)["entries"]], ["from bls", "from spent"])
        self.assertEqual(self.boot(disk=disk)["args"], "root=/dev/xvda2 ro bls")
        self.assertIn(b"2 tries left", pvhgrub("-n", disk).stderr)

    def test_a_unified_kernel_image_on_fat_is_unwrapped(self):
        for path in ("/EFI/Linux/Arch Linux (long name).efi", "/EFI/BOOT/BOOTX64.EFI"):
            with self.subTest(path=path):
                disk = self.disk_of((ESP, ["-F", "16", "-s", "2"], {path: unified_image(self.tree)}))
                self.check_boot(disk, "root=/dev/xvda2 rw uki")

    @unittest.skipIf(not os.path.exists(SYSTEMD_CODE) or not shutil.which("objcopy"), "systemd-boot-efi or binutils is missing")
    def test_a_unified_kernel_image_of_systemds_own_code_is_unwrapped(self):
        parts = {".osrel": b'ID=arch\nPRETTY_NAME="Arch Linux"\n', ".cmdline": b"root=/dev/xvda2 rw real",
                 ".initrd": self.tree.initrd, ".linux": self.tree.kernel}
        command, address = ["objcopy"], 0x1_0000_0000 // 256
        for name, contents in parts.items():
            path = os.path.join(self.out, name[1:])
            with open(path, "wb") as file:
                file.write(contents)
            command += ["--add-section", f"{name}={path}", "--change-section-vma", f"{name}={address:#x}"]
            address += (len(contents) + 0xFFFF) // 0x10000 * 0x10000
        image = os.path.join(self.out, "image.efi")
        guest_image.run(*command, SYSTEMD_CODE, image)
        contents = self.contents(image)
        for name in (*(part[1:] for part in parts), "image.efi"):
            os.unlink(os.path.join(self.out, name))
        disk = self.disk_of((ESP, ["-F", "32", "-s", "1"], {"/EFI/Linux/real.efi": contents}))
        self.check_boot(disk, "root=/dev/xvda2 rw real")

    def test_an_environment_block_on_fat_is_read(self):
        block = "# GRUB Environment Block\nsaved_entry=recovery\n".ljust(1024, "#")
        disk = self.disk_of((ESP, ["-F", "16"], {"/grubenv": block}),
                            self.root_of(**{"/boot/ucode.img": self.tree.ucode, "/boot/grub/grub.cfg":
                                            f"search --fs-uuid --set=esp {ESP_SERIAL}\nload_env -f ($esp)/grubenv\n"
                                            "set default=$saved_entry\nmenuentry a --id first {\n linux /boot/vmlinuz one\n}\n"
                                            "menuentry b --id recovery {\n linux /boot/vmlinuz two\n}\n"}))
        self.assertTrue(self.boot(disk=disk)["args"].endswith("two"))

    def test_exfat_is_read_too(self):
        program = shutil.which("mkfs.exfat", path=ENVIRONMENT["PATH"])
        if not program:
            self.skipTest("exfatprogs is missing")
        disk = self.disk_of(self.root_of(**{"/boot/grub/grub.cfg": "search --label --set=x DATA\nmenuentry $x {\n linux "
                                                                   "/boot/vmlinuz\n initrd /boot/initrd.img\n}\n"}),
                            ("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", None, {"/file": b"to be overwritten"}))
        image = os.path.join(self.out, "exfat")
        with open(image, "wb") as file:
            file.truncate(24 * MIB)
        guest_image.run(program, "-L", "DATA", image)
        guest_image.run("dd", f"if={image}", f"of={disk}", "bs=1M", "seek=25", "conv=notrunc")
        os.unlink(image)
        self.assertEqual(self.listing(disk=disk)["entries"][0]["title"], "hd0,gpt2")


if __name__ == "__main__":
    unittest.main()
