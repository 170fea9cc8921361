"""Fused optimizer updates: one op updates every trainable variable of a step, by Keras 3's formulas.

`<kind>_update` takes (learning_rate, iterations, [gradient_scale,] params..., grads..., slots of each kind ...) and
gives (new params..., new slots ...). All of them are in place: the native executor works on the variables' own flat
buffers. `decay` holds one decoupled weight decay per parameter.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register

# kind -> (number of slots given its attributes, update of one parameter)
#   update(p, g, slots, lr, t, attrs) -> (new p, new slots); t counts from 1
RULES: dict = {}


def _rule(kind, slots):
    def add(fn):
        RULES[kind] = (slots, fn)
        return fn

    return add


@_rule("sgd", lambda a: 1 if a.get("momentum") else 0)
def _sgd(p, g, slots, lr, t, a):
    if not a.get("momentum"):
        return p - lr * g, ()
    m = slots[0] * a["momentum"] - g * lr
    return (p + m * a["momentum"] - g * lr, (m,)) if a.get("nesterov") else (p + m, (m,))


@_rule("rmsprop", lambda a: 1 + bool(a.get("momentum")) + bool(a.get("centered")))
def _rmsprop(p, g, slots, lr, t, a):
    slots = list(slots)
    v = a["rho"] * slots[0] + (1 - a["rho"]) * g * g
    new = [v]
    denominator = v + a["epsilon"]
    if a.get("centered"):
        mean = a["rho"] * slots[-1] + (1 - a["rho"]) * g
        denominator = v - mean * mean + a["epsilon"]
    step = lr * g / np.sqrt(denominator)
    if a.get("momentum"):
        step = a["momentum"] * slots[1] + step
        new.append(step)
    if a.get("centered"):
        new.append(mean)
    return p - step, tuple(new)


@_rule("adam", lambda a: 3 if a.get("amsgrad") else 2)
def _adam(p, g, slots, lr, t, a):
    b1, b2 = a["beta_1"], a["beta_2"]
    alpha = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
    m = slots[0] + (g - slots[0]) * (1 - b1)
    v = slots[1] + (g * g - slots[1]) * (1 - b2)
    new, top = (m, v), v
    if a.get("amsgrad"):
        top = np.maximum(slots[2], v)
        new = (m, v, top)
    return p - m * alpha / (np.sqrt(top) + a["epsilon"]), new


@_rule("adagrad", lambda a: 1)
def _adagrad(p, g, slots, lr, t, a):
    acc = slots[0] + g * g
    return p - lr * g / np.sqrt(acc + a["epsilon"]), (acc,)


@_rule("adadelta", lambda a: 2)
def _adadelta(p, g, slots, lr, t, a):
    rho, eps = a["rho"], a["epsilon"]
    acc = rho * slots[0] + (1 - rho) * g * g
    delta = -np.sqrt(slots[1] + eps) * g / np.sqrt(acc + eps)
    return p + lr * delta, (acc, rho * slots[1] + (1 - rho) * delta * delta)


def slot_count(kind: str, attrs: dict) -> int:
    """How many slots a parameter has under these attributes."""
    return RULES[kind][0](attrs)


def split_inputs(inputs, attrs, kind):
    """(lr, iterations, scale or None, params, grads, [slots of each kind])."""
    n, rest = attrs["n"], list(inputs)
    lr, iterations = rest[:2]
    rest = rest[2:]
    scale = rest.pop(0) if attrs.get("scaled") else None
    groups = [rest[i * n : (i + 1) * n] for i in range(2 + slot_count(kind, attrs))]
    return lr, iterations, scale, groups[0], groups[1], groups[2:]


def _update_reference(kind):
    def reference(*inputs, **attrs):
        lr, iterations, scale, params, grads, slots = split_inputs(inputs, attrs, kind)
        new_params, new_slots = [], [[] for _ in slots]
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            dtype = p.dtype
            if scale is not None:
                g = g * scale
            if attrs.get("clipvalue"):
                g = np.clip(g, -attrs["clipvalue"], attrs["clipvalue"])
            if attrs["decay"][i]:
                p = p - p * np.asarray(attrs["decay"][i], dtype) * lr
            new, kept = RULES[kind][1](p, g, [s[i] for s in slots], float(lr), int(iterations) + 1, attrs)
            new_params.append(np.asarray(new, dtype))
            for group, value in zip(new_slots, kept, strict=True):
                group.append(np.asarray(value, dtype))
        return (*new_params, *(v for group in new_slots for v in group))

    return reference


def _update_infer(kind):
    def infer(shapes, dtypes, attrs):
        _, _, _, params, grads, slots = split_inputs(list(zip(shapes, dtypes, strict=True)), attrs, kind)
        for i, ((p, _), (g, _)) in enumerate(zip(params, grads, strict=True)):
            if p != g:
                raise ValueError(f"{kind}: gradient {i} has shape {g}, its variable {p}")
        return (*params, *(s for group in slots for s in group))

    return infer


def _samples(kind, *attrs):
    out = []
    for a in attrs:
        full = {"n": 2, "decay": (0.0, 0.0), **a}
        rng = np.random.default_rng(21)
        shapes = ((5, 3), (37,))
        groups = [rng.normal(size=s) for s in shapes] + [rng.normal(size=s) for s in shapes]
        for _ in range(slot_count(kind, full)):
            groups += [rng.uniform(0.1, 1.0, s) for s in shapes]
        if kind == "rmsprop" and full.get("centered"):  # the mean must not exceed the mean square
            groups[-2:] = [x * 0.1 for x in groups[-2:]]
        scale = (np.array(0.5),) if full.get("scaled") else ()
        out.append(Sample((np.array(0.01), np.array(3, np.int64), *scale, *groups), full, wrt=()))
    return tuple(out)


_ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_CASES = {
    "sgd": ({"momentum": 0.0}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "clipvalue": 0.5}),
    "rmsprop": (
        {"rho": 0.9, "epsilon": 1e-7},
        {"rho": 0.9, "epsilon": 1e-7, "momentum": 0.5},
        {"rho": 0.9, "epsilon": 1e-7, "centered": True},
        {"rho": 0.9, "epsilon": 1e-7, "momentum": 0.5, "centered": True},
    ),
    "adam": (_ADAM, {**_ADAM, "amsgrad": True}, {**_ADAM, "decay": (0.1, 0.0)}, {**_ADAM, "scaled": True}),
    "adagrad": ({"epsilon": 1e-7},),
    "adadelta": ({"rho": 0.95, "epsilon": 1e-7},),
}
for _kind, _attrs in _CASES.items():
    register(
        OpSpec(f"{_kind}_update", _update_infer(_kind), _update_reference(_kind), None, _samples(_kind, *_attrs))
    )


def update(kind, lr, iterations, scale, params, grads, slots, decay, **attrs):
    """([new params], [[new slots] of each kind]) of one step over all parameters."""
    n = len(params)
    ins = (lr, iterations, *(() if scale is None else (scale,)), *params, *grads, *(s for group in slots for s in group))
    if scale is not None:
        attrs["scaled"] = True
    out = apply(f"{kind}_update", ins, n=n, decay=tuple(float(d) for d in decay), **attrs)
    out = out if isinstance(out, tuple) else (out,)
    return list(out[:n]), [list(out[n * (i + 1) : n * (i + 2)]) for i in range(len(slots))]


# ---- clipping by norm ---------------------------------------------------------------------------------------------------
def _norm_scale(*grads, clip):
    norm = np.sqrt(sum(np.sum(np.square(g.astype(np.float64))) for g in grads))
    return np.asarray(clip / max(norm, clip), grads[0].dtype)


register(
    OpSpec(  # min(1, clip / norm of all gradients together)
        "global_norm",
        lambda s, d, a: (((), d[0]),),
        _norm_scale,
        None,
        (Sample(((5, 3), (37,)), {"clip": 1.0}, wrt=()), Sample(((5, 3),), {"clip": 100.0}, wrt=())),
    )
)
register(
    OpSpec(  # g limited to the norm `clip`
        "clip_norm",
        lambda s, d, a: ((s[0], d[0]),),
        lambda g, clip: g * _norm_scale(g, clip=clip),
        None,
        (Sample(((5, 3),), {"clip": 1.0}, wrt=()), Sample(((37,),), {"clip": 100.0}, wrt=())),
        inplace=(0,),
    )
)
