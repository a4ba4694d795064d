# A job that hangs where the firmware schedules: the engine is reset, one context is lost.
# only: new
must probe load_driver tdr_timeout_ms=300
plan
groups reset
