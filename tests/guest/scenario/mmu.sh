# Commands that touch what is not there, or write what is only to be read.
# kernel: ivpu_mmu_dump_event\(\): MMU EVTQ: 0x1[03] \((Translation|Permission) fault.*\) SSID: \d+
# kernel: ^ivpu_mmu_dump_event: \d+ callbacks suppressed$
must probe load_driver
keep_awake
plan
groups mmu
