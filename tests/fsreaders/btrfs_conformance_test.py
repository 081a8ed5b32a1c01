#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""btrfs, written by mkfs.btrfs and by Linux, gives back the tree of all readers: each kind of node, checksum,
compression and profile, with devices missing, damaged and stale; and subvolumes at the paths that GRUB has for them."""
import contextlib
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest
import zlib

import conformance

os.environ["PATH"] += ":/sbin:/usr/sbin"


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def can_mount():
    if os.geteuid() != 0:
        return False
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "btrfs"], capture_output=True, check=False)
    with open("/proc/filesystems", encoding="ascii") as file:
        return "\tbtrfs\n" in file.read() and os.path.exists("/dev/loop-control")


@unittest.skipUnless(shutil.which("mkfs.btrfs"), "mkfs.btrfs is missing (package btrfs-progs)")
class BtrfsConformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        cls.tree = os.path.join(cls.base, "tree")
        os.mkdir(cls.tree)
        conformance.Tree(cls.tree)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def images(self, count, megabytes=256):
        paths = [os.path.join(self.base, f"image{number}") for number in range(count)]
        for path in paths:
            with open(path, "wb") as file:
                file.truncate(megabytes << 20)
        return paths

    @contextlib.contextmanager
    def mounted(self, images, options="defaults"):
        if not can_mount():
            self.skipTest("no root, or no btrfs in this kernel: only what mkfs.btrfs writes is compared")
        loops = []
        place = os.path.join(self.base, "mount")
        os.makedirs(place, exist_ok=True)
        try:
            for image in images:
                loops.append(run("losetup", "--find", "--show", image).strip())
            devices = "".join(f",device={loop}" for loop in loops)
            run("mount", "-t", "btrfs", "-o", options + devices, loops[0], place)
            try:
                yield place
            finally:
                run("umount", place)
        finally:
            for loop in loops:
                run("losetup", "--detach", loop)
            subprocess.run(["btrfs", "device", "scan", "--forget"], capture_output=True, check=False)

    def compare(self, root, *images):
        head = conformance.check(self, root, "hd0", *images)
        self.assertTrue(head.startswith("btrfs uuid="), head)
        return head

    def test_what_mkfs_writes(self):
        for options in ([], ["-n", "4096"], ["-n", "65536"], ["--mixed"], ["-O", "^no-holes"], ["--csum", "xxhash"],
                        ["--csum", "sha256"], ["--csum", "blake2"], ["-s", "16384", "-n", "16384"],
                        ["-s", "65536", "-n", "65536"], ["-m", "single", "-O", "block-group-tree"]):
            with self.subTest(options=options):
                image = self.images(1)[0]
                try:
                    run("mkfs.btrfs", "-q", "-f", "-L", "con form", "--rootdir", self.tree, *options, image)
                except AssertionError as error:
                    if "unrecognized" in str(error) or "unknown" in str(error):
                        continue  # an older mkfs.btrfs
                    raise
                head = self.compare(self.tree, image)
                uuid = run("blkid", "-p", "-o", "value", "-s", "UUID", image).strip()
                self.assertEqual(head, f"btrfs uuid={uuid} label=con form")

    def test_files_of_1_gib(self):
        with conformance.huge_directory() as base:
            image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            conformance.write_huge(tree)
            with open(image, "wb") as file:
                file.truncate(2500 << 20)
            run("mkfs.btrfs", "-q", "-f", "-m", "single", "--rootdir", tree, image)
            self.compare(tree, image)

    def test_what_linux_writes(self):
        for options in ("compress-force=zlib", "compress-force=lzo", "compress-force=zstd:3", "nodatasum",
                        "autodefrag"):
            with self.subTest(options=options):
                image = self.images(1)[0]
                run("mkfs.btrfs", "-q", "-f", image)
                with self.mounted([image], options) as place:
                    # Two of each by reflinks, and pieces of extents out of others.
                    run("cp", "-a", self.tree, os.path.join(place, "tree"))
                    run("cp", "-a", "--reflink=always", os.path.join(place, "tree/boot"), os.path.join(place, "again"))
                    self.change(os.path.join(place, "again"))
                    wanted = conformance.expected(place)
                self.assert_lines(wanted, image)

    def change(self, folder):
        noise = random.Random(3)
        for name, text in (("size-1000003", noise.randbytes(5000)), ("text", b"x" * 10_000), ("half", b"y")):
            for offset in (4096 * 3 + 5, 8192 * 7, 131072 + 100):
                with open(os.path.join(folder, name), "r+b") as file:
                    file.seek(offset)
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
        run("fallocate", "--punch-hole", "--offset", "8192", "--length", "16384", os.path.join(folder, "text"))
        run("fallocate", "--length", "100000", os.path.join(folder, "preallocated"))
        with open(os.path.join(folder, "preallocated"), "r+b") as file:
            file.seek(40_000)
            file.write(b"in the middle")
        with open(os.path.join(folder, "size-65537"), "r+b") as file:
            file.truncate(33_333)
        with open(os.path.join(folder, "size-100"), "r+b") as file:
            file.truncate(9_999)

    def assert_lines(self, wanted, *images):
        _, got = conformance.read_tree("hd0", *images)
        missing = sorted(set(wanted) - set(got))
        wrong = sorted(set(got) - set(wanted))
        self.assertEqual((missing[:5], wrong[:5]), ([], []), f"{len(missing)} missing, {len(wrong)} wrong lines")

    def damage(self, image):
        """Noise over everything but the superblocks."""
        noise = random.Random(9).randbytes(1 << 20)
        with open(image, "r+b") as file:
            for megabyte in range(1, os.path.getsize(image) >> 20):
                if megabyte != 64:
                    file.seek(megabyte << 20)
                    file.write(noise)

    def test_profiles_with_missing_and_damaged_devices(self):
        tree = os.path.join(self.base, "small")
        os.makedirs(tree, exist_ok=True)
        conformance.Tree(tree, many=200, large=8 << 20)
        for profile, devices, redundant in (("raid0", 3, 0), ("raid1", 2, 1), ("raid1c3", 3, 2), ("raid1c4", 4, 3),
                                            ("raid10", 4, 1), ("raid5", 3, 0), ("raid6", 4, 0), ("single", 2, 0)):
            with self.subTest(profile=profile):
                images = self.images(devices)
                run("mkfs.btrfs", "-q", "-f", "-d", profile, "-m", profile if redundant else "raid1", *images)
                with self.mounted(images) as place:
                    run("cp", "-a", tree + "/.", place)
                self.compare(tree, *images)
                self.compare(tree, *reversed(images))
                if redundant:
                    self.compare(tree, *images[redundant:])
                    self.damage(images[0])
                    self.compare(tree, *images)
                    self.compare(tree, images[1], images[0], *images[2:])
                elif profile != "single":
                    with self.assertRaisesRegex(AssertionError, "is not among the disks"):
                        self.compare(tree, *images[1:])

    def test_a_device_that_missed_writes_is_not_believed(self):
        for options in ("defaults", "nodatasum"):
            images = self.images(2)
            run("mkfs.btrfs", "-q", "-f", "-d", "raid1", "-m", "raid1", *images)
            with self.mounted(images, options) as place:
                run("cp", "-a", self.tree + "/boot", place)
            with self.mounted(images[:1], options + ",degraded") as place:
                for name in ("boot/size-65536", "boot/size-100", "boot/text"):
                    with open(os.path.join(place, name), "r+b") as file:
                        file.write(b"newer")
                wanted = conformance.expected(place)
            self.assert_lines(wanted, *images)
            self.assert_lines(wanted, *reversed(images))

    def test_without_redundancy_damage_is_told(self):
        image = self.images(1)[0]
        run("mkfs.btrfs", "-q", "-f", "-m", "dup", "--rootdir", self.tree, image)
        with open(self.tree + "/boot/size-1000003", "rb") as file:
            wanted = file.read(100)
        with open(image, "r+b") as file:
            place = file.read().index(wanted)
            file.seek(place + 700_000)
            file.write(b"a byte or two")
        with self.assertRaisesRegex(AssertionError, "btrfs logical byte.*do not have their checksum"):
            self.compare(self.tree, image)

    def test_the_second_superblock_stands_in_for_the_first(self):
        image = self.images(1)[0]
        run("mkfs.btrfs", "-q", "-f", "--rootdir", self.tree, image)
        with open(image, "r+b") as file:
            file.seek(65536 + 80)
            file.write(b"\xff\xff")
        self.compare(self.tree, image)

    def test_subvolumes_have_the_paths_of_grub(self):
        image = self.images(1)[0]
        run("mkfs.btrfs", "-q", "-f", image)
        with self.mounted([image]) as place:
            for name in ("@", "@/var", "@snapshots", "gone"):
                run("btrfs", "subvolume", "create", f"{place}/{name}")
            run("btrfs", "subvolume", "delete", place + "/gone")
            run("cp", "-a", self.tree + "/boot", place + "/@/boot")
            run("cp", "-a", self.tree + "/boot/text", place + "/@/var")
            for number in (1, 2):
                os.mkdir(f"{place}/@snapshots/{number}")
                run("btrfs", "subvolume", "snapshot", *(["-r"] if number == 1 else []), place + "/@",
                    f"{place}/@snapshots/{number}/snapshot")
                with open(place + "/@/boot/text", "a", encoding="ascii") as file:
                    file.write(f"after snapshot {number}")
            run("btrfs", "subvolume", "set-default", place + "/@snapshots/2/snapshot")
            wanted = conformance.expected(place)
            listed = run("btrfs", "subvolume", "list", place)
        note, got = self.read(image)
        number = re.search(r"ID (\d+) .* path @snapshots/2/snapshot\n", listed).group(1)
        self.assertIn(f"subvolume: {number} at /@snapshots/2/snapshot\n", note)
        # In a snapshot Linux shows an empty directory where its origin holds another subvolume; GRUB goes into it.
        self.assertEqual(sorted(set(wanted) - set(got)), [])
        more = ["/@snapshots/1/snapshot/var/text", "/@snapshots/2/snapshot/var/text"]
        self.assertEqual(sorted(line.split(" ")[1] for line in set(got) - set(wanted)), more)
        if not shutil.which("grub-fstest"):
            self.skipTest("grub-fstest is missing (package grub-common): paths are not compared with GRUB's")
        for path in ["/@/boot/text", "/@snapshots/1/snapshot/boot/text", *more]:
            contents = subprocess.run(["grub-fstest", image, "cat", f"(loop0){path}"], capture_output=True, check=True)
            self.assertIn(f"f {path} {len(contents.stdout)} {zlib.crc32(contents.stdout):08x}", got)


    def test_what_was_fsynced_before_a_crash_is_there(self):
        for seed in range(int(os.environ.get("PVHGRUB_CRASHES", "4"))):
            with self.subTest(seed=seed):
                image, crashed = self.images(2)
                run("mkfs.btrfs", "-q", "-f", *(["-O", "^no-holes"] if seed % 3 == 2 else []), image)
                options = "commit=600" + (",compress-force=zstd" if seed % 2 else "")
                with self.mounted([image], options) as place:
                    for folder in ("boot", "boot/grub", "etc"):
                        os.mkdir(os.path.join(place, folder))
                    work = Work(place, seed)
                    work.do(120, fsync=False)
                    run("btrfs", "filesystem", "sync", place)
                    work.do(150, fsync=True)
                    shutil.copyfile(image, crashed)  # as if the guest stopped here
                os.remove(image)
                note, before = self.read(crashed)
                with self.mounted([crashed], options) as place:  # Linux replays the log
                    wanted = conformance.expected(place)
                # Each run leaves a log, unless something in it made Linux commit everything.
                self.logs = getattr(self, "logs", 0) + ("was replayed in memory" in note)
                missing, wrong = sorted(set(wanted) - set(before)), sorted(set(before) - set(wanted))
                self.assertEqual((missing[:5], wrong[:5]), ([], []),
                                 f"{note}{len(set(wanted) ^ set(before))} lines differ of {len(wanted)}")
                _, after = conformance.read_tree("hd0", crashed)
                self.assertEqual(after, before)
        self.assertGreater(self.logs, 1)

    def read(self, image):
        done = subprocess.run([conformance.READ_TREE, "hd0", image], capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stderr.decode(), done.stdout.decode("utf-8", "surrogateescape").split("\n")[1:-1]


class Work:
    """What a package manager does to a boot directory, in any order: writes, renames, links, cuts and removes files;
    fsyncs some of them, and some directories."""

    def __init__(self, place, seed):
        self.place = place
        self.random = random.Random(seed)
        self.count = 0

    def path(self, new=False):
        folder = os.path.join(self.place, self.random.choice(("boot", "boot/grub", "etc")))
        names = [] if new else [name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name))]
        if names:
            return os.path.join(folder, self.random.choice(names))
        self.count += 1
        return os.path.join(folder, f"file-{self.count}")

    def do(self, steps, fsync):
        for _ in range(steps):
            action = self.random.choice(("create", "create", "change", "change", "replace", "rename", "link", "remove",
                                         "cut", "punch", "allocate", "mkdir"))
            path = getattr(self, action)()
            if fsync and path and self.random.random() < 0.6:
                self.fsync(path if self.random.random() < 0.8 else os.path.dirname(path))

    def fsync(self, path):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def bytes(self):
        size = self.random.choice((3, 500, 4096, 9000, 70_000, 400_000))
        return self.random.randbytes(size) if self.random.random() < 0.5 else b"abc\n" * (size // 4)

    def create(self, path=None):
        path = path or self.path(new=True)
        with open(path, "wb") as file:
            file.write(self.bytes())
        return path

    def change(self):
        path = self.path()
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            file.seek(self.random.randrange(0, 200_000))
            file.write(self.bytes())
        return path

    def replace(self):
        path = self.path()
        new = self.create(path + ".new")
        self.fsync(new)
        os.rename(new, path)
        return path

    def rename(self):
        old, new = self.path(), self.path(new=self.random.random() < 0.5)
        if os.path.exists(old):
            os.rename(old, new)
        return new if os.path.exists(new) else None

    def link(self):
        old, new = self.path(), self.path(new=True)
        if os.path.exists(old):
            os.link(old, new)
        return new if os.path.exists(new) else None

    def remove(self):
        path = self.path()
        if os.path.exists(path):
            os.remove(path)
        return os.path.dirname(path)

    def cut(self):
        path = self.path()
        if os.path.exists(path):
            os.truncate(path, self.random.randrange(0, 300_000))
            return path
        return None

    def punch(self):
        path = self.path()
        if os.path.exists(path):
            run("fallocate", "--punch-hole", "--offset", "8192", "--length", "20000", path)
            return path
        return None

    def allocate(self):
        path = self.path()
        if os.path.exists(path):
            run("fallocate", "--length", "100000", *self.random.choice(([], ["--keep-size"])), path)
            return path
        return None

    def mkdir(self):
        path = self.path(new=True) + ".d"
        os.mkdir(path)
        self.create(os.path.join(path, "inside"))
        return path


if __name__ == "__main__":
    unittest.main()
