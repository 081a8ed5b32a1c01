#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""EROFS as mkfs.erofs writes it, plain and compressed in each layout, gives back the tree of all readers, which is also
what the kernel's driver shows where it can be mounted."""
import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

import conformance

PATH = os.environ["PATH"] + ":/sbin:/usr/sbin"
MKFS = shutil.which("mkfs.erofs", path=PATH)
FSCK = shutil.which("fsck.erofs", path=PATH)
DUMP = shutil.which("dump.erofs", path=PATH)
UUID = "01234567-89ab-cdef-0123-456789abcdef"
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "fsreaders", "erofs")

# What each mkfs.erofs of 1.5 (Debian 12) and later writes.
COMPRESSED = (("-zlz4",), ("-zlz4hc,12",), ("-zlz4", "-C65536"), ("-zlz4hc", "-C1048576"), ("-zlz4", "-Elegacy-compress"),
              ("-zlz4hc", "-C65536", "-Elegacy-compress"), ("-zlz4hc", "-Eztailpacking"),
              ("-zlz4", "-Eztailpacking,legacy-compress,force-inode-extended"),
              ("-zlz4", "-C16384", "--max-extent-bytes=20000"))
# What only later ones write; the images beside this test's data are made so by 1.8.6, too.
LATER = (("-zlz4hc", "-Efragments,ztailpacking", "-C65536"), ("-zlz4hc", "-Eall-fragments,dedupe"),
         ("-zlz4", "-Efragments,legacy-compress"), ("-zlz4hc", "-Ededupe", "-C32768"), ("-zlzma", "-C65536"),
         ("-zdeflate", "-C16384", "-Eztailpacking"), ("-zzstd", "-C65536"), ("-zlz4", "-b512", "-C4096"))


def words(count, seed):
    source = random.Random(seed)
    some = [bytes(source.choices(b"abcdefghijklmnop", k=source.randint(2, 9))) for _ in range(500)]
    return b" ".join(source.choices(some, k=count // 6 + 1)).ljust(count, b".")[:count]


@unittest.skipUnless(MKFS, "mkfs.erofs is missing")
class ErofsConformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        cls.tree = os.path.join(cls.base, "tree")
        cls.image = os.path.join(cls.base, "image")
        os.mkdir(cls.tree)
        # This mkfs.erofs fails with names of 255 bytes.
        tree = conformance.Tree(cls.tree, large=2 << 20, many=300, name_bytes=200)
        for size in (1, 4095, 4096, 4097, 12_288, 70_000):
            tree.write(f"boot/words-{size}", words(size, size))
        tree.write("boot/by-turns", b"".join(words(20_000, i) + tree.random.randbytes(9000) for i in range(30)))
        tree.write("boot/twice", words(70_000, 70_000)[3000:60_000])
        tree.link("boot/" + "./" * 2030 + "text", "link-of-4069")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    def run_mkfs(self, *options, tree=None):
        if os.path.exists(self.image):
            os.unlink(self.image)
        return subprocess.run([MKFS, "--quiet", "-U", UUID, *options, self.image, tree or self.tree], capture_output=True,
                              timeout=300)

    def make(self, *options, tree=None):
        done = self.run_mkfs(*options, tree=tree)
        self.assertEqual(done.returncode, 0, done.stderr)

    def kernel_lines(self):
        """What the kernel's driver sees of the image; None: it cannot be mounted here."""
        folder = os.path.join(self.base, "mount")
        os.makedirs(folder, exist_ok=True)
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "erofs", "-o", "loop,ro", self.image, folder],
                                               capture_output=True).returncode != 0:
            return None
        try:
            return conformance.expected(folder)
        finally:
            subprocess.run(["umount", folder], check=True)

    def check_against_kernel(self):
        wanted = self.kernel_lines()
        if wanted is None:
            print("skipped: this kernel does not mount it")
            return
        self.assertEqual(conformance.read_tree("hd0", self.image)[1], wanted)

    def check(self):
        head = conformance.check(self, self.tree, "hd0", self.image)
        self.assertEqual(head, f"erofs uuid={UUID} label=")

    def test_the_tree_comes_back_from_each_plain_kind(self):
        for options in ((), ("-Eforce-inode-compact",), ("-Eforce-inode-extended",), ("-Enoinline_data",),
                        ("--chunksize=4096",), ("--chunksize=65536", "-Eforce-chunk-indexes"), ("-x-1",)):
            with self.subTest(options=options):
                self.make(*options)
                self.check()

    def test_the_tree_comes_back_from_each_compressed_kind(self):
        for options in COMPRESSED:
            with self.subTest(options=options):
                self.make(*options)
                self.check()
                if FSCK:
                    subprocess.run([FSCK, self.image], check=True, stdout=subprocess.DEVNULL, timeout=300)

    def test_the_tree_comes_back_from_later_kinds(self):
        for options in LATER:
            with self.subTest(options=options):
                if self.run_mkfs(*options).returncode != 0:
                    print("skipped: this mkfs.erofs has no", *options)
                    continue
                self.check()

    def test_the_kernel_sees_the_same(self):
        for options in (("-zlz4hc", "-C65536", "-Eztailpacking"), ("-zlz4", "-Elegacy-compress")):
            with self.subTest(options=options):
                self.make(*options)
                self.check_against_kernel()

    def test_extended_attributes_are_stepped_over(self):
        tree = os.path.join(self.base, "attributes")
        for i in range(40):
            name = os.path.join(tree, f"file-{i}")
            os.makedirs(tree, exist_ok=True)
            with open(name, "wb") as file:
                file.write(words(5000 + i, i))
            try:
                for j in range(i % 5):
                    os.setxattr(name, f"user.attribute-{j}", b"v" * (i * 3 + j))
            except OSError:
                self.skipTest("no extended attributes here")
        for options in ((), ("-zlz4",), ("-zlz4", "-Elegacy-compress"), ("-zlz4", "-Eztailpacking", "-x1000")):
            with self.subTest(options=options):
                self.make(*options, tree=tree)
                conformance.check(self, tree, "hd0", self.image)

    def test_a_large_file_comes_back(self):
        tree = os.path.join(self.base, "large")
        os.mkdir(tree)
        noise = random.Random(7).randbytes(1 << 20)
        with open(os.path.join(tree, "mixed"), "wb") as file:
            for i in range(60):
                file.write(words(300_000, i) + noise[i * 1000:][:400_000] + bytes(348_576))
        with open(os.path.join(tree, "zeros"), "wb") as file:
            file.truncate(60 << 20)
        for options in (("-zlz4",), ("-zlz4hc", "-C1048576")):
            with self.subTest(options=options):
                self.make(*options, tree=tree)
                conformance.check(self, tree, "hd0", self.image)
                self.check_against_kernel()

    def test_images_of_a_later_mkfs_come_back(self):
        # Made of one tree by mkfs.erofs 1.8.6 with the options that their names tell; tree.txt is what Linux 6.18 saw.
        with open(os.path.join(GOLDEN, "tree.txt"), encoding="utf-8") as file:
            wanted = file.read().splitlines()
        for name in sorted(os.listdir(GOLDEN)):
            if name.endswith(".erofs"):
                with self.subTest(name=name):
                    head, got = conformance.read_tree("hd0", os.path.join(GOLDEN, name))
                    self.assertEqual((head, got), (f"erofs uuid={UUID} label=golden", wanted))

    @unittest.skipUnless(DUMP, "dump.erofs is missing")
    def test_extents_of_the_second_algorithm(self):
        # No mkfs.erofs writes them: every second head of full indexes becomes one.
        self.make("-zlz4", "-C65536", "-Elegacy-compress")
        told = subprocess.run([DUMP, "--path=/boot/by-turns", self.image], check=True, capture_output=True, text=True).stdout
        number = int(told.split("NID: ")[1].split()[0])
        changed = 0
        with open(self.image, "r+b") as file:
            file.seek(1024 + 40)
            place = struct.unpack("<I", file.read(4))[0] * 4096 + number * 32
            file.seek(place)
            inode = file.read(64)
            extended = inode[0] & 1
            units = struct.unpack_from("<H", inode, 2)[0]
            place += (64 if extended else 32) + (12 + 4 * (units - 1) if units else 0)
            place = (place + 7) // 8 * 8
            file.seek(place + 4)
            file.write(struct.pack("<H", 2 | 4))  # both heads may have several blocks
            count = -(-struct.unpack_from("<Q" if extended else "<I", inode, 8)[0] // 4096)
            for i in range(count):
                file.seek(place + 16 + i * 8)
                advise = struct.unpack("<H", file.read(2))[0]
                if advise & 3 == 1:
                    changed += 1
                    if changed % 2 == 0:
                        file.seek(-2, os.SEEK_CUR)
                        file.write(struct.pack("<H", advise | 3))
        self.assertGreater(changed, 5)
        self.check()
        self.check_against_kernel()

    def test_the_label_is_told(self):
        self.make("-Enosbcrc")
        with open(self.image, "r+b") as file:
            file.seek(1024 + 64)
            file.write(b"sixteen bytes ok")
        head, _ = conformance.read_tree("hd0", self.image)
        self.assertEqual(head, f"erofs uuid={UUID} label=sixteen bytes ok")

    def test_a_damaged_superblock_is_told(self):
        self.make()
        with open(self.image, "r+b") as file:
            file.seek(1024 + 24)  # the build time
            file.write(b"\xff")
        with self.assertRaisesRegex(AssertionError, "wrong checksum of the superblock"):
            conformance.read_tree("hd0", self.image)

    def test_features_that_are_not_read_are_refused_by_name(self):
        for feature, message in ((0x80, "addresses of 48 bits"), (0x100, "compressed metadata"), (0x8000, "features that are unknown")):
            with self.subTest(feature=feature):
                self.make("-Enosbcrc")
                with open(self.image, "r+b") as file:
                    file.seek(1024 + 80)
                    file.write(struct.pack("<I", feature))
                with self.assertRaisesRegex(AssertionError, message):
                    conformance.read_tree("hd0", self.image)

    def test_several_devices_are_refused(self):
        self.make("--chunksize=65536", "--blobdev=" + os.path.join(self.base, "blob"))
        with self.assertRaisesRegex(AssertionError, "several devices"):
            conformance.read_tree("hd0", self.image)


if __name__ == "__main__":
    unittest.main()
