# SPDX-License-Identifier: LGPL-2.1-or-later
"""Kernel images of each kind, made by hand: small ELF images with Xen's notes, and what Linux wraps them into."""
import bz2
import gzip
import lzma
import random
import struct
import subprocess

NOTE_PVH = (18, struct.pack("<I", 0x1000000))
NOTES_PV = [
    (6, b"linux\0"),                        # GUEST_OS
    (5, b"xen-3.0\0"),                      # XEN_VERSION
    (3, struct.pack("<Q", 0xFFFFFFFF80000000)),  # VIRT_BASE
    (1, struct.pack("<Q", 0xFFFFFFFF81000000)),  # ENTRY
    (8, b"generic\0"),                      # LOADER
]


def note(kind, description):
    padded = description + bytes(-len(description) % 4)
    return struct.pack("<III", 4, len(description), kind) + b"Xen\0" + padded


def elf(pvh=True, pv=False, size=300_000, seed=1, compressible=False):
    """An ELF64 image that is loaded at 16 MiB."""
    notes = b"".join(note(*each) for each in ([NOTE_PVH] if pvh else []) + (NOTES_PV if pv else []))
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0xFFFFFFFF81000000 if pv else 0x1000000, 64,
                         0, 0, 64, 56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 7, 4096, 0xFFFFFFFF81000000, 0x1000000, size - 4096, size - 4096, 4096)
    notes_segment = struct.pack("<IIQQQQQQ", 4, 4, 8192, 0, 0, len(notes), len(notes), 4)
    image = (header + load + notes_segment).ljust(8192, b"\0") + notes
    rest = size - len(image)
    return image + (bytes(rest) if compressible else random.Random(seed).randbytes(rest // 2) + bytes(rest - rest // 2))


def compress(payload, how):
    """As Linux does it: its size behind it but for gzip, which has that itself."""
    size = struct.pack("<I", len(payload))
    if how == "gzip":
        return gzip.compress(payload, mtime=0)
    if how == "bzip2":
        return bz2.compress(payload) + size
    if how == "xz":
        return lzma.compress(payload, check=lzma.CHECK_CRC32) + size
    if how == "lzma":
        return lzma.compress(payload, format=lzma.FORMAT_ALONE) + size
    command = {"lzo": ["lzop", "-9", "-c"], "lz4": ["lz4", "-l", "-9", "-c"], "zstd": ["zstd", "-19", "-c", "-q"]}[how]
    return subprocess.run(command, input=payload, capture_output=True, check=True).stdout + size


def bzimage(payload, version=b"6.1.0-test (builder@host) #1 SMP PREEMPT 2026"):
    """Linux's boot protocol 2.15 around a payload (Documentation/arch/x86/boot.rst)."""
    setup_sectors = 4
    setup = bytearray((setup_sectors + 1) * 512)
    setup[0x1F1] = setup_sectors
    setup[0x1FE:0x200] = b"\x55\xaa"
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, 0x020F)
    struct.pack_into("<H", setup, 0x20E, 0x400 - 0x200)
    setup[0x211] = 1  # loaded high
    struct.pack_into("<I", setup, 0x1F4, (len(payload) + 1024 + 15) // 16)
    struct.pack_into("<H", setup, 0x236, 1)  # xloadflags: 64-bit
    struct.pack_into("<I", setup, 0x238, 2047)  # cmdline_size
    struct.pack_into("<I", setup, 0x248, 1024)  # payload_offset
    struct.pack_into("<I", setup, 0x24C, len(payload))
    struct.pack_into("<I", setup, 0x260, 64 << 20)  # init_size
    setup[0x400:0x400 + len(version) + 1] = version + b"\0"
    return bytes(setup) + bytes(1024) + payload + bytes(-len(payload) % 16)


def linux(pvh=True, pv=False, how="xz", **options):
    """A bzImage, and the ELF image in it."""
    inner = elf(pvh, pv, **options)
    return bzimage(compress(inner, how)), inner


def arm64_image(size=200_000):
    """Linux's Image (Documentation/arch/arm64/booting.rst)."""
    head = struct.pack("<IIQQQQQQ4sI", 0xFA405A4D, 0x14000000, 0, size, 0xA, 0, 0, 0, b"ARM\x64", 0)
    return head + random.Random(3).randbytes(size - len(head))


def pe(sections, subsystem=10):
    """An EFI program for x86-64 with those (name, contents) sections."""
    table = b""
    contents = b""
    offset = 1024 + (len(sections) * 40) // 512 * 512
    for name, data in sections:
        padded = data + bytes(-len(data) % 512)
        table += struct.pack("<8sIIIIIIHHI", name.encode(), len(data), 0x1000 + offset, len(padded), offset, 0, 0, 0, 0,
                             0x40000040)
        contents += padded
        offset += len(padded)
    optional = bytearray(240)
    struct.pack_into("<H", optional, 0, 0x20B)
    struct.pack_into("<II", optional, 32, 4096, 512)
    struct.pack_into("<II", optional, 56, 0x1000 + offset + 4096, 1024)
    struct.pack_into("<H", optional, 68, subsystem)
    struct.pack_into("<I", optional, 108, 16)
    start = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack(
        "<HHIIIHH", 0x8664, len(sections), 0, 0, 0, len(optional), 0x22E) + bytes(optional) + table
    return start.ljust(1024 + (len(sections) * 40) // 512 * 512, b"\0") + contents


def unified(kernel, initrd=None, command_line=b"root=/dev/xvda1 quiet"):
    sections = [(".osrel", b'ID=test\nNAME="Test"\nPRETTY_NAME="Test Linux 1"\nVERSION_ID=1\n'), (".cmdline", command_line),
                (".uname", b"6.1.0-test"), (".linux", kernel)]
    return pe(sections + ([(".initrd", initrd)] if initrd else []))
