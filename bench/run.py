#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times pvhgrub beside pygrub and cp on the same disk in the same run, and measures memory and system calls.

Machines are noisy: each round runs every contender once, and what counts are the ratios of medians of one run."""
import argparse
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "src"))
import guest_image  # noqa: E402
import file_systems  # noqa: E402
import kernels  # noqa: E402
import menus  # noqa: E402

COUNTS = (1_000, 10_000, 100_000)
PVHGRUB = os.environ.get("PVHGRUB", os.path.join(ROOT, "build", "src", "pvhgrub"))
PYGRUB = "/usr/lib/xen-4.17/bin/pygrub"
MIB = 1048576


def make_guest(folder, kernel_mib, initrd_mib, name):
    tree = guest_image.GuestTree()
    noise = random.Random(5).randbytes(MIB)
    for path, size in (("/boot/vmlinuz", kernel_mib), ("/boot/initrd.img", initrd_mib)):
        with open(tree.path + path, "wb") as file:
            file.write(guest_image.kernel_bytes(size=MIB))
            for _ in range(size - 1):
                file.write(noise)
    fs_mib = kernel_mib + initrd_mib + 64
    disk = os.path.join(folder, name)
    offset = guest_image.make_disk(disk, tree.path, size_mib=fs_mib + 4, fs_mib=fs_mib)
    tree.remove()
    warm(disk)
    return disk, offset


def warm(disk):
    """Puts the disk into the page cache as reading it from storage does: mke2fs's small writes leave it in small pieces,
    through which no guest's disk comes."""
    with open(disk, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(MIB):
            pass


def timed(command, **options):
    started = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    elapsed = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit {done.returncode}: {done.stderr.decode(errors='replace')}")
    return elapsed * 1000


def contest(contenders, rounds, clean):
    """Medians in milliseconds; every contender once a round, one round first that does not count."""
    times = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, command in contenders.items():
            elapsed = timed(command)
            clean()
            if number:
                times[name].append(elapsed)
    return {name: (statistics.median(values), min(values), max(values)) for name, values in times.items()}


def peak_memory(command, clean):
    """Largest sum of resident KiB of all processes of the command, seen by looking as often as possible; plus the kernel's
    own figure for the largest single process."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        total, todo = 0, [process.pid]
        while todo:
            pid = todo.pop()
            try:
                with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                    total += int(file.read().split()[1]) * (resource.getpagesize() // 1024)
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    todo += [int(child) for child in file.read().split()]
            except (OSError, ValueError, IndexError):
                pass
        peak = max(peak, total)
    clean()
    return peak


def system_calls(command, clean):
    done = subprocess.run(["strace", "-f", "-c", "-o", "/dev/stdout", *command], stdin=subprocess.DEVNULL,
                          capture_output=True)
    clean()
    for line in reversed(done.stdout.decode(errors="replace").splitlines()):
        if line.endswith("total"):
            return int(line.split()[-2 if len(line.split()) < 6 else 3])
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", help="write the tables to this file as Markdown")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("the benchmark needs root: cp copies from a loop mount, and pygrub runs as root")

    lines = []

    def say(text=""):
        print(text, flush=True)
        lines.append(text)

    folder = tempfile.mkdtemp(prefix="pvhgrub-bench.")
    out = os.path.join(folder, "out")
    mount = os.path.join(folder, "mount")
    os.mkdir(out)
    os.mkdir(mount)

    def clean():
        for name in os.listdir(out):
            os.unlink(os.path.join(out, name))

    try:
        disk, offset = make_guest(folder, 10, 60, "guest.img")
        subprocess.run(["mount", "-o", f"loop,ro,offset={offset}", disk, mount], check=True)
        extract = ["-q", "--output-format=simple", f"--output-directory={out}", disk]
        contenders = {
            "cp of both files, loop mount": ["cp", f"{mount}/boot/vmlinuz", f"{mount}/boot/initrd.img", out],
            "pvhgrub": [PVHGRUB, *extract],
        }
        if os.path.exists(PYGRUB):
            contenders["pygrub"] = [sys.executable if sys.executable == "/usr/bin/python3" else "/usr/bin/python3",
                                    PYGRUB, *extract]
        say(f"Machine: {os.cpu_count()} cores, Linux {platform.release()}. Medians of {arguments.rounds} runs, each round "
            "runs every contender once; warm cache.")
        say()
        say("## Extraction: 10 MiB kernel and 60 MiB initrd, ext4 on GPT, image file to the same file system")
        say()
        say("| | median ms | min | max | beside cp | system calls | peak memory KiB |")
        say("|---|---|---|---|---|---|---|")
        results = contest(contenders, arguments.rounds, clean)
        base = results["cp of both files, loop mount"][0]
        for name, (median, least, most) in results.items():
            calls = system_calls(contenders[name], clean)
            memory = max(peak_memory(contenders[name], clean) for _ in range(5))
            say(f"| {name} | {median:.1f} | {least:.1f} | {most:.1f} | {median / base:.2f} | {calls} | {memory} |")
        say()
        say("## Listing")
        say()
        say("| | median ms | min | max |")
        say("|---|---|---|---|")
        listers = {"pvhgrub -l": [PVHGRUB, "-l", disk],
                   "pvhgrub -l --output-format=json": [PVHGRUB, "-l", "--output-format=json", disk],
                   "/bin/true": ["/bin/true"]}
        if os.path.exists(PYGRUB):
            listers["pygrub -l"] = [*contenders["pygrub"][:2], "-l", disk]
        for name, (median, least, most) in contest(listers, arguments.rounds, clean).items():
            say(f"| {name} | {median:.1f} | {least:.1f} | {most:.1f} |")
        subprocess.run(["umount", mount], check=True)
        say()
        real, decompress, description = kernels.make_guest(folder, PVHGRUB, 60)
        warm(real)
        arguments_of = ["-q", "--output-format=simple", f"--output-directory={out}", real]
        whole = {"pvhgrub, kernel decompressed": [PVHGRUB, *arguments_of],
                 "pvhgrub --kernel-format=as-is": [PVHGRUB, "--kernel-format=as-is", *arguments_of],
                 "the decompressor alone": ["sh", "-c", f"{' '.join(decompress)} >{out}/vmlinux"]}
        if os.path.exists(PYGRUB):
            whole["pygrub, then the decompressor"] = [
                "sh", "-c", f"{' '.join([*contenders['pygrub'][:2], *arguments_of])} && {' '.join(decompress)} >{out}/vmlinux"]
        say(f"## A real kernel ({description}) and a 60 MiB initrd")
        say()
        say("pygrub leaves the decompression to the domain builder; the format's own tool stands for it.")
        say()
        say("| | median ms | min | max | peak memory KiB |")
        say("|---|---|---|---|---|")
        for name, (median, least, most) in contest(whole, arguments.rounds, clean).items():
            memory = max(peak_memory(whole[name], clean) for _ in range(3))
            say(f"| {name} | {median:.1f} | {least:.1f} | {most:.1f} | {memory} |")
        os.unlink(real)
        say()
        file_systems.table(say, contest, peak_memory, clean, folder, out, PVHGRUB,
                           contenders["pygrub"][:2] if "pygrub" in contenders else None, arguments.rounds)
        say("## Memory as the initrd grows")
        say()
        say("| initrd MiB | peak KiB of both processes |")
        say("|---|---|")
        big = os.path.join(folder, "big.img")
        for size in (1, 60, 1024):
            make_guest(folder, 10, size, "big.img")
            command = [PVHGRUB, "-q", "--output-format=simple", f"--output-directory={out}", big]
            say(f"| {size} | {max(peak_memory(command, clean) for _ in range(3))} |")
            os.unlink(big)
        say()
        say("## Listing as the menu grows, in milliseconds (and the peak KiB of both processes)")
        say()
        say("| | " + " | ".join(f"{count:,} entries" for count in COUNTS) + " |")
        say("|---|" + "---|" * len(COUNTS))
        for syntax in menus.SYNTAXES:
            cells = []
            for count in COUNTS:
                menus.make_disk(big, syntax, count)
                warm(big)
                command = [PVHGRUB, "-l", "--output-format=json", big]
                median = contest({"": command}, 3 if count > 10_000 else 5, clean)[""][0]
                cells.append(f"{median:.0f} ({peak_memory(command, clean)})")
            say(f"| {syntax} | " + " | ".join(cells) + " |")
        if arguments.write:
            with open(arguments.write, "w", encoding="utf-8") as file:
                file.write("# How fast it is\n\nWritten by `./dev bench --write=docs/benchmarks.md`.\n\n")
                file.write("\n".join(lines) + "\n")
    finally:
        subprocess.run(["umount", "-q", mount], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
