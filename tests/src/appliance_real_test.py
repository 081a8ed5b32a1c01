#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pvhgrub-appliance itself, on formats that have no reader here, and on one that has. Needs libguestfs, QEMU, and a
kernel for libguestfs's own appliance: one in /boot, or what SUPERMIN_KERNEL and SUPERMIN_MODULES name, or a fixed one in
LIBGUESTFS_PATH."""
import ctypes
import glob
import os
import shutil
import subprocess
import sys
import tarfile
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


class Writer:
    """libguestfs itself: what writes the formats that have neither a tool nor a driver here."""

    def __init__(self, *images):
        self.library = ctypes.CDLL("libguestfs.so.0")
        self.library.guestfs_create.restype = ctypes.c_void_p
        for name in ("last_error", "debug"):
            getattr(self.library, "guestfs_" + name).restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p(self.library.guestfs_create())
        self.call("set_backend", b"direct")
        # Where there is a /dev/kvm, it may still not work.
        self.call("set_backend_settings", (ctypes.c_char_p * 2)(b"force_tcg", None))
        for image in images:
            self.call("add_drive_opts", image.encode(), 1, b"raw", -1)  # 1: the argument "format" follows
        self.call("launch")

    def call(self, name, *arguments):
        result = getattr(self.library, "guestfs_" + name)(self.handle, *arguments)
        if result in (-1, None):
            raise AssertionError(f"{name}{arguments}: {self.library.guestfs_last_error(self.handle)}")
        return result

    def shell(self, command):
        return self.call("debug", b"sh", (ctypes.c_char_p * 2)(command.encode(), None))

    def fill(self, device, archive):
        self.call("mount", device, b"/")
        self.call("tar_in", archive.encode(), b"/")
        self.call("umount_all")

    def close(self):
        self.call("shutdown")
        self.library.guestfs_close(self.handle)


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

    def make_tree(self, **kind):
        tree = conformance.Tree(self.tree, many=60, large=4 << 20, **kind)
        tree.write("boot/grub/grub.cfg", b"menuentry x { linux /boot/large root=/dev/xvda\n initrd /boot/half }\n")

    def make_image(self, name, size):
        path = os.path.join(self.base, name)
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def check_through_appliance(self, device, *images, when="auto"):
        """The whole tree as the worker's own reader sees it, by a script of GRUB's language: sizes and contents."""
        done = subprocess.run([PVHGRUB, "-q", f"--appliance={when}", "--deadline=400", "--kernel-format=as-is", "--boot=direct",
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
        self.make_tree(sparse=False, hard_links=False)
        self.make_image("image", 200 << 20)
        self.run_tool("mkfs.f2fs", "-q", "-l", "FAR", self.image)
        self.run_tool("sload.f2fs", "-f", self.tree, self.image)
        head = conformance.check(self, self.tree, "hd0", self.image)
        self.assertRegex(head, "^f2fs uuid=[0-9a-f-]{36} label=FAR$")
        self.check_through_appliance("hd0", self.image)

    def test_ext4_gives_the_conformance_tree_back_where_all_comes_from_the_appliance(self):
        self.make_tree()
        self.make_image("image", 128 << 20)
        self.run_tool("mke2fs", "-q", "-F", "-t", "ext4", "-L", "near", "-d", self.tree, self.image)
        head = conformance.check(self, self.tree, "hd0", self.image, ignore=("/lost+found",))
        self.assertRegex(head, "^ext2 uuid=[0-9a-f-]{36} label=near$")
        self.check_through_appliance("hd0", self.image, when="always")

    @unittest.skipIf(not tool("mkfs.minix") or not tool("mkfs.ntfs"), "mkfs.minix or mkfs.ntfs is missing")
    def test_minix_ntfs_and_thin_volumes_give_the_conformance_tree_back(self):
        # The longest name of Minix's third version has 60 bytes.
        self.make_tree(name_bytes=60, sparse=False)
        archive = os.path.join(self.base, "tree.tar")
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
            for name in sorted(os.listdir(self.tree)):
                tar.add(os.path.join(self.tree, name), name)
        minix, ntfs, thin = (self.make_image(name, size << 20) for name, size in (("minix", 64), ("ntfs", 64), ("thin", 128)))
        self.run_tool("mkfs.minix", "-3", minix)
        self.run_tool("mkfs.ntfs", "-F", "-Q", "-q", "-L", "FAR", ntfs)
        writer = Writer(minix, ntfs, thin)
        try:
            writer.fill(b"/dev/sda", archive)
            writer.fill(b"/dev/sdb", archive)
            writer.shell("lvm pvcreate /dev/sdc && lvm vgcreate vg /dev/sdc")
            # Without its checker, which libguestfs's appliance does not have.
            for options in ("-L 100M -T vg/pool", "-V 90M -T vg/pool -n thin"):
                writer.shell(f"lvm lvcreate -y --config 'global/thin_check_executable=\"\"' {options} 2>&1")
            writer.call("mkfs", b"ext4", b"/dev/vg/thin")
            writer.fill(b"/dev/vg/thin", archive)
        finally:
            writer.close()
        for device, image, line in (("hd0", minix, "^minix uuid= label=$"), ("hd0", ntfs, "^ntfs uuid=[0-9A-F]{16} label=FAR$"),
                                    ("lvm/vg-thin", thin, "^ext2 uuid=[0-9a-f-]{36} label=$")):
            with self.subTest(image=os.path.basename(image)):
                head = conformance.check(self, self.tree, device, image, ignore=("/lost+found",))
                self.assertRegex(head, line)


if __name__ == "__main__":
    unittest.main()
