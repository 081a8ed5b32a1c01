#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole program from its command line, as toolstacks and people call it, on disks made by the real tools."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import tty
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_image  # noqa: E402
from guest_image import UUID  # noqa: E402
from program_fixture import PVHGRUB, Fixture, pvhgrub  # noqa: E402

FAKE_XL = os.environ["FAKE_XL"]
IS_ROOT = os.geteuid() == 0


class Booting(Fixture):
    def test_default_entry_is_extracted_bit_for_bit(self):
        result = self.boot()
        self.assertEqual(self.contents(result["kernel"]), self.tree.kernel)
        self.assertEqual(self.contents(result["ramdisk"]), self.tree.initrd)
        self.assertEqual(result["args"], f"BOOT_IMAGE=/boot/vmlinuz root=UUID={UUID} ro quiet")

    def test_outputs_are_private_files_with_pygrubs_names(self):
        result = self.boot()
        for key, prefix in (("kernel", "boot_kernel."), ("ramdisk", "boot_ramdisk.")):
            self.assertEqual(os.path.dirname(result[key]), self.out)
            self.assertTrue(os.path.basename(result[key]).startswith(prefix))
            self.assertEqual(os.stat(result[key]).st_mode, 0o100600)

    def test_all_partition_tables_and_none(self):
        for table in ("gpt", "msdos", "logical"):
            with self.subTest(table):
                result = self.boot(disk=self.new_disk(table=table))
                self.assertEqual(self.contents(result["kernel"]), self.tree.kernel)
        whole = os.path.join(self.base, "whole.img")
        guest_image.make_ext4(whole, self.tree.path)
        self.assertEqual(self.contents(self.boot(disk=whole)["kernel"]), self.tree.kernel)

    def test_offset_names_the_file_systems_place(self):
        result = self.boot(f"--offset={2 * 1048576}")
        self.assertEqual(self.contents(result["kernel"]), self.tree.kernel)

    def test_several_initrds_are_joined_with_padding(self):
        result = self.boot("--entry=advanced>recovery")
        padding = b"\0" * (-len(self.tree.ucode) % 4)
        self.assertEqual(self.contents(result["ramdisk"]), self.tree.ucode + padding + self.tree.initrd)
        self.assertTrue(result["args"].endswith(" single"))

    def test_joined_initrds_never_begin_with_gzip_magic(self):
        first = b"\x1f\x8b" + b"x" * 4094
        disk = self.new_disk("menuentry a {\n linux /boot/vmlinuz\n initrd /boot/a.gz /boot/initrd.img\n}\n",
                             [("/boot/a.gz", first)])
        ramdisk = self.contents(self.boot(disk=disk)["ramdisk"])
        self.assertEqual(ramdisk[:6], b"070701")
        self.assertEqual(ramdisk[4096:], first + self.tree.initrd)
        self.assertIn(b"TRAILER!!!", ramdisk[:4096])

    def test_newc_files_are_wrapped_for_cpio(self):
        disk = self.new_disk("menuentry a {\n linux /boot/vmlinuz\n"
                             " initrd newc:/etc/conf/x:/boot/small newc:y:/boot/small /boot/initrd.img\n}\n",
                             [("/boot/small", b"hello")])
        ramdisk = self.contents(self.boot(disk=disk)["ramdisk"])
        self.assertTrue(ramdisk.endswith(self.tree.initrd))
        archive = ramdisk[: -len(self.tree.initrd)]
        busybox = shutil.which("busybox")
        self.assertIsNotNone(busybox)
        target = tempfile.mkdtemp(dir=self.base)
        subprocess.run([busybox, "cpio", "-id"], input=archive, cwd=target, check=True, capture_output=True)
        self.assertEqual(self.contents(target + "/etc/conf/x"), b"hello")
        self.assertEqual(self.contents(target + "/y"), b"hello")

    def test_arguments_are_appended(self):
        self.assertTrue(self.boot("--args=extra=1 console=hvc0")["args"].endswith(" ro quiet extra=1 console=hvc0"))

    def test_kernel_and_ramdisk_options_skip_the_configuration(self):
        result = self.boot("--kernel=/boot/ucode.img", "--ramdisk=(hd0,gpt2)/boot/vmlinuz", "--args=x")
        self.assertEqual(self.contents(result["kernel"]), self.tree.ucode)
        self.assertEqual(self.contents(result["ramdisk"]), self.tree.kernel)
        self.assertEqual(result["args"], "x")
        alone = self.boot("--kernel=/boot/vmlinuz")
        self.assertNotIn("ramdisk", alone)
        self.assertNotIn("args", alone)

    def test_entry_by_index_title_and_id(self):
        for name in ("1>0", "Advanced options>Recovery mode", "advanced>0", "advanced>recovery"):
            with self.subTest(name):
                self.assertTrue(self.boot(f"--entry={name}")["args"].endswith("single"))

    def test_not_really_checks_and_names_guest_paths(self):
        result = self.boot("-n")
        self.assertEqual(result["kernel"], "<kernel:(hd0,gpt2)/boot/vmlinuz>")
        self.assertEqual(result["ramdisk"], "<ramdisk:(hd0,gpt2)/boot/initrd.img>")
        self.assertEqual(os.listdir(self.out), [])

    def test_fallback_is_booted_when_the_default_cannot(self):
        disk = self.new_disk("set default=0\nset fallback=1\nmenuentry a {\n linux /nowhere\n}\n"
                             "menuentry b {\n linux /boot/vmlinuz two\n}\n")
        self.assertEqual(self.boot(disk=disk)["args"], "BOOT_IMAGE=/boot/vmlinuz two")

    def test_kernel_on_another_partition_than_the_configuration(self):
        disk = self.new_disk("search --set=root --label KERNELS\nmenuentry a {\n linux /other-kernel far\n}\n",
                             size_mib=60)
        second = guest_image.GuestTree()
        self.addCleanup(second.remove)
        shutil.rmtree(second.path + "/boot")
        second.write("/other-kernel", b"K" * 5000)
        guest_image.run("sfdisk", "-q", "-a", disk, input=b"start=36MiB, size=20MiB, type=L\n")
        guest_image.make_ext4(disk, second.path, 20, 36 * 1048576, ("-L", "KERNELS", "-U", "random"))
        result = self.boot(disk=disk)
        self.assertEqual(self.contents(result["kernel"]), b"K" * 5000)

    def test_formats_on_standard_output(self):
        simple = pvhgrub("-q", "--output-format=simple", f"--output-directory={self.out}", self.disk)
        self.assertRegex(simple.stdout.decode(), r"\Akernel /.*\nramdisk /.*\nargs BOOT_IMAGE=.*\n\n\Z")
        sxp = pvhgrub("-q", f"--output-directory={self.out}", "--output=-", self.disk)
        self.assertRegex(sxp.stdout.decode(), r"\Alinux \(kernel '/.*'\)\(ramdisk '/.*'\)\(args 'BOOT_IMAGE=.*'\)\Z")
        whole = pvhgrub("-q", "--output-format=json", f"--output-directory={self.out}", self.disk)
        self.assertEqual(set(json.loads(whole.stdout)),
                         {"kernel", "ramdisk", "args", "entry", "boot", "reason", "firmware", "shim", "kernel-version",
                          "kernel-description", "modules"})

    def test_long_command_line_gets_a_notice_and_too_long_is_refused(self):
        done = pvhgrub("-q", "-n", "--output-format=simple", "--args=" + "a" * 3000, self.disk)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"keeps only the first 2047", done.stderr)
        base = len(self.boot()["args"]) + 1
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))
        self.boot("-n", "--args=" + "a" * (8186 - base))
        failed = self.boot("--args=" + "a" * (8187 - base), status=6)
        self.assertIn(b"8187 bytes", failed.stderr)

    def test_block_device(self):
        if not IS_ROOT:
            self.skipTest("needs root for a loop device")
        done = subprocess.run(["losetup", "--find", "--show", self.disk], capture_output=True)
        if done.returncode != 0:
            self.skipTest("no loop devices here")
        device = done.stdout.decode().strip()
        try:
            self.assertEqual(self.contents(self.boot(disk=device)["kernel"]), self.tree.kernel)
        finally:
            subprocess.run(["losetup", "-d", device], check=True)


class Listing(Fixture):
    def test_json_tells_source_default_and_entries(self):
        listing = self.listing()
        self.assertEqual(listing["source"], {"kind": "grub2", "device": "hd0,gpt2", "path": "/boot/grub/grub.cfg"})
        self.assertEqual(listing["default"], "0")
        self.assertEqual(listing["timeout"], 5)
        self.assertEqual(listing["timeout_style"], "menu")
        first, advanced, memtest = listing["entries"]
        self.assertEqual(first["kernel"], "(hd0,gpt2)/boot/vmlinuz")
        self.assertEqual(first["initrds"], ["(hd0,gpt2)/boot/initrd.img"])
        self.assertEqual(first["cmdline"], f"BOOT_IMAGE=/boot/vmlinuz root=UUID={UUID} ro quiet")
        self.assertEqual((first["index"], first["id"], first["class"]), ("0", "first", ["debian", "gnu-linux"]))
        self.assertTrue(advanced["is_submenu"])
        self.assertEqual([entry["index"] for entry in advanced["entries"]], ["1>0", "1>1"])
        self.assertIn("/boot/not-there", advanced["entries"][1]["error"])
        self.assertEqual(memtest["loader"], "chainloader")

    def test_saved_entry_decides_the_default(self):
        environment = b"# GRUB Environment Block\nsaved_entry=advanced>recovery\n"
        disk = self.new_disk(files=[("/boot/grub/grubenv", environment.ljust(1024, b"#"))])
        self.assertEqual(self.listing(disk=disk)["default"], "1>0")
        self.assertTrue(self.boot(disk=disk)["args"].endswith("single"))

    def test_half_a_listing_is_not_printed(self):
        disk = self.new_disk("menuentry a {\n linux /boot/vmlinuz\n}\n"
                             "submenu b {\n while true; do true; done\n}\n")
        done = pvhgrub("-l", "--output-format=json", disk)
        self.assertEqual((done.returncode, done.stdout), (6, b""))

    def test_text_has_pygrubs_lines(self):
        done = pvhgrub("-l", self.disk)
        self.assertEqual(done.returncode, 0)
        self.assertIn("title: Debian GNU/Linux\n  root: (hd0,gpt2)\n  kernel: /boot/vmlinuz\n", done.stdout.decode())
        self.assertIn("title: Advanced options>Recovery mode\n", done.stdout.decode())

    def test_bare_configuration(self):
        path = os.path.join(self.base, "bare.cfg")
        with open(path, "w", encoding="ascii") as file:
            file.write(guest_image.GRUB_CFG)
        done = pvhgrub("--isconfig", "-l", "--output-format=json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        listing = json.loads(done.stdout)
        self.assertIsNone(listing["source"]["device"])
        self.assertEqual(listing["entries"][0]["cmdline"], f"BOOT_IMAGE=/boot/vmlinuz root=UUID={UUID} ro quiet")
        shown = pvhgrub("--isconfig", path)
        self.assertEqual(shown.returncode, 0)
        self.assertIn(b"  kernel: /boot/vmlinuz\n  initrd: /boot/initrd.img\n  args: BOOT_IMAGE=", shown.stdout)

    def test_bare_configuration_without_a_menu_is_an_empty_list(self):
        path = os.path.join(self.base, "stub.cfg")
        with open(path, "w", encoding="ascii") as file:
            file.write("configfile (hd0,gpt2)/boot/grub/grub.cfg\n")
        done = pvhgrub("--isconfig", "-l", "--output-format=json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["entries"], [])

    def test_guest_text_reaches_the_terminal_only_escaped(self):
        disk = self.new_disk(b"menuentry 'a\x1b[2J\x07\xc2\x9b' {\n linux /boot/vm\x1blinuz\n}\n")
        for arguments in (("-l",), ("-q", "-n"), ("--explain", "-q", "-n"), ("--entry=nothing",)):
            done = pvhgrub(*arguments, disk)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)
            self.assertNotIn(b"\x07", done.stdout + done.stderr)
            self.assertNotIn(b"\xc2\x9b", done.stdout + done.stderr)


class Evaluating(Fixture):
    def evaluate(self, script, *arguments):
        return subprocess.run([PVHGRUB, "--eval=-", *arguments], input=script, capture_output=True, timeout=60)

    def test_echo_comes_out_exactly_and_the_status_follows(self):
        done = self.evaluate(b"set a='x  y'\necho \"$a\"\necho -n last\ntrue\n")
        self.assertEqual((done.stdout, done.returncode), (b"x  y\nlast", 0))
        self.assertEqual(self.evaluate(b"echo a\nfalse\n").returncode, 1)

    def test_a_disk_can_be_looked_at(self):
        done = self.evaluate(f"search --set=r --fs-uuid {UUID}\necho $r\n[ -f ($r)/boot/vmlinuz ]\n".encode(), self.disk)
        self.assertEqual((done.stdout, done.returncode), (b"hd0,gpt2\n", 0), done.stderr)

    def test_a_file_can_be_named(self):
        path = os.path.join(self.base, "script")
        with open(path, "w", encoding="ascii") as file:
            file.write("echo from file\n")
        done = pvhgrub(f"--eval={path}")
        self.assertEqual((done.stdout, done.returncode), (b"from file\n", 0))

    def test_endless_loops_end_as_a_limit(self):
        for script in (b"while true; do true; done", b"a=x\nwhile true; do a=$a$a; done"):
            with self.subTest(script):
                started = time.monotonic()
                self.assertEqual(self.evaluate(script).returncode, 6)
                self.assertLess(time.monotonic() - started, 60)

    def test_endless_recursion_is_an_error_of_the_script_as_in_grub(self):
        done = self.evaluate(b"function f { f; }\nf\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"maximum recursion depth exceeded", done.stderr)


class Failures(Fixture):
    def last_line(self, done):
        return done.stderr.decode().rstrip("\n").split("\n")[-1]

    def test_usage(self):
        for arguments in ((), ("--no-such-option", "x"), ("--output-format=xml", "x"), ("--runas=0", "x"),
                          ("--offset=abc", "x"), tuple("x" * 200)):
            with self.subTest(arguments):
                self.assertEqual(pvhgrub(*arguments).returncode, 2)

    def test_empty_arguments_are_passed_over(self):
        self.boot("", "")

    def test_a_disk_that_is_not_there(self):
        self.assertIn("/nowhere", self.last_line(self.boot(disk="/nowhere", status=1)))

    def test_a_result_file_that_held_something_is_empty_after_any_failure(self):
        for disk in ("/nowhere", "/dev/null", self.base):
            with self.subTest(disk):
                with open(self.result_file, "wb") as file:
                    file.write(b"kernel /etc/shadow\0\0")
                self.assertNotEqual(pvhgrub("-q", f"--output={self.result_file}", disk).returncode, 0)
                self.assertEqual(self.contents(self.result_file), b"")

    def test_no_configuration_is_status_4(self):
        path = os.path.join(self.base, "empty.img")
        with tempfile.TemporaryDirectory() as tree:
            if os.path.exists(path):
                os.unlink(path)
            guest_image.make_ext4(path, tree)
        self.assertIn("no boot configuration", self.last_line(self.boot(disk=path, status=4)))

    def test_no_such_entry_tells_what_there_is(self):
        line = self.last_line(self.boot("--entry=nothing", status=4))
        self.assertIn("Debian GNU/Linux", line)
        self.assertNotIn("\\x0a", line)

    def test_a_default_that_cannot_boot_says_why_and_what_to_do_in_one_line(self):
        line = self.last_line(self.boot(disk=self.new_disk("menuentry a {\n linux /nowhere\n}\n"), status=4))
        self.assertIn("/nowhere", line)
        self.assertIn("--entry", line)
        self.assertNotIn("\\x0a", line)

    def test_an_entry_that_is_no_linux_says_so(self):
        self.assertIn("Memory test", self.last_line(self.boot("--entry=2", status=4)))

    def test_a_missing_kernel_names_the_file(self):
        self.assertIn("/boot/not-there", self.last_line(self.boot("--entry=1>1", status=4)))

    def test_noise_instead_of_a_disk(self):
        path = os.path.join(self.base, "noise.img")
        with open(path, "wb") as file:
            file.write(os.urandom(1 << 20))
        self.boot(disk=path, status=4)

    def test_a_damaged_file_system_is_status_5_and_names_the_partition(self):
        disk = self.new_disk()
        with open(disk, "r+b") as file:
            file.seek(2 * 1048576 + 1024 + 24)
            file.write(b"\xff" * 4)  # s_log_block_size
        self.assertIn("hd0,gpt2", self.last_line(self.boot(disk=disk, status=5)))

    def test_an_unreadable_partition_is_skipped_with_one_notice(self):
        disk = self.new_disk(size_mib=60)
        guest_image.run("sfdisk", "-q", "-a", disk, input=b"start=36MiB, size=20MiB, type=L\n")
        with open(disk, "r+b") as file:
            file.seek(36 * 1048576 + 1024 + 56)
            file.write(b"\x53\xef")  # the magic of ext4, and nothing else of it
        done = pvhgrub("-q", "-n", "--output-format=simple", disk)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count(b"hd0,gpt3"), 1, done.stderr)

    def test_xapi_finds_runtime_error_in_front(self):
        done = pvhgrub("-q", "--output-format=simple", f"--output-directory={self.out}", "/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(self.last_line(done).startswith("RuntimeError: "))

    def test_a_full_output_directory_says_what_to_do(self):
        if not IS_ROOT:
            self.skipTest("needs root to mount a small tmpfs")
        small = tempfile.mkdtemp(dir=self.base)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small])
        if mounted.returncode != 0:
            self.skipTest("cannot mount here")
        try:
            done = pvhgrub("-q", f"--output={self.result_file}", "--output-format=simple0",
                           f"--output-directory={small}", self.disk)
            self.assertEqual(done.returncode, 1)
            self.assertIn("--output-directory", self.last_line(done))
            self.assertEqual(os.listdir(small), [])
            self.assertEqual(self.contents(self.result_file), b"")
        finally:
            subprocess.run(["umount", small], check=True)

    def test_sigterm_leaves_nothing_behind(self):
        path = os.path.join(self.base, "fifo")
        os.mkfifo(path)
        # Open before the program looks: without a writer the script would be empty. It never ends, and so neither does the
        # program.
        writer = os.open(path, os.O_RDWR)
        process = subprocess.Popen([PVHGRUB, f"--eval={path}"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.addCleanup(os.close, writer)
        disk = self.new_disk("while true; do sleep 0; done\n")
        busy = subprocess.Popen([PVHGRUB, "-q", f"--output={self.result_file}", f"--output-directory={self.out}", disk],
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        time.sleep(0.1)
        for victim in (process, busy):
            victim.send_signal(signal.SIGTERM)
            victim.communicate(timeout=30)
            self.assertNotEqual(victim.returncode, 0)
        self.assertEqual(os.listdir(self.out), [])

    def test_the_deadline_ends_a_script_that_does_not(self):
        disk = self.new_disk("while true; do true; done\n")
        self.boot("--deadline=1", disk=disk, status=6)


class LyingWorker(Fixture):
    """The broker beside a worker that a guest has taken over, and that was never confined at all."""

    def boot_with(self, worker_body, *arguments):
        folder = tempfile.mkdtemp(dir=self.base)
        shutil.copy(PVHGRUB, os.path.join(folder, "pvhgrub"))
        worker = os.path.join(folder, "pvhgrub-worker")
        with open(worker, "w", encoding="ascii") as file:
            file.write("#!/usr/bin/python3\nimport os, signal, struct, time\n"
                       "def frame(kind, payload, stream=0):\n"
                       "  os.write(3, struct.pack('<IHH', len(payload), kind, stream) + payload)\n"
                       "def text(value): return struct.pack('<I', len(value)) + value\n"
                       "LAYERS = (2, text(b'all'))\n"
                       "CHOICE = (7, struct.pack('<I', 0) + text(b'id') + text(b't') + text(b'/k') + struct.pack('<I', 0) + text(b''))\n"
                       + worker_body)
        os.chmod(worker, 0o755)
        done = subprocess.run([os.path.join(folder, "pvhgrub"), "-q", f"--output={self.result_file}",
                               "--output-format=simple0", f"--output-directory={self.out}", *arguments, self.disk],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.contents(self.result_file), b"")
        self.assertEqual(os.listdir(self.out), [])
        return done

    def test_one_that_ends_without_a_word_is_an_error(self):
        self.assertIn(b"without a verdict", self.boot_with("").stderr)

    def test_one_that_dies_tells_how(self):
        # Process 1 of its namespace can kill itself by no signal but one that the kernel sends: here, for a bad address.
        body = "import ctypes, resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nctypes.string_at(0)\n"
        self.assertIn(b"SIGSEGV", self.boot_with(body).stderr)

    def test_one_that_speaks_nonsense_is_an_error(self):
        for body in ("os.write(3, os.urandom(100000))", "frame(*LAYERS); frame(99, b'')",
                     "os.write(3, struct.pack('<IHH', 0xFFFFFFFF, 11, 1))", "frame(*LAYERS); frame(*LAYERS)"):
            with self.subTest(body):
                self.assertEqual(self.boot_with(body).returncode, 1)

    def test_one_that_names_bytes_outside_the_disk_is_an_error(self):
        body = ("frame(*LAYERS); frame(*CHOICE); frame(8, struct.pack('<BQB', 0, 4096, 1), 1)\n"
                "frame(10, struct.pack('<IQQ', 0, 1 << 62, 4096), 1)\ntime.sleep(1)\n")
        self.assertIn(b"outside of its disk", self.boot_with(body).stderr)

    def test_one_that_hangs_meets_the_deadline(self):
        self.assertEqual(self.boot_with("time.sleep(100)\n", "--deadline=1").returncode, 6)


class Libxl(Fixture):
    """libxl's exact call: an existing result file, a directory of mode 0600, a raw pty without a size."""

    def call(self, *arguments, disk=None):
        os.chmod(self.out, 0o600)
        return self.call_on_pty(f"--output={self.result_file}", "--output-format=simple0",
                                f"--output-directory={self.out}", *arguments, disk or self.disk)

    def call_on_pty(self, *arguments):
        command = [PVHGRUB, *arguments]
        master, slave = pty.openpty()
        tty.setraw(slave)
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                   start_new_session=True, env={"TERM": "vt100", "PATH": os.environ["PATH"]})
        os.close(slave)
        output = b""
        while True:
            readable, _, _ = select.select([master], [], [], 60)
            self.assertTrue(readable, "the program hangs")
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        os.close(master)
        process.wait(timeout=30)
        return process.returncode, output, time.monotonic() - started

    def test_it_works_and_writes_the_record(self):
        status, output, _ = self.call()
        self.assertEqual(status, 0, output)
        record = self.contents(self.result_file)
        self.assertRegex(record.decode(), "\\Akernel [^\0]*\0ramdisk [^\0]*\0args [^\0]*\0\0\\Z")

    def test_its_lines_end_for_a_raw_terminal_and_the_last_says_why(self):
        status, output, _ = self.call("--entry=nothing")
        self.assertEqual(status, 4)
        self.assertTrue(output.endswith(b"\r\n"))
        self.assertNotRegex(output, rb"(?<!\r)\n")
        self.assertIn(b"nothing", output.strip().split(b"\r\n")[-1])

    def test_a_script_drives_no_terminal(self):
        path = os.path.join(self.base, "script")
        with open(path, "wb") as file:
            file.write(b"echo 'a\x1b[2Jb'\necho c\n")
        status, output, _ = self.call_on_pty(f"--eval={path}")
        self.assertEqual((status, output), (0, b"a\\x1b[2Jb\r\nc\r\n"))

    def test_runas_and_quiet_as_in_restricted_mode(self):
        if not IS_ROOT:
            self.skipTest("needs root")
        status, output, _ = self.call("--runas=65000", "--quiet")
        self.assertEqual(status, 0, output)

    def call_under_xl(self, *xl_arguments, console_after=None):
        command = [PVHGRUB, f"--output={self.result_file}", "--output-format=simple0",
                   f"--output-directory={self.out}", self.disk]
        environment = {"FAKE_XL_COMMAND": "\n".join(command)}
        if console_after is not None:
            environment["FAKE_XL_CONSOLE_AFTER"] = str(console_after)
        started = time.monotonic()
        done = subprocess.run([FAKE_XL, *xl_arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return time.monotonic() - started

    def test_under_create_with_console_it_stays_until_the_client_has_its_pty(self):
        elapsed = self.call_under_xl("create", "-c", "guest.cfg", console_after=1500)
        self.assertGreaterEqual(elapsed, 1.5)

    def test_under_create_with_console_it_ends_in_the_end_without_a_client(self):
        self.assertGreaterEqual(self.call_under_xl("create", "guest.cfg", "-qc"), 9.5)

    def test_plain_create_and_other_parents_do_not_wait(self):
        # Both are so far below the ten seconds of a wait that no busy machine can hide one.
        self.assertLess(self.call_under_xl("create", "guest.cfg"), 8)
        status, _, elapsed = self.call()
        self.assertEqual(status, 0)
        self.assertLess(elapsed, 8)


if __name__ == "__main__":
    unittest.main(verbosity=1)
