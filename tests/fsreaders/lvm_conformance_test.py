#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Logical volumes that LVM's own tools made give back the tree of all readers, and GRUB reads the same."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import conformance
import lvm_builder
import md_builder
from lvm_builder import EXTENT, MIB, Disk, mirrored, run, striped

TOOLS = ("mke2fs", "sfdisk", "grub-fstest")


def left_symmetric(legs, data, chunk):
    """raid5: the parity goes from the last leg to the first, data begins behind it."""
    each = len(legs) - 1
    for row in range(0, (len(data) + each * chunk - 1) // (each * chunk)):
        parity_leg = each - row % len(legs)
        parity = 0
        for i in range(each):
            begin = (row * each + i) * chunk
            piece = data[begin:begin + chunk].ljust(chunk, b"\0")
            parity ^= int.from_bytes(piece, "little")
            legs[(parity_leg + 1 + i) % len(legs)](row * chunk, piece)
        legs[parity_leg](row * chunk, parity.to_bytes(chunk, "little"))


class LvmConformance(lvm_builder.Lvm, unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="pvhgrub-lvm.")
        self.disks = []
        self.tree = os.path.join(self.base, "tree")
        os.mkdir(self.tree)
        conformance.Tree(self.tree, many=100, large=3 * MIB, sparse=False)
        self.image = os.path.join(self.base, "ext4")
        with open(self.image, "wb") as file:
            file.truncate(48 * MIB)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "conform", "-d", self.tree, self.image)
        with open(self.image, "rb") as file:
            self.data = file.read()

    def tearDown(self):
        for disk in self.disks:
            if disk.device:
                subprocess.run(["losetup", "-d", disk.device], check=False)
        shutil.rmtree(self.base)

    def make_disks(self, count, size=128 * MIB):
        """The first one has a GPT, and the physical volume in its partition 2; the others are one as a whole."""
        for i in range(count):
            disk = Disk(os.path.join(self.base, f"disk{i}"), size, 20 * MIB if i == 0 else 0)
            self.disks.append(disk)
            if i == 0:
                subprocess.run(["sfdisk", "-q", disk.path], check=True, text=True,
                               input="label: gpt\nstart=2048, size=8192\nstart=40960, size=212992, type=lvm\n")
                disk.attach(104 * MIB)
            else:
                disk.attach()

    def metadata_goes_round(self, disk):
        """Whether the current text begins before the end of its ring and goes on at the beginning."""
        with open(disk.path, "rb") as file:
            file.seek(disk.offset + 4096 + 24)
            _, area, offset, size = struct.unpack("<4Q", file.read(32))
        return offset + size > area

    def paths(self):
        return [disk.path for disk in self.disks]

    def check(self, device, paths=None):
        """Our reader gives the tree, GRUB's gives the same file."""
        paths = paths or self.paths()
        head = conformance.check(self, self.tree, device, *paths, ignore=("/lost+found",))
        self.assertTrue(head.startswith("ext2 ") and head.endswith("label=conform"), head)
        self.check_grub(device, paths)

    def check_grub(self, device, paths):
        with open(os.path.join(self.tree, "boot/large"), "rb") as file:
            wanted = zlib.crc32(file.read())
        told = run("grub-fstest", "-c", str(len(paths)), *paths, "crc", f"({device})/boot/large")
        self.assertEqual(told.strip().split()[-1], f"{wanted:08x}")

    def names(self, *paths):
        out = subprocess.run([conformance.READ_TREE, "-", *(paths or self.paths())], capture_output=True, text=True,
                             check=True)
        return [line.split(" ")[0] for line in out.stdout.splitlines()], out.stderr

    def refusal(self, device, *paths):
        done = subprocess.run([conformance.READ_TREE, device, *(paths or self.paths())], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_linear_and_striped_volumes_on_several_disks(self):
        self.make_disks(2)
        devices = [disk.device for disk in self.disks]
        # A small ring of metadata, which is soon full.
        self.lvm("pvcreate", "-y", "-ff", "--metadatasize", "28k", "--dataalignment", "64k", devices[0])
        # Two areas of metadata, at both ends.
        self.lvm("pvcreate", "-y", "-ff", "--pvmetadatacopies", "2", devices[1])
        self.lvm("vgcreate", "my-vg", *devices)
        make = ["-an", "-Zn", "-Wn"]
        self.lvm("lvcreate", *make, "-l", "2", "-n", "first", "my-vg", devices[0])
        self.lvm("lvcreate", *make, "-l", "6", "-n", "ro-ot", "my-vg", devices[0])
        self.lvm("lvcreate", *make, "-l", "1", "-n", "between", "my-vg", devices[0])
        self.lvm("lvextend", "-l", "+2", "my-vg/ro-ot", devices[0])
        self.lvm("lvextend", "-l", "+4", "my-vg/ro-ot", devices[1])
        self.lvm("lvcreate", *make, "-l", "12", "-i", "2", "-I", "64k", "-n", "s", "my-vg")
        self.assertEqual(len(self.segments("my-vg/ro-ot")), 3)
        for i in range(40):
            if self.metadata_goes_round(self.disks[0]):
                break
            self.lvm("lvchange", "--addtag", f"tag-{i}-" + "x" * 400, "my-vg/first")
        self.assertTrue(self.metadata_goes_round(self.disks[0]))
        self.put("my-vg/ro-ot", self.data)
        self.put("my-vg/s", self.data)
        lvmid = self.lvmid("my-vg/ro-ot")
        self.detach()
        names, notes = self.names()
        self.assertEqual(names, ["hd0", "hd0,gpt1", "hd0,gpt2", "hd1", "lvm/my--vg-first", "lvm/my--vg-ro--ot",
                                 "lvm/my--vg-between", "lvm/my--vg-s"])
        self.assertEqual(notes, "")
        self.check("lvm/my--vg-ro--ot")
        self.check("lvm/my--vg-s")
        self.check(lvmid)
        self.check("lvm/my--vg-ro--ot", self.paths()[::-1])
        # One disk alone: what needs the other says so, the rest is there.
        for path, gone in zip(self.paths(), ("pv1", "pv0")):
            told = self.refusal("lvm/my--vg-ro--ot", path)
            self.assertIn(f"needs {gone} (UUID", told)
        self.assertIn("no known file system", self.refusal("lvm/my--vg-first", self.paths()[0]))
        self.assertIn("physical volume of the LVM volume group `my-vg'", self.refusal("hd0,gpt2"))
        # A copy of a disk beside it.
        copy = os.path.join(self.base, "copy")
        shutil.copyfile(self.paths()[1], copy)
        names, notes = self.names(*self.paths(), copy)
        self.assertIn("hd2: it has the same LVM UUID as hd1", notes)
        self.check("lvm/my--vg-ro--ot")

    def test_one_damaged_area_of_metadata_leaves_the_other(self):
        self.make_disks(2)
        device = self.disks[1].device
        self.lvm("pvcreate", "-y", "-ff", "--pvmetadatacopies", "2", device)
        self.lvm("vgcreate", "vg", device)
        self.lvm("lvcreate", "-an", "-Zn", "-Wn", "-l", "12", "-n", "root", "vg")
        self.put("vg/root", self.data)
        self.detach()
        self.check("lvm/vg-root")
        self.disks[1].write(4096 + 100, b"\xff")
        conformance.check(self, self.tree, "lvm/vg-root", *self.paths(), ignore=("/lost+found",))
        self.assertIn("hd1: the metadata area at byte 4096 is not used", self.names()[1])


    def volume(self, name, extents, kind, visible=True, flags="", **values):
        """A logical volume of one segment as the metadata's text has it."""
        self.uuids += 1
        flags = '"READ", "WRITE"' + (', "VISIBLE"' if visible else "") + flags
        lines = "".join(f"{key} = {value}\n" for key, value in values.items())
        return (f'"{name}" {{\nid = "{self.uuids:06d}-aaaa-bbbb-cccc-dddd-eeee-ffffff"\nstatus = [{flags}]\nflags = []\n'
                f'segment_count = 1\nsegment1 {{\nstart_extent = 0\nextent_count = {extents}\n'
                f'type = "{kind}"\n{lines}}}\n}}\n').replace(f'"{name}" {{', f"{name} {{", 1)

    def linear(self, name, extents, volume, first, **options):
        return self.volume(name, extents, "striped", stripe_count=1, stripes=f'["{volume}", {first}]', **options)

    def raid(self, name, extents, kind, each, places, records=True, **values):
        """A RAID volume with its images at `places`, each of `each` extents, and the records behind them."""
        text, images = "", []
        for i, (disk, first) in enumerate(places):
            text += self.linear(f"{name}_rimage_{i}", each, f"pv{disk}", first, visible=False)
            if records:
                text += self.linear(f"{name}_rmeta_{i}", 1, f"pv{disk}", first + each, visible=False)
                images.append(f'"{name}_rmeta_{i}"')
            images.append(f'"{name}_rimage_{i}"')
        if records:
            values["region_size"] = 4096
        keys = ("device_count", "raids") if records else ("stripe_count", "raid0_lvs")
        values.update(zip(keys, (len(places), f"[{', '.join(images)}]")))
        return self.volume(name, extents, kind, **values) + text

    def writers(self, *places):
        """As (position, bytes) functions; each place is a disk and an extent."""
        return [lambda position, data, disk=disk, first=first:
                self.disks[disk].write(MIB + first * EXTENT + position, data) for disk, first in places]

    def restore(self, volumes):
        """Has LVM write a group that also has these volumes."""
        backup = os.path.join(self.base, "backup")
        self.lvm("vgcfgbackup", "-f", backup, "vg")
        with open(backup, encoding="utf-8") as file:
            text = file.read()
        end = text.rindex("}", 0, text.index("# Generated") if "# Generated" in text[200:] else len(text))
        with open(backup, "w", encoding="utf-8") as file:
            file.write(text[:end] + "logical_volumes {\n" + volumes + "}\n" + text[end:])
        self.lvm("vgcfgrestore", "--force", "-y", "-f", backup, "vg")

    def test_all_kinds_of_volumes(self):
        self.uuids = 0
        self.make_disks(5, 256 * MIB)
        devices = [disk.device for disk in self.disks]
        self.lvm("pvcreate", "-y", "-ff", *devices)
        self.lvm("vgcreate", "vg", *devices)
        stripe = {"stripe_size": 128}
        raid0, raid10 = [(1, 13), (2, 13), (3, 0)], [(1, 17), (2, 17), (3, 4), (4, 0)]
        raid5 = [(2, 24), (3, 11), (4, 7)]
        # Types without an order of the parity in their name, which GRUB knows too: what dm-raid makes of them.
        plain = {"raid5": [(1, 37), (2, 33), (3, 32)], "raid6": [(0, 0), (1, 44), (2, 40), (3, 39), (4, 27)]}
        self.restore(
            self.raid("r1", 12, "raid1", 12, [(1, 0), (2, 0)]) +
            self.raid("r0", 12, "raid0", 4, raid0, records=False, **stripe) +
            self.raid("r10", 12, "raid10", 6, raid10, **stripe) +
            self.raid("r5", 12, "raid5_ls", 6, raid5, **stripe) +
            "".join(self.raid(kind, 12, kind, 4 if kind == "raid6" else 6, places, **stripe)
                    for kind, places in plain.items()) +
            self.volume("m", 12, "mirror", mirror_count=2, mirror_log='"m_mlog"', region_size=1024,
                        mirrors='["m_mimage_0", 0, "m_mimage_1", 0]') +
            self.linear("m_mimage_0", 12, "pv3", 18, visible=False) +
            self.linear("m_mimage_1", 12, "pv4", 14, visible=False) +
            self.linear("m_mlog", 1, "pv1", 24, visible=False) +
            self.linear("root", 12, "pv1", 25) + self.linear("snap", 2, "pv2", 31) +
            self.volume("snapshot0", 12, "snapshot", visible=False, chunk_size=8, origin='"root"', cow_store='"snap"') +
            self.volume("pool", 2, "thin-pool", visible=False, metadata='"pool_tmeta"', pool='"pool_tdata"',
                        transaction_id=1, chunk_size=128, discards='"passdown"', zero_new_blocks=1) +
            self.linear("pool_tdata", 2, "pv3", 30, visible=False) +
            self.linear("pool_tmeta", 1, "pv4", 26, visible=False) +
            self.volume("thin", 4, "thin", thin_pool='"pool"', transaction_id=0, device_id=1))
        listed = self.lvm("lvs", "-a", "--noheadings", "-o", "lv_name,segtype")
        self.assertIn("raid5_ls", listed)
        mirrored(self.writers((1, 0), (2, 0)), self.data)
        striped(self.writers(*raid0), self.data, 65536)
        striped(self.writers(*raid10), self.data, 65536, copies=2)
        left_symmetric(self.writers(*raid5), self.data, 65536)
        for kind, places in plain.items():
            # Right asymmetric for raid6 (its "zero restart" differs in the second parity only).
            each, layout = (4, 1) if kind == "raid6" else (6, 2)
            array = md_builder.Array("1.2", int(kind[-1]), len(places), each * EXTENT // 512, layout)
            for writer, contents in zip(self.writers(*places), array.spread(self.data)):
                writer(0, contents)
        mirrored(self.writers((3, 18), (4, 14)), self.data)
        mirrored(self.writers((1, 25)), self.data)
        self.detach()
        names, notes = self.names()
        kinds = ("r1", "r0", "r10", "r5", *plain, "m", "root", "snap", "thin")
        self.assertEqual(names[7:], [f"lvm/vg-{name}" for name in kinds])
        self.assertEqual(notes, "")
        for name in ("r1", "m", "root", *plain):
            with self.subTest(volume=name):
                self.check("lvm/vg-" + name)
        # Of which GRUB knows no such type of LVM's; the arrays' test judges the same layouts.
        for name in ("r0", "r10", "r5"):
            with self.subTest(volume=name):
                conformance.check(self, self.tree, "lvm/vg-" + name, *self.paths(), ignore=("/lost+found",))
        self.assertIn("lvm/vg-snap: it is a snapshot, which cannot be read here; its origin is lvm/vg-root",
                      self.refusal("lvm/vg-snap"))
        self.assertIn("lvm/vg-thin: it is of LVM's type `thin', which cannot be read here", self.refusal("lvm/vg-thin"))
        # Without each disk: what has a copy elsewhere is read, the rest names what it needs.
        needs = {"r1": set(), "r0": {1, 2, 3}, "r10": set(), "r5": {2, 3, 4}, "m": set(), "root": {1}}
        for gone in (1, 2, 4):
            paths = [path for i, path in enumerate(self.paths()) if i != gone]
            for name, disks in needs.items():
                with self.subTest(volume=name, without=gone):
                    if gone in disks:
                        self.assertIn(f"lvm/vg-{name}: the logical volume `{name}' needs",
                                      self.refusal("lvm/vg-" + name, *paths))
                        self.assertIn("name the guest's other disks too", self.refusal("lvm/vg-" + name, *paths))
                    else:
                        conformance.check(self, self.tree, "lvm/vg-" + name, *paths, ignore=("/lost+found",))
        # An image that failed, or that is being filled, by the records that dm-raid keeps.
        for failed, recovered in ((1, (1 << 64) - 1), (0, 8192)):
            for number, place in enumerate(((1, 12), (2, 12))):
                done = recovered if number == 0 else (1 << 64) - 1
                self.writers(place)[0](0, struct.pack("<4s3I4Q", b"DmRd", 0, 2, number, 9, failed, done, 0))
            self.writers((1, 0))[0](0, bytes(len(self.data)))
            conformance.check(self, self.tree, "lvm/vg-r1", *self.paths(), ignore=("/lost+found",))
            alone = [path for i, path in enumerate(self.paths()) if i != 2]
            self.assertIn("name the guest's other disks too", self.refusal("lvm/vg-r1", *alone))

    def test_volumes_on_an_array(self):
        self.make_disks(2)
        device = self.disks[1].device
        self.lvm("pvcreate", "-y", "-ff", device)
        self.lvm("vgcreate", "vg", device)
        self.lvm("lvcreate", "-an", "-Zn", "-Wn", "-l", "12", "-n", "root", "vg")
        self.put("vg/root", self.data)
        self.detach()
        with open(self.paths()[1], "rb") as file:
            contents = file.read()
        for version in ("0.90", "1.0", "1.2"):
            with self.subTest(version=version):
                array = md_builder.Array(version, 1, 2, len(contents) // 512)
                members = [os.path.join(self.base, f"member{i}") for i in (0, 1)]
                for number, path in enumerate(members):
                    array.write(path, number, contents)
                name = "md/md0" if version == "0.90" else "md/0"
                self.assertEqual(self.names(*members), (["hd0", "hd1", name, "lvm/vg-root"], ""))
                self.check("lvm/vg-root", members)


if __name__ == "__main__":
    missing = lvm_builder.missing(*TOOLS)
    if missing:
        print("skipped:", missing, file=sys.stderr)
        sys.exit(77)
    unittest.main()
