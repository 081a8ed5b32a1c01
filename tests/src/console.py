# SPDX-License-Identifier: LGPL-2.1-or-later
"""A person at a terminal: the real program on a pty, its screen as a terminal emulator that we did not write (pyte) shows
it."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import tty

import pyte

KEYS = {
    "up": "\x1bOA", "down": "\x1bOB", "right": "\x1bOC", "left": "\x1bOD", "home": "\x1b[1~", "end": "\x1b[4~",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "delete": "\x1b[3~", "esc": "\x1b", "enter": "\r", "tab": "\t",
    "backspace": "\x7f", "f2": "\x1bOQ", "f4": "\x1bOS", "f10": "\x1b[21~",
}
SECONDS = 30


class Console:
    def __init__(self, *command, term="vt100", rows=24, columns=80, size=True, raw=True, environment=None):
        """`size`: the pty is told its size; libxl's is not. `raw`: as libxl makes it."""
        self.master, slave = pty.openpty()
        if size:
            self.set_size(rows, columns)
        if raw:
            tty.setraw(slave)
        self.found_mode = termios.tcgetattr(slave)
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        if "UTF-8" not in (environment or {}).get("LANG", ""):
            self.stream.select_other_charset("@")  # as the terminal is: with the drawing characters of a VT100
        self.bytes = b""
        env = {"PATH": os.environ["PATH"], **(environment or {})}
        if term is not None:
            env["TERM"] = term
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env,
                                        preexec_fn=lambda: os.login_tty(slave) if hasattr(os, "login_tty")
                                        else _login_tty(slave), close_fds=True)
        self.slave = slave

    def set_size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.set_size(rows, columns)

    def feed(self, seconds):
        """Takes what comes for so long; False when nothing did."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            return False
        self.bytes += piece
        self.stream.feed(piece)
        return bool(piece)

    def settle(self, seconds=0.3):
        while self.feed(seconds):
            pass

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait_for(self, *wanted, gone=False):
        """Until all of that is on the screen (or, `gone`, none of it)."""
        end = time.monotonic() + SECONDS
        while any((text in self.text()) == gone for text in wanted):
            if time.monotonic() > end:
                raise AssertionError(f"{'still' if gone else 'never'} there: {wanted}\n{self.text()}")
            self.feed(0.1)
        return self

    def wait_until(self, condition, what):
        end = time.monotonic() + SECONDS
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"never: {what}\n{self.text()}")
            self.feed(0.1)
        return self

    def selected(self):
        """The entry that the menu marks."""
        for line in self.lines():
            text = line.lstrip("\u2502|").rstrip("\u2502|v^ ")
            if text.startswith("*"):
                return text[1:].rstrip(" >")
        return None

    def wait_selected(self, title):
        return self.wait_until(lambda: self.selected() == title, f"{title} selected")

    def press(self, *keys):
        for key in keys:
            if key.startswith("^") and len(key) == 2:
                data = bytes([ord(key[1].upper()) - 64])
            else:
                data = KEYS.get(key, key).encode()
            os.write(self.master, data)
        return self

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)
        return self

    def finish(self):
        """The exit status, everything that it wrote taken."""
        end = time.monotonic() + SECONDS
        while self.process.poll() is None:
            if time.monotonic() > end:
                self.process.kill()
                raise AssertionError("it did not end\n" + self.text())
            self.feed(0.1)
        self.settle(0.1)
        return self.process.returncode

    def signal(self, number):
        self.process.send_signal(number)

    def hang_up(self):
        os.close(self.master)
        self.master = None

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for descriptor in (self.master, self.slave):
            if descriptor is not None:
                try:
                    os.close(descriptor)
                except OSError:
                    pass
        self.master = self.slave = None


def _login_tty(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
