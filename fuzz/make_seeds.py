#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make_seeds.py FOLDER: seeds for disk_fuzz.cc, a file a kind of disk, by the real tools of each format. What lacks its
tool, or a mount (root and the kernel's driver), is told and left out. make_seeds.py SEED IMAGE...: one of one's own."""
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

BLOCK = 4096
MIB = 1 << 20
ENVIRONMENT = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin", "MTOOLS_SKIP_CHECK": "1",
               # mkfs.xfs makes small file systems only for XFS's own tests.
               "TEST_DIR": "/nowhere", "TEST_DEV": "/nowhere", "QA_CHECK_FS": "1"}
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fsreaders"))
import md_builder  # noqa: E402


def write_seed(path, images):
    """The blocks of `images`, at most four, that are not all zeros, as disk_fuzz.cc takes them."""
    sizes = [(os.path.getsize(image) + BLOCK - 1) // BLOCK for image in images]
    with open(path, "wb") as seed:
        seed.write(struct.pack("<4I", *sizes, *[0] * (4 - len(sizes))))
        for disk, image in enumerate(images):
            with open(image, "rb") as file:
                number = 0
                while block := file.read(BLOCK):
                    if any(block):
                        seed.write(struct.pack("<I", disk << 30 | number) + block.ljust(BLOCK, b"\0"))
                    number += 1
        return seed.tell()


class Skip(Exception):
    pass


def run(*command, **options):
    if not shutil.which(command[0], path=ENVIRONMENT["PATH"]):
        raise Skip(f"{command[0]} is missing")
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, **options)
    if done.returncode != 0:
        raise Skip(f"{' '.join(command)}: {(done.stdout + done.stderr).decode(errors='replace')[-300:]}")
    return done.stdout


class Maker:
    def __init__(self, folder, base):
        self.folder, self.base = folder, base
        self.tree = os.path.join(base, "tree")
        self.make_tree()

    def make_tree(self):
        os.makedirs(f"{self.tree}/boot/grub")
        noise = random.Random(1).randbytes
        for name, contents in (("boot/grub/grub.cfg", b"menuentry x { linux /boot/vmlinuz }\n"), ("empty", b""),
                               ("boot/vmlinuz", noise(9000) + bytes(9000) + b"end"), ("boot/text", b"compresses well\n" * 3000),
                               ("n" * 100, b"long")):
            with open(f"{self.tree}/{name}", "wb") as file:
                file.write(contents)
        for i in range(20):
            with open(f"{self.tree}/boot/entry-{i}", "w", encoding="ascii") as file:
                file.write(f"title {i}\n")
        os.symlink("boot/vmlinuz", f"{self.tree}/vmlinuz")
        os.symlink("/boot/" + "./" * 50 + "text", f"{self.tree}/long-link")

    def image(self, name, size):
        path = os.path.join(self.base, name)
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def seed(self, name, *images):
        size = write_seed(os.path.join(self.folder, name), images)
        print(f"{name}: {size >> 10} KiB" + (" (too large to be of use)" if size > 4 * MIB else ""))
        for image in images:
            os.remove(image)

    def mounted(self, image, work, options="loop", copy=False):
        """Calls `work` with the place where `image` is mounted; with `copy` gives a copy as it is before the end."""
        place = os.path.join(self.base, "mounted")
        os.makedirs(place, exist_ok=True)
        run("mount", "-o", options, image, place)
        try:
            work(place)
            if copy:
                # What the kernel's driver has written so far: its log is not empty.
                shutil.copyfile(image, image + ".dirty")
        finally:
            run("umount", place)
        return image + ".dirty"

    def ext(self):
        for kind in ("ext2", "ext3", "ext4"):
            image = self.image("image", 2 * MIB)
            run("mke2fs", "-q", "-F", "-t", kind, "-b", "1024", "-d", self.tree, image)
            self.seed(kind, image)

    def xfs(self):
        # A log that was never written is zeros, unlike one that was once mounted.
        entries = ["boot", "0 0", "d--755 0 0", "d d--755 0 0"]
        entries += [f"entry-{i} ---644 0 0 {self.tree}/boot/grub/grub.cfg" for i in range(20)]
        entries += ["$", f"vmlinuz ---644 0 0 {self.tree}/boot/vmlinuz", "link l--777 0 0 d/entry-1", "$"]
        with open(f"{self.base}/protofile", "w", encoding="ascii") as file:
            file.write("\n".join(entries) + "\n")
        for name, options in (("xfs", "-b size=4096"), ("xfs-small", "-b size=1024 -i nrext64=1"),
                              ("xfs-v4", "-m crc=0 -n ftype=0 -b size=512")):
            image = self.image("image", 64 * MIB)
            run("mkfs.xfs", "-q", "-f", *options.split(), "-p", f"{self.base}/protofile", image)
            self.seed(name, image)
        image = self.image("image", 64 * MIB)
        run("mkfs.xfs", "-q", "-f", "-b", "size=1024", "-m", "reflink=0,rmapbt=0", "-d", "agcount=1", "-l", "size=3m", image)
        dirty = self.mounted(image, self.fill_and_sync, copy=True)
        os.remove(image)
        self.seed("xfs-dirty", dirty)

    def fill(self, place):
        shutil.copytree(self.tree, f"{place}/tree", symlinks=True)
        with open(f"{place}/sparse", "wb") as file:
            for i in range(12):
                file.seek(i * 100_000)
                file.write(b"a piece")

    def fill_and_sync(self, place):
        self.fill(place)
        descriptor = os.open(f"{place}/sparse", os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def btrfs(self):
        for name, options in (("btrfs-mixed", "--mixed -n 4096"), ("btrfs", "-n 4096 -m single"),
                              ("btrfs-dup", "-n 16384 -m dup --csum xxhash")):
            image = self.image("image", 128 * MIB)
            run("mkfs.btrfs", "-q", "-f", "--rootdir", self.tree, *options.split(), image)
            self.seed(name, image)
        for compression in ("zlib", "lzo", "zstd"):
            image = self.image("image", 128 * MIB)
            run("mkfs.btrfs", "-q", "-f", "-n", "4096", "-m", "single", image)
            self.mounted(image, self.fill_btrfs, f"loop,compress-force={compression}")
            self.seed(f"btrfs-{compression}", image)
        image = self.image("image", 128 * MIB)
        run("mkfs.btrfs", "-q", "-f", "-n", "4096", "-m", "single", image)
        dirty = self.mounted(image, self.fill_and_sync, copy=True)
        os.remove(image)
        self.seed("btrfs-log", dirty)
        for profile, count in (("raid0", 2), ("raid1", 2), ("raid10", 4), ("raid5", 3)):
            images = [self.image(f"image{i}", 128 * MIB) for i in range(count)]
            run("mkfs.btrfs", "-q", "-f", "-n", "4096", "-d", profile, "-m", profile, *images)
            self.seed(f"btrfs-{profile}", *images)

    def fill_btrfs(self, place):
        run("btrfs", "subvolume", "create", f"{place}/volume")
        self.fill(f"{place}/volume")
        run("btrfs", "subvolume", "snapshot", f"{place}/volume", f"{place}/snapshot")

    def fat(self):
        for bits, size, options in ((12, 1, ()), (16, 16, ("-s", "4")), (32, 36, ("-s", "1"))):
            image = self.image("image", size * MIB)
            run("mkfs.fat", "-F", str(bits), *options, image)
            run("mcopy", "-s", "-i", image, f"{self.tree}/boot", f"{self.tree}/empty", "::/")
            self.seed(f"fat{bits}", image)

    def exfat(self):
        image = self.image("image", 4 * MIB)
        run("mkfs.exfat", "-c", "4K", image)
        loop = run("losetup", "-f", "--show", image).decode().strip()
        place = os.path.join(self.base, "exfat")
        os.mkdir(place)
        try:
            run("mount.exfat-fuse", loop, place)
            shutil.copytree(f"{self.tree}/boot", f"{place}/Boot")
            run("umount", place)
        finally:
            run("losetup", "-d", loop)
        self.seed("exfat", image)

    def iso9660(self):
        for name, options in (("iso-rock", "-R"), ("iso-joliet", "-J"), ("iso-both", "-R -J -hfs")):
            image = os.path.join(self.base, "image")
            run("genisoimage", "-quiet", *options.split(), "-o", image, self.tree)
            self.seed(name, image)

    def squashfs(self):
        for compressor in ("gzip", "xz", "lzo", "lz4", "zstd", "none"):
            image = os.path.join(self.base, "image")
            plain = ("-noI", "-noD", "-noF", "-noX") if compressor == "none" else ("-comp", compressor)
            run("mksquashfs", self.tree, image, "-quiet", "-no-progress", "-b", "4096", *plain)
            self.seed(f"squashfs-{compressor}", image)

    def erofs(self):
        for name, options in (("erofs", ""), ("erofs-lz4", "-z lz4"), ("erofs-lz4hc", "-z lz4hc -C 16384 -E ztailpacking"),
                              ("erofs-fragments", "-z lz4 -E fragments,dedupe"), ("erofs-chunks", "--chunksize=4096"),
                              ("erofs-legacy", "-z lz4 -E legacy-compress")):
            image = os.path.join(self.base, "image")
            run("mkfs.erofs", "-U", "00000000-0000-0000-0000-000000000001", *options.split(), image, self.tree)
            self.seed(name, image)
        # Fragments, shared clusters and compressors of a later mkfs.erofs.
        data = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "fsreaders", "erofs")
        for name in sorted(os.listdir(data)):
            if name.endswith(".erofs"):
                self.seed(f"erofs-{name.removesuffix('.erofs')}", shutil.copy(os.path.join(data, name), self.base))

    def ufs(self):
        for version in "12":
            image = os.path.join(self.base, "image")
            run("makefs", "-t", "ffs", "-o", f"version={version},bsize=4096,fsize=512", "-s", "2m", image, self.tree)
            self.seed(f"ufs{version}", image)

    def lvm(self):
        config = ('devices { filter=["a|^/dev/loop|", "r|.*|"] use_devicesfile=0 scan_lvs=0 } global { use_lvmpolld=0 '
                  f'use_lvmlockd=0 event_activation=0 locking_type=1 locking_dir="{self.base}" }} '
                  'activation { udev_sync=0 udev_rules=0 monitoring=0 } backup { backup=0 archive=0 }')
        images = [self.image(f"image{i}", 16 * MIB) for i in range(3)]
        loops = []
        try:
            for image in images:
                loops.append(run("losetup", "-f", "--show", image).decode().strip())
            config = config.replace('"a|^/dev/loop|"', ", ".join(f'"a|^{loop}$|"' for loop in loops))

            def lvm(*command):
                run("lvm", command[0], "--driverloaded", "n", "--config", config, *command[1:])

            lvm("pvcreate", "-y", "-ff", *loops)
            lvm("vgcreate", "-s", "128k", "vg", *loops)
            for options in ("-l 16 -n root", "-l 8 -i 2 -I 64k -n striped"):
                lvm("lvcreate", "-an", "-Zn", "-Wn", *options.split(), "vg")
        finally:
            for loop in loops:
                run("losetup", "-d", loop)
        # Where the first volume lies: behind the first MiB of the first one.
        data = self.image("data", 2 * MIB)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", self.tree, data)
        with open(data, "rb") as source, open(images[0], "r+b") as target:
            target.seek(MIB)
            target.write(source.read())
        self.seed("lvm", *images)

    def md(self):
        data = self.image("data", 2 * MIB)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-d", self.tree, data)
        with open(data, "rb") as file:
            contents = file.read()
        for version, level, members, parts, layout in (
                ("0.90", 1, 2, 1, 0), ("1.0", 1, 2, 1, 0), ("1.2", 0, 2, 2, 0), ("1.2", 10, 4, 2, 0x102), ("1.1", 5, 3, 2, 2),
                ("1.2", 6, 4, 2, 2)):
            array = md_builder.Array(version, level, members, len(contents) // 512 // parts, layout)
            images = [os.path.join(self.base, f"image{i}") for i in range(members)]
            for number, (path, leg) in enumerate(zip(images, array.spread(contents))):
                array.write(path, number, leg)
            self.seed(f"md-{version}-raid{level}", *images)

    def tables(self):
        for label in ("dos", "gpt", "sun"):
            image = self.image("image", 8 * MIB)
            run("sfdisk", "-q", "--label", label, image, input=b"size=1M\n")
            self.seed(f"table-{label}", image)


def main():
    if len(sys.argv) > 2:
        write_seed(sys.argv[1], sys.argv[2:])
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pvhgrub-seeds.") as base:
        maker = Maker(sys.argv[1], base)
        for kind in (maker.ext, maker.xfs, maker.btrfs, maker.fat, maker.exfat, maker.iso9660, maker.squashfs, maker.erofs,
                     maker.ufs, maker.lvm, maker.md, maker.tables):
            try:
                kind()
            except Skip as reason:
                print(f"skipped: {kind.__name__}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
