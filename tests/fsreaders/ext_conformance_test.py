#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ext2, ext3 and ext4, written by mke2fs, give back the tree of all readers."""
import os
import subprocess
import tempfile
import unittest

import conformance


class ExtConformance(unittest.TestCase):
    def test_the_tree_comes_back_from_each_kind(self):
        with tempfile.TemporaryDirectory(prefix="pvhgrub-conformance.") as base:
            tree = os.path.join(base, "tree")
            os.mkdir(tree)
            conformance.Tree(tree)
            for options in (["-t", "ext2", "-b", "1024"], ["-t", "ext3"], ["-t", "ext4"],
                            ["-t", "ext4", "-O", "inline_data", "-I", "512"]):
                with self.subTest(options=options):
                    image = os.path.join(base, "image")
                    with open(image, "wb") as file:
                        file.truncate(200 << 20)
                    subprocess.run(["mke2fs", "-q", "-F", "-L", "conform", "-d", tree, *options, image], check=True,
                                   env={**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})
                    head = conformance.check(self, tree, "hd0", image, ignore=("/lost+found",))
                    self.assertTrue(head.startswith("ext2 ") and head.endswith("label=conform"), head)

    def test_files_of_1_gib(self):
        with conformance.huge_directory() as base:
            tree, image = os.path.join(base, "tree"), os.path.join(base, "image")
            conformance.write_huge(tree)
            # Extents; then three levels of blocks of pointers, for the sparse file alone.
            for options in (["-t", "ext4"], ["-t", "ext2", "-b", "1024"]):
                with self.subTest(options=options):
                    with open(image, "wb") as file:
                        file.truncate(1300 << 20)
                    subprocess.run(["mke2fs", "-q", "-F", "-d", tree, *options, image], check=True,
                                   env={**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})
                    conformance.check(self, tree, "hd0", image, ignore=("/lost+found",))
                os.unlink(image)
                os.truncate(os.path.join(tree, "allocated"), 0)


if __name__ == "__main__":
    unittest.main()
