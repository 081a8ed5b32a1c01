# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks with logical volumes that LVM's own tools made. They need loop devices and so root, but no device-mapper: where a
volume's bytes lie is told by `lvs`, and they are put there by hand."""
import os
import shutil
import subprocess

os.environ["PATH"] += ":/sbin:/usr/sbin"
MIB = 1 << 20
EXTENT = 4 * MIB


def missing(*programs):
    """Why no volumes can be made here; "" where they can."""
    gone = [program for program in ("lvm", "losetup", *programs) if shutil.which(program) is None]
    if gone:
        return f"{', '.join(gone)} missing"
    return "" if os.geteuid() == 0 and os.path.exists("/dev/loop-control") else "needs root and loop devices"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


class Disk:
    """An image of which `offset` and what follows is a loop device."""

    def __init__(self, path, size, offset=0):
        """`size` 0: the image is there already."""
        self.path = path
        self.offset = offset
        if size:
            with open(path, "wb") as file:
                file.truncate(size)
        self.device = ""

    def attach(self, size=0):
        limit = ["--sizelimit", str(size)] if size else []
        self.device = run("losetup", "-f", "--show", "-o", str(self.offset), *limit, self.path).strip()

    def write(self, position, data):
        with open(self.path, "r+b") as file:
            file.seek(self.offset + position)
            file.write(data)


def mirrored(legs, data):
    for leg in legs:
        leg(0, data)


def striped(legs, data, chunk, copies=1):
    """raid0 and raid10 near: copies lie on legs beside each other."""
    for i in range(0, len(data), chunk):
        for copy in range(copies):
            row, leg = divmod(i // chunk * copies + copy, len(legs))
            legs[leg](row * chunk, data[i:i + chunk])


class Lvm:
    """LVM that sees only `disks`, which are attached. For a test case: has `base`, a directory, and `disks`."""

    def lvm(self, command, *arguments):
        devices = ", ".join(f'"a|^{disk.device}$|"' for disk in self.disks)
        config = (f'devices {{ filter=[{devices}, "r|.*|"] use_devicesfile=0 scan_lvs=0 }} '
                  "global { use_lvmpolld=0 use_lvmlockd=0 event_activation=0 locking_type=1 "
                  f'locking_dir="{self.base}" }} activation {{ udev_sync=0 udev_rules=0 monitoring=0 }} '
                  'backup { backup=0 archive=0 }')
        os.environ["LVM_SUPPRESS_FD_WARNINGS"] = "1"
        return run("lvm", command, "--driverloaded", "n", "--config", config, *arguments)

    def detach(self):
        for disk in self.disks:
            if disk.device:
                run("losetup", "-d", disk.device)
            disk.device = ""

    def segments(self, volume):
        """(type, first extent, extents, stripe bytes, [(disk, byte)]) as lvs tells them."""
        by_device = {disk.device: disk for disk in self.disks}
        out = self.lvm("lvs", "-a", "--segments", "--noheadings", "--nosuffix", "--units", "b", "--separator", "|", "-o",
                       "segtype,seg_start_pe,seg_size,stripe_size,seg_pe_ranges", volume)
        starts = {line.split("|")[0].strip(): int(line.split("|")[1]) for line in self.lvm(
            "pvs", "--noheadings", "--nosuffix", "--units", "b", "--separator", "|", "-o", "pv_name,pe_start").splitlines()}
        found = []
        for line in out.splitlines():
            kind, first, size, stripe, ranges = line.strip().split("|")
            legs = []
            for each in ranges.split():
                device, extents = each.rsplit(":", 1)
                legs.append((by_device[device], starts[device] + int(extents.split("-")[0]) * EXTENT))
            found.append((kind, int(first) * EXTENT, int(size), int(stripe), legs))
        return found

    def put(self, volume, data):
        """Has a linear or striped volume hold `data`."""
        for _, first, size, stripe, legs in self.segments(volume):
            piece = data[first:first + size]
            writers = [lambda position, data, leg=leg: leg[0].write(leg[1] + position, data) for leg in legs]
            if len(writers) == 1:
                mirrored(writers, piece)
            else:
                striped(writers, piece, stripe)

    def lvmid(self, volume):
        """The volume's UUIDs as GRUB's device name has them."""
        return "lvmid/" + "/".join(self.lvm("lvs", "--noheadings", "-o", "vg_uuid,lv_uuid", volume).split())
