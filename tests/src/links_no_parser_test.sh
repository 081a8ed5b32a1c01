#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The broker runs as root and must not hold a line of code that parses guest bytes; the worker must not hold the broker's.
set -eu
broker=$1
worker=$2
fail() {
  echo "$1" >&2
  exit 1
}
# A symbol that is surely there: else a stripped program would pass.
nm -C "$broker" | grep -q 'pvhgrub::broker::' || fail "cannot see symbols of $broker"
nm -C "$worker" | grep -q 'pvhgrub::grubcfg::' || fail "cannot see symbols of $worker"
nm -C "$broker" | grep -E 'pvhgrub::(fs|grubcfg|bootimage|menu|worker)::' && fail 'the broker holds parsers'
nm -C "$worker" | grep -E 'pvhgrub::broker::' && fail 'the worker holds parts of the broker'
readelf -d "$broker" | grep -E 'NEEDED.*(ext2fs|fdisk|blkid)' && fail 'the broker links a parsing library'
readelf -d "$worker" | grep -E 'NEEDED.*(spdlog|fmt)' && fail 'the worker links a library that only the broker needs'
echo 'the two programs share no code that they should not'
