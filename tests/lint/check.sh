#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What ./dev lint checks. Each check prints what is wrong and goes on; any finding fails the whole.
set -eu
cd "$(dirname "$0")/../.."
failed=0
report() {
  echo "lint: $1" >&2
  failed=1
}

sources=$(find base bootimage fsreaders fuzz grubcfg menu protocol sandbox src tests \( -name '*.cc' -o -name '*.h' \) | sort)
scripts="dev .ci/run $(find bench tests packaging -name '*.sh' | tr '\n' ' ')"

echo '== licence lines'
for file in $sources $scripts $(find . -path './build*' -prune -o -name meson.build -print) \
  $(find tests bench -name '*.py'); do
  head -n 2 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' || report "no SPDX line in $file"
done

echo '== includes follow docs/architecture.md'
tests/lint/check_includes.py || failed=1

echo '== formatting'
# shellcheck disable=SC2086 # lists of words
clang-format-19 --dry-run -Werror $sources || report 'run: clang-format-19 -i on the files above'

echo '== scripts'
# shellcheck disable=SC2086
shellcheck $scripts || report 'shellcheck has findings'

echo '== a build with clang, warnings as errors'
[ -f build-lint/build.ninja ] || CXX=clang++-19 meson setup build-lint -Dbuildtype=debugoptimized -Dtests=true
ninja -C build-lint || report 'the build with clang fails'

echo '== clang-tidy'
# The programs' own code: tests use macros that most checks do not understand.
tidied=$(find base bootimage fsreaders grubcfg menu protocol sandbox src -name '*.cc' | sort)
# shellcheck disable=SC2086
echo $tidied | tr ' ' '\n' | xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build-lint --quiet 2>/dev/null ||
  report 'clang-tidy has findings'

[ "$failed" = 0 ] && echo 'lint: no findings'
exit "$failed"
