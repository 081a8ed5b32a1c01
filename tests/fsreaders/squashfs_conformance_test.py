#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SquashFS as mksquashfs writes it, with each of its compressors, gives back the tree of all readers, which is also what
the kernel's driver or unsquashfs take out of the image."""
import os
import shutil
import subprocess
import tempfile
import unittest

import conformance

MKSQUASHFS = shutil.which("mksquashfs", path=os.environ["PATH"] + ":/sbin:/usr/sbin")


@unittest.skipUnless(MKSQUASHFS, "mksquashfs is missing")
class SquashfsConformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        cls.tree = os.path.join(cls.base, "tree")
        cls.image = os.path.join(cls.base, "image")
        os.mkdir(cls.tree)
        conformance.Tree(cls.tree, large=2 << 20, many=300)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def make(self, *options):
        if os.path.exists(self.image):
            os.unlink(self.image)
        return subprocess.run([MKSQUASHFS, self.tree, self.image, "-noappend", "-quiet", "-no-progress", "-processors",
                               "1", *options], capture_output=True, timeout=300)

    def check(self, *options):
        with self.subTest(options=options):
            done = self.make(*options)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(conformance.check(self, self.tree, "hd0", self.image), "squash4 uuid= label=")

    def test_each_compressor(self):
        for compressor in (("gzip",), ("xz",), ("xz", "-Xbcj", "x86"), ("lzo",), ("lz4",), ("lz4", "-Xhc"), ("zstd",),
                           ("lzma",)):
            done = self.make("-comp", *compressor)
            if b"not available" in done.stdout + done.stderr or b"not supported" in done.stdout + done.stderr:
                print("skipped: this mksquashfs has no", compressor[0])
                continue
            self.check("-comp", *compressor)

    def test_block_sizes(self):
        for size in ("4K", "64K", "1M"):
            self.check("-comp", "lz4", "-b", size)

    def test_variants(self):
        self.check("-no-fragments")
        self.check("-always-use-fragments", "-comp", "zstd")
        self.check("-noI", "-noD", "-noF", "-noX")
        self.check("-no-duplicates", "-no-exports", "-no-sparse")

    def test_what_is_stored_plain_goes_out_as_extents_of_any_place(self):
        # At an offset in a disk, as a partition has.
        self.make("-noD", "-noF")
        disk = os.path.join(self.base, "disk")
        with open(disk, "wb") as file, open(self.image, "rb") as image:
            file.truncate(1 << 20)
            file.seek(1 << 20)
            shutil.copyfileobj(image, file)
            file.truncate(64 << 20)
        subprocess.run(["sfdisk", "-q", disk], input=b"label: dos\nstart=2048, type=83\n", check=True,
                       env={**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})
        conformance.check(self, self.tree, "hd0,msdos1", disk)

    def test_files_of_1_gib(self):
        with conformance.huge_directory() as base:
            image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            conformance.write_huge(tree)
            subprocess.run([MKSQUASHFS, tree, image, "-comp", "lz4", "-quiet", "-no-progress"], check=True,
                           stdout=subprocess.DEVNULL)
            conformance.check(self, tree, "hd0", image)

    def test_a_larger_directory_lists_in_reasonable_time(self):
        many = os.path.join(self.base, "many")
        os.mkdir(many)
        for i in range(20_000):
            with open(os.path.join(many, f"file-{i}"), "wb"):
                pass
        image = os.path.join(self.base, "many.img")
        subprocess.run([MKSQUASHFS, many, image, "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
        _, lines = conformance.read_tree("hd0", image)
        self.assertEqual(len(lines), 20_000)


if __name__ == "__main__":
    unittest.main()
