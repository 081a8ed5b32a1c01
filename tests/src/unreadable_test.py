#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot be read: encrypted volumes, file systems without a reader, images that are no plain disks. Each is named,
with what to do; and what lies beside it boots. The images are made by the formats' own tools where there are some."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

os.environ["PATH"] += ":/sbin:/usr/sbin"
MIB = 1 << 20

# As grub-mkconfig has it for GRUB_ENABLE_CRYPTODISK=y.
ENCRYPTED_BOOT = """\
insmod part_gpt
insmod cryptodisk
insmod luks
insmod ext2
cryptomount -u 0123456789abcdef0123456789abcdef
set root='cryptouuid/0123456789abcdef0123456789abcdef'
search --no-floppy --fs-uuid --set=root --hint='cryptouuid/0123456789abcdef0123456789abcdef' 99999999-2222-3333-4444-555555555555
menuentry 'Debian' {
  cryptomount -u 0123456789abcdef0123456789abcdef
  set root='cryptouuid/0123456789abcdef0123456789abcdef'
  linux /boot/vmlinuz root=/dev/mapper/root ro
  initrd /boot/initrd.img
}
"""


class Unreadable(Fixture):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(dir=self.base)
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, size, *magics):
        path = self.path(name)
        with open(path, "wb") as file:
            file.truncate(size)
            for offset, value in magics:
                file.seek(offset)
                file.write(value)
        return path

    def need(self, *programs):
        for program in programs:
            if shutil.which(program) is None:
                self.skipTest(f"{program} is missing")

    def disk_of(self, *partitions):
        """A GPT disk of the contents of files, each a partition."""
        path, script, offset = self.path("disk"), "label: gpt\n", MIB
        with open(path, "wb") as disk:
            for partition in partitions:
                contents = self.contents(partition)
                size = -(-len(contents) // MIB)
                disk.seek(offset)
                disk.write(contents)
                script += f"start={offset // MIB}MiB, size={size}MiB, type=L\n"
                offset += size * MIB
            disk.truncate(offset + MIB)
        guest_image.run("sfdisk", "-q", path, input=script.encode())
        return path

    def luks(self, version):
        path = self.file("luks", 32 * MIB)
        guest_image.run("cryptsetup", "luksFormat", "--batch-mode", "--type", version, "--pbkdf", "pbkdf2",
                        "--pbkdf-force-iterations", "1000", "--disable-locks", path, input=b"secret")
        self.assertEqual(self.contents(path)[:6], b"LUKS\xba\xbe")
        return path

    def ext4(self, grub_cfg=None):
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        if grub_cfg is not None:
            tree.write("/boot/grub/grub.cfg", grub_cfg.encode())
        path = self.path("ext4")
        if os.path.exists(path):
            os.unlink(path)
        guest_image.make_ext4(path, tree.path)
        return path

    def refusal(self, disk, *options):
        done = pvhgrub("-q", "--output-directory=" + self.out, *options, disk)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(os.listdir(self.out), [])
        return done.stderr.decode()

    def test_luks(self):
        self.need("cryptsetup")
        for version in ("luks1", "luks2"):
            with self.subTest(version=version):
                luks = self.luks(version)
                # All of the guest is in it.
                told = self.refusal(self.disk_of(luks))
                self.assertRegex(told, r"hd0,gpt1: it holds a LUKS volume, whose key is not known here")
                self.assertIn("put /boot on a plain partition", told)
                self.assertNotIn("--appliance", told)  # could not read it either
                # Only what the entry names is.
                told = self.refusal(self.disk_of(self.ext4(ENCRYPTED_BOOT), luks))
                self.assertIn("hd0,gpt2", told)
                self.assertIn("LUKS", told)
                self.assertIn("cannot be opened: the key is the guest's own", told)
                # /boot lies beside it.
                record = self.boot(disk=self.disk_of(luks, self.ext4()))
                self.assertEqual(self.contents(record["kernel"]), self.tree.kernel)
                self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)
                for name in os.listdir(self.out):
                    os.unlink(os.path.join(self.out, name))

    def test_a_file_system_without_a_reader_names_the_appliance(self):
        # Their own tools where they are, else the magic that they write and where.
        images = [("F2FS", self.file("f2fs", 64 * MIB, (1024, b"\x10\x20\xf5\xf2")), "mkfs.f2fs"),
                  ("ReiserFS", self.file("reiserfs", 64 * MIB, (65536 + 52, b"ReIsEr2Fs")), "mkreiserfs"),
                  ("a ZFS pool's device", self.file("zfs", 64 * MIB, (131072, b"\x0c\xb1\xba\0\0\0\0\0")), ""),
                  ("bcachefs", self.file("bcachefs", 64 * MIB, (4096 + 24, b"\xc6\x85\x73\xf6\x66\xce\x90\xa9")), ""),
                  ("JFS", self.file("jfs", 64 * MIB, (32768, b"JFS1")), "mkfs.jfs"),
                  ("NTFS", self.file("ntfs", 64 * MIB, (3, b"NTFS    ")), "")]
        for name, image, program in images:
            with self.subTest(name=name):
                if program and shutil.which(program):
                    options = {"mkreiserfs": ["-q", "-ff"], "mkfs.jfs": ["-q"], "mkfs.f2fs": ["-q", "-f"]}[program]
                    guest_image.run(program, *options, image)
                told = self.refusal(self.disk_of(image))
                self.assertIn(f"hd0,gpt1: it holds {name}, which this version cannot read", told)
                self.assertIn("--appliance=auto", told)

    def test_damaged_contents_do_not_name_the_appliance(self):
        disk = self.disk_of(self.file("xfs", MIB, (0, b"XFSB")))
        told = self.refusal(disk)
        self.assertIn("hd0,gpt1", told)
        self.assertNotIn("--appliance", told)

    def test_images_that_are_no_plain_disks(self):
        self.need("qemu-img")
        for kind, options, name, remedy in (
                ("qcow2", (), "a qcow2 image", "format=qcow2, vdev=xvda"),
                ("qed", (), "a QED image", "format=qed, vdev=xvda"),
                ("vpc", (), "a dynamic VHD image", "format=vhd, vdev=xvda"),
                ("vhdx", (), "a VHDX image", "qemu-img convert -O raw"),
                ("vmdk", (), "a VMDK image", "qemu-img convert -O raw"),
                ("vmdk", ("-o", "subformat=monolithicFlat"), "a VMDK descriptor", "qemu-img convert -O raw"),
                ("vdi", (), "a VDI image", "qemu-img convert -O raw"),
                ("parallels", (), "a Parallels image", "qemu-img convert -O raw")):
            with self.subTest(kind=kind, options=options):
                image = self.path("image." + kind)
                guest_image.run("qemu-img", "convert", "-q", "-f", "raw", "-O", kind, *options, self.disk, image)
                told = self.refusal(image)
                self.assertIn("this is no plain disk but " + name, told)
                self.assertIn(remedy, told)

    def test_a_vhd_of_fixed_size_is_a_plain_disk_with_a_footer(self):
        self.need("qemu-img")
        image = self.path("image.vhd")
        guest_image.run("qemu-img", "convert", "-q", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size=on", self.disk,
                        image)
        self.assertEqual(self.contents(image)[-512:-504], b"conectix")
        record = self.boot(disk=image)
        self.assertEqual(self.contents(record["kernel"]), self.tree.kernel)
        self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)

    def test_compressed_images(self):
        for program in ("gzip", "xz", "zstd", "bzip2"):
            if shutil.which(program) is None:
                continue
            image = self.path("image." + program)
            with open(self.disk, "rb") as source, open(image, "wb") as file:
                subprocess.run([program, "-1", "-c"], stdin=source, stdout=file, check=True)
            told = self.refusal(image)
            self.assertIn(f"compressed by {program}; decompress it with {program} -d", told)


if __name__ == "__main__":
    unittest.main()
