"""ONNX Runtime, where a network only answers: chains of convolutions, pools and dense layers. The graph is written by hand."""

from __future__ import annotations

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks import workloads
from benchmarks.peers import worker
from benchmarks.peers.worker import Task

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softmax": "Softmax"}


def versions() -> dict:
    return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}


def graph(spec: dict) -> onnx.ModelProto | None:
    """The network with the shared first weights, images with the channels first; None where it has other layers."""
    shape, weights = workloads.input_shape(spec), iter(workloads.initial_weights(spec))
    nodes, constants, pixels, x = [], [], None, "x"

    def node(op, *inputs, **attributes):
        nodes.append(helper.make_node(op, [x, *inputs], [f"t{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def constant(array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), f"w{len(constants)}"))
        return constants[-1].name

    for layer, before, _ in workloads.walk(workloads.layers(spec), shape):
        op = layer["op"]
        if op == "conv":
            pads = [layer["k"] // 2 if layer["same"] else 0] * 4
            if layer["stride"] != 1 or not layer["bias"]:
                return None
            x = node("Conv", constant(next(weights).transpose(3, 2, 0, 1)), constant(next(weights)), pads=pads)
        elif op == "dense":
            kernel, bias = next(weights), next(weights)
            if pixels:  # rows from height, width, channel to channel, height, width
                kernel, pixels = kernel.reshape(*pixels, -1).transpose(2, 0, 1, 3).reshape(kernel.shape), None
            x = node("Gemm", constant(kernel), constant(bias))
        elif op == "pool":
            x = node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        elif op == "flatten":
            x, pixels = node("Flatten"), before
        elif op != "dropout":
            return None
        if layer.get("act"):
            x = node(ACTIVATIONS[layer["act"]])
    given = ["n", *(shape if len(shape) == 1 else (shape[2], *shape[:2]))]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in (("x", given), (x, ["n", None]))]
    made = helper.make_graph(nodes, spec.get("net", "dense"), ends[:1], ends[1:], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def images(spec: dict) -> np.ndarray:
    x, _ = workloads.data(spec)
    return x if x.ndim == 2 else np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def session(spec: dict, threads: int):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(graph(spec).SerializeToString(), options, providers=["CPUExecutionProvider"])


def variants(spec: dict, threads: int) -> dict:
    if spec["kind"] not in ("call", "predict") or graph(spec) is None:
        return {}
    counts = sorted({1, threads})
    if spec["kind"] == "call":
        return {f"run, {n} thread{'s' * (n > 1)}": lambda n=n: call_task(spec, n) for n in counts}
    return {f"batches of {b}, {n} thread{'s' * (n > 1)}": lambda b=b, n=n: predict_task(spec, n, b)
            for b in (32, 256, 2048, spec["rows"]) for n in counts}  # fmt: skip


def call_task(spec, threads):
    run_once, x = session(spec, threads).run, images(spec)

    def run():
        for _ in range(1000):
            run_once(None, {"x": x})

    return Task(run, 1000)


def predict_task(spec, threads, batch):
    run_once, x = session(spec, threads).run, images(spec)

    def run():
        out = np.concatenate([run_once(None, {"x": x[i : i + batch]})[0] for i in range(0, len(x), batch)])
        return float(out[-1, 0])

    return Task(run)


def outputs(spec):
    return session(spec, 1).run(None, {"x": images(spec)})[0]


if __name__ == "__main__":
    worker.serve(sys.modules[__name__])
