"""The update rules of the fused optimizers, by Keras 3's formulas: what one step does with one parameter, in NumPy."""

from __future__ import annotations

import numpy as np

__all__ = ["RULES", "slot_count"]

# kind -> (number of slots given its attributes, update of one parameter)
#   update(p, g, slots, lr, t, attrs) -> (new p, new slots); t counts from 1
RULES: dict = {}


def _rule(kind, slots):
    def add(fn):
        RULES[kind] = (slots if callable(slots) else lambda a: slots, fn)
        return fn

    return add


def slot_count(kind: str, attrs: dict) -> int:
    """How many slots a parameter has under these attributes."""
    return RULES[kind][0](attrs)


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


@_rule("adagrad", 1)
def _adagrad(p, g, slots, lr, t, a):
    acc = slots[0] + g * g
    return p - lr * g / np.sqrt(acc + a["epsilon"]), (acc,)


@_rule("adadelta", 2)
def _adadelta(p, g, slots, lr, t, a):
    rho, eps = a["rho"], a["epsilon"]
    acc = rho * slots[0] + (1 - rho) * g * g
    delta = -np.sqrt(slots[1] + eps) * g / np.sqrt(acc + eps)
    return p + lr * delta, (acc, rho * slots[1] + (1 - rho) * delta * delta)


@_rule("adamax", 2)
def _adamax(p, g, slots, lr, t, a):
    m = slots[0] + (g - slots[0]) * (1 - a["beta_1"])
    u = np.maximum(a["beta_2"] * slots[1], np.abs(g))
    return p - lr * m / ((1 - a["beta_1"] ** t) * (u + a["epsilon"])), (m, u)


def nadam_factors(product: float, lr: float, t: int, a: dict):
    """(factor of m, factor of g, factor of v under the root): `product` is that of beta_1 (1 - 0.96^i / 2) up to step t."""
    now, after = (a["beta_1"] * (1 - 0.5 * 0.96**i) for i in (t, t + 1))
    return lr * after / (1 - product * after), lr * (1 - now) / (1 - product), 1 / (1 - a["beta_2"] ** t)


@_rule("nadam", 2)
def _nadam(p, g, slots, lr, t, a):
    of_m, of_g, of_v = nadam_factors(a["product"], lr, t, a)
    m = slots[0] + (g - slots[0]) * (1 - a["beta_1"])
    v = slots[1] + (g * g - slots[1]) * (1 - a["beta_2"])
    return p - (m * of_m + g * of_g) / (np.sqrt(v * of_v) + a["epsilon"]), (m, v)


@_rule("lion", 1)
def _lion(p, g, slots, lr, t, a):
    m, b1, b2 = slots[0], a["beta_1"], a["beta_2"]
    return p - lr * np.sign(m * b1 + g * (1 - b1)), (m * b2 + g * (1 - b2),)


@_rule("ftrl", 2)
def _ftrl(p, g, slots, lr, t, a):
    accumulator, linear = slots
    new = accumulator + g * g
    power = -a["learning_rate_power"]
    root = new**power
    sigma = (root - accumulator**power) / lr
    linear = linear + (g + 2 * a["l2_shrinkage_regularization_strength"] * p - sigma * p)
    quadratic = root / lr + 2 * (a["l2_regularization_strength"] + a["beta"] / (2 * lr))
    l1 = a["l1_regularization_strength"]
    # Where nothing has been accumulated yet Keras divides 0 by 0; the weight is 0 there.
    quadratic = np.where(quadratic == 0, 1, quadratic)
    return (np.clip(linear, -l1, l1) - linear) / quadratic, (new, linear)


@_rule("lamb", 2)
def _lamb(p, g, slots, lr, t, a):
    m = slots[0] + (g - slots[0]) * (1 - a["beta_1"])
    v = slots[1] + (g * g - slots[1]) * (1 - a["beta_2"])
    step = m / (1 - a["beta_1"] ** t) / (np.sqrt(v / (1 - a["beta_2"] ** t)) + a["epsilon"])
    size, length = _norm(p), _norm(step)
    return p - step * (lr * (size / length if size > 0 and length > 0 else 1.0)), (m, v)


def _norm(x) -> float:
    return float(np.sqrt(np.sum(np.square(x.astype(np.float64)))))


def _mean_square(x) -> float:
    return float(np.mean(np.square(x.astype(np.float64)))) if x.size else 0.0


@_rule("adafactor", 3)
def _adafactor(p, g, slots, lr, t, a):
    """Slots: row means, column means (scalars that are never used where p has fewer than two dimensions), velocity."""
    rows, columns, v = slots
    rate = min(lr, 1 / np.sqrt(t))
    alpha = max(a["epsilon_2"], np.sqrt(_mean_square(p))) * rate
    square, keep = g * g + a["epsilon_1"], 1 - float(t) ** a["beta_2_decay"]
    if p.ndim >= 2:
        rows = keep * rows + (1 - keep) * square.mean(-1)
        columns = keep * columns + (1 - keep) * square.mean(-2)
        v = (rows / rows.mean(-1, keepdims=True))[..., None] * columns[..., None, :]
    else:
        v = keep * v + (1 - keep) * square
    step = g / np.sqrt(v)
    limit = max(1.0, np.sqrt(_mean_square(step)) / a["clip_threshold"])
    return p - step * (alpha / limit), (rows, columns, v)
