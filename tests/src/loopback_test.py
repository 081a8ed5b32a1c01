#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that boot from a file system in a file: a squashfs with the kernel (k3OS), an installer's ISO image beside
others (Ubuntu's iso-scan, Debian's findiso), a squashfs in an ISO; and ISO images as disks."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

MKSQUASHFS = shutil.which("mksquashfs", path=os.environ["PATH"] + ":/sbin:/usr/sbin")
XORRISO = shutil.which("xorriso")

# As k3OS installs it, but that the partition is found by a file and not by its label.
K3OS = """\
set default=0
set timeout=0
menuentry "k3OS Current" {
  search.file /k3os/system/kernel/current/kernel.squashfs root
  set sqfile=/k3os/system/kernel/current/kernel.squashfs
  loopback loop0 /$sqfile
  set root=($root)
  linux (loop0)/vmlinuz printk.devkmsg=on
  initrd /k3os/system/kernel/current/initrd
}
"""

# As Ubuntu's and Debian's documentation have it for an image on a stick.
ISO_SCAN = """\
set isofile="/images/live.iso"
menuentry 'Ubuntu' --id ubuntu {
  rmmod tpm
  loopback loop $isofile
  linux (loop)/casper/vmlinuz boot=casper iso-scan/filename=$isofile noprompt quiet splash ---
  initrd (loop)/casper/initrd
}
menuentry 'Debian' --id debian {
  loopback loop $isofile
  set root=(loop)
  linux /casper/vmlinuz boot=live findiso=${isofile}
  initrd /casper/initrd
}
menuentry 'By its own menu' --id own {
  loopback loop (hd0,gpt2)$isofile
  set root=(loop)
  configfile /boot/grub/loopback.cfg
}
"""

# A squashfs in the image of a disc in the file system of the disk.
IN_ONE_ANOTHER = """\
menuentry 'Live' {
  loopback iso /images/live.iso
  loopback root (iso)/live/root.squashfs
  linux (root)/casper/vmlinuz live
  initrd (root)/casper/initrd
}
"""

OWN_MENU = """\
menuentry 'Live' {
  search --no-floppy --label --set=root LIVE
  linux /casper/vmlinuz live
  initrd /casper/initrd
}
"""


class Loopback(Fixture):
    def setUp(self):
        super().setUp()
        self.files = tempfile.mkdtemp(dir=self.base)
        self.kernel = guest_image.kernel_bytes()
        self.initrd = random.Random(5).randbytes(400_000) + bytes(100_000) + b"a line\n" * 30_000

    def write(self, name, contents):
        path = os.path.join(self.files, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents)

    def squashfs(self, *options):
        """The bytes of an image of the files; nothing where this mksquashfs has no such compressor."""
        image = os.path.join(self.base, "made.squashfs")
        done = subprocess.run([MKSQUASHFS, self.files, image, "-noappend", "-quiet", "-no-progress", *options],
                              capture_output=True, check=False)
        if b"not available" in done.stdout + done.stderr or b"not supported" in done.stdout + done.stderr:
            return b""
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.contents(image)

    def iso(self, *options):
        image = os.path.join(self.base, "made.iso")
        if os.path.exists(image):
            os.unlink(image)
        subprocess.run([XORRISO, "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", *options, "-o", image, self.files],
                       check=True, stderr=subprocess.DEVNULL)
        return image

    def check(self, result, arguments):
        self.assertEqual(self.contents(result["kernel"]), self.kernel)
        self.assertEqual(self.contents(result["ramdisk"]), self.initrd)
        self.assertIn(arguments, result["args"])
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))

    @unittest.skipUnless(MKSQUASHFS, "mksquashfs is missing")
    def test_a_kernel_in_a_squashfs_in_ext4(self):
        self.write("vmlinuz", self.kernel)
        for options in (("-comp", "gzip"), ("-comp", "xz"), ("-comp", "xz", "-Xbcj", "x86"), ("-comp", "lzo"), ("-comp", "lz4"),
                        ("-comp", "zstd"), ("-comp", "lzma"), ("-noI", "-noD", "-noF")):
            with self.subTest(options=options):
                image = self.squashfs(*options)
                if not image:
                    print("skipped: this mksquashfs has no", options[1])
                    continue
                disk = self.new_disk(K3OS, [("/k3os/system/kernel/current/kernel.squashfs", image),
                                            ("/k3os/system/kernel/current/initrd", self.initrd)])
                self.check(self.boot(disk=disk), "printk.devkmsg=on")

    @unittest.skipUnless(MKSQUASHFS and XORRISO, "mksquashfs or xorriso is missing")
    def test_a_squashfs_in_an_iso_in_ext4(self):
        self.live_files()
        image = self.squashfs("-comp", "zstd")
        shutil.rmtree(self.files)
        self.write("live/root.squashfs", image)
        disk = self.new_disk(IN_ONE_ANOTHER, [("/images/live.iso", self.contents(self.iso()))])
        self.check(self.boot(disk=disk), "live")

    @unittest.skipUnless(MKSQUASHFS, "mksquashfs is missing")
    def test_a_file_that_is_no_image_or_a_damaged_one_is_named(self):
        self.write("vmlinuz", self.kernel)
        image = bytearray(self.squashfs("-comp", "zstd"))
        name = "/k3os/system/kernel/current/kernel.squashfs"
        for contents, told in ((b"no image at all" * 500, "unknown filesystem on `loop0'"), (bytes(image[:len(image) // 2]), "cut off")):
            disk = self.new_disk(K3OS, [(name, contents), ("/k3os/system/kernel/current/initrd", self.initrd)])
            done = pvhgrub("-q", "--output-directory=" + self.out, disk)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("loop0", done.stderr.decode())
            self.assertIn(told, done.stderr.decode())

    def live_files(self):
        self.write("casper/vmlinuz", self.kernel)
        self.write("casper/initrd", self.initrd)
        self.write("boot/grub/loopback.cfg", OWN_MENU.encode())
        self.write("boot/grub/grub.cfg", OWN_MENU.encode())

    @unittest.skipUnless(XORRISO, "xorriso is missing")
    def test_a_live_image_in_ext4(self):
        self.live_files()
        disk = self.new_disk(ISO_SCAN, [("/images/live.iso", self.contents(self.iso()))])
        self.check(self.boot("--entry=ubuntu", disk=disk), "iso-scan/filename=/images/live.iso")
        self.check(self.boot("--entry=debian", disk=disk), "findiso=/images/live.iso")
        self.check(self.boot("--entry=own", disk=disk), "live")

    @unittest.skipUnless(XORRISO, "xorriso is missing")
    def test_an_image_as_a_disk(self):
        self.live_files()
        for options in ((), ("--protective-msdos-label", "-partition_offset", "16")):
            with self.subTest(options=options):
                self.check(self.boot(disk=self.iso(*options)), "live")


if __name__ == "__main__":
    unittest.main()
