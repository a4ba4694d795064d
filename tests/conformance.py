#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ONNX's own conformance data through the whole stack: every case by `npu run --reference`.

A case belongs to a set when all its operators do; it is a "core" case when all its inputs, outputs
and initializers are float32, float16, int8, uint8, int32, int64 or bool tensors.  Counts of the
cases found are printed: 489 in set a and 175 in set b with Debian 12's data.

usage: conformance.py [--npu COMMAND] [--data DIR] [--engine plain|onednn] [--limit WORDS] [--all] [-v] [CASE...]
  --all   also every other case: they must pass or be refused with a message, never crash
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys

SET_A = set("""Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant
ConstantOfShape Conv ConvTranspose Cos DepthToSpace Div Dropout Elu Equal Erf Exp Expand Flatten Floor
Gather Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity
InstanceNormalization LRN LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mul Neg
Not Or PRelu Pad Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape Sigmoid Sign Sin Size Slice
Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh Tile Transpose Unsqueeze Where
Xor""".split())
SET_B = set("""Add AveragePool BatchNormalization Clip Concat Constant ConstantOfShape Conv Dropout Flatten
Gather Gemm GlobalAveragePool Identity LRN MatMul MaxPool Mul Pad ReduceMean Relu Reshape Shape Softmax
Squeeze Sum Transpose Unsqueeze""".split())
CORE = {1, 10, 3, 2, 6, 7, 9}
DATA = "/usr/share/libonnx-testdata/data"

UNSUPPORTED = 4  # npu's exit code


def fields(buf):
    """(number, wire type, value) of a protobuf message; bytes for length-delimited fields."""
    at = 0

    def varint():
        nonlocal at
        val = shift = 0
        while True:
            byte = buf[at]
            at += 1
            val |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return val

    while at < len(buf):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, kind, varint()
        elif kind == 2:
            size = varint()
            yield key >> 3, kind, buf[at:at + size]
            at += size
        else:
            size = 8 if kind == 1 else 4
            yield key >> 3, kind, buf[at:at + size]
            at += size


def first(buf, number, default=None):
    return next((v for n, _, v in fields(buf) if n == number), default)


def value_type(info):
    """Element type of a ValueInfoProto; None if it is no tensor."""
    tensor = first(first(info, 2, b""), 1)
    return None if tensor is None else first(tensor, 1)


def collect(graph, ops, types):
    for number, _, value in fields(graph):
        if number == 1:  # NodeProto
            ops.add(first(value, 4, b"").decode())
            for n, _, attr in fields(value):
                if n == 5:
                    for m, _, sub in fields(attr):
                        if m in (6, 11):  # subgraphs
                            collect(sub, ops, types)
        elif number == 5:  # initializer
            types.add(first(value, 2))
        elif number in (11, 12):  # input, output
            types.add(value_type(value))


def device_string(args):
    if ":" in args.device or args.device.startswith("/"):
        return args.device
    return f"sim:{args.device},engine={args.engine}"


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.name = f"{folder.parent.name}/{folder.name}"
        ops, types = set(), set()
        collect(first((folder / "model.onnx").read_bytes(), 7, b""), ops, types)
        core = types <= CORE
        self.is_node = folder.parent.name == "node"
        self.sets = [s for s, members in (("a", SET_A), ("b", SET_B)) if core and ops <= members]

    def run(self, args):
        """(status, text): pass, unsupported, fail"""
        for data in sorted(self.folder.glob("test_data_set_*")):
            cmd = [*shlex.split(args.npu), "run", str(self.folder / "model.onnx"), "--reference", str(data),
                   "--quiet", "--device", device_string(args)]
            try:
                done = subprocess.run(cmd, capture_output=True, text=True, timeout=300)
            except subprocess.TimeoutExpired:
                return "fail", "timed out"
            text = (done.stdout + done.stderr).strip()
            if done.returncode == UNSUPPORTED and not self.sets:
                return "unsupported", text
            if done.returncode == 1 and args.limit and args.limit in text:
                return "unsupported", text
            if done.returncode:
                if done.returncode == 3 and not self.sets and text.startswith("npu: "):
                    return "unsupported", text  # sequences, strings: said in one line
                return "fail", f"exit {done.returncode}: {text}"
        return "pass", ""


def summary(name, results):
    count = collections.Counter(results)
    return f"{name}: {count['pass']} of {len(results)} pass" + "".join(
        f", {count[k]} {k}" for k in ("unsupported", "fail") if count[k])


def main():
    here = pathlib.Path(__file__).parent.parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--npu", default=str(here / "build/bin/npu"))
    parser.add_argument("--data", default=DATA)
    parser.add_argument("--engine", default="onednn")
    parser.add_argument("--device", default="npu37", help="generation of the virtual NPU, or a whole device string")
    parser.add_argument("--limit", help="a case that ends with these words is skipped: the device's limit")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("-v", action="store_true")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()

    folders = sorted(p.parent for p in pathlib.Path(args.data).glob("*/*/model.onnx"))
    cases = [Case(f) for f in folders if f.parent.name != "light"]
    if args.cases:
        cases = [c for c in cases if any(re.search(p, c.name) for p in args.cases)]
    elif not args.all:
        cases = [c for c in cases if c.sets]
    if not cases:
        sys.exit(f"{args.data}: no cases; apt-get install libonnx-testdata")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda c: c.run(args), cases))

    for case, (status, text) in zip(cases, results):
        if status == "fail" or args.v:
            print(f"{status} {case.name}: {text.splitlines()[0] if text else ''}")
    where = args.engine if device_string(args).startswith("sim:") else args.device
    for name in ("a", "b"):
        of_set = [r[0] for c, r in zip(cases, results) if name in c.sets and c.is_node]
        print(summary(f"node cases of set {name}, core types, {where}", of_set))
    if args.all:
        print(summary(f"all {len(cases)} cases, {where}", [r[0] for r in results]))
    count = collections.Counter(r[0] for r in results)
    print(f"{count['pass']} passed, {count['fail']} failed, {count['unsupported']} skipped")
    sys.exit(1 if count["fail"] else 0)


main()
