#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the tables of this folder anew: NAME.table holds an image's size, its sectors' and its rows of bytes that are
# not zero, NAME.partx what libblkid finds there. Needs root for loop devices with 4096-byte sectors, sfdisk, sgdisk, partx and
# python3. Usage: make.sh [FOLDER]
set -eu
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin
folder=${1:-$(dirname "$0")}
work=$(mktemp -d)
device=
trap 'test -z "$device" || losetup -d "$device"; rm -rf "$work"' EXIT

# image NAME SECTOR_SIZE: begins one; $image is then the file or, for other sectors than 512, the loop device over it.
image() {
  name=$1 file=$work/$1 sector_size=$2
  truncate -s 64M "$file"
  image=$file device=
  if [ "$2" != 512 ]; then device=$(losetup -b "$2" -f --show "$file") image=$device; fi
}

# Ends the image: writes both files.
finish() {
  partx -g -r -o NR,START,SECTORS,FLAGS,TYPE,UUID,NAME "$image" >"$folder/$name.partx"
  if [ -n "$device" ]; then losetup -d "$device"; device=; fi
  python3 - "$file" "$sector_size" >"$folder/$name.table" <<'PYTHON'
import sys
data = open(sys.argv[1], "rb").read()
print("size", len(data), "sector", sys.argv[2])
for offset in range(0, len(data), 32):
    row = data[offset:offset + 32]
    if any(row):
        print(offset, row.hex())
PYTHON
}

quiet() { "$@" >/dev/null 2>&1; }

image gpt_sgdisk 512
quiet sgdisk -a 1 -n 4:2048:+20M -c 4:boot -t 4:ea00 -A 4:set:2 -n 1:0:+10M -c 1:Grüße -n 128:0:0 "$image"
finish

image gpt_sgdisk_4096 4096
quiet sgdisk -n 1:0:+8M -t 1:ef00 -c 1:esp -n 2:0:+16M -c 2:root "$image"
finish

image gpt_sfdisk 512
printf 'label: gpt\n,8M,U\n,16M,L,*\n,8M,S\n' | quiet sfdisk "$image"
finish

image gpt_long_name 512
quiet sgdisk -n 1:0:+8M -c 1:一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六 "$image"
finish

image gpt_hybrid 512
quiet sgdisk -n 1:0:+8M -n 2:0:+8M -n 3:0:+8M -h 2:3 "$image"
finish

image gpt_grown 512
quiet sgdisk -n 1:0:+8M -n 2:0:+8M "$image"
truncate -s 96M "$file"
finish

image gpt_without_primary 512
quiet sgdisk -n 1:0:+8M -n 2:0:+8M "$image"
quiet dd if=/dev/zero of="$file" bs=512 seek=1 count=33 conv=notrunc
finish

image msdos_sfdisk 512
printf 'label: dos\nlabel-id: 0x12ab34cd\n1:size=8M,type=83,bootable\n2:size=40M,type=5\n5:size=4M,type=82\n6:size=4M,type=83\n7:size=8M,type=8e\n4:size=4M,type=83\n' | quiet sfdisk "$image"
finish

for deleted in 5 6 8 '5 6' '6 7'; do
  image "msdos_sfdisk_deleted_$(echo "$deleted" | tr ' ' _)" 512
  printf 'label: dos\n1:size=8M,type=83,bootable\n2:size=40M,type=5\n5:size=4M,type=83\n6:size=4M,type=83\n7:size=4M,type=83\n8:size=4M,type=83\n' | quiet sfdisk "$image"
  # shellcheck disable=SC2086 # several numbers are several words
  quiet sfdisk --delete "$image" $deleted
  finish
done

image msdos_sfdisk_4096 4096
printf 'label: dos\nlabel-id: 0xcafe0001\n1:size=8M,type=83\n2:size=32M,type=5\n5:size=8M,type=83\n6:size=8M,type=83\n' | quiet sfdisk "$image"
finish
