"""Optimizers beyond the first five, and every variant of the base class, as golden cases for `k` = keras or brisknet."""

_ARGUMENTS = {
    "ema": {"use_ema": True, "ema_momentum": 0.8},
    "ema_overwrite": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
    "accumulate": {"gradient_accumulation_steps": 3},
    "accumulate_ema": {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2},
    "accumulate_global": {"gradient_accumulation_steps": 2, "global_clipnorm": 1.0, "weight_decay": 0.1},
    "decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.7},
    "clipvalue": {"clipvalue": 0.4},
    "scaled": {"loss_scale_factor": 4.0},
}
_FTRL = {"learning_rate_power": -0.7, "initial_accumulator_value": 0.3, "l1_regularization_strength": 0.02,
         "l2_regularization_strength": 0.1, "l2_shrinkage_regularization_strength": 0.05, "beta": 0.4}  # fmt: skip
# name -> (class, arguments)
NEW = {
    "adamw": ("AdamW", {"learning_rate": 0.05}),
    "adamw_amsgrad": ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    "adamax": ("Adamax", {"learning_rate": 0.05}),
    "adamax_set": ("Adamax", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.8, "epsilon": 1e-3}),
    "nadam": ("Nadam", {"learning_rate": 0.05}),
    "nadam_set": ("Nadam", {"learning_rate": 0.05, "beta_1": 0.6, "beta_2": 0.9, "epsilon": 1e-3}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "ftrl_set": ("Ftrl", {"learning_rate": 0.1, **_FTRL}),
    "lion": ("Lion", {"learning_rate": 0.01}),
    "lion_set": ("Lion", {"learning_rate": 0.01, "beta_1": 0.7, "beta_2": 0.9}),
    "lamb": ("Lamb", {"learning_rate": 0.05}),
    "lamb_set": ("Lamb", {"learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "adafactor_set": ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.6, "epsilon_1": 1e-8, "epsilon_2": 0.1,
                                    "clip_threshold": 0.5, "relative_step": False}),  # fmt: skip
    "muon": ("Muon", {"learning_rate": 0.05}),
    "muon_set": ("Muon", {"learning_rate": 0.05, "nesterov": False, "rms_rate": None, "ns_steps": 3, "adam_lr_ratio": 0.5}),
    "muon_adam": ("Muon", {"learning_rate": 0.05, "exclude_layers": ["kernel"], "adam_weight_decay": None}),
}
OLD = {
    "sgd": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}), "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
    "adam": ("Adam", {"learning_rate": 0.05}), "adagrad": ("Adagrad", {"learning_rate": 0.05}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
}  # fmt: skip


def _schedules(k):
    s = k.optimizers.schedules
    return {
        "exponential": s.ExponentialDecay(0.1, 7, 0.5),
        "exponential_stairs": s.ExponentialDecay(0.1, 7, 0.5, staircase=True),
        "inverse": s.InverseTimeDecay(0.1, 5, 0.5),
        "inverse_stairs": s.InverseTimeDecay(0.1, 5, 0.5, staircase=True),
        "piecewise": s.PiecewiseConstantDecay([3, 10, 25], [0.1, 0.05, 0.02, 0.3]),
        "polynomial": s.PolynomialDecay(0.1, 20, 0.01, 2.0),
        "polynomial_linear": s.PolynomialDecay(0.1, 20),
        "polynomial_cycle": s.PolynomialDecay(0.1, 6, 0.01, 0.5, cycle=True),
        "cosine": s.CosineDecay(0.1, 30, 0.1),
        "cosine_warm": s.CosineDecay(0.01, 30, 0.1, warmup_target=0.2, warmup_steps=8),
        "restarts": s.CosineDecayRestarts(0.1, 5, alpha=0.1),
        "restarts_even": s.CosineDecayRestarts(0.1, 5, t_mul=1.0, m_mul=0.7),
        "restarts_set": s.CosineDecayRestarts(0.1, 4, t_mul=1.5, m_mul=0.8),
    }


SCHEDULES = (
    "exponential", "exponential_stairs", "inverse", "inverse_stairs", "piecewise", "polynomial", "polynomial_linear",
    "polynomial_cycle", "cosine", "cosine_warm", "restarts", "restarts_even", "restarts_set",
)  # fmt: skip
STEPS_OF_SCHEDULES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 20, 25, 26, 29, 30, 31, 38, 39, 60, 100, 1000)


def schedule(k, name):
    """The schedule of one case."""
    return _schedules(k)[name]


CASES = dict(NEW)
for _name, (_cls, _args) in {**OLD, **{n: NEW[n] for n in ("adamax", "nadam", "ftrl", "lion", "lamb", "adafactor", "muon")}}.items():
    for _variant in ("ema_overwrite", "accumulate_ema", "accumulate_global") if _name != "sgd" else _ARGUMENTS:
        CASES[f"{_name}_{_variant}"] = (_cls, {**_args, **_ARGUMENTS[_variant]})
for _name in ("lion", "lamb", "adafactor", "muon", "ftrl"):
    for _variant in ("decay", "clipvalue", "clipnorm"):
        CASES[f"{_name}_{_variant}"] = (NEW[_name][0], {**NEW[_name][1], **_ARGUMENTS[_variant]})
for _name in ("exponential", "piecewise", "cosine_warm"):
    CASES[f"sgd_{_name}"] = ("SGD", {"learning_rate": _name})
CASES["adam_accumulate_restarts"] = ("Adam", {"learning_rate": "restarts", "gradient_accumulation_steps": 2})


def make(k, name):
    """The optimizer of one case; a learning rate that is a word names a schedule."""
    cls, arguments = CASES[name]
    rate = arguments["learning_rate"]
    optimizer = getattr(k.optimizers, cls)(**{**arguments, "learning_rate": schedule(k, rate) if isinstance(rate, str) else rate})
    if name in ("lamb_decay", "muon_decay"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


# The constraints: name -> function of k.
CONSTRAINTS = {
    "max_norm": lambda k: k.constraints.MaxNorm(1.2),
    "max_norm_rows": lambda k: k.constraints.MaxNorm(1.2, axis=1),
    "max_norm_all": lambda k: k.constraints.MaxNorm(2.0, axis=[0, 1]),
    "non_neg": lambda k: k.constraints.NonNeg(),
    "unit_norm": lambda k: k.constraints.UnitNorm(),
    "unit_norm_rows": lambda k: k.constraints.UnitNorm(axis=1),
    "min_max_norm": lambda k: k.constraints.MinMaxNorm(0.8, 1.3),
    "min_max_norm_slow": lambda k: k.constraints.MinMaxNorm(0.8, 1.3, rate=0.4, axis=1),
    "by_name": lambda k: k.constraints.get("min_max_norm"),
    "by_class_name": lambda k: k.constraints.get("MaxNorm"),
}
