#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""FAT12, FAT16 and FAT32, made by mkfs.fat and filled by mtools, give back the tree of all readers; uuid, label and the
names in a directory are those that GRUB's own driver tells."""
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest

import conformance

# mtools takes names in the locale's encoding; it must not doubt the sizes that mkfs.fat gives.
ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin", "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}

# Options of mkfs.fat, and the image's size in MiB.
KINDS = [(["-F", "12", "-s", "64"], 96), (["-F", "12", "-s", "128", "-r", "1024", "-f", "1"], 200),
         (["-F", "16", "-s", "8"], 96), (["-F", "16", "-S", "1024", "-s", "4"], 96),
         (["-F", "32", "-s", "1"], 80), (["-F", "32", "-a", "-s", "2", "-R", "7", "-f", "3"], 140),
         # mtools takes a FAT32 of fewer than 65525 clusters for a FAT16; the images are sparse.
         (["-F", "32", "-s", "8", "-S", "4096"], 2300), (["-F", "32", "-s", "128"], 4400)]


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)


@unittest.skipIf(not shutil.which("mcopy") or not shutil.which("mkfs.fat", path=ENVIRONMENT["PATH"]),
                 "mtools or dosfstools is missing")
class FatConformance(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        self.addCleanup(shutil.rmtree, self.base)
        self.image = os.path.join(self.base, "image")

    def make(self, options, size, label="CONFORM"):
        with open(self.image, "wb") as file:
            file.truncate(size << 20)
        run("mkfs.fat", "-n", label, "-i", "1a2b3c4d", *options, self.image)

    def copy(self, tree):
        run("mcopy", "-Q", "-s", "-i", self.image, *sorted(os.path.join(tree, name) for name in os.listdir(tree)), "::/")

    def test_the_tree_comes_back_from_each_kind(self):
        tree = os.path.join(self.base, "tree")
        os.mkdir(tree)
        conformance.Tree(tree, links=False, hard_links=False, sparse=False, case=False, many=400, large=4 << 20)
        for options, size in KINDS:
            with self.subTest(options=options):
                self.make(options, size)
                self.copy(tree)
                head = conformance.check(self, tree, "hd0", self.image)
                self.assertEqual(head, "fat uuid=1A2B-3C4D label=CONFORM")

    def test_a_file_of_1_gib(self):
        with conformance.huge_directory() as base:
            self.image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            conformance.write_huge(tree, sparse=False)
            self.make(["-F", "32", "-s", "8"], 1100)
            self.copy(tree)
            conformance.check(self, tree, "hd0", self.image)

    def test_a_file_in_hundreds_of_fragments_comes_back(self):
        for options, size in ((["-F", "12", "-s", "4"], 6), (["-F", "16", "-s", "1"], 8), (["-F", "32", "-s", "1"], 40)):
            with self.subTest(options=options):
                self.make(options, size)
                tree = os.path.join(self.base, "fragments" + options[1])
                os.makedirs(tree + "/small")
                contents = random.Random(1)
                for i in range(600):
                    with open(f"{tree}/small/{i}", "wb") as file:
                        file.write(contents.randbytes(3000))
                self.copy(tree)
                # All but a little of the rest goes to one file, then every second small one makes room.
                free = int(re.search(r"([\d ]+) bytes free", run("mdir", "-i", self.image).stdout.decode())[1].replace(" ", ""))
                with open(f"{tree}/fill", "wb") as file:
                    file.truncate(free - 50_000)
                run("mcopy", "-Q", "-i", self.image, f"{tree}/fill", "::/")
                for i in range(0, 600, 2):
                    os.unlink(f"{tree}/small/{i}")
                run("mdel", "-i", self.image, *(f"::/small/{i}" for i in range(0, 600, 2)))
                with open(f"{tree}/fragmented", "wb") as file:
                    file.write(contents.randbytes(800_000))
                run("mcopy", "-Q", "-i", self.image, f"{tree}/fragmented", "::/")
                fragments = run("mshowfat", "-i", self.image, "::/fragmented").stdout.decode().count("<")
                self.assertGreater(fragments, 80)
                conformance.check(self, tree, "hd0", self.image)

    @unittest.skipIf(not shutil.which("grub-fstest"), "grub-fstest is missing")
    def test_grub_tells_the_same_names_and_contents(self):
        tree = os.path.join(self.base, "tree")
        maker = conformance.Tree(tree, links=False, hard_links=False, sparse=False, case=False, many=60, large=1 << 20)
        maker.write("UPPER.TXT", b"1")
        maker.write("lower.txt", b"2")
        maker.write("Mixed.Txt", b"3")
        for options, size in ((["-F", "12", "-s", "8"], 12), (["-F", "16"], 40), (["-F", "32"], 80)):
            with self.subTest(options=options):
                self.make(options, size)
                self.copy(tree)
                conformance.check(self, tree, "hd0", self.image)
                device = run("grub-fstest", self.image, "ls", "--", "-l").stdout.decode()
                self.assertIn("Filesystem type fat - Label `CONFORM', UUID 1A2B-3C4D", device)
                listed = run("grub-fstest", self.image, "ls", "--", "-l", "(loop0)/").stdout.decode()
                # GRUB lower-cases an 8.3 name that has no long one beside it; it is found either way.
                self.assertEqual(sorted(line.split(" ")[-1].rstrip("/").lower() if " of " not in line else line
                                        for line in re.findall(r"^(?:DIR|\d+) +\d{14} (.*)$", listed, re.M)),
                                 sorted(name.split(" ")[-1].lower() for name in os.listdir(tree)))
                for name in ("boot/size-65537", "boot/text", "Upper.txt", "LOWER.TXT", "mixed.tXT", "BOOT/half"):
                    got = subprocess.run(["grub-fstest", self.image, "cat", f"(loop0)/{name}"], check=True,
                                         capture_output=True).stdout
                    path = subprocess.run(["find", tree, "-ipath", f"{tree}/{name}"], capture_output=True).stdout.decode()
                    with open(path.strip(), "rb") as file:
                        self.assertEqual(got, file.read(), name)


if __name__ == "__main__":
    unittest.main()
