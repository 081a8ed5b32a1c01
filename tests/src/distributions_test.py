#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks laid out as distributions' installers leave them, on the file systems that they choose, written by the kernel's own
drivers: what is booted, bit for bit."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel_images  # noqa: E402
from program_fixture import Fixture  # noqa: E402

MIB = 1048576
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def driver(name):
    """Whether the kernel mounts it here."""
    subprocess.run(["modprobe", "-q", name], stderr=subprocess.DEVNULL)
    with open("/proc/filesystems", encoding="ascii") as file:
        return name in file.read().split()


@unittest.skipUnless(os.geteuid() == 0, "needs root for loop mounts")
class Distributions(Fixture):
    def setUp(self):
        super().setUp()
        self.kernel, self.elf = kernel_images.linux(how="zstd" if self.has("zstd") else "xz", size=400_000)
        self.initrd = self.tree.initrd

    @staticmethod
    def has(program):
        return subprocess.run(["sh", "-c", f"command -v {program}"], capture_output=True).returncode == 0

    def need(self, *drivers, programs=()):
        for name in drivers:
            if not driver(name):
                self.skipTest(f"this kernel has no driver for {name}")
        for program in programs:
            if not self.has(program):
                self.skipTest(f"{program} is not installed")

    def disk_of(self, *partitions):
        """A GPT disk of (size in MiB, type) partitions; gives the path and each partition's offset in bytes."""
        path = os.path.join(self.base, "distribution.img")
        with open(path, "wb") as file:
            file.truncate(0)
            file.truncate((2 + sum(size for size, _ in partitions)) * MIB)
        script, offset, offsets = "label: gpt\n", MIB, []
        for size, kind in partitions:
            script += f"start={offset // MIB}MiB, size={size}MiB, type={kind}\n"
            offsets.append(offset)
            offset += size * MIB
        run("sfdisk", "-q", path, input=script.encode())
        return path, offsets

    def part(self, path, offset, size_mib):
        """A loop device over one partition."""
        device = run("losetup", "--find", "--show", "--offset", str(offset), "--sizelimit", str(size_mib * MIB),
                     path).stdout.decode().strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", device], stderr=subprocess.DEVNULL)
        return device

    def fill(self, device, files, options=""):
        """Writes files through the kernel's driver."""
        mount = os.path.join(self.base, "mnt")
        os.makedirs(mount, exist_ok=True)
        run("mount", *(["-o", options] if options else []), device, mount)
        try:
            for name, contents in files.items():
                os.makedirs(os.path.dirname(mount + name), exist_ok=True)
                with open(mount + name, "wb") as file:
                    file.write(contents if isinstance(contents, bytes) else contents.encode())
        finally:
            run("umount", mount)

    def check(self, disk, arguments, *options):
        record = self.boot("--guest-type=pvh", *options, disk=disk)
        self.assertEqual(self.contents(record["kernel"]), self.elf)
        self.assertEqual(self.contents(record["ramdisk"]), self.initrd)
        self.assertEqual(record["args"], arguments)
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))

    def test_fedora_has_entries_on_xfs_and_its_root_on_a_subvolume_of_btrfs(self):
        self.need("xfs", "btrfs", programs=("mkfs.xfs", "mkfs.btrfs", "mkfs.fat", "mcopy"))
        disk, offsets = self.disk_of((40, ESP), (320, "L"), (200, "L"))
        esp, boot, root = (self.part(disk, offset, size) for offset, size in zip(offsets, (40, 320, 200)))
        boot_uuid = "b0070000-1111-2222-3333-444444444444"
        run("mkfs.fat", "-F", "16", esp)
        run("mkfs.xfs", "-q", "-f", "-m", f"uuid={boot_uuid}", boot)
        run("mkfs.btrfs", "-q", "-f", root)
        stub = f"search --no-floppy --root-dev-only --fs-uuid --set=dev {boot_uuid}\nset prefix=($dev)/grub2\n" \
               "export $prefix\nconfigfile $prefix/grub.cfg\n"
        with open(os.path.join(self.base, "stub.cfg"), "w", encoding="ascii") as file:
            file.write(stub)
        run("mmd", "-i", esp, "::EFI", "::EFI/fedora")
        run("mcopy", "-i", esp, os.path.join(self.base, "stub.cfg"), "::EFI/fedora/grub.cfg")
        release = "6.8.5-301.fc40.x86_64"
        self.fill(boot, {
            "/grub2/grub.cfg": "load_env\nset default=\"${saved_entry}\"\nset timeout=5\ninsmod blscfg\nblscfg\n",
            f"/loader/entries/a1b2-{release}.conf":
                f"title Fedora Linux ({release}) 40\nversion {release}\nlinux /vmlinuz-{release}\n"
                f"initrd /initramfs-{release}.img\noptions root=UUID=x ro rootflags=subvol=root rhgb quiet\n"
                "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class fedora\n",
            f"/vmlinuz-{release}": self.kernel, f"/initramfs-{release}.img": self.initrd})
        run("mount", root, self.mount_point())
        run("btrfs", "subvolume", "create", self.mount_point() + "/root")
        run("umount", self.mount_point())
        self.check(disk, f"BOOT_IMAGE=(hd0,gpt2)/vmlinuz-{release} root=UUID=x ro rootflags=subvol=root rhgb quiet")

    def mount_point(self):
        path = os.path.join(self.base, "mnt")
        os.makedirs(path, exist_ok=True)
        return path

    def test_opensuse_has_everything_on_btrfs_in_the_default_subvolume_of_a_snapshot(self):
        self.need("btrfs", programs=("mkfs.btrfs",))
        for compression in ("", "compress-force=zstd", "compress-force=lzo"):
            with self.subTest(compression=compression):
                disk, offsets = self.disk_of((200, "L"))
                root = self.part(disk, offsets[0], 200)
                uuid = "5a5e0000-1111-2222-3333-444444444444"
                run("mkfs.btrfs", "-q", "-f", "-U", uuid, root)
                mount = self.mount_point()
                run("mount", root, mount)
                for path in ("@", "@/.snapshots", "@/boot-grub2"):
                    run("btrfs", "subvolume", "create", f"{mount}/{path}")
                os.makedirs(f"{mount}/@/.snapshots/1")
                run("btrfs", "subvolume", "create", f"{mount}/@/.snapshots/1/snapshot")
                run("btrfs", "subvolume", "set-default", f"{mount}/@/.snapshots/1/snapshot")
                run("umount", mount)
                # What is mounted now is the default subvolume.
                self.fill(root, {
                    "/boot/grub2/grub.cfg":
                        "set btrfs_relative_path=\"y\"\nexport btrfs_relative_path\nset timeout=8\n"
                        "menuentry 'openSUSE Leap 15.6' --class opensuse {\n"
                        f"  search --no-floppy --fs-uuid --set=root {uuid}\n"
                        "  linux /boot/vmlinuz-6.4.0 root=UUID=x splash=silent\n  initrd /boot/initrd-6.4.0\n}\n",
                    "/boot/vmlinuz-6.4.0": self.kernel, "/boot/initrd-6.4.0": self.initrd}, compression)
                self.check(disk, "BOOT_IMAGE=/boot/vmlinuz-6.4.0 root=UUID=x splash=silent")

    def test_ubuntu_on_btrfs_names_its_subvolume_in_each_path(self):
        self.need("btrfs", programs=("mkfs.btrfs",))
        disk, offsets = self.disk_of((200, "L"))
        root = self.part(disk, offsets[0], 200)
        run("mkfs.btrfs", "-q", "-f", root)
        run("mount", root, self.mount_point())
        run("btrfs", "subvolume", "create", self.mount_point() + "/@")
        run("umount", self.mount_point())
        self.fill(root, {
            "/boot/grub/grub.cfg": "menuentry 'Ubuntu' {\n  linux /@/boot/vmlinuz root=UUID=x ro rootflags=subvol=@\n"
                                   "  initrd /@/boot/initrd.img\n}\n",
            "/boot/vmlinuz": self.kernel, "/boot/initrd.img": self.initrd}, "subvol=@")
        self.check(disk, "BOOT_IMAGE=/@/boot/vmlinuz root=UUID=x ro rootflags=subvol=@")

    def test_rhel_8_has_all_of_it_on_one_xfs(self):
        self.need("xfs", programs=("mkfs.xfs",))
        disk, offsets = self.disk_of((400, "L"))
        root = self.part(disk, offsets[0], 400)
        run("mkfs.xfs", "-q", "-f", "-L", "root", root)
        self.fill(root, {
            "/boot/grub2/grub.cfg": "set kernelopts=\"root=/dev/xvda1 ro\"\nblscfg\n",
            "/boot/loader/entries/m-4.18.conf": "title RHEL\nversion 4.18\nlinux /boot/vmlinuz-4.18\n"
                                                "initrd /boot/initramfs-4.18.img $tuned_initrd\noptions $kernelopts $tuned\n",
            "/boot/vmlinuz-4.18": self.kernel, "/boot/initramfs-4.18.img": self.initrd})
        record = self.boot("--guest-type=pvh", disk=disk)
        self.assertEqual(self.contents(record["kernel"]), self.elf)
        self.assertEqual(self.contents(record["ramdisk"]), self.initrd)
        self.assertIn("root=/dev/xvda1 ro", record["args"])


if __name__ == "__main__":
    unittest.main()
