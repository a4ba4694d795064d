# A job that hangs where the driver schedules: the whole device restarts.
# kernel: intel_vpu .*TDR
must probe load_driver sched_mode=0 tdr_timeout_ms=300
plan
groups recovery
