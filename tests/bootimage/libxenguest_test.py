#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Xen's own domain builder judges what we say of ELF images made at random.

usage: libxenguest_test.py DESCRIBE_IMAGE [JUDGE] [--count N] [--seed N] [--keep FOLDER]
Where we say that an image starts as a PVH or a PV guest, libxenguest must accept it, and the other way round, but for
images of which we say that their notes are damaged: it reads on behind the end of a segment. Its loader for HVM
firmware, which takes any 32-bit ELF image that no other loader takes, does not count."""
import argparse
import collections
import os
import random
import struct
import subprocess
import sys
import tempfile

BATCH = 100
SKIPPED = 77
LINUX_BASE = 0xFFFFFFFF80000000


def note(name, number, contents):
    name = name.encode() + b"\0"

    def padded(data):
        return data + bytes(-len(data) % 4)

    return struct.pack("<III", len(name), len(contents), number) + padded(name) + padded(contents)


def number_note(choose, number, values):
    value = choose.choice(values)
    size = choose.choice([4, 8, 8, 8, 1, 2]) if value < 1 << 32 else 8
    return note("Xen", number, (value & ((1 << (8 * size)) - 1)).to_bytes(size, "little"))


def text_note(choose, number, texts):
    text = choose.choice(texts).encode()
    return note("Xen", number, text + choose.choice([b"\0", b"\0", b"\0\0\0\0"]))


def random_notes(choose, base, entry):
    near = [base + entry, base + entry, base + entry + 16, base, 0, entry, base + 0x2000]
    makers = [
        lambda: text_note(choose, 6, ["linux", "linux", "NetBSD", "FreeBSD", "GRUB", "", "Linux"]),
        lambda: text_note(choose, 5, ["xen-3.0", "xen-3.0", "xen-3.0", "xen-4.0", "xen-3"]),
        lambda: text_note(choose, 8, ["generic", "generic", "other", ""]),
        lambda: text_note(choose, 7, ["2.6", "10.1"]),
        lambda: text_note(choose, 9, ["yes", "no", "yes,bimodal"]),
        lambda: text_note(choose, 10, ["!writable_page_tables|pae_pgdir_above_4gb", "", "!unknown", "unknown|dom0",
                                       "!dom0", "auto_translated_physmap|!supervisor_mode_kernel", "|", "!"]),
        lambda: number_note(choose, 1, near),
        lambda: number_note(choose, 3, [base, base, 0, base + entry, base + entry + 1]),
        lambda: number_note(choose, 4, [0, 0, base, entry, 1 << 20]),
        lambda: number_note(choose, 15, [0x8000000000, base + entry, 0]),
        lambda: number_note(choose, 18, [entry, entry, entry + 16, entry - 1 if entry else 1, entry + 0x2000,
                                         entry + 0x2001, 0, 0xFFFFFFFF]),
        lambda: note("Xen", 13, bytes(16)),
        lambda: note("Xen", 17, struct.pack("<I", 0x8801)),
        lambda: note("Xen", 19, struct.pack("<III", 0x200000, 0x1000000, 0x3FFFFFFF)),
        lambda: note("GNU", 3, bytes(20)),
        lambda: note("Linux", 0x100, b"6.1.0\0"),
        lambda: note("Xen", 77, b"text"),
        lambda: note("xen", 18, struct.pack("<Q", entry)),
    ]
    # Often a whole kernel's notes, with some left out or changed.
    notes = []
    if choose.random() < 0.6:
        notes = [makers[i]() for i in (0, 1, 2, 6, 7, 8, 10) if choose.random() < 0.9]
    notes += [choose.choice(makers)() for _ in range(choose.randrange(4))]
    choose.shuffle(notes)
    data = b"".join(notes)
    if data and choose.random() < 0.05:
        data = data[:choose.randrange(len(data))]
    return data


def random_image(choose):
    is_64 = choose.random() < 0.6
    entry = choose.choice([0x1000000, 0x100000, 0])
    base = choose.choice([0, LINUX_BASE if is_64 else 0xC0000000])
    notes = random_notes(choose, base, entry)
    where = choose.choice(["segment", "segment", "segment", "section", "guest"])
    guest = ",".join(choose.sample(["GUEST_OS=linux", "XEN_VER=xen-3.0", "LOADER=generic", "VIRT_BASE=0xC0000000",
                                    "ELF_PADDR_OFFSET=0xC0000000", "PAE=yes", "VIRT_ENTRY=0xC0100000"],
                                   choose.randrange(1, 8))).encode() + b"\0"
    code = bytes([0x90]) * choose.choice([16, 4096])
    header_size, program_size, section_size = (64, 56, 64) if is_64 else (52, 32, 40)
    segments = [(1, code, entry, max(len(code), choose.choice([0, 0x2000])), choose.choice([7, 5, 5, 0]))]
    if where == "segment":
        segments.append((4, notes, 0, 0, 4))
    sections = [("", 0, b"")]
    if where == "section":
        sections.append((".note.Xen", 7, notes))
    if where == "guest":
        sections.append(("__xen_guest", 1, guest))
    names = b"".join(name.encode() + b"\0" for name, _, _ in sections) + b".shstrtab\0"
    sections.append((".shstrtab", 3, names))
    body = b""
    first = header_size + program_size * len(segments)

    def place(data):
        nonlocal body
        body += bytes(-len(body) % 8)
        offset = first + len(body)
        body += data
        return offset

    programs = b""
    for kind, data, physical, memory, flags in segments:
        offset = place(data)
        if is_64:
            programs += struct.pack("<IIQQQQQQ", kind, flags, offset, physical, physical, len(data), memory, 8)
        else:
            programs += struct.pack("<IIIIIIII", kind, offset, physical, physical, len(data), memory, flags, 4)
    table = b""
    name_offset = 0
    for name, kind, data in sections:
        offset = place(data) if kind else 0
        if is_64:
            table += struct.pack("<IIQQQQIIQQ", name_offset, kind, 0, 0, offset, len(data), 0, 0, 1, 0)
        else:
            table += struct.pack("<IIIIIIIIII", name_offset, kind, 0, 0, offset, len(data), 0, 0, 1, 0)
        name_offset += len(name) + 1
    table_offset = place(table)
    identification = b"\x7fELF" + bytes([2 if is_64 else 1, 1, 1]) + bytes(9)
    start = choose.choice([entry, entry, base + entry, base + entry, entry + 8, 0])
    fields = struct.pack("<HHI", 2, 62 if is_64 else 3, 1)
    fields += struct.pack("<QQQ" if is_64 else "<III", start if is_64 else start & 0xFFFFFFFF, header_size,
                          table_offset)
    fields += struct.pack("<IHHHHHH", 0, header_size, program_size, len(segments), section_size, len(sections),
                          len(sections) - 1)
    return identification + fields + programs + body


def judgements(judge, kind, paths):
    """{path: whether libxenguest accepts it}"""
    result = subprocess.run([judge, kind] + paths, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            check=False)
    if result.returncode != 0:
        sys.exit(f"{judge} {kind} ended with {result.returncode}")
    accepted = {}
    for line in result.stdout.splitlines():
        path, verdict, _, loader = line.split(" ", 3)
        accepted[path] = verdict == "accepted" and loader != "HVM-generic"
    return accepted


def descriptions(program, paths):
    """{path: [line]}"""
    output = subprocess.run([program, "inspect"] + paths, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = {}
    for line in output.splitlines():
        if line.startswith("  "):
            found[path].append(line.strip())
        else:
            path = line
            found[path] = []
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("judge", nargs="?")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", metavar="FOLDER", help="leave the images there")
    options = parser.parse_args()
    if not options.judge:
        print("SKIP: libxenguest is not installed (package libxen-dev)")
        return SKIPPED
    choose = random.Random(options.seed)
    counts = collections.Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        for start in range(0, options.count, BATCH):
            paths = []
            for i in range(start, min(start + BATCH, options.count)):
                paths.append(os.path.join(folder, f"{i}.elf"))
                with open(paths[-1], "wb") as file:
                    file.write(random_image(choose))
            ours = descriptions(options.program, paths)
            for kind, label in (("pvh", "PVH: "), ("pv", "PV: ")):
                theirs = judgements(options.judge, kind, paths)
                for path in paths:
                    lines = ours[path]
                    we_accept = label + "yes" in lines
                    damaged = any(line.startswith(("notice", "error")) for line in lines)
                    counts[kind, theirs[path], we_accept] += 1
                    if we_accept == theirs[path] or damaged:
                        continue
                    failed += 1
                    if failed <= 5:
                        print(f"{kind}: libxenguest {'accepts' if theirs[path] else 'refuses'} {path} "
                              "(--keep shows it); we say:")
                        print("  " + "\n  ".join(lines))
            for path in paths if not options.keep else []:
                os.unlink(path)
    for kind in ("pvh", "pv"):
        print(f"{kind}: both accept {counts[kind, True, True]}, both refuse {counts[kind, False, False]}, "
              f"only libxenguest accepts {counts[kind, True, False]}, only we accept {counts[kind, False, True]}")
    if not counts["pvh", True, True] or not counts["pv", True, True]:
        print("too few images were accepted for a comparison")
        return 1
    return 1 if failed else 0


sys.exit(main())
