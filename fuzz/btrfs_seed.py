#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""btrfs_seed.py IMAGE >SEED: the blocks of an image that are not all zeros, as btrfs_fuzz.cc takes them."""
import sys

with open(sys.argv[1], "rb") as file:
    number = 0
    while block := file.read(4096):
        if any(block):
            sys.stdout.buffer.write(number.to_bytes(4, "little") + block.ljust(4096, b"\0"))
        number += 1
