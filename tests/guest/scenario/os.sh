# The same with the driver's own scheduling, which 7.x leaves to the firmware by default.
must probe load_driver sched_mode=0
must "scheduled by the driver" grep -q OS "$device/sched_mode"
plan
groups params jobs queues hostile infer
