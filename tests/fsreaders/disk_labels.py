# SPDX-License-Identifier: LGPL-2.1-or-later
"""BSD disk labels made by hand, after sys/disklabel.h: no tool of Linux writes one that is not FreeBSD's in its first
slice. libfdisk and GRUB judge them."""
import struct

SECTOR = 512
FFS, UNUSED, SWAP = 7, 0, 1


def bsd_label(partitions, count=8):
    """The label's sector; `partitions` by their letters: (first sector, sectors, type)."""
    entries = b""
    for number in range(count):
        start, size, kind = partitions.get(chr(ord("a") + number), (0, 0, 0))
        entries += struct.pack("<IIIBBH", size, start, 2048 if kind == FFS else 0, kind, 8 if kind == FFS else 0, 0)
    label = struct.pack("<IHH16s16s6I", 0x82564557, 4, 0, b"", b"", SECTOR, 63, 255, 8, 16065, 131072)
    label = label.ljust(132, b"\0") + struct.pack("<IHHII", 0x82564557, 0, count, 8192, 8192) + entries
    words = struct.unpack(f"<{len(label) // 2}H", label)
    total = 0
    for word in words:
        total ^= word
    return label[:136] + struct.pack("<H", total) + label[138:]


def boot_record(entries):
    """A master boot record; entries: (type, first sector, sectors)."""
    block = bytearray(SECTOR)
    for number, (kind, start, size) in enumerate(entries):
        struct.pack_into("<BBHBBHII", block, 446 + 16 * number, 0x80 if number == 0 else 0, 0, 0, kind, 0, 0, start, size)
    block[510:] = b"\x55\xaa"
    return bytes(block)


def write(path, *pieces, size=None):
    """Puts (sector, bytes) into a file, made anew where `size` is given."""
    if size is not None:
        with open(path, "wb") as file:
            file.truncate(size)
    with open(path, "r+b") as file:
        for sector, contents in pieces:
            file.seek(sector * SECTOR)
            file.write(contents)
