# Everything a program can ask of the driver.  Each case of the table runs it.
must probe load_driver
plan
groups params buffers jobs queues metrics hostile infer
