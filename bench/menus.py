# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks whose menus have many entries, in each syntax."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "src"))
import guest_image  # noqa: E402

OPTIONS = "root=UUID=6f1d5c5e-4f0b-4a9e-9d3c-0c7d3a5b8e21 ro console=hvc0 quiet"


def grub(number):
    return (f"menuentry 'Linux {number}' --class gnu-linux --id linux-{number} {{\n\tinsmod ext2\n"
            f"\techo 'Loading Linux {number} ...'\n\tlinux /boot/vmlinuz {OPTIONS} n={number}\n\tinitrd /boot/initrd.img\n}}\n")


def bls(number):
    return (f"title Linux {number}\nversion 6.1.{number}-200.fc43.x86_64\nlinux /boot/vmlinuz\ninitrd /boot/initrd.img\n"
            f"options {OPTIONS} n={number}\ngrub_class fedora\nid linux-{number}\n")


def extlinux(number):
    return (f"LABEL linux{number}\n  MENU LABEL Linux {number}\n  LINUX /boot/vmlinuz\n  INITRD /boot/initrd.img\n"
            f"  APPEND {OPTIONS} n={number}\n")


def legacy(number):
    return f"title Linux {number}\nroot (hd0,1)\nkernel /boot/vmlinuz {OPTIONS} n={number}\ninitrd /boot/initrd.img\n\n"


def whole(function, count):
    return "".join(function(number) for number in range(count)).encode()


def fill_grub(tree, count):
    tree.write("/boot/grub/grub.cfg", whole(grub, count))


def fill_extlinux(tree, count):
    tree.write("/boot/extlinux/extlinux.conf", b"DEFAULT linux0\n" + whole(extlinux, count))


def fill_legacy(tree, count):
    tree.write("/boot/grub/menu.lst", b"default 0\ntimeout 5\n" + whole(legacy, count))


def fill_entries(tree, count):
    for number in range(count):
        tree.write(f"/loader/entries/f43-6.1.{number}-200.fc43.x86_64.conf", bls(number).encode())


def fill_blscfg(tree, count):
    tree.write("/boot/grub2/grub.cfg", b"set timeout=5\nblscfg\n")
    fill_entries(tree, count)


SYNTAXES = {
    "grub.cfg": fill_grub,
    "blscfg in grub.cfg": fill_blscfg,
    "BLS as systemd-boot": fill_entries,
    "extlinux.conf": fill_extlinux,
    "menu.lst": fill_legacy,
}


def make_disk(path, syntax, count):
    """A GPT disk whose second partition has the menu. The kernel's own driver writes the files: mke2fs -d takes a time that
    grows with the square of a directory's size."""
    tree = guest_image.GuestTree()
    os.unlink(tree.path + "/boot/grub/grub.cfg")
    SYNTAXES[syntax](tree, count)
    size = 64 + count // 256  # MiB: a block of 1 KiB and an inode for each entry that is a file
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as file:
        file.truncate((size + 8) * 1048576)
    guest_image.run("sfdisk", "-q", path, input=f"label: gpt\nstart=1MiB, size=1MiB\nstart=2MiB, size={size}MiB\n".encode())
    offset = 2 * 1048576
    guest_image.run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-N", str(count + 1000), "-b", "1024",
                    "-E", f"offset={offset}", path, f"{size}M")
    mount = tempfile.mkdtemp(prefix="pvhgrub-mount.")
    guest_image.run("mount", "-o", f"loop,offset={offset}", path, mount)
    try:
        guest_image.run("cp", "-r", tree.path + "/.", mount)
    finally:
        guest_image.run("umount", mount)
        os.rmdir(mount)
    tree.remove()
