#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""File systems that are damaged somewhere else than where a boot reads, as their own checkers find: they still boot, bit
for bit. Where the damage meets the boot, it is told with the disk's byte."""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

os.environ["PATH"] += ":/sbin:/usr/sbin"
MIB = 1 << 20
MENU = "menuentry 'Linux' {\n  linux /boot/vmlinuz ro\n  initrd /boot/initrd.img\n}\n"


def told(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Damaged(Fixture):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(dir=self.base)
        self.addCleanup(shutil.rmtree, self.folder)
        self.image = os.path.join(self.folder, "image")
        self.random = random.Random(7)
        self.root = os.path.join(self.folder, "root")
        self.write("boot/grub/grub.cfg", MENU.encode())
        self.write("boot/vmlinuz", self.tree.kernel)
        self.write("boot/initrd.img", self.tree.initrd)
        for number in range(40):
            self.write(f"srv/data-{number}", self.random.randbytes(100_000))
            self.write(f"srv/folder/small-{number}", b"x" * number)

    def write(self, name, contents):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents)

    def need(self, *programs):
        for program in programs:
            if shutil.which(program) is None:
                self.skipTest(f"{program} is missing")

    def make(self, size, *command):
        with open(self.image, "wb") as file:
            file.truncate(size)
        guest_image.run(*command)

    def noise(self, offset, size):
        with open(self.image, "r+b") as file:
            file.seek(offset)
            file.write(self.random.randbytes(size))

    def place(self, contents):
        """Where these bytes stand in the image."""
        offset = self.contents(self.image).find(contents)
        self.assertGreater(offset, 0)
        return offset

    def check(self, *checker):
        """The checker finds fault, and the guest boots."""
        done = subprocess.run(checker, capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        record = self.boot(disk=self.image)
        self.assertEqual(self.contents(record["kernel"]), self.tree.kernel)
        self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))

    def refused(self, *patterns):
        done = pvhgrub("-q", "--output-directory=" + self.out, self.image)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(os.listdir(self.out), [])
        for pattern in patterns:
            self.assertRegex(done.stderr.decode(), pattern)

    def test_ext4(self):
        self.need("mke2fs", "dumpe2fs", "debugfs", "e2fsck")
        self.make(48 * MIB, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^flex_bg,^resize_inode", "-d", self.root,
                  self.image)
        self.assertEqual(subprocess.run(["e2fsck", "-fn", self.image], capture_output=True, check=False).returncode, 0)
        groups = told("dumpe2fs", self.image)
        folder, boot = (int(told("debugfs", "-R", f"bmap {path} 0", self.image)) for path in ("/srv/folder", "/boot"))
        at = re.search(r"located at block (\d+), offset (0x[0-9a-f]+)", told("debugfs", "-R", "imap /srv/data-3", self.image))
        for kind in ("Block bitmap", "Inode bitmap"):
            places = re.findall(kind + r" at (\d+)", groups)
            self.assertEqual(len(places), 6)
            for place in places:
                self.noise(int(place) * 1024, 1024)
        for place in re.findall(r"Backup superblock at (\d+)", groups):
            self.noise(int(place) * 1024, 2048)
        self.check("e2fsck", "-fn", self.image)
        # A directory and an inode; the flag that Linux sets when it met an error.
        self.noise(folder * 1024, 1024)
        self.noise(int(at[1]) * 1024 + int(at[2], 16), 128)
        guest_image.run("debugfs", "-w", "-R", "ssv state 2", self.image)
        self.check("e2fsck", "-fn", self.image)
        # The descriptor of the last group, in the table behind the superblock: 64 bytes each.
        self.noise(2048 + 5 * 64 + 12, 20)
        self.check("e2fsck", "-fn", self.image)
        # And where it meets the boot.
        self.noise(boot * 1024, 1024)
        self.refused(r"\(hd0\)/boot/grub/grub.cfg: ", rf"file system byte {boot * 1024}\b", "run e2fsck")

    def test_xfs(self):
        self.need("mkfs.xfs", "xfs_db", "xfs_repair")
        self.proto()
        self.make(400 * MIB, "mkfs.xfs", "-q", "-f", "-d", "agcount=4", "-p", os.path.join(self.folder, "proto"), self.image)
        self.assertEqual(subprocess.run(["xfs_repair", "-n", self.image], capture_output=True, check=False).returncode, 0)
        # Of each group the free space and the inodes' trees; all superblocks but the first.
        for group in range(4):
            self.noise(group * 100 * MIB + 512, 3 * 512)
            self.noise(group * 100 * MIB + 4096, 4096 * 3)
            if group:
                self.noise(group * 100 * MIB, 512)
        self.check("xfs_repair", "-n", self.image)
        # A file's inode, and the entries of a directory.
        self.noise(self.inode("/srv/data-7") + 2, 90)
        block = re.search(r"current daddr is (\d+)", told("xfs_db", "-r", "-c", "path /srv/folder", "-c", "dblock 0", "-c", "daddr",
                                                         self.image))
        self.noise(int(block[1]) * 512, 512)
        self.check("xfs_repair", "-n", self.image)
        place = self.inode("/boot/grub/grub.cfg")
        self.noise(place + 2, 90)
        self.refused(r"\(hd0\)/boot/grub/grub.cfg: ", rf"file system byte {place}\b", "run xfs_repair")

    def inode(self, path):
        """The byte where a file's inode stands."""
        number = re.search(r"number is (\d+)", told("xfs_db", "-r", "-c", "path " + path, "-c", "inode", self.image))[1]
        out = told("xfs_db", "-r", "-c", f"convert inode {number} fsbyte", self.image)
        return int(re.search(r"\((\d+)\)", out)[1])

    def proto(self):
        lines = ["boot", "0 0", "d--755 0 0"]

        def directory(folder):
            for entry in sorted(os.scandir(folder), key=lambda each: each.name):
                if entry.is_dir():
                    lines.append(f"{entry.name} d--755 0 0")
                    directory(entry.path)
                    lines.append("$")
                else:
                    lines.append(f"{entry.name} ---644 0 0 {entry.path}")

        directory(self.root)
        with open(os.path.join(self.folder, "proto"), "w", encoding="ascii") as file:
            file.write("\n".join([*lines, "$", ""]))

    def test_btrfs(self):
        self.need("mkfs.btrfs", "btrfs")
        self.make(256 * MIB, "mkfs.btrfs", "-q", "-f", "-m", "single", "--rootdir", self.root, self.image)
        self.assertEqual(subprocess.run(["btrfs", "check", self.image], capture_output=True, check=False).returncode, 0)
        # The trees that tell what is free, the second superblock, and a file's contents.
        chunks = told("btrfs", "inspect-internal", "dump-tree", "-t", "chunk", self.image)
        for tree in ("extent", "uuid", "free-space", "device"):
            dump = subprocess.run(["btrfs", "inspect-internal", "dump-tree", "-t", tree, self.image], capture_output=True, text=True,
                                  check=False).stdout
            for logical in re.findall(r"^(?:leaf|node) (\d+) ", dump, re.M):
                self.noise(self.physical(chunks, int(logical)), 16384)
        self.noise(64 * MIB, 4096)
        with open(os.path.join(self.root, "srv/data-9"), "rb") as file:
            self.noise(self.place(file.read(512)), 4096)
        self.check("btrfs", "check", self.image)
        place = self.place(self.tree.initrd[:512])
        self.noise(place + 20 * 4096, 3)
        self.refused(r"\(hd0\)/boot/initrd.img: ", rf"btrfs logical byte \d+ \(device 1, byte {place + 20 * 4096}\)", "checksum", "btrfs scrub")

    def physical(self, chunks, logical):
        for first, length, stripe in re.findall(r"FIRST_CHUNK_TREE CHUNK_ITEM (\d+)\).*?length (\d+).*?stripe 0 devid 1 offset (\d+)",
                                                chunks, re.S):
            if int(first) <= logical < int(first) + int(length):
                return logical - int(first) + int(stripe)
        raise AssertionError(logical)

    def test_fat(self):
        self.need("mkfs.fat", "mcopy", "fsck.fat", "mshowfat")
        os.environ["MTOOLS_SKIP_CHECK"] = "1"
        for bits, size in ((16, 40), (32, 80)):
            with self.subTest(bits=bits):
                self.make(size * MIB, "mkfs.fat", "-F", str(bits), "-s", "2", "-R", "32", self.image)
                guest_image.run("mcopy", "-s", "-i", self.image, f"{self.root}/boot", f"{self.root}/srv", "::/")
                head = self.contents(self.image)[:512]
                sectors = int.from_bytes(head[36:40] if bits == 32 else head[22:24], "little")
                first = 32 * 512
                # The second table; "was not unmounted"; the count of what is free; a file that goes in a circle.
                self.noise(first + sectors * 512, sectors * 512)
                if bits == 32:
                    self.noise(512 + 484, 16)
                chain = re.search(r"<(\d+)-(\d+)>", told("mshowfat", "-i", self.image, "::/srv/data-5"))
                width = bits // 8
                with open(self.image, "r+b") as file:
                    file.seek(first + width)
                    file.write(bytes([0xFF] * (width - 1) + [0x03 if bits == 32 else 0x3F]))
                    file.seek(first + int(chain[2]) * width)
                    file.write(int(chain[1]).to_bytes(width, "little"))
                folder = re.search(r"<(\d+)", told("mshowfat", "-i", self.image, "::/srv/folder"))
                data = first + 2 * sectors * 512 + (0 if bits == 32 else int.from_bytes(head[17:19], "little") * 32)
                self.noise(data + (int(folder[1]) - 2) * 1024, 1024)
                self.check("fsck.fat", "-n", self.image)
                kernel = re.search(r"<(\d+)-(\d+)>", told("mshowfat", "-i", self.image, "::/boot/vmlinuz"))
                with open(self.image, "r+b") as file:
                    file.seek(first + (int(kernel[1]) + 5) * width)
                    file.write(int(kernel[1]).to_bytes(width, "little"))
                self.refused(r"\(hd0\)/boot/vmlinuz: ", "cluster", "fsck.fat")


if __name__ == "__main__":
    unittest.main()
