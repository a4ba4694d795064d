# 200 runtime suspend and resume cycles with a job after each; the device must really have slept.
must probe load_driver
cycles=0
while [ $cycles -lt 200 ]; do
	wait_for "suspend $cycles" 5 is_suspended || break
	guest-test job || break
	cycles=$((cycles + 1))
	[ $cycles -eq 20 ] && guest-test host rss suspends
done
guest-test host rss suspends
must "$cycles of 200 cycles" [ $cycles -eq 200 ]
wait_for "the last suspend" 5 is_suspended
must "no recovery" [ "$(cat /sys/kernel/debug/accel/*/reset_counter)" = 0 ]
plan
