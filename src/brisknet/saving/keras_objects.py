"""serialize_keras_object and deserialize_keras_object: any object with a config as plain data in Keras' form, and back.

Only known classes and functions are made from a config; lambdas and code in files are refused.
"""

from __future__ import annotations

import importlib
import types

import numpy as np

from brisknet.layers.keras_tensor import KerasTensor
from brisknet.saving.objects import KERAS_ONLY, builtin_layers, custom_table, deserialize_layer, registered_name
from brisknet.saving.registration import custom_object_scope

__all__ = ["deserialize_keras_object", "serialize_keras_object", "with_modules"]

# Families of objects beside layers: Keras' module -> ours, with get/serialize/deserialize.
FAMILIES = ("initializers", "regularizers", "constraints", "losses", "metrics", "optimizers", "activations")


def _family(name: str):
    try:
        return importlib.import_module(f"brisknet.{name}")
    except ModuleNotFoundError:
        return None


# ---- to plain data --------------------------------------------------------------------------------------------------------
def serialize_keras_object(obj):
    """Plain data that deserialize_keras_object() makes an equal object from: {"module", "class_name", "config", ...}.

    Numbers, strings, lists and dicts stay what they are. TypeError for objects without get_config(); ValueError for
    lambdas, which can't be written down.
    """
    if obj is None or isinstance(obj, (bool, int, float, str)) and not isinstance(obj, np.generic):
        return obj
    if isinstance(obj, (list, tuple)):
        return type(obj)(serialize_keras_object(x) for x in obj) if type(obj) in (list, tuple) else list(map(serialize_keras_object, obj))
    if isinstance(obj, dict):
        return {k: serialize_keras_object(v) for k, v in obj.items()}
    special = _special(obj)
    if special is not None:
        return special
    if isinstance(obj, np.generic) or isinstance(obj, np.ndarray) and obj.ndim == 0:
        return obj.item()
    if isinstance(obj, types.FunctionType):
        return _function(obj)
    if not hasattr(obj, "get_config"):
        raise TypeError(f"{type(obj).__name__} can't be serialized: a class must have get_config(), got {obj!r}")
    return _instance(obj)


def _special(obj):
    if isinstance(obj, slice):
        return {"class_name": "__slice__", "config": {k: getattr(obj, k) for k in ("start", "stop", "step")}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, np.ndarray) and obj.ndim:
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, np.dtype):
        return obj.name
    return None


def _function(fn) -> dict:
    name = registered_name(fn) or fn.__name__
    if fn.__name__ == "<lambda>":
        raise ValueError("a lambda can't be serialized: define a function, and register it with register_keras_serializable")
    module = _module_of_function(fn)
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def _module_of_function(fn) -> str:
    for family in ("activations", "losses", "metrics"):
        if getattr(_family(family), fn.__name__, None) is fn:
            return f"keras.{family}"
    return "builtins"


def _instance(obj) -> dict:
    config = obj.get_config()
    known = registered_name(type(obj))
    out = {
        "module": _module_of(type(obj)), "class_name": type(obj).__name__, "config": serialize_keras_object(config),
        "registered_name": known,
    }  # fmt: skip
    if out["module"] is None and known is None:
        out["registered_name"] = type(obj).__name__
    for part in ("build_config", "compile_config"):
        found = getattr(obj, f"get_{part}", lambda: None)()
        if found is not None:
            out[part] = found
    return with_modules(out)


def _module_of(cls) -> str | None:
    """The module in which Keras has a class of this package; None for any other class."""
    if registered_name(cls) is not None or not cls.__module__.startswith("brisknet."):
        return None
    if cls.__name__ in ("Sequential", "Functional"):
        return "keras" if cls.__name__ == "Sequential" else "keras.src.models.functional"
    family = cls.__module__.split(".")[1]
    if family == "layers":
        return "keras.layers" if cls.__name__ in builtin_layers() else "brisknet.layers"
    if "schedule" in cls.__module__:
        return "keras.optimizers.schedules"
    return f"keras.{family}"


def with_modules(config):
    """A config with the "module" of each object inside that lacks it, as Keras wants it."""
    if isinstance(config, (list, tuple)):
        return type(config)(with_modules(v) for v in config)
    if not isinstance(config, dict):
        return config
    out = {k: with_modules(v) for k, v in config.items()}
    name = out.get("class_name")
    if isinstance(name, str) and "config" in out and "module" not in out and not name.startswith("__"):
        out["module"] = None if out.get("registered_name") else _module_by_name(name)
        out.setdefault("registered_name", None if out["module"] else name)
    return out


def _module_by_name(name: str) -> str | None:
    layers = builtin_layers()
    if name in layers:
        return _module_of(layers[name])
    for family in FAMILIES:
        cls = getattr(_family(family), name, None)
        if isinstance(cls, type):
            return _module_of(cls)
    return None


# ---- from plain data ------------------------------------------------------------------------------------------------------
def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs):
    """The object of such data, Keras' own included. ValueError for unknown classes and functions, and for lambdas.

    custom_objects   {name: class or function} that the data may name, beside what is registered
    safe_mode        Keras' argument; code in a config is never run here, whatever it is
    """
    if kwargs:
        raise TypeError(f"deserialize_keras_object: unknown argument(s) {sorted(kwargs)}")
    with custom_object_scope(custom_objects or {}):
        return _object(config)


def _object(config):
    if isinstance(config, (list, tuple)):
        return [_object(v) for v in config]
    if not isinstance(config, dict):
        custom = custom_table() if isinstance(config, str) else {}
        return custom.get(config, config) if isinstance(config, str) else config
    if "class_name" not in config or "config" not in config:
        return {k: _object(v) for k, v in config.items()}
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise ValueError(f'config: "class_name" must be a string, got {name!r}')
    if name.startswith("__"):
        return _from_special(name, inner or {})
    if name == "function":
        return _named_function(inner, config.get("module"))
    return _from_class(config, name, config.get("module") or "")


def _from_special(name: str, inner: dict):
    if name == "__lambda__":
        raise ValueError("the config holds a lambda, which is code: it is not run; register a named function instead")
    if name in ("__numpy__", "__tensor__"):
        return np.array(inner["value"], dtype=inner["dtype"])
    if name == "__slice__":
        return slice(inner["start"], inner["stop"], inner["step"])
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__bytes__":
        return inner["value"].encode()
    if name == "__keras_tensor__":
        return KerasTensor(inner["shape"], inner["dtype"])
    raise ValueError(f"config: unknown kind of value {name!r}")


def _named_function(name, module):
    if not isinstance(name, str):
        raise ValueError(f"config: the name of a function expected, got {name!r}")
    custom = custom_table()
    if name in custom:
        return custom[name]
    for family in ("activations", "losses", "metrics"):
        found = getattr(_family(family), name, None)
        if isinstance(found, types.FunctionType) and (module in (None, "builtins", f"keras.{family}")):
            return found
    raise ValueError(
        f"unknown function {name!r}: give it in custom_objects, or register it with register_keras_serializable()"
    )


def _from_class(config: dict, name: str, module: str):
    if name == "DTypePolicy":
        return (config["config"] or {}).get("name")
    custom = custom_table(wanted=lambda x: isinstance(x, type))
    cls = custom.get(config.get("registered_name")) or (custom.get(name) if not module.startswith("keras") else None)
    from brisknet.layers.layer import Layer

    if cls is None and (name in builtin_layers() and (not module or "layers" in module or "models" in module or module == "keras")):
        cls = builtin_layers()[name]
    if cls is not None and issubclass(cls, Layer):
        made = deserialize_layer({**config, "config": simple(config["config"] or {})})
        return _finished(made, config)
    if cls is not None:
        return cls.from_config(simple(config["config"] or {}))
    for family in FAMILIES:
        if module and family not in module:
            continue
        there = _family(family)
        if isinstance(getattr(there, name, None), type):
            return there.deserialize({"class_name": name, "config": simple(config["config"] or {})})
    schedules = getattr(_family("optimizers"), "schedules", None)
    if isinstance(getattr(schedules, name, None), type):
        return getattr(schedules, name).from_config(simple(config["config"] or {}))
    raise ValueError(
        f"unknown class {name!r}: give it in custom_objects, or register it with register_keras_serializable()"
    )


def _finished(layer, config):
    """The layer with the weights and the compilation that Keras' form notes beside the config."""
    build, compiled = config.get("build_config"), config.get("compile_config")
    if build and not layer.built:
        layer.build_from_config(build)
    if compiled:
        layer.compile_from_config(compiled)
    return layer


def simple(config):
    """Keras' forms of values inside a layer's config as the constructors here take them."""
    if isinstance(config, (list, tuple)):
        return type(config)(simple(v) for v in config)
    if not isinstance(config, dict):
        return config
    name = config.get("class_name")
    if name == "DTypePolicy":
        return (config.get("config") or {}).get("name")
    if name == "function":
        return _named_function(config["config"], config.get("module")) if config["config"] in custom_table() else config["config"]
    if isinstance(name, str) and name.startswith("__") and name != "__keras_tensor__":
        return _from_special(name, config.get("config") or {})
    return {k: simple(v) for k, v in config.items() if v is not None or k not in KERAS_ONLY}
