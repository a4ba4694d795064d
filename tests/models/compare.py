#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole models through `npu run` against ONNX Runtime.

Every output must agree within 1e-4 of its largest value.  A uniform answer proves nothing: one
output of each model must have at least 100 distinct values.

usage: compare.py NPU MODEL.onnx...    last line "N passed, N failed"
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

LIMIT = 1e-4
MIN_DISTINCT = 100


def make_inputs(session, folder, model):
    """The model's own data set where it has one: white noise hides what a deep network does."""
    given = pathlib.Path(model).parent / "test_data_set_0"
    rng = numpy.random.default_rng(7)
    feed = {}
    for i, info in enumerate(session.get_inputs()):
        shape = [d if isinstance(d, int) else 1 for d in info.shape]
        feed[info.name] = rng.standard_normal(shape).astype(numpy.float32)
        if (given / f"input_{i}.pb").exists():
            feed[info.name] = read(given / f"input_{i}.pb")
        tensor = numpy_helper.from_array(feed[info.name], info.name)
        (folder / f"input_{i}.pb").write_bytes(tensor.SerializeToString())
    return feed


def read(path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def check(npu, model, engine):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    with tempfile.TemporaryDirectory() as tmp:
        folder = pathlib.Path(tmp)
        feed = make_inputs(session, folder, model)
        args = [f"--input={name}={folder}/input_{i}.pb" for i, name in enumerate(feed)]
        done = subprocess.run([npu, "run", model, *args, "--output", str(folder / "out"), "--quiet",
                               "--device", f"sim:npu37,strict,engine={engine}"],
                              capture_output=True, text=True)
        if done.returncode:
            return False, f"exit {done.returncode}: {done.stderr.strip()}"
        worst, distinct = 0.0, 0
        for i, want in enumerate(session.run(None, feed)):
            got = read(folder / "out" / f"output_{i}.pb")
            if got.shape != want.shape:
                return False, f"output {i}: shape {got.shape}, ONNX Runtime {want.shape}"
            worst = max(worst, float(abs(got - want).max() / abs(want).max()))
            distinct = max(distinct, len(numpy.unique(got)))
    text = f"largest difference {worst:.2e} of the largest value, {distinct} distinct values"
    return worst <= LIMIT and distinct >= MIN_DISTINCT, text


def main():
    npu, models = sys.argv[1], sys.argv[2:]
    nr = [0, 0]
    for model in models:
        for engine in ("onednn", "plain"):
            ok, text = check(npu, model, engine)
            nr[not ok] += 1
            print(f"{'ok' if ok else 'FAILED'} {pathlib.Path(model).parent.name} {engine}: {text}",
                  flush=True)
    print(f"{nr[0]} passed, {nr[1]} failed")
    sys.exit(1 if nr[1] or not nr[0] else 0)


main()
