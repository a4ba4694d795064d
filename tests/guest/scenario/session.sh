# What ./record keeps: one session, phase by phase.  SCHED and the image choose who schedules.
# kernel: ivpu_pm_trigger_recovery\(\): Recovery triggered by TDR
# kernel: ivpu_pm_recovery_work\(\): Recovering the NPU \(reset #\d+\)
# kernel: ivpu_hw_power_down\(\): NPU not idle during power down
# kernel: ivpu_job_timeout_work\(\): Job timeout detected, heartbeat not progressed
# kernel: reset_engine_and_mark_faulty_contexts\(\): Engine reset performed, impacted contexts: 1
# kernel: ivpu_mmu_dump_event\(\): MMU EVTQ: 0x1[03] \((Translation|Permission) fault.*\) SSID: \d+
driver=/sys/bus/pci/drivers/intel_vpu
guest-test host mark boot
# as soon as the driver lets it: no suspend of its own accord is to end up in a phase
while :; do keep_awake; usleep 2000; done &
awake=$!
must probe load_driver $(cat /module-options)
kill $awake
sleep 1
plan
groups session
echo "$bdf" >$driver/unbind
sleep 1
guest-test host mark end
