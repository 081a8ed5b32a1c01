#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks of systems that no Linux installer made: BSD and Sun labels, UFS by makefs, the loaders of FreeBSD and NetBSD,
kernels and EFI programs that stand alone, and exFAT where others have FAT. From the command line to the result."""
import json
import os
import shutil
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "fsreaders")]
import guest_image  # noqa: E402
import kernel_images  # noqa: E402
from disk_labels import FFS, SECTOR, SWAP, UNUSED, boot_record, bsd_label, write  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

os.environ["PATH"] += ":/sbin:/usr/sbin"
SECTORS = 131072
FREEBSD_BOOT = "83BD6B9D-7F41-11DC-BE0B-001560B84F0F"
FREEBSD_UFS = "516E7CB6-6ECF-11D6-8FF8-00022D09712B"
NETBSD_FFS = "49F48D5A-B10E-11DC-B99B-0019D1879648"
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
XBOOTLDR = "BC13C2FF-59E6-4262-A352-B275FD6F7172"
KERNEL = kernel_images.elf(seed=11)
OLD_KERNEL = kernel_images.elf(seed=12)
FREEBSD = {"/boot/defaults/loader.conf": 'loader_conf_files="/boot/loader.conf"\nkernel="kernel"\nautoboot_delay="10"\n'
                                       'kernels_autodetect="YES"\n',
           "/boot/loader.conf": 'autoboot_delay="3"\nboot_serial="YES"\nkern.geom.label.disk_ident.enable="0"\n',
           "/boot/kernel/kernel": KERNEL, "/boot/kernel.old/kernel": OLD_KERNEL,
           "/etc/fstab": "# Device Mountpoint FStype Options Dump Pass\n/dev/ada0s1a\t/\tufs\trw\t1\t1\n"}
LINUX = {"/boot/grub/grub.cfg": "menuentry 'Linux' {\n linux /boot/vmlinuz root=/dev/xvda2 ro\n}\n",
         "/boot/vmlinuz": kernel_images.elf(seed=13)}
BOOT_CFG = ("menu=Boot normally:rndseed /var/db/entropy-file;boot hd0a:netbsd\nmenu=Boot single user:boot hd0a:netbsd -s\n"
            "menu=Boot the other:boot hd0e:onetbsd\ntimeout=7\ndefault=1\n")


class Disks(Fixture):
    def files(self, name, files):
        """A directory of these files."""
        tree = os.path.join(self.out, "tree-" + name)
        for path, contents in files.items():
            os.makedirs(os.path.dirname(tree + path), exist_ok=True)
            with open(tree + path, "wb") as file:
                file.write(contents if isinstance(contents, bytes) else contents.encode())
        return tree

    def ufs(self, files, version=2, size="24m"):
        tree = self.files("ufs", files)
        path = os.path.join(self.out, "ufs")
        guest_image.run("makefs", "-t", "ffs", "-o", f"version={version}", "-s", size, path, tree)
        contents = self.contents(path)
        os.unlink(path)
        shutil.rmtree(tree)
        return contents

    def pieces(self, *pieces):
        path = os.path.join(self.base, "bsd.img")
        write(path, *pieces, size=SECTORS * SECTOR)
        return path

    def gpt(self, *partitions):
        """Of (type, name, contents), 24 MiB each."""
        path = self.pieces()
        script = "label: gpt\n"
        for number, (kind, name, _) in enumerate(partitions):
            script += f"start={2048 + 49152 * number}, size=49152, type={kind}, name={name}\n"
        guest_image.run("sfdisk", "-q", path, input=script.encode())
        write(path, *((2048 + 49152 * number, contents) for number, (_, _, contents) in enumerate(partitions)))
        return path

    def start(self, disk, *arguments):
        done = pvhgrub("-q", f"--output={self.result_file}", "--output-format=json", f"--output-directory={self.out}",
                       "--guest-type=pvh", *arguments, disk)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, b"")
        record = json.loads(self.contents(self.result_file))
        with open(self.result_file, "wb"):
            pass
        return self.contents(record["kernel"]), record["args"]

    def explain(self, disk, *arguments, status=0):
        """The lines without the program's name, \\r and the worker's own."""
        done = pvhgrub("-q", "-n", "--explain", *arguments, disk)
        self.assertEqual(done.returncode, status, done.stderr)
        prefix = "pvhgrub: explain: "
        return [line.rstrip("\r").removeprefix(prefix) for line in done.stderr.decode().splitlines()
                if "the worker is confined" not in line]

    def inspect(self, disk, *arguments):
        done = pvhgrub("--inspect", *arguments, disk)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()


@unittest.skipIf(not shutil.which("makefs"), "makefs is missing")
class Freebsd(Disks):
    def check(self, disk, device, lost=""):
        kernel, args = self.start(disk)
        self.assertEqual(kernel, KERNEL)
        self.assertEqual(args, "vfs.root.mountfrom=ufs:/dev/ada0s1a,vfs.root.mountfrom.options=rw,boot_serial=YES,"
                               "kern.geom.label.disk_ident.enable=0")
        listing = self.listing(disk=disk)
        self.assertEqual((listing["source"]["kind"], listing["source"]["device"], listing["source"]["path"]),
                         ("freebsd", device, "/boot/loader.conf"))
        self.assertEqual([entry["title"] for entry in listing["entries"]],
                         ["FreeBSD", "FreeBSD (single user)", "FreeBSD (kernel.old)"])
        self.assertEqual(listing["timeout"], 3)
        self.assertEqual(self.start(disk, "--entry=kernel.old")[0], OLD_KERNEL)
        # One configuration, although more than one device may begin where it lies.
        lines = self.explain(disk)
        self.assertIn(f"configuration 1 of 1: ({device})/boot/loader.conf (freebsd)", lines)
        return lines

    def test_a_label_in_a_slice(self):
        root = self.ufs(FREEBSD)
        for first in (0, 16):
            with self.subTest(first=first):
                disk = self.pieces((0, boot_record([(0xA5, 2048, 120000)])), (2048 + first, root),
                                 (2049, bsd_label({"a": (first, 100000, FFS), "b": (100016, 10000, SWAP),
                                                   "c": (0, 120000, UNUSED)})))
                lines = self.check(disk, "hd0,msdos1,bsd1")
                self.assertIn("device hd0,msdos1,bsd1: 51200000 bytes, type bsd:0x07", lines)
                self.assertIn("hd0,msdos1,bsd2: no file system here", lines)
                if first == 0:
                    self.assertIn("hd0,msdos1: begins where hd0,msdos1,bsd1 does, which is looked into", lines)
                told = self.inspect(disk)
                self.assertIn("(hd0,msdos1,bsd1)\n  size            51200000\n  partition-type  bsd:0x07\n"
                              "  file-system     ufs2\n", told)
                # As the person would name it, by any of GRUB's names.
                for name in ("hd0,msdos1,bsd1", "hd0,1,1"):
                    self.assertEqual(self.start(disk, f"--config=({name})/boot/loader.conf")[0], KERNEL)

    def test_devices_that_are_not_there_are_told(self):
        disk = self.pieces((0, boot_record([(0xA5, 2048, 120000)])), (2048, self.ufs(FREEBSD)),
                           (2049, bsd_label({"a": (0, 100000, FFS), "b": (100016, 10000, SWAP), "c": (0, 120000, UNUSED)})))
        for option in ("--config", "--kernel"):
            done = pvhgrub("-n", f"{option}=(hd0,msdos1,bsd9)/boot/loader.conf", disk)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("(hd0,msdos1,bsd9)/boot/loader.conf: there is no such device; the guest has hd0; hd0,msdos1; "
                          "hd0,msdos1,bsd1; hd0,msdos1,bsd2", done.stderr.decode())
        done = pvhgrub("-n", "--source=netbsd", disk)
        self.assertEqual(done.returncode, 4)
        self.assertIn("hd0,msdos1,bsd1 (ufs2); hd0,msdos1,bsd2 (no known file system (partition type bsd:0x01));",
                      done.stderr.decode())

    def test_two_slices_and_what_the_loader_calls_them(self):
        first = self.ufs({**FREEBSD, "/boot/loader.conf": 'currdev="disk0s2a:"\nrootdev="disk0s2a:"\n'})
        second = self.ufs({"/boot/kernel/kernel": OLD_KERNEL, "/etc/fstab": "/dev/ada0s2a / ufs ro 1 1\n"})
        label = {"a": (16, 60000, FFS), "c": (0, 60016, UNUSED)}
        disk = self.pieces((0, boot_record([(0xA5, 2048, 60016), (0xA5, 65536, 60016)])), (2064, first), (65552, second),
                         (2049, bsd_label(label)), (65537, bsd_label(label)))
        kernel, args = self.start(disk)
        self.assertEqual(kernel, OLD_KERNEL)
        self.assertIn("vfs.root.mountfrom=ufs:/dev/ada0s2a", args)

    def test_a_disk_of_its_own(self):
        label = bsd_label({"a": (16, 100000, FFS), "c": (0, SECTORS, UNUSED)})
        root = self.ufs(FREEBSD, version=1)
        record = boot_record([(0, 0, 0), (0, 0, 0), (0, 0, 0), (0xA5, 0, 50000)])
        self.check(self.pieces((0, record), (1, label), (16, root)), "hd0,bsd1")
        self.check(self.pieces((1, label), (16, root)), "hd0,bsd1")

    def test_gpt(self):
        disk = self.gpt((FREEBSD_BOOT, "boot", b""), (FREEBSD_UFS, "rootfs", self.ufs(FREEBSD)))
        lines = self.check(disk, "hd0,gpt2")
        self.assertIn("hd0,gpt1: no file system here", lines)

    def test_a_slice_and_linux_beside_it(self):
        disk = self.pieces((0, boot_record([(0xA5, 2048, 55000), (0x83, 63488, 65536)])), (2064, self.ufs(FREEBSD)),
                         (2049, bsd_label({"a": (16, 54000, FFS), "c": (0, 55000, UNUSED)})))
        guest_image.make_ext4(disk, self.files("linux", LINUX), 32, 63488 * SECTOR)
        self.assertEqual(self.start(disk)[0], LINUX["/boot/vmlinuz"])
        self.assertEqual(self.start(disk, "--source=freebsd")[0], KERNEL)
        # GRUB's names of the other system's partition.
        for name in ("hd0,msdos1,bsd1", "hd0,1,1"):
            script = f"menuentry 'BSD' {{\n set root='{name}'\n linux /boot/kernel/kernel\n}}\n"
            tree = self.files("other", {"/boot/grub/grub.cfg": script})
            guest_image.make_ext4(disk, tree, 32, 63488 * SECTOR)
            self.assertEqual(self.start(disk)[0], KERNEL)


@unittest.skipIf(not shutil.which("makefs"), "makefs is missing")
class Netbsd(Disks):
    def test_a_label_in_a_slice(self):
        root = self.ufs({"/boot.cfg": BOOT_CFG, "/netbsd": KERNEL}, version=1)
        other = self.ufs({"/onetbsd": OLD_KERNEL}, version=1)
        disk = self.pieces((0, boot_record([(0xA9, 2048, 120000)])), (2048, root), (60000, other),
                         (2049, bsd_label({"a": (2048, 50000, FFS), "b": (55000, 1000, SWAP), "c": (2048, 120000, UNUSED),
                                           "d": (0, SECTORS, UNUSED), "e": (60000, 50000, FFS)}, 16)))
        self.assertEqual(self.start(disk), (KERNEL, "root=xbd0a"))
        self.assertEqual(self.start(disk, "--entry=2"), (OLD_KERNEL, "root=xbd0e"))
        listing = self.listing(disk=disk)
        self.assertEqual((listing["source"]["kind"], listing["source"]["device"]), ("netbsd", "hd0,netbsd1"))
        self.assertEqual([entry["title"] for entry in listing["entries"]],
                         ["Boot normally", "Boot single user", "Boot the other"])
        self.assertEqual(listing["timeout"], 7)
        lines = self.explain(disk)
        for line in ("hd0,msdos1: begins where hd0,netbsd1 does, which is looked into", "hd0,netbsd2: no file system here",
                     "hd0,netbsd4: no file system here", "kernel (hd0,netbsd1)/netbsd"):
            self.assertIn(line, lines)
        self.assertIn("(hd0,msdos1)\n  size            61440000\n  partition-type  0xa9\n"
                      "  contents        begins where (hd0,netbsd1) does\n", self.inspect(disk))

    def test_a_label_on_a_bare_disk_whose_last_partition_is_all_of_it(self):
        disk = self.pieces((0, self.ufs({"/boot.cfg": BOOT_CFG, "/netbsd": KERNEL})),
                         (1, bsd_label({"a": (0, 60000, FFS), "d": (0, SECTORS, UNUSED)}, 16)))
        self.assertEqual(self.start(disk), (KERNEL, "root=xbd0a"))
        self.assertIn("hd0,bsd4: begins where hd0,bsd1 does, which is looked into", self.explain(disk))

    def test_gpt(self):
        disk = self.gpt((NETBSD_FFS, "root", self.ufs({"/boot.cfg": BOOT_CFG, "/netbsd": KERNEL})))
        self.assertEqual(self.start(disk)[0], KERNEL)

    def test_grub_legacy_names_the_letter(self):
        menu = "default 0\ntitle BSD\nroot (hd0,0,a)\nkernel /netbsd -s\n"
        root = self.ufs({"/boot/grub/menu.lst": menu, "/netbsd": KERNEL})
        for kind, letter in ((0xA5, "(hd0,0,a)"), (0xA9, "(hd0,0,a)"), (0xA9, "(hd0,a)")):
            root = self.ufs({"/boot/grub/menu.lst": menu.replace("(hd0,0,a)", letter), "/netbsd": KERNEL})
            disk = self.pieces((0, boot_record([(kind, 2048, 120000)])), (2048, root),
                             (2049, bsd_label({"a": (2048, 100000, FFS), "c": (2048, 120000, UNUSED)})))
            self.assertEqual(self.start(disk, "--source=grub-legacy"), (KERNEL, "-s"))


class Others(Disks):
    def test_ext4_in_a_sun_label(self):
        disk = self.pieces()
        guest_image.run("sfdisk", "-q", disk, input=b"label: sun\nstart=0, size=16065, type=82\n"
                                                    b"start=16065, size=80325, type=83\nstart=0, size=112455, type=5\n")
        guest_image.make_ext4(disk, self.files("linux", LINUX), 32, 16065 * SECTOR)
        self.assertEqual(self.start(disk)[0], LINUX["/boot/vmlinuz"])
        lines = self.explain(disk)
        self.assertIn("device hd0,sun2: 41126400 bytes, type sun:0x83", lines)
        self.assertIn("hd0,sun1: no file system here", lines)
        self.assertEqual(self.listing(disk=disk)["source"]["device"], "hd0,sun2")

    def test_a_kernel_that_is_the_whole_disk(self):
        disk = os.path.join(self.base, "bsd.img")
        write(disk, (0, KERNEL), size=16 * 1048576)
        self.assertEqual(self.start(disk)[0][:len(KERNEL)], KERNEL)
        listing = self.listing(disk=disk)
        self.assertEqual((listing["source"]["kind"], listing["source"]["device"]), ("elf", "hd0"))
        lines = self.explain(disk)
        self.assertIn("device hd0: 16777216 bytes", lines)
        self.assertTrue(any("(elf)" in line and "hd0" in line for line in lines), lines)

    def test_an_efi_program_alone(self):
        disk = self.pieces()
        guest_image.run("sfdisk", "-q", disk, input=f"label: gpt\nstart=2048, size=98304, type={ESP}\n".encode())
        tree = self.files("esp", {"/EFI/BOOT/BOOTX64.EFI": kernel_images.pe([(".text", b"\xc3")])})
        guest_image.run("mformat", "-i", f"{disk}@@1048576", "-T", "98304", "-h", "16", "-s", "63", "-F", "::")
        guest_image.run("mcopy", "-s", "-i", f"{disk}@@1048576", os.path.join(tree, "EFI"), "::/")
        done = pvhgrub("-q", "-n", "--explain", "--guest-type=pvh", disk)
        self.assertEqual(done.returncode, 4, done.stderr)
        said = done.stderr.decode()
        for text in ("configuration 1 of 1: (hd0,gpt1)/EFI/BOOT/BOOTX64.EFI (efi)", "--firmware"):
            self.assertIn(text, said)

    @unittest.skipIf(not shutil.which("mkfs.exfat") or not shutil.which("mount.exfat-fuse") or os.geteuid() != 0
                     or not os.path.exists("/dev/fuse") or not os.path.exists("/dev/loop-control"),
                     "exFAT's tools, fuse, loop devices or root are missing")
    def test_exfat_as_esp_and_xbootldr(self):
        entry = "title other\nlinux /kernel\noptions root=/dev/xvda3 from %s\n"
        parts = []
        for name, files in (("esp", {"/loader/entries/a.conf": entry % "esp", "/kernel": KERNEL,
                                     "/loader/loader.conf": "timeout 4\ndefault b*\n"}),
                            ("xbootldr", {"/loader/entries/b.conf": entry % "xbootldr", "/kernel": OLD_KERNEL})):
            image, point = os.path.join(self.out, name + ".exfat"), os.path.join(self.out, name)
            os.mkdir(point)
            with open(image, "wb") as file:
                file.truncate(49152 * SECTOR)
            guest_image.run("mkfs.exfat", image)
            loop = guest_image.run("losetup", "-f", "--show", image).stdout.decode().strip()
            try:
                guest_image.run("mount.exfat-fuse", loop, point)
                guest_image.run("cp", "-r", self.files(name, files) + "/.", point)
                guest_image.run("umount", point)
            finally:
                guest_image.run("losetup", "-d", loop)
            parts.append(self.contents(image))
        disk = self.gpt((ESP, "esp", parts[0]), (XBOOTLDR, "boot", parts[1]))
        self.assertEqual(self.start(disk), (OLD_KERNEL, "root=/dev/xvda3 from xbootldr"))
        listing = self.listing(disk=disk)
        self.assertEqual((len(listing["entries"]), listing["timeout"], listing["source"]["kind"]), (2, 4, "bls"))
        self.assertRegex(self.inspect(disk), r"file-system +exfat\n")


if __name__ == "__main__":
    unittest.main()
