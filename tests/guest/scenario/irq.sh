# An interrupt that never came.  Its cause stays pending: no other one follows.
# kernel: ivpu_pm_trigger_recovery\(\): Recovery triggered by (TDR|Job timeout|IPC timeout)
# kernel: ivpu_pm_recovery_work\(\): Recovering the NPU \(reset #\d+\)
# kernel: ivpu_hw_power_down\(\): NPU not idle during power down
# kernel: ivpu_ipc_send_receive_internal\(\): IPC receive failed: type VPU_JSM_MSG_(QUERY_ENGINE_HB|STATE_DUMP|ENGINE_RESET), ret -(110|125)
# kernel: ivpu_jsm_get_heartbeat\(\): Failed to get heartbeat from engine 0: -110
# kernel: ivpu_job_timeout_work\(\): Job timeout detected, heartbeat not progressed
# kernel: diagnose_failure_\w+\(\): IPC FIFO queue not empty, missed IPC IRQ
# 7.2 runs its context abort beside the recovery that the same silence caused, and warns about itself:
# trace new: drm_WARN_ON\(pm_runtime_get_if_active.*\n.*ivpu_context_abort_work_fn
must probe load_driver tdr_timeout_ms=300
keep_awake
plan
groups irq
