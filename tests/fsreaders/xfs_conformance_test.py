#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""XFS, written by the kernel where it mounts the variant and by mkfs.xfs -p where it does not, gives back the tree of all
readers."""
import os
import shutil
import subprocess
import tempfile
import unittest

import conformance

PATH = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}
SIZE = 512 << 20
UUID = "0d3c7a52-5c2f-4b7e-9a61-7f7e1c2d3b4a"

# Options of mkfs.xfs; of each what its line says of the on-disk format is what differs from the others.
VARIANTS = [
    "",
    "-m finobt=0,reflink=0,bigtime=0,inobtcount=0 -i sparse=0 -i nrext64=0",
    "-m rmapbt=1,reflink=1,bigtime=1,inobtcount=1 -i sparse=1,nrext64=1",
    "-i size=2048 -n size=65536 -d agcount=3",
    "-b size=1024 -s size=512 -i nrext64=1",
    "-b size=2048 -n size=8192",
    "-b size=65536",
    "-s size=4096 -b size=4096 -l sunit=64",
    "-m crc=0 -n ftype=0 -b size=512 -i size=256",
    "-m crc=0 -n ftype=1",
    "-m crc=0 -n ftype=0 -b size=65536 -i attr=1",
    "-n version=ci",
    "-m crc=0 -n version=ci -b size=1024 -n size=32768",
]


def run(*command, **options):
    return subprocess.run(command, env=PATH, capture_output=True, text=True, **options)


def make(image, options):
    with open(image, "wb") as file:
        file.truncate(SIZE)
    done = run("mkfs.xfs", "-q", "-f", "-L", "conform-xfs1", "-m", f"uuid={UUID}", *options, image)
    if done.returncode != 0:
        raise AssertionError(f"mkfs.xfs {options}: {done.stderr}")


class Mounted:
    """A loop mount; `ok` tells whether there is one."""

    def __init__(self, image, where):
        self.where = where
        os.makedirs(where, exist_ok=True)
        self.ok = os.geteuid() == 0 and run("mount", "-t", "xfs", "-o", "loop", image, where).returncode == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.ok:
            subprocess.run(["umount", self.where], env=PATH, check=True)


def protofile(tree, path):
    """What mkfs.xfs -p takes for `tree`. It knows neither blanks in names nor hard links."""
    lines = ["boot", "0 0"]

    def directory(folder, indent):
        for entry in sorted(os.scandir(folder), key=lambda each: each.name):
            pad = "  " * indent
            if entry.is_symlink():
                lines.append(f"{pad}{entry.name} l--777 0 0 {os.readlink(entry.path)}")
            elif entry.is_dir():
                lines.append(f"{pad}{entry.name} d--755 0 0")
                directory(entry.path, indent + 1)
                lines.append(f"{pad}$")
            else:
                lines.append(f"{pad}{entry.name} ---644 0 0 {entry.path}")

    lines.append("d--755 0 0")
    directory(tree, 1)
    lines.append("$")
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join(lines) + "\n")


def make_plain(tree):
    """Leaves what a protofile cannot say, and the link whose target mkfs.xfs 6.1 writes without its header."""
    for folder, folders, files in os.walk(tree, topdown=False):
        for name in folders + files:
            if " " in name or name == "boot-long":
                os.remove(os.path.join(folder, name))


@unittest.skipUnless(shutil.which("mkfs.xfs", path=PATH["PATH"]), "skipped: mkfs.xfs is missing (package xfsprogs)")
class XfsConformance(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.TemporaryDirectory(
            prefix="pvhgrub-conformance.", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.addCleanup(self.base.cleanup)

    def name(self, path):
        return os.path.join(self.base.name, path)

    def check_head(self, head):
        self.assertEqual(head, f"xfs uuid={UUID} label=conform-xfs1")

    def by_protofile(self, image, options):
        # mkfs.xfs closes no file before its end, so there are fewer of them. -n version=ci needs names apart.
        tree = self.name("plain-tree")
        if not os.path.isdir(tree):
            os.mkdir(tree)
            conformance.Tree(tree, links=True, hard_links=False, many=800, case=False, large=4 << 20)
            make_plain(tree)
            protofile(tree, self.name("proto"))
        make(image, [*options, "-p", self.name("proto")])
        self.check_head(conformance.check(self, tree, "hd0", image))

    def test_the_tree_comes_back_from_each_kind(self):
        image = self.name("image")
        mounted = []
        for variant in VARIANTS:
            with self.subTest(variant=variant):
                options = variant.split()
                make(image, options)
                with Mounted(image, self.name("mount")) as mount:
                    if mount.ok:
                        conformance.Tree(mount.where, many=1000, large=8 << 20).fragment(pieces=60)
                        os.symlink("x" * 1023, os.path.join(mount.where, "long-link"))
                        expected = self.name("copy")
                        shutil.rmtree(expected, ignore_errors=True)
                        run("cp", "-a", mount.where, expected, check=True)
                        mounted.append(variant)
                if mount.ok:
                    self.check_head(conformance.check(self, expected, "hd0", image))
                else:
                    self.by_protofile(image, options)
        print(f"written by the kernel: {len(mounted)} of {len(VARIANTS)} variants, the others by mkfs.xfs -p")

    def test_files_of_1_gib(self):
        with conformance.huge_directory() as base:
            image, tree = os.path.join(base, "image"), os.path.join(base, "huge")
            conformance.write_huge(tree)
            with open(image, "wb") as file:
                file.truncate(1600 << 20)
            run("mkfs.xfs", "-q", "-f", image, check=True)
            with Mounted(image, self.name("mount")) as mount:
                if not mount.ok:
                    self.skipTest("skipped: needs root and a kernel with XFS")
                run("cp", "--sparse=always", tree + "/allocated", tree + "/sparse", mount.where, check=True)
            conformance.check(self, tree, "hd0", image)

    def test_grub_reads_the_same(self):
        if not shutil.which("grub-fstest"):
            self.skipTest("skipped: grub-fstest is missing (package grub-common)")
        image = self.name("image")
        options = "-m finobt=1,reflink=1,bigtime=1 -i nrext64=0".split()
        self.by_protofile(image, options)
        told = run("grub-fstest", image, "ls", "--", "-l", "(loop0)").stdout
        self.assertIn(f"UUID {UUID}", told)
        self.assertRegex(told, "Label [`']conform-xfs1'")
        names = run("grub-fstest", image, "ls", "--", "(loop0)/boot/").stdout.split()
        wanted = os.listdir(self.name("plain-tree/boot"))
        self.assertEqual(sorted(name.rstrip("/") for name in names), sorted(wanted))
        self.assertEqual(run("grub-fstest", image, "cmp", "(loop0)/boot/large",
                             self.name("plain-tree/boot/large")).returncode, 0)

    def test_a_file_on_the_realtime_device_is_refused(self):
        image = self.name("image")
        self.by_protofile(image, [])
        db = ("xfs_db", "-x", "-c")
        found = run("xfs_db", "-r", "-c", "path /boot/text", "-c", "print core.mode core.realtime", image)
        self.assertIn("core.realtime = 0", found.stdout)
        run(*db, "path /boot/text", "-c", "write core.realtime 1", image, check=True)
        with self.assertRaisesRegex(AssertionError, "realtime device"):
            conformance.read_tree("hd0", image)


if __name__ == "__main__":
    unittest.main()
