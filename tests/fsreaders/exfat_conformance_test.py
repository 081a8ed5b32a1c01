#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""exFAT, made by mkfs.exfat (exfatprogs) and written by exfat-fuse, gives back the tree of all readers; uuid, label and
names are those that GRUB's own driver tells. Needs root, loop devices and /dev/fuse."""
import os
import random
import shutil
import subprocess
import tempfile
import unittest

import conformance

ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin", "LC_ALL": "C.UTF-8"}


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)


def missing():
    for program in ("mkfs.exfat", "mount.exfat-fuse", "losetup"):
        if not shutil.which(program, path=ENVIRONMENT["PATH"]):
            return f"{program} is missing"
    if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        return "needs root and /dev/fuse"
    return "" if subprocess.run(["losetup", "-f"], env=ENVIRONMENT, capture_output=True).returncode == 0 else "no loop device"


@unittest.skipIf(missing(), missing())
class ExfatConformance(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        self.addCleanup(shutil.rmtree, self.base)
        self.image = os.path.join(self.base, "image")
        self.mounted = os.path.join(self.base, "mounted")
        os.mkdir(self.mounted)

    def make(self, size, *options):
        with open(self.image, "wb") as file:
            file.truncate(size << 20)
        run("mkfs.exfat", "-L", "Größe", *options, self.image)

    def mount(self):
        """Mounts the image; what is returned unmounts it."""
        self.loop = run("losetup", "-f", "--show", self.image).stdout.decode().strip()
        try:
            run("mount.exfat-fuse", "-o", "noatime", self.loop, self.mounted)
        except subprocess.CalledProcessError:
            run("losetup", "-d", self.loop)
            raise

    def unmount(self):
        run("umount", self.mounted)
        run("losetup", "-d", self.loop)

    def test_the_tree_comes_back_from_each_cluster_size(self):
        for options, size in ((("-c", "512"), 64), (("-c", "4K"), 64), (("-c", "32K"), 128), (("-c", "1M"), 700)):
            with self.subTest(options=options):
                self.make(size, *options)
                self.mount()
                try:
                    maker = conformance.Tree(self.mounted, links=False, hard_links=False, sparse=False, case=False, many=300,
                                             large=4 << 20)
                    maker.fragment(pieces=60, size=40_000)
                    tree = os.path.join(self.base, "tree")
                    shutil.rmtree(tree, ignore_errors=True)
                    shutil.copytree(self.mounted, tree)
                finally:
                    self.unmount()
                head = conformance.check(self, tree, "hd0", self.image)
                self.assertRegex(head, "^exfat uuid=[0-9A-F]{4}-[0-9A-F]{4} label=Größe$")
                if shutil.which("grub-fstest"):
                    device = run("grub-fstest", self.image, "ls", "--", "-l").stdout.decode()
                    uuid = head.split("uuid=")[1].split(" ")[0]
                    self.assertIn(f"Filesystem type exfat - Label `Größe', UUID {uuid}", device)
                    listed = run("grub-fstest", self.image, "ls", "--", "(loop0)/").stdout.decode()
                    for name in os.listdir(tree):
                        self.assertIn(name, listed)

    def test_a_file_of_1_gib(self):
        with conformance.huge_directory() as base:
            self.image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            conformance.write_huge(tree, sparse=False)
            self.make(1200, "-c", "32K")
            self.mount()
            try:
                shutil.copyfile(f"{tree}/allocated", f"{self.mounted}/allocated")
                with open(f"{self.mounted}/allocated", "rb") as file:
                    os.fsync(file.fileno())  # unmounting does not wait for the last writes
            finally:
                self.unmount()
            conformance.check(self, tree, "hd0", self.image)

    def test_files_that_were_made_longer_and_shorter_come_back(self):
        self.make(64, "-c", "4K")
        contents = random.Random(7)
        self.mount()
        try:
            for i in range(100):
                path = f"{self.mounted}/file{i}"
                with open(path, "wb") as file:
                    file.write(contents.randbytes(contents.randrange(30_000)))
                os.truncate(path, contents.randrange(60_000))
                if i % 4 == 1:
                    os.rename(path, f"{self.mounted}/{'renamed' * 20}{i}")
            tree = os.path.join(self.base, "tree")
            shutil.copytree(self.mounted, tree)
        finally:
            self.unmount()
        conformance.check(self, tree, "hd0", self.image)


if __name__ == "__main__":
    unittest.main()
