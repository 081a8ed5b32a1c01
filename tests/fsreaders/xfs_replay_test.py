#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""XFS images copied while the kernel has them mounted and writes to them: what is read of a copy, its log replayed in
memory, must be what the kernel reads of it after its own replay. Needs root and the kernel's driver.
   xfs_replay_test.py [ROUNDS [SEED]]     more rounds than a test run has time for"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

import conformance

PATH = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}
ROUNDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 3
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1
# Options of mkfs.xfs and of mount. A log of 8 MiB comes round within some rounds.
VARIANTS = [
    ("", ""),
    ("--unsupported -l size=8m", "logbsize=256k"),
    ("--unsupported -m rmapbt=1 -l size=16m -b size=1024 -i nrext64=1", "logbsize=32k"),
    ("-m reflink=0,bigtime=0,finobt=0,inobtcount=0 -i size=1024 -n size=16384 -l su=64k", ""),
]


def run(*command):
    return subprocess.run(command, env=PATH, capture_output=True, text=True)


def fsync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class Guest:
    """Changes a mounted file system at random, the same way for one seed."""

    def __init__(self, root, seed):
        self.root = root
        self.random = random.Random(seed)
        self.files = []
        self.number = 0

    def fresh(self, kind):
        self.number += 1
        return f"{self.root}/{kind}{self.number}"

    def overwrite(self, path, times, size):
        with open(path, "r+b") as file:
            for _ in range(times):
                file.seek(self.random.randrange(400_000))
                file.write(self.random.randbytes(self.random.randrange(5000)))
            file.truncate(max(size, 1))

    def work(self):
        pick = self.random.randrange
        kind = pick(14)
        if kind < 5 or not self.files:
            folder = f"{self.root}/d{pick(30)}"
            os.makedirs(folder, exist_ok=True)
            self.number += 1
            path = f"{folder}/f{self.number}" + "x" * pick(60)
            with open(path, "wb") as file:
                file.write(self.random.randbytes(pick(60_000)))
            self.files.append(path)
        elif kind < 7:
            os.remove(self.files.pop(pick(len(self.files))))
        elif kind == 7:
            index = pick(len(self.files))
            to = self.fresh("r")
            os.rename(self.files[index], to)
            self.files[index] = to
        elif kind == 8:
            os.truncate(self.random.choice(self.files), pick(200_000))
        elif kind == 9:
            self.overwrite(self.random.choice(self.files), pick(30), pick(500_000))
        elif kind == 10:
            os.symlink("y" * (1 + pick(1000)), self.fresh("l"))
        elif kind == 11:  # blocks that two files share, then no longer
            to = self.fresh("c")
            run("cp", "--reflink=auto", self.random.choice(self.files), to)
            self.files.append(to)
            self.overwrite(to, 2, 100_000)
            fsync(to)
        elif kind == 12:  # directories that grow and are removed: freed blocks
            folder = self.fresh("m")
            os.mkdir(folder)
            for i in range(pick(300)):
                with open(f"{folder}/{i}" + "z" * pick(80), "wb") as file:
                    file.write(b"q")
            if pick(2):
                shutil.rmtree(folder)
        else:  # reserved blocks that were never written
            with open(self.random.choice(self.files), "r+b") as file:
                os.posix_fallocate(file.fileno(), pick(300_000), 1 + pick(100_000))


@unittest.skipUnless(shutil.which("mkfs.xfs", path=PATH["PATH"]), "skipped: mkfs.xfs is missing (package xfsprogs)")
@unittest.skipUnless(os.geteuid() == 0, "skipped: mounting needs root")
class XfsReplay(unittest.TestCase):
    def compare(self, copy, where):
        """True where the log had to be replayed."""
        done = subprocess.run([conformance.READ_TREE, "hd0", copy], capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        ours = done.stdout.decode("utf-8", "surrogateescape").split("\n")[1:-1]
        mounted = run("mount", "-t", "xfs", "-o", "loop,nouuid", copy, where)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            expected = conformance.expected(where)
        finally:
            subprocess.run(["umount", where], env=PATH, check=True)
        missing, wrong = sorted(set(expected) - set(ours)), sorted(set(ours) - set(expected))
        self.assertEqual((missing[:3], wrong[:3]), ([], []), f"{len(missing)} missing, {len(wrong)} wrong lines")
        return b"replayed in memory" in done.stderr

    def rounds(self, base, make, options):
        image, live, after = (os.path.join(base, name) for name in ("image", "live", "after"))
        os.mkdir(live)
        os.mkdir(after)
        with open(image, "wb") as file:
            file.truncate(512 << 20)
        made = run("mkfs.xfs", "-q", "-f", *make.split(), image)
        self.assertEqual(made.returncode, 0, made.stderr)
        if run("mount", "-t", "xfs", "-o", "loop" + ("," + options if options else ""), image, live).returncode:
            self.skipTest("skipped: cannot mount XFS here")
        replayed = 0
        try:
            guest = Guest(live, SEED)
            for number in range(ROUNDS):
                for _ in range(guest.random.randrange(50, 200)):
                    guest.work()
                fsync(guest.random.choice(guest.files))
                for _ in range(guest.random.randrange(30)):
                    guest.work()
                with self.subTest(make=make, round=number):
                    # A name of its own: a loop device may write the rest of the last one after its umount.
                    copy = os.path.join(base, f"copy{number}")
                    shutil.copyfile(image, copy)
                    replayed += self.compare(copy, after)
                    os.remove(copy)
        finally:
            subprocess.run(["umount", live], env=PATH, check=True)
        self.assertGreater(replayed, 0)

    def test_a_copy_of_a_mounted_image_reads_as_the_kernel_reads_it_after_replay(self):
        # In memory where that is possible: the disk of the host must not decide how long it takes.
        home = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        for make, options in VARIANTS:
            with tempfile.TemporaryDirectory(prefix="pvhgrub-replay.", dir=home) as base:
                self.rounds(base, make, options)


if __name__ == "__main__":
    unittest.main()
