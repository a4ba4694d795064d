# SPDX-License-Identifier: MIT
"""Random ONNX models of one operator each, in the forms their opsets allow; for differential.py."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOATS = [np.float32, np.float16]
INTS = [np.int8, np.uint8, np.int32, np.int64]
NUMBERS = FLOATS + INTS
CORE = NUMBERS + [np.bool_]
EXTRA = [np.float64, np.int16, np.uint16, np.uint32, np.uint64]


def element_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


class Case:
    """A model being made, with its inputs.  All randomness comes from self.rng."""

    def __init__(self, seed, number):
        self.rng = np.random.default_rng([seed, number])
        self.number = number
        self.opset = int(self.rng.integers(7, 22)) if self.chance(0.97) else 6
        self.nodes, self.initializers, self.outputs = [], [], []
        self.feed = {}
        self.want = None  # outputs, where no reference knows the operator
        self.names = 0
        self.symbolic = self.chance(0.3)
        self.special = self.chance(0.1)

    def chance(self, p):
        return bool(self.rng.random() < p)

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def int(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def dtype(self, types):
        if self.chance(0.5):
            return types[0]
        return self.pick(types)

    def shape(self, low=0, high=5):
        rank = self.int(low, high)
        dims = [self.pick([1, 2, 3, 4, 5, 7] if rank < 4 else [1, 2, 3]) for _ in range(rank)]
        if rank and self.chance(0.03):
            dims[self.int(0, rank - 1)] = 0
        return dims

    def values(self, shape, dtype):
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            return self.rng.random(shape) < 0.5
        if dtype.kind == "f":
            x = (self.rng.standard_normal(shape) * 2).astype(dtype)
            if self.special and x.size:
                flat = x.reshape(-1)
                for _ in range(self.int(1, 3)):
                    flat[self.int(0, x.size - 1)] = self.pick(
                        [0.0, -0.0, np.inf, -np.inf, np.nan, 0.5, 1.5, 2.5, -0.5, 1e4])
            return np.asarray(x)
        low = -10 if dtype.kind == "i" else 0
        x = self.rng.integers(low, 11, shape)
        if self.special:
            info = np.iinfo(dtype)
            x = self.rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        return np.asarray(x).astype(dtype)

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def const(self, value, name=None):
        name = name or self.name("c")
        value = np.asarray(value)
        if self.chance(0.2):  # by a node
            self.nodes.insert(0, helper.make_node("Constant", [], [name],
                                                  value=self.tensor(value, name)))
        else:
            self.initializers.append(self.tensor(value, name))
        return name

    def tensor(self, value, name):
        """Raw or in the typed fields."""
        if self.chance(0.5):
            return numpy_helper.from_array(value, name)
        vals = value.reshape(-1)
        if value.dtype == np.float16:
            return helper.make_tensor(name, TensorProto.FLOAT16, value.shape, vals)
        return helper.make_tensor(name, element_type(value.dtype), value.shape, vals.tolist())

    def input(self, value, const=0.3):
        """An operand: an input of the model, or a constant."""
        value = np.asarray(value)
        if self.chance(const):
            return self.const(value)
        name = self.name("x")
        self.feed[name] = value
        return name

    def ints(self, values, dtype=np.int64):
        """A list that decides a shape: mostly constant, now and then an input."""
        return self.input(np.asarray(values, dtype), 0.85)

    def data(self, shape, dtype, const=0.3):
        return self.input(self.values(shape, dtype), const)

    def node(self, op, inputs, nr_out=1, **attrs):
        outs = [self.name("y") for _ in range(nr_out)]
        node = helper.make_node(op, inputs, outs)
        node.attribute.extend(
            helper.make_attribute(k, v, attr_type=onnx.AttributeProto.INTS if v == [] else None)
            for k, v in attrs.items() if v is not None)
        self.nodes.append(node)
        return outs if nr_out > 1 else outs[0]

    def out(self, *names):
        self.outputs.extend(names)

    def dims_of(self, value, name):
        """Input shapes as written in the model: sometimes symbolic or unknown."""
        return [self.pick([None, f"{name}_{i}"]) if self.symbolic and self.chance(0.5) else d
                for i, d in enumerate(value.shape)]

    def model(self):
        inputs = [helper.make_tensor_value_info(n, element_type(v.dtype), self.dims_of(v, n))
                  for n, v in self.feed.items()]
        if self.chance(0.15):  # as IR 3 did: initializers are inputs too
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims))
                       for t in self.initializers]
        outputs = [onnx.ValueInfoProto(name=n) for n in dict.fromkeys(self.outputs)]
        graph = helper.make_graph(self.nodes, f"case{self.number}", inputs, outputs,
                                  self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 10 if self.opset > 18 else 8
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        for out in inferred.graph.output:  # a shape is wanted, whatever it says
            out.type.tensor_type.shape.SetInParent()
            if out.name in self.feed:
                out.type.tensor_type.elem_type = element_type(self.feed[out.name].dtype)
        onnx.checker.check_model(inferred)
        for out, known in zip(model.graph.output, inferred.graph.output):
            elem = known.type.tensor_type.elem_type
            out.CopyFrom(helper.make_tensor_value_info(out.name, elem, None))
        return model


# Single operators: f(case) adds nodes and names outputs.

UNARY = {"Abs": (6, NUMBERS), "Ceil": (6, FLOATS), "Cos": (7, FLOATS), "Elu": (6, FLOATS),
         "Erf": (9, NUMBERS), "Exp": (6, FLOATS), "Floor": (6, FLOATS), "HardSigmoid": (6, FLOATS),
         "HardSwish": (14, FLOATS), "Identity": (6, CORE), "LeakyRelu": (6, FLOATS),
         "Log": (6, FLOATS), "Neg": (6, [np.float32, np.float16, np.int8, np.int32, np.int64]),
         "Not": (6, [np.bool_]), "Reciprocal": (6, FLOATS), "Relu": (6, NUMBERS),
         "Round": (11, FLOATS), "Selu": (6, FLOATS), "Sigmoid": (6, FLOATS), "Sign": (9, NUMBERS),
         "Sin": (7, FLOATS), "Softplus": (6, FLOATS), "Softsign": (6, FLOATS),
         "Sqrt": (6, FLOATS), "Tan": (7, FLOATS), "Tanh": (6, FLOATS)}


def unary(case, op):
    case.opset = max(case.opset, UNARY[op][0])
    attrs = {}
    if op in ("Elu", "LeakyRelu", "HardSigmoid", "Selu") and case.chance(0.6):
        attrs["alpha"] = float(case.rng.uniform(0.05, 1.5))
    if op == "HardSigmoid" and case.chance(0.5):
        attrs["beta"] = float(case.rng.uniform(0, 1))
    if op == "Selu" and case.chance(0.5):
        attrs["gamma"] = float(case.rng.uniform(0.5, 2))
    case.out(case.node(op, [case.data(case.shape(), case.dtype(UNARY[op][1]))], **attrs))


def broadcast_pair(case):
    """Two shapes that broadcast."""
    full = case.shape(0, 5)
    a, b = [[1 if case.chance(0.25) else d for d in full][case.int(0, len(full)) if
            case.chance(0.4) else 0:] for _ in range(2)]
    return a, b


ARITHMETIC = ["Add", "Sub", "Mul", "Div"]
LOGIC = ["And", "Or", "Xor"]
COMPARE = {"Equal": 7, "Less": 7, "Greater": 7, "LessOrEqual": 12, "GreaterOrEqual": 12}


def binary(case, op):
    case.opset = max(case.opset, COMPARE.get(op, 7))
    dtype = np.bool_ if op in LOGIC else case.dtype(NUMBERS)
    if op == "Equal" and case.chance(0.2):
        dtype = np.bool_
    a, b = broadcast_pair(case)
    x, y = case.values(a, dtype), case.values(b, dtype)
    if op == "Div" and np.dtype(dtype).kind != "f":
        y = np.where(y == 0, 3, y).astype(dtype)  # undefined
    case.out(case.node(op, [case.input(x), case.input(y)]))


def legacy_binary(case):
    """Opset 6: broadcast only on demand, from axis on."""
    case.opset = 6
    shape = case.shape(1, 4)
    start = case.int(0, len(shape) - 1)
    end = case.int(start, len(shape))
    attrs = {"broadcast": 1}
    if end != len(shape) or case.chance(0.5):
        attrs["axis"] = start
    a, b = case.values(shape, np.float32), case.values(shape[start:end], np.float32)
    op = case.pick(ARITHMETIC)
    case.out(case.node(op, [case.input(a), case.input(b)], **attrs))
    b = b.reshape(shape[start:end] + [1] * (len(shape) - end))
    run = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}[op]
    case.want = [run(a, b)]


def pow_op(case):
    case.opset = max(case.opset, 7)
    dtype = case.dtype([np.float32, np.int32, np.int64, np.float16] if case.opset >= 12 else FLOATS)
    other = case.dtype([np.float32, np.int32, np.int64]) if case.opset >= 12 else dtype
    a, b = broadcast_pair(case)
    x, y = case.values(a, dtype), case.values(b, other)
    if np.dtype(dtype).kind != "f":
        x, y = np.abs(x) % 5 + 1, np.abs(y) % 4
    case.out(case.node("Pow", [case.input(x.astype(dtype)), case.input(y.astype(other))]))


def variadic(case, op):
    dtype = case.dtype(FLOATS if op in ("Sum", "Mean") or case.opset < 12 else NUMBERS)
    case.opset = max(case.opset, 8)
    full = case.shape(0, 4)
    ins = []
    for _ in range(case.int(1, 5)):
        if ins and case.chance(0.2):
            ins.append(case.pick(ins))
            continue
        s = [1 if case.chance(0.25) else d for d in full]
        ins.append(case.data(s[case.int(0, len(s)) if case.chance(0.3) else 0:], dtype))
    case.out(case.node(op, ins))


def where(case):
    case.opset = max(case.opset, 9)
    dtype = case.dtype(CORE)
    full = case.shape(0, 4)
    s = [[1 if case.chance(0.3) else d for d in full][case.int(0, len(full)) if case.chance(0.3)
         else 0:] for _ in range(3)]
    case.out(case.node("Where", [case.data(s[0], np.bool_), case.data(s[1], dtype),
                                 case.data(s[2], dtype)]))


def clip(case):
    low, high = sorted(case.rng.uniform(-2, 2, 2))
    if case.opset < 11:
        case.out(case.node("Clip", [case.data(case.shape(), case.dtype(FLOATS))],
                           min=float(low) if case.chance(0.7) else None,
                           max=float(high) if case.chance(0.7) else None))
        return
    dtype = case.dtype(NUMBERS if case.opset >= 12 else FLOATS)
    low, high = [np.asarray(v if np.dtype(dtype).kind == "f" else abs(int(v)) + k).astype(dtype)
                 for k, v in enumerate((low, high))]
    if case.chance(0.1):
        low, high = high, low
    ins = [case.data(case.shape(), dtype), case.input(low, 0.7) if case.chance(0.7) else ""]
    if case.chance(0.7):
        ins.append(case.input(high, 0.7))
    case.out(case.node("Clip", ins))


def cast(case):
    types = CORE + EXTRA
    source, to = case.pick(types), case.pick(types)
    x = case.values(case.shape(), source)
    if np.dtype(source).kind == "f" and np.dtype(to).kind in "iu":
        x = np.nan_to_num(x, nan=0, posinf=5, neginf=-5)  # out of range is undefined
        if np.dtype(to).kind == "u":
            x = np.abs(x)
        x = np.clip(x, -100, 100).astype(source)
    case.out(case.node("Cast", [case.input(x)], to=element_type(to)))


def axis_of(case, rank):
    axis = case.int(0, rank - 1)
    return axis - rank if case.opset >= 11 and case.chance(0.4) else axis


def concat(case):
    shape = case.shape(1, 5)
    axis = axis_of(case, len(shape))
    dtype = case.dtype(CORE)
    ins = []
    for _ in range(case.int(1, 5)):
        if ins and case.chance(0.2):
            ins.append(case.pick(ins))
            continue
        s = list(shape)
        s[axis] = case.pick([0, 1, 2, 3]) if case.chance(0.6) else shape[axis]
        ins.append(case.data(s, dtype))
    case.out(case.node("Concat", ins, axis=axis))


def transpose(case):
    shape = case.shape(0, 6)
    perm = [int(p) for p in case.rng.permutation(len(shape))]
    case.out(case.node("Transpose", [case.data(shape, case.dtype(CORE))],
                       perm=perm if case.chance(0.8) and perm else None))


def tile(case):
    shape = case.shape(0, 5)
    repeats = [case.pick([0, 1, 1, 2, 3] if case.chance(0.1) else [1, 1, 2, 3]) for _ in shape]
    case.out(case.node("Tile", [case.data(shape, case.dtype(CORE)), case.ints(repeats)]))


def expand(case):
    case.opset = max(case.opset, 8)
    a, b = broadcast_pair(case)
    case.out(case.node("Expand", [case.data(a, case.dtype(CORE)), case.ints(b)]))


def axes_arg(case, since, ins, axes, name="axes"):
    """Axes as an attribute before @since, as an input from then on."""
    if axes is None:
        return {}
    if case.opset < since:
        return {name: axes} if axes else {}
    ins.append(case.ints(axes))
    return {}


def squeeze(case):
    shape = [case.pick([1, 1, 2, 3]) for _ in range(case.int(0, 5))]
    ones = [i for i, d in enumerate(shape) if d == 1 and case.chance(0.7)]
    ones = [i - len(shape) if case.opset >= 11 and case.chance(0.4) else i for i in ones]
    ins = [case.data(shape, case.dtype(CORE))]
    attrs = axes_arg(case, 13, ins, ones if ones and case.chance(0.8) else None)
    case.out(case.node("Squeeze", ins, **attrs))


def unsqueeze(case):
    shape = case.shape(0, 4)
    nr = case.int(1, 2)
    rank = len(shape) + nr
    axes = [int(a) for a in case.rng.permutation(rank)[:nr]]
    if case.opset < 11:
        axes = sorted(axes)
    else:
        axes = [a - rank if case.chance(0.4) else a for a in axes]
    ins = [case.data(shape, case.dtype(CORE))]
    attrs = axes_arg(case, 13, ins, axes)
    case.out(case.node("Unsqueeze", ins, **attrs))


def split(case):
    shape = case.shape(1, 4)
    axis = axis_of(case, len(shape))
    nr = case.int(1, 4)
    ins, attrs = [], {"axis": axis}
    if case.chance(0.6):
        parts = [case.int(0, 3) for _ in range(nr)]
        shape[axis] = sum(parts)
        ins.append(case.data(shape, case.dtype(CORE)))
        attrs.update(axes_arg(case, 13, ins, parts, "split"))
    else:
        each = case.int(1, 3)
        shape[axis] = nr * each
        if case.opset >= 18:
            attrs["num_outputs"] = nr
            if nr > 1 and each > 1 and case.chance(0.5):
                shape[axis] -= 1
        ins.append(case.data(shape, case.dtype(CORE)))
    outs = case.node("Split", ins, nr_out=nr, **attrs)
    case.out(*(outs if nr > 1 else [outs]))


def pad(case):
    shape = case.shape(0, 5)
    mode = case.pick(["constant", "constant", "reflect", "edge"] +
                     (["wrap"] if case.opset >= 19 else []))
    if mode != "constant":
        shape = [d or 1 for d in shape]
    dtype = case.dtype(CORE if case.opset >= 13 else NUMBERS if case.opset >= 11 else FLOATS)
    axes = None
    if case.opset >= 18 and shape and case.chance(0.4):
        axes = [int(a) for a in case.rng.permutation(len(shape))[:case.int(1, len(shape))]]
    pads = [case.pick([0, 0, 1, 2] if mode == "constant" else [0, 0, 1]) for _ in
            range(2 * len(axes if axes is not None else shape))]
    if mode == "reflect":
        pads = [min(p, shape[(axes or range(len(shape)))[i % (len(pads) // 2)]] - 1)
                for i, p in enumerate(pads)]
    if mode == "constant" and case.chance(0.2):
        pads = [p if case.chance(0.8) else -1 for p in pads]
    value = case.values([], dtype)
    x = case.data(shape, dtype)
    attrs = {"mode": mode} if mode != "constant" or case.chance(0.3) else {}
    if case.opset < 11:
        case.out(case.node("Pad", [x], pads=pads, value=float(value) if case.chance(0.5) else None,
                           **attrs))
        return
    ins = [x, case.ints(pads)]
    if case.chance(0.5) or axes is not None:
        ins.append(case.input(value) if case.chance(0.7) and mode == "constant" else "")
    if axes is not None:
        axes = [a - len(shape) if case.chance(0.4) else a for a in axes]
        ins.append(case.ints(axes, case.pick([np.int32, np.int64])))
    while ins[-1] == "":
        ins.pop()
    case.out(case.node("Pad", ins, **attrs))


def slice_op(case):
    shape = case.shape(1, 5)
    rank = len(shape)
    axes = [int(a) for a in case.rng.permutation(rank)[:case.int(1, rank)]]
    if case.chance(0.4):
        axes = list(range(len(axes)))
    big = [2**63 - 1, -2**63, 2**31 - 1, 10000]
    starts = [case.int(-8, 8) if case.chance(0.9) else case.pick(big) for _ in axes]
    ends = [case.int(-8, 8) if case.chance(0.8) else case.pick(big) for _ in axes]
    steps = [case.pick([1, 1, 2, -1, -2, 3]) for _ in axes]
    for i, axis in enumerate(axes):
        if shape[axis] and case.chance(0.7):  # something is left
            near = case.int(0, shape[axis] - 1)
            starts[i], ends[i] = (near, near + case.int(1, 9)) if steps[i] > 0 or case.opset < 10 \
                else (near, -shape[axis] - case.int(1, 3))
    x = case.data(shape, case.dtype(CORE))
    named = axes != list(range(len(axes))) or case.chance(0.5)
    if case.opset < 10:
        case.out(case.node("Slice", [x], starts=starts, ends=ends, axes=axes if named else None))
        return
    kind = np.int32 if case.chance(0.2) else np.int64
    clamp = lambda v: [max(min(i, np.iinfo(kind).max), np.iinfo(kind).min) for i in v]
    axes = [a - rank if case.opset >= 11 and case.chance(0.3) else a for a in axes]
    ins = [x, case.ints(clamp(starts), kind), case.ints(clamp(ends), kind)]
    if case.chance(0.6) or named:
        ins.append(case.ints(axes, kind) if named else "")
        if case.chance(0.8):
            ins.append(case.ints(steps, kind))
    while ins[-1] == "":
        ins.pop()
    case.out(case.node("Slice", ins))


def gather(case):
    shape = [d or 1 for d in case.shape(1, 4)]
    axis = axis_of(case, len(shape))
    low = -shape[axis] if case.opset >= 11 else 0
    kind = case.pick([np.int32, np.int64])
    idx = np.asarray(case.rng.integers(low, shape[axis], case.shape(0, 3))).astype(kind)
    case.out(case.node("Gather", [case.data(shape, case.dtype(CORE)), case.input(idx)],
                       axis=axis if axis or case.chance(0.5) else None))


def reshape(case):
    shape = case.shape(0, 5)
    nr = int(np.prod(shape))
    dims = []
    rest = nr
    while rest > 1 and len(dims) < 4:
        d = case.pick([k for k in range(1, rest + 1) if rest % k == 0])
        dims.append(d)
        rest //= d
    if rest > 1 or case.chance(0.2):
        dims.append(rest)
    if nr == 0:
        dims = list(shape)
    elif dims and case.chance(0.4):
        dims[case.int(0, len(dims) - 1)] = -1
    dims = [0 if i < len(shape) and d == shape[i] and case.chance(0.3) else d
            for i, d in enumerate(dims)]
    zero = 1 if case.opset >= 14 and 0 not in dims and case.chance(0.2) else None
    case.out(case.node("Reshape", [case.data(shape, case.dtype(CORE)), case.ints(dims)],
                       allowzero=zero))


def flatten(case):
    case.opset = max(case.opset, 9)
    shape = case.shape(0 if case.opset >= 9 else 1, 5)
    low = -len(shape) if case.opset >= 11 else 0
    axis = case.int(low, len(shape))
    case.out(case.node("Flatten", [case.data(shape, case.dtype(CORE))],
                       axis=None if len(shape) and case.chance(0.2) else axis))


def shape_op(case):
    attrs = {}
    shape = case.shape(0, 5)
    if case.opset >= 15 and case.chance(0.6):
        attrs = {"start": case.int(-6, 6)}
        if case.chance(0.6):
            attrs["end"] = case.int(-6, 6)
    x = case.data(shape, case.dtype(CORE))
    case.out(case.node("Shape", [x], **attrs), case.node("Size", [x]))


def constant_of_shape(case):
    case.opset = max(case.opset, 9)
    value = None
    if case.chance(0.7):
        value = numpy_helper.from_array(case.values([1], case.dtype(CORE)))
    case.out(case.node("ConstantOfShape", [case.ints(case.shape())], value=value))


REDUCE = ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
          "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"]


def reduce(case, op):
    types = [np.float32, np.float16, np.int32, np.int64]
    if op in ("ReduceMax", "ReduceMin") and case.opset >= 12:
        types = types + [np.int8, np.uint8] + ([np.bool_] if case.opset >= 20 else [])
    dtype = case.dtype(types)
    shape = case.shape(0, 5)
    rank = len(shape)
    axes = [int(a) for a in case.rng.permutation(rank)[:case.int(0, rank)]]
    if case.opset >= 11:
        axes = [a - rank if case.chance(0.4) else a for a in axes]
    x = np.nan_to_num(case.values(shape, dtype), posinf=7, neginf=-7)
    if op == "ReduceLogSum":
        x = np.abs(x) + 1
    ins = [case.input(np.asarray(x).astype(dtype))]
    since = 13 if op == "ReduceSum" else 18
    attrs = axes_arg(case, since, ins, axes if case.chance(0.8) else None)
    if case.opset >= since and case.chance(0.3):
        attrs["noop_with_empty_axes"] = case.int(0, 1)
    case.out(case.node(op, ins, keepdims=case.pick([None, 0, 1]), **attrs))


def arg(case, op):
    shape = [d or 1 for d in case.shape(1, 4)]
    case.out(case.node(op, [case.data(shape, case.dtype(NUMBERS))], axis=axis_of(case, len(shape)),
                       keepdims=case.pick([None, 0, 1]),
                       select_last_index=case.pick([None, 0, 1]) if case.opset >= 12 else None))


def softmax(case, op):
    shape = case.shape(1, 5)
    axis = None if case.chance(0.2) and len(shape) > 1 else axis_of(case, len(shape))
    case.out(case.node(op, [case.data(shape, case.dtype(FLOATS))], axis=axis))


def window_attrs(case, kernel, dilations=True):
    nr = len(kernel)
    attrs = {}
    if case.chance(0.6):
        attrs["strides"] = [case.int(1, 3) for _ in kernel]
    if dilations and case.chance(0.4):
        attrs["dilations"] = [case.int(1, 2) for _ in kernel]
    mode = case.pick(["pads", "pads", "none", "SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
    if mode == "pads":
        attrs["pads"] = [case.int(0, k - 1) for k in list(kernel) * 2]
    elif mode != "none":
        attrs["auto_pad"] = mode
        if mode.startswith("SAME"):  # where references agree: no negative pads, no dilations
            attrs.pop("dilations", None)
            if "strides" in attrs:
                attrs["strides"] = [min(s, k) for s, k in zip(attrs["strides"], kernel)]
        if mode == "NOTSET" and case.chance(0.5):
            attrs["pads"] = [case.int(0, k - 1) for k in list(kernel) * 2]
    return attrs


def image(case, channels, nr):
    n = 0 if case.chance(0.02) else case.int(1, 3)
    return [n, channels] + [case.int(3, 9 if nr < 3 else 6) for _ in range(nr)]


def conv(case):
    case.special = False
    nr = case.pick([1, 2, 2, 3])
    group = case.pick([1, 1, 2, 3])
    cin, cout = group * case.int(1, 4), group * case.int(1, 4)
    kernel = [case.int(1, 3) for _ in range(nr)]
    dtype = case.dtype(FLOATS)
    ins = [case.data(image(case, cin, nr), dtype, 0.1),
           case.data([cout, cin // group] + kernel, dtype, 0.8)]
    if case.chance(0.5):
        ins.append(case.data([cout], dtype, 0.8))
    case.out(case.node("Conv", ins, group=group if group > 1 or case.chance(0.3) else None,
                       kernel_shape=kernel if case.chance(0.6) else None,
                       **window_attrs(case, kernel)))


def conv_transpose(case):
    case.special = False
    nr = case.pick([1, 2, 2, 3])
    group = case.pick([1, 1, 2])
    cin, cout = group * case.int(1, 3), group * case.int(1, 3)
    kernel = [case.int(1, 3) for _ in range(nr)]
    dtype = case.dtype(FLOATS)
    shape = image(case, cin, nr)
    attrs = window_attrs(case, kernel)
    strides = attrs.get("strides", [1] * nr)
    dil = attrs.get("dilations", [1] * nr)
    if case.chance(0.3):
        attrs["output_padding"] = [case.int(0, max(s, d) - 1) for s, d in zip(strides, dil)]
    if case.chance(0.2):
        attrs.pop("pads", None)
        op = attrs.get("output_padding", [0] * nr)
        full = [(d - 1) * s + o + (k - 1) * l + 1
                for d, s, o, k, l in zip(shape[2:], strides, op, kernel, dil)]
        attrs["output_shape"] = [max(1, f - case.int(0, 2)) for f in full]
    ins = [case.data(shape, dtype, 0.1), case.data([cin, cout // group] + kernel, dtype, 0.8)]
    if case.chance(0.5):
        ins.append(case.data([cout], dtype, 0.8))
    case.out(case.node("ConvTranspose", ins, group=group if group > 1 else None,
                       kernel_shape=kernel if case.chance(0.6) else None, **attrs))


def pool(case, op):
    case.opset = max(case.opset, 7)  # before, nobody said what an average is over
    case.special = False  # NaN is not propagated alike
    nr = case.pick([1, 2, 2, 3])
    kernel = [case.int(1, 3) for _ in range(nr)]
    is_max = op == "MaxPool"
    attrs = window_attrs(case, kernel, case.opset >= (10 if is_max else 19))
    if case.opset >= 10 and case.chance(0.4):
        attrs["ceil_mode"] = 1
    if not is_max and case.opset >= 7 and case.chance(0.5):
        attrs["count_include_pad"] = case.int(0, 1)
    types = FLOATS + ([np.int8, np.uint8] if is_max and case.opset >= 12 else [])
    nr_out = 2 if is_max and case.opset >= 8 and case.chance(0.3) else 1
    if nr_out > 1 and case.chance(0.3):
        attrs["storage_order"] = 1
    outs = case.node(op, [case.data(image(case, case.int(1, 3), nr), case.dtype(types), 0.1)],
                     nr_out=nr_out, kernel_shape=kernel, **attrs)
    case.out(*(outs if nr_out > 1 else [outs]))


def global_pool(case, op):
    case.special = False
    nr = case.int(1, 3)
    case.out(case.node(op, [case.data(image(case, case.int(1, 3), nr), case.dtype(FLOATS))]))


def batch_norm(case):
    case.opset = max(case.opset, 7)
    dtype = case.dtype(FLOATS)
    shape = case.shape(2, 5)
    c = shape[1]
    ins = [case.data(shape, dtype)] + [case.data([c], dtype, 0.8) for _ in range(3)]
    ins.append(case.input(np.abs(case.values([c], dtype)) + dtype(0.1), 0.8))
    case.out(case.node("BatchNormalization", ins,
                       epsilon=1e-3 if case.chance(0.5) else None,
                       momentum=0.8 if case.chance(0.2) else None))


def instance_norm(case):
    dtype = case.dtype(FLOATS)
    shape = image(case, case.int(1, 3), case.int(1, 3))
    case.out(case.node("InstanceNormalization", [case.data(shape, dtype), case.data(
        [shape[1]], dtype, 0.8), case.data([shape[1]], dtype, 0.8)],
        epsilon=1e-2 if case.chance(0.5) else None))


def lrn(case):
    """Both references know four axes and odd sizes only, or less."""
    x = np.nan_to_num(case.values(image(case, case.int(1, 7), case.pick([1, 2, 2, 3])), np.float32),
                      posinf=3, neginf=3)
    size = case.int(1, 5)
    attrs = {k: v for k, v in (("alpha", 0.2), ("beta", 0.5), ("bias", 2.0)) if case.chance(0.5)}
    case.out(case.node("LRN", [case.input(x)], size=size, **attrs))
    squares = np.zeros_like(x)
    for c in range(x.shape[1]):
        near = x[:, max(0, c - (size - 1) // 2):c + size // 2 + 1]
        squares[:, c] = (near ** 2).sum(1)
    base = attrs.get("bias", 1.0) + attrs.get("alpha", 1e-4) / size * squares
    case.want = [x / base ** attrs.get("beta", 0.75)]


def gemm(case):
    m, k, n = [case.int(1, 6) for _ in range(3)]
    if case.chance(0.03):
        m = 0
    if case.chance(0.03):
        k = 0
    dtype = case.dtype([np.float32, np.float16, np.int32] if case.opset >= 9 else FLOATS)
    ta, tb = case.int(0, 1), case.int(0, 1)
    ins = [case.data([k, m] if ta else [m, k], dtype),
           case.data([n, k] if tb else [k, n], dtype, 0.6)]
    if case.opset < 11 or case.chance(0.6):
        c = case.pick([[m, n], [n], [1, n], [m, 1], [1], [], [1, 1]])
        ins.append(case.data(c, dtype, 0.6))
    attrs = {}
    if case.opset < 7 and len(ins) > 2:
        attrs["broadcast"] = 1
    if np.dtype(dtype).kind == "f":
        attrs["alpha"] = 0.5 if case.chance(0.4) else None
        attrs["beta"] = -1.5 if case.chance(0.4) else None
    case.out(case.node("Gemm", ins, transA=ta or None, transB=tb or None, **attrs))


def matmul(case):
    m, k, n = [case.int(1, 6) for _ in range(3)]
    if case.chance(0.03):
        k = 0
    batch_a, batch_b = broadcast_pair(case)
    batch_a, batch_b = batch_a[-3:], batch_b[-3:]
    a = [k] if case.chance(0.15) else batch_a + [m, k]
    b = [k] if case.chance(0.15) else batch_b + [k, n]
    dtype = case.dtype([np.float32, np.float16, np.int32, np.int64] if case.opset >= 9 else FLOATS)
    case.out(case.node("MatMul", [case.data(a, dtype), case.data(b, dtype)]))


def dropout(case):
    x = case.data(case.shape(), case.dtype(FLOATS))
    ins, attrs = [x], {}
    if case.opset >= 12:
        if case.chance(0.6):
            ins.append(case.input(np.float32(0.3), 0.8) if case.chance(0.7) else "")
            if case.chance(0.5):
                ins.append(case.input(np.bool_(False), 0.8))
        while ins[-1] == "":
            ins.pop()
    elif case.chance(0.5):
        attrs["ratio"] = 0.3
    if case.opset >= 7 and case.chance(0.4):
        case.out(*case.node("Dropout", ins, nr_out=2, **attrs))
    else:
        if case.opset < 7:
            attrs["is_test"] = 1
        case.out(case.node("Dropout", ins, **attrs))


def prelu(case):
    case.opset = max(case.opset, 7)
    dtype = case.dtype([np.float32, np.float16, np.int32] if case.opset >= 9 else FLOATS)
    shape = case.shape(1, 4)
    s = [1 if case.chance(0.4) else d for d in shape]
    s = s[case.int(0, len(s)):] if case.chance(0.4) else s
    case.out(case.node("PRelu", [case.data(shape, dtype), case.data(s, dtype, 0.8)]))


def depth_space(case):
    b = case.int(1, 3)
    n, c, h, w = [case.int(1, 3) for _ in range(4)]
    if case.chance(0.5):
        case.out(case.node("SpaceToDepth", [case.data([n, c, h * b, w * b], case.dtype(FLOATS))],
                           blocksize=b))
        return
    mode = case.pick([None, "DCR", "CRD"]) if case.opset >= 11 else None
    case.out(case.node("DepthToSpace", [case.data([n, c * b * b, h, w], case.dtype(FLOATS))],
                       blocksize=b, mode=mode))


def constant(case):
    case.opset = max(case.opset, 12)
    attrs = case.pick([{"value_float": 1.5}, {"value_int": -7}, {"value_floats": [1.0, 2.5]},
                       {"value_ints": [1, -2, 3]},
                       {"value": numpy_helper.from_array(case.values(case.shape(),
                                                                     case.pick(CORE)))}])
    case.out(case.node("Constant", [], **attrs))


MAKERS = {"LegacyBinary": legacy_binary, "Pow": pow_op, "Where": where, "Clip": clip, "Cast": cast,
          "Concat": concat, "Transpose": transpose, "Tile": tile, "Expand": expand,
          "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Split": split, "Pad": pad, "Slice": slice_op,
          "Gather": gather, "Reshape": reshape, "Flatten": flatten, "Shape": shape_op,
          "ConstantOfShape": constant_of_shape, "Conv": conv, "ConvTranspose": conv_transpose,
          "BatchNormalization": batch_norm, "InstanceNormalization": instance_norm, "LRN": lrn,
          "Gemm": gemm, "MatMul": matmul, "Dropout": dropout, "PRelu": prelu,
          "DepthToSpace": depth_space, "Constant": constant}
for ops, maker in ((UNARY, unary), (ARITHMETIC + LOGIC + list(COMPARE), binary),
                   (["Sum", "Mean", "Max", "Min"], variadic), (REDUCE, reduce),
                   (["ArgMax", "ArgMin"], arg), (["Softmax", "LogSoftmax"], softmax),
                   (["MaxPool", "AveragePool"], pool),
                   (["GlobalAveragePool", "GlobalMaxPool"], global_pool)):
    for op in ops:
        MAKERS[op] = lambda case, op=op, maker=maker: maker(case, op)
