"""Functions in configs: by name where they have one that can be found again, else as code, which is not loaded unasked."""

from __future__ import annotations

import base64
import marshal
import types
import weakref

from brisknet.saving.objects import custom_table, registered_name
from brisknet.utils.naming import lookup

__all__ = ["deserialize", "is_config", "serialize"]

# Functions that were written as code in this process, by that code: a config that never left it finds them again.
_written: dict[str, list] = {}


def serialize(fn) -> dict:
    """{"class_name": "function", "config": name} of a function with a name that can be found again, else
    {"class_name": "__lambda__", "config": {"code", "defaults", "closure"}}; ValueError for what is no Python function."""
    name = registered_name(fn)
    if name is None and _public().get(getattr(fn, "__name__", None)) is fn:
        name = fn.__name__
    if name is not None:
        return {"class_name": "function", "config": name}
    if not isinstance(fn, types.FunctionType):
        raise ValueError(f"{fn!r} can't be written into a config; use a Python function, or register it by "
                         "brisknet.saving.register_serializable()")  # fmt: skip
    code = base64.b64encode(marshal.dumps(fn.__code__)).decode()
    known = _written.setdefault(code, [])
    if all(ref() is not fn for ref in known):
        known.append(weakref.ref(fn))
    closure = None if fn.__closure__ is None else [c.cell_contents for c in fn.__closure__]
    defaults = None if fn.__defaults__ is None else list(fn.__defaults__)
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}


def is_config(x) -> bool:
    """True for what serialize() gives."""
    return isinstance(x, dict) and x.get("class_name") in ("function", "__lambda__")


def deserialize(config: dict, custom_objects=None, safe_mode=None):
    """The function of such a dict. ValueError for an unknown name, and for code unless safe_mode is False or the function
    was written by this process and still lives."""
    if config["class_name"] == "function":
        return lookup("function", config["config"], {**_public(), **custom_table(custom_objects)})
    inner = config["config"]
    for ref in _written.get(inner["code"], ()):
        fn = ref()
        if fn is not None and _same(fn.__defaults__, inner["defaults"]) and _same(_cells(fn), inner["closure"]):
            return fn
    if safe_mode is not False:
        raise ValueError(
            "the config of a Lambda layer holds the code of a Python function, and loading it could run anything; pass "
            "safe_mode=False to Lambda.from_config() if you trust its source, or register the function by "
            "brisknet.saving.register_serializable() so that its name is enough"
        )
    return _function(inner)


def _public() -> dict:
    from brisknet import activations, ops

    out = {}
    for module in (activations, ops):
        out.update({n: getattr(module, n) for n in module.__all__ if callable(getattr(module, n))})
    return out


def _cells(fn):
    return None if fn.__closure__ is None else [c.cell_contents for c in fn.__closure__]


def _same(a, b) -> bool:
    if a is None or b is None:
        return a is b
    return len(a) == len(b) and all(x is y or (type(x) is type(y) and isinstance(x, (int, float, str, bool)) and x == y)
                                    for x, y in zip(a, b, strict=True))  # fmt: skip


def _function(inner: dict):
    import brisknet

    code = marshal.loads(base64.b64decode(inner["code"]))
    closure = None if inner["closure"] is None else tuple(types.CellType(v) for v in inner["closure"])
    defaults = None if inner["defaults"] is None else tuple(inner["defaults"])
    scope = {"__builtins__": __builtins__, "brisknet": brisknet, "ops": brisknet.ops}
    return types.FunctionType(code, scope, code.co_name, defaults, closure)
