#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernels of Debian's packages, fetched by apt, as other programs see them.

usage: real_kernels_test.py DESCRIBE_IMAGE CACHE
CACHE is a folder for what was fetched, used when $PVHGRUB_KERNEL_CACHE names no other; a second run needs no network.
Packages of other architectures come by lists of packages that apt keeps in that folder, checked by its signatures like
all it fetches: nothing of the host changes. Fetching ends after $PVHGRUB_FETCH_SECONDS (100); what is missing then is
told, and tried again by the next run. The judges: the configuration that each kernel was built with, file(1),
readelf, and the tools that compress."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# architecture and package, in the order of their sizes
PACKAGES = [("amd64", "linux-image-cloud-amd64"), ("arm64", "linux-image-cloud-arm64"), ("amd64", "linux-image-amd64"),
            ("i386", "linux-image-686-pae")]
# CONFIG_KERNEL_X -> the name of the compression, and the tool's way back
COMPRESSIONS = {"GZIP": ("gzip", ["gzip", "-dc"]), "BZIP2": ("bzip2", ["bzip2", "-dc"]), "XZ": ("xz", ["xz", "-dc"]),
                "LZMA": ("lzma", ["xz", "--format=lzma", "-dc"]), "LZO": ("lzo", ["lzop", "-dc"]),
                "LZ4": ("lz4", ["lz4", "-dcq"]), "ZSTD": ("zstd", ["zstd", "-dcq"])}


def output_of(command, **options):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)
    if result.returncode != 0:
        text = result.stderr if isinstance(result.stderr, str) else result.stderr.decode(errors="replace")
        raise OSError(f"{command[0]} ended with {result.returncode}: {text.strip().splitlines()[-1:]}")
    return result.stdout


class Apt:
    """apt with lists of packages of its own for one architecture; the host's sources of Debian, and no others."""

    def __init__(self, architecture, folder, deadline):
        self.deadline = deadline
        self.folder = os.path.join(folder, "apt-" + architecture)
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        open(os.path.join(self.folder, "status"), "a", encoding="utf-8").close()
        self.options = []
        for option in ("Dir::State::lists=" + self.folder + "/lists", "Dir::Cache=" + self.folder + "/cache",
                       "Dir::State::status=" + self.folder + "/status", "APT::Architecture=" + architecture,
                       "APT::Architectures::=" + architecture, "Acquire::Languages=none", "Dir::Etc::SourceParts=-",
                       "Dir::Etc::SourceList=" + self.folder + "/sources.list", "APT::Sandbox::User=",
                       "APT::Get::AllowUnauthenticated=false", "Acquire::AllowInsecureRepositories=false"):
            self.options += ["-o", option]

    def run(self, *command, **options):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise subprocess.TimeoutExpired(command[0], 0)
        return output_of([command[0], *self.options, *command[1:]], text=True, timeout=left, **options)

    def update(self):
        # Only lists of packages: hosts may have apt fetch much more. The first component is enough.
        form = f"deb [target=Packages signed-by={KEYRING}] $(REPO_URI) $(RELEASE) $(COMPONENT)"
        lines = set(output_of(["apt-get", "indextargets", "--format", form, "Identifier: Packages", "Origin: Debian",
                               "Component: main"], text=True).splitlines())
        if not lines:
            raise OSError("apt knows no source of Debian's packages (apt-get update may help)")
        with open(os.path.join(self.folder, "sources.list"), "w", encoding="utf-8") as file:
            file.write("\n".join(sorted(lines)) + "\n")
        try:
            self.run("apt-get", "update", "-q")
        except OSError as error:
            # One list may be missing while others came.
            print(f"notice: {error}")

    def package_with_kernel(self, name):
        """What the package that stands for the present kernel depends on."""
        text = self.run("apt-cache", "show", "--no-all-versions", name)
        match = re.search(r"^Depends: (linux-image-[^ ,]+)", text, re.MULTILINE)
        if not match:
            raise OSError(f"{name} names no package of a kernel")
        return match.group(1)

    def download(self, package, folder):
        self.run("apt-get", "download", "-q", package, cwd=folder)
        found = [name for name in os.listdir(folder) if name.startswith(package + "_") and name.endswith(".deb")]
        return os.path.join(folder, found[0])


def fetch(architecture, name, cache, deadline):
    """The folder with the package's kernel and its configuration."""
    target = os.path.join(cache, name)
    if os.path.exists(os.path.join(target, "package")):
        return target
    apt = Apt(architecture, cache, deadline)
    # Lists go out of date: what they name leaves the archive.
    complete = os.path.join(apt.folder, "complete")
    outdated = not os.path.exists(complete) or time.time() - os.path.getmtime(complete) > 12 * 3600
    if outdated:
        apt.update()
    package = apt.package_with_kernel(name)
    if outdated:
        with open(complete, "w", encoding="utf-8") as file:
            file.write(package + "\n")
    print(f"fetching {package} for {architecture}", flush=True)
    deb = apt.download(package, apt.folder)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        # Modules are most of a package.
        archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
        with archive:
            subprocess.run(["tar", "-xf", "-", "-C", folder, "--wildcards", "./boot/vmlinuz-*", "./boot/config-*"],
                           stdin=archive.stdout, check=True)
        if archive.returncode != 0:
            raise OSError(f"dpkg-deb ended with {archive.returncode} on {deb}")
        os.makedirs(target, exist_ok=True)
        for file in os.listdir(os.path.join(folder, "boot")):
            os.replace(os.path.join(folder, "boot", file), os.path.join(target, file.split("-")[0]))
    version = output_of(["dpkg-deb", "--field", deb, "Package", "Version"], text=True)
    with open(os.path.join(target, "package"), "w", encoding="utf-8") as file:
        file.write(version)
    os.unlink(deb)
    return target


class Kernel:
    def __init__(self, program, folder, name, work):
        self.program, self.name, self.work = program, name, work
        self.path = os.path.join(folder, "vmlinuz")
        with open(os.path.join(folder, "config"), encoding="utf-8") as file:
            self.config = dict(line.strip().split("=", 1) for line in file if re.match(r"CONFIG_\w+=", line))
        with open(os.path.join(folder, "package"), encoding="utf-8") as file:
            self.version = re.search(r"^Version: (\S+)", file.read(), re.MULTILINE).group(1)
        with open(self.path, "rb") as file:
            self.image = file.read()
        self.facts = self.facts_of(self.path)
        self.failures = 0

    def facts_of(self, path):
        lines = output_of([self.program, "facts", path], text=True, errors="replace").splitlines()[1:]
        return dict(line.strip().split(" ", 1) for line in lines)

    def has(self, option):
        return self.config.get("CONFIG_" + option) == "y"

    def check(self, what, ours, theirs):
        if ours != theirs:
            self.failures += 1
            print(f"{self.name}: {what}: {ours!r}, and should be {theirs!r}")

    def unpacked(self, path):
        out = os.path.join(self.work, "unpacked")
        with open(out, "wb") as file:
            subprocess.run([self.program, "unpack", path], stdout=file, check=True)
        with open(out, "rb") as file:
            return out, file.read()

    def run(self):
        self.check("problem", self.facts.get("problem"), None)
        self.check("efi-stub", self.facts.get("efi-stub"), "yes" if self.has("EFI_STUB") else "no")
        if self.has("ARM64"):
            self.check_arm64(self.facts)
            self.check_compressed_arm64()
        else:
            self.check_bzimage()
        return self.failures

    def judgement(self):
        return output_of(["file", "-b", self.path], text=True) if shutil.which("file") else None

    def check_arm64(self, facts):
        self.check("contents", facts.get("contents", facts["format"]), "arm64-image")
        self.check("machine", facts["machine"], "arm64")
        offset, size, flags = struct.unpack_from("<QQQ", self.image, 8)
        self.check("text-offset", facts["text-offset"], str(offset))
        self.check("memory-size", facts["memory-size"], str(size))
        pages = next(kib for kib in (4, 16, 64) if self.has(f"ARM64_{kib}K_PAGES"))
        self.check("page-size", facts["page-size"], str(pages * 1024))
        self.check("page-size in the header", (flags >> 1) & 3, {4: 1, 16: 2, 64: 3}[pages])
        self.check("byte-order", facts["byte-order"], "little-endian")
        text = self.judgement()
        if text:
            self.check("file(1)", f"ARM64 boot executable Image, little-endian, {pages}K pages" in text, True)

    def check_compressed_arm64(self):
        """What `make Image.gz` and its like give, by the tools that are fast."""
        for kind in ("GZIP", "LZO", "LZ4", "ZSTD"):
            name, back = COMPRESSIONS[kind]
            if not shutil.which(back[0]):
                print(f"notice: {back[0]} is not installed, so no Image by {name}")
                continue
            tool = [argument for argument in back if argument not in ("-dc", "-dcq")]
            fast = {"lz4": ["-l", "-1", "-q", "-c", "-"], "zstd": ["-3", "-q", "-c"]}.get(name, ["-1", "-c"])
            path = os.path.join(self.work, "Image." + name)
            with open(self.path, "rb") as source, open(path, "wb") as target:
                subprocess.run([*tool, *fast], stdin=source, stdout=target, check=True)
            facts = self.facts_of(path)
            self.check("format of Image." + name, facts["format"], "compressed")
            self.check("compression of Image." + name, facts["compression"], name)
            self.check_arm64(facts)
            self.check("contents of Image." + name, self.unpacked(path)[1] == self.image, True)
            os.unlink(path)

    def check_bzimage(self):
        facts, is_64 = self.facts, self.has("X86_64")
        name, tool = next(COMPRESSIONS[kind] for kind in COMPRESSIONS if self.has("KERNEL_" + kind))
        self.check("format", facts["format"], "bzimage")
        self.check("compression", facts["compression"], name)
        self.check("machine", facts["machine"], "x86-64" if is_64 else "32-bit x86")
        self.check("64-bit", facts["64-bit"], "yes" if is_64 else "no")
        self.check("relocatable", facts["relocatable"], "yes" if self.has("RELOCATABLE") else "no")
        self.check("the package's version in the kernel's", f" Debian {self.version} " in facts["version"], True)
        text = self.judgement()
        if text:
            self.check("version", facts["version"], re.search(r"version (.*), RO-rootFS", text).group(1))
        # boot.rst: setup_sects, payload_offset, payload_length, init_size.
        offset, length = struct.unpack_from("<II", self.image, 0x248)
        payload = self.image[(self.image[0x1F1] + 1) * 512 + offset:][:length]
        self.check("init-size", facts["init-size"], str(struct.unpack_from("<I", self.image, 0x260)[0]))
        self.check("decompressed-size", facts["decompressed-size"], str(struct.unpack("<I", payload[-4:])[0]))
        path, ours = self.unpacked(self.path)
        if shutil.which(tool[0]):
            theirs = subprocess.run(tool, input=payload if name == "gzip" else payload[:-4], stdout=subprocess.PIPE,
                                    check=True).stdout
            self.check(f"what lies in it, by {tool[0]}", ours == theirs, True)
        else:
            print(f"notice: {tool[0]} is not installed, so what lies in {self.name} is not compared")
        self.check_notes(path)
        scan = output_of([self.program, "scan", path], text=True).splitlines()[1].strip()
        self.check("a scan", scan, "the same in pass 1")

    def check_notes(self, path):
        facts = self.facts
        self.check("pvh", facts["pvh"], "yes" if self.has("PVH") or self.has("XEN_PVH") else "no")
        self.check("pv", facts["pv"], "yes" if self.has("XEN_PV") else "no")
        if not shutil.which("readelf"):
            print("notice: readelf is not installed (package binutils)")
            return
        header = output_of(["readelf", "-hW", path], text=True, env=dict(os.environ, LC_ALL="C"))
        self.check("elf-class", "ELF" + facts["elf-class"], re.search(r"Class:\s+(\S+)", header).group(1))
        self.check("entry", facts["entry"], re.search(r"Entry point address:\s+(\S+)", header).group(1))
        lines = output_of(["readelf", "-nW", path], text=True, errors="replace", env=dict(os.environ, LC_ALL="C"))
        notes = {int(number, 16): bytes.fromhex(data) for number, data in re.findall(
            r"^  Xen .*\((0x[0-9a-f]+)\)\s+description data: ((?:[0-9a-f]{2} )+)", lines, re.MULTILINE)}
        for number, fact in ((18, "phys32-entry"), (1, "pv-entry"), (3, "virtual-base")):
            if number in notes:
                self.check(fact, facts.get(fact), hex(int.from_bytes(notes[number], "little")))
        for number, fact in ((6, "guest-os"), (5, "xen-version"), (10, "features")):
            if number in notes:
                self.check(fact, facts.get(fact), notes[number].rstrip(b"\0").decode())
        self.check("readelf's notes of Xen", not notes, facts["xen-notes"] == "none")


def main():
    program, cache = sys.argv[1], os.environ.get("PVHGRUB_KERNEL_CACHE") or sys.argv[2]
    cache = os.path.abspath(cache)
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb") or not os.path.exists(KEYRING):
        print("SKIP: apt, dpkg-deb and Debian's keys are needed to fetch kernels")
        return SKIPPED
    os.makedirs(cache, exist_ok=True)
    seconds = float(os.environ.get("PVHGRUB_FETCH_SECONDS", "100"))
    checked = failures = 0
    for architecture, name in PACKAGES:
        started = time.monotonic()
        try:
            folder = fetch(architecture, name, cache, started + seconds)
        except subprocess.TimeoutExpired:
            print(f"notice: {name} is not fetched, for that took too long; another run tries again")
            continue
        except (OSError, subprocess.SubprocessError) as error:
            print(f"notice: {name} cannot be fetched: {error}")
            continue
        finally:
            seconds -= time.monotonic() - started
        with tempfile.TemporaryDirectory(prefix="pvhgrub-kernels.") as work:
            kernel = Kernel(program, folder, name, work)
            found = kernel.run()
        failures += found
        checked += 1
        print(f"{name} {kernel.version}: {'as its judges say' if not found else f'{found} differences'}", flush=True)
    if not checked:
        print("SKIP: no kernel was fetched; is there a network?")
        return SKIPPED
    return 1 if failures else 0


sys.exit(main())
