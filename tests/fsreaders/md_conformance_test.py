#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Linux MD arrays of all superblock versions and levels give back the tree of all readers. mdadm finds the superblocks
good, and GRUB reads the same files."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zlib

import conformance
from md_builder import LINEAR, Array

os.environ["PATH"] += ":/sbin:/usr/sbin"
MIB = 1 << 20
UUID = "0102030405060708090a0b0c0d0e0f10"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


class MdConformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-md.")
        cls.tree = os.path.join(cls.base, "tree")
        os.mkdir(cls.tree)
        conformance.Tree(cls.tree, many=50, large=2 * MIB, sparse=False)
        image = os.path.join(cls.base, "ext4")
        with open(image, "wb") as file:
            file.truncate(32 * MIB)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "conform", "-d", cls.tree, image)
        with open(image, "rb") as file:
            cls.data = file.read()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def make(self, array, data=None, skip=(), **options):
        paths = []
        for number, contents in enumerate(array.spread(self.data if data is None else data)):
            path = os.path.join(self.base, f"member{number}")
            if number not in skip:
                array.write(path, number, contents, **options)
                paths.append(path)
        return paths

    def examine(self, path, array):
        told = run("mdadm", "--examine", path)
        self.assertRegex(told, r"Checksum : [0-9a-f]+ - correct")
        level = {LINEAR: "linear"}.get(array.level, f"raid{array.level}")
        self.assertRegex(told, rf"Raid Level : {level}\n")

    def check(self, device, paths, grub=True):
        head = conformance.check(self, self.tree, device, *paths, ignore=("/lost+found",))
        self.assertTrue(head.startswith("ext2 ") and head.endswith("label=conform"), head)
        if not grub:
            return
        with open(os.path.join(self.tree, "boot/large"), "rb") as file:
            wanted = zlib.crc32(file.read())
        told = run("grub-fstest", "-c", str(len(paths)), *paths, "crc", f"({device})/boot/large")
        self.assertEqual(told.strip().split()[-1], f"{wanted:08x}")

    def names(self, *paths):
        done = subprocess.run([conformance.READ_TREE, "-", *paths], capture_output=True, text=True, check=True)
        return [line.split(" ")[0] for line in done.stdout.splitlines()], done.stderr

    def refusal(self, device, *paths):
        done = subprocess.run([conformance.READ_TREE, device, *paths], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_each_version_and_level(self):
        half, third = 32 * MIB // 2 // 512, 32 * MIB // 512 // 3 // 128 * 128 + 128
        whole = len(self.data) // 512
        for version, level, members, sectors, layout, grub in (
                ("0.90", 1, 2, whole, 0, True), ("1.0", 1, 2, whole, 0, True), ("1.1", 1, 2, whole, 0, True),
                ("1.2", 1, 3, whole, 0, True), ("0.90", 5, 3, half, 2, True), ("1.2", 0, 3, third, 0, True),
                ("1.2", 10, 4, half, 0x102, True), ("1.2", 10, 3, third * 2, 0x102, True),
                ("1.2", 10, 3, third * 2, 0x201, True), ("1.1", 10, 3, third * 2, 0x10201, True),
                ("1.2", 4, 3, half, 0, True), ("1.2", 5, 4, third, 2, True), ("1.0", 6, 4, half, 2, True),
                # The other orders of the parity; their chunks on five members.
                ("1.2", 5, 4, third, 0, True), ("1.2", 5, 4, third, 1, True), ("1.2", 5, 4, third, 3, True),
                ("0.90", 5, 3, half, 0, True), ("1.2", 6, 4, half, 0, True), ("1.2", 6, 4, half, 1, True),
                ("1.2", 6, 5, third, 2, True), ("1.2", 6, 5, third, 3, True), ("0.90", 6, 5, third, 1, True),
                # GRUB knows no such level.
                ("1.2", LINEAR, 2, half, 0, False)):
            with self.subTest(version=version, level=level, members=members, layout=layout):
                array = Array(version, level, members, sectors, layout, minor=7)
                paths = self.make(array)
                self.examine(paths[0], array)
                name = "md/md7" if version == "0.90" else "md/0"
                self.check(name, paths, grub)
                conformance.check(self, self.tree, "mduuid/" + UUID, *paths[::-1], ignore=("/lost+found",))
                names, notes = self.names(*paths)
                self.assertEqual(names, [f"hd{i}" for i in range(members)] + [name])
                self.assertEqual(notes, "")
                readable = version in ("0.90", "1.0") and level == 1
                if not readable:
                    self.assertIn(f"member of the MD array {name}", self.refusal("hd0", *paths))

    def test_what_a_level_can_do_without(self):
        whole = len(self.data) // 512
        for level, members, sectors, layout, enough, too_few in (
                (1, 2, whole, 0, {0}, {0, 1}), (10, 4, whole // 2, 0x102, {0, 3}, {2, 3}),
                (0, 2, whole // 2, 0, set(), {1}), (5, 3, whole // 2, 2, set(), {0}),
                (LINEAR, 2, whole // 2, 0, set(), {1})):
            with self.subTest(level=level):
                array = Array("1.2", level, members, sectors, layout, name="boot")
                paths = self.make(array, skip=enough)
                conformance.check(self, self.tree, "md/boot", *paths, ignore=("/lost+found",))
                paths = self.make(array, skip=too_few)
                if paths:
                    self.assertIn(f"md/boot: only {len(paths)} of its {members} members can be used",
                                  self.refusal("md/boot", *paths))

    def test_members_that_are_out_of_date_or_failed_are_left_out(self):
        other = bytes(len(self.data))
        whole = len(self.data) // 512
        for version in ("0.90", "1.0", "1.2"):
            for why, first, second in (
                    ("out of date", {"events": 5, "roles": [0, 1]}, {"events": 9, "roles": [0xFFFE, 1]}),
                    ("out of date", {"events": 5}, {"events": 9}),
                    ("has failed", {"events": 8, "roles": [0, 1]}, {"events": 9, "roles": [0xFFFE, 1]}),
                    ("recovery", {"events": 9, "features": 2}, {"events": 9})):
                if version == "0.90" and "features" in first:
                    continue
                with self.subTest(version=version, why=why):
                    array = Array(version, 1, 2, whole)
                    paths = [os.path.join(self.base, f"member{i}") for i in (0, 1)]
                    array.write(paths[0], 0, other, **first)
                    array.write(paths[1], 1, self.data, **second)
                    conformance.check(self, self.tree, "mduuid/" + UUID, *paths, ignore=("/lost+found",))
                    self.assertIn(why, self.names(*paths)[1])
                    self.assertIn("that is not used", self.refusal("hd0", *paths))

    def test_bad_blocks_are_avoided_and_told(self):
        array = Array("1.2", 1, 2, len(self.data) // 512)
        paths = self.make(array)
        array.write(paths[0], 0, bytes(len(self.data)), bad_blocks=True)
        self.assertIn("bad blocks", self.names(*paths)[1])
        array.write(paths[0], 0, self.data, bad_blocks=True)
        self.check("md/0", paths)

    def test_partitions_in_an_array_and_arrays_in_partitions(self):
        inner = os.path.join(self.base, "inner")
        with open(inner, "wb") as file:
            file.truncate(40 * MIB)
        run("sfdisk", "-q", inner, input="label: gpt\nstart=2048, size=65536\n")
        with open(inner, "r+b") as file:
            file.seek(MIB)
            file.write(self.data)
        with open(inner, "rb") as file:
            data = file.read()
        array = Array("1.0", 1, 2, len(data) // 512, name="host:root")
        members = self.make(array, data)
        names, notes = self.names(*members)
        self.assertEqual(names, ["hd0", "hd0,gpt1", "hd1", "hd1,gpt1", "md/root", "md/root,gpt1"])
        self.check("md/root,gpt1", members)
        conformance.check(self, self.tree, f"mduuid/{UUID},1", *members, ignore=("/lost+found",))
        outer = []
        for i, member in enumerate(members):
            path = os.path.join(self.base, f"outer{i}")
            with open(path, "wb") as file:
                file.truncate(array.device_sectors * 512 + 2 * MIB)
            run("sfdisk", "-q", path, input=f"label: gpt\nstart=2048, size={array.device_sectors}, type=raid\n")
            with open(path, "r+b") as file, open(member, "rb") as source:
                file.seek(MIB)
                file.write(source.read())
            outer.append(path)
        names, notes = self.names(*outer)
        self.assertEqual(names, ["hd0", "hd0,gpt1", "hd1", "hd1,gpt1", "md/root", "md/root,gpt1"])
        self.check("md/root,gpt1", outer)

    def test_an_old_superblock_at_the_end_of_disk_and_partition_is_the_partitions(self):
        array = Array("0.90", 1, 2, len(self.data) // 512, device_sectors=len(self.data) // 512 + 256)
        paths = self.make(array)
        outer = []
        for i, member in enumerate(paths):
            path = os.path.join(self.base, f"outer{i}")
            with open(path, "wb") as file:
                file.truncate(array.device_sectors * 512 + MIB)
            run("sfdisk", "-q", path, input=f"label: dos\nstart=2048, size={array.device_sectors}, type=fd\n")
            with open(path, "r+b") as file, open(member, "rb") as source:
                file.seek(MIB)
                file.write(source.read())
            outer.append(path)
        self.assertEqual(self.names(*outer), (["hd0", "hd0,msdos1", "hd1", "hd1,msdos1", "md/md0"], ""))
        self.check("md/md0", outer)

    def test_two_arrays_of_one_name_are_told_apart(self):
        paths = []
        for i in (1, 2):
            array = Array("1.2", 1, 1, len(self.data) // 512, uuid=bytes([i]) * 16)
            paths.append(os.path.join(self.base, f"single{i}"))
            array.write(paths[-1], 0, self.data)
        names, notes = self.names(*paths)
        self.assertEqual(names, ["hd0", "hd1", "md/0", "md/0_1"])
        self.check("md/0_1", paths)

    def test_damage_is_told(self):
        array = Array("1.2", 1, 2, len(self.data) // 512)
        paths = self.make(array)
        for offset, byte, told in ((4096 + 100, 0xFF, "wrong checksum"),):
            with open(paths[0], "r+b") as file:
                file.seek(offset)
                file.write(bytes([byte]))
            self.assertIn(f"hd0: byte 4096: the MD superblock has a {told}", self.names(*paths)[1])
        conformance.check(self, self.tree, "md/0", *paths, ignore=("/lost+found",))
        array = Array("1.2", 1, 2, len(self.data) // 512)
        paths = self.make(array, features=4)
        self.assertIn("reshape", self.refusal("md/0", *paths))


if __name__ == "__main__":
    missing = [tool for tool in ("mdadm", "mke2fs", "sfdisk", "grub-fstest") if shutil.which(tool) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} missing", file=sys.stderr)
        sys.exit(77)
    unittest.main()
