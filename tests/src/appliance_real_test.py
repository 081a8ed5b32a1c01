#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pvhgrub-appliance itself, on formats that have no reader here. Needs libguestfs, QEMU, and a kernel for libguestfs's
own appliance: one in /boot, or what SUPERMIN_KERNEL and SUPERMIN_MODULES name, or a fixed one in LIBGUESTFS_PATH."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PVHGRUB = os.environ["PVHGRUB"]
APPLIANCE = os.path.join(os.path.dirname(PVHGRUB), "pvhgrub-appliance")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fsreaders"))
import conformance  # noqa: E402

conformance.TIMEOUT = 800  # without KVM, each question takes a while

ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}


def tool(name):
    return shutil.which(name, path=ENVIRONMENT["PATH"])


def missing():
    if not os.path.exists(APPLIANCE):
        return "built without libguestfs"
    if not any(name in os.environ for name in ("LIBGUESTFS_PATH", "SUPERMIN_KERNEL")) and not glob.glob("/boot/vmlinuz*"):
        return "no kernel for libguestfs's appliance"
    return None


@unittest.skipIf(missing(), missing() or "")
class RealAppliance(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="pvhgrub-appliance.")
        self.addCleanup(shutil.rmtree, self.base)
        self.out = os.path.join(self.base, "out")
        self.tree = os.path.join(self.base, "tree")
        os.mkdir(self.out)
        self.image = os.path.join(self.base, "image")

    def run_tool(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-2000:])

    def make_tree(self):
        tree = conformance.Tree(self.tree, many=60, large=4 << 20, sparse=False, hard_links=False)
        tree.write("boot/grub/grub.cfg", b"menuentry x { linux /boot/large root=/dev/xvda\n initrd /boot/half }\n")

    def check_through_appliance(self, device, *images):
        """The whole tree as the worker's own reader sees it, by a script of GRUB's language: sizes and contents."""
        done = subprocess.run([PVHGRUB, "-q", "--appliance=auto", "--deadline=400", "--kernel-format=as-is", "--boot=direct",
                               "--output-format=simple", f"--output-directory={self.out}", *images],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=500)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(f"{device}: its", done.stderr.decode())
        for line in done.stdout.decode().splitlines():
            words = line.split(" ")
            name = {"kernel": "boot/large", "ramdisk": "boot/half"}.get(words[0])
            if name:
                with open(words[1], "rb") as got, open(os.path.join(self.tree, name), "rb") as wanted:
                    self.assertTrue(got.read() == wanted.read(), name)

    @unittest.skipIf(not tool("mkfs.f2fs") or not tool("sload.f2fs"), "f2fs-tools is missing")
    def test_f2fs_gives_the_conformance_tree_back(self):
        self.make_tree()
        with open(self.image, "wb") as file:
            file.truncate(200 << 20)
        self.run_tool("mkfs.f2fs", "-q", "-l", "FAR", self.image)
        self.run_tool("sload.f2fs", "-f", self.tree, self.image)
        head = conformance.check(self, self.tree, "hd0", self.image)
        self.assertRegex(head, "^f2fs uuid=[0-9a-f-]{36} label=FAR$")
        self.check_through_appliance("hd0", self.image)


if __name__ == "__main__":
    unittest.main()
