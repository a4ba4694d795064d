#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws handwritten-looking digits, trains a small network on them and writes the demo's data.

usage: train-digits.py [--out DATA] [--train N] [--test N] [--epochs N] [--seed N]

needs: python3, numpy, onnx (onnxruntime, if present, is used for a second check). Only whoever
retrains needs them: the results are in the tree. Takes about three minutes on one core.

No picture of anybody's handwriting is used. A digit is one of several stroke lists (GLYPHS); its
control points are moved at random, joined by a spline, warped, slanted, turned, scaled, and drawn
by a round pen of varying pressure into an anti-aliased grey picture, white ink on black. All
random numbers come from numpy's default_rng with fixed seeds: one for training, one for the held-out
set, one for the demo's pictures.

network: 3x3 conv 8, relu, max pool, 3x3 conv 16, batch norm, relu, max pool, gemm 64, relu, gemm 10, softmax
writes:  DATA/digits.onnx, DATA/digits/*.png, DATA/digits/test_data_set_0/*.pb, DATA/labels/digits.txt
"""
import os
for v in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = "1"
import argparse, pathlib, struct, time, zlib
import numpy as np

# ---- drawing ----------------------------------------------------------------------------------

def arc(cx, cy, rx, ry, start, end, n=9):
    """Points on an ellipse; degrees, 0 is up, positive is clockwise on the screen."""
    a = np.radians(np.linspace(start, end, n))
    return [(cx + rx * np.sin(t), cy - ry * np.cos(t)) for t in a]

# digit -> variants -> strokes -> points in the unit square, y downwards; a third member marks a corner
GLYPHS = {
    0: {"round":  [arc(.5, .5, .48, .5, 0, -365)],
        "tilted": [arc(.5, .5, .45, .5, 40, -325)],
        "gap":    [arc(.5, .5, .42, .5, 25, -318)],
        "cross":  [arc(.5, .5, .45, .5, 15, -385, 11)]},
    1: {"bar":    [[(.5, 0), (.5, .5), (.5, 1)]],
        "slant":  [[(.66, 0), (.5, .5), (.38, 1)]],
        "serif":  [[(.22, .27), (.42, .13), (.58, 0, 1), (.56, .5), (.55, 1)]],
        "foot":   [[(.22, .25), (.42, .12), (.54, 0, 1), (.53, .5), (.53, 1)], [(.2, 1), (.5, .99), (.86, 1)]]},
    2: {"plain":  [[(.1, .25), (.27, .05), (.6, .0), (.86, .2), (.76, .47), (.42, .76), (.05, 1, 1), (.5, .98), (.95, .99)]],
        "loop":   [[(.12, .22), (.3, .03), (.65, .02), (.85, .25), (.68, .58), (.34, .93), (.12, .96), (.1, .82),
                    (.3, .8), (.58, .95), (.95, .93)]],
        "swan":   [[(.14, .3), (.2, .08), (.52, -.02), (.82, .18), (.7, .52), (.35, .84), (.1, .97, 1), (.38, .9), (.65, .98), (.96, .93)]]},
    3: {"round":  [[(.1, .16), (.38, 0), (.78, .1), (.76, .36), (.42, .47, 1), (.82, .58), (.88, .83), (.5, 1), (.06, .86)]],
        "flat":   [[(.1, .02), (.5, .01), (.88, 0, 1), (.68, .2), (.45, .4, 1), (.8, .5), (.88, .8), (.5, 1), (.06, .88)]],
        "knot":   [[(.14, .12), (.45, -.01), (.8, .16), (.66, .4), (.42, .48), (.4, .42), (.66, .48), (.88, .72), (.6, .99), (.08, .92)]]},
    4: {"open":   [[(.26, 0), (.17, .3), (.06, .62, 1), (.5, .6), (.98, .59)], [(.72, .22), (.7, .6), (.67, 1)]],
        "cup":    [[(.16, .02), (.1, .34), (.2, .56), (.5, .58), (.8, .5)], [(.84, .02), (.8, .45), (.74, 1)]],
        "closed": [[(.68, 1), (.68, .5), (.68, .0, 1), (.36, .36), (.02, .68, 1), (.5, .68), (1, .68)]],
        "sail":   [[(.6, 0), (.32, .34), (.04, .63, 1), (.5, .64), (.98, .62)], [(.64, .06), (.64, .5), (.62, 1)]]},
    5: {"hat":    [[(.24, .04), (.21, .2), (.17, .44, 1), (.5, .36), (.86, .58), (.76, .9), (.4, 1), (.06, .9)],
                   [(.22, .03), (.55, .02), (.9, 0)]],
        "one":    [[(.86, .01), (.55, .02), (.25, .02, 1), (.22, .22), (.17, .43, 1), (.55, .38), (.87, .63), (.7, .95), (.35, 1), (.06, .87)]],
        "curved": [[(.84, .0), (.5, .04), (.28, .1), (.2, .34), (.5, .44), (.84, .64), (.72, .93), (.4, 1), (.08, .92)]]},
    6: {"curved": [[(.74, .0), (.4, .16), (.16, .5), (.16, .84), (.48, 1), (.82, .84), (.78, .58), (.5, .49), (.2, .66)]],
        "thin":   [[(.62, .0), (.34, .3), (.18, .66), (.26, .94), (.56, .99), (.78, .8), (.64, .58), (.36, .62), (.2, .8)]],
        "curl":   [[(.82, .1), (.6, .0), (.3, .18), (.12, .56), (.2, .9), (.52, 1), (.84, .82), (.72, .56), (.4, .54), (.16, .7)]]},
    7: {"plain":  [[(.06, .03), (.5, .02), (.92, .0, 1), (.66, .45), (.44, 1)]],
        "bar":    [[(.06, .04), (.5, .02), (.92, .0, 1), (.66, .45), (.44, 1)], [(.28, .52), (.55, .49), (.86, .48)]],
        "tick":   [[(.08, .2), (.1, .04, 1), (.5, .04), (.9, .02, 1), (.62, .42), (.46, 1)]],
        "curved": [[(.08, .08), (.45, .03), (.88, .04, 1), (.6, .34), (.46, .66), (.42, 1)]],
        "curvebar": [[(.06, .1), (.4, .02), (.9, .03, 1), (.6, .36), (.44, 1)], [(.24, .54), (.55, .5), (.8, .5)]]},
    8: {"eight":  [[(.74, .12), (.46, .0), (.2, .18), (.44, .42), (.78, .66), (.72, .94), (.42, 1), (.16, .82), (.36, .56),
                    (.68, .34), (.78, .12)]],
        "rings":  [arc(.5, .235, .3, .235, 0, -370), arc(.5, .735, .4, .265, 0, -370)],
        "loop":   [[(.52, .47), (.22, .26), (.5, .0), (.8, .22), (.52, .47), (.14, .76), (.48, 1), (.86, .76), (.52, .47)]]},
    9: {"straight": [[(.82, .16), (.5, .0), (.18, .2), (.28, .48), (.62, .46), (.82, .16, 1), (.8, .55), (.74, 1)]],
        "curved": [[(.84, .2), (.52, .0), (.16, .18), (.24, .48), (.62, .48), (.84, .2), (.86, .56), (.66, .94), (.26, .96)]],
        "stem":   [arc(.45, .26, .33, .26, 60, -300), [(.8, .06), (.8, .5), (.76, 1)]],
        "slant":  [[(.84, .14), (.48, .0), (.14, .24), (.36, .48), (.72, .34), (.84, .1), (.7, .56), (.5, 1)]]},
}

def spline(points, corner, spacing):
    """Catmull-Rom curve through the points, sampled about every `spacing`; corners stay sharp."""
    out = []
    n = len(points)
    for i in range(n - 1):
        p1, p2 = points[i], points[i + 1]
        p0 = p1 if i == 0 or corner[i] else points[i - 1]
        p3 = p2 if i + 2 == n or corner[i + 1] else points[i + 2]
        m = max(2, int(np.hypot(*(p2 - p1)) * 1.15 / spacing) + 1)
        t = np.linspace(0, 1, m, endpoint=i + 2 == n)[:, None]
        out.append(.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
                         + (3 * p1 - p0 - 3 * p2 + p3) * t**3))
    return np.concatenate(out)

def draw(rng, digit, variant=None, size=28):
    """One picture, float32 [size, size] in 0..1; without a variant, any."""
    shapes = GLYPHS[digit]
    variant = variant or list(shapes)[rng.integers(len(shapes))]
    u, g = rng.uniform, lambda s: rng.normal(0, s)
    height = u(14, 22.5)                                   # in pixels of a 28 x 28 picture
    width = height * u(.48, .9)
    turn, slant = np.radians(g(7)), g(.16) + .06
    lin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ \
        np.array([[1, -slant], [0, 1]]) @ np.diag([width, height])
    freq, phase = u(2, 5, (2, 2)), u(0, 6.3, (2, 2))       # a slow warp of the whole plane
    warp = rng.normal(0, .028, (2, 2))
    squeeze = g(.18)                                       # one half larger than the other
    strokes = []
    for s in shapes[variant]:
        p = np.array([q[:2] for q in s]) + rng.normal(0, .032, (len(s), 2)) + rng.normal(0, .02, 2)
        p[:, 1] += squeeze * p[:, 1] * (1 - p[:, 1])
        p += warp[0] * np.sin(freq[0] * p[:, ::-1] + phase[0]) + warp[1] * np.sin(freq[1] * p + phase[1])
        strokes.append(spline((p - .5) @ lin.T, [len(q) > 2 for q in s], .35))
    pts = np.concatenate(strokes)
    pts += 14 - (pts.min(0) + pts.max(0)) / 2 + rng.normal(0, 1.2, 2).clip(-2.5, 2.5)
    pen = u(.65, 2)                                     # radius, then pressure along the stroke
    radius = np.concatenate([pen * (1 + .16 * np.sin(u(0, 6.3) + np.linspace(0, u(2, 7), len(s)))
                                    - u(0, .3) * np.linspace(0, 1, len(s))**3) for s in strokes])
    k = size / 28
    pts, radius = (pts * k).astype(np.float32), (radius * k).astype(np.float32)
    axis = np.arange(size, dtype=np.float32) + .5
    x = (axis[:, None] - pts[:, 0])**2
    y = (axis[:, None] - pts[:, 1])**2
    dist = np.sqrt(x[None] + y[:, None])                   # [row, column, point of the pen's path]
    ink = (radius - dist).max(2)
    soft = u(.8, 1.6) * k**.5                              # width of the anti-aliased edge
    img = np.clip(ink / soft + .5, 0, 1) * u(.75, 1)
    grain = rng.normal(0, .06, (size, size)).astype(np.float32)
    img = img * (1 + grain)                                # uneven ink
    return np.clip(img, 0, 1).astype(np.float32)

def dataset(seed, n):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 10
    return np.stack([draw(rng, int(d)) for d in y]), y

# ---- network: NHWC inside, NCHW in the file ----------------------------------------------------

def cols(x):
    """[n, h, w, c] -> [n, h-2, w-2, c*9] of 3 x 3 neighbourhoods, channel-major as in the file."""
    w = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    return w.reshape(*w.shape[:3], -1)

def pool(x):
    n, h, w, c = x.shape
    v = x.reshape(n, h // 2, 2, w // 2, 2, c)
    return v.max((2, 4))

def unpool(dy, x, y):
    """Gradient of pool; equal maxima (only zeros after relu, where it is cut anyway) all get it."""
    n, h, w, c = x.shape
    v = x.reshape(n, h // 2, 2, w // 2, 2, c)
    return ((v == y[:, :, None, :, None]) * dy[:, :, None, :, None]).reshape(x.shape)

EPS = 1e-5

def init(rng):
    he = lambda *s: (rng.standard_normal(s) * np.sqrt(2 / s[0])).astype(np.float32)
    z = lambda n: np.zeros(n, np.float32)
    return {"w1": he(9, 8), "b1": z(8), "w2": he(72, 16), "b2": z(16), "gamma": z(16) + 1, "beta": z(16),
            "w3": he(576, 64), "b3": z(64), "w4": he(64, 10), "b4": z(10)}, {"mean": z(16), "var": z(16) + 1}

def forward(p, stat, img, train=False):
    c = {}
    c["k1"] = cols(np.pad(img, ((0, 0), (1, 1), (1, 1)))[..., None])
    c["r1"] = np.maximum(c["k1"] @ p["w1"] + p["b1"], 0)
    c["p1"] = pool(c["r1"])
    c["k2"] = cols(c["p1"])
    a = c["k2"] @ p["w2"] + p["b2"]
    if train:
        mean, var = a.mean((0, 1, 2)), a.var((0, 1, 2))
        stat["mean"] += .05 * (mean - stat["mean"]); stat["var"] += .05 * (var - stat["var"])
    else:
        mean, var = stat["mean"], stat["var"]
    c["is"] = 1 / np.sqrt(var + EPS)
    c["xn"] = (a - mean) * c["is"]
    c["r2"] = np.maximum(c["xn"] * p["gamma"] + p["beta"], 0)
    c["p2"] = pool(c["r2"])
    c["f"] = c["p2"].transpose(0, 3, 1, 2).reshape(len(img), -1)
    c["h"] = np.maximum(c["f"] @ p["w3"] + p["b3"], 0)
    z = c["h"] @ p["w4"] + p["b4"]
    e = np.exp(z - z.max(1, keepdims=True))
    c["prob"] = e / e.sum(1, keepdims=True)
    return c

def gradients(p, c, target):
    """Of the mean cross entropy against the target distribution."""
    d, n = {}, len(target)
    dz = (c["prob"] - target) / n
    d["w4"], d["b4"] = c["h"].T @ dz, dz.sum(0)
    dh = dz @ p["w4"].T * (c["h"] > 0)
    d["w3"], d["b3"] = c["f"].T @ dh, dh.sum(0)
    dp2 = (dh @ p["w3"].T).reshape(n, 16, 6, 6).transpose(0, 2, 3, 1)
    dr2 = unpool(dp2, c["r2"], c["p2"]) * (c["r2"] > 0)
    d["gamma"], d["beta"] = (dr2 * c["xn"]).sum((0, 1, 2)), dr2.sum((0, 1, 2))
    m = dr2.size / 16
    da = p["gamma"] * c["is"] * (dr2 - d["beta"] / m - c["xn"] * (d["gamma"] / m))
    d["w2"], d["b2"] = c["k2"].reshape(-1, 72).T @ da.reshape(-1, 16), da.sum((0, 1, 2))
    dk = (da @ p["w2"].T).reshape(n, 12, 12, 8, 3, 3)
    dp1 = np.zeros_like(c["p1"])
    for i in range(3):
        for j in range(3):
            dp1[:, i:i + 12, j:j + 12] += dk[..., i, j]
    da = unpool(dp1, c["r1"], c["p1"]) * (c["r1"] > 0)
    d["w1"], d["b1"] = c["k1"].reshape(-1, 9).T @ da.reshape(-1, 8), da.sum((0, 1, 2))
    return d

def train(seed, x, y, epochs, batch=64, rate=2e-3):
    rng = np.random.default_rng(seed)
    p, stat = init(rng)
    m1, m2 = ({k: np.zeros_like(v) for k, v in p.items()} for _ in range(2))
    smooth = np.eye(10, dtype=np.float32) * .98 + .002     # soft targets: honest confidence
    step, steps, t0 = 0, epochs * (len(x) // batch), time.time()
    for epoch in range(epochs):
        order, hits = rng.permutation(len(x)), 0
        for b in order[:len(x) // batch * batch].reshape(-1, batch):
            dx, dy = rng.integers(-1, 2, 2)
            c = forward(p, stat, np.roll(x[b], (dy, dx), (1, 2)), True)
            hits += (c["prob"].argmax(1) == y[b]).sum()
            step += 1
            lr = rate * .5 * (1 + np.cos(np.pi * step / steps))
            for k, g in gradients(p, c, smooth[y[b]]).items():
                m1[k] += .1 * (g - m1[k]); m2[k] += .001 * (g * g - m2[k])
                p[k] -= (lr * (m1[k] / (1 - .9**step)) / (np.sqrt(m2[k] / (1 - .999**step)) + 1e-8)).astype(np.float32)
        print(f"epoch {epoch + 1}/{epochs}: training accuracy {hits / len(x):.4f}, {time.time() - t0:.0f} s", flush=True)
    return p, stat

def predict(p, stat, x):
    return np.concatenate([forward(p, stat, x[i:i + 250])["prob"] for i in range(0, len(x), 250)])

# ---- files -------------------------------------------------------------------------------------

def save_onnx(p, stat, path):
    from onnx import helper as h, numpy_helper, TensorProto, checker, save
    f = lambda name, a: numpy_helper.from_array(np.ascontiguousarray(a, np.float32), name)
    inits = [f("conv1.weight", p["w1"].T.reshape(8, 1, 3, 3)), f("conv1.bias", p["b1"]),
             f("conv2.weight", p["w2"].T.reshape(16, 8, 3, 3)), f("conv2.bias", p["b2"]),
             f("bn2.weight", p["gamma"]), f("bn2.bias", p["beta"]),
             f("bn2.running_mean", stat["mean"]), f("bn2.running_var", stat["var"]),
             f("fc1.weight", p["w3"].T), f("fc1.bias", p["b3"]), f("fc2.weight", p["w4"].T), f("fc2.bias", p["b4"])]
    node = lambda op, ins, out, **a: h.make_node(op, ins.split(), [out], name=out, **a)
    nodes = [node("Conv", "image conv1.weight conv1.bias", "conv1", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             node("Relu", "conv1", "relu1"),
             node("MaxPool", "relu1", "pool1", kernel_shape=[2, 2], strides=[2, 2]),
             node("Conv", "pool1 conv2.weight conv2.bias", "conv2", kernel_shape=[3, 3]),
             node("BatchNormalization", "conv2 bn2.weight bn2.bias bn2.running_mean bn2.running_var", "bn2", epsilon=EPS),
             node("Relu", "bn2", "relu2"),
             node("MaxPool", "relu2", "pool2", kernel_shape=[2, 2], strides=[2, 2]),
             node("Flatten", "pool2", "flat", axis=1),
             node("Gemm", "flat fc1.weight fc1.bias", "fc1", transB=1),
             node("Relu", "fc1", "relu3"),
             node("Gemm", "relu3 fc2.weight fc2.bias", "logits", transB=1),
             node("Softmax", "logits", "probabilities", axis=1)]
    io = lambda name, s: h.make_tensor_value_info(name, TensorProto.FLOAT, s)
    m = h.make_model(h.make_graph(nodes, "digits", [io("image", [1, 1, 28, 28])], [io("probabilities", [1, 10])], inits),
                     ir_version=8, opset_imports=[h.make_opsetid("", 13)], producer_name="train-digits.py")
    checker.check_model(m, full_check=True)
    save(m, path)
    return sum(int(np.prod(t.dims)) for t in inits)

def save_png(path, img):
    """8-bit grey PNG of a uint8 picture."""
    chunk = lambda t, d: struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
    h, w = img.shape
    raw = b"".join(b"\0" + row.tobytes() for row in img)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))

def save_tensor(path, name, a):
    from onnx import numpy_helper
    path.write_bytes(numpy_helper.from_array(a, name).SerializeToString())

# name -> digit, variant, size: the demo's pictures
PICTURES = {**{f"{d}": (d, v, 28) for d, v in enumerate(
    ["tilted", "serif", "plain", "round", "closed", "hat", "curved", "plain", "eight", "straight"])},
    "1-foot": (1, "foot", 56), "2-loop": (2, "loop", 56), "4-open": (4, "open", 56), "7-bar": (7, "bar", 56),
    "9-curved": (9, "curved", 56)}

def network_input(grey):
    """uint8 picture -> float32 28 x 28 in 0..1; 56 x 56 is averaged over 2 x 2 pixels."""
    x = grey.astype(np.float32) / 255
    return x if len(x) == 28 else x.reshape(28, 2, 28, 2).mean((1, 3))

def main():
    a = argparse.ArgumentParser(description="draw digits, train a small network, write the demo's data")
    a.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / "data")
    a.add_argument("--train", type=int, default=60000)
    a.add_argument("--test", type=int, default=10000)
    a.add_argument("--epochs", type=int, default=10)
    a.add_argument("--seed", type=int, default=1)
    a = a.parse_args()
    t0 = time.time()
    x, y = dataset([a.seed, 1], a.train)
    xt, yt = dataset([a.seed, 2], a.test)
    print(f"{len(x)} training and {len(xt)} held-out pictures drawn in {time.time() - t0:.0f} s", flush=True)
    p, stat = train([a.seed, 3], x, y, a.epochs)
    prob = predict(p, stat, xt)
    right = prob.argmax(1) == yt
    conf = prob.max(1)
    print(f"held-out accuracy {right.mean():.4f} ({(~right).sum()} of {len(yt)} wrong), confidence: "
          f"mean {conf.mean():.4f}, where right {conf[right].mean():.4f}, where wrong {conf[~right].mean():.4f}")
    print("per digit:", " ".join(f"{d}:{right[yt == d].mean():.4f}" for d in range(10)))

    pics, sets = a.out / "digits", a.out / "digits" / "test_data_set_0"
    for d in (sets, a.out / "labels"):
        d.mkdir(parents=True, exist_ok=True)
    n = save_onnx(p, stat, a.out / "digits.onnx")
    print(f"digits.onnx: {n} parameters, {(a.out / 'digits.onnx').stat().st_size} bytes")
    (a.out / "labels" / "digits.txt").write_text("".join(f"{d}\n" for d in range(10)))
    try:
        import onnxruntime
        o = onnxruntime.SessionOptions(); o.intra_op_num_threads = 1
        run = onnxruntime.InferenceSession(str(a.out / "digits.onnx"), o, providers=["CPUExecutionProvider"]).run
    except ImportError:
        run = None
    bad = 0
    for i, (name, (digit, variant, size)) in enumerate(PICTURES.items()):
        grey = np.rint(draw(np.random.default_rng([a.seed, 4, i]), digit, variant, size) * 255).astype(np.uint8)
        save_png(pics / f"{name}.png", grey)
        x = network_input(grey)
        q = predict(p, stat, x[None])[0]
        top = np.argsort(-q)[:2]
        line = f"{name + '.png':12} {size}x{size}: {top[0]} {q[top[0]]:.4f}, then {top[1]} {q[top[1]]:.4f}"
        if run:
            r = run(None, {"image": x[None, None]})[0][0]
            line += f"; onnxruntime {r.argmax()} {r.max():.4f}, largest difference {abs(r - q).max():.1e}"
            bad += r.argmax() != digit
        bad += top[0] != digit
        print(line)
        if name == "7":
            save_tensor(sets / "input_0.pb", "image", x[None, None])
            save_tensor(sets / "output_0.pb", "probabilities", q[None])
    if run:
        r = np.concatenate([run(None, {"image": v[None, None]})[0] for v in xt])
        print(f"onnxruntime on the held-out set: accuracy {(r.argmax(1) == yt).mean():.4f}, "
              f"largest difference {abs(r - prob).max():.1e}")
    raise SystemExit(f"{bad} pictures classified wrongly" if bad else 0)

if __name__ == "__main__":
    main()
