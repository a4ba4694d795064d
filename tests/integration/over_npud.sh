#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# over_npud.sh NPUD TEST [GENERATION [os|hw]]: runs TEST, its threaded half through a daemon, which
# must end in order.
set -uo pipefail
dir=$(mktemp -d)
trap 'kill $npud 2>/dev/null; rm -rf "$dir"' EXIT
export NPU_TEST_GEN=${3:-npu37}
"$1" --mmio rw --dma on --contexts 200 --queues 256 --memory 16384 --socket "$dir/s" \
	--device "sim:$NPU_TEST_GEN,engine=plain,sched=${4:-auto}" >"$dir/log" 2>&1 &
npud=$!
for _ in $(seq 100); do
	[ -S "$dir/s" ] && break
	sleep 0.1
done
NPU_TEST_DEVICE=npud:$dir/s "$2"
result=$?
kill $npud
wait $npud || { echo "npud ended with $?" && result=1; }
cat "$dir/log"
exit $result
