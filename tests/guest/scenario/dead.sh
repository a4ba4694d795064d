# Firmware that stops answering.
must probe load_driver tdr_timeout_ms=300
plan
groups dead
