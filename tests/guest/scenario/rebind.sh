# 50 times the driver leaves the device and comes back, with a job after each.
must probe load_driver
driver=/sys/bus/pci/drivers/intel_vpu
cycles=0
while [ $cycles -lt 50 ]; do
	echo "$bdf" >$driver/unbind || break
	wait_for "the node to go" 5 test ! -e /dev/accel/accel0 || break
	echo "$bdf" >$driver/bind || break
	wait_for "the node" 20 test -c /dev/accel/accel0 || break
	guest-test job || break
	cycles=$((cycles + 1))
	[ $cycles -eq 5 ] && guest-test host rss rebinds
done
guest-test host rss rebinds
must "$cycles of 50 cycles" [ $cycles -eq 50 ]
plan
