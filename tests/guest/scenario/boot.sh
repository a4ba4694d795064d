# Firmware that never gets ready, hardware that does not answer: the probe fails cleanly, the next works.
# kernel: ivpu_boot\(\): Failed to boot the firmware: -110
# kernel: probe with driver intel_vpu failed with error -110
# kernel: ivpu_hw_btrs_wp_drive\(\): Timed out waiting for (PLL lock|NPU ready status)
# 6.12 looks for the causes in the register of Meteor Lake's buttress, here the mask: all of them
# kernel: diagnose_failure_lnl\(\): (\w+_ERR|Survivability)
# kernel: ivpu_hw_power_up\(\): Failed to enable workpoint: -110
# kernel: ivpu_hw_power_down\(\): NPU not idle during power down
# kernel: ivpu_mmu_(cmdq_sync|enable|init)\(\): .*-110
# The driver reads the counter while it gives up:
# finding: CPU_SS_TIM_PERF_(EXT_)?FREE_CNT: read of a register without power
must probe load_driver
driver=/sys/bus/pci/drivers/intel_vpu
for fault in fw-never-ready pll-never-locks mmu-cmdq-stuck; do
	wait_for "suspend" 5 is_suspended # the job's context is gone: scenario rebind says why
	echo "$bdf" >$driver/unbind
	guest-test host fault $fault 1
	must "$fault: refused" sh -c "! echo $bdf >$driver/bind" 2>/dev/null
	must "$fault: no node" [ ! -e /dev/accel/accel0 ]
	echo "$bdf" >$driver/bind
	must "$fault: next probe" wait_for "the node" 20 test -c /dev/accel/accel0
	must "$fault: job" guest-test job
done
plan
