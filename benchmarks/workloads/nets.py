"""The networks, described once: every peer builds its own from these layers, and takes the same first weights."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import sequences


# ---- layers: plain dictionaries. Convolutions, pools and norms are channels-last ----------------------------------------
def dense(n, act=None, l1=0.0):
    return {"op": "dense", "n": n, "act": act, "l1": l1}


def conv(n, k, stride=1, same=True, bias=False, act=None):
    return {"op": "conv", "n": n, "k": k, "stride": stride, "same": same, "bias": bias, "act": act}


def conv_transpose(n, k, stride, bias=False, act=None):
    """Stride times as many rows and columns come out ("same")."""
    return {"op": "conv_transpose", "n": n, "k": k, "stride": stride, "same": True, "bias": bias, "act": act}


def reshape(*shape):
    return {"op": "reshape", "shape": shape}


def depthwise(k, stride=1):
    return {"op": "depthwise", "k": k, "stride": stride, "same": True}


def residual(main, short):
    """relu(main(x) + short(x)); an empty `short` is the identity."""
    return {"op": "residual", "main": main, "short": short}


RELU, LEAKY, NORM, POOL, FLATTEN, MEAN = ({"op": op} for op in ("relu", "leaky", "norm", "pool", "flatten", "mean"))
SLOPE = 0.2  # of LEAKY
EPSILON, MOMENTUM = 1e-3, 0.99  # of batch normalisation, as Keras has them


# ---- networks -----------------------------------------------------------------------------------------------------------
def mlp(spec):
    last = "sigmoid" if spec["loss"] == "bce" else "softmax"
    layers = []
    for n in spec["sizes"][1:-1]:
        layers.append(dense(n, spec["act"], spec["l1"]))
        if spec["dropout"]:
            layers.append({"op": "dropout", "rate": spec["dropout"]})
    return [*layers, dense(spec["sizes"][-1], last)]


def lenet():
    features = [conv(n, 5, same=False, bias=True, act="relu") for n in (6, 16)]
    return [features[0], POOL, features[1], POOL, FLATTEN, dense(120, "relu"), dense(84, "relu"), dense(10, "softmax")]


def vgg():
    features = [layer for n in (32, 64, 128) for layer in (*[conv(n, 3, bias=True, act="relu")] * 2, POOL)]
    return [*features, FLATTEN, dense(128, "relu"), dense(10, "softmax")]


def resnet20():
    layers = [conv(16, 3), NORM, RELU]
    for n in (16, 32, 64):
        for i in range(3):
            stride = 2 if n > 16 and i == 0 else 1
            main = [conv(n, 3, stride), NORM, RELU, conv(n, 3), NORM]
            layers.append(residual(main, [conv(n, 1, 2), NORM] if stride == 2 else []))
    return [*layers, MEAN, dense(10, "softmax")]


def mobilenet():
    layers = [conv(32, 3), NORM, RELU]
    for n, stride in ((64, 1), (64, 2), (128, 1), (128, 2), (128, 1)):
        layers += [depthwise(3, stride), NORM, RELU, conv(n, 1), NORM, RELU]
    return [*layers, MEAN, dense(10, "softmax")]


IMAGES = {"lenet": (lenet, (28, 28, 1)), "vgg": (vgg, (32, 32, 3)), "resnet20": (resnet20, (32, 32, 3)),
          "mobilenet": (mobilenet, (32, 32, 3))}  # fmt: skip


def layers(spec: dict) -> list[dict]:
    """The layers of a workload's network; the last one's activation makes probabilities of logits."""
    if "sequence" in spec:
        return sequences.layers(spec)
    return IMAGES[spec["net"]][0]() if "net" in spec else mlp(spec)


def input_shape(spec: dict) -> tuple:
    """The shape of one row."""
    if "sequence" in spec:
        return (spec["steps"],)
    return IMAGES[spec["net"]][1] if "net" in spec else (spec["sizes"][0],)


# ---- shapes, weights, arithmetic ----------------------------------------------------------------------------------------
def output_shape(layer: dict, shape: tuple) -> tuple:
    """What a layer makes of one row of this shape."""
    op = layer["op"]
    if op in ("conv", "depthwise"):
        less = 0 if layer["same"] else layer["k"] - 1
        h, w = (-(-(d - less) // layer["stride"]) for d in shape[:2])
        return h, w, layer.get("n", shape[2])
    if op == "conv_transpose":
        return shape[0] * layer["stride"], shape[1] * layer["stride"], layer["n"]
    if op == "pool":
        return shape[0] // 2, shape[1] // 2, shape[2]
    if op == "residual":
        return [shape, *(after for _, _, after in walk(layer["main"], shape))][-1]
    if op in sequences.RECURRENT:
        return (layer["n"],)
    return {"flatten": (int(np.prod(shape)),), "mean": shape[-1:], "dense": (*shape[:-1], layer.get("n")),
            "embedding": (*shape, layer.get("n")), "reshape": layer.get("shape")}.get(op, shape)  # fmt: skip


def walk(layers: list[dict], shape: tuple):
    """(layer, shape before, shape after) of every layer that computes; main paths before their shortcuts."""
    for layer in layers:
        after = output_shape(layer, shape)
        if layer["op"] == "residual":
            yield from walk(layer["main"], shape)
            yield from walk(layer["short"], shape)
        elif layer["op"] == "add":
            yield from walk(layer["main"], shape)
        else:
            yield layer, shape, after
        shape = after


def weight_shapes(layer: dict, before: tuple) -> list[tuple]:
    """Kernel and bias, or gamma, beta, moving mean and moving variance, in Keras' layouts."""
    of_sequences = sequences.weight_shapes(layer, before)
    if of_sequences:
        return of_sequences
    k, c = layer.get("k"), before[-1]
    return {
        "dense": lambda: [(c, layer["n"])] + [(layer["n"],)] * layer.get("bias", True),
        "conv": lambda: [(k, k, c, layer["n"])] + [(layer["n"],)] * layer["bias"],
        "conv_transpose": lambda: [(k, k, layer["n"], c)] + [(layer["n"],)] * layer["bias"],
        "depthwise": lambda: [(k, k, c, 1)],
        "norm": lambda: [(c,)] * 4,
    }.get(layer["op"], list)()


def initial_weights(spec: dict) -> list[np.ndarray]:
    """first_weights() of a workload's network."""
    return first_weights(layers(spec), input_shape(spec), np.random.default_rng(1))


def first_weights(layers: list[dict], shape: tuple, rng) -> list[np.ndarray]:
    """float32 weights in the order of walk(): Glorot uniform kernels, zeros, and ones for gamma and variance."""
    out, ones = [], {("norm", 0), ("norm", 3), ("layernorm", 0)}
    for layer, before, _ in walk(layers, shape):
        for i, shape in enumerate(weight_shapes(layer, before)):
            if len(shape) == 1:
                out.append(np.full(shape, (layer["op"], i) in ones, np.float32))
                continue
            limit = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
            out.append(rng.uniform(-limit, limit, shape).astype(np.float32))
    return out


def products(spec: dict) -> list[int]:
    """Multiply-adds of one row's forward pass, layer by layer that has a kernel; an embedding has none to make."""
    return products_of(layers(spec), input_shape(spec))


def products_of(layers: list[dict], shape: tuple) -> list[int]:
    """products() of these layers."""
    out = []
    for layer, before, after in walk(layers, shape):
        of_sequences = sequences.products(layer, before)
        if of_sequences is not None:
            out.append(of_sequences)
        elif layer["op"] in ("dense", "conv", "depthwise", "conv_transpose"):
            pixels = before if layer["op"] == "conv_transpose" else after
            out.append(int(np.prod(weight_shapes(layer, before)[0]) * np.prod(pixels[:-1])))
    return out


def macs(spec: dict) -> int:
    """Multiply-adds of one row's forward pass through the kernels."""
    return sum(products(spec))
