# 50 times the driver leaves the device and comes back, with a job after each.
# 7.2 ends a context where its last job is destroyed, in a worker, and unbinding turns the interrupts
# off before it waits for that worker: UNREGISTER_DB's answer, microseconds after the question, is
# then never taken.  A worker that has ended lets the device sleep, hence the wait; half of the
# times it is woken again, so that the driver leaves a device that runs.
must probe load_driver
driver=/sys/bus/pci/drivers/intel_vpu
cycles=0
while [ $cycles -lt 50 ]; do
	wait_for "suspend" 5 is_suspended || break
	[ $((cycles % 2)) -eq 0 ] || keep_awake
	echo "$bdf" >$driver/unbind || break
	wait_for "the node to go" 5 test ! -e /dev/accel/accel0 || break
	echo auto >"$device/power/control"
	echo "$bdf" >$driver/bind || break
	wait_for "the node" 20 test -c /dev/accel/accel0 || break
	guest-test job || break
	cycles=$((cycles + 1))
	[ $cycles -eq 5 ] && guest-test host rss rebinds
done
guest-test host rss rebinds
must "$cycles of 50 cycles" [ $cycles -eq 50 ]
plan
