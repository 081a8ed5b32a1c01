#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""--grubenv on disks made by the real tools: what is booted, boot after boot, and what of the disk changes."""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "grubcfg"))
import grub_emu  # noqa: E402
import guest_image  # noqa: E402
from program_fixture import PVHGRUB, Fixture, pvhgrub  # noqa: E402

IS_ROOT = os.geteuid() == 0
GRUBENV = "/boot/grub/grubenv"
OFFSET = 2 * 1048576  # of the file system in the disk

# As grub-mkconfig writes it for GRUB_DEFAULT=saved and GRUB_SAVEDEFAULT=true.
HEADER = """\
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
  set default="${next_entry}"
  set next_entry=
  save_env next_entry
  set boot_once=true
else
  set default="${saved_entry}"
fi
if [ "${prev_saved_entry}" ]; then
  set saved_entry="${prev_saved_entry}"
  save_env saved_entry
  set prev_saved_entry=
  save_env prev_saved_entry
  set boot_once=true
fi
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
    save_env saved_entry
  fi
}
function recordfail {
  set recordfail=1
  if [ -n "${have_grubenv}" ]; then if [ -z "${boot_once}" ]; then save_env recordfail; fi; fi
}
set timeout=0
"""
ENTRIES = """\
menuentry 'A' --id a {
  savedefault
  linux /boot/vmlinuz a
}
menuentry 'B' --id b {
  recordfail
  savedefault
  linux /boot/vmlinuz b
}
submenu 'More' --id more {
  menuentry 'C' --id c {
    savedefault
    linux /boot/vmlinuz c
  }
}
"""
CONFIGURATION = HEADER + ENTRIES

# Fedora's 08_fallback_counting and 10_reset_boot_success.
FEDORA = """\
load_env
set default=0
if [ -n "${boot_counter}" -a "${boot_success}" = "0" ]; then
  if [ "${boot_counter}" = "0" -o "${boot_counter}" = "-1" ]; then
    set default=1
    set boot_counter=-1
  else
    decrement boot_counter
  fi
  save_env boot_counter
fi
if [ "${boot_success}" = "1" ] ; then
  set boot_indeterminate=0
elif [ "${boot_indeterminate}" = "1" ]; then
  set boot_indeterminate=2
fi
set boot_success=0
save_env boot_success boot_indeterminate
menuentry New {
  linux /boot/vmlinuz new
}
menuentry Rollback {
  linux /boot/vmlinuz rollback
}
"""


def editenv(path, *assignments):
    if not os.path.exists(path):
        guest_image.run("grub-editenv", path, "create")
    if assignments:
        guest_image.run("grub-editenv", path, "set", *assignments)


def environment_block(*assignments):
    """A block as grub-editenv makes it."""
    with tempfile.TemporaryDirectory() as folder:
        editenv(folder + "/grubenv", *assignments)
        with open(folder + "/grubenv", "rb") as file:
            return file.read()


def differing(old, new):
    """(first, last) byte at which two images differ; none where they are the same."""
    if old == new:
        return None
    places = [i for i in range(0, len(old), 512) if old[i:i + 512] != new[i:i + 512]]
    return places[0], places[-1] + 511


@unittest.skipUnless(shutil.which("grub-editenv") and shutil.which("debugfs"), "needs grub-editenv and debugfs")
class Environment(Fixture):
    def guest(self, *assignments, configuration=CONFIGURATION, **options):
        return self.new_disk(configuration, [(GRUBENV, environment_block(*assignments))], **options)

    def file_system(self, disk, offset=OFFSET):
        return f"{disk}?offset={offset}" if offset else disk

    def on_disk(self, disk, offset=OFFSET):
        """The block as e2fsprogs reads it."""
        return guest_image.run("debugfs", "-R", f"cat {GRUBENV}", self.file_system(disk, offset),
                               env={**os.environ, "DEBUGFS_PAGER": "cat"}).stdout.split(b"\n", 1)[1]

    def variables(self, disk, offset=OFFSET):
        path = os.path.join(self.base, "dumped")
        with open(path, "wb") as file:
            file.write(self.on_disk(disk, offset))
        return dict(line.split("=", 1) for line in
                    guest_image.run("grub-editenv", path, "list").stdout.decode().splitlines())

    def booted(self, *arguments, disk):
        """The first argument that the booted entry gives its kernel."""
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))
        return self.boot(*arguments, disk=disk)["args"].split()[1]

    def check_sound(self, disk, offset=OFFSET):
        done = subprocess.run(["e2fsck", "-fn", self.file_system(disk, offset)], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stdout)


class Writing(Environment):
    def test_a_one_shot_entry_is_booted_once(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        before = self.contents(disk)
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "b")
        after = self.contents(disk)
        # Nothing but the block, and that as GRUB's own tool would have changed it.
        first, last = differing(before, after)
        block = environment_block("saved_entry=a", "next_entry=b")
        place = before.index(block)
        self.assertTrue(place <= first and last < place + 1024, (place, first, last))
        self.assertEqual(after[place:place + 1024], environment_block("saved_entry=a", "next_entry="))
        self.assertEqual(self.on_disk(disk), after[place:place + 1024])
        self.check_sound(disk)
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")
        self.assertEqual(self.contents(disk), after)

    def test_the_saved_default_follows_the_choice(self):
        disk = self.guest("saved_entry=a")
        self.assertEqual(self.booted("--grubenv=write", "--entry=more>c", disk=disk), "c")
        self.assertEqual(self.variables(disk), {"saved_entry": "more>c"})
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "c")
        self.assertEqual(self.booted("--grubenv=write", "--entry=b", disk=disk), "b")
        self.assertEqual(self.variables(disk), {"saved_entry": "b", "recordfail": "1"})
        self.assertEqual(self.booted(disk=disk), "b")
        self.check_sound(disk)

    def test_boots_are_counted_down_to_the_rollback(self):
        disk = self.guest("boot_success=0", "boot_counter=2", "boot_indeterminate=1", configuration=FEDORA)
        for counter, kernel in (("1", "new"), ("0", "new"), ("-1", "rollback"), ("-1", "rollback")):
            self.assertEqual(self.booted("--grubenv=write", disk=disk), kernel)
            self.assertEqual(self.variables(disk),
                             {"boot_success": "0", "boot_counter": counter, "boot_indeterminate": "2"})
        # What the guest's greenboot does after a good boot.
        path = os.path.join(self.base, "good")
        with open(path, "wb") as file:
            file.write(self.on_disk(disk))
        guest_image.run("grub-editenv", path, "set", "boot_success=1")
        guest_image.run("grub-editenv", path, "unset", "boot_counter")
        self.overwrite(disk, self.on_disk(disk), self.contents(path))
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "new")
        self.assertEqual(self.variables(disk), {"boot_success": "0", "boot_indeterminate": "0"})
        self.check_sound(disk)

    def overwrite(self, disk, old, new):
        place = self.contents(disk).index(old)
        with open(disk, "r+b") as file:
            file.seek(place)
            file.write(new)

    def test_a_block_in_several_blocks_of_the_file_system(self):
        block = environment_block("next_entry=b") + b"#" * 15360
        disk = os.path.join(self.base, "pieces.img")
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        tree.write("/boot/grub/grub.cfg", CONFIGURATION.encode())
        tree.write(GRUBENV, block)
        # Behind twelve blocks ext2 puts an indirect one: the file lies in two runs.
        guest_image.run("mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-d", tree.path, disk, "16M")
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "b")
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")
        self.assertEqual(self.variables(disk, 0), {"next_entry": "", "saved_entry": "a"})
        self.check_sound(disk, 0)

    def test_a_block_outside_of_the_file_system(self):
        configuration = ("load_env\nif [ \"${env_block}\" ] ; then\n set env_block=\"(${root})${env_block}\"\n"
                         " export env_block\n load_env -f \"${env_block}\"\nfi\n"
                         "if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\n set next_entry=\n"
                         " save_env -f \"${env_block}\" next_entry\nfi\n"
                         "menuentry a --id a {\n linux /boot/vmlinuz a\n}\nmenuentry b --id b {\n linux /boot/vmlinuz b\n}\n")
        disk = self.guest("env_block=0+2", configuration=configuration)
        with open(disk, "r+b") as file:  # where an ext file system leaves room for a boot loader
            file.seek(OFFSET)
            file.write(environment_block("next_entry=b"))
        before = self.contents(disk)
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "b")
        after = self.contents(disk)
        self.assertEqual(after[OFFSET:OFFSET + 1024], environment_block("next_entry="))
        self.assertEqual(before[:OFFSET] + before[OFFSET + 1024:], after[:OFFSET] + after[OFFSET + 1024:])
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")

    def test_offset_and_partition_tables(self):
        for table in ("gpt", "msdos", "logical"):
            with self.subTest(table):
                disk = self.guest("next_entry=b", table=table)
                self.assertEqual(self.booted("--grubenv=write", disk=disk), "b")
                self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")
        disk = self.guest("next_entry=b")
        self.assertEqual(self.booted("--grubenv=write", f"--offset={OFFSET}", disk=disk), "b")
        self.assertEqual(self.variables(disk)["next_entry"], "")

    def test_an_entry_that_cannot_be_booted_leaves_what_it_saved_to_its_fallback(self):
        disk = self.guest("next_entry=gone", configuration=HEADER + "set fallback=0\n" + ENTRIES +
                          "menuentry Gone --id gone {\n recordfail\n set tried=1\n save_env tried\n linux /nowhere\n}\n")
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")
        self.assertEqual(self.variables(disk), {"next_entry": "", "tried": "1"})


@unittest.skipUnless(grub_emu.available(), "needs grub-emu")
class AsGrub(Environment):
    """GRUB itself, on a copy of the same disk, writes the same bytes."""

    def both(self, configuration, *assignments):
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        tree.write("/boot/grub/grub.cfg", configuration.encode())
        tree.write(GRUBENV, environment_block(*assignments))
        ours, theirs = os.path.join(self.base, "ours.img"), os.path.join(self.base, "theirs.img")
        grub_emu.make_disk(tree.path, theirs)
        shutil.copy(theirs, ours)
        for _ in range(3):
            self.booted("--grubenv=write", disk=ours)
            # It has no `linux`, so that it stops after the default entry has run.
            grub_emu.run(self.base, theirs, configuration.encode(), 8)
            self.assertEqual(self.on_disk(ours, 0), self.on_disk(theirs, 0))
            self.assertEqual(self.contents(ours), self.contents(theirs))

    def test_one_shot_entries(self):
        self.both(CONFIGURATION, "saved_entry=a", "next_entry=b")
        self.both(CONFIGURATION, "saved_entry=b", "next_entry=more>c", "other=1")
        self.both(CONFIGURATION, "saved_entry=b", "prev_saved_entry=a")

    def test_saved_entries_and_failures(self):
        self.both(CONFIGURATION, "saved_entry=b")
        self.both(CONFIGURATION)
        self.both(CONFIGURATION, "x=back\\slash", "saved_entry=more>c")

    def test_boot_counting(self):
        # Red Hat's GRUB alone has the command.
        decrement = "function decrement {\n if [ $boot_counter = 2 ]; then set boot_counter=1; else set boot_counter=0; fi\n}\n"
        self.both(decrement + FEDORA, "boot_success=0", "boot_counter=2", "boot_indeterminate=1")
        self.both(decrement + FEDORA, "boot_success=1", "menu_auto_hide=1")


class NotWriting(Environment):
    def check_unchanged(self, disk, body):
        before, times = self.contents(disk), os.stat(disk).st_mtime_ns
        body()
        self.assertEqual(self.contents(disk), before)
        self.assertEqual(os.stat(disk).st_mtime_ns, times)

    def stderr_of(self, *arguments, disk):
        done = pvhgrub("-q", f"--output={self.result_file}", "--output-format=simple0",
                       f"--output-directory={self.out}", *arguments, disk)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b" a\0", self.contents(self.result_file))
        return done.stderr.decode()

    def test_read_does_not_follow_what_nobody_takes_back(self):
        disk = self.guest("saved_entry=a", "next_entry=b")

        def body():
            for _ in range(2):
                text = self.stderr_of(disk=disk)
                self.assertIn("next_entry=b", text)
                self.assertIn("--grubenv=write", text)
        self.check_unchanged(disk, body)

    def test_ignore_knows_no_environment(self):
        disk = self.guest("saved_entry=b", "next_entry=b")
        self.check_unchanged(disk, lambda: self.assertNotIn("env", self.stderr_of("--grubenv=ignore", disk=disk)))

    def test_without_an_output_file_nothing_is_written(self):
        disk = self.guest("saved_entry=a", "next_entry=b")

        def body():
            done = pvhgrub("-q", "--grubenv=write", "--output-format=simple", f"--output-directory={self.out}", disk)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b" a\n", done.stdout)
            self.assertIn(b"standard output", done.stderr)
            # What is only looked at tells what a boot would do.
            self.assertEqual(self.boot("-n", "--grubenv=write", disk=disk)["args"].split()[1], "b")
            self.assertEqual(self.listing("--grubenv=write", disk=disk)["default"], "1")
            self.assertEqual(self.listing(disk=disk)["default"], "0")
            self.booted("--grubenv=write", "--kernel=/boot/vmlinuz", "--args=x y", disk=disk)
        self.check_unchanged(disk, body)

    def test_a_disk_that_cannot_be_written_is_read(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        os.chmod(disk, 0o444)

        def body():
            text = self.stderr_of("--grubenv=write", disk=disk)
            self.assertIn("in spite of --grubenv=write", text)
            self.assertIn("next_entry=b", text)
        self.check_unchanged(disk, body)

    def test_a_read_only_mount_is_read(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        folder = tempfile.mkdtemp(dir=self.base)
        shutil.copy(disk, folder)
        mounts = [["mount", "--bind", folder, folder], ["mount", "-o", "remount,bind,ro", folder]]
        if not IS_ROOT or subprocess.run(mounts[0], capture_output=True).returncode != 0:
            self.skipTest("needs root and the right to mount")
        try:
            subprocess.run(mounts[1], check=True)
            text = self.stderr_of("--grubenv=write", disk=os.path.join(folder, os.path.basename(disk)))
            self.assertIn("Read-only file system", text)
        finally:
            subprocess.run(["umount", folder], check=True)

    def refused(self, disk, word, offset=OFFSET):
        def body():
            text = self.stderr_of("--grubenv=write", disk=disk)
            self.assertIn(word, text)
            self.assertIn("next_entry=b", text)
        self.check_unchanged(disk, body)

    def debugfs(self, disk, *commands):
        for command in commands:
            guest_image.run("debugfs", "-w", "-R", command, self.file_system(disk))

    def test_a_file_system_that_is_in_use_or_damaged(self):
        for command, word in (("feature +needs_recovery", "journal"), ("ssv state 0", "in use"),
                              ("ssv state 3", "damaged"), ("ssv feature_ro_compat 0x446b", "share blocks"),
                              (f"sif {GRUBENV} flags 0x80010", "chattr")):
            with self.subTest(command):
                disk = self.guest("saved_entry=a", "next_entry=b")
                self.debugfs(disk, command)
                self.refused(disk, word)

    def test_a_block_that_has_no_place_of_its_own(self):
        entries = ENTRIES.replace("savedefault", "true")
        disk = self.guest(configuration=HEADER.replace("load_env", "load_env -f /e") + entries)
        block = os.path.join(self.base, "block")
        with open(block, "wb") as file:
            file.write(environment_block("saved_entry=a", "next_entry=b"))
            file.truncate(8192)
        self.debugfs(disk, f"write {block} /e")
        self.refused(disk, "not as grub-editenv makes it")  # the hole is zeros
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        tree.write("/boot/grub/grub.cfg", CONFIGURATION.encode())
        tree.write(GRUBENV, environment_block("saved_entry=a", "next_entry=b"))
        inside = os.path.join(self.base, "inline.img")
        guest_image.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "2048", "-N", "64", "-O", "inline_data",
                        "-d", tree.path, inside, "32M")
        self.refused(inside, "inline_data", 0)


class Hosts(Environment):
    def test_block_devices_of_both_sector_sizes(self):
        if not IS_ROOT:
            self.skipTest("needs root for a loop device")
        disk = os.path.join(self.base, "whole.img")
        for sector_size in ("512", "4096"):
            tree = guest_image.GuestTree()
            self.addCleanup(tree.remove)
            tree.write("/boot/grub/grub.cfg", CONFIGURATION.encode())
            tree.write(GRUBENV, environment_block("next_entry=b"))
            guest_image.run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-d", tree.path, disk, "32M")
            done = subprocess.run(["losetup", "--find", "--show", "--sector-size", sector_size, disk], capture_output=True)
            if done.returncode != 0:
                self.skipTest("no loop devices here")
            device = done.stdout.decode().strip()
            try:
                self.assertEqual(self.booted("--grubenv=write", disk=device), "b")
                self.assertEqual(self.booted("--grubenv=write", disk=device), "a")
                guest_image.run("blockdev", "--setro", device)
                self.assertEqual(self.booted("--grubenv=write", "--entry=b", disk=device), "b")
            finally:
                # It stays read-only for whoever gets it next otherwise.
                subprocess.run(["blockdev", "--setrw", device], check=True)
                subprocess.run(["losetup", "-d", device], check=True)
            self.assertEqual(self.variables(disk, 0), {"next_entry": "", "saved_entry": "a"})
            self.check_sound(disk, 0)

    def test_a_read_only_block_device_is_only_read(self):
        if not IS_ROOT:
            self.skipTest("needs root for a loop device")
        disk = self.guest("saved_entry=a", "next_entry=b")
        before = self.contents(disk)
        made = subprocess.run(["losetup", "--find", "--show", "--read-only", disk], capture_output=True)
        if made.returncode != 0:
            self.skipTest("no loop devices here")
        device = made.stdout.decode().strip()
        try:
            # The kernel lets it be opened for writing, and refuses each write.
            with open(device, "r+b", buffering=0) as opened, self.assertRaises(PermissionError):
                opened.write(b"x" * 512)
            done = pvhgrub("-q", "--grubenv=write", f"--output={self.result_file}", "--output-format=simple0",
                           f"--output-directory={self.out}", device)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b" a\0", self.contents(self.result_file))
            notices = [line for line in done.stderr.decode().splitlines() if device in line]
            self.assertEqual(len(notices), 1, notices)
            self.assertIn("read only, in spite of --grubenv=write: the block device is read-only", notices[0])
            self.assertIn("on a disk that can be written", done.stderr.decode())
            self.assertEqual(self.booted("--grubenv=write", "--entry=b", disk=device), "b")
        finally:
            subprocess.run(["losetup", "-d", device], check=True)
        self.assertEqual(self.contents(disk), before)

    def start(self, disk, name, *arguments):
        out = tempfile.mkdtemp(dir=self.base)
        result = os.path.join(self.base, name)
        if not os.path.exists(result):
            with open(result, "wb"):
                pass
        process = subprocess.Popen([PVHGRUB, "-q", "--grubenv=write", f"--output={result}", "--output-format=simple0",
                                    f"--output-directory={out}", *arguments, disk],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return process, out, result

    def wait_for_outputs(self, out):
        """Until the kernel is there: what is left to do then is to write the block and the result."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            files = os.listdir(out)
            if files and os.path.getsize(os.path.join(out, files[0])) == len(self.tree.kernel):
                time.sleep(0.5)
                return
            time.sleep(0.01)
        self.fail("no output came")

    def test_of_two_at_once_one_boots_the_one_shot_entry(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        with open(disk, "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            started = [self.start(disk, "first"), self.start(disk, "second")]
            for _, out, _ in started:
                self.wait_for_outputs(out)
            fcntl.flock(held, fcntl.LOCK_UN)
        statuses = []
        for process, out, result in started:
            text = process.communicate(timeout=60)[1]
            statuses.append(process.returncode)
            if process.returncode == 0:
                self.assertIn(b" b\0", self.contents(result))
            else:
                self.assertIn(b"has changed since it was read", text)
                self.assertEqual((os.listdir(out), self.contents(result)), ([], b""))
        self.assertEqual(sorted(statuses), [0, 1])
        self.assertEqual(self.variables(disk), {"saved_entry": "a", "next_entry": ""})
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")

    def test_a_lock_that_is_never_given_back_ends_the_boot(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        before = self.contents(disk)
        with open(disk, "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            started = time.monotonic()
            done = self.boot("--grubenv=write", disk=disk, status=1)
            self.assertLess(time.monotonic() - started, 30)
        self.assertIn(b"lock", done.stderr)
        self.assertEqual(self.contents(disk), before)

    def test_a_signal_ends_the_waiting_for_the_lock(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        before = self.contents(disk)
        for number, status in ((signal.SIGTERM, 1), (signal.SIGKILL, -9)):
            with open(disk, "rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                process, out, result = self.start(disk, f"signal{number}")
                self.wait_for_outputs(out)
                process.send_signal(number)
                process.communicate(timeout=5)
            self.assertEqual(process.returncode, status)
            self.assertEqual(self.contents(result), b"")
            self.assertEqual(self.contents(disk), before)
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "b")

    def test_one_killed_behind_the_writing_has_written_the_whole_block(self):
        disk = self.guest("saved_entry=a", "next_entry=b")
        pipe = os.path.join(self.base, "pipe")
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        try:
            while True:  # full: nobody takes the result
                os.write(reader, b"x" * 4096)
        except BlockingIOError:
            pass
        process, out, _ = self.start(disk, "pipe")
        self.wait_for_outputs(out)
        self.assertIsNone(process.poll())
        process.kill()
        process.communicate()
        os.close(reader)
        self.assertEqual(self.variables(disk), {"saved_entry": "a", "next_entry": ""})
        self.check_sound(disk)
        self.assertEqual(self.booted("--grubenv=write", disk=disk), "a")

    def test_a_disk_that_fails_to_be_written_boots_nothing(self):
        if not shutil.which("strace"):
            self.skipTest("needs strace")
        disk = self.guest("saved_entry=a", "next_entry=b")
        for call, fault in (("fsync", "error=EIO"), ("flock", "error=ENOLCK:when=3+")):
            trace = os.path.join(self.base, "trace")
            done = subprocess.run(["strace", "-o", trace, "-e", f"trace={call}", "-e", f"inject={call}:{fault}", PVHGRUB,
                                   "-q", "--grubenv=write", f"--output={self.result_file}", "--output-format=simple0",
                                   f"--output-directory={self.out}", disk], capture_output=True, timeout=120)
            if not os.path.exists(trace) or "INJECTED" not in self.contents(trace).decode():
                self.skipTest("strace cannot trace here")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(b"nothing is booted", done.stderr)
            self.assertEqual((os.listdir(self.out), self.contents(self.result_file)), ([], b""))
            disk = self.guest("saved_entry=a", "next_entry=b")


class LyingWorker(Environment):
    """The broker beside a worker that a guest has taken over."""

    FRAMES = ("#!/usr/bin/python3\nimport fcntl, os, struct\n"
              "def frame(kind, payload, stream=0):\n"
              "  os.write(3, struct.pack('<IHH', len(payload), kind, stream) + payload)\n"
              "def text(value): return struct.pack('<I', len(value)) + value\n"
              "def block(lines): return (b'# GRUB Environment Block\\n' + lines).ljust(1024, b'#')\n"
              "def environment(extents, old, new, answers=1):\n"
              "  frame(14, text(b'env') + struct.pack('<BI', answers, len(extents)) +\n"
              "        b''.join(struct.pack('<IQQ', *e) for e in extents) + text(old) + text(new))\n"
              "frame(2, text(b'all'))\n"
              "frame(7, struct.pack('<I', 0) + text(b'id') + text(b't') + text(b'/k') + struct.pack('<I', 0) + text(b''))\n"
              "frame(8, struct.pack('<BQB', 0, 4, 1), 1); frame(11, b'abcd', 1); frame(12, b'', 1)\n"
              "frame(15, b'\\0' + text(b'') * 4)\n")
    SUCCESS = "\nframe(13, struct.pack('<BBBB', 1, 1, 0, 0) + text(b'') + text(b'') + struct.pack('<I', 0))\n"

    def run_worker(self, body, disk, *arguments):
        folder = tempfile.mkdtemp(dir=self.base)
        shutil.copy(PVHGRUB, os.path.join(folder, "pvhgrub"))
        worker = os.path.join(folder, "pvhgrub-worker")
        with open(worker, "w", encoding="ascii") as file:
            file.write(self.FRAMES + body + self.SUCCESS)
        os.chmod(worker, 0o755)
        return subprocess.run([os.path.join(folder, "pvhgrub"), "-q", f"--output={self.result_file}", "--output-format=simple0",
                               f"--output-directory={self.out}", *arguments, disk],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def refused(self, body, word, *arguments):
        disk = self.guest("next_entry=b")
        before = self.contents(disk)
        done = self.run_worker(body, disk, *(arguments or ("--grubenv=write",)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(word, done.stderr)
        self.assertEqual((os.listdir(self.out), self.contents(self.result_file)), ([], b""))
        self.assertEqual(self.contents(disk), before)

    def test_one_that_asks_for_what_nobody_asked_of_it(self):
        ask = "environment([(0, 0, 1024)], block(b'a=1\\n'), block(b'a=2\\n'))"
        self.refused(ask, b"out of order", "--grubenv=read")
        self.refused(ask, b"out of order", "--grubenv=ignore")

    def test_one_that_names_other_bytes_of_the_disk(self):
        self.refused("environment([(0, 0, 1024)], block(b'a=1\\n'), block(b'a=2\\n'))", b"has changed since it was read")
        self.refused(f"environment([(0, {OFFSET + 1024}, 1024)], os.pread(6, 1024, {OFFSET + 1024}), block(b'a=2\\n'))",
                     b"is none")
        self.refused("environment([(0, 1 << 62, 1024)], block(b'a=1\\n'), block(b'a=2\\n'))", b"outside of its disk")

    def test_one_whose_change_need_not_be_written_boots_without_it(self):
        disk = self.guest("next_entry=b")
        before = self.contents(disk)
        done = self.run_worker("environment([(0, 0, 1024)], block(b'a=1\\n'), block(b'a=2\\n'), 0)", disk, "--grubenv=write")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"is not written", done.stderr)
        self.assertEqual(self.contents(disk), before)

    def test_no_worker_can_write_to_the_disk_itself(self):
        disk = self.guest("next_entry=b")
        before = self.contents(disk)
        body = ("modes = {int(n): fcntl.fcntl(int(n), fcntl.F_GETFL) & os.O_ACCMODE for n in os.listdir('/proc/self/fd')\n"
                "         if os.path.exists('/proc/self/fd/' + n) and int(n) > 3}\n"
                "assert modes.get(6) == os.O_RDONLY and os.O_RDWR not in modes.values(), modes\n")
        done = self.run_worker(body, disk, "--grubenv=write")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.contents(disk), before)


if __name__ == "__main__":
    unittest.main()
