#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vnpu_cli.sh VNPU NPU DATA: the command line of vnpu, its life and its end.
set -uo pipefail
vnpu=$1 npu=$2 data=$3
dir=$(mktemp -d)
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
pid= failed=0 passed=0

check() { # NAME CONDITION...
	local name=$1
	shift
	if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED: $name"; fi
}
ends_with() { # CODE ARGUMENT...: exit code, one line that says how to learn more
	local code=$1 got
	shift
	timeout 20 "$vnpu" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$code" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] || { echo "$*: $got"; cat "$dir/err"; false; }
}
start() { # ARGUMENT...
	: >"$dir/log"
	"$vnpu" "$@" >"$dir/log" 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		[ "$(grep -c ' at ' "$dir/log")" -ge "$devices" ] && return
		sleep 0.1
	done
	cat "$dir/log"
	return 1
}
run() { "$npu" run "$data/digits.onnx" --device "vfio-user:$1" --input "$data/digits/7.png"; }

check "--help teaches" grep -q 'nvl  Nova Lake (8086:d71d, npu60)' <("$vnpu" --help)
check "--fault help lists" grep -qx 'irq-lost' <("$vnpu" --fault help)
check "no device" ends_with 2
check "no --device" ends_with 2 --socket "$dir/s"
check "no --socket" ends_with 2 --device mtl
check "unknown device" ends_with 2 --socket "$dir/s" --device xyz
check "two devices for one socket" ends_with 2 --socket "$dir/s" --device mtl --device arl
check "unknown option" ends_with 2 --socket "$dir/s" --device mtl --bogus 1
check "missing value" ends_with 2 --socket
check "unknown fault" ends_with 2 --socket "$dir/s" --device mtl --fault none
check "bad count" ends_with 2 --socket "$dir/s" --device mtl --fault irq-lost:0
check "unknown engine" ends_with 2 --socket "$dir/s" --device mtl --engine steam
check "no directory" ends_with 1 --socket "$dir/no/such/s" --device mtl
touch "$dir/file"
check "a file there" ends_with 1 --socket "$dir/file" --device mtl
check "no summary of what was not made" [ ! -s "$dir/out" ]

# Two devices in one process: a fault of the second, a trace of the first, each its own.
devices=2
check "starts" start --engine plain --socket "$dir/a" --device mtl --trace "$dir/trace" \
	--socket "$dir/b" --device arl --fault fw-never-ready:1000
check "mode 0600" [ "$(stat -c %a "$dir/a")" = 600 ]
check "live socket" ends_with 1 --socket "$dir/a" --device mtl
check "first runs" grep -q 'class 7' <(run "$dir/a" 2>&1)
check "second fails" grep -q 'npu: ' <(run "$dir/b" 2>&1)
check "first runs again" grep -q 'class 7' <(run "$dir/a" 2>&1)
kill $pid
wait $pid
check "exit code of SIGTERM" [ $? -eq 0 ]
check "sockets are gone" [ ! -e "$dir/a" -a ! -e "$dir/b" ]
check "a summary per device" [ "$(grep -c ' model bugs; ' "$dir/log")" -eq 2 ]
check "each interrupt was heard" [ "$(grep -c 'reached nobody' "$dir/log")" -eq 0 ]
check "trace is whole" grep -q 'DOORBELL' "$dir/trace"

# Each is what it is called; two have the same ids.
devices=7 names="mtl arl lnl ptl wcl nvl ref" gens="npu37 npu37 npu40 npu50 npu50 npu60 ref"
check "starts" start --engine plain $(for n in $names; do echo --socket "$dir/$n" --device $n; done)
check "is what it is called" [ "$gens" = "$(for n in $names; do
	"$npu" info --device "vfio-user:$dir/$n" | sed -n 's/^gen: //p'; done | paste -sd' ')" ]
kill $pid
wait $pid

# A client that dies, and its socket's server that dies: the next ones find their way.
devices=1
check "starts" start --engine plain --socket "$dir/a" --device mtl
run "$dir/a" >/dev/null 2>&1 &
client=$!
sleep 0.02
kill -9 $client 2>/dev/null
wait $client 2>/dev/null
check "after a dead client" grep -q 'class 7' <(run "$dir/a" 2>&1)
kill -9 $pid
wait $pid 2>/dev/null
check "its socket stayed" [ -S "$dir/a" ]
check "a dead socket is replaced" start --engine plain --socket "$dir/a" --device mtl
check "and serves" grep -q 'class 7' <(run "$dir/a" 2>&1)
kill $pid
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
