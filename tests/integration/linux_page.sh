#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# linux_page.sh NPU NPUD VNPU ROOT: the commands that docs/linux.md begins with, as they stand there.
set -uo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT
mkdir "$dir/bin" && ln -s "$(realpath "$1")" "$(realpath "$2")" "$(realpath "$3")" "$dir/bin/" && cd "$4" || exit 1
sed -n '/^    build\/bin\/vnpu/,/^$/s/^    //p' docs/linux.md |
	sed "s,build/bin,$dir/bin,g; s,/tmp/npu-demo,$dir/demo,g" >"$dir/commands"
[ "$(wc -l <"$dir/commands")" -ge 6 ] || { echo "docs/linux.md begins otherwise"; exit 1; }
. "$dir/commands" >"$dir/log" 2>&1
result=$?
cat "$dir/log"
grep -q 'class 7' "$dir/log" && grep -q '^clients' "$dir/log" && exit $result
