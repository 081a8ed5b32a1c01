#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a test program where "/" is a mount point, as it is on every host and in every container. In a plain chroot (of
# debootstrap, say) it is not, and then what pivot_root(2) can do could not be tested at all: there the chroot is bound to
# a folder, in a mount namespace of its own, and entered again.
set -eu
if [ "$(id -u)" != 0 ] || mountpoint -q / || [ "${PVHGRUB_MOUNTED_ROOT:-}" = yes ]; then
  exec "$@"
fi
folder=$(mktemp -d)
export PVHGRUB_MOUNTED_ROOT=yes folder
status=0
# shellcheck disable=SC2016 # expanded by the inner shell
unshare --mount --propagation unchanged sh -c '
  mount --rbind / "$folder" && mount --make-rprivate "$folder" && exec chroot "$folder" env -C "$PWD" "$@"' sh "$@" || status=$?
rmdir "$folder" 2>/dev/null || true
exit "$status"
