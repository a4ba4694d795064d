# Firmware that stops answering.
# kernel: ivpu_pm_trigger_recovery\(\): Recovery triggered by (TDR|Job timeout|.*)$
# kernel: ivpu_pm_recovery_work\(\): Recovering the NPU \(reset #\d+\)
# kernel: ivpu_hw_power_down\(\): NPU not idle during power down
# kernel: ivpu_job_timeout_work\(\): Job timeout detected, heartbeat not progressed
# kernel: ivpu_ipc_send_receive_internal\(\): IPC receive failed: type VPU_JSM_MSG_(QUERY_ENGINE_HB|STATE_DUMP|ENGINE_RESET).*, ret -110
must probe load_driver tdr_timeout_ms=300
keep_awake
plan
groups dead
