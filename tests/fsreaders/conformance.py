# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree that every reader must give back bit for bit, and the comparison. A format's own test writes the tree with
the format's own tools or the kernel's driver, and calls `check`."""
import os
import random
import subprocess
import tempfile
import zlib

READ_TREE = os.environ.get("PVHGRUB_READ_TREE", "")
TIMEOUT = 300  # seconds
HUGE = 1 << 30  # bytes of the largest files


class Tree:
    """What the format can hold: `links` symbolic ones, `hard_links`, `sparse` files with holes, names of
    `name_bytes` bytes, `depth` directories in each other, `large` bytes of the largest file; `names` beside the usual."""

    def __init__(self, path, links=True, hard_links=True, sparse=True, name_bytes=255, depth=40, many=2000,
                 large=16 << 20, case=True, seed=1):
        self.path = path
        self.random = random.Random(seed)
        self.write("empty", b"")
        self.write("one byte", b"x")
        for size in (100, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537, 1_000_003):
            self.write(f"boot/size-{size}", self.random.randbytes(size))
        self.write("boot/zeros", bytes(300_000))
        self.write("boot/text", b"a line that compresses well\n" * 20_000)
        self.write("boot/half", self.random.randbytes(200_000) + bytes(200_000) + b"tail")
        self.write("l" * name_bytes, b"a long name")
        self.write("Grüße, 世界 – Ω.txt", "unicode\n".encode())
        self.write("boot/with space & more;~.cfg", b"odd characters")
        if case:
            self.write("Case", b"upper")
            self.write("case", b"lower")
        self.write("/".join(f"d{i}" for i in range(depth)) + "/deep", b"deep down")
        for i in range(many):
            self.write(f"many/entry-{i:06d}-{'n' * (i % 40)}.conf", f"title {i}\n".encode())
        self.write("boot/large", b"")
        with open(self.name("boot/large"), "wb") as file:
            for _ in range(large >> 20):
                file.write(self.random.randbytes(1 << 20))
        if sparse:
            with open(self.name("boot/sparse"), "wb") as file:
                # With data at its end: mke2fs -d loses a hole there.
                for place in (0, 1 << 20, (5 << 20) + 17, 40 << 20, (64 << 20) - 30):
                    file.seek(place)
                    file.write(b"data at " + str(place).encode())
        if hard_links:
            os.link(self.name("boot/size-4097"), self.name("hard"))
        if links:
            self.link("boot/text", "to-text")
            self.link("/boot/text", "boot/absolute")
            self.link("../../boot/../to-text", "many/up-and-down")
            self.link("nowhere", "dangling")
            self.link("circle-b", "circle-a")
            self.link("circle-a", "circle-b")
            self.link("boot", "directory")
            self.link("boot/" + "./" * 500 + "text", "boot-long")
            previous = "boot/text"
            for i in range(30):
                self.link(previous, f"chain-{i}")
                previous = f"chain-{i}"

    def name(self, path):
        return os.path.join(self.path, path)

    def write(self, path, contents):
        os.makedirs(os.path.dirname(self.name(path)), exist_ok=True)
        with open(self.name(path), "wb") as file:
            file.write(contents)

    def link(self, target, path):
        os.symlink(target, self.name(path))

    def fragment(self, path="boot/fragmented", other="boot/other", pieces=300, size=8192):
        """Two files written in turn, on a file system that is mounted here: their blocks lie among each other."""
        with open(self.name(path), "wb") as a, open(self.name(other), "wb") as b:
            for _ in range(pieces):
                for file in (a, b):
                    file.write(self.random.randbytes(size))
                    file.flush()
                    os.fsync(file.fileno())


def huge_directory():
    """A TemporaryDirectory for files of 1 GiB and their image: in memory, where there is plenty of it."""
    room = os.statvfs("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    roomy = room is not None and room.f_bavail * room.f_frsize > 5 * HUGE
    return tempfile.TemporaryDirectory(prefix="pvhgrub-conformance.", dir="/dev/shm" if roomy else None)


def write_huge(folder, sparse=True):
    """Files of 1 GiB: in `allocated` no MiB is like another; in `sparse` there is data in a few places, the last one at
    the end."""
    os.makedirs(folder, exist_ok=True)
    unit = random.Random(11).randbytes(1 << 19) + b"the other half of it is easy to compress\n" * (1 << 19)
    with open(os.path.join(folder, "allocated"), "wb") as file:
        for number in range(HUGE >> 20):
            file.write(number.to_bytes(8, "little") + unit[:(1 << 20) - 8])
    if sparse:
        with open(os.path.join(folder, "sparse"), "wb") as file:
            for place in (0, 5 << 20, (300 << 20) + 17, (512 << 20) - 1000, 777 << 20, HUGE - 70_000):
                file.seek(place)
                file.write(place.to_bytes(8, "little") + unit[:69_992])


def expected(root):
    """The lines that read_tree prints for a tree, by the kernel's eyes; links are followed as if `root` were '/'."""
    lines = []

    def contents(kind, name, path):
        crc = 0
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                crc = zlib.crc32(piece, crc)
        lines.append(f"{kind} {name} {os.path.getsize(path)} {crc:08x}")

    def resolve(name, hops=0):
        """The path outside of what `name` leads to; None: nowhere."""
        way = []
        parts = name.split("/")
        while parts:
            part = parts.pop(0)
            if part in ("", "."):
                continue
            if part == "..":
                way = way[:-1]
                continue
            here = "/".join([root, *way, part])
            if os.path.islink(here):
                hops += 1
                if hops > 40:
                    return None
                target = os.readlink(here)
                if target.startswith("/"):
                    way = []
                parts = target.split("/") + parts
                continue
            if not os.path.lexists(here):
                return None
            way.append(part)
        return "/".join([root, *way])

    def directory(name):
        for entry in sorted(os.listdir(root + name), key=os.fsencode):
            child = f"{name}/{entry}"
            path = root + child
            if os.path.islink(path):
                target = resolve(child)
                if target and os.path.isfile(target):
                    contents("l", child, target)
                else:
                    lines.append(f"l {child}")
            elif os.path.isdir(path):
                lines.append(f"d {child}")
                directory(child)
            elif os.path.isfile(path):
                contents("f", child, path)
            else:
                lines.append(f"o {child}")

    directory("")
    return lines


def read_tree(device, *images):
    """The first line (type, uuid, label), and the tree's lines."""
    done = subprocess.run([READ_TREE, device, *images], capture_output=True, timeout=TIMEOUT)
    if done.returncode != 0:
        raise AssertionError(f"read_tree {device} {images}: {done.stderr.decode(errors='replace')}")
    lines = done.stdout.decode("utf-8", "surrogateescape").split("\n")
    return lines[0], lines[1:-1]


def check(test, root, device, *images, ignore=()):
    """`test`: the unittest.TestCase. Returns the first line."""
    head, got = read_tree(device, *images)
    wanted = [line for line in expected(root) if line.split(" ")[1] not in ignore]
    got = [line for line in got if line.split(" ")[1] not in ignore]
    missing = sorted(set(wanted) - set(got))
    wrong = sorted(set(got) - set(wanted))
    test.assertEqual((missing[:5], wrong[:5]), ([], []), f"{len(missing)} missing, {len(wrong)} wrong lines")
    test.assertEqual(len(got), len(wanted))
    return head
