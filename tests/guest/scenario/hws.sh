# Scheduling by the firmware, which 6.12 does only when told to.
# only: lts
# 6.12 sets aside room for one such buffer per queue but aligns them to 64 KiB: with the odd size of
# 37xx's image the last queue of a context finds none, and does without:
# kernel: ivpu_preemption_buffers_create\(\): Failed to create secondary preemption buffer
# kernel: ivpu_cmdq_alloc\(\): Failed to allocate preemption buffers, preemption limited
must probe load_driver sched_mode=1
must "scheduled by the firmware" grep -q HW "$device/sched_mode"
plan
groups params jobs queues hostile infer
