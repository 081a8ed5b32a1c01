#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ELF notes as readelf reads them: names, sizes, and contents where it shows them, on ELF files of the system.

usage: readelf_test.py DESCRIBE_IMAGE [FILE...]
Each file is read twice: as it is (notes in sections), and without its section headers (notes in segments)."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SKIPPED = 77
FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/xen-4.17",
           "/usr/lib/grub-xen", "/usr/lib/debug"]
COUNT = 400  # files, spread over all that there are


def elf_files():
    found = []
    for folder in FOLDERS:
        for directory, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    if os.path.islink(path) or not os.path.isfile(path):
                        continue
                    with open(path, "rb") as file:
                        header = file.read(18)
                        # Programs and shared libraries: objects have no limit of sections.
                        if header[:6] in (b"\x7fELF\x01\x01", b"\x7fELF\x02\x01") and header[16] in (2, 3):
                            found.append(path)
                except OSError:
                    pass
    found.sort()
    return found[::max(1, len(found) // COUNT)]


def without_sections(path, folder):
    copy = os.path.join(folder, "segments_only")
    shutil.copyfile(path, copy)
    with open(copy, "r+b") as file:
        is_64 = file.read(5)[4] == 2
        file.seek(40 if is_64 else 32)
        file.write(bytes(8 if is_64 else 4))  # e_shoff
        file.seek(60 if is_64 else 48)
        file.write(bytes(4))  # e_shnum, e_shstrndx
    return copy


def notes_of_readelf(path):
    """[(name, size, type or None, contents or None)]; None where readelf warns, for it then stops elsewhere."""
    result = subprocess.run(["readelf", "-nW", path], capture_output=True, text=True, errors="replace",
                            env=dict(os.environ, LC_ALL="C"))
    notes = []
    for line in result.stdout.splitlines():
        match = re.match(r"  (\S*)\s+0x([0-9a-f]{8})\t(.*)", line)
        if not match:
            continue
        name, size, rest = match.group(1), int(match.group(2), 16), match.group(3)
        unknown = re.search(r"Unknown note type: \((0x[0-9a-f]+)\)", rest)
        data = re.search(r"description data: ((?:[0-9a-f]{2} )*)", rest)
        build = re.search(r"Build ID: ([0-9a-f]*)", rest)
        contents = None
        if data:
            contents = data.group(1).replace(" ", "")
        elif build:
            contents = build.group(1)
        notes.append((name, size, int(unknown.group(1), 16) if unknown else None, contents))
    return notes, "Warning" in result.stderr


def notes_of_ours(program, path):
    output = subprocess.run([program, "notes", path], capture_output=True, text=True, errors="replace",
                            check=True).stdout
    notes = []
    for line in output.splitlines()[1:]:
        match = re.match(r"  (.*) 0x([0-9a-f]{8}) ([0-9a-f]*)$", line)
        if not match:
            return line.strip()
        notes.append((match.group(1), len(match.group(3)) // 2, int(match.group(2), 16), match.group(3)))
    return notes


def same(theirs, ours):
    if isinstance(ours, str) or len(theirs) != len(ours):
        return False
    return all(t[0] == o[0] and t[1] == o[1] and t[2] in (None, o[2]) and t[3] in (None, o[3])
               for t, o in zip(theirs, ours))


def main():
    program = sys.argv[1]
    if not shutil.which("readelf"):
        print("SKIP: readelf is not installed (package binutils)")
        return SKIPPED
    files = sys.argv[2:] or elf_files()
    if not files:
        print("SKIP: no ELF files found")
        return SKIPPED
    compared = notes = warned = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            for candidate in (path, without_sections(path, folder)):
                theirs, has_warning = notes_of_readelf(candidate)
                if has_warning:
                    warned += 1
                    continue
                ours = notes_of_ours(program, candidate)
                compared += 1
                notes += len(theirs)
                if not same(theirs, ours):
                    failed += 1
                    print(f"{path} ({'sections' if candidate == path else 'segments'}):\n"
                          f"  readelf {theirs}\n  ours    {ours}")
    print(f"{compared} readings of {len(files)} files agree but for {failed}; {notes} notes; "
          f"readelf itself warned of {warned}")
    return 1 if failed or not notes else 0


sys.exit(main())
