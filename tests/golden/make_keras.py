"""Makes the golden files of this folder with real Keras on JAX: `python -m tests.golden.make_keras [part ...]`.

Run it from the top of the repository where keras and jax are installed; the tests themselves need neither. On JAX,
because Keras on TensorFlow keeps the constants of its formulas in float32 even when all else is float64. Everything is
computed in float64 (losses also in float32, whose clipping differs), from inputs that float32 holds exactly. Writes
keras_layers.npz, keras_functions.npz, keras_optimizers.npz, keras_models.npz and keras.json (versions, configs,
signatures, names).
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", JAX_ENABLE_X64="1")

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras.src.backend.common import dtypes
from keras.src.trainers.compile_utils import get_loss, get_metric

from tests.golden import function_cases, layer_cases, model_cases, optimizer_cases

HERE = Path(__file__).parent


def draw(rng, shape, scale=1.0):
    """Normal values that float32 holds exactly."""
    return (scale * rng.standard_normal(shape)).astype(np.float32)


def plain(x):
    return np.array(x)


# ---- layers -----------------------------------------------------------------------------------------------------------
def layers(out: dict, cases=layer_cases) -> None:
    for number, (name, (make, shapes, call)) in enumerate(cases.LAYERS.items()):
        rng = np.random.default_rng(number)
        xs = [draw(rng, s) for s in shapes]
        layer, call = make(keras), dict(call)
        if call.pop("mask", False):
            shape = shapes[0] if name.startswith("softmax") else shapes[0][:-1]
            mask = rng.random(shape) < 0.6
            if name.startswith("softmax"):
                mask[1] = False  # a row without any place left
            call["mask"] = out[f"{name}/mask"] = mask
        tensors = [jnp.asarray(x, "float64") for x in xs]
        layer(cases.inputs_of(name, tensors), **call)
        for i, v in enumerate(layer.weights):
            w = rng.uniform(0.5, 1.5, v.shape).astype(np.float32) if "variance" in v.name else draw(rng, v.shape, 0.5)
            v.assign(w)
            out[f"{name}/w{i}"] = w
        others = [v.value for v in layer.non_trainable_variables]

        def run(tensors, trained):
            return layer.stateless_call(trained, others, cases.inputs_of(name, tensors), **call)  # noqa: B023

        trained = [v.value for v in layer.trainable_variables]
        y, after = run(tensors, trained)
        cot = draw(rng, tuple(y.shape))
        grads = jax.grad(lambda *a: jnp.sum(run(*a)[0] * cot), argnums=(0, 1))(tensors, trained)  # noqa: B023
        for i, x in enumerate(xs):
            out[f"{name}/x{i}"], out[f"{name}/dx{i}"] = x, plain(grads[0][i])
        for i, g in enumerate(grads[1]):
            out[f"{name}/dw{i}"] = plain(g)
        known = {id(v) for v in layer.weights}
        for i, v in enumerate(v for v in zip(layer.non_trainable_variables, after) if id(v[0]) in known):
            out[f"{name}/after{i}"] = plain(v[1])
        out[f"{name}/y"], out[f"{name}/cot"] = plain(y), cot


# ---- functions --------------------------------------------------------------------------------------------------------
GRID = (-1e4, -700, -100, -88, -30, -12, -6, -3, -2.5, -1.5, -1, -0.5, -0.03125, -1e-4, 0, 1e-4, 0.03125, 0.5, 1, 1.25,
        2, 2.5, 3, 5, 6.5, 7.5, 12, 30, 88, 100, 700, 1e4)  # fmt: skip


def activations(out: dict) -> None:
    grid = np.array(GRID, np.float32)
    matrix = np.concatenate([draw(np.random.default_rng(3), (4, 8), 3.0), grid.reshape(4, 8)])
    weight = draw(np.random.default_rng(4), matrix.shape)
    out["grid"], out["matrix"], out["matrix_weight"] = grid, matrix, weight
    for name, make in function_cases.ACTIVATIONS.items():
        fn, soft = make(keras), name.startswith("softmax")
        x, w = jnp.asarray(matrix if soft else grid, "float64"), weight if soft else 1.0
        out[f"activation/{name}/y"] = plain(fn(x))
        out[f"activation/{name}/dx"] = plain(jax.grad(lambda x: jnp.sum(fn(x) * w))(x))  # noqa: B023


def loss_data() -> dict:
    """Targets and predictions by kind: 9 rows (6 of 4 steps at rank 3), 5 classes."""
    rng = np.random.default_rng(7)
    rows, classes = 9, 5
    share = lambda *s: rng.uniform(0.02, 0.98, s).astype(np.float32)  # noqa: E731
    eye = np.eye(classes, dtype=np.float32)
    label, label3 = rng.integers(0, classes, rows), rng.integers(0, classes, (6, 4))
    logits, logits3 = draw(rng, (rows, classes)), draw(rng, (6, 4, classes))
    soft = lambda z: (np.exp(z) / np.exp(z).sum(-1, keepdims=True)).astype(np.float32)  # noqa: E731
    far = draw(rng, (rows, classes), 20.0)
    data = {
        "real": draw(rng, (rows, classes)), "real3": draw(rng, (6, 4, classes)), "vector": draw(rng, (rows,)),
        "column": draw(rng, (rows, 1)), "column_prob": share(rows, 1), "prob": share(rows, classes), "far": far,
        "sign": rng.choice([-1.0, 1.0], (rows, classes)).astype(np.float32),
        "binary": rng.integers(0, 2, (rows, classes)).astype(np.float32),
        "vector_binary": rng.integers(0, 2, rows).astype(np.float32), "share": share(rows, classes),
        "saturated": rng.choice([0.0, 1e-12, 1e-5, 0.5, 1 - 1e-5, 1.0], (rows, classes)).astype(np.float32),
        "onehot": eye[label], "onehot3": eye[label3], "label": label.astype(np.int32), "label3": label3.astype(np.int32),
        "label_column": label.astype(np.int32)[:, None], "dist": soft(logits), "dist3": soft(logits3),
        "certain": eye[(label + (np.arange(rows) % 2)) % classes],
        "label_pair": rng.integers(0, 3, (rows, 4)).astype(np.int32),
        "label_float": rng.integers(0, 3, (rows, 4)).astype(np.float32),
        "weight": rng.choice([0.0, 0.5, 1.0, 2.0, 0.3], rows).astype(np.float32), "weight6": share(6),
        "weight6x4": share(6, 4),
    }  # fmt: skip
    # what is compared with itself as target and prediction gets a partner of its own
    data["pred/real"], data["pred/real3"] = draw(rng, (rows, classes)), draw(rng, (6, 4, classes))
    return data


def prediction(data, kind):
    return data.get(f"pred/{kind}", data[kind])


def losses(out: dict, floatx: str) -> None:
    keras.config.set_floatx(floatx)
    data = loss_data()
    if floatx == "float64":
        out.update({f"data/{k}": v for k, v in data.items()})
    for name, (make, t_kind, p_kind) in function_cases.LOSSES.items():
        target, pred = data[t_kind], prediction(data, p_kind)
        rank3 = pred.ndim == 3
        choices = {"": None, "/w": data["weight6x4" if rank3 else "weight"]}
        for reduction in function_cases.REDUCTIONS:
            for tag, weight in choices.items():
                loss = make(keras, reduction=reduction)
                p = jnp.asarray(pred, floatx)
                run = lambda p: loss(jnp.asarray(target), p, sample_weight=weight)  # noqa: B023, E731
                key = f"{floatx}/loss/{name}/{reduction}{tag}"
                out[key] = plain(run(p))
                if reduction in ("sum_over_batch_size", "mean_with_sample_weight"):
                    out[f"{key}/grad"] = plain(jax.grad(run)(p))
    for name, (call, t_kind, p_kind) in function_cases.LOSS_FUNCTIONS.items():
        p, target = jnp.asarray(prediction(data, p_kind), floatx), jnp.asarray(data[t_kind])
        key = f"{floatx}/function/{name}"
        out[key] = plain(call(keras, target, p))
        out[f"{key}/grad"] = plain(jax.grad(lambda p: jnp.sum(call(keras, target, p)))(p))  # noqa: B023


def metrics(out: dict) -> None:
    data = loss_data()
    for name, (make, t_kind, p_kind) in function_cases.METRICS.items():
        target, pred = data[t_kind], prediction(data, p_kind)
        weight = data["weight6" if pred.ndim == 3 else "weight"]
        for tag, w in (("", None), ("/w", weight)):
            metric, seen = make(keras), []
            for part in (slice(0, 4), slice(4, 5), slice(5, len(pred))):
                metric.update_state(target[part], pred[part].astype("float64"), None if w is None else w[part])
                seen.append(float(metric.result()))
            metric.reset_state()
            seen.append(float(metric.result()))
            out[f"metric/{name}{tag}"] = np.array(seen)
    for name, make in function_cases.MEANS.items():
        metric, seen = make(keras), []
        values = data["real"].astype("float64")
        for x, w in ((values[0], None), (values[1], data["weight"][:5]), (values[2, 0], 2.0), (values[3:6], None),
                     (values[6:9], data["weight"][:3])):  # fmt: skip
            metric.update_state(x, w)
            seen.append(float(metric.result()))
        out[f"metric/{name}"] = np.array(seen)


def penalties(out: dict) -> None:
    w = draw(np.random.default_rng(11), (4, 6))
    out["regularizer/w"] = w
    for name, make in function_cases.REGULARIZERS.items():
        value, grad = jax.value_and_grad(lambda w: make(keras)(w) * 1.0)(jnp.asarray(w, "float64"))  # noqa: B023
        out[f"regularizer/{name}"], out[f"regularizer/{name}/grad"] = plain(value), plain(grad)


def initializers(out: dict) -> None:
    for name, make in function_cases.DRAWS.items():
        for i, shape in enumerate(function_cases.DRAW_SHAPES):
            x = plain(make(keras, 5)(shape, dtype="float64"))
            out[f"initializer/{name}/{i}"] = np.array([x.mean(), x.std(), x.min(), x.max()])
    for name, (make, shape) in function_cases.FIXED.items():
        out[f"initializer/{name}"] = plain(make(keras)(shape, dtype="float64"))


# ---- optimizers -------------------------------------------------------------------------------------------------------
def optimizers(out: dict) -> None:
    rng = np.random.default_rng(23)
    start = {n: draw(rng, s) for n, s in optimizer_cases.SHAPES.items()}
    grads = {n: draw(rng, (optimizer_cases.STEPS, *s)) for n, s in optimizer_cases.SHAPES.items()}
    for n in start:
        out[f"start/{n}"], out[f"grads/{n}"] = start[n], grads[n]
    for name, make in optimizer_cases.OPTIMIZERS.items():
        optimizer = make(keras)
        variables = [keras.Variable(v, dtype="float64", name=n) for n, v in start.items()]
        optimizer.build(variables)
        history: dict = {}
        for step in range(optimizer_cases.STEPS):
            optimizer.apply([jnp.asarray(grads[n][step], "float64") for n in start], variables)
            for n, v in zip(start, variables, strict=True):
                history.setdefault(n, []).append(plain(v))
            for i, v in enumerate(optimizer.variables[2:]):
                history.setdefault(f"slot{i}", []).append(plain(v))
        for key, values in history.items():
            out[f"{name}/{key}"] = np.stack(values)
        out[f"{name}/learning_rate"] = np.array(float(optimizer.learning_rate))


# ---- whole models -----------------------------------------------------------------------------------------------------
def model_data() -> dict:
    rng = np.random.default_rng(31)
    rows = 42
    x = draw(rng, (rows, 6))
    side = draw(rng, (rows, 3, 2))
    hidden = np.tanh(x @ draw(rng, (6, 5))) @ draw(rng, (5, 4)) + 0.3 * side.sum((1, 2))[:, None]
    label = hidden.argmax(1)
    return {
        "x": x, "side": side, "real": (hidden[:, :2] + draw(rng, (rows, 2), 0.1)).astype(np.float32),
        "binary": (hidden[:, :1] > 0).astype(np.float32), "sign": np.where(hidden[:, 1:2] > 0, 1, -1).astype(np.float32),
        "label": label.astype(np.int32), "onehot": np.eye(4, dtype=np.float32)[label],
        "weight": rng.uniform(0.2, 2.0, rows).astype(np.float32),
    }  # fmt: skip


def models(out: dict, names: dict) -> None:
    data = model_data()
    out.update({f"data/{k}": v for k, v in data.items()})
    for name, (make, x_names, y_names, w_name) in model_cases.MODELS.items():
        keras.utils.clear_session()
        keras.utils.set_random_seed(41)
        model = make(keras)
        start = [np.asarray(w, np.float32) for w in model.get_weights()]
        model.set_weights(start)
        pick = lambda group, part: [data[n][part] for n in group]  # noqa: E731
        one = lambda group: group[0] if len(group) == 1 else group  # noqa: E731
        seen = []
        for _ in range(model_cases.EPOCHS):
            for first in range(0, len(data["x"]), model_cases.BATCH):
                part = slice(first, first + model_cases.BATCH)
                weight = data[w_name][part] if w_name else None
                logs = model.train_on_batch(
                    one(pick(x_names, part)), one(pick(y_names, part)), weight, return_dict=True
                )
                seen.append(logs["loss"])
        everything = slice(None)
        logs = model.evaluate(
            one(pick(x_names, everything)), one(pick(y_names, everything)), batch_size=model_cases.BATCH, verbose=0,
            sample_weight=data[w_name] if w_name else None, return_dict=True,
        )  # fmt: skip
        for i, w in enumerate(start):
            out[f"{name}/start{i}"] = w
        for i, w in enumerate(model.get_weights()):
            out[f"{name}/end{i}"] = w
        for i, p in enumerate(flatten(model.predict(one(pick(x_names, everything)), verbose=0))):
            out[f"{name}/predict{i}"] = p
        out[f"{name}/losses"] = np.array(seen)
        names[name] = {k: float(v) for k, v in logs.items()}


def flatten(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


# ---- configs, names, signatures ---------------------------------------------------------------------------------------
def simple(x):
    """A config as JSON: nested objects by class name and config only, dtype policies by name."""
    if isinstance(x, dict):
        if "class_name" in x and "config" in x:
            if x["class_name"] == "DTypePolicy":
                return x["config"]["name"]
            return {"class_name": x["class_name"], "config": simple(x["config"])}
        return {k: simple(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [simple(v) for v in x]
    return x


def configs() -> dict:
    f = function_cases
    return {
        "layers": {n: simple(keras.layers.serialize(make(keras))) for n, make in layer_cases.CONFIGS.items()},
        "losses": {
            n: {"class_name": type(make(keras)).__name__, "config": simple(make(keras).get_config())}
            for n, (make, _, _) in f.LOSSES.items()
        },
        "optimizers": {n: simple(keras.optimizers.serialize(make(keras))) for n, make in optimizer_cases.OPTIMIZERS.items()},
        "initializers": {
            **{n: simple(keras.initializers.serialize(make(keras, None))) for n, make in f.DRAWS.items()},
            **{n: simple(keras.initializers.serialize(make(keras))) for n, (make, _) in f.FIXED.items()},
        },
        "regularizers": {n: simple(keras.regularizers.serialize(make(keras))) for n, make in f.REGULARIZERS.items()},
        "activations": {
            n: keras.activations.serialize(keras.activations.get(n))
            for n in ("linear", "relu", "sigmoid", "tanh", "softmax", "leaky_relu", "elu", "gelu", "silu", "softplus")
        },
        "metrics": {
            n: {"class_name": type(make(keras)).__name__, "config": simple(make(keras).get_config())}
            for n, (make, _, _) in f.METRICS.items()
        },
    }  # fmt: skip


def resolutions() -> dict:
    """What "accuracy" and "crossentropy" become for shapes of targets and outputs."""
    shapes = [((8,), (8, 1)), ((8, 1), (8, 1)), ((8, 3), (8, 3)), ((8,), (8, 3)), ((8, 1), (8, 3)), ((8, 4), (8, 4, 1)),
              ((8, 4), (8, 4, 3)), ((8, 4, 1), (8, 4, 3)), ((8, 4, 3), (8, 4, 3)), ((8, 1), (8,)), ((8,), (8,))]  # fmt: skip
    rows = []
    for t, p in shapes:
        a, b = np.zeros(t), np.zeros(p)
        loss = get_loss("crossentropy", a, b)
        rows.append([list(t), list(p), type(get_metric("accuracy", a, b)).__name__, loss.fn.__name__])
    names = {n: [type(get_metric(n, np.zeros((8, 3)), np.zeros((8, 3)))).__name__,
                 get_metric(n, np.zeros((8, 3)), np.zeros((8, 3))).name]
             for n in ("accuracy", "acc", "mse", "MSE", "mean_squared_error", "mae", "MAE", "binary_accuracy", "bce",
                       "categorical_crossentropy", "sparse_categorical_accuracy", "hinge", "squared_hinge",
                       "BinaryAccuracy")}  # fmt: skip
    return {"shapes": rows, "names": names}


def signatures() -> dict:
    """[name, kind, default] of every argument of the public classes and functions."""
    found: dict = {}
    layer_names = ["Dense", "Activation", "Dropout", "Flatten", "Input", "InputLayer", "Reshape", "ReLU", "LeakyReLU",
                   "PReLU", "ELU", "Softmax", "BatchNormalization", "Add", "Concatenate", "add", "concatenate"]  # fmt: skip
    for module in ("layers", "activations", "losses", "metrics", "optimizers", "initializers", "regularizers"):
        space = getattr(keras, module)
        for name in layer_names if module == "layers" else [n for n in dir(space) if n[0] != "_"]:
            thing = getattr(space, name)
            if not callable(thing):
                continue
            parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
            found.setdefault(module, {})[name] = [
                [p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)]
                for p in parameters if p.name != "self"
            ]  # fmt: skip
    return found


def orders() -> dict:
    """The names of a functional model's layers, and the shapes of its weights, in order."""
    found = {}
    for name, make in model_cases.GRAPHS.items():
        keras.utils.clear_session()
        model = make(keras)
        found[name] = [[layer.name for layer in model.layers], [list(w.shape) for w in model.get_weights()]]
    return found


def save(name: str, arrays: dict) -> None:
    np.savez_compressed(HERE / f"{name}.npz", **arrays)
    print(f"{name}.npz: {len(arrays)} arrays, {(HERE / f'{name}.npz').stat().st_size / 1e3:.0f} kB")


def main(parts) -> None:
    """Make everything, or only the parts named: functions, layers, optimizers, models, notes."""
    parts = parts or ["notes", "functions", "layers", "optimizers", "models"]
    file = HERE / "keras.json"
    notes = json.loads(file.read_text()) if file.exists() else {}
    notes["versions"] = {"keras": keras.__version__, "jax": jax.__version__, "numpy": np.__version__,
                         "python": sys.version.split()[0]}  # fmt: skip
    if "notes" in parts:
        notes.update(configs=configs(), resolutions=resolutions(), signatures=signatures(), orders=orders())
    functions: dict = {}
    if "functions" in parts:
        losses(functions, "float32")
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    # On JAX, Keras' type promotion turns float64 into float32, which is JAX's own default; not here.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    if "functions" in parts:
        losses(functions, "float64")
        for part in (activations, metrics, penalties, initializers):
            part(functions)
        save("keras_functions", functions)
    for name, part in (("layers", layers), ("optimizers", optimizers)):
        if name in parts:
            arrays: dict = {}
            part(arrays)
            save(f"keras_{name}", arrays)
    if "models" in parts:
        arrays, notes["evaluate"] = {}, {}
        models(arrays, notes["evaluate"])
        save("keras_models", arrays)
    file.write_text(json.dumps(notes, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
