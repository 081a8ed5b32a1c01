# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the whole program share: a disk a class, an output directory a test, and the calls."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import guest_image

PVHGRUB = os.environ["PVHGRUB"]


def pvhgrub(*arguments, **options):
    return subprocess.run([PVHGRUB, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **options)


class Fixture(unittest.TestCase):
    """One disk for all tests of a class, one output directory a test."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pvhgrub-test.")
        cls.tree = guest_image.GuestTree()
        cls.disk = os.path.join(cls.base, "disk.img")
        guest_image.make_disk(cls.disk, cls.tree.path)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)
        cls.tree.remove()

    def setUp(self):
        self.out = tempfile.mkdtemp(dir=self.base)
        self.result_file = os.path.join(self.base, "result")
        with open(self.result_file, "wb"):
            pass

    def tearDown(self):
        shutil.rmtree(self.out)

    def boot(self, *arguments, disk=None, status=0):
        done = pvhgrub("-q", f"--output={self.result_file}", "--output-format=simple0",
                       f"--output-directory={self.out}", *arguments, disk or self.disk)
        self.assertEqual(done.returncode, status, done.stderr)
        with open(self.result_file, "rb") as file:
            record = file.read()
        if status != 0:
            self.assertEqual(record, b"")
            self.assertEqual(os.listdir(self.out), [])
            self.assertNotEqual(done.stderr, b"")
            return done
        self.assertTrue(record.endswith(b"\0\0"), record)
        items = dict(item.split(b" ", 1) for item in record[:-2].split(b"\0"))
        return {key.decode(): value.decode() for key, value in items.items()}

    def listing(self, *arguments, disk=None):
        done = pvhgrub("-l", "--output-format=json", *arguments, disk or self.disk)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def contents(self, path):
        with open(path, "rb") as file:
            return file.read()

    def new_disk(self, grub_cfg=None, files=(), **options):
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        if grub_cfg is not None:
            tree.write("/boot/grub/grub.cfg", grub_cfg.encode() if isinstance(grub_cfg, str) else grub_cfg)
        for name, contents in files:
            tree.write(name, contents)
        path = os.path.join(self.base, "new.img")
        if os.path.exists(path):
            os.unlink(path)
        guest_image.make_disk(path, tree.path, **options)
        return path
