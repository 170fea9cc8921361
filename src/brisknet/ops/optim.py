"""Fused optimizer updates: one op updates every trainable variable of a step, by Keras 3's formulas (ops/optim_rules.py).

`<kind>_update` takes (learning_rate, iterations, [product,] [gradient_scale,] params..., grads..., slots of each kind ...)
and gives (new params..., new slots ...). All of them are in place: the native executor works on the variables' own flat
buffers. `decay` holds one decoupled weight decay per parameter. With `every` > 1, only each `every`-th iteration updates
(the others leave everything as it is), and updates are what the rule counts as steps.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.optim_rules import RULES, slot_count
from brisknet.ops.registry import OpSpec, Sample, register
from brisknet.variables import Variable

__all__ = ["RULES", "due", "number", "product_of", "slot_count", "split_inputs", "update"]


def due(iterations: int, every: int) -> bool:
    """Whether the step after `iterations` steps updates."""
    return (int(iterations) + 1) % every == 0


def number(iterations: int, every: int) -> int:
    """The number of the update after `iterations` steps, from 1."""
    return int(iterations) // every + 1


def product_of(inputs, kind):
    """Nadam's product of momenta among the inputs; None for the other kinds."""
    return inputs[2] if kind == "nadam" else None


def split_inputs(inputs, attrs, kind):
    """(lr, iterations, scale or None, params, grads, [slots of each kind])."""
    n, rest = attrs["n"], list(inputs)
    lr, iterations = rest[:2]
    rest = rest[3 if kind == "nadam" else 2 :]
    scale = rest.pop(0) if attrs.get("scaled") else None
    groups = [rest[i * n : (i + 1) * n] for i in range(2 + slot_count(kind, attrs))]
    return lr, iterations, scale, groups[0], groups[1], groups[2:]


def _one(kind, p, g, slots, lr, iterations, scale, decay, attrs):
    """(new p, new slots) of one parameter, by the rule, after scaling, clipping and decay."""
    if scale is not None:
        g = g * scale
    if attrs.get("clipvalue"):
        g = np.clip(g, -attrs["clipvalue"], attrs["clipvalue"])
    if decay:
        p = p - p * np.asarray(decay, p.dtype) * lr
    return RULES[kind][1](p, g, slots, float(lr), number(iterations, attrs.get("every", 1)), attrs)


def _update_reference(kind):
    def reference(*inputs, **attrs):
        lr, iterations, scale, params, grads, slots = split_inputs(inputs, attrs, kind)
        if not due(iterations, attrs.get("every", 1)):
            return (*params, *(s for group in slots for s in group))
        if kind == "nadam":
            attrs = {**attrs, "product": float(product_of(inputs, kind))}
        new_params, new_slots = [], [[] for _ in slots]
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            new, kept = _one(kind, p, g, [s[i] for s in slots], lr, iterations, scale, attrs["decay"][i], attrs)
            new_params.append(np.asarray(new, p.dtype))
            for group, value in zip(new_slots, kept, strict=True):
                group.append(np.asarray(value, p.dtype))
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


# ---- samples ------------------------------------------------------------------------------------------------------------
def _slot_shape(kind, place, shape):
    """Adafactor's first two slots are means over the last, and the last but one dimension."""
    if kind != "adafactor" or place == 2:
        return shape
    return () if len(shape) < 2 else shape[:-1] if place == 0 else (*shape[:-2], shape[-1])


def _samples(kind, *attrs):
    out = []
    shapes = ((5, 3), (37,)) if kind != "adafactor" else ((5, 3), (37,), (2, 3, 4), (20, 19))
    for a in attrs:
        full = {"n": len(shapes), "decay": (0.0,) * len(shapes), **a}
        rng = np.random.default_rng(21)
        groups = [rng.normal(size=s) for s in shapes] + [rng.normal(size=s) for s in shapes]
        for place in range(slot_count(kind, full)):
            groups += [rng.uniform(0.1, 1.0, _slot_shape(kind, place, s)) for s in shapes]
        if kind == "rmsprop" and full.get("centered"):  # the mean must not exceed the mean square
            groups[-2:] = [x * 0.1 for x in groups[-2:]]
        product = (np.array(0.2),) if kind == "nadam" else ()
        scale = (np.array(0.5),) if full.get("scaled") else ()
        head = np.array(0.01), np.array(3, np.int64), *product, *scale
        out.append(Sample((*head, *groups), full, wrt=()))
    return tuple(out)


_ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_FTRL = {
    "learning_rate_power": -0.5, "l1_regularization_strength": 0.0, "l2_regularization_strength": 0.0,
    "l2_shrinkage_regularization_strength": 0.0, "beta": 0.0,
}  # fmt: skip
_ADAFACTOR = {"beta_2_decay": -0.8, "epsilon_1": 1e-30, "epsilon_2": 1e-3, "clip_threshold": 1.0}
_SCALED = {"scaled": True, "clipvalue": 0.7, "decay": (0.1, 0.0)}
_CASES = {
    "sgd": ({"momentum": 0.0}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "clipvalue": 0.5}),
    "rmsprop": (
        {"rho": 0.9, "epsilon": 1e-7},
        {"rho": 0.9, "epsilon": 1e-7, "momentum": 0.5},
        {"rho": 0.9, "epsilon": 1e-7, "centered": True},
        {"rho": 0.9, "epsilon": 1e-7, "momentum": 0.5, "centered": True},
    ),
    "adam": (
        _ADAM, {**_ADAM, "amsgrad": True}, {**_ADAM, "decay": (0.1, 0.0)}, {**_ADAM, "scaled": True},
        {**_ADAM, "every": 2}, {**_ADAM, "every": 3},
    ),
    "adagrad": ({"epsilon": 1e-7},),
    "adadelta": ({"rho": 0.95, "epsilon": 1e-7},),
    "adamax": (_ADAM, {**_ADAM, "every": 4, **_SCALED}),
    "nadam": (_ADAM, {**_ADAM, "every": 4, **_SCALED}),
    "lion": ({"beta_1": 0.9, "beta_2": 0.99}, {"beta_1": 0.9, "beta_2": 0.99, **_SCALED}),
    "ftrl": (
        _FTRL,
        {**_FTRL, "learning_rate_power": -0.7, "l1_regularization_strength": 0.3, "l2_regularization_strength": 0.2,
         "l2_shrinkage_regularization_strength": 0.1, "beta": 0.5},
        {**_FTRL, **_SCALED},
    ),
    "lamb": (_ADAM, {**_ADAM, **_SCALED}, {**_ADAM, "every": 4}),
    "adafactor": (
        _ADAFACTOR, {**_ADAFACTOR, "scaled": True, "clipvalue": 0.7, "decay": (0.1, 0.0, 0.2, 0.3), "clip_threshold": 0.5},
        {**_ADAFACTOR, "every": 3},
    ),
}  # fmt: skip
for _kind, _attrs in _CASES.items():
    register(
        OpSpec(f"{_kind}_update", _update_infer(_kind), _update_reference(_kind), None, _samples(_kind, *_attrs))
    )


def update(kind, lr, iterations, scale, params, grads, slots, decay, product=None, **attrs):
    """([new params], [[new slots] of each kind]) of one step over all parameters. Variables among them are noted in the node:
    the native executor updates in their place."""
    n = len(params)
    places = (*params, *(s for group in slots for s in group))
    if all(isinstance(v, Variable) for v in places):
        attrs["variables"] = places
    extra = tuple(x for x in (product, scale) if x is not None)
    ins = (lr, iterations, *extra, *params, *grads, *(s for group in slots for s in group))
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
