# A job that hangs where the driver schedules: the whole device restarts.
# kernel: ivpu_pm_trigger_recovery\(\): Recovery triggered by (TDR|Job timeout)
# kernel: ivpu_pm_recovery_work\(\): Recovering the NPU \(reset #\d+\)
# kernel: ivpu_hw_power_down\(\): NPU not idle during power down
# kernel: ivpu_job_timeout_work\(\): Job timeout detected, heartbeat not progressed
# On Nova Lake 7.2 refuses the choice of who schedules; an image of ours that cannot makes it:
# image nvl: ours
mode=sched_mode=0
[ "$(cat "$device/device")" = 0xd71d ] && mode=
must probe load_driver $mode tdr_timeout_ms=300
keep_awake
plan
groups recovery
