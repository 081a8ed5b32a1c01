#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""BSD and Sun disk labels divide a disk as GRUB and libfdisk say, under GRUB's names; what makefs and mke2fs put into
their partitions comes back."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import conformance
from disk_labels import FFS, SECTOR, SWAP, UNUSED, boot_record, bsd_label, write

os.environ["PATH"] += ":/sbin:/usr/sbin"
MIB = 1 << 20
SECTORS = 131072
TOOLS = ("fdisk", "sfdisk", "grub-fstest", "makefs", "mke2fs")


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


class LabelsConformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-labels.")
        cls.tree = os.path.join(cls.base, "tree")
        os.mkdir(cls.tree)
        conformance.Tree(cls.tree, many=50, large=2 * MIB, sparse=False)
        cls.ufs = cls.file_system("ufs", "makefs", "-t", "ffs", "-o", "version=2", "-s", "24m")
        with open(os.path.join(cls.base, "ext4"), "wb") as file:
            file.truncate(24 * MIB)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-d", cls.tree, os.path.join(cls.base, "ext4"))
        with open(os.path.join(cls.base, "ext4"), "rb") as file:
            cls.ext4 = file.read()

    @classmethod
    def file_system(cls, name, *command):
        path = os.path.join(cls.base, name)
        run(*command, path, cls.tree)
        with open(path, "rb") as file:
            return file.read()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def disk(self, *pieces):
        path = os.path.join(self.base, "disk")
        write(path, *pieces, size=SECTORS * SECTOR)
        return path

    def ours(self, path):
        """{name behind the disk's: (first byte, bytes)}"""
        out = run(conformance.READ_TREE, "-", path)
        return {line.split(" ")[0][4:]: tuple(int(each) for each in line.split(" ")[1:]) for line in out.splitlines()
                if "," in line}

    def grubs(self, path):
        """The same by GRUB. Of partitions in slices 2.06 tells the name, but cannot open them: then None."""
        out = run("grub-fstest", path, "ls", "--", "-l")
        found = {}
        for line in out.splitlines():
            told = re.match(r"\s*Partition loop0,([a-z0-9,]+): (.*)", line)
            if told:
                numbers = re.search(r"Partition start at ([0-9.]+)KiB - Total size ([0-9.]+)KiB", told[2])
                found[told[1]] = numbers and tuple(int(float(each) * 1024) for each in numbers.groups())
        return found

    def libfdisks(self, path):
        """{number: (first byte, bytes)}"""
        return {int(number): (int(start) * SECTOR, int(size) * SECTOR) for number, start, size in
                re.findall(r"(\d+) : start= *(\d+), size= *(\d+)", run("sfdisk", "-d", path))}

    def check_names(self, path):
        ours, grubs = self.ours(path), self.grubs(path)
        self.assertEqual(ours.keys(), grubs.keys())
        for name, place in grubs.items():
            if place:
                self.assertEqual(ours[name], place, name)
        return ours

    def check_tree(self, device, path, ignore=()):
        conformance.check(self, self.tree, device, path, ignore=ignore)

    def test_a_label_on_a_bare_disk(self):
        path = self.disk((1, bsd_label({"a": (64, 50000, FFS), "b": (50064, 1000, SWAP), "c": (0, SECTORS, UNUSED),
                                        "d": (0, SECTORS, UNUSED), "p": (60000, 50000, FFS)}, 16)), (60000, self.ufs))
        write(path, (64, self.ufs))
        ours = self.check_names(path)
        self.assertEqual(list(ours), ["bsd1", "bsd2", "bsd4", "bsd16"])
        theirs = self.libfdisks(path)
        del theirs[3]
        self.assertEqual({f"bsd{number}": place for number, place in theirs.items()}, ours)
        for device in ("hd0,bsd1", "hd0,1", "hd0,bsd16"):
            self.check_tree(device, path)

    def test_a_disk_that_is_freebsds_alone(self):
        path = self.disk((0, boot_record([(0, 0, 0), (0, 0, 0), (0, 0, 0), (0xA5, 0, 50000)])),
                         (1, bsd_label({"a": (16, 60000, FFS), "c": (0, SECTORS, UNUSED)})), (16, self.ufs))
        self.assertEqual(list(self.check_names(path)), ["msdos4", "bsd1"])
        self.check_tree("hd0,bsd1", path)

    def test_freebsds_slices_by_fdisk_and_by_hand(self):
        path = self.disk()
        run("sfdisk", "-q", path, input="label: dos\nstart=2048, size=60000, type=a5\nstart=63488, size=60000, type=a5\n")
        run("fdisk", path, input="b\ny\nn\na\n\n+26M\nn\ne\n\n\nw\nq\n", env={**os.environ, "LC_ALL": "C"})
        # Relative to its slice, as gpart(8) writes it.
        write(path, (63489, bsd_label({"a": (16, 50000, FFS), "c": (0, 60000, UNUSED)})), (63504, self.ufs))
        ours = self.check_names(path)
        self.assertEqual(list(ours), ["msdos1", "msdos1,bsd1", "msdos1,bsd5", "msdos2", "msdos2,bsd1"])
        self.assertEqual(ours["msdos1,bsd1"][0], 2048 * SECTOR)
        self.assertGreaterEqual(ours["msdos1,bsd1"][1], 26 * MIB)
        self.assertEqual(ours["msdos2,bsd1"], (63504 * SECTOR, 50000 * SECTOR))
        write(path, (2064, self.ufs[16 * SECTOR:]))  # its first 8 KiB are the label's
        for device in ("hd0,msdos1,bsd1", "hd0,1,1", "hd0,msdos1", "hd0,msdos2,bsd1", "hd0,2,bsd1"):
            self.check_tree(device, path)

    def test_slices_of_netbsd_and_openbsd(self):
        path = self.disk((0, boot_record([(0xA9, 2048, 1000), (0xA6, 4096, 60000), (0xA9, 65536, 60000)])),
                         (4097, bsd_label({"a": (4128, 50000, FFS), "c": (0, SECTORS, UNUSED),
                                           "i": (2048, 100, 8)}, 16)), (4128, self.ufs),
                         (65537, bsd_label({"a": (65600, 50000, FFS), "b": (117000, 100, SWAP), "c": (65536, 60000, UNUSED),
                                            "d": (0, SECTORS, UNUSED), "e": (130000, 90000, FFS)}, 16)),
                         (65600, self.ufs))
        ours = self.check_names(path)
        self.assertEqual(list(ours), ["msdos1", "msdos2", "msdos3", "netbsd1", "netbsd2", "netbsd4", "netbsd5", "openbsd1",
                                      "openbsd9"])
        self.check_tree("hd0,netbsd1", path)
        self.check_tree("hd0,openbsd1", path)

    def test_suns_label(self):
        path = self.disk()
        # Cylinders of 255 times 63 sectors.
        run("sfdisk", "-q", path, input="label: sun\nstart=0, size=16065, type=82\nstart=16065, size=64260, type=83\n"
                                        "start=0, size=112455, type=5\n")
        write(path, (16065, self.ext4))
        ours = self.check_names(path)
        self.assertEqual(list(ours), ["sun1", "sun2"])
        theirs = self.libfdisks(path)
        del theirs[3]
        self.assertEqual({f"sun{number}": place for number, place in theirs.items()}, ours)
        for device in ("hd0,sun2", "hd0,2"):
            self.check_tree(device, path, ignore=("/lost+found",))

    def test_labels_that_grub_takes_all_the_same(self):
        good = bytearray(bsd_label({"a": (100, 50, FFS)}))
        for place, value in ((136, 0xFF), (132, 0), (139, 0xFF)):
            label = good.copy()
            label[place] ^= value or 0xFF
            ours = self.ours(self.disk((1, bytes(label))))
            self.assertEqual(ours, self.grubs(os.path.join(self.base, "disk")))


if __name__ == "__main__":
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"skipped: {', '.join(missing)} missing", file=sys.stderr)
        sys.exit(77)
    unittest.main()
