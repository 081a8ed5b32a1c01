#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is started: the kernel as an ELF image or as it is, firmware, the PV shim, modules; and what is refused, why."""
import gzip
import hashlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel_images  # noqa: E402
from program_fixture import Fixture, pvhgrub  # noqa: E402

GRUB_CFG = """\
menuentry 'Test' --id test {
  linux /boot/vmlinuz root=/dev/xvda2 ro
  initrd /boot/initrd.img
}
menuentry 'Other' --id other {
  linux /boot/vmlinuz root=/dev/xvda2 single
}
menuentry 'Setup' --id setup {
  chainloader /boot/setup.efi
}
"""


class Boot(Fixture):
    def guest(self, kernel, files=(), grub_cfg=GRUB_CFG):
        return self.new_disk(grub_cfg, [("/boot/vmlinuz", kernel), *files])

    def host_file(self, name, contents):
        path = os.path.join(self.base, name)
        with open(path, "wb") as file:
            file.write(contents)
        return path

    def start(self, disk, *arguments, status=0, environment=None):
        """The extended record as JSON; for a failure what was said."""
        done = pvhgrub("-q", f"--output={self.result_file}", "--output-format=json", f"--output-directory={self.out}",
                       *arguments, disk, env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, status, done.stderr)
        self.said = done.stderr.decode()
        if status != 0:
            self.assertEqual(self.contents(self.result_file), b"")
            self.assertEqual(os.listdir(self.out), [])
            return self.said
        return json.loads(self.contents(self.result_file))

    def empty_out(self):
        with open(self.result_file, "wb"):
            pass
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))


class HandOver(Boot):
    def test_a_bzimage_of_each_compression_is_handed_over_as_its_elf_image(self):
        for how in ("gzip", "bzip2", "xz", "lzma", "lzo", "lz4", "zstd"):
            tool = {"lzo": "lzop", "lz4": "lz4", "zstd": "zstd"}.get(how)
            if tool and not shutil.which(tool):
                print(f"skipped: {how}, {tool} is not installed")
                continue
            with self.subTest(how):
                kernel, inner = kernel_images.linux(how=how)
                record = self.start(self.guest(kernel), "--guest-type=pvh")
                self.assertEqual(self.contents(record["kernel"]), inner)
                self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)
                self.assertEqual((record["boot"], record["kernel-version"]), ("direct", "6.1.0-test"))
                self.assertIn(how, record["kernel-description"])
                self.empty_out()

    def test_as_is_keeps_the_bytes_of_the_file(self):
        kernel, _ = kernel_images.linux()
        record = self.start(self.guest(kernel), "--guest-type=pvh", "--kernel-format=as-is")
        self.assertEqual(self.contents(record["kernel"]), kernel)

    def test_a_plain_elf_image_and_one_in_gzip_come_out_the_same(self):
        elf = kernel_images.elf()
        for contents in (elf, gzip.compress(elf), gzip.compress(kernel_images.bzimage(kernel_images.compress(elf, "xz")))):
            record = self.start(self.guest(contents), "--guest-type=pvh")
            self.assertEqual(self.contents(record["kernel"]), elf)
            self.empty_out()

    def test_an_arm_image_is_handed_over_decompressed(self):
        image = kernel_images.arm64_image()
        for contents in (image, gzip.compress(image)):
            record = self.start(self.guest(contents), "--guest-type=arm")
            self.assertEqual(self.contents(record["kernel"]), image)
            self.empty_out()

    def test_a_unified_image_is_unwrapped_and_its_kernel_decompressed(self):
        kernel, inner = kernel_images.linux()
        unified = kernel_images.unified(kernel, self.tree.initrd)
        disk = self.new_disk("menuentry 'x' { chainloader /boot/uki.efi }\n", [("/boot/uki.efi", unified)])
        record = self.start(disk, "--guest-type=pvh")
        self.assertEqual(self.contents(record["kernel"]), inner)
        self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)

    def test_checksums_are_those_of_the_files(self):
        record = self.start(self.guest(kernel_images.linux()[0]), "--sha256")
        self.assertEqual(len(record["modules"]), 2)
        for module in record["modules"]:
            contents = self.contents(module["path"])
            self.assertEqual(module["sha256"], hashlib.sha256(contents).hexdigest())
            self.assertEqual(module["size"], len(contents))

    def test_damaged_kernels_are_told_of(self):
        kernel, _ = kernel_images.linux(size=2_000_000)
        for contents in (kernel[:len(kernel) // 2], kernel[:len(kernel) // 2] + bytes(100) + kernel[len(kernel) // 2 + 100:],
                         b"\x7fELF\x02\x01\x01"):
            said = self.start(self.guest(contents), "--guest-type=pvh", status=5)
            self.assertIn("kernel (hd0,gpt2)/boot/vmlinuz", said)

    def test_a_payload_that_lies_about_its_size_is_damaged(self):
        inner = kernel_images.elf()
        for size in (1, len(inner) - 1, len(inner) + 1, 0xFFFFFFFF):
            payload = kernel_images.compress(inner, "xz")[:-4] + struct.pack("<I", size)
            self.assertIn(self.start_status(kernel_images.bzimage(payload)), (5, 6))

    def start_status(self, kernel):
        done = pvhgrub("-q", "--guest-type=pvh", f"--output-directory={self.out}", self.guest(kernel))
        self.assertEqual(os.listdir(self.out), [])
        return done.returncode

    def test_bombs_end_by_a_limit_and_leave_nothing(self):
        zeros = bytes(900 << 20)
        for how in ("gzip", "xz", "zstd"):
            if how == "zstd" and not shutil.which("zstd"):
                continue
            payload = kernel_images.compress(kernel_images.elf(size=8300) + zeros, how)
            self.assertEqual(self.start_status(kernel_images.bzimage(payload)), 6)


class Decision(Boot):
    def test_a_kernel_for_pv_alone(self):
        kernel, inner = kernel_images.linux(pvh=False, pv=True)
        disk = self.guest(kernel)
        self.assertEqual(self.contents(self.start(disk, "--guest-type=pv")["kernel"]), inner)
        self.empty_out()
        said = self.start(disk, "--guest-type=pvh", status=4)
        for way in ("PHYS32_ENTRY", 'type="pv"', "--boot=shim", "--boot=firmware"):
            self.assertIn(way, said)
        self.start(disk)
        self.assertIn('type="pv"', self.said)

    def test_a_kernel_for_pvh_alone_in_a_pv_domain(self):
        said = self.start(self.guest(kernel_images.linux()[0]), "--guest-type=pv", status=4)
        self.assertIn('type="pvh"', said)

    def test_a_kernel_without_notes(self):
        said = self.start(self.guest(kernel_images.linux(pvh=False)[0]), "--guest-type=pvh", status=4)
        self.assertIn("CONFIG_PVH", said)

    def test_a_uimage_is_refused_by_name(self):
        uimage = struct.pack(">IIIIIIIBBBB32s", 0x27051956, 0, 0, 100, 0, 0, 0, 5, 22, 2, 0, b"Linux") + bytes(100)
        self.assertIn("uImage", self.start(self.guest(uimage), "--guest-type=pvh", status=4))

    def test_the_toolstacks_shim_gets_the_kernel_itself(self):
        kernel, inner = kernel_images.linux(pvh=False, pv=True)
        record = self.start(self.guest(kernel), "--guest-type=pvh", "--boot=shim")
        self.assertEqual((record["boot"], record["shim"]), ("shim", None))
        self.assertEqual(self.contents(record["kernel"]), inner)
        self.assertEqual(self.contents(record["ramdisk"]), self.tree.initrd)

    def test_a_shim_of_the_hosts_becomes_the_kernel_and_the_kernel_its_module(self):
        kernel, _ = kernel_images.linux(pvh=False, pv=True)
        shim = self.host_file("xen-shim", kernel_images.elf(seed=9))
        disk = self.guest(kernel)
        self.assertIn("pvshim=1", self.start(disk, "--boot=shim", f"--shim={shim}", status=4))
        record = self.start(disk, "--boot=shim", f"--shim={shim}", "--entry=other")
        self.assertEqual(self.contents(record["kernel"]), self.contents(shim))
        self.assertEqual(self.contents(record["ramdisk"]), kernel)
        self.assertEqual(record["shim"], shim)
        self.assertEqual(record["args"].split(" -- ")[0], "pv-shim console=xen,pv")
        self.empty_out()
        no_shim = self.host_file("no-shim", kernel_images.elf(pvh=False))
        self.assertIn("xen-shim", self.start(disk, "--boot=shim", f"--shim={no_shim}", "--entry=other", status=1))

    def test_a_long_command_line_is_refused_with_the_shim(self):
        disk = self.guest(kernel_images.linux(pvh=False, pv=True)[0])
        self.assertIn("1023", self.start(disk, "--boot=shim", "--args=" + "a" * 1000, status=6))

    def test_xenstore_tells_the_domains_type(self):
        if b"libxenstore" not in subprocess.run(["ldd", os.environ["PVHGRUB"]], capture_output=True).stdout:
            self.skipTest("built without libxenstore")
        disk = self.guest(kernel_images.linux(pvh=False, pv=True)[0])
        for answer, status in ((b"pvh", 4), (b"pv", 0)):
            with FakeXenstore(self.base, b"/libxl/7/type", answer) as store:
                self.out = os.path.join(self.base, "bootloader.7.d")
                os.makedirs(self.out, exist_ok=True)
                self.start(disk, status=status, environment={"XENSTORED_PATH": store})
                self.assertNotIn("must have", self.said)
                self.empty_out()


class FakeXenstore:
    """Answers one key by xenstore's protocol (xen/include/public/io/xs_wire.h)."""

    def __init__(self, folder, key, answer):
        self.path = os.path.join(folder, "xenstored")
        self.key, self.answer = key, answer

    def __enter__(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(4)
        threading.Thread(target=self.serve, daemon=True).start()
        return self.path

    def __exit__(self, *_):
        self.server.close()

    def serve(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            with client:
                header = client.recv(16)
                if len(header) < 16:
                    continue
                kind, request, transaction, length = struct.unpack("<IIII", header)
                key = client.recv(length).rstrip(b"\0")
                body = self.answer if key == self.key else b"ENOENT\0"
                client.sendall(struct.pack("<IIII", kind if key == self.key else 16, request, transaction, len(body)) + body)
                client.recv(1)


class Firmware(Boot):
    def setUp(self):
        super().setUp()
        self.firmware = self.host_file("ovmf.bin", kernel_images.elf(seed=5, size=100_000))
        self.disk = self.guest(kernel_images.linux()[0], [("/boot/setup.efi", kernel_images.pe([(".text", b"\xc3")]))])

    def test_firmware_that_is_asked_for_is_copied_and_gets_nothing_else(self):
        record = self.start(self.disk, "--boot=firmware", f"--firmware={self.firmware}")
        self.assertEqual(self.contents(record["kernel"]), self.contents(self.firmware))
        self.assertNotEqual(record["kernel"], self.firmware)
        self.assertEqual((record["ramdisk"], record["args"], record["boot"]), (None, "", "firmware"))
        self.assertEqual(record["firmware"], self.firmware)
        self.assertIn("default", self.said)

    def test_what_cannot_be_conveyed_ends_the_boot(self):
        for arguments in (["--entry=other"], ["--kernel=/boot/vmlinuz"], ["--ramdisk=/boot/initrd.img"],
                          [f"--module={self.firmware}", "--module-as=initrd:x"]):
            said = self.start(self.disk, "--boot=firmware", f"--firmware={self.firmware}", *arguments, status=4)
            self.assertIn(arguments[0].split("=")[0], said)
        self.start(self.disk, "--boot=firmware", f"--firmware={self.firmware}", "--entry=test")
        self.empty_out()
        self.start(self.disk, "--boot=firmware", f"--firmware={self.firmware}", "--args=quiet")
        self.assertIn("quiet", self.said)

    def test_firmware_that_xen_does_not_start_is_refused(self):
        for contents in (b"\0" * 4096, kernel_images.elf(pvh=False), b"x"):
            path = self.host_file("bad.bin", contents)
            self.assertIn(path, self.start(self.disk, "--boot=firmware", f"--firmware={path}", status=1))

    def test_an_entry_that_starts_an_efi_program_takes_firmware_where_there_is_some(self):
        disk = self.guest(b"unused", [("/boot/setup.efi", kernel_images.pe([(".text", b"\xc3")]))],
                          grub_cfg="menuentry 'Setup' { chainloader /boot/setup.efi }\n")
        self.assertEqual(self.start(disk, f"--firmware={self.firmware}")["boot"], "firmware")
        self.empty_out()
        said = self.start(disk, "--boot=direct", status=4)
        self.assertIn("boot loader", said)

    def test_a_unified_image_whose_kernel_has_no_notes_takes_firmware(self):
        unified = kernel_images.unified(kernel_images.linux(pvh=False)[0], self.tree.initrd)
        disk = self.new_disk("menuentry 'x' { chainloader /boot/uki.efi }\n", [("/boot/uki.efi", unified)])
        record = self.start(disk, "--guest-type=pvh", f"--firmware={self.firmware}")
        self.assertEqual((record["boot"], record["ramdisk"]), ("firmware", None))
        self.assertEqual(self.contents(record["kernel"]), self.contents(self.firmware))
        self.assertEqual(len(os.listdir(self.out)), 1)

    def test_names_that_mean_nothing_certain_are_refused(self):
        for name in ("bios", "uefi", "hvmloader", "seabios", "rombios", "nonsense"):
            self.assertNotEqual(self.start(self.disk, "--boot=firmware", f"--firmware={name}", status=2), "")


class HostConfiguration(Boot):
    def configuration(self, text):
        path = self.host_file("pvhgrub.conf", text.encode())
        os.chmod(path, 0o644)
        return {"PVHGRUB_CONFIGURATION": path}

    def test_it_sets_defaults_and_says_what_a_domain_may_change(self):
        self.host_file("ovmf.bin", kernel_images.elf(seed=5))
        disk = self.guest(kernel_images.linux()[0])
        environment = self.configuration('[options]\nboot = "firmware"\nfirmware = "mine"\n'
                                         '[firmware]\nmine = "ovmf.bin"\n[policy]\noverrides = ["firmware"]\n')
        self.assertEqual(self.start(disk, environment=environment)["boot"], "firmware")
        self.empty_out()
        said = self.start(disk, "--boot=direct", environment=environment, status=2)
        self.assertIn("pvhgrub.conf:2", said)

    def test_limits_bound_what_is_taken(self):
        kernel, _ = kernel_images.linux(size=3_000_000)
        self.start(self.guest(kernel), environment=self.configuration("[limits]\nkernel-mib = 2\n"), status=6)
        self.start(self.guest(kernel), environment=self.configuration("[limits]\nkernel-mib = 3\n"))

    def test_a_wrong_one_is_told_with_its_line(self):
        said = self.start(self.disk, environment=self.configuration("[options]\nboot = \"direct\"\nbot = 1\n"), status=2)
        self.assertIn("pvhgrub.conf:3", said)


class Modules(Boot):
    def test_a_module_is_an_output_of_its_own_or_a_file_in_the_ramdisk(self):
        seed = self.host_file("seed", b"cloud-init" * 1000)
        disk = self.guest(kernel_images.linux()[0])
        record = self.start(disk, f"--module={seed}")
        self.assertEqual(len(record["modules"]), 3)
        self.assertEqual(self.contents(record["modules"][2]["path"]), self.contents(seed))
        self.empty_out()
        record = self.start(disk, f"--module={seed}", "--module-as=initrd:var/lib/seed")
        self.assertEqual(len(record["modules"]), 2)
        ramdisk = self.contents(record["ramdisk"])
        self.assertTrue(ramdisk.startswith(self.tree.initrd))
        archive = ramdisk[(len(self.tree.initrd) + 3) // 4 * 4:]
        self.assertEqual(self.unpack(archive), {"var/lib/seed": self.contents(seed)})
        self.empty_out()
        record = self.start(disk, f"--module={seed}", "--module-as=initrd:seed", "--entry=other")
        self.assertEqual(self.unpack(self.contents(record["ramdisk"])), {"seed": self.contents(seed)})

    def unpack(self, archive):
        folder = os.path.join(self.base, "unpacked")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        subprocess.run(["busybox", "cpio", "-i", "-d"], input=archive, cwd=folder, check=True, capture_output=True)
        found = {}
        for root, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(root, name)
                found[os.path.relpath(path, folder)] = self.contents(path)
        return found

    def test_the_extension_of_simple0_tells_the_same(self):
        seed = self.host_file("seed", b"x")
        done = pvhgrub("-q", "--output-format=simple0-extended", f"--output-directory={self.out}", f"--module={seed}",
                       "--sha256", self.guest(kernel_images.linux()[0]))
        self.assertEqual(done.returncode, 0, done.stderr)
        items = [item.split(b" ", 1) for item in done.stdout[:-2].split(b"\0")]
        self.assertEqual([key for key, _ in items],
                         [b"kernel", b"ramdisk", b"args", b"entry-id", b"entry-title", b"boot", b"kernel-version"] +
                         [b"module", b"module-size", b"module-sha256"] * 3)


class Inspect(Boot):
    def inspect(self, path, *arguments):
        done = pvhgrub("--inspect", "--output-format=json", *arguments, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_kernel_image(self):
        told = self.inspect(self.host_file("vmlinuz", kernel_images.linux(pv=True)[0]))
        self.assertEqual((told["kernel"]["format"], told["kernel"]["compression"], told["kernel"]["pvh"]),
                         ("bzimage", "xz", "yes"))
        self.assertTrue(told["boot as"]["pvh"].startswith("direct"))
        self.assertTrue(told["boot as"]["arm"].startswith("no"))

    def test_a_disk(self):
        told = self.inspect(self.guest(kernel_images.linux()[0]))
        self.assertEqual(told["(hd0,gpt2)"]["file-system"], "ext2")
        self.assertEqual((told["boot"]["kind"], told["boot"]["title"]), ("grub2", "Test"))
        self.assertEqual(told["kernel"]["pvh"], "yes")

    def test_a_disk_without_anything_to_boot_is_told_of_as_well(self):
        path = self.host_file("empty.img", bytes(1 << 20))
        self.assertIn("problem", self.inspect(path)["boot"])

    def test_a_person_gets_a_list(self):
        done = pvhgrub("--inspect", self.guest(kernel_images.linux()[0]))
        self.assertRegex(done.stdout.decode(), r"(?m)^kernel\n  description +Linux 6\.1\.0-test, bzImage")


if __name__ == "__main__":
    unittest.main()
