#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""EROFS as mkfs.erofs writes it gives back the tree of all readers; what is compressed is refused by name."""
import os
import shutil
import subprocess
import tempfile
import unittest

import conformance

MKFS = shutil.which("mkfs.erofs", path=os.environ["PATH"] + ":/sbin:/usr/sbin")
UUID = "01234567-89ab-cdef-0123-456789abcdef"


@unittest.skipUnless(MKFS, "mkfs.erofs is missing")
class ErofsConformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        cls.tree = os.path.join(cls.base, "tree")
        cls.image = os.path.join(cls.base, "image")
        os.mkdir(cls.tree)
        # This mkfs.erofs fails with names of 255 bytes.
        conformance.Tree(cls.tree, large=2 << 20, many=300, name_bytes=200)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def make(self, *options):
        subprocess.run([MKFS, "--quiet", "-U", UUID, *options, self.image, self.tree], check=True,
                       stdout=subprocess.DEVNULL)

    def test_the_tree_comes_back_from_each_kind(self):
        for options in ((), ("-Eforce-inode-compact",), ("-Eforce-inode-extended",), ("-Enoinline_data",),
                        ("--chunksize=4096",), ("--chunksize=65536", "-Eforce-chunk-indexes"), ("-x-1",)):
            with self.subTest(options=options):
                self.make(*options)
                head = conformance.check(self, self.tree, "hd0", self.image)
                self.assertEqual(head, f"erofs uuid={UUID} label=")

    def test_a_damaged_superblock_is_told(self):
        self.make()
        with open(self.image, "r+b") as file:
            file.seek(1024 + 24)  # the build time
            file.write(b"\xff")
        with self.assertRaisesRegex(AssertionError, "wrong checksum of the superblock"):
            conformance.read_tree("hd0", self.image)

    def test_compressed_files_are_refused_by_name(self):
        self.make("-zlz4")
        with self.assertRaisesRegex(AssertionError, "compressed.*mkfs.erofs without -z"):
            conformance.read_tree("hd0", self.image)

    def test_several_devices_are_refused(self):
        self.make("--chunksize=65536", "--blobdev=" + os.path.join(self.base, "blob"))
        with self.assertRaisesRegex(AssertionError, "several devices"):
            conformance.read_tree("hd0", self.image)


if __name__ == "__main__":
    unittest.main()
