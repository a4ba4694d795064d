# An interrupt that never came.
must probe load_driver tdr_timeout_ms=300
plan
groups irq
