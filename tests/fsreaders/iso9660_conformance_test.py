#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ISO 9660 as genisoimage and xorriso write it: the tree of all readers by Rock Ridge and by Joliet, plain names, deep
directories, hybrid images; label and UUID as grub-probe and grub-fstest tell them."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import conformance

GENISOIMAGE = shutil.which("genisoimage")
XORRISO = shutil.which("xorriso")
FSTEST = shutil.which("grub-fstest")


def genisoimage(image, tree, *options):
    subprocess.run([GENISOIMAGE, "-quiet", "-V", "CONFORM", *options, "-o", image, tree], check=True, timeout=120,
                   stderr=subprocess.DEVNULL)


def xorriso(image, tree, *options):
    subprocess.run([XORRISO, "-as", "mkisofs", "-quiet", "-V", "CONFORM", *options, "-o", image, tree], check=True, timeout=120,
                   stderr=subprocess.DEVNULL)


class IsoConformance(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="pvhgrub-conformance.")
        self.addCleanup(shutil.rmtree, self.base)
        self.tree = os.path.join(self.base, "tree")
        self.image = os.path.join(self.base, "image.iso")
        os.mkdir(self.tree)

    def write(self, name, contents):
        path = os.path.join(self.tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents)

    def names(self, image=None):
        """The paths that are read, with sizes."""
        _, lines = conformance.read_tree("hd0", image or self.image)
        return [" ".join(line.split(" ")[:3]) for line in lines]

    def fstest(self, *arguments):
        done = subprocess.run([FSTEST, self.image, *arguments], capture_output=True, timeout=120)
        return done.stdout.decode("utf-8", "surrogateescape")

    @unittest.skipUnless(GENISOIMAGE, "genisoimage is missing")
    def test_genisoimage_with_rock_ridge(self):
        # genisoimage cuts names to some 248 bytes, and never ends where a link's target has 1,000 components.
        conformance.Tree(self.tree, name_bytes=240, sparse=False)
        os.unlink(os.path.join(self.tree, "boot-long"))
        genisoimage(self.image, self.tree, "-R", "-iso-level", "3")
        head = conformance.check(self, self.tree, "hd0", self.image, ignore=("/rr_moved",))
        self.assertRegex(head, r"^iso9660 uuid=\d{4}(-\d\d){6} label=CONFORM$")

    @unittest.skipUnless(XORRISO, "xorriso is missing")
    def test_xorriso_with_rock_ridge_and_sparse_and_hard_links(self):
        conformance.Tree(self.tree)
        for options in ((), ("-J", "-joliet-long"), ("-iso-level", "3", "-partition_offset", "16")):
            with self.subTest(options=options):
                xorriso(self.image, self.tree, "-R", *options)
                device = "hd0"
                head = conformance.check(self, self.tree, device, self.image, ignore=("/rr_moved",))
                self.assertRegex(head, r"^iso9660 uuid=\d{4}(-\d\d){6} label=CONFORM$")

    @unittest.skipUnless(XORRISO, "xorriso is missing")
    def test_files_of_1_gib(self):
        with conformance.huge_directory() as base:
            image, tree = os.path.join(base, "image"), os.path.join(base, "tree")
            conformance.write_huge(tree, sparse=False)
            xorriso(image, tree, "-R", "-iso-level", "3")
            conformance.check(self, tree, "hd0", image)

    @unittest.skipUnless(GENISOIMAGE, "genisoimage is missing")
    def test_joliet_where_there_is_no_rock_ridge(self):
        conformance.Tree(self.tree, links=False, hard_links=False, sparse=False, name_bytes=100, depth=6, case=False,
                         many=500, large=2 << 20)
        os.unlink(os.path.join(self.tree, "boot/with space & more;~.cfg"))  # ';' is not allowed
        genisoimage(self.image, self.tree, "-J", "-joliet-long", "-input-charset", "utf-8")
        head = conformance.check(self, self.tree, "hd0", self.image)
        self.assertRegex(head, r"^iso9660 uuid=\d{4}(-\d\d){6} label=CONFORM$")

    @unittest.skipUnless(GENISOIMAGE, "genisoimage is missing")
    def test_plain_names_are_shown_as_grub_shows_them(self):
        self.write("README", b"no extension")
        self.write("Boot/Grub/GRUB.CFG", b"menu")
        self.write("Boot/LongerThanEight.text", b"cut")
        genisoimage(self.image, self.tree, "-iso-level", "1")
        self.assertEqual(self.names(), ["d /boot", "d /boot/grub", "f /boot/grub/grub.cfg 4", "f /boot/longerth.tex 3",
                                        "f /readme 12"])
        if FSTEST:
            self.assertEqual(sorted(self.fstest("ls", "(loop0)/").split()), ["boot/", "readme"])
            self.assertEqual(self.fstest("cat", "(loop0)/boot/grub/grub.cfg"), "menu")

    @unittest.skipUnless(GENISOIMAGE and FSTEST, "genisoimage or grub-fstest is missing")
    def test_label_and_uuid_are_grubs(self):
        self.write("file", b"x")
        for options in (("-R",), ("-J",), ()):
            with self.subTest(options=options):
                genisoimage(self.image, self.tree, *options)
                head, _ = conformance.read_tree("hd0", self.image)
                listed = self.fstest("ls", "--", "-l", "(loop0)")
                uuid = re.search(r"UUID (\S+)", listed)
                label = re.search(r"Label `(.*?)'", listed)
                self.assertTrue(uuid and label, listed)
                self.assertEqual(head, f"iso9660 uuid={uuid[1].rstrip(',')} label={label[1]}")

    @unittest.skipUnless(XORRISO, "xorriso is missing")
    def test_a_hybrid_image_is_an_iso_as_a_whole_disk(self):
        conformance.Tree(self.tree, depth=6, many=100, large=1 << 20)
        code = os.path.join(self.base, "mbr")
        with open(code, "wb") as file:
            file.write(bytes(432))
        for options in (("-isohybrid-mbr", code, "-b", "boot/text", "-no-emul-boot", "-boot-load-size", "4"),
                        ("--protective-msdos-label", "-partition_offset", "16"),
                        ("-appended_part_as_gpt", "-append_partition", "2", "0xef",
                         os.path.join(self.tree, "boot/size-1000003"))):
            with self.subTest(options=options):
                xorriso(self.image, self.tree, "-R", *options)
                devices = subprocess.run([conformance.READ_TREE, "-", self.image], capture_output=True,
                                         check=True).stdout.decode()
                self.assertIn("hd0,", devices, "the image has no partition table")
                head = conformance.check(self, self.tree, "hd0", self.image,
                                         ignore=("/boot/text", "/to-text", "/boot.catalog"))
                self.assertIn("label=CONFORM", head)


if __name__ == "__main__":
    unittest.main()
