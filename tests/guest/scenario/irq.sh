# An interrupt that never came.
# kernel: ivpu_pm_trigger_recovery\(\): Recovery triggered by (TDR|Job timeout|.*)$
# kernel: ivpu_pm_recovery_work\(\): Recovering the NPU \(reset #\d+\)
# kernel: ivpu_hw_power_down\(\): NPU not idle during power down
# kernel: diagnose_failure_\w+\(\): IPC FIFO queue not empty, missed IPC IRQ
must probe load_driver tdr_timeout_ms=300
keep_awake
plan
groups irq
