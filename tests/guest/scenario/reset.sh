# A job that hangs where the firmware schedules: the engine is reset, one context is lost.
# only: new
# kernel: ivpu_job_timeout_work\(\): Job timeout detected, heartbeat not progressed
# kernel: reset_engine_and_mark_faulty_contexts\(\): Engine reset performed, impacted contexts: 1
must probe load_driver tdr_timeout_ms=300
keep_awake
plan
groups reset
