#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes FOLDER/guest.img: a Debian 12 guest as an installer would leave it. GPT with a BIOS boot partition, an ESP and an
# ext4 root; Debian's own kernel package, the initrd that its initramfs-tools makes, and the grub.cfg that its
# grub-mkconfig writes. Needs root for debootstrap's chroot, but neither loop devices nor mounts, so that it works in a
# container. What was made before is kept.
set -eu
folder=$1
image=$folder/guest.img
rootfs=$folder/rootfs
[ -f "$image" ] && exit 0
mkdir -p "$folder"

root_uuid=6f1d5c5e-4f0b-4a9e-9d3c-0c7d3a5b8e21
esp_uuid=5EFB-C0DE
mirror=$(sed -n 's/^deb [^h]*\(http[^ ]*\).*/\1/p; s/^URIs: *\(http[^ ]*\).*/\1/p' \
  /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -n 1)

if [ ! -f "$rootfs/.complete" ]; then
  rm -rf "$rootfs"
  # The keyring is left to apt's own setup: where apt trusts a mirror by configuration, so does this.
  debootstrap --variant=minbase --include=linux-image-cloud-amd64,initramfs-tools,grub2-common,zstd,udev \
    bookworm "$rootfs" "${mirror:-http://deb.debian.org/debian}" >"$folder/debootstrap.log" 2>&1 || {
    tail -n 20 "$folder/debootstrap.log" >&2
    exit 1
  }
  : >"$rootfs/.complete"
fi

cat >"$rootfs/etc/fstab" <<TEXT
UUID=$root_uuid / ext4 errors=remount-ro 0 1
UUID=$esp_uuid /boot/efi vfat umask=0077 0 1
TEXT
cat >"$rootfs/etc/default/grub" <<'TEXT'
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX="console=hvc0"
TEXT

# The chroot lies in a folder, not on the disk that it will be: grub-mkconfig asks grub-probe about that disk, so that
# program answers here what it will answer there.
cat >"$rootfs/usr/local/sbin/grub-probe-answers" <<TEXT
#!/bin/sh
for argument; do
  case "\$argument" in
    --target=*) target=\${argument#--target=} ;;
    -t*) target=\${argument#-t} ;;
  esac
done
case "\$target" in
  device) echo /dev/vda3 ;;
  fs_uuid) echo $root_uuid ;;
  fs_label | abstraction | cryptodisk_uuid) ;;
  fs) echo ext2 ;;
  partmap) echo gpt ;;
  drive) echo '(hd0,gpt3)' ;;
  partuuid) echo 3b2f0c4e-7a51-4c1d-8f0e-1d2c3b4a5f60 ;;
  compatibility_hint) echo hd0,gpt3 ;;
  hints_string) echo '--hint-bios=hd0,gpt3 --hint-efi=hd0,gpt3 --hint-baremetal=ahci0,gpt3 ' ;;
  *) exit 1 ;;
esac
TEXT
chmod +x "$rootfs/usr/local/sbin/grub-probe-answers"
probe=$rootfs/usr/sbin/grub-probe
[ -f "$probe.real" ] || mv "$probe" "$probe.real"
cp "$rootfs/usr/local/sbin/grub-probe-answers" "$probe"
mkdir -p "$rootfs/boot/grub" "$rootfs/dev/disk/by-uuid"
: >"$rootfs/dev/disk/by-uuid/$root_uuid" # or it would write root=/dev/vda3
chroot "$rootfs" grub-editenv /boot/grub/grubenv create
chroot "$rootfs" grub-mkconfig -o /boot/grub/grub.cfg >"$folder/grub-mkconfig.log" 2>&1
rm -r "$rootfs/dev/disk"
mv "$probe.real" "$probe"
rm "$rootfs/usr/local/sbin/grub-probe-answers"
rm -rf "$rootfs/var/cache/apt/archives/"*.deb

# 1 MiB BIOS boot, 64 MiB ESP, 1 GiB root.
truncate -s 1100M "$image.part"
sfdisk -q "$image.part" <<'TEXT'
label: gpt
start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649
start=2MiB, size=64MiB, type=U, name="EFI System Partition"
start=66MiB, size=1024MiB, type=L, uuid=3b2f0c4e-7a51-4c1d-8f0e-1d2c3b4a5f60
TEXT
truncate -s 64M "$folder/esp.img"
mkfs.vfat -F 32 -n ESP -i "$(echo "$esp_uuid" | tr -d -)" "$folder/esp.img" >/dev/null
cat >"$folder/esp-grub.cfg" <<TEXT
search.fs_uuid $root_uuid root hd0,gpt3
set prefix=(\$root)'/boot/grub'
configfile \$prefix/grub.cfg
TEXT
mmd -i "$folder/esp.img" ::EFI ::EFI/debian
mcopy -i "$folder/esp.img" "$folder/esp-grub.cfg" ::EFI/debian/grub.cfg
dd if="$folder/esp.img" of="$image.part" bs=1M seek=2 conv=notrunc,sparse status=none
rm "$folder/esp.img" "$folder/esp-grub.cfg"
mke2fs -q -t ext4 -U "$root_uuid" -d "$rootfs" -E offset=$((66 * 1024 * 1024)) "$image.part" 1024M
mv "$image.part" "$image"
