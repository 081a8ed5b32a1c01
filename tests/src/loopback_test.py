#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that boot from an ISO image in a file system (Ubuntu's iso-scan, Debian's findiso), and ISO images as disks."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from program_fixture import Fixture  # noqa: E402

XORRISO = shutil.which("xorriso")

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
"""

OWN_MENU = """\
menuentry 'Live' {
  search --no-floppy --label --set=root LIVE
  linux /casper/vmlinuz live
  initrd /casper/initrd
}
"""


@unittest.skipUnless(XORRISO, "xorriso is missing")
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

    def live_files(self):
        self.write("casper/vmlinuz", self.kernel)
        self.write("casper/initrd", self.initrd)
        self.write("boot/grub/loopback.cfg", OWN_MENU.encode())
        self.write("boot/grub/grub.cfg", OWN_MENU.encode())

    def test_a_live_image_in_ext4(self):
        self.live_files()
        disk = self.new_disk(ISO_SCAN, [("/images/live.iso", self.contents(self.iso()))])
        self.check(self.boot("--entry=ubuntu", disk=disk), "iso-scan/filename=/images/live.iso")
        self.check(self.boot("--entry=debian", disk=disk), "findiso=/images/live.iso")

    def test_an_image_as_a_disk(self):
        self.live_files()
        for options in ((), ("--protective-msdos-label", "-partition_offset", "16")):
            with self.subTest(options=options):
                self.check(self.boot(disk=self.iso(*options)), "live")


if __name__ == "__main__":
    unittest.main()
