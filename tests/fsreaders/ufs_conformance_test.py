#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""UFS1 and UFS2, written by makefs (NetBSD's), give back the tree of all readers; uuid and names are those that GRUB's
own driver tells."""
import os
import shutil
import subprocess
import tempfile
import unittest

import conformance

ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin", "LC_ALL": "C.UTF-8"}
KINDS = ["version=1", "version=2", "version=1,bsize=4096,fsize=512", "version=2,bsize=4096,fsize=4096",
         "version=2,bsize=32768,fsize=4096", "version=2,bsize=65536,fsize=8192"]


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)


@unittest.skipIf(not shutil.which("makefs", path=ENVIRONMENT["PATH"]), "makefs is missing")
class UfsConformance(unittest.TestCase):
    def test_the_tree_comes_back_from_each_kind(self):
        with tempfile.TemporaryDirectory(prefix="pvhgrub-conformance.") as base:
            tree = os.path.join(base, "tree")
            os.mkdir(tree)
            # makefs writes holes as zeros, and 40 MiB is beyond the first level of pointers of every kind.
            conformance.Tree(tree, many=1500, large=40 << 20)
            image = os.path.join(base, "image")
            for options in KINDS:
                with self.subTest(options=options):
                    run("makefs", "-t", "ffs", "-o", options, "-s", "160m", image, tree)
                    head = conformance.check(self, tree, "hd0", image)
                    self.assertRegex(head, f"^ufs{options[8]} uuid=[0-9a-f]* label=$")
                    if shutil.which("grub-fstest"):
                        uuid = head.split("uuid=")[1].split(" ")[0]
                        device = run("grub-fstest", image, "ls", "--", "-l").stdout.decode()
                        self.assertIn(f"Filesystem type ufs{options[8]}", device)
                        if uuid:
                            self.assertIn(f"UUID {uuid}", device)

    def test_files_of_1_gib(self):
        with conformance.huge_directory() as base:
            image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            conformance.write_huge(tree, sparse=False)
            run("makefs", "-t", "ffs", "-o", "version=2", "-s", "1200m", image, tree)
            conformance.check(self, tree, "hd0", image)

    def test_the_other_byte_order_is_refused(self):
        with tempfile.TemporaryDirectory(prefix="pvhgrub-conformance.") as base:
            image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            os.mkdir(tree)
            for version in "12":
                run("makefs", "-t", "ffs", "-B", "be", "-o", f"version={version}", "-s", "8m", image, tree)
                with self.assertRaisesRegex(AssertionError, "big-endian"):
                    conformance.read_tree("hd0", image)


if __name__ == "__main__":
    unittest.main()
