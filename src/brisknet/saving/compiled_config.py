"""The arguments of compile() as plain data, and back."""

from __future__ import annotations

from brisknet import losses, metrics, optimizers
from brisknet.layers.keras_tensor import map_structure
from brisknet.saving.keras_objects import simple

__all__ = ["compile_arguments", "compile_config"]


def compile_config(model) -> dict:
    """{argument of compile(): its value, with objects in Keras' form}. ValueError for functions that are not registered."""
    args = model._compile_args
    return {
        "optimizer": _object(model.optimizer, optimizers.serialize, "optimizers"),
        "loss": _each(args["loss"], losses.serialize, "losses"),
        "loss_weights": args["loss_weights"],
        "metrics": _each(args["metrics"], metrics.serialize, "metrics"),
        "weighted_metrics": _each(args["weighted_metrics"], metrics.serialize, "metrics"),
        "run_eagerly": model.run_eagerly,
        "steps_per_execution": model.steps_per_execution,
        "jit_compile": model.jit_compile,
    }


def _each(given, serialize, family: str):
    return map_structure(lambda x: x if x is None or isinstance(x, str) else _object(x, serialize, family), given)


def _object(thing, serialize, family: str):
    config = serialize(thing() if isinstance(thing, type) else thing)
    if not isinstance(config, dict):
        return config
    own = ">" in str(config["class_name"]) or config["class_name"] == "function"
    return {"module": None if own else f"keras.{family}", **config, "registered_name": config["class_name"] if own else None}


def compile_arguments(config: dict) -> dict:
    """The keyword arguments of compile() from compile_config(), or from Keras' get_compile_config()."""
    known = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution",
             "jit_compile")  # fmt: skip
    out = {k: config[k] for k in known if k in config}
    out["optimizer"] = optimizers.get(simple(out["optimizer"])) if out.get("optimizer") is not None else "rmsprop"
    out["loss"] = _made(out.get("loss"), losses.deserialize)
    for name in ("metrics", "weighted_metrics"):
        out[name] = _made(out.get(name), metrics.deserialize)
    return {k: v for k, v in out.items() if v is not None}


def _made(config, deserialize):
    """Objects in place of their configs, in any structure of lists and dicts."""
    if isinstance(config, dict) and "class_name" in config:
        return deserialize({**simple(config), "class_name": config["class_name"], "config": simple(config.get("config") or {})})
    if isinstance(config, dict):
        return {k: _made(v, deserialize) for k, v in config.items()}
    return [_made(v, deserialize) for v in config] if isinstance(config, (list, tuple)) else config
