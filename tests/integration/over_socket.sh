#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# over_socket.sh VNPU TEST: runs TEST, its threaded half on a device of VNPU's over vfio-user, and
# demands that the device found nothing to complain of.
set -uo pipefail
dir=$(mktemp -d)
trap 'kill $vnpu 2>/dev/null; rm -rf "$dir"' EXIT
"$1" --engine plain --socket "$dir/s" --device mtl >"$dir/log" 2>&1 &
vnpu=$!
for _ in $(seq 100); do
	[ -S "$dir/s" ] && break
	sleep 0.1
done
NPU_TEST_DEVICE=vfio-user:$dir/s "$2"
result=$?
kill $vnpu
wait $vnpu || { echo "vnpu ended with $?" && result=1; }
cat "$dir/log"
grep -q ' 0 guest errors, 0 unspecified, 0 unimplemented, 0 model bugs' "$dir/log" || result=1
exit $result
