#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands in for pvhgrub-appliance where libguestfs is not: speaks its protocol, written anew from
protocol/appliance_messages.h, over a tree that the disk itself holds as JSON at 64 KiB (see appliance_test.py). On
request it lies."""
import base64
import json
import os
import struct
import sys
import time

CONTROL, QUESTIONS, DISK = 3, 4, 5
FILE_SYSTEMS, LIST, READ_LINK, READ = 1, 2, 3, 4
LAST, MORE, ERROR = 0, 1, 2
IO, NOT_FOUND = 0, 1
TYPES = {"f": 0, "d": 1, "l": 2, "o": 3}


def receive(fd, length):
    data = b""
    while len(data) < length:
        piece = os.read(fd, length - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def text(value):
    value = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    return struct.pack("<I", len(value)) + value


def answer(operation, state, payload, length=None):
    data = struct.pack("<IHH", len(payload) if length is None else length, operation, state) + payload
    while data:
        data = data[os.write(QUESTIONS, data):]


def main():
    start = receive(CONTROL, struct.unpack("<I", receive(CONTROL, 4))[0])
    disks = struct.unpack_from("<I", start)[0]
    sizes = struct.unpack_from(f"<{disks}Q", start, 4)
    length = struct.unpack("<I", os.pread(DISK, 4, 65536))[0]
    disk = json.loads(os.pread(DISK, length, 65540))
    lie = disk.get("lie", "")
    os.write(CONTROL, f"starting with {disks} disk(s) of {sizes} bytes, user {os.getuid()}\n".encode())
    if lie == "flood":
        os.write(CONTROL, b"x" * 100 + b"\n" * 100_000)
    if lie == "escape":
        os.write(CONTROL, b"\x1b[2J\x07\n")
    if lie == "sleep":
        time.sleep(3600)
    if lie == "end":
        sys.exit(0)
    tree = disk["files"]
    while True:
        length, operation, _ = struct.unpack("<IHH", receive(QUESTIONS, 8))
        question = receive(QUESTIONS, length)
        _, path_length = struct.unpack_from("<II", question)
        path = question[8:8 + path_length].decode("utf-8", "surrogateescape")
        offset, count = struct.unpack_from("<QI", question, 8 + path_length)
        if lie == "operation":
            answer(operation % 4 + 1, LAST, b"")
        elif lie == "state":
            answer(operation, 7, b"")
        elif lie == "length":
            answer(operation, LAST, b"", 0xFFFFFFFF)
        elif lie == "count":
            answer(operation, LAST, struct.pack("<I", 0xFFFFFFFF))
        elif lie == "code":
            answer(operation, ERROR, bytes([8]) + text("the sandbox is broken"))
        elif lie == "for ever":
            while True:
                answer(operation, MORE, struct.pack("<I", 0))
        elif operation == FILE_SYSTEMS:
            listed = disk["file_systems"]
            for i, each in enumerate(listed):
                answer(operation, LAST if i + 1 == len(listed) else MORE,
                       struct.pack("<I", 1) + b"".join(text(each[name]) for name in ("device", "type", "uuid", "label")))
            if not listed:
                answer(operation, LAST, struct.pack("<I", 0))
        elif operation == LIST:
            prefix = path.rstrip("/") + "/"
            names = [name for name in tree if name.startswith(prefix) and "/" not in name[len(prefix):]]
            if lie == "names":
                names += ["/..", "/.", "/", "/a\0b"]
            parts = [names[i:i + 3] for i in range(0, len(names), 3)] or [[]]
            for i, part in enumerate(parts):
                payload = struct.pack("<I", len(part))
                for name in part:
                    kind, value = tree.get(name, ["f", ""])
                    size = len(base64.b64decode(value)) if kind == "f" else 0
                    if lie == "size":
                        size = (1 << 64) - 1
                    payload += text(name[len(prefix):] or "/x") + struct.pack("<BQq", TYPES[kind], size, 0)
                answer(operation, LAST if i + 1 == len(parts) else MORE, payload)
        elif operation == READ_LINK:
            target = tree[path][1]
            answer(operation, LAST, ("" if lie == "link" else target).encode())
        elif operation == READ:
            data = base64.b64decode(tree[path][1])[offset:offset + count]
            if lie == "short":
                data = data[:-1]
            if lie == "unreadable":
                answer(operation, ERROR, bytes([IO]) + text("Input/output error"))
            else:
                answer(operation, LAST, data)
        else:
            answer(operation, ERROR, bytes([NOT_FOUND]) + text("no such question"))


main()
