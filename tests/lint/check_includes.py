#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The include table of docs/architecture.md: a folder includes only what its row allows."""
import pathlib
import re
import sys

# folder -> what a quoted include may begin with
QUOTED = {
    "base": ["base/"],
    "protocol": ["protocol/", "base/"],
    "sandbox": ["sandbox/", "base/"],
    "fsreaders": ["fsreaders/", "base/"],
    "bootimage": ["bootimage/", "base/"],
    "grubcfg": ["grubcfg/", "fsreaders/file_system.h", "fsreaders/file_range.h", "bootimage/elf.h", "bootimage/pe.h",
                "base/"],
    "menu": ["menu/", "grubcfg/", "base/"],
    "src/broker": ["src/broker/", "protocol/", "sandbox/", "base/"],
    "src/appliance": ["src/appliance/", "protocol/", "sandbox/", "base/"],
    "src/worker": ["src/worker/", "menu/", "grubcfg/", "bootimage/", "fsreaders/", "protocol/", "sandbox/", "base/"],
}
# library header prefix -> the folders that may include it
LIBRARIES = {
    "libfdisk/": ["fsreaders"],
    "ext2fs/": ["fsreaders"],
    "et/": ["fsreaders"],
    "guestfs.h": ["src/appliance"],
    "crypt.h": ["grubcfg"],
    "seccomp.h": ["sandbox"],
    "curses.h": ["menu"],
    "term.h": ["menu"],
    "spdlog/": ["src/broker"],
    "toml++/": ["src/broker"],
    "nettle/": ["grubcfg", "fsreaders", "src/broker"],
    "xenstore.h": ["src/broker"],
    "blake2.h": ["fsreaders"],
    "xxhash.h": ["fsreaders"],
    "nlohmann/": ["protocol"],
    "zlib.h": ["bootimage", "fsreaders"],
    "bzlib.h": ["bootimage"],
    "lzma.h": ["bootimage", "fsreaders"],
    "lzo/": ["bootimage", "fsreaders"],
    "lz4": ["bootimage", "fsreaders"],
    "zstd": ["bootimage", "fsreaders"],
}


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    findings = 0
    for folder, allowed in QUOTED.items():
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".cc", ".h"):
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
                if not match:
                    continue
                quote, name = match.groups()
                bad = quote == '"' and not any(name.startswith(prefix) for prefix in allowed)
                for library, folders in LIBRARIES.items():
                    bad = bad or (name.startswith(library) and folder not in folders)
                if bad:
                    print(f"{path.relative_to(root)}:{number}: {folder} may not include {name}")
                    findings += 1
    return 1 if findings else 0


sys.exit(main())
