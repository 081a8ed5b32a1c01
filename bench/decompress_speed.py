#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times the decompression of a kernel beside the formats' own tools, on the same file, in the same run.

Machines are noisy: each round runs every contender once, and what counts are the ratios of medians of one run, where
others use the machine too those of processor time."""
import argparse
import os
import statistics
import struct
import subprocess
import tempfile
import time

# name -> how Linux compresses with it (scripts/Makefile.lib, scripts/xz_wrap.sh), and the tool's own way back
FORMATS = {
    "gzip": (["gzip", "-n", "-9"], ["gzip", "-dc"]),
    "bzip2": (["bzip2", "-9"], ["bzip2", "-dc"]),
    "xz, 32 MiB": (["xz", "--check=crc32", "--threads=1", "--x86", "--lzma2=dict=32MiB"], ["xz", "-dc"]),
    "xz, 128 MiB": (["xz", "--check=crc32", "--threads=1", "--x86", "--lzma2=dict=128MiB"], ["xz", "-dc"]),
    "lzma": (["xz", "--format=lzma", "-9"], ["xz", "--format=lzma", "-dc"]),
    "lzo": (["lzop", "-9"], ["lzop", "-dc"]),
    "lz4, legacy": (["lz4", "-q", "-l", "-9", "-c", "-"], ["lz4", "-q", "-dc"]),
    "lz4, frame": (["lz4", "-q", "-9", "-c", "-"], ["lz4", "-q", "-dc"]),
    "zstd -19": (["zstd", "-q", "-19"], ["zstd", "-q", "-dc"]),
    "zstd -22": (["zstd", "-q", "-22", "--ultra"], ["zstd", "-q", "-dc"]),
}


def vmlinux(program, path, folder):
    """The file itself, or where it is a bzImage what its payload decompresses to."""
    # In small pieces: what this process holds at most counts for those that it starts.
    packed, unpacked = os.path.join(folder, "payload"), os.path.join(folder, "vmlinux")
    with open(path, "rb") as file:
        start = file.read(0x250)
        if start[0x202:0x206] != b"HdrS":
            return path
        offset, length = struct.unpack_from("<II", start, 0x248)
        file.seek(offset + (start[0x1F1] + 1) * 512)
        with open(packed, "wb") as target:
            while length > 0:
                piece = file.read(min(length, 65536))
                if not piece:
                    raise SystemExit(f"{path}: shorter than its header tells")
                target.write(piece)
                length -= len(piece)
    with open(packed, "r+b") as file:
        if file.read(2) != b"\x1f\x8b":
            file.truncate(os.path.getsize(packed) - 4)
    with open(unpacked, "wb") as file:
        subprocess.run([program, packed], stdout=file, check=True)
    return unpacked


def timed(command):
    """Wall clock and processor time in milliseconds, and the most memory that it held, in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command}: ended with {process.returncode}")
    return elapsed * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def contest(contenders, rounds):
    times = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, command in contenders.items():
            measured = timed(command)
            if number:
                times[name].append(measured)
    return {name: [statistics.median(column) for column in zip(*values)] for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="build/bench/decompress_speed")
    parser.add_argument("kernel", help="a bzImage, or any file")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--keep", help="a folder for the compressed files, used again when they are there")
    parser.add_argument("--only", nargs="+", choices=FORMATS, help="these formats")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pvhgrub-bench.") as temporary:
        folder = arguments.keep or temporary
        os.makedirs(folder, exist_ok=True)
        plain = vmlinux(arguments.program, arguments.kernel, folder)
        print(f"{os.path.getsize(plain)} bytes; medians of {arguments.rounds} rounds: ms of wall clock (of processor), "
              "MiB of memory\n")
        print("| | compressed | the tool | pvhgrub | ratio | of processor time | memory: tool, pvhgrub |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for name in arguments.only or FORMATS:
            compress, decompress = FORMATS[name]
            packed = os.path.join(folder, "vmlinux." + name.replace(", ", "-").replace(" ", ""))
            if not os.path.exists(packed):
                with open(plain, "rb") as source, open(packed, "wb") as target:
                    subprocess.run(compress, stdin=source, stdout=target, check=True)
            for command in ([arguments.program, packed], [*decompress, packed]):
                with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                    if subprocess.run(["cmp", "-", plain], stdin=process.stdout, check=False).returncode != 0:
                        raise SystemExit(f"{command}: wrong output")
            result = contest({"tool": [*decompress, packed], "ours": [arguments.program, packed]}, arguments.rounds)
            tool, ours = result["tool"], result["ours"]
            print(f"| {name} | {os.path.getsize(packed)} | {tool[0]:.0f} ({tool[1]:.0f}) | "
                  f"{ours[0]:.0f} ({ours[1]:.0f}) | {ours[0] / tool[0]:.2f} | "
                  f"{ours[1] / tool[1]:.2f} | {tool[2]:.0f}, {ours[2]:.0f} |", flush=True)


main()
