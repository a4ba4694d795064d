#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole-model time of `npu run` beside ONNX Runtime, same machine, same minute, 1 and 2 threads.

Rounds alternate between the two, so that a noisy machine disturbs both; the best of all rounds is
compared, and the median shown.  npu's time is submit -> complete through driver, MMU and job queue.

usage: bench/models (makes the models and the python environment), or
       models.py NPU MODEL.onnx...
"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy
import onnxruntime

ROUNDS = 5
RUNS = 15


def time_npu(npu, model, threads):
    done = subprocess.run([npu, "run", model, "--random=7", "--threads", str(threads), "--repeat",
                           str(RUNS), "--quiet", "--json"], capture_output=True, text=True, check=True)
    ms = json.loads(done.stdout)["ms"]
    return ms["run_best"], ms["run_median"]


def time_ort(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    rng = numpy.random.default_rng(7)
    feed = {i.name: rng.standard_normal([d if isinstance(d, int) else 1 for d in i.shape])
            .astype(numpy.float32) for i in session.get_inputs()}
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    return min(times[1:]), statistics.median(times[1:])


def main():
    npu, models = sys.argv[1], sys.argv[2:]
    print(f"{'model':14} {'threads':>7} {'npu best':>9} {'median':>8} {'ORT best':>9} {'median':>8}"
          f" {'npu/ORT':>8}   ms")
    for model in models:
        for threads in (1, 2):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(time_npu(npu, model, threads))
                theirs.append(time_ort(model, threads))
            best, peer = min(o[0] for o in ours), min(t[0] for t in theirs)
            print(f"{pathlib.Path(model).parent.name:14} {threads:7} {best:9.2f}"
                  f" {statistics.median(o[1] for o in ours):8.2f} {peer:9.2f}"
                  f" {statistics.median(t[1] for t in theirs):8.2f} {best / peer:8.2f}", flush=True)


main()
