#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests on LVM, on MD arrays and on several disks: what is booted, bit for bit, and what is said where a disk is
missing. The boot configurations are those that grub-mkconfig wrote for such guests."""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "fsreaders")]
import guest_image  # noqa: E402
import lvm_builder  # noqa: E402
from lvm_builder import MIB  # noqa: E402
from md_builder import Array  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

CORPUS = os.path.join(HERE, "..", "data", "grubcfg", "corpus")
# Of the volume in the generated configurations.
LVMID = "lvmid/Qx7l2N-8yFc-0b3e-Zk1M-9dPa-UuT4-w5RsVi/3fGhJk-LmNo-PqRs-TuVw-XyZa-BcDe-FgHiJk"
NO_LVM = lvm_builder.missing("mke2fs", "sfdisk")
MD_UUID = "0102030405060708090a0b0c0d0e0f10"


def generated(name):
    with open(os.path.join(CORPUS, name, "grub.cfg"), encoding="utf-8") as file:
        return file.read()


class Disks(Fixture):
    """`folder` holds the disks of one test; `files` what the guest's file system will hold."""

    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(dir=self.base)
        self.addCleanup(shutil.rmtree, self.folder)
        self.kernel, self.initrd = self.tree.kernel, self.tree.initrd

    def path(self, name):
        return os.path.join(self.folder, name)

    def tree_of(self, files):
        root = tempfile.mkdtemp(dir=self.folder)
        for name, contents in files.items():
            os.makedirs(os.path.dirname(root + name), exist_ok=True)
            with open(root + name, "wb") as file:
                file.write(contents if isinstance(contents, bytes) else contents.encode())
        return root

    def ext4(self, files, uuid=guest_image.UUID, size_mib=32):
        """The bytes of a file system that holds `files`."""
        image = self.path("ext4")
        if os.path.exists(image):
            os.unlink(image)
        guest_image.make_ext4(image, self.tree_of(files), size_mib, options=("-U", uuid))
        return self.contents(image)

    def partitioned(self, name, *partitions, label="gpt"):
        """A disk of (contents or size in bytes, type) partitions; the first begins at 1 MiB."""
        path = self.path(name)
        script, offset = f"label: {label}\n", MIB
        with open(path, "wb") as file:
            for contents, kind in partitions:
                size = contents if isinstance(contents, int) else -(-len(contents) // MIB) * MIB
                if not isinstance(contents, int):
                    file.seek(offset)
                    file.write(contents)
                script += f"start={offset // MIB}MiB, size={size // MIB}MiB, type={kind}\n"
                offset += size
            file.truncate(offset + MIB)
        guest_image.run("sfdisk", "-q", path, input=script.encode())
        return path

    def check(self, arguments, *disks, options=(), ramdisk=None):
        record = self.boot(*options, *disks[:-1], disk=disks[-1])
        self.assertEqual(self.contents(record["kernel"]), self.kernel)
        self.assertEqual(self.contents(record["ramdisk"]), ramdisk or self.initrd)
        self.assertEqual(record["args"], arguments)
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))

    def refusal(self, *disks, status=1, options=()):
        return self.boot(*options, *disks[:-1], disk=disks[-1], status=status).stderr.decode()


@unittest.skipIf(NO_LVM, NO_LVM)
class LvmGuests(lvm_builder.Lvm, Disks):
    def setUp(self):
        super().setUp()
        self.disks = []
        self.addCleanup(lambda: [subprocess.run(["losetup", "-d", disk.device], check=False)
                                 for disk in self.disks if disk.device])

    def group(self, name, *places):
        """A volume group of (path, offset, size) places, each a physical volume."""
        for path, offset, size in places:
            self.disks.append(lvm_builder.Disk(path, 0, offset))
            self.disks[-1].attach(size)
        devices = [disk.device for disk in self.disks]
        self.lvm("pvcreate", "-y", "-ff", *devices)
        self.lvm("vgcreate", name, *devices)

    def volume(self, group, name, *options):
        self.lvm("lvcreate", "-an", "-Zn", "-Wn", *options, "-n", name, group)

    def debian(self, lvmid, root="/dev/mapper/ubuntu--vg-ubuntu--lv"):
        """The files of a guest with /boot on the logical volume, as Debian's and Ubuntu's GRUB configures it."""
        text = generated("deb12-gpt-lvm-ext4").replace(LVMID, lvmid).replace("/dev/mapper/vg--guest-root", root)
        return {"/boot/grub/grub.cfg": text.replace("e3b4d18a-dded-4055-9c1f-e5918ace01db", guest_image.UUID),
                "/boot/vmlinuz-6.1.0-50-cloud-amd64": self.kernel, "/boot/initrd.img-6.1.0-50-cloud-amd64": self.initrd}

    DEBIAN_ARGUMENTS = "BOOT_IMAGE=/boot/vmlinuz-6.1.0-50-cloud-amd64 root=/dev/mapper/ubuntu--vg-ubuntu--lv ro"

    def test_boot_on_a_logical_volume_of_one_partition(self):
        disk = self.partitioned("disk", (MIB, "21686148-6449-6E6F-744E-656564454649"), (120 * MIB, "lvm"))
        self.group("ubuntu-vg", (disk, 2 * MIB, 120 * MIB))
        self.volume("ubuntu-vg", "swap", "-l", "3")
        self.volume("ubuntu-vg", "ubuntu-lv", "-l", "8")
        self.put("ubuntu-vg/ubuntu-lv", self.ext4(self.debian(self.lvmid("ubuntu-vg/ubuntu-lv"))))
        self.detach()
        self.check(self.DEBIAN_ARGUMENTS, disk)
        self.check(self.DEBIAN_ARGUMENTS + " x", disk, options=(
            "--kernel=(lvm/ubuntu--vg-ubuntu--lv)/boot/vmlinuz-6.1.0-50-cloud-amd64",
            "--ramdisk=(lvm/ubuntu--vg-ubuntu--lv)/boot/initrd.img-6.1.0-50-cloud-amd64",
            "--args=" + self.DEBIAN_ARGUMENTS + " x", "--no-boot-image"))
        # As GRUB's own prefix has it, without an UUID to search.
        self.assertIn("lvm/ubuntu--vg-ubuntu--lv", pvhgrub("--inspect", disk).stdout.decode())

    def test_two_physical_volumes_and_stripes(self):
        disk = self.partitioned("disk", (64 * MIB, "lvm"), (64 * MIB, "lvm"))
        self.group("ubuntu-vg", (disk, MIB, 64 * MIB), (disk, 65 * MIB, 64 * MIB))
        self.volume("ubuntu-vg", "ubuntu-lv", "-l", "8", "-i", "2", "-I", "64k")
        self.put("ubuntu-vg/ubuntu-lv", self.ext4(self.debian(self.lvmid("ubuntu-vg/ubuntu-lv"))))
        self.detach()
        self.check(self.DEBIAN_ARGUMENTS, disk)

    @unittest.skipUnless(shutil.which("mkfs.btrfs"), "mkfs.btrfs is missing")
    def test_ubuntu_with_btrfs_on_a_logical_volume(self):
        uuid = "8e596f2c-d072-46b3-b154-f831c1018128"
        disk = self.partitioned("disk", (200 * MIB, "lvm"))
        self.group("vg-guest", (disk, MIB, 200 * MIB))
        self.volume("vg-guest", "root", "-l", "40")
        text = generated("noble-gpt-lvm-btrfs").replace(LVMID, self.lvmid("vg-guest/root"))
        tree = self.tree_of({"/@/boot/grub/grub.cfg": text, "/@/boot/vmlinuz-6.8.0-31-generic": self.kernel,
                             "/@/boot/initrd.img-6.8.0-31-generic": self.initrd})
        image = self.path("btrfs")
        with open(image, "wb") as file:
            file.truncate(160 * MIB)
        guest_image.run("mkfs.btrfs", "-q", "-U", uuid, "--rootdir", tree, image)
        self.put("vg-guest/root", self.contents(image))
        self.detach()
        self.check("BOOT_IMAGE=/@/boot/vmlinuz-6.8.0-31-generic root=/dev/mapper/vg--guest-root ro rootflags=subvol=@", disk)

    def test_boot_on_a_partition_beside_the_volumes(self):
        files = {"/grub/grub.cfg": generated("noble-mbr-boot-lvm-xfs"), "/vmlinuz-6.8.0-31-generic": self.kernel,
                 "/initrd.img-6.8.0-31-generic": self.initrd}
        boot = self.ext4(files, uuid="84385b55-63c1-4ed2-a3f6-4cdf115ae805")
        disk = self.partitioned("disk", (boot, "83"), (64 * MIB, "8e"), label="dos")
        self.group("vg-guest", (disk, MIB + len(boot), 64 * MIB))
        self.volume("vg-guest", "root", "-l", "8")
        self.detach()
        self.check("BOOT_IMAGE=/vmlinuz-6.8.0-31-generic root=/dev/mapper/vg--guest-root ro", disk)

    def test_a_volume_over_two_disks_and_one_of_them_missing(self):
        first = self.partitioned("disk0", (40 * MIB, "lvm"))
        second = self.path("disk1")
        with open(second, "wb") as file:
            file.truncate(40 * MIB)
        self.group("ubuntu-vg", (first, MIB, 40 * MIB), (second, 0, 40 * MIB))
        self.volume("ubuntu-vg", "ubuntu-lv", "-l", "14")
        self.put("ubuntu-vg/ubuntu-lv", self.ext4(self.debian(self.lvmid("ubuntu-vg/ubuntu-lv")), size_mib=56))
        self.detach()
        self.check(self.DEBIAN_ARGUMENTS, first, second)
        self.check(self.DEBIAN_ARGUMENTS, second, first)
        self.check(self.DEBIAN_ARGUMENTS, first, options=("--disk=" + second,))
        for disk in (first, second):
            told = self.refusal(disk, status=4)
            self.assertIn("lvm/ubuntu--vg-ubuntu--lv: the logical volume `ubuntu-lv' needs pv", told)
            self.assertIn("name the guest's other disks too", told)

    def test_volumes_in_an_array_of_two_disks(self):
        inner = self.path("inner")
        with open(inner, "wb") as file:
            file.truncate(64 * MIB)
        self.group("ubuntu-vg", (inner, 0, 0))
        self.volume("ubuntu-vg", "ubuntu-lv", "-l", "8")
        self.put("ubuntu-vg/ubuntu-lv", self.ext4(self.debian(self.lvmid("ubuntu-vg/ubuntu-lv"))))
        self.detach()
        contents = self.contents(inner)
        array = Array("1.2", 1, 2, len(contents) // 512, name="host:0")
        paths = []
        for number in (0, 1):
            array.write(self.path("member"), number, contents)
            paths.append(self.partitioned(f"disk{number}", (self.contents(self.path("member")), "raid")))
        self.check(self.DEBIAN_ARGUMENTS, *paths)
        self.check(self.DEBIAN_ARGUMENTS, paths[1])

    def test_snapshots_and_thin_volumes_are_refused_by_name(self):
        disk = self.partitioned("disk", (100 * MIB, "lvm"))
        self.group("vg", (disk, MIB, 100 * MIB))
        self.volume("vg", "root", "-l", "8")
        backup = self.path("backup")
        self.lvm("vgcfgbackup", "-f", backup, "vg")
        # Without device-mapper LVM makes neither, but it writes what a backup says.
        with open(backup, encoding="utf-8") as file:
            text = file.read()
        ids = iter(range(9))

        def volume(name, extents, kind, visible, rest):
            flags = '"READ", "WRITE"' + (', "VISIBLE"' if visible else "")
            return (f'{name} {{\nid = "{next(ids):06d}-aaaa-bbbb-cccc-dddd-eeee-ffffff"\nstatus = [{flags}]\nflags = []\n'
                    f'segment_count = 1\nsegment1 {{\nstart_extent = 0\nextent_count = {extents}\ntype = "{kind}"\n'
                    f'{rest}\n}}\n}}\n')

        def linear(name, extents, first, visible=False):
            return volume(name, extents, "striped", visible, f'stripe_count = 1\nstripes = ["pv0", {first}]')

        text = text.replace("logical_volumes {\n", "logical_volumes {\n" + linear("cow", 2, 8, True) + volume(
            "snapshot0", 8, "snapshot", False, 'chunk_size = 8\norigin = "root"\ncow_store = "cow"') + volume(
            "pool", 2, "thin-pool", False, 'metadata = "pool_tmeta"\npool = "pool_tdata"\ntransaction_id = 1\n'
            'chunk_size = 128\ndiscards = "passdown"\nzero_new_blocks = 1') + linear("pool_tdata", 2, 10) + linear(
            "pool_tmeta", 1, 12) + volume(
            "thin", 4, "thin", True, 'thin_pool = "pool"\ntransaction_id = 0\ndevice_id = 1'))
        with open(backup, "w", encoding="utf-8") as file:
            file.write(text)
        self.lvm("vgcfgrestore", "--force", "-y", "-f", backup, "vg")
        self.put("vg/root", self.ext4(self.debian(self.lvmid("vg/root"))))
        self.detach()
        # The rest of the group is as good as ever.
        self.check(self.DEBIAN_ARGUMENTS, disk)
        kernel = "/boot/vmlinuz-6.1.0-50-cloud-amd64"
        for name, why in (("cow", "it is a snapshot"), ("thin", "it is of LVM's type `thin'")):
            told = self.refusal(disk, options=(f"--kernel=(lvm/vg-{name}){kernel}",))
            self.assertIn(f"lvm/vg-{name}: {why}, which cannot be read here", told)
            self.assertIn("--appliance=auto", told)


@unittest.skipUnless(shutil.which("mke2fs", path="/sbin:/usr/sbin:" + os.environ["PATH"]), "mke2fs is missing")
class SeveralDisks(Disks):
    def menu(self, *lines):
        return "menuentry 'Linux' {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"

    def boot_files(self, menu):
        return {"/boot/grub/grub.cfg": menu, "/boot/vmlinuz": self.kernel, "/boot/initrd.img": self.initrd}

    def test_an_array_of_two_disks(self):
        menu = self.menu("insmod part_gpt", "insmod diskfilter", "insmod mdraid1x", "insmod ext2",
                         f"set root='mduuid/{MD_UUID}'",
                         f"search --no-floppy --fs-uuid --set=root --hint='mduuid/{MD_UUID}' {guest_image.UUID}",
                         "linux /boot/vmlinuz root=/dev/md0 ro", "initrd /boot/initrd.img")
        contents = self.ext4(self.boot_files(menu))
        for version in ("0.90", "1.0", "1.2"):
            with self.subTest(version=version):
                array = Array(version, 1, 2, len(contents) // 512)
                paths = []
                for number in (0, 1):
                    array.write(self.path("member"), number, contents)
                    member = self.contents(self.path("member"))
                    # The last bytes of a partition are where two of the versions are looked for.
                    self.assertEqual(len(member) % 512, 0)
                    paths.append(self.exactly(f"disk{number}", member))
                wanted = "BOOT_IMAGE=/boot/vmlinuz root=/dev/md0 ro"
                self.check(wanted, *paths)
                self.check(wanted, paths[1], paths[0])
                self.check(wanted, paths[1])

    def exactly(self, name, contents):
        """A disk with one partition of just this size."""
        path = self.path(name)
        with open(path, "wb") as file:
            file.seek(MIB)
            file.write(contents)
            file.truncate(-(-len(contents) // MIB) * MIB + 3 * MIB)
        guest_image.run("sfdisk", "-q", path, input=f"label: gpt\nstart=2048, size={len(contents) // 512}, type=raid\n".encode())
        return path

    def test_stripes_over_two_disks_need_both(self):
        menu = self.menu("set root='md/0'", "linux /boot/vmlinuz root=/dev/md0 ro", "initrd /boot/initrd.img")
        contents = self.ext4(self.boot_files(menu))
        array = Array("1.2", 0, 2, len(contents) // 512 // 2)
        paths = [self.path("disk0"), self.path("disk1")]
        for number, leg in enumerate(array.spread(contents)):
            array.write(paths[number], number, leg)
        self.check("BOOT_IMAGE=/boot/vmlinuz root=/dev/md0 ro", *paths)
        told = self.refusal(paths[0], status=4)
        self.assertIn("md/0: only 1 of its 2 members can be used, which is not enough; name the guest's other disks too", told)

    def test_btrfs_over_two_disks(self):
        if os.geteuid() != 0 or not shutil.which("mkfs.btrfs", path="/sbin:/usr/sbin:" + os.environ["PATH"]):
            self.skipTest("needs root and mkfs.btrfs")
        subprocess.run(["modprobe", "-q", "btrfs"], check=False, stderr=subprocess.DEVNULL)
        with open("/proc/filesystems", encoding="ascii") as file:
            if "btrfs" not in file.read().split():
                self.skipTest("this kernel has no btrfs")
        menu = self.menu("linux /boot/vmlinuz root=/dev/xvda ro", "initrd /boot/initrd.img")
        for profile, alone in (("raid1", True), ("raid0", False)):
            with self.subTest(profile=profile), contextlib.ExitStack() as stack:
                paths = [self.path(f"disk{number}") for number in (0, 1)]
                loops = []
                for path in paths:
                    with open(path, "wb") as file:
                        file.truncate(200 * MIB)
                    loops.append(guest_image.run("losetup", "-f", "--show", path).stdout.decode().strip())
                    stack.callback(guest_image.run, "losetup", "-d", loops[-1])
                stack.callback(subprocess.run, ["btrfs", "device", "scan", "--forget"], capture_output=True, check=False)
                guest_image.run("mkfs.btrfs", "-q", "-f", "-d", profile, "-m", "raid1", *loops)
                place = self.path("mount")
                os.makedirs(place, exist_ok=True)
                guest_image.run("mount", "-t", "btrfs", "-o", f"device={loops[1]}", loops[0], place)
                try:
                    guest_image.run("cp", "-rT", self.tree_of(self.boot_files(menu)), place)
                finally:
                    guest_image.run("umount", place)
                stack.close()
                wanted = "BOOT_IMAGE=/boot/vmlinuz root=/dev/xvda ro"
                self.check(wanted, *paths)
                self.check(wanted, *reversed(paths))
                if alone:
                    self.check(wanted, paths[1])
                else:
                    told = self.boot(disk=paths[0], status=1).stderr.decode()
                    self.assertIn("is not among the disks", told)

    def test_search_and_names_reach_the_second_disk(self):
        other = "99999999-2222-3333-4444-555555555555"
        second = self.partitioned("disk1", (self.ext4({"/vmlinuz": self.kernel, "/initrd": self.initrd[:5000]}, uuid=other), "L"))
        first_files = {"/boot/grub/grub.cfg":
                       "menuentry 'By search' --id search {\n"
                       f"  search --no-floppy --fs-uuid --set=root {other}\n"
                       "  linux /vmlinuz one\n  initrd /initrd\n}\n"
                       "menuentry 'Initrd there' --id there {\n  linux /boot/vmlinuz two\n  initrd (hd1,gpt1)/initrd\n}\n",
                       "/boot/vmlinuz": self.kernel}
        first = self.partitioned("disk0", (self.ext4(first_files), "L"))
        for disks, options in (((first, second), ()), ((first,), ("--disk=" + second,))):
            self.check("BOOT_IMAGE=/vmlinuz one", *disks, options=options, ramdisk=self.initrd[:5000])
            self.check("BOOT_IMAGE=/boot/vmlinuz two", *disks, options=(*options, "--entry=there"), ramdisk=self.initrd[:5000])
        # Without it: what was looked for is named.
        told = self.refusal(first, status=4)
        self.assertIn(other, told)
        self.assertIn("name the guest's other disks", told)
        done = pvhgrub("-q", "--entry=there", "--output-format=json", "--output-directory=" + self.out, first)
        self.assertEqual(done.returncode, 0)  # as GRUB, without it
        self.assertIn("GRUB boots without this initrd when it cannot be read: (hd1,gpt1)/initrd", done.stderr.decode())
        self.assertIsNone(json.loads(done.stdout)["ramdisk"])


if __name__ == "__main__":
    unittest.main()
