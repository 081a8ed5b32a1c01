#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The boot menu of the real program, on a pty, key by key."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import console
except ModuleNotFoundError as missing:
    print(f"skipped: no {missing.name} (package python3-pyte)")
    sys.exit(77)

import guest_image
import kernel_images
from program_fixture import PVHGRUB

ENTRIES = """\
set timeout={timeout}
{more}
menuentry 'First Linux' --id first {{
  set note=one
  linux /boot/vmlinuz root=/dev/one ro quiet
  initrd /boot/initrd.img
}}
menuentry 'Second Linux' --id second --hotkey s {{
  linux /boot/vmlinuz root=/dev/two ro $asked
}}
submenu 'More of them' --id more {{
  menuentry 'Inner Linux' --id inner {{
    linux /boot/vmlinuz root=/dev/inner
  }}
  submenu 'Deeper' {{
    menuentry 'Deep Linux' {{ linux /boot/vmlinuz root=/dev/deep }}
  }}
}}
menuentry 'No such kernel' {{
  linux /boot/not-there
}}
menuentry 'Other loader' {{
  chainloader /boot/memtest.efi
}}
"""


def configuration(timeout=-1, more=""):
    return ENTRIES.format(timeout=timeout, more=more)


class MenuTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="pm.")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.base)

    kernel = kernel_images.linux(how="gzip")[0]

    def setUp(self):
        self.out = tempfile.mkdtemp(dir=self.base)
        self.record = os.path.join(self.base, "result")
        with open(self.record, "wb"):
            pass

    def disk(self, grub_cfg, files=(), **options):
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        tree.write("/boot/grub/grub.cfg", grub_cfg if isinstance(grub_cfg, bytes) else grub_cfg.encode())
        for name, contents in files:
            tree.write(name, contents)
        return self.image(tree, **options)

    def image(self, tree, **options):
        tree.write("/boot/vmlinuz", self.kernel)
        descriptor, path = tempfile.mkstemp(dir=self.base, prefix="d", suffix=".img")
        os.close(descriptor)
        guest_image.make_disk(path, tree.path, **options)
        return path

    def start(self, disk, *arguments, **options):
        opened = console.Console(PVHGRUB, f"--output={self.record}", "--output-format=simple0",
                                 f"--output-directory={self.out}", *arguments, disk, **options)
        self.addCleanup(opened.close)
        return opened

    def menu(self, timeout=-1, more="", arguments=(), **options):
        return self.start(self.disk(configuration(timeout, more)), *arguments, **options)

    def booted(self, opened):
        """The command line that was handed over."""
        status = opened.finish()
        self.assertEqual(status, 0, opened.text())
        with open(self.record, "rb") as file:
            items = dict(item.split(b" ", 1) for item in file.read().rstrip(b"\0").split(b"\0"))
        return items[b"args"].decode()

    def refused(self, opened):
        self.assertNotEqual(opened.finish(), 0)
        self.assertEqual(os.listdir(self.out), [])
        with open(self.record, "rb") as file:
            self.assertEqual(file.read(), b"")

    # --- The menu

    def test_enter_boots_what_is_selected(self):
        opened = self.menu().wait_for("First Linux", "More of them >").press("down").wait_selected("Second Linux")
        opened.press("enter")
        self.assertIn("root=/dev/two", self.booted(opened))

    def test_the_head_tells_the_disk_and_the_configuration(self):
        opened = self.menu()
        opened.wait_for(".img: (hd0", "/boot/grub/grub.cfg (grub2)")

    def test_the_details_tell_what_the_selected_entry_would_boot(self):
        opened = self.menu().wait_for("Kernel", "/boot/vmlinuz", "/boot/initrd.img", "root=/dev/one ro quiet")
        opened.wait_for("Boot ", "since")
        opened.press("down").wait_for("root=/dev/two")
        opened.press("end", "up").wait_for("Problem", "not-there")

    def test_a_submenu_is_gone_into_and_left(self):
        opened = self.menu().wait_for("First Linux").press("end", "up", "up").wait_selected("More of them")
        opened.press("enter").wait_for("> More of them", "Inner Linux", "Deeper >")
        opened.press("down", "right").wait_for("> More of them > Deeper", "Deep Linux")
        opened.press("esc").wait_selected("Deeper")
        opened.press("esc").wait_selected("More of them")
        opened.press("esc").press("enter").wait_selected("Inner Linux").press("enter")
        self.assertEqual(self.booted(opened), "BOOT_IMAGE=/boot/vmlinuz root=/dev/inner")

    def test_keys_of_emacs_move_as_in_grub(self):
        opened = self.menu().wait_selected("First Linux")
        for keys, title in ((("^n",), "Second Linux"), (("^p",), "First Linux"), (("^e",), "Other loader"),
                            (("^a",), "First Linux"), (("v",), "Second Linux"), (("\x5e",), "First Linux"),
                            (("end",), "Other loader"), (("home",), "First Linux"),
                            (("pagedown",), "Other loader"), (("pageup",), "First Linux"),
                            (("^c",), "Other loader"), (("^g",), "First Linux")):
            opened.press(*keys).wait_selected(title)

    def test_both_forms_of_the_cursor_keys_are_known(self):
        opened = self.menu().wait_selected("First Linux")
        opened.type("\x1b[B").wait_selected("Second Linux")
        opened.type("\x1bOB").wait_selected("More of them")

    def test_a_hundred_entries_scroll(self):
        entries = "".join(f"menuentry 'Number {i}' {{ linux /boot/vmlinuz n={i} }}\n" for i in range(100))
        opened = self.start(self.disk("set timeout=-1\n" + entries)).wait_selected("Number 0")
        opened.press("end").wait_selected("Number 99").press("pageup")
        opened.wait_until(lambda: opened.selected() not in (None, "Number 99"), "a page up")
        opened.press("home").wait_selected("Number 0")
        for i in range(1, 31):
            opened.press("down").wait_selected(f"Number {i}")
        opened.press("enter")
        self.assertIn("n=30", self.booted(opened))

    def test_a_hotkey_boots_its_entry(self):
        opened = self.menu().wait_for("First Linux").press("s")
        self.assertIn("root=/dev/two", self.booted(opened))

    def test_an_entry_that_cannot_be_booted_says_so_and_the_menu_comes_back(self):
        opened = self.menu().wait_for("First Linux").press("end", "up").wait_selected("No such kernel")
        opened.press("enter").wait_for("not-there", "Press any key")
        opened.press("x").wait_selected("No such kernel")
        opened.press("end", "enter").wait_for("Press any key", "EFI program").press("x")
        opened.wait_selected("Other loader").press("home", "enter")
        self.assertIn("root=/dev/one", self.booted(opened))

    def test_a_kernel_that_xen_cannot_start_brings_the_menu_back(self):
        cfg = configuration(-1) + "menuentry 'Not a kernel' { linux /boot/text }\n"
        disk = self.disk(cfg, [("/boot/text", b"no kernel at all\n" * 1000)])
        opened = self.start(disk, "--guest-type=pvh").wait_for("First Linux").press("end")
        opened.wait_selected("Not a kernel").press("enter").wait_for("Press any key", "/boot/text")
        opened.press("enter").wait_selected("Not a kernel").press("q").wait_for("Boot nothing?").press("y")
        self.refused(opened)

    def test_q_gives_up_only_when_it_is_meant(self):
        opened = self.menu().wait_for("First Linux").press("q").wait_for("Boot nothing?").press("n")
        opened.wait_for("First Linux").press("q").wait_for("Boot nothing?").press("y")
        self.refused(opened)
        self.assertIn("given up at the menu", opened.text())

    # --- Time

    def test_the_seconds_tick_and_the_default_boots(self):
        opened = self.menu(timeout=2, more="set default=second").wait_for("boots in")
        self.assertEqual(opened.selected(), "Second Linux")
        self.assertIn("root=/dev/two", self.booted(opened))

    def test_any_key_stops_the_seconds(self):
        opened = self.menu(timeout=2).wait_for("boots in").press("x").wait_for("boots in", gone=True)
        time.sleep(2.5)
        opened.settle(0.1)
        opened.wait_selected("First Linux").press("enter")
        self.assertIn("root=/dev/one", self.booted(opened))

    def test_no_seconds_at_all_boot_without_a_menu(self):
        opened = self.menu(timeout=0)
        self.assertIn("root=/dev/one", self.booted(opened))
        self.assertNotIn("Second Linux", opened.bytes.decode(errors="replace"))

    def test_a_hidden_menu_comes_by_escape(self):
        for key in ("esc", "f4"):
            opened = self.menu(timeout=20, more="set timeout_style=hidden")
            opened.settle(1)
            self.assertNotIn("Linux", opened.text())
            opened.press(key).wait_selected("First Linux")
            opened.close()

    def test_a_hidden_menu_knows_hotkeys(self):
        opened = self.menu(timeout=20, more="set timeout_style=hidden")
        opened.settle(1)
        opened.press("s")
        self.assertIn("root=/dev/two", self.booted(opened))

    def test_a_countdown_shows_the_seconds_alone(self):
        opened = self.menu(timeout=2, more="set timeout_style=countdown").wait_for("boots in", "Esc")
        self.assertNotIn("First Linux", opened.text())
        self.assertIn("root=/dev/one", self.booted(opened))

    def test_fallback_takes_over_when_the_default_cannot_be_booted(self):
        opened = self.menu(timeout=1, more="set default=3\nset fallback=1")
        self.assertIn("root=/dev/two", self.booted(opened))
        self.assertIn("falling back", opened.bytes.decode(errors="replace"))

    def test_no_time_runs_out_while_a_person_is_at_the_menu(self):
        opened = self.menu(arguments=("--deadline=3",)).wait_for("First Linux").press("down")
        time.sleep(4)
        opened.press("enter")
        self.assertIn("root=/dev/two", self.booted(opened))

    def test_the_menu_s_own_seconds_are_no_time_that_runs_out(self):
        opened = self.menu(timeout=4, arguments=("--deadline=3",))
        self.assertIn("root=/dev/one", self.booted(opened))

    def test_a_menu_that_nobody_touches_does_not_hold_the_host_up(self):
        opened = self.menu(arguments=("--deadline=2",)).wait_for("First Linux")
        self.refused(opened)
        self.assertIn("nobody touched a key", opened.text().replace("\n", " "))

    def test_a_guest_that_hides_its_menu_by_its_environment_block_is_obeyed(self):
        more = ("load_env\nif [ \"${menu_auto_hide}\" = 1 -a \"${boot_success}\" = 1 ]; then\n"
                "  set timeout_style=hidden\n  set timeout=1\nfi\n")
        block = b"# GRUB Environment Block\nmenu_auto_hide=1\nboot_success=1\n"
        disk = self.disk(configuration(60, more), [("/boot/grub/grubenv", block.ljust(1024, b"#"))])
        opened = self.start(disk)
        self.assertIn("root=/dev/one", self.booted(opened))
        self.assertNotIn("Second Linux", opened.bytes.decode(errors="replace"))

    # --- The editor

    def test_an_edited_entry_boots_as_edited(self):
        for boot in ("f10", "^x"):
            opened = self.menu().wait_for("First Linux").press("e").wait_for("Editing: First Linux", "set note=one")
            opened.press("down", "end").type(" added=here").wait_for("quiet added=here").press(boot)
            self.assertIn("root=/dev/one ro quiet added=here", self.booted(opened))

    def test_keys_of_the_editor(self):
        opened = self.menu().wait_for("First Linux").press("e").wait_for("set note=one")
        opened.press("^k", "^k").wait_for("set note=one", gone=True)  # the text, then the line itself
        opened.press("^e").type(" X").wait_for("quiet X").press("backspace", "backspace").wait_for("quiet X", gone=True)
        opened.press("^a", "^o").press("^d")  # a line above, and away again
        opened.press("^u").press("^e", "^u").wait_for("root=/dev/one", gone=True)
        opened.press("^y").wait_for("root=/dev/one")
        opened.press("enter").type("set inserted=1").press("up", "home", "delete", "delete")
        opened.press("^l").wait_for("set inserted=1")
        opened.press("esc").wait_for("More of them >")
        opened.press("enter")
        self.assertIn("root=/dev/one ro quiet", self.booted(opened))

    def test_what_is_wrong_in_an_edited_entry_is_told_and_can_be_mended(self):
        opened = self.menu().wait_for("First Linux").press("e").wait_for("set note=one").press("down", "^k")
        opened.type("linux /boot/nothing").press("f10").wait_for("nothing", "Press any key").press("x")
        opened.wait_for("Editing: First Linux", "linux /boot/nothing").press("^u").type("linux /boot/vmlinuz again")
        opened.press("f10")
        self.assertIn("again", self.booted(opened))

    def test_tab_completes_in_the_editor(self):
        opened = self.menu().wait_for("First Linux").press("e").wait_for("set note=one").press("down", "^k")
        opened.type("linux /boot/vml").press("tab").wait_for("linux /boot/vmlinuz").press("f10")
        self.booted(opened)

    def test_the_editor_leads_to_the_command_line_and_back(self):
        for key in ("f2", "^c"):
            opened = self.menu().wait_for("First Linux").press("e").wait_for("set note=one").press(key)
            opened.wait_for("grub>").press("esc").wait_for("Editing: First Linux").press("esc")
            opened.wait_selected("First Linux")
            opened.close()

    def test_long_lines_are_seen_whole(self):
        cfg = "set timeout=-1\nmenuentry 'Long' {\n  linux /boot/vmlinuz " + " ".join(
            f"word{i}" for i in range(60)) + "\n}\n"
        opened = self.start(self.disk(cfg)).wait_for("Long").press("e").wait_for("word0 ", "\\")
        self.assertIn("word59", opened.text().replace("\\\n", "").replace("\n", ""))
        opened.press("end").type(" tail").wait_for("tail").press("f10")
        self.assertTrue(self.booted(opened).endswith("word59 tail"))

    def test_a_edits_the_command_line_alone(self):
        opened = self.menu().wait_for("First Linux").press("a").wait_for("for this boot", "quiet")
        opened.type(" single").press("enter")
        self.assertTrue(self.booted(opened).endswith("root=/dev/one ro quiet single"))

    def test_a_leaves_the_entry_alone_on_escape(self):
        opened = self.menu().wait_for("First Linux").press("a").wait_for("for this boot").type(" single").press("esc")
        opened.wait_selected("First Linux").press("enter")
        self.assertTrue(self.booted(opened).endswith("quiet"))

    # --- The command line

    def prompt(self, **options):
        return self.menu(**options).wait_for("First Linux").press("c").wait_for("grub>")

    def test_commands_run_and_boot(self):
        opened = self.prompt().type("ls /boot\r").wait_for("vmlinuz", "grub/").type("set\r").wait_for("prefix=(hd0")
        opened.type("echo hello\r").wait_for("\nhello").type("cat /boot/grub/grub.cfg\r").wait_for("menuentry 'Other loader'")
        opened.type("linux /boot/vmlinuz by=hand\r").type("initrd /boot/initrd.img\r").type("boot\r")
        self.assertIn("by=hand", self.booted(opened))
        self.assertEqual(len(os.listdir(self.out)), 2)

    def test_errors_are_told_as_grub_does(self):
        opened = self.prompt().type("frobnicate\r").wait_for("error: can't find command `frobnicate'.")
        opened.type("linux /nothing\r").wait_for("error: file `/nothing' not found.").type("boot\r")
        opened.wait_for("error: ")
        opened.press("esc").wait_selected("First Linux")

    def test_a_statement_of_several_lines_is_asked_for(self):
        opened = self.prompt().type("if true; then\r").wait_for("\n>").type("echo inside\r").type("fi\r")
        opened.wait_for("\ninside")

    def test_the_history_comes_back(self):
        opened = self.prompt().type("echo one\r").type("echo two\r").wait_for("\ntwo")
        opened.press("up", "up").wait_for("grub> echo one\n").press("^n").press("enter")
        opened.wait_until(lambda: opened.text().count("\ntwo") == 2, "two, twice")

    def test_tab_completes_commands_devices_and_files(self):
        opened = self.prompt().type("sea").press("tab").wait_for("grub> search")
        opened.press("^u").type("ls (hd").press("tab").wait_for("ls (hd0").press("^u")
        opened.type("cat /boot/gr").press("tab").wait_for("/boot/grub/")

    def test_normal_and_exit_lead_back(self):
        for word in ("normal_exit", "exit"):
            opened = self.prompt().type(word + "\r").wait_selected("First Linux")
            opened.close()

    def test_what_is_set_there_counts_in_the_menu(self):
        opened = self.prompt().type("set asked=yes\r").press("esc").wait_selected("First Linux").press("down", "enter")
        self.assertTrue(self.booted(opened).endswith("ro yes"))

    def test_another_configuration_becomes_a_menu(self):
        disk = self.disk(configuration(), [("/other.cfg", b"menuentry 'Elsewhere' { linux /boot/vmlinuz other }\n")])
        opened = self.start(disk).wait_for("First Linux").press("c").wait_for("grub>").type("configfile /other.cfg\r")
        opened.wait_selected("Elsewhere").press("esc").wait_selected("First Linux").press("c")
        opened.wait_for("grub>").type("configfile /other.cfg\r").wait_selected("Elsewhere").press("enter")
        self.assertIn("other", self.booted(opened))

    def test_help_lists_commands(self):
        self.prompt().type("help linux\r").wait_for("linux").type("help\r").wait_for("search")

    def test_reboot_is_the_toolstack_s(self):
        self.prompt().type("reboot\r").wait_for("toolstack")

    # --- Passwords

    LOCKED = "set superusers=root\npassword root secret\npassword guest word\n"

    def test_editing_needs_a_superuser(self):
        opened = self.menu(more=self.LOCKED).wait_for("First Linux", "logging in")
        self.assertNotIn("root=/dev/one", opened.text())
        opened.press("e").wait_for("User name:").type("root\r").wait_for("Password:").type("wrong\r")
        opened.wait_for("access denied").press("x").wait_for("First Linux").press("e").wait_for("User name:")
        opened.type("root\r").wait_for("Password:").type("secret\r").wait_for("Editing: First Linux")
        self.assertNotIn("secret", opened.bytes.decode(errors="replace"))
        opened.press("esc").wait_for("First Linux").press("c").wait_for("grub>")

    def test_the_command_line_is_locked_too(self):
        opened = self.menu(more=self.LOCKED).wait_for("First Linux").press("c").wait_for("User name:").press("esc")
        opened.wait_for("First Linux").press("a").wait_for("User name:").type("guest\r").wait_for("Password:").type("word\r")
        opened.wait_for("may not edit")

    def test_a_restricted_entry_asks_and_an_unrestricted_does_not(self):
        cfg = ("set timeout=-1\nset superusers=root\npassword root secret\npassword guest word\n"
               "menuentry 'Free' --unrestricted { linux /boot/vmlinuz free }\n"
               "menuentry 'Guests' --users guest { linux /boot/vmlinuz guests }\n"
               "menuentry 'Locked' { linux /boot/vmlinuz locked }\n")
        opened = self.start(self.disk(cfg)).wait_selected("Free").press("enter")
        self.assertIn("free", self.booted(opened))
        opened = self.start(self.disk(cfg)).wait_selected("Free").press("end", "enter").wait_for("User name:")
        opened.type("guest\r").wait_for("Password:").type("word\r").wait_for("may not boot").press("x")
        opened.wait_selected("Locked").press("up", "enter")
        self.assertIn("guests", self.booted(opened))

    def test_a_locked_default_asks_when_the_time_is_over(self):
        opened = self.menu(timeout=1, more=self.LOCKED).wait_for("User name:").type("root\r").wait_for("Password:")
        opened.type("secret\r")
        self.assertIn("root=/dev/one", self.booted(opened))

    def test_guessing_passwords_ends(self):
        opened = self.menu(more=self.LOCKED).wait_for("First Linux")
        for _ in range(10):
            opened.press("c").wait_for("User name:").type("root\r").wait_for("Password:").type("no\r")
            opened.wait_for("access denied").press("x").wait_for("First Linux")
        opened.press("c").wait_for("User name:").type("root\r").wait_for("Password:").type("secret\r")
        opened.wait_for("too many")

    def test_a_pbkdf2_password_is_checked(self):
        tool = shutil.which("grub-mkpasswd-pbkdf2")
        if tool is None:
            self.skipTest("no grub-mkpasswd-pbkdf2 (package grub-common)")
        done = subprocess.run([tool, "-c", "1000"], input=b"secret\nsecret\n", capture_output=True, check=True)
        secret = done.stdout.split()[-1].decode()
        opened = self.menu(more=f"set superusers=root\npassword_pbkdf2 root {secret}\n").wait_for("First Linux")
        opened.press("e").wait_for("User name:").type("root\r").wait_for("Password:").type("secret\r")
        opened.wait_for("Editing: First Linux")

    # --- Terminals

    def test_terminals_of_all_kinds(self):
        for term in ("vt100", "linux", "xterm-256color", "screen", "vt220"):
            for environment in ({}, {"LANG": "C.UTF-8"}):
                with self.subTest(term=term, environment=environment):
                    opened = self.menu(term=term, environment=environment).wait_selected("First Linux")
                    opened.press("down").wait_selected("Second Linux").press("enter")
                    self.booted(opened)

    def test_without_utf8_nothing_but_ascii_is_sent(self):
        opened = self.start(self.disk(configuration(-1).replace("First", "Erst\u00e9s"))).wait_for("\\xc3\\xa9")
        self.assertTrue(all(byte < 0x80 for byte in opened.bytes))
        opened = self.start(self.disk(configuration(-1).replace("First", "Erst\u00e9s")),
                            environment={"LANG": "de_DE.UTF-8"}, term="xterm").wait_for("Erst\u00e9s", "\u2502")

    def test_no_colour_is_ever_set(self):
        for term in ("vt100", "xterm-256color", "linux"):
            opened = self.menu(term=term).wait_selected("First Linux")
            for number in range(30, 50):
                self.assertNotIn(b"\x1b[%dm" % number, opened.bytes)
            opened.close()

    def test_a_terminal_without_a_cursor_gets_numbers(self):
        for term in ("dumb", "unknown", "no-such-terminal"):
            with self.subTest(term=term):
                opened = self.menu(term=term).wait_for("* 0  First Linux", "2  More of them >", "Entry?")
                self.assertNotIn(b"\x1b", opened.bytes)
                opened.type("2\r").wait_for("0  Inner Linux").type("b\r").wait_for("4  Other loader").type("1\r")
                self.assertIn("root=/dev/two", self.booted(opened))

    def test_numbers_have_seconds_arguments_and_commands_too(self):
        opened = self.menu(term="dumb", timeout=2).wait_for("boots in")
        self.assertIn("root=/dev/one", self.booted(opened))
        opened = self.menu(term="dumb").wait_for("Entry?").type("a 0\r").wait_for("Command line:").type(" more\r")
        self.assertTrue(self.booted(opened).endswith("quiet more"))
        opened = self.menu(term="dumb").wait_for("Entry?").type("c\r").wait_for("grub>").type("echo hello\r")
        opened.wait_for("\nhello").type("linux /boot/vmlinuz typed\r").type("boot\r")
        self.assertIn("typed", self.booted(opened))

    def test_an_unset_terminal_is_a_vt100(self):
        self.menu(term=None).wait_selected("First Linux")

    def test_a_window_without_a_size_is_24_by_80(self):
        self.menu(size=False).wait_selected("First Linux").wait_for("boot nothing")

    def test_a_small_window_still_serves(self):
        for rows, columns in ((5, 20), (1, 10), (3, 40), (8, 24)):
            with self.subTest(rows=rows, columns=columns):
                opened = self.menu(rows=rows, columns=columns).wait_for("*First"[:columns - 2])
                opened.press("e")
                opened.settle(0.5)
                opened.press("esc", "down")
                opened.settle(0.5)
                opened.press("enter")
                self.assertIn("root=/dev/two", self.booted(opened))

    def test_another_size_is_taken_up(self):
        opened = self.menu().wait_for("boot nothing")
        opened.resize(10, 40)
        opened.wait_until(lambda: len(opened.lines()) == 10 and "boot nothing" not in opened.text()
                          and opened.selected() == "First Linux", "the small size")
        opened.resize(30, 100)
        opened.wait_for("Kernel", "boot nothing").press("enter")
        self.booted(opened)

    def test_guest_text_cannot_drive_the_terminal(self):
        cfg = (b"set timeout=-1\nmenuentry 'Evil\x1b]0;title\x07\x9b31m\xff \xe2\x80\xaeback' {\n"
               b"  linux /boot/vmlinuz 'esc\x1b[2J'\n}\n")
        opened = self.start(self.disk(cfg), environment={"LANG": "C.UTF-8"})
        opened.wait_for("Evil\\x1b]0;title\\x07\\x9b31m\\xff \\xe2\\x80\\xaeback", "esc\\x1b[2J")
        self.assertNotIn(b"\x1b]0", opened.bytes)
        self.assertNotIn(b"\x9b", opened.bytes)
        opened.press("e").wait_for("esc\\x1b[2J")
        self.assertNotIn(b"esc\x1b[2J", opened.bytes)

    def test_texts_of_megabytes_do_not_end_the_menu(self):
        cfg = "set timeout=-1\n" + configuration(-1) + "menuentry '" + "T" * 900_000 + "' { linux /boot/vmlinuz long }\n"
        disk = self.disk(cfg, [("/boot/line", b"z" * 4_000_000)])
        for term, ready in (("vt100", "First Linux"), ("dumb", "Entry?")):
            opened = self.start(disk, term=term).wait_for(ready).type("c" if term == "vt100" else "c\r").wait_for("grub>")
            opened.type("cat /boot/line\r").wait_for("zzzz").wait_for("grub>")
            opened.press("esc").wait_for(ready)
            opened.type("\r") if term == "vt100" else opened.type("0\r")
            self.assertIn("root=/dev/one", self.booted(opened))

    # --- Beginning and end

    def test_quiet_entry_and_no_terminal_ask_nobody(self):
        for arguments in (("-q",), ("--entry=first",)):
            opened = self.menu(arguments=arguments)
            self.assertIn("root=/dev/one", self.booted(opened))
            self.assertEqual(opened.text().strip(), "")
        done = subprocess.run([PVHGRUB, "--output-format=simple", f"--output-directory={self.out}",
                               self.disk(configuration())], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_in_the_background_of_a_shell_nobody_is_asked(self):
        command = f"set -m; {PVHGRUB} --output={self.record} --output-directory={self.out} {self.disk(configuration())} & wait"
        opened = console.Console("/bin/sh", "-c", command, raw=False)
        self.addCleanup(opened.close)
        self.assertEqual(opened.finish(), 0)
        self.assertNotIn("Second Linux", opened.text())

    def test_interactive_without_a_terminal_is_an_error(self):
        done = subprocess.run([PVHGRUB, "-i", self.disk(configuration())], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"terminal", done.stderr)

    def test_a_confined_menu_may_run_as_any_user(self):
        if os.getuid() != 0:
            self.skipTest("needs root")
        opened = self.menu(arguments=("--runas=12345",)).wait_for("First Linux").press("enter")
        self.booted(opened)

    def test_the_terminal_is_left_as_it_was_found_and_empty(self):
        for raw in (True, False):
            opened = self.menu(raw=raw).wait_for("First Linux").press("enter")
            self.booted(opened)
            import termios
            self.assertEqual(termios.tcgetattr(opened.slave), opened.found_mode)
            self.assertEqual(opened.text().strip(), "")
            self.assertEqual((opened.screen.cursor.x, opened.screen.cursor.y), (0, 0))
            self.assertFalse(opened.screen.cursor.hidden)

    def test_copying_shows_how_far_it_is(self):
        big = b"\x01" * (64 << 20)
        disk = self.disk(configuration().replace("initrd /boot/initrd.img", "initrd /boot/big.img"), [("/boot/big.img", big)], size_mib=140,
                         fs_mib=130)
        opened = self.start(disk).wait_for("First Linux").press("enter")
        self.booted(opened)
        self.assertRegex(opened.bytes.decode(errors="replace"), r"Loading .*[0-9.]+ MiB")

    def test_a_signal_or_a_closed_console_ends_it_with_nothing_left(self):
        for end in (signal.SIGTERM, signal.SIGHUP, None):
            with self.subTest(end=end):
                opened = self.menu().wait_for("First Linux")
                started = time.monotonic()
                if end is None:
                    opened.hang_up()
                else:
                    opened.signal(end)
                opened.process.wait(timeout=10)
                print(f"ended after {(time.monotonic() - started) * 1000:.0f} ms", file=sys.stderr)
                self.assertNotEqual(opened.process.returncode, 0)
                self.assertEqual(os.listdir(self.out), [])
                if end is not None:
                    import termios
                    self.assertEqual(termios.tcgetattr(opened.slave), opened.found_mode)

    def test_other_syntaxes_have_the_same_menu(self):
        tree = guest_image.GuestTree()
        self.addCleanup(tree.remove)
        os.unlink(tree.path + "/boot/grub/grub.cfg")
        tree.write("/boot/extlinux/extlinux.conf",
                   b"TIMEOUT 0\nPROMPT 1\nDEFAULT one\nLABEL one\n MENU LABEL One of them\n LINUX /boot/vmlinuz\n"
                   b" APPEND root=/dev/ext \"two words\"\nLABEL two\n LINUX /boot/vmlinuz\n APPEND second\n")
        opened = self.start(self.image(tree)).wait_for("One of them", "extlinux.conf")
        opened.press("e").wait_for("linux (hd0", "root=/dev/ext").press("end").type(" more").press("f10")
        self.assertIn("root=/dev/ext \"two words\" more", self.booted(opened))


if __name__ == "__main__":
    unittest.main(verbosity=2)
