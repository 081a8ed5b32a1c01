# SPDX-License-Identifier: LGPL-2.1-or-later
"""Members of Linux MD arrays made by hand, after include/uapi/linux/raid/md_p.h and md(4): the md driver, which mdadm
needs to make one, is not everywhere. `mdadm --examine` judges the superblocks, GRUB the whole."""
import struct

SECTOR = 512
MAGIC = 0xA92B4EFC
LINEAR = -1


def checksum(block):
    words = len(block) // 4
    total = sum(struct.unpack(f"<{words}I", block[:words * 4]))
    if len(block) % 4:
        total += struct.unpack("<H", block[words * 4:words * 4 + 2])[0]
    return ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


class Array:
    def __init__(self, version, level, members, data_sectors, layout=0, chunk=65536, name="host:0", minor=0,
                 uuid=bytes(range(1, 17)), device_sectors=None):
        self.version, self.level, self.members = version, level, members
        self.layout, self.chunk, self.name, self.minor, self.uuid = layout, chunk, name, minor, uuid
        self.data_sectors = data_sectors  # of each member
        self.data_offset = 2048 if version in ("1.1", "1.2") else 0
        self.device_sectors = device_sectors or self.data_offset + data_sectors + 512

    def place(self):
        """Of the superblock, in sectors."""
        if self.version == "0.90":
            return self.device_sectors // 128 * 128 - 128
        return {"1.0": (self.device_sectors - 16) // 8 * 8, "1.1": 0, "1.2": 8}[self.version]

    def superblock(self, number, events=10, roles=None, features=0, bad_blocks=False, device_uuid=None):
        roles = roles if roles is not None else list(range(self.members))
        if self.version == "0.90":
            return self.old_superblock(number, events, roles)
        size = 0 if self.level in (0, LINEAR) else self.data_sectors
        max_dev = 128
        roles = roles + [0xFFFF] * (max_dev - len(roles))
        block = struct.pack("<4I16s32s", MAGIC, 1, features | (8 if bad_blocks else 0), 0, self.uuid, self.name.encode())
        block += struct.pack("<QiIQIIi", 1_700_000_000, self.level, self.layout, size,
                             self.chunk // SECTOR if self.level != 1 else 0, self.members, 0)
        block += struct.pack("<IQ4I", 0, 0, 0, 0, 0, 0)
        # A log of bad blocks in the sectors behind the superblock.
        log = (3, 1, 8) if bad_blocks else (0, 0, 0)
        block += struct.pack("<QQQQII16sBBHi", self.data_offset, self.data_sectors, self.place(), 0, number, 0,
                             device_uuid or bytes([number + 1]) * 16, 0, *log)
        block += struct.pack("<QQQII", 1_700_000_001, events, (1 << 64) - 1, 0, max_dev)
        block = block.ljust(256, b"\0") + struct.pack(f"<{max_dev}H", *roles)
        return block[:216] + struct.pack("<I", checksum(block)) + block[220:]

    def old_superblock(self, number, events, roles):
        words = [0] * 1024
        uuid = struct.unpack(">4I", self.uuid)
        words[0:16] = [MAGIC, 0, 90, 0, 0, uuid[0], 1_700_000_000, self.level & 0xFFFFFFFF,
                       self.data_sectors // 2, self.members, self.members, self.minor, 0, *uuid[1:]]
        words[32:38] = [1_700_000_001, 1, self.members, self.members, 0, 0]
        words[39:41] = [events & 0xFFFFFFFF, events >> 32]
        words[43] = 0xFFFFFFFF
        words[64:66] = [self.layout, self.chunk if self.level != 1 else 0]
        for i, role in enumerate(roles):
            state = 6 if role < self.members else 1
            words[128 + 32 * i:128 + 32 * i + 5] = [i, 8, 16 * i, role if role < self.members else 0, state]
        words[992:997] = words[128 + 32 * number:128 + 32 * number + 5]
        block = struct.pack("<1024I", *words)
        words[38] = checksum(block)
        return struct.pack("<1024I", *words)

    def write(self, path, number, contents, **options):
        """A member: `contents` is what stands in its data area."""
        with open(path, "wb") as file:
            file.truncate(self.device_sectors * SECTOR)
            file.seek(self.data_offset * SECTOR)
            file.write(contents[:self.data_sectors * SECTOR])
            if options.get("bad_blocks"):
                file.seek((self.place() + 8) * SECTOR)
                file.write(struct.pack("<Q", 100 << 10 | 8).ljust(SECTOR, b"\xff"))
            file.seek(self.place() * SECTOR)
            file.write(self.superblock(number, **options))

    def spread(self, data):
        """The members' contents of an array that holds `data`."""
        size = self.data_sectors * SECTOR
        legs = [bytearray(size) for _ in range(self.members)]
        if self.level == 1:
            for leg in legs:
                leg[:len(data)] = data
        elif self.level == LINEAR:
            for i, leg in enumerate(legs):
                piece = data[i * size:(i + 1) * size]
                leg[:len(piece)] = piece
        elif self.level == 10:
            self.spread_copies(legs, data)
        else:
            self.spread_rows(legs, data)
        return [bytes(leg) for leg in legs]

    def put(self, legs, leg, row, piece):
        legs[leg][row * self.chunk:row * self.chunk + len(piece)] = piece

    def spread_copies(self, legs, data):
        near, far, offset = self.layout & 255, self.layout >> 8 & 255, self.layout >> 16
        rows = self.data_sectors * SECTOR // self.chunk
        for number in range(0, (len(data) + self.chunk - 1) // self.chunk):
            piece = data[number * self.chunk:(number + 1) * self.chunk]
            for copy in range(near):
                row, leg = divmod(number * near + copy, self.members)
                for i in range(far):
                    there = (leg + i * near) % self.members
                    self.put(legs, there, row * far + i if offset else row + i * (rows // far), piece)

    def row(self, row):
        """The legs of a row's data chunks in order, and that of its parity. The layouts are those that levels 5 and 6
        share (include/uapi/linux/raid/md_p.h, drivers/md/raid5.h): 0 left asymmetric, 1 right asymmetric, 2 left
        symmetric, 3 right symmetric. The second parity of level 6 is behind the first."""
        count = self.members
        if self.level == 0:
            return list(range(count)), None
        if self.level == 4:
            return list(range(count - 1)), count - 1
        parities = self.level - 4
        parity = row % count if self.layout & 1 else count - 1 - row % count
        if self.layout & 2:
            return [(parity + parities + i) % count for i in range(count - parities)], parity
        taken = {(parity + i) % count for i in range(parities)}
        return [leg for leg in range(count) if leg not in taken], parity

    def spread_rows(self, legs, data):
        """Levels 0, 4, 5 and 6; the second parity is left out."""
        each = len(self.row(0)[0])
        for row in range((len(data) + each * self.chunk - 1) // (each * self.chunk)):
            data_legs, parity_leg = self.row(row)
            parity = 0
            for i, leg in enumerate(data_legs):
                begin = (row * each + i) * self.chunk
                piece = data[begin:begin + self.chunk]
                self.put(legs, leg, row, piece)
                parity ^= int.from_bytes(piece.ljust(self.chunk, b"\0"), "little")
            if parity_leg is not None:
                self.put(legs, parity_leg, row, parity.to_bytes(self.chunk, "little"))
