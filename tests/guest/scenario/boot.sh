# Firmware that never gets ready, or is dead after it: the probe fails cleanly, the next one works.
must probe load_driver
driver=/sys/bus/pci/drivers/intel_vpu
for fault in fw-never-ready pll-never-locks mmu-cmdq-stuck; do
	echo "$bdf" >$driver/unbind
	guest-test host fault $fault 1
	must "$fault: refused" sh -c "! echo $bdf >$driver/bind" 2>/dev/null
	must "$fault: no node" [ ! -e /dev/accel/accel0 ]
	echo "$bdf" >$driver/bind
	must "$fault: next probe" wait_for "the node" 20 test -c /dev/accel/accel0
	must "$fault: job" guest-test job
done
plan
