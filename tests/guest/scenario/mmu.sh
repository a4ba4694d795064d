# Commands that touch what is not there.
must probe load_driver
plan
groups mmu
