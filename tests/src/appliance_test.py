#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""--appliance: what is asked of it and when, what becomes of its answers and its lies. A script that speaks the protocol
stands in for the appliance itself (appliance/fake_appliance.py)."""
import base64
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

PROGRAMS = os.path.dirname(os.environ["PVHGRUB"])
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "appliance", "fake_appliance.py")
KERNEL = os.urandom(2_500_000)
INITRD = os.urandom(70_000)
GRUB_CFG = b"menuentry 'Far' { linux /vmlinuz root=/dev/xvda1\n initrd /boot/initrd }\n"
FILES = {"/boot": "d", "/boot/grub": "d", "/boot/grub/grub.cfg": GRUB_CFG, "/boot/kernel": KERNEL, "/boot/initrd": INITRD,
         "/vmlinuz": ("l", "boot/kernel")}


class Appliance(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="pvhgrub-test.")
        self.addCleanup(shutil.rmtree, self.base)
        self.programs = os.path.join(self.base, "programs")
        self.out = os.path.join(self.base, "out")
        for folder in (self.programs, self.out):
            os.mkdir(folder)
        for name in ("pvhgrub", "pvhgrub-worker"):
            shutil.copy(os.path.join(PROGRAMS, name), self.programs)
        shutil.copy(FAKE, os.path.join(self.programs, "pvhgrub-appliance"))
        for folder in (self.base, self.programs):
            os.chmod(folder, 0o755)

    def disk(self, magic=(1024, b"\x10\x20\xf5\xf2"), device="hd0", lie="", files=None, file_systems=None):
        """A disk that F2FS's magic (or another) stands on, and the tree for the script that reads it."""
        def encoded(value):
            if value == "d":
                return ["d", ""]
            return list(value) if isinstance(value, tuple) else ["f", base64.b64encode(value).decode()]
        if file_systems is None:
            file_systems = [{"device": device, "type": "f2fs", "uuid": "01234567-89ab", "label": "FAR"}]
        text = json.dumps({"lie": lie, "file_systems": file_systems,
                           "files": {name: encoded(value) for name, value in (files or FILES).items()}}).encode()
        contents = bytearray(65540 + len(text) + 4096)
        contents[magic[0]:magic[0] + len(magic[1])] = magic[1]
        contents[65536:65540 + len(text)] = struct.pack("<I", len(text)) + text
        path = os.path.join(self.base, "disk.img")
        with open(path, "wb") as file:
            file.write(contents)
        return path

    def run_program(self, *arguments, **options):
        return subprocess.run([os.path.join(self.programs, "pvhgrub"), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, **options)

    def boot(self, disk, *arguments, status=0):
        result = os.path.join(self.base, "result")
        with open(result, "wb"):
            pass
        done = self.run_program("-q", "--output-format=json", f"--output={result}", f"--output-directory={self.out}",
                                "--kernel-format=as-is", "--boot=direct", *arguments, disk)
        self.assertEqual(done.returncode, status, done.stderr)
        self.said = done.stderr.decode()
        with open(result, "rb") as file:
            record = file.read()
        if status != 0:
            self.assertEqual((record, os.listdir(self.out)), (b"", []))
            return None
        return json.loads(record)

    def check_booted(self, record):
        with open(record["kernel"], "rb") as kernel, open(record["ramdisk"], "rb") as ramdisk:
            self.assertTrue(kernel.read() == KERNEL)
            self.assertTrue(ramdisk.read() == INITRD)

    def test_it_is_not_started_unless_somebody_says_so(self):
        disk = self.disk()
        for arguments in ([], ["--appliance=never"]):
            self.boot(disk, *arguments, status=4)
            self.assertIn("F2FS", self.said)
            self.assertNotIn("the appliance: starting", self.said)

    def test_a_boot_that_fails_for_want_of_a_reader_is_tried_once_more_with_it(self):
        record = self.boot(self.disk(), "--appliance=auto")
        self.check_booted(record)
        self.assertEqual(self.said.count("the appliance: starting with 1 disk(s)"), 1)
        self.assertIn("hd0: its f2fs is read through the appliance", self.said)

    def test_with_always_it_reads_at_once(self):
        record = self.boot(self.disk(), "--appliance=always")
        self.check_booted(record)
        self.assertNotIn("trying once more", self.said)

    def test_auto_does_not_start_it_for_other_failures(self):
        luks = self.disk(magic=(0, b"LUKS\xba\xbe"))
        self.boot(luks, "--appliance=auto", status=4)
        self.assertNotIn("the appliance", self.said.replace("appliance.", ""))
        empty = os.path.join(self.base, "empty.img")
        with open(empty, "wb") as file:
            file.truncate(1 << 20)
        self.boot(empty, "--appliance=auto", status=4)
        self.assertNotIn("trying once more", self.said)

    def test_a_volume_that_only_it_knows_is_a_device(self):
        record = self.boot(self.disk(magic=(512, b"LABELONE"), device="lvm/group-root"), "--appliance=auto")
        self.check_booted(record)
        listing = self.run_program("--appliance=always", "-l", self.disk(device="lvm/group-root"))
        self.assertIn(b"(lvm/group-root)", listing.stdout)

    def test_a_device_that_is_on_no_disk_is_none(self):
        for device in ("hd7", "hd0,9", "", "(", "proc"):
            with self.subTest(device):
                self.boot(self.disk(device=device), "--appliance=always", status=4)

    def test_scripts_and_listings_read_through_it(self):
        script = os.path.join(self.base, "script")
        with open(script, "w") as file:
            file.write("search --set=r --label FAR\nprobe --set=t --fs $r\nprobe --set=u --fs-uuid $r\necho $r $t $u\n")
        done = self.run_program("--appliance=always", f"--eval={script}", self.disk())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, b"hd0 f2fs 01234567-89ab\n")

    def test_lies_end_in_an_error_and_leave_nothing(self):
        for lie, statuses in (("operation", (1,)), ("state", (1,)), ("length", (1,)), ("count", (1,)), ("code", (1,)),
                              ("for ever", (1,)), ("end", (1,)), ("short", (1,)), ("unreadable", (1, 4)),
                              ("size", (1, 4, 6)), ("link", (4, 5))):
            with self.subTest(lie):
                disk = self.disk(lie=lie)
                result = os.path.join(self.base, "result")
                with open(result, "wb"):
                    pass
                done = self.run_program("-q", "--appliance=always", f"--output={result}", "--output-format=json",
                                        f"--output-directory={self.out}", "--kernel-format=as-is", "--boot=direct", disk)
                self.assertIn(done.returncode, statuses, done.stderr)
                self.assertNotIn(b"sandbox", done.stderr)
                self.assertEqual(os.listdir(self.out), [])
                self.assertEqual(os.path.getsize(result), 0)

    def test_names_that_no_path_can_have_are_not_there(self):
        self.check_booted(self.boot(self.disk(lie="names"), "--appliance=always"))

    def test_what_it_says_is_bounded_and_escaped(self):
        self.check_booted(self.boot(self.disk(lie="flood"), "--appliance=always"))
        self.assertLess(len(self.said), 4_000_000)
        self.check_booted(self.boot(self.disk(lie="escape"), "--appliance=always"))
        self.assertNotIn("\x1b", self.said)

    def test_the_deadline_holds_for_it_too_and_nothing_of_it_stays(self):
        begun = time.monotonic()
        self.boot(self.disk(lie="sleep"), "--appliance=always", "--deadline=2", status=6)
        self.assertLess(time.monotonic() - begun, 30)
        left = subprocess.run(["pgrep", "-f", self.programs], capture_output=True).stdout
        self.assertEqual(left, b"")

    @unittest.skipIf(shutil.which("pvhgrub-appliance"), "it is installed on this machine")
    def test_where_it_is_not_installed_that_is_said(self):
        os.unlink(os.path.join(self.programs, "pvhgrub-appliance"))
        self.boot(self.disk(), "--appliance=always", status=1)
        self.assertIn("pvhgrub-appliance is neither", self.said)


if __name__ == "__main__":
    unittest.main()
