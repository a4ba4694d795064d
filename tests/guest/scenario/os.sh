# The driver's own scheduling, which 7.x leaves to the firmware where the image can do it.
# only: new
# On Nova Lake 7.2 refuses the choice; there our image that cannot schedule leaves it to the driver,
# in scenario base.
# not: nvl
must probe load_driver sched_mode=0
must "scheduled by the driver" grep -q OS "$device/sched_mode"
plan
groups params jobs queues hostile infer
