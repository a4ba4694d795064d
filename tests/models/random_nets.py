# SPDX-License-Identifier: MIT
"""Random small ONNX networks, and the choice of a random model; for differential.py."""
import numpy as np
from onnx import TensorProto, numpy_helper

from random_ops import CORE, MAKERS as OPS, Case

# Networks: a few nodes that are meant to be fused, folded or to share bytes.

def activation(case, x):
    op = case.pick(["Relu", "Sigmoid", "LeakyRelu", "Clip", "Tanh", "HardSigmoid", "Elu", "none",
                    "Swish", "HardSwish"])
    if op == "none":
        return x
    if op == "Swish":
        return case.node("Mul", [x, case.node("Sigmoid", [x])])
    if op == "Clip":
        if case.opset < 11:
            return case.node("Clip", [x], min=0.0, max=6.0)
        return case.node("Clip", [x, case.const(np.float32(0)), case.const(np.float32(6))])
    if op == "HardSwish" and case.opset < 14:
        op = "Relu"
    return case.node(op, [x])


def per_channel(case, c, rank):
    return case.const(case.values(case.pick([[c] + [1] * (rank - 2), [1, c] + [1] * (rank - 2),
                                             [], [1]]), np.float32))


def conv_net(case):
    """Convolutions with everything that is merged into them, results read more than once."""
    case.special = False
    case.opset = max(case.opset, 9)
    nr = case.pick([1, 2, 2, 2])
    c = case.int(1, 8)
    shape = [case.int(1, 2), c] + [case.int(4, 8) for _ in range(nr)]
    live = [(case.data(shape, np.float32, 0), c)]
    same = {"pads": [1] * (2 * nr)}
    for _ in range(case.int(2, 9)):
        x, cx = case.pick(live) if case.chance(0.4) else live[-1]
        kind = case.pick(["conv", "conv", "conv", "bn", "add", "mul", "act", "act", "residual",
                          "concat", "pool", "identity", "cast", "scale"])
        if kind == "conv":
            k = case.pick([1, 3])
            cout = case.int(1, 8)
            group = 1
            if case.chance(0.25):
                group, cout = cx, cx
            ins = [x, case.const(case.values([cout, cx // group] + [k] * nr, np.float32) / 4)]
            if case.chance(0.5):
                ins.append(case.const(case.values([cout], np.float32)))
            y, cy = case.node("Conv", ins, group=group, **(same if k == 3 else {})), cout
        elif kind == "bn":
            p = [case.const(case.values([cx], np.float32)) for _ in range(3)]
            p.append(case.const(np.abs(case.values([cx], np.float32)) + np.float32(0.2)))
            y, cy = case.node("BatchNormalization", [x] + p), cx
        elif kind in ("add", "mul", "scale"):
            op = {"add": "Add", "mul": "Mul"}.get(kind) or case.pick(["Sub", "Div"])
            ins = [x, per_channel(case, cx, nr + 2)]
            if op in ("Add", "Mul", "Sub") and case.chance(0.3):
                ins.reverse()
            y, cy = case.node(op, ins), cx
        elif kind == "act":
            y, cy = activation(case, x), cx
        elif kind == "residual":
            other = [n for n, d in live if d == cx]
            op = case.pick(["Add", "Add", "Sum", "Mul", "Max"])
            y, cy = case.node(op, [x, case.pick(other)]), cx
        elif kind == "concat":
            other, d = case.pick(live)
            y, cy = case.node("Concat", [x, other], axis=1), cx + d
            if case.chance(0.5):
                parts = case.node("Split", [y] + ([case.const(np.array([cx, d]))] if
                                  case.opset >= 13 else []), nr_out=2, axis=1,
                                  **({} if case.opset >= 13 else {"split": [cx, d]}))
                live.append((parts[0], cx))
                y, cy = parts[1], d
        elif kind == "pool":
            y = case.node(case.pick(["MaxPool", "AveragePool"]), [x], kernel_shape=[3] * nr, **same)
            cy = cx
        elif kind == "identity":
            y, cy = case.node(case.pick(["Identity", "Dropout"]), [x]), cx
        else:
            y = case.node("Cast", [case.node("Cast", [x], to=TensorProto.DOUBLE)],
                          to=TensorProto.FLOAT)
            cy = cx
        live.append((y, cy))
    case.out(live[-1][0])
    for name, _ in live[:-1]:
        if case.chance(0.15):  # also an intermediate value; perhaps an input
            case.out(name)


def view_net(case):
    """Operations that only move or rename, in chains, with several readers."""
    case.opset = max(case.opset, 13)
    dtype = case.dtype(CORE)
    live = [case.values([2, 3, 4], dtype)]
    names = [case.input(live[0], 0.1)]
    for _ in range(case.int(2, 8)):
        i = case.int(0, len(live) - 1) if case.chance(0.4) else len(live) - 1
        x, v = names[i], live[i]
        kind = case.pick(["reshape", "transpose", "concat", "split", "squeeze", "unsqueeze",
                          "slice", "flatten", "identity", "tile", "work", "expand"])
        if kind == "reshape":
            w = v.reshape(case.pick([[-1], [1, -1], [v.shape[0], -1] if v.ndim and v.size else [-1],
                                     [-1, 1, 1]]))
            y = case.node("Reshape", [x, case.ints(w.shape)])
        elif kind == "transpose":
            p = [int(k) for k in case.rng.permutation(v.ndim)]
            w, y = v.transpose(p), case.node("Transpose", [x], perm=p)
        elif kind == "concat" and v.ndim:
            axis = case.int(0, v.ndim - 1)
            n = case.int(2, 3)
            w, y = np.concatenate([v] * n, axis), case.node("Concat", [x] * n, axis=axis)
        elif kind == "split" and v.ndim and v.shape[0] > 1:
            a, b = case.node("Split", [x, case.const(np.array([1, v.shape[0] - 1]))], nr_out=2)
            names.append(a)
            live.append(v[:1])
            w, y = v[1:], b
        elif kind == "squeeze":
            w, y = np.squeeze(v), case.node("Squeeze", [x])
        elif kind == "unsqueeze" and v.ndim < 6:
            w, y = v[None], case.node("Unsqueeze", [x, case.ints([0])])
        elif kind == "slice" and v.ndim:
            w = v[..., ::-1] if case.chance(0.5) else v[..., :1]
            step = -1 if w.shape == v.shape and v.shape[-1] != 1 else 1
            y = case.node("Slice", [x] + [case.const(np.array([k])) for k in (
                (-1, -2**62, -1, step) if step < 0 else (0, 1, -1, 1))])
            w = v[..., ::-1] if step < 0 else v[..., :1]
        elif kind == "flatten" and v.ndim:
            w, y = v.reshape(v.shape[0], -1) if v.shape[0] else v.reshape(0, int(np.prod(
                v.shape[1:]))), case.node("Flatten", [x])
        elif kind == "tile" and v.size < 500:
            w, y = np.tile(v, [2] * v.ndim), case.node("Tile", [x, case.ints([2] * v.ndim)])
        elif kind == "expand" and v.size < 500:
            w = np.broadcast_to(v, [2] + list(v.shape)) if v.ndim < 6 else v
            y = case.node("Expand", [x, case.ints(w.shape)])
        elif kind == "work":
            w, y = v, case.node("Where", [case.const(np.bool_(True)), x, x])
        else:
            w, y = v, case.node("Identity", [x])
        names.append(y)
        live.append(np.asarray(w))
    case.out(names[-1])
    for n in names[:-1]:
        if case.chance(0.2):
            case.out(n)


def shape_net(case):
    """x -> Shape -> Gather -> Concat -> Reshape, as exporters write it."""
    case.opset = max(case.opset, 13)
    case.symbolic = True
    n, c, h, w = [case.int(1, 4) for _ in range(4)]
    x = case.data([n, c, h, w], np.float32, 0)
    s = case.node("Shape", [x])
    d0 = case.node("Gather", [s, case.const(np.int64(0))], axis=0)
    d1 = case.node("Gather", [s, case.const(np.int64(case.pick([1, -3])))], axis=0)
    un = lambda v: case.node("Unsqueeze", [v, case.const(np.array([0]))])
    how = case.int(0, 4)
    if how == 0:
        t = case.node("Concat", [un(d0), case.const(np.array([-1]))], axis=0)
    elif how == 1:
        both = un(case.node("Mul", [d0, d1]))
        t = case.node("Concat", [both, case.const(np.array([-1]))], axis=0)
    elif how == 2:
        hw = case.node("ReduceProd", [case.node("Slice", [
            s, case.const(np.array([2])), case.const(np.array([4]))])], keepdims=1)
        t = case.node("Concat", [un(d0), un(d1), hw], axis=0)
    elif how == 3:
        f = case.node("Cast", [s], to=TensorProto.FLOAT)
        f = case.node("Floor", [case.node("Mul", [f, case.const(np.float32([1, 1, 1, 1]))])])
        t = case.node("Cast", [f], to=TensorProto.INT64)
    else:
        z = case.node("ConstantOfShape", [case.node("Shape", [s])],
                      value=numpy_helper.from_array(np.array([1], np.int64)))
        eq = case.node("Equal", [z, case.const(np.int64(-1))])
        t = case.node("Where", [eq, z, s])
    y = case.node("Reshape", [x, t])
    if case.chance(0.4):
        y = case.node("Relu", [y])
    case.out(y)
    if case.chance(0.3):
        case.out(t)


def dense_net(case):
    """MatMul, Gemm and element-wise chains, attention-like pieces, constant chains."""
    case.special = False
    case.opset = max(case.opset, 13)
    b, s, d = case.int(1, 3), case.int(1, 5), case.int(1, 6)
    x = case.data([b, s, d] if case.chance(0.6) else [b, d], np.float32, 0)
    three = len(case.feed[x].shape) == 3
    live = [x]
    for _ in range(case.int(2, 7)):
        x = case.pick(live) if case.chance(0.3) else live[-1]
        kind = case.pick(["matmul", "matmul", "bias", "act", "residual", "norm", "attend", "gemm",
                          "constmath", "softmax"])
        w = case.values([d, d], np.float32) / np.float32(2)
        if kind == "matmul":
            y = case.node("MatMul", [x, case.const(w)])
            if case.chance(0.6):
                y = case.node("Add", [y, case.const(case.values(case.pick([[d], [1, d], []]),
                                                                np.float32))])
        elif kind == "gemm" and not three:
            y = case.node("Gemm", [x, case.const(w), case.const(case.values([d], np.float32))],
                          transB=case.int(0, 1), alpha=case.pick([1.0, 0.5]))
        elif kind == "bias":
            y = case.node(case.pick(["Add", "Mul", "Sub"]), [x, case.const(
                case.values([d], np.float32))])
        elif kind == "act":
            y = activation(case, x)
        elif kind == "residual":
            y = case.node("Add", [x, case.pick(live)])
        elif kind == "norm":
            ax = [case.const(np.array([-1]))] if case.opset >= 18 else []
            at = {} if ax else {"axes": [-1]}
            m = case.node("ReduceMean", [x] + ax, **at)
            c = case.node("Sub", [x, m])
            v = case.node("ReduceMean", [case.node("Pow", [c, case.const(np.float32(2))])] + ax,
                          **at)
            y = case.node("Div", [c, case.node("Sqrt", [case.node("Add", [
                v, case.const(np.float32(1e-2))])])])
        elif kind == "attend" and three:
            t = case.node("Transpose", [x], perm=[0, 2, 1])
            y = case.node("MatMul", [case.node("Softmax", [case.node("MatMul", [x, t])], axis=-1),
                                     x])
        elif kind == "constmath":
            k = case.node(case.pick(["Add", "Mul"]), [case.const(case.values([d], np.float32)),
                                                      case.const(case.values([1], np.float32))])
            y = case.node("Add", [x, case.node("Transpose", [k])])
        else:
            y = case.node("Softmax", [x], axis=case.pick([-1, 1]))
        live.append(y)
    case.out(live[-1])
    for name in live[:-1]:
        if case.chance(0.15):
            case.out(name)


MAKERS = OPS | {"conv_net": conv_net, "view_net": view_net, "shape_net": shape_net,
                "dense_net": dense_net}
OFTEN = ["conv_net", "view_net", "shape_net", "dense_net", "Conv", "ConvTranspose", "MaxPool",
         "AveragePool", "Pad", "Slice", "Cast", "Gemm", "MatMul", "Reshape", "Clip"]


def make_case(seed, number, only):
    """(what, case, model); model is None for one ONNX's own checks refuse."""
    case = Case(seed, number)
    what = case.pick(only or list(MAKERS) + OFTEN * 3)
    MAKERS[what](case)
    try:
        model = case.model()
    except Exception as err:  # the generator asked for what ONNX does not allow
        return what, case, None, str(err)
    return what, case, model, ""
