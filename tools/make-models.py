#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes ONNX models with seeded random weights, for benchmarks and tests.

usage: make-models.py DIR [--light LIGHT] [--only NAME,...] [--pre-softmax] [--data] [--check] [--seed N]

needs: python3, numpy, onnx; onnxruntime for --data and --check.

Generated from scratch: resnet50 (v1.5), mobilenetv2, squeezenet (1.1), all 1 x 3 x 224 x 224 -> 1000.
--light LIGHT  also the nine light_*.onnx found in LIGHT (`tools/fetch-onnx-testdata.sh`/light): their
               weights are all one constant, so any executor that yields a uniform vector passes; here
               each is replaced by a random initializer. The tensor before the last Softmax, if there is
               one, becomes a second output. Dead shape inputs go, and with them IR 3 becomes IR 4.
--pre-softmax  that second output for the generated ones too
--only         names, e.g. resnet50,light_vgg19
--data         test_data_set_0/{input,output}_N.pb beside the model: normal input, outputs by onnxruntime
--check        runs each model and prints a table; fails if an output is not finite, has fewer than 100
               distinct values, is nearly uniform or hardly depends on the input ("moved": change by
               another input, relative), or if an activation leaves the range of float16

Layout: DIR/NAME/model.onnx, DIR/NAME/test_data_set_0/. About 1.5 GB with --light.
Weights: He scaling (normal, variance about 2 / fan in), biases near 0, batch norm scale and variance near
1, smaller scale where a residual branch ends so that the sums do not grow. Each filter behind a relu loses
half of its mean (and has variance 2.6 / fan in instead): without that the relus' common mean drowns the
signal, and the outputs for two different inputs agree to a cosine of 0.9996 in some nets. Input: normal,
7 x 7 patches plus noise, because white noise alone averages out the same way. Each model has a random stream
of its own (numpy default_rng of seed and name), so --only does not change what is written.
"""
import argparse, os, pathlib, sys, zlib
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

class Weights:
    """Random values by the role a tensor plays."""
    def __init__(self, seed, name):
        self.rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    def normal(self, shape, std, mean=0.0):
        return self.rng.standard_normal(shape, np.float32) * np.float32(std) + np.float32(mean)
    def conv(self, shape, rectified=True):                  # [out, in / group, kh, kw]; input comes from a relu
        fan = np.prod(shape[1:])
        if not rectified or shape[1] == 1:
            return self.normal(shape, ((1 + rectified) / fan) ** .5)
        a = self.normal(shape, (2.6 / fan) ** .5)
        return a - a.mean((1, 2, 3), keepdims=True) / 2
    def gemm(self, shape):                                  # [..., out, in]
        return self.normal(shape, (2 / shape[-1]) ** .5)
    def bias(self, n):
        return self.normal(n, .05)
    def scale(self, n, around=1.0):                         # of a batch norm
        return np.float32(around) * self.rng.uniform(.8, 1.2, n).astype(np.float32)
    def var(self, n):
        return self.rng.uniform(.7, 1.4, n).astype(np.float32)

class Net:
    """Appends nodes; every method takes and returns tensor names."""
    def __init__(self, name, seed, pre_softmax):
        self.name, self.w, self.pre = name, Weights(seed, name), pre_softmax
        self.nodes, self.inits, self.chan = [], [], {"input": 3}
    def init(self, name, a):
        self.inits.append(numpy_helper.from_array(np.asarray(a), name)); return name
    def op(self, op, ins, out, channels=None, **attr):
        self.nodes.append(helper.make_node(op, ins, [out], name=out, **attr))
        self.chan[out] = channels or self.chan[ins[0]]
        return out
    def conv(self, x, name, out, k, stride=1, pad=None, group=1, bias=False, rectified=True):
        pad = k // 2 if pad is None else pad
        ins = [x, self.init(name + ".weight", self.w.conv((out, self.chan[x] // group, k, k), rectified))]
        if bias:
            ins.append(self.init(name + ".bias", self.w.bias(out)))
        return self.op("Conv", ins, name, out, dilations=[1, 1], group=group, kernel_shape=[k, k],
                       pads=[pad] * 4, strides=[stride] * 2)
    def bn(self, x, name, scale=1.0):
        c = self.chan[x]
        v = {"weight": self.w.scale(c, scale), "bias": self.w.bias(c),
             "running_mean": self.w.normal(c, .1), "running_var": self.w.var(c)}
        return self.op("BatchNormalization", [x] + [self.init(f"{name}.{k}", a) for k, a in v.items()], name,
                       epsilon=1e-5, momentum=.9)
    def relu(self, x): return self.op("Relu", [x], x + ".relu")
    def relu6(self, x):
        if not any(t.name == "zero" for t in self.inits):
            self.init("zero", np.float32(0)); self.init("six", np.float32(6))
        return self.op("Clip", [x, "zero", "six"], x + ".relu6")
    def add(self, a, b, out): return self.op("Add", [a, b], out)
    def maxpool(self, x, out, k=3, stride=2, pad=0, ceil=0):
        return self.op("MaxPool", [x], out, ceil_mode=ceil, kernel_shape=[k, k], pads=[pad] * 4, strides=[stride] * 2)
    def flat(self, x): return self.op("Flatten", [self.op("GlobalAveragePool", [x], "pool")], "flat", axis=1)
    def fc(self, x, name, out):
        w = self.w.gemm((out, self.chan[x]))
        return self.op("Gemm", [x, self.init(name + ".weight", w), self.init(name + ".bias", self.w.bias(out))], name, out,
                       alpha=1.0, beta=1.0, transB=1)
    def model(self, logits, shape=(1, 3, 224, 224)):
        self.op("Softmax", [logits], "probabilities", axis=1)
        io = lambda n, s: helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        outs = [io("probabilities", [1, self.chan[logits]])] + ([io(logits, [1, self.chan[logits]])] if self.pre else [])
        g = helper.make_graph(self.nodes, self.name, [io("input", shape)], outs, self.inits)
        return helper.make_model(g, ir_version=8, opset_imports=[helper.make_opsetid("", 13)], producer_name="make-models.py")

def resnet50(net):
    x = net.maxpool(net.relu(net.bn(net.conv("input", "conv1", 64, 7, 2, rectified=False), "bn1")), "maxpool", pad=1)
    for s, (blocks, width) in enumerate(zip((3, 4, 6, 3), (64, 128, 256, 512)), 1):
        for b in range(blocks):
            n, stride = f"layer{s}.{b}.", 2 if b == 0 and s > 1 else 1
            y = net.relu(net.bn(net.conv(x, n + "conv1", width, 1), n + "bn1"))
            y = net.relu(net.bn(net.conv(y, n + "conv2", width, 3, stride), n + "bn2"))     # v1.5: stride here
            y = net.bn(net.conv(y, n + "conv3", width * 4, 1), n + "bn3", scale=.35)
            if b == 0:
                x = net.bn(net.conv(x, n + "downsample.0", width * 4, 1, stride), n + "downsample.1")
            x = net.relu(net.add(y, x, n + "add"))
    return net.model(net.fc(net.flat(x), "fc", 1000))

def mobilenetv2(net):
    x = net.relu6(net.bn(net.conv("input", "features.0.0", 32, 3, 2, rectified=False), "features.0.1"))
    i = 1
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for b in range(n):
            stride, y, f, k = s if b == 0 else 1, x, f"features.{i}.conv.", 0
            wide = net.chan[x] * t
            if t > 1:                                       # the input is a sum, not a relu
                y, k = net.relu6(net.bn(net.conv(y, f + "0.0", wide, 1, rectified=False), f + "0.1")), 1
            y = net.relu6(net.bn(net.conv(y, f"{f}{k}.0", wide, 3, stride, group=wide), f"{f}{k}.1"))
            y = net.bn(net.conv(y, f"{f}{k + 1}", c, 1), f"{f}{k + 2}", scale=.5 if b else 1)
            x = net.add(x, y, f"features.{i}.add") if stride == 1 and net.chan[x] == c else y
            i += 1
    x = net.relu6(net.bn(net.conv(x, "features.18.0", 1280, 1, rectified=False), "features.18.1"))
    return net.model(net.fc(net.flat(x), "classifier.1", 1000))

def squeezenet(net):
    x = net.relu(net.conv("input", "features.0", 64, 3, 2, pad=0, bias=True, rectified=False))
    x = net.maxpool(x, "features.2", ceil=1)
    for i, s, e in ((3, 16, 64), (4, 16, 64), (5, 0, 0), (6, 32, 128), (7, 32, 128), (8, 0, 0),
                    (9, 48, 192), (10, 48, 192), (11, 64, 256), (12, 64, 256)):
        n = f"features.{i}"
        if not s:
            x = net.maxpool(x, n, ceil=1); continue
        x = net.relu(net.conv(x, n + ".squeeze", s, 1, bias=True))
        x = net.op("Concat", [net.relu(net.conv(x, n + ".expand1x1", e, 1, bias=True)),
                              net.relu(net.conv(x, n + ".expand3x3", e, 3, bias=True))], n, 2 * e, axis=1)
    x = net.relu(net.conv(x, "classifier.1", 1000, 1, bias=True))
    return net.model(net.flat(x))

GENERATED = {"resnet50": resnet50, "mobilenetv2": mobilenetv2, "squeezenet": squeezenet}

def light(path, w):
    """A light model with its constant weights replaced by random ones."""
    m = onnx.load(str(path)); g = m.graph
    inits = {t.name: t for t in g.initializer}
    made = {o: n for n in g.node for o in n.output}
    users = {}
    for n in g.node:
        for k, i in enumerate(n.input):
            users.setdefault(i, []).append((n, k))

    def shape_if_weight(name):
        if name in made and made[name].op_type == "ConstantOfShape":
            return list(numpy_helper.to_array(inits[made[name].input[0]]))
        if name in inits and inits[name].data_type == TensorProto.FLOAT:
            return list(inits[name].dims)

    def rectified(name):                                    # by Relu, or moved there from one
        while name in made and made[name].op_type in ("MaxPool", "AveragePool", "Concat", "Reshape", "Transpose", "LRN", "Dropout"):
            name = made[name].input[0]
        return name in made and made[name].op_type == "Relu"

    def value(name, shape):
        n, k = users[name][0]
        if n.op_type in ("Unsqueeze", "Reshape"):           # a vector or matrix on its way to its user
            n, k = users[n.output[0]][0]
        if n.op_type == "BatchNormalization":
            out = [u.op_type for u, _ in users.get(n.output[0], [])]
            joins = any(o in ("Sum", "Concat") for o in out)            # end of a residual branch
            return (w.scale(shape, .5 if joins else 1), w.bias(shape), w.normal(shape, .1), w.var(shape))[k - 1]
        if n.op_type == "Mul":
            return w.scale(shape)
        if n.op_type == "Add" or k == 2:
            return w.bias(shape)
        if n.op_type == "Conv" and k == 1:
            return w.conv(shape, rectified(n.input[0]))
        if n.op_type == "Gemm" and k == 1:
            if not any(a.name == "transB" and a.i for a in n.attribute):
                raise SystemExit(f"{path.name}: {n.name}: Gemm without transB")
            return w.gemm(shape)
        raise SystemExit(f"{path.name}: {name} is input {k} of {n.op_type}: role unknown")

    new = {}
    for i in users:                                         # in order of first use
        shape = shape_if_weight(i)
        if shape is not None:
            new[i] = numpy_helper.from_array(value(i, [int(d) for d in shape]), i)
    kept = [n for n in g.node if n.op_type != "ConstantOfShape"]
    used = {i for n in kept for i in n.input}
    rest = [t for t in g.initializer if t.name in used and t.name not in new]
    inputs = [i for i in g.input if i.name in used and i.name not in inits]
    for field, values in ((g.node, kept), (g.initializer, list(new.values()) + rest), (g.input, inputs)):
        del field[:]; field.extend(values)
    m.ir_version = 4                                        # initializers need not be inputs any more
    if g.node[-1].op_type == "Softmax":
        out = onnx.ValueInfoProto(); out.CopyFrom(g.output[0]); out.name = g.node[-1].input[0]
        g.output.append(out)
    return m

# ---- running ----------------------------------------------------------------------------------

def session(model):
    import onnxruntime as ort
    o = ort.SessionOptions(); o.intra_op_num_threads = 1; o.log_severity_level = 3
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), o, providers=["CPUExecutionProvider"])

def make_input(model, seed, name):
    rng = np.random.default_rng([seed, 1, zlib.crc32(name.encode())])
    i = model.graph.input[0]
    n, c, h, w = [d.dim_value for d in i.type.tensor_type.shape.dim]
    coarse = rng.standard_normal((n, c, 7, 7), np.float32).repeat(h // 7, 2).repeat(w // 7, 3)
    return i.name, coarse + rng.standard_normal((n, c, h, w), np.float32) * np.float32(.3)

def check(name, model, path, x, y, y2):
    """One line per output, and the largest activation of the whole net; true if all is well."""
    fine = True
    every = [o for n in model.graph.node for o in n.output[:1]]
    have = {o.name for o in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=o) for o in every if o not in have)
    acts = session(model.SerializeToString()).run(every, x)
    peak, std = max(float(abs(a).max()) for a in acts), [float(a.std()) for a in acts]
    del model.graph.output[len(have):]
    for o, v, v2 in zip(model.graph.output, y, y2):
        v = v.ravel()
        moved = (v2.ravel() - v).std() / v.std()            # by another input
        good = np.isfinite(v).all() and len(np.unique(v)) >= 100 and v.max() - v.min() > .5 * abs(v).mean() and peak < 65504 and moved > .02
        fine &= bool(good)
        print(f"{name:20} {path.stat().st_size / 1e6:7.1f} MB {len(model.graph.node):4} nodes  {o.name:20} "
              f"[{v.min():.3g}, {v.max():.3g}] std {v.std():.3g}, {len(np.unique(v))} distinct, moved {moved:.2f}; activations "
              f"std {min(std[:-1]):.2g}..{max(std):.2g}, peak {peak:.3g}  {'ok' if good else 'BAD'}", flush=True)
    return fine

def main():
    a = argparse.ArgumentParser(description="write ONNX models with seeded random weights")
    a.add_argument("dir", type=pathlib.Path)
    a.add_argument("--light", type=pathlib.Path)
    a.add_argument("--only", type=lambda s: s.split(","))
    a.add_argument("--pre-softmax", action="store_true")
    a.add_argument("--data", action="store_true")
    a.add_argument("--check", action="store_true")
    a.add_argument("--seed", type=int, default=1)
    a = a.parse_args()
    jobs = {n: lambda n=n, f=f: f(Net(n, a.seed, a.pre_softmax)) for n, f in GENERATED.items()}
    if a.light:
        files = sorted(a.light.glob("light_*.onnx"))
        if not files:
            sys.exit(f"{a.light}: no light_*.onnx")
        jobs |= {p.stem: lambda p=p: light(p, Weights(a.seed, p.stem)) for p in files}
    if a.only and set(a.only) - set(jobs):
        sys.exit(f"unknown: {', '.join(sorted(set(a.only) - set(jobs)))}; there are {', '.join(jobs)}")
    fine = True
    for name in a.only or jobs:
        model = jobs[name]()
        path = a.dir / name / "model.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, str(path))
        checker.check_model(str(path), full_check=True)
        if not a.data and not a.check:
            print(path); continue
        i, v = make_input(model, a.seed, name)
        y = session(path).run([o.name for o in model.graph.output], {i: v})
        if a.data:
            d = path.parent / "test_data_set_0"
            d.mkdir(exist_ok=True)
            for kind, names, values in (("input", [i], [v]), ("output", [o.name for o in model.graph.output], y)):
                for k, (n, t) in enumerate(zip(names, values)):
                    (d / f"{kind}_{k}.pb").write_bytes(numpy_helper.from_array(t, n).SerializeToString())
        if a.check:
            y2 = session(path).run([o.name for o in model.graph.output], {i: make_input(model, a.seed, name + "2")[1]})
            fine &= check(name, model, path, {i: v}, y, y2)
        else:
            print(path)
    sys.exit(0 if fine else "some outputs are not usable")

if __name__ == "__main__":
    main()
