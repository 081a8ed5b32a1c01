# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same kernel of 10 MiB and initrd of 60 MiB on every file system: pvhgrub beside cp from the kernel driver's mount,
beside grub-fstest and, where it reads the format, pygrub."""
import os
import random
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "src"))
import guest_image  # noqa: E402

MIB = 1048576
SIZE = 384 * MIB


def quiet(*command, **options):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def make_tree(folder):
    """Contents that compress to about half, as initrds without compression of their own do."""
    tree = os.path.join(folder, "tree")
    os.makedirs(os.path.join(tree, "boot", "grub"))
    noise = random.Random(7).randbytes(64 * 1024)
    for name, size in (("vmlinuz", 10), ("initrd.img", 60)):
        with open(os.path.join(tree, "boot", name), "wb") as file:
            file.write(guest_image.kernel_bytes(size=MIB))
            for i in range((size - 1) * 8):
                file.write(i.to_bytes(8, "little") + noise[:65528] + bytes(65536))
    with open(os.path.join(tree, "boot", "grub", "grub.cfg"), "w", encoding="ascii") as file:
        file.write("menuentry 'x' {\n  linux /boot/vmlinuz\n  initrd /boot/initrd.img\n}\n")  # pygrub reads lines
    return tree


def through_mount(command, options=""):
    """Makes the file system, and lets the kernel's driver write the tree."""
    def make(image, tree, scratch):
        with open(image, "wb") as file:
            file.truncate(SIZE)
        quiet(*command, image)
        quiet("mount", "-o", "loop" + options, image, scratch)
        try:
            quiet("cp", "-r", tree + "/.", scratch)
        finally:
            quiet("umount", scratch)
    return make


def by_tool(*command):
    """A tool that writes the image by itself; IMAGE and TREE are replaced."""
    def make(image, tree, _):
        if os.path.exists(image):
            os.unlink(image)
        quiet(*[{"IMAGE": image, "TREE": tree}.get(word, word) for word in command])
    return make


def fat(image, tree, _):
    with open(image, "wb") as file:
        file.truncate(SIZE)
    quiet("mkfs.fat", "-F", "32", image)
    quiet("mcopy", "-s", "-i", image, os.path.join(tree, "boot"), "::")


# name -> (how it is made, what must be installed)
FORMATS = {
    "ext4": (through_mount(["mke2fs", "-q", "-F", "-t", "ext4"]), ["mke2fs"]),
    "XFS": (through_mount(["mkfs.xfs", "-q", "-f"]), ["mkfs.xfs"]),
    "btrfs": (through_mount(["mkfs.btrfs", "-q", "-f"]), ["mkfs.btrfs"]),
    "btrfs, zstd": (through_mount(["mkfs.btrfs", "-q", "-f"], ",compress-force=zstd"), ["mkfs.btrfs"]),
    "btrfs, lzo": (through_mount(["mkfs.btrfs", "-q", "-f"], ",compress-force=lzo"), ["mkfs.btrfs"]),
    "FAT32": (fat, ["mkfs.fat", "mcopy"]),
    "ISO 9660": (by_tool("genisoimage", "-quiet", "-R", "-o", "IMAGE", "TREE"), ["genisoimage"]),
    "squashfs, gzip": (by_tool("mksquashfs", "TREE", "IMAGE", "-comp", "gzip", "-noappend", "-quiet"), ["mksquashfs"]),
    "squashfs, xz": (by_tool("mksquashfs", "TREE", "IMAGE", "-comp", "xz", "-noappend", "-quiet"), ["mksquashfs"]),
    "squashfs, zstd": (by_tool("mksquashfs", "TREE", "IMAGE", "-comp", "zstd", "-noappend", "-quiet"), ["mksquashfs"]),
    "erofs, lz4": (by_tool("mkfs.erofs", "--quiet", "-zlz4hc", "IMAGE", "TREE"), ["mkfs.erofs"]),
    "erofs, lz4 in clusters of 64 KiB": (by_tool("mkfs.erofs", "--quiet", "-zlz4hc", "-C65536", "IMAGE", "TREE"),
                                         ["mkfs.erofs"]),
    "erofs": (by_tool("mkfs.erofs", "--quiet", "IMAGE", "TREE"), ["mkfs.erofs"]),
}


def drop_pages(mount):
    """What the driver has in the page cache of the two files: read again, it decompresses again. The image stays cached."""
    for name in ("vmlinuz", "initrd.img"):
        with open(os.path.join(mount, "boot", name), "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def contenders(image, mount, mounted, pvhgrub, pygrub, out):
    extract = ["-q", "--output-format=simple", f"--output-directory={out}", image]
    found = {"pvhgrub": [pvhgrub, *extract]}
    if mounted:
        found["cp"] = ["cp", f"{mount}/boot/vmlinuz", f"{mount}/boot/initrd.img", out]
    if shutil.which("grub-fstest"):
        copies = " && ".join(f"grub-fstest {image} cp '(loop0)/boot/{name}' {out}/{name}" for name in ("vmlinuz", "initrd.img"))
        found["grub-fstest"] = ["sh", "-c", copies]
    if pygrub:
        found["pygrub"] = [*pygrub, *extract]
    # A contender that cannot read the format takes no part.
    able = {}
    for name, command in found.items():
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode == 0 and len(os.listdir(out)) >= 2:
            able[name] = command
        for left in os.listdir(out):
            os.unlink(os.path.join(out, left))
    return able


def table(say, contest, peak_memory, clean, folder, out, pvhgrub, pygrub, rounds):
    say("## Extraction of 10 + 60 MiB from each file system, warm cache: milliseconds, and how many times cp's")
    say()
    say("cp finds the two files in the page cache, decompressed; \"reading\": it does not, and the driver reads the cached image.")
    say()
    say("| | pvhgrub | cp, loop mount | cp, reading | grub-fstest | pygrub | pvhgrub / cp | / cp, reading | peak KiB |")
    say("|---|---|---|---|---|---|---|---|---|")
    tree = make_tree(folder)
    mount = os.path.join(folder, "file-system")
    os.makedirs(mount, exist_ok=True)
    for name, (make, programs) in FORMATS.items():
        if not all(shutil.which(program) for program in programs):
            say(f"| {name} | not measured: {', '.join(programs)} missing | | | | | | | |")
            continue
        image = os.path.join(folder, "file-system.img")
        try:
            make(image, tree, mount)
        except subprocess.CalledProcessError as error:
            say(f"| {name} | not measured: {error.cmd[0]} failed | | | | | | | |")
            continue
        with open(image, "rb") as file:
            while file.read(MIB):
                pass
        mounted = subprocess.run(["mount", "-o", "loop,ro", image, mount], stderr=subprocess.DEVNULL).returncode == 0
        try:
            able = contenders(image, mount, mounted, pvhgrub, pygrub, out)
            results = {who: median for who, (median, _, _) in contest(able, rounds, clean).items()}
            if "cp" in able:
                def clean_and_drop():
                    clean()
                    drop_pages(mount)
                results["cp, reading"] = contest({"": able["cp"]}, rounds, clean_and_drop)[""][0]
            cells = [f"{results[who]:.1f}" if who in results else "-"
                     for who in ("pvhgrub", "cp", "cp, reading", "grub-fstest", "pygrub")]
            cells += [f"{results['pvhgrub'] / results[peer]:.2f}" if {"pvhgrub", peer} <= set(results) else "-"
                      for peer in ("cp", "cp, reading")]
            memory = max(peak_memory(able["pvhgrub"], clean) for _ in range(3)) if "pvhgrub" in able else "-"
            say(f"| {name} | " + " | ".join(cells) + f" | {memory} |")
        finally:
            if mounted:
                quiet("umount", mount)
            os.unlink(image)
    say()
