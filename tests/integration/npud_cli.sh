#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# npud_cli.sh NPUD VNPU NPU DATA: the command line of npud, its settings, what it gives up, its end.
set -uo pipefail
npud=$1 vnpu=$2 npu=$3 data=$4
dir=$(mktemp -d)
trap 'kill $pid $device 2>/dev/null; rm -rf "$dir"' EXIT
pid= device= failed=0 passed=0

check() { # NAME CONDITION...
	local name=$1
	shift
	if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED: $name"; fi
}
ends_with() { # CODE WORDS ARGUMENT...: exit code, one line with WORDS
	local code=$1 words=$2 got
	shift 2
	timeout 20 "$npud" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$code" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -qF -- "$words" "$dir/err" ||
		{ echo "$*: $got"; cat "$dir/err"; false; }
}
start() { # ARGUMENT...
	: >"$dir/log"
	"$npud" --config "$dir/none" "$@" >"$dir/log" 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		grep -q 'serving on' "$dir/log" && return
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	cat "$dir/log"
	return 1
}
stop() { # the daemon ends in order, and takes its socket with it
	kill $pid && wait $pid && [ ! -e "$dir/s" ]
}
run() { "$npu" run "$data/digits.onnx" --device "npud:$dir/s" --input "$data/digits/7.png"; }
status() { grep -q "^$1:[[:space:]]*$2\$" /proc/$pid/status; }

touch "$dir/none"
sim="--device sim:npu37,engine=plain"
check "--help teaches" grep -q -- '--user NAME' <("$npud" --help)
check "version" grep -q '^npud [0-9]' <("$npud" --version)
check "no socket" ends_with 2 'no --socket' $sim
check "no device" ends_with 2 'no --device' --socket "$dir/s"
check "unknown option" ends_with 2 '--bogus: no such option' --bogus 1
check "what is this" ends_with 2 'what is "x"' x
check "no value" ends_with 2 '--socket "": expected a path' --socket
check "no number" ends_with 2 '--memory "lots": expected a number of MiB' --memory lots
check "zero" ends_with 2 '--queues "0"' --queues=0
check "depth" ends_with 2 '--depth "63"' --depth 63
check "no group" ends_with 2 '--group "no-such-group"' --group no-such-group
check "no user" ends_with 1 'no such user' --socket "$dir/s" $sim --user no-such-user
check "bad device" ends_with 1 'device "xyz": expected' --socket "$dir/s" --device xyz
check "no such vnpu" ends_with 1 "$dir/no" --socket "$dir/s" --device "vfio-user:$dir/no"
check "no directory" ends_with 1 "$dir/no/such/s" --socket "$dir/no/such/s" $sim
check "no settings" ends_with 2 "$dir/no: cannot be read: ENOENT" --config "$dir/no"
printf 'contexts 3 # few\n\n  \nmemroy 5\n' >"$dir/conf"
check "misspelt setting" ends_with 2 "$dir/conf:4: memroy: no such option" --config "$dir/conf"
printf 'memory\n' >"$dir/conf"
check "setting without value" ends_with 2 "$dir/conf:1: memory \"\"" --config "$dir/conf"
head -c 100000 /dev/zero | tr '\0' '#' >"$dir/conf"
check "no settings file" ends_with 2 'EFBIG' --config "$dir/conf"
printf 'a\0b' >"$dir/conf"
check "binary" ends_with 2 'EINVAL' --config "$dir/conf"

# From the file, the command line before it; who waits is told; nobody else may connect.
printf 'device sim:npu40,engine=plain\nsocket %s\ncontexts 3\r\n' "$dir/s" >"$dir/conf"
python3 - "$dir/notify" >"$dir/told" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
print(s.recv(100).decode())
END
told=$!
for _ in $(seq 100); do [ -S "$dir/notify" ] && break; sleep 0.1; done
NOTIFY_SOCKET=$dir/notify "$npud" --config "$dir/conf" --device sim:npu37,engine=plain >"$dir/log" 2>&1 &
pid=$!
wait $told
check "tells who waits" grep -qx 'READY=1' "$dir/told"
check "the line's device, not the file's" grep -q 'npu37' <("$npu" info --device "npud:$dir/s")
check "runs" grep -q 'class 7' <(run 2>&1)
check "mode 0600" [ "$(stat -c %a "$dir/s")" = 600 ]
check "gives up privileges" status NoNewPrivs 1
check "a virtual NPU is not filtered" status Seccomp 0
check "somebody listens" ends_with 1 "$dir/s" --config "$dir/none" --socket "$dir/s" $sim
check "ends in order" stop

# The NPU in a process of its own: filtered; with root's help, another user.
"$vnpu" --engine plain --socket "$dir/d" --device lnl >"$dir/vlog" 2>&1 &
device=$!
for _ in $(seq 100); do [ -S "$dir/d" ] && break; sleep 0.1; done
# (a leak checker at its end needs calls that the filter keeps from it)
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
check "starts" start --socket "$dir/s" --device "vfio-user:$dir/d"
check "filtered" status Seccomp 2
check "runs filtered" grep -q 'class 7' <(run 2>&1)
check "many" eval 'for k in $(seq 5); do run >/dev/null 2>&1 || exit 1; done'
kill -9 $device
check "an NPU that is gone is told of" grep -q 'npu: ' <(run 2>&1)
check "and the daemon lives" kill -0 $pid
check "ends in order" stop
ASAN_OPTIONS=${ASAN_OPTIONS%detect_leaks=0}
if [ "$(id -u)" -eq 0 ]; then
	chmod 0711 "$dir"
	check "starts" start --socket "$dir/s" $sim --user nobody
	check "is another user" status Uid "$(id -u nobody)[[:space:]].*"
	check "without groups" status Groups '[[:space:]]*'
	check "root may still connect" grep -q 'class 7' <(run 2>&1)
	kill $pid
	check "ends in order" wait $pid # the socket stays: the directory is root's
	check "and is replaced" start --socket "$dir/s" $sim
	check "ends in order" stop
fi
# Several NPUs, each of its own generation: one that is gone leaves the others alone.
rm "$dir/d" # of the one that was killed
"$vnpu" --engine plain --socket "$dir/d" --device lnl >"$dir/vlog" 2>&1 &
device=$!
for _ in $(seq 100); do [ -S "$dir/d" ] && break; sleep 0.1; done
run_on() { "$npu" run "$data/digits.onnx" --device "npud:$dir/s$1" --input "$data/digits/7.png" 2>&1; }
name_of() { "$npu" info --device "npud:$dir/s$1" 2>&1; }
check "starts" start --socket "$dir/s" --device sim:ref,engine=plain --device "vfio-user:$dir/d" \
	--device sim:npu60,engine=plain
check "the first" grep -q ' ref' <(name_of "")
check "the first by number" grep -q ' ref' <(name_of /0)
check "the second" grep -q 'npu40' <(name_of /1)
check "the third" grep -q 'npu60' <(name_of /2)
check "no fourth" grep -q 'no device 3' <(name_of /3)
check "no such name" grep -q 'npud: ' <(name_of /x)
check "each runs, at once" eval 'run_on /0 >"$dir/r0" & a=$!; run_on /1 >"$dir/r1" & b=$!
	run_on /2 >"$dir/r2" & c=$!; wait $a && wait $b && wait $c &&
	[ "$(grep -l "class 7" "$dir"/r[012] | wc -l)" -eq 3 ]'
kill -9 $device
check "the one that is gone" eval '! run_on /1 >"$dir/r1"'
check "the first is still there" grep -q 'class 7' <(run_on /0)
check "and the third" grep -q 'class 7' <(run_on /2)
check "ends in order" stop

# Where it is by default, whoever names no device finds it.
if [ "$(id -u)" -eq 0 ] && [ ! -e /run/npud ]; then
	check "starts" start --socket /run/npud/socket --device sim:npu40,engine=plain \
		--device sim:npu50,engine=plain
	check "found by itself" grep -q 'npu40' <("$npu" info 2>&1)
	check "listed" grep -q '^npud:/run/npud/socket .*npu40' <("$npu" list)
	check "and the second" grep -q '^npud:/run/npud/socket/1 .*npu50' <("$npu" list)
	kill $pid
	check "ends in order" wait $pid
	rmdir /run/npud
	check "and no longer" grep -q 'npu37' <("$npu" info 2>&1)
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
