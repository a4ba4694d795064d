# SPDX-License-Identifier: MIT
# What scenarios share.  Output lines are TAP, as guest-test's are.
device=$(grep -l 0x1200 /sys/bus/pci/devices/*/class | head -1)
device=${device%/class}
bdf=${device##*/}
number=0
failed=0

ok() { number=$((number + 1)); echo "ok $number - $*"; }
not_ok() { number=$((number + 1)); failed=1; echo "not ok $number - $*"; }
# must NAME COMMAND...
must() { local name=$1; shift; if "$@"; then ok "$name"; else not_ok "$name"; fi; }
plan() { echo "1..$number"; [ $failed -eq 0 ]; }

# load_driver [PARAMETER=VALUE...]: intel_vpu and what it needs
load_driver() {
	for m in /lib/modules/*.ko; do
		case $m in
		*intel_vpu.ko) insmod "$m" "$@" || echo "# insmod $m failed" ;;
		*) insmod "$m" || echo "# insmod $m failed" ;;
		esac
	done
	wait_for "the node" 20 test -c /dev/accel/accel0
}

# wait_for WHAT SECONDS COMMAND...: until the command succeeds
wait_for() {
	local what=$1 tries=$(($2 * 20))
	shift 2
	while [ $tries -gt 0 ]; do
		"$@" && return 0
		tries=$((tries - 1))
		usleep 50000
	done
	echo "# waited in vain for $what"
	return 1
}

# keep_awake: a fault is to hit what comes next, not the suspend between
keep_awake() { echo on >"$device/power/control"; }
is_suspended() { [ "$(cat "$device/power/runtime_status")" = suspended ]; }
groups() { for g in "$@"; do guest-test "$g" || failed=1; done; [ $failed -eq 0 ]; }
