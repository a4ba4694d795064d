# Scheduling by the firmware, which 6.12 does only when told to.
# only: lts
must probe load_driver sched_mode=1
must "scheduled by the firmware" grep -q HW "$device/sched_mode"
plan
groups params jobs queues hostile infer
