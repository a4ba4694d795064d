#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hostile_vnpu.sh HOSTILE_TEST NPUD VNPU DEVICE GENERATION os|hw FILTER: with an NPU that is a process of its
# own, which may compute with oneDNN; it must find nothing to complain of.
set -uo pipefail
dir=$(mktemp -d)
trap 'kill $vnpu 2>/dev/null; rm -rf "$dir"' EXIT
"$3" --socket "$dir/npu" --device "$4" --engine onednn >"$dir/log" 2>&1 &
vnpu=$!
for _ in $(seq 100); do
	[ -S "$dir/npu" ] && break
	sleep 0.1
done
# (npud is filtered then: a leak checker at its end needs calls that the filter keeps from it)
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 HOSTILE_DEVICE=vfio-user:$dir/npu "$1" "$2" "$5" "$6" 40 1 "$7"
result=$?
kill $vnpu
wait $vnpu || { echo "vnpu ended with $?" && result=1; }
cat "$dir/log"
grep -q ' 0 guest errors, .* 0 unimplemented, 0 model bugs' "$dir/log" || result=1
exit $result
