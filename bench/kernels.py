# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest with a real compressed kernel: pvhgrub hands it over decompressed, pygrub leaves that to the domain builder, so
the format's own tool stands beside it for what libxenguest then does."""
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "src"))
import guest_image  # noqa: E402
import kernel_images  # noqa: E402

TOOLS = {"gzip": ["gzip", "-dc"], "bzip2": ["bzip2", "-dc"], "xz": ["xz", "-dc"], "lzma": ["xz", "--format=lzma", "-dc"],
         "lzo": ["lzop", "-dc"], "lz4": ["lz4", "-dc"], "zstd": ["zstd", "-dcq"]}


def real_kernel(pvhgrub):
    """A kernel that is there: $PVHGRUB_BENCH_KERNEL, the host's own, or the demonstration guest's; else one made here."""
    candidates = [os.environ.get("PVHGRUB_BENCH_KERNEL", "")]
    candidates += sorted(glob.glob("/boot/vmlinuz-*")) + sorted(glob.glob(ROOT + "/demo/rootfs/boot/vmlinuz-*"))
    for path in candidates:
        if path and os.path.exists(path):
            told = subprocess.run([pvhgrub, "--inspect", "--output-format=json", path], capture_output=True, check=True)
            facts = json.loads(told.stdout)["kernel"]
            if facts.get("pvh") == "yes" and facts.get("compression") in TOOLS:
                with open(path, "rb") as file:
                    return file.read(), facts["compression"], facts["description"]
    return kernel_images.linux(how="xz", size=60 << 20)[0], "xz", "made here, xz"


def payload_of(kernel, compression):
    """The compressed stream in a bzImage (Documentation/arch/x86/boot.rst), without the size that Linux adds to it."""
    setup = (kernel[0x1F1] + 1) * 512
    start = setup + int.from_bytes(kernel[0x248:0x24C], "little")
    length = int.from_bytes(kernel[0x24C:0x250], "little")
    return kernel[start:start + length - (0 if compression == "gzip" else 4)]


def make_guest(folder, pvhgrub, initrd_mib):
    """The disk, the decompressor's command on the kernel's payload, and what the kernel is."""
    kernel, compression, description = real_kernel(pvhgrub)
    tree = guest_image.GuestTree()
    tree.write("/boot/vmlinuz", kernel)
    tree.write("/boot/initrd.img", os.urandom(initrd_mib << 20))
    disk = os.path.join(folder, "kernel.img")
    fs_mib = initrd_mib + 64
    guest_image.make_disk(disk, tree.path, size_mib=fs_mib + 4, fs_mib=fs_mib)
    tree.remove()
    payload = os.path.join(folder, "payload")
    with open(payload, "wb") as file:
        file.write(payload_of(kernel, compression))
    return disk, [*TOOLS[compression], payload], description
