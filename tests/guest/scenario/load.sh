# 10 000 jobs over 8 contexts.
must probe load_driver
plan
groups load
