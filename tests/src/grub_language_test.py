#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boot configurations that try to never end, to nest without end, or to grow without end: the whole program says no in
little memory. What each took of a processor's time is printed, and not judged: the budget counts steps, not seconds."""
import os
import subprocess
import sys
import tempfile
import unittest
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from program_fixture import PVHGRUB, Fixture  # noqa: E402

LIMIT = 6  # the exit status of one that is hit (docs/pvhgrub.1, "EXIT STATUS")
NO_ENTRY = 4
PEAK_BYTES = 256 * 1048576


class Done:
    """A run of the program: its exit status, what it printed, and the peak of its or its worker's memory."""

    def __init__(self, arguments):
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen([PVHGRUB, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds = usage.ru_utime + usage.ru_stime
            process.returncode = self.status = os.waitstatus_to_exitcode(status)
            self.peak = usage.ru_maxrss * 1024
            output.seek(0)
            errors.seek(0)
            self.output, self.errors = output.read(), errors.read()


class Bounded(Fixture):
    def bounded(self, *arguments, status=LIMIT, says=b""):
        """The program ends with this status, names the reason, and has used little memory."""
        done = Done(arguments)
        shown = [argument if len(argument) < 60 else argument[:60] + "..." for argument in arguments]
        print(f"{self.id().split('.')[-1]}: {done.seconds:.2f} s of a processor, {done.peak >> 20} MiB, exit {done.status}: {' '.join(shown)}")
        self.assertEqual(done.status, status, done.errors[-2000:])
        self.assertIn(says, done.errors)
        self.assertLess(done.peak, PEAK_BYTES)
        return done

    def script(self, text):
        """A file of that text, or of lines that are made one by one: what this process holds counts as the child's peak."""
        path = os.path.join(self.base, "script")
        with open(path, "w", encoding="latin-1") as file:
            file.writelines([text] if isinstance(text, str) else text)
        return path

    def everywhere(self, text, **expected):
        """As a bare configuration, listed and booted; by --eval; in a guest."""
        path = self.script(text)
        self.bounded("--isconfig", "-l", path, **expected)
        self.bounded("--isconfig", "-q", path, **expected)
        self.bounded("--eval", path, **expected)
        self.boot_guest(text, **expected)

    def boot_guest(self, text, *arguments, files=(), **expected):
        disk = self.new_disk(text, files)
        with open(self.result_file, "wb"):
            pass
        done = self.bounded("-q", f"--output={self.result_file}", f"--output-directory={self.out}", *arguments, disk, **expected)
        self.assertEqual(self.contents(self.result_file), b"")
        self.assertEqual(os.listdir(self.out), [])
        return done

    def test_loops_without_end(self):
        self.everywhere("while true; do true; done\n", says=b"too many steps")
        self.bounded("--eval", self.script("function f { f; f; }\nf\n"))
        self.bounded("--eval", self.script("until false; do for i in 1 2 3; do set a=$i; done; done\n"))

    def test_an_entry_without_end(self):
        text = "menuentry a --id a {\n while true; do true; done\n}\nmenuentry b --id b {\n linux /boot/vmlinuz\n}\n"
        self.bounded("--isconfig", "-l", self.script(text))
        self.boot_guest(text)
        self.boot_guest("submenu s {\n while true; do true; done\n}\n")

    def test_a_file_that_sources_itself(self):
        for command in ("source", "configfile"):
            self.boot_guest(f"{command} /boot/grub/grub.cfg\n", status=NO_ENTRY, says=b"maximum recursion depth exceeded")
        # GRUB stops at its own depth, and goes on behind it: what was read on the way down is there.
        disk = self.new_disk("menuentry a {\n linux /boot/vmlinuz a\n}\nsource /boot/grub/grub.cfg\n")
        self.assertTrue(self.boot(disk=disk)["args"].endswith(" a"))

    def test_an_entry_that_leads_back_to_its_own_menu(self):
        self.boot_guest("menuentry a {\n configfile /boot/grub/grub.cfg\n}\n")

    def test_a_million_entries(self):
        path = self.script(f"menuentry {i} {{ linux /k }}\n" for i in range(1_000_000))
        self.assertGreater(self.bounded("--isconfig", "-l", path, says=b"menu entries").peak, 32 * 1048576)
        self.bounded("--isconfig", "-q", path)
        self.boot_guest("for i in 0 1 2 3 4 5 6 7 8 9; do\n" * 6 + "menuentry $i { linux /k }\n" + "done\n" * 6)

    def test_nesting_ten_thousand_deep(self):
        for begin, end in (("if true; then\n", "fi\n"), ("while true; do\n", "done\n"), ("a {\n", "}\n"),
                           ("submenu a {\n", "}\n"), ("menuentry a {\n", "}\n")):
            path = self.script(begin * 10_000 + "true\n" + end * 10_000)
            self.bounded("--isconfig", "-l", path)
            self.bounded("--isconfig", "-l", self.script(begin * 10_000))
        self.bounded("--eval", self.script("test " + "'(' " * 10_000 + "x" + " ')'" * 10_000 + "\n"))

    def test_submenus_that_are_made_as_they_are_opened(self):
        # A function is known in a submenu: each one opened holds another.
        path = self.script("function more {\n submenu again {\n  more\n }\n}\nmore\n")
        self.bounded("--isconfig", "-l", path, says=b"submenus nested deeper than")
        self.bounded("--isconfig", "-q", path, says=b"submenus nested deeper than")

    def test_variables_that_grow(self):
        self.everywhere("set a=x\n" + "set a=$a$a\n" * 100)
        self.bounded("--eval", self.script("set a=x\nwhile true; do set a=$a$a; done\n"))
        self.bounded("--eval", self.script("set n=1\nset b=" + "y" * 100_000 + "\nwhile true; do set n=x$n; set v$n=$b; done\n"))
        self.bounded("--eval", self.script("set a=" + "'x x x x '" * 2000 + "\nwhile true; do true $a $a $a $a; done\n"))

    def test_regular_expressions_that_grow(self):
        self.everywhere("if regexp '((((x{1,100}){1,100}){1,100}){1,100}){1,100}' xxxxxxxx; then echo; fi\n",
                        says=b"regular expression")
        self.bounded("--eval", self.script("while true; do regexp '(x+x+)+y' " + "x" * 200 + "; done\n"))
        self.bounded("--eval", self.script("while true; do regexp '((x|xx)*)*y' " + "x" * 4000 + "; done\n"))
        self.bounded("--eval", self.script("regexp '((x|xx)*)*y' " + "x" * 60_000 + "\n"))
        groups = "(.*)" * 9 + "\\9\\8\\7\\6\\5\\4\\3\\2\\1y"
        self.bounded("--eval", self.script(f"regexp '{groups}' " + "x" * 100 + "\n"))
        self.bounded("--eval", self.script(f"while true; do regexp '{groups}' " + "x" * 24 + "; done\n"))

    def test_printing_without_end(self):
        self.everywhere("while true; do echo never; done\n")
        self.bounded("--isconfig", "--explain", self.script("while true; do echo never; done\n"))
        self.bounded("--eval", self.script("while true; do echo -n " + "x" * 60_000 + "; done\n"))
        self.bounded("--isconfig", self.script("set a=" + "x" * 1_000_000 + "\nwhile true; do set; done\n"))
        self.bounded("--isconfig", self.script("while true; do nosuch; done\n"))
        self.boot_guest("while true; do cat /boot/initrd.img; done\n")
        self.boot_guest("while true; do ls /boot; done\n", "--explain")

    def test_hashing_and_comparing_without_end(self):
        for command in ("sha512sum /boot/initrd.img", "md5sum /boot/empty", "crc --hash crc32 /boot/vmlinuz",
                        "cmp /boot/initrd.img /boot/initrd.img", "hexdump /boot/initrd.img"):
            self.boot_guest(f"while true; do {command}; done\n", files=[("/boot/empty", b"")])


if __name__ == "__main__":
    unittest.main()
