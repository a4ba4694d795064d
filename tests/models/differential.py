#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random small ONNX models through `npu run` against ONNX Runtime (or ONNX's own reference).

Each model is one operator, or a few that are meant to be fused, folded or aliased.  Model N of a
seed is always the same one.  A model passes when its outputs agree, or when npu and the references
refuse it alike; a refusal must be one line with exit code 3 or 4.  A refusal by npu alone of what
a reference runs passes only for reasons listed in LIMITS.

usage: differential.py [--npu FILE] [--engine plain|onednn] [--seed N] [--count N] [--only OP,...]
                       [--keep DIR] [--case N]      last line "N passed, N failed"
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from random_nets import make_case

np.seterr(all="ignore")
warnings.simplefilter("ignore")

# What npu may refuse although a reference runs it.
LIMITS = [
    r"no kernel for",
    r"must be known when compiling",
]


def reference(model, feed):
    """([outputs], by whom) or (None, why)."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    names = {i.name for i in model.graph.initializer}
    feed = {k: v for k, v in feed.items() if k not in names}
    why = ""
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                               providers=["CPUExecutionProvider"])
        return session.run(None, feed), "onnxruntime"
    except Exception as err:
        why = "onnxruntime: " + str(err).replace("\n", " ")[-200:]
    try:
        return ReferenceEvaluator(model).run(None, feed), "onnx.reference"
    except Exception as err:
        return None, why + "; onnx.reference: " + str(err).replace("\n", " ")[-200:]


def differs(got, want, rounds=False):
    """Text, or "" when they agree."""
    want = np.asarray(want)
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"is {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    if want.dtype.kind != "f":
        bad = got != want
        if rounds:  # a float is cut to an integer
            bad &= np.abs(got.astype(np.float64) - want) > 1
    else:
        rtol = 2e-2 if want.dtype == np.float16 else 1e-3
        a, b = got.astype(np.float64), want.astype(np.float64)
        finite = np.abs(b[np.isfinite(b)])
        atol = rtol / 50 * (finite.max() if finite.size else 1) + 1e-5
        bad = ~np.isclose(a, b, rtol, atol, equal_nan=True)
        if want.dtype == np.float16:  # overflow may happen at different steps
            bad &= ~((np.abs(b) > 6e4) & (np.abs(a) > 6e4))
    if not bad.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return (f"{int(bad.sum())} of {bad.size} differ, first {list(at)}: {got[at]}, "
            f"expected {want[at]}")


def run_npu(npu, engine, folder, model, feed):
    """(exit code, text, [outputs])"""
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    args = []
    for i, (name, value) in enumerate(feed.items()):
        (folder / f"{i}.pb").write_bytes(numpy_helper.from_array(value, name).SerializeToString())
        args.append(f"--input={name}={folder}/{i}.pb")
    try:
        done = subprocess.run([npu, "run", str(folder / "model.onnx"), *args, "--output",
                               str(folder / "out"), "--quiet", "--device",
                               f"sim:npu37,stepped,engine={engine}"],
                              capture_output=True, text=True, timeout=120, errors="replace")
    except subprocess.TimeoutExpired:
        return -99, "timed out", []
    outs = []
    for i in range(len(model.graph.output)):
        path = folder / "out" / f"output_{i}.pb"
        if path.exists():
            outs.append(numpy_helper.to_array(onnx.load_tensor(path)))
    return done.returncode, done.stderr.strip(), outs


def check(args, number):
    """(verdict, what, text): pass, skip, fail"""
    what, case, model, why = make_case(args.seed, number, args.only)
    if model is None:
        return "skip", what, f"opset {case.opset}: {why.splitlines()[0][:250]}"
    want, by = (case.want, "numpy") if case.want else reference(model, case.feed)
    with tempfile.TemporaryDirectory() as tmp:
        folder = pathlib.Path(args.keep) / str(number) if args.keep else pathlib.Path(tmp)
        folder.mkdir(parents=True, exist_ok=True)
        code, text, outs = run_npu(args.npu, args.engine, folder, model, case.feed)
    where = f"opset {case.opset}"
    if code not in (0, 3, 4) or (code and (not text.startswith("npu: ") or "\n" in text)):
        return "fail", what, f"{where}: exit {code}: {text}"
    if want is None:
        return ("pass" if code else "noref"), what, f"{where}: npu runs it; {by}"
    if code and re.search("window of|kernel spans", text) and (
            by == "onnx.reference" or not any(np.asarray(w).size for w in want)):
        return "pass", what, where  # no room for a window: no elements, or padding alone
    if code:
        limit = any(re.search(p, text) for p in LIMITS)
        return ("limit" if limit else "fail"), what, f"{where}: {by} runs it, npu: {text}"
    if len(outs) != len(want):
        return "fail", what, f"{where}: {len(outs)} outputs, expected {len(want)}"
    for i, (got, expected) in enumerate(zip(outs, want)):
        text = differs(got, expected, what in ("Pow", "ReduceL2", "ReduceLogSum",
                                              "ReduceLogSumExp"))
        is_sum = what == "Gemm" or what.startswith("Reduce")
        if text and got.dtype.kind in "iu" and case.special and is_sum:
            continue  # beyond the type: undefined
        if text and by == "onnxruntime":  # a second opinion
            try:
                second = ReferenceEvaluator(model).run(None, case.feed)[i]
                if not differs(got, second):
                    return "noref", what, f"{where}: onnx.reference agrees, onnxruntime: {text}"
            except Exception:
                pass
        if text:
            return "fail", what, f"{where}: output {i} by {by}: {text}"
    return "pass", what, where


def main():
    here = pathlib.Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--npu", default=str(here / "build/bin/npu"))
    parser.add_argument("--engine", default="plain")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--case", type=int, help="this one only")
    parser.add_argument("--only", type=lambda t: t.split(","), help="of these kinds only")
    parser.add_argument("--keep", help="folder for the models")
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    numbers = range(args.count) if args.case is None else [args.case]
    counts = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for n, (verdict, what, text) in zip(numbers, pool.map(
                check, [args] * len(numbers), numbers, chunksize=20)):
            counts[verdict] += 1
            if verdict == "fail" or (args.v and verdict != "pass"):
                print(f"{verdict} {args.seed}/{n} {what}: {text}", flush=True)
    print(f"{counts['skip']} not valid ONNX, {counts['noref']} without an agreeing reference, "
          f"{counts['limit']} refused as documented")
    print(f"{counts['pass']} passed, {counts['fail']} failed")
    sys.exit(1 if counts["fail"] or not counts["pass"] else 0)


if __name__ == "__main__":
    main()
