#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One guest on each file system that can be read, made without root by the formats' own tools: in a GPT partition, in an
MBR partition and as a whole disk it boots, bit for bit."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from program_fixture import Fixture  # noqa: E402

os.environ["PATH"] += ":/sbin:/usr/sbin"
os.environ["MTOOLS_SKIP_CHECK"] = "1"
MIB = 1 << 20
MENU = "menuentry 'Linux' {\n  linux /boot/vmlinuz ro\n  initrd /boot/initrd.img\n}\n"

# Size in MiB (0: the tool decides), and the commands; {} are image, tree and XFS's protofile.
FORMATS = {
    "ext2": (32, ["mke2fs -q -F -t ext2 -d {tree} {image}"]),
    "ext3": (32, ["mke2fs -q -F -t ext3 -d {tree} {image}"]),
    "ext4": (32, ["mke2fs -q -F -t ext4 -d {tree} {image}"]),
    "ext4 with inline data and folded names": (
        32, ["mke2fs -q -F -t ext4 -O inline_data,casefold -E encoding=utf8 -I 512 -d {tree} {image}"]),
    "FAT12": (12, ["mkfs.fat -F 12 -s 8 {image}", "mcopy -s -i {image} {tree}/boot ::/"]),
    "FAT16": (40, ["mkfs.fat -F 16 {image}", "mcopy -s -i {image} {tree}/boot ::/"]),
    "FAT32": (80, ["mkfs.fat -F 32 {image}", "mcopy -s -i {image} {tree}/boot ::/"]),
    "XFS v5": (400, ["mkfs.xfs -q -f -p {proto} {image}"]),
    "XFS v5 with all features": (400, ["mkfs.xfs -q -f -m rmapbt=1,reflink=1,bigtime=1 -i nrext64=1,sparse=1 -p {proto} {image}"]),
    "XFS v4": (400, ["mkfs.xfs -q -f -m crc=0 -p {proto} {image}"]),
    "XFS v4 without types": (400, ["mkfs.xfs -q -f -m crc=0 -n ftype=0 -b size=1024 -p {proto} {image}"]),
    "btrfs": (200, ["mkfs.btrfs -q -f --rootdir {tree} {image}"]),
    "btrfs, mixed": (200, ["mkfs.btrfs -q -f --mixed --rootdir {tree} {image}"]),
    "ISO 9660 with Rock Ridge": (0, ["genisoimage -quiet -R -o {image} {tree}"]),
    "ISO 9660 with Joliet": (0, ["genisoimage -quiet -J -o {image} {tree}"]),
    "ISO 9660 with both": (0, ["xorriso -as mkisofs -quiet -R -J -o {image} {tree}"]),
    "SquashFS": (0, ["mksquashfs {tree} {image} -noappend -quiet -no-progress"]),
    "EROFS": (0, ["mkfs.erofs --quiet {image} {tree}"]),
    "UFS1": (0, ["makefs -t ffs -o version=1 -s 40m {image} {tree}"]),
    "UFS2": (0, ["makefs -t ffs -o version=2 -s 40m {image} {tree}"]),
}


class FileSystems(Fixture):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(dir=self.base)
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = os.path.join(self.folder, "root")
        os.makedirs(self.root + "/boot/grub")
        for name, contents in (("grub/grub.cfg", MENU.encode()), ("vmlinuz", self.tree.kernel), ("initrd.img", self.tree.initrd)):
            with open(f"{self.root}/boot/{name}", "wb") as file:
                file.write(contents)
        self.proto = os.path.join(self.folder, "proto")
        with open(self.proto, "w", encoding="ascii") as file:
            file.write("boot\n0 0\nd--755 0 0\nboot d--755 0 0\ngrub d--755 0 0\n"
                       f"grub.cfg ---644 0 0 {self.root}/boot/grub/grub.cfg\n$\n"
                       f"vmlinuz ---644 0 0 {self.root}/boot/vmlinuz\ninitrd.img ---644 0 0 {self.root}/boot/initrd.img\n$\n$\n")

    def make(self, size, commands):
        """The image's path, or nothing where a tool is missing or does not know the variant."""
        image = os.path.join(self.folder, "image")
        if os.path.exists(image):
            os.unlink(image)
        if size:
            with open(image, "wb") as file:
                file.truncate(size * MIB)
        for command in commands:
            words = [word.format(image=image, tree=self.root, proto=self.proto) for word in command.split()]
            if shutil.which(words[0]) is None:
                return None
            done = subprocess.run(words, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        return image

    def in_partition(self, image, label, kind):
        disk = os.path.join(self.folder, "disk")
        size = -(-os.path.getsize(image) // MIB)
        if os.path.exists(disk):
            os.unlink(disk)
        with open(disk, "wb") as file:
            file.truncate((size + 2) * MIB)
        guest_image.run("sfdisk", "-q", disk, input=f"label: {label}\nstart=2048, size={size}MiB, type={kind}\n".encode())
        guest_image.run("dd", "if=" + image, "of=" + disk, "bs=1M", "seek=1", "conv=notrunc,sparse")
        return disk

    def test_each(self):
        for name, (size, commands) in FORMATS.items():
            with self.subTest(name=name):
                image = self.make(size, commands)
                if image is None:
                    print("skipped:", name, "for want of", commands[0].split()[0])
                    continue
                for place in ("gpt", "dos", "whole"):
                    disk = image if place == "whole" else self.in_partition(image, place, "L" if place == "gpt" else "83")
                    record = self.boot(disk=disk)
                    self.assertEqual(self.contents(record["kernel"]), self.tree.kernel)
                    self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)
                    self.assertEqual(record["args"], "BOOT_IMAGE=/boot/vmlinuz ro")
                    for each in os.listdir(self.out):
                        os.unlink(os.path.join(self.out, each))
                # A disk that ends in the middle of the file system: an error, and no output.
                size = os.path.getsize(image)
                os.truncate(image, size // 3)
                done = subprocess.run([os.environ["PVHGRUB"], "-q", "--output-directory=" + self.out, image], capture_output=True,
                                      check=False)
                if done.returncode != 0:
                    self.assertEqual(os.listdir(self.out), [])
                    self.assertIn(b"hd0", done.stderr)


if __name__ == "__main__":
    unittest.main()
