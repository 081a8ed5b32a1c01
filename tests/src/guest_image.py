# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guest disks for the tests of the whole program, made by the real tools and without root."""
import os
import random
import shutil
import struct
import subprocess
import tempfile

UUID = "11111111-2222-3333-4444-555555555555"

GRUB_CFG = f"""\
if [ -s $prefix/grubenv ]; then
  load_env
fi
set default="${{saved_entry}}"
set timeout=5
menuentry 'Debian GNU/Linux' --class debian --class gnu-linux --id first {{
  search --no-floppy --fs-uuid --set=root {UUID}
  echo 'Loading Linux ...'
  linux /boot/vmlinuz root=UUID={UUID} ro quiet
  initrd /boot/initrd.img
}}
submenu 'Advanced options' --id advanced {{
  menuentry 'Recovery mode' --id recovery {{
    linux /boot/vmlinuz root=UUID={UUID} ro single
    initrd /boot/ucode.img /boot/initrd.img
  }}
  menuentry 'Missing kernel' {{
    linux /boot/not-there ro
  }}
}}
menuentry 'Memory test' {{
  chainloader /boot/memtest.efi
}}
"""


def kernel_bytes(command_line_size=2047, size=300_000):
    """A file with a bzImage's setup header (Documentation/arch/x86/boot.rst) that tells of no payload, and noise behind
    it: not known for what it is, and so handed over byte for byte. Real ones: kernel_images.py."""
    image = bytearray(random.Random(1).randbytes(size))
    image[0x1FE:0x200] = b"\x55\xaa"
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x20F)
    image[0x1F1] = 4
    struct.pack_into("<H", image, 0x20E, 0)
    image[0x211] = 1
    struct.pack_into("<I", image, 0x1F4, (size - 2560) // 16)
    struct.pack_into("<I", image, 0x238, command_line_size)
    struct.pack_into("<II", image, 0x248, 0, 0)
    return bytes(image)


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


class GuestTree:
    """A guest's files; `write` adds one."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="pvhgrub-tree.")
        self.kernel = kernel_bytes()
        self.initrd = random.Random(2).randbytes(700_001)
        self.ucode = b"070701" + random.Random(3).randbytes(4099)
        self.write("/boot/vmlinuz", self.kernel)
        self.write("/boot/initrd.img", self.initrd)
        self.write("/boot/ucode.img", self.ucode)
        self.write("/boot/memtest.efi", b"MZ")
        self.write("/boot/grub/grub.cfg", GRUB_CFG.encode())

    def write(self, name, contents):
        path = self.path + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(contents)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def make_ext4(image, tree, size_mib=32, offset=0, options=()):
    """An ext4 file system of the tree's files at an offset (bytes) of the image."""
    if not os.path.exists(image):
        with open(image, "wb") as file:
            file.truncate(offset + size_mib * 1048576)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-U", UUID, "-d", tree, "-E", f"offset={offset}", *options, image,
        f"{size_mib}M")


def make_disk(image, tree, table="gpt", size_mib=40, fs_mib=32):
    """A partitioned disk whose second partition (or the first logical one, for "logical") holds the tree."""
    with open(image, "wb") as file:
        file.truncate(size_mib * 1048576)
    if table == "gpt":
        script = "label: gpt\nstart=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649\n"
        script += f"start=2MiB, size={fs_mib}MiB, type=L\n"
        offset = 2 * 1048576
    elif table == "msdos":
        script = f"label: dos\nstart=1MiB, size=1MiB, type=82\nstart=2MiB, size={fs_mib}MiB, type=83, bootable\n"
        offset = 2 * 1048576
    else:
        script = f"label: dos\nstart=1MiB, size={size_mib - 2}MiB, type=5\nstart=2MiB, size={fs_mib}MiB, type=83\n"
        offset = 2 * 1048576
    run("sfdisk", "-q", image, input=script.encode())
    make_ext4(image, tree, fs_mib, offset)
    return offset
