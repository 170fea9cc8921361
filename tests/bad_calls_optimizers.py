"""Bad calls: optimizers and their arguments, schedules, constraints, averages of weights, L-BFGS."""

# fmt: off
import numpy as np

from brisknet import callbacks, constraints, optimizers
from brisknet.layers import Dense, Input
from brisknet.models import Sequential
from tests.bad_calls import binary, case, rows

schedules = optimizers.schedules


def full_batch():
    model = Sequential([Input((4,)), Dense(3, activation="tanh"), Dense(1)])
    model.compile(optimizers.LBFGS(), "mse")
    return model, rows(12, 4), rows(12, 1, 1)


def scheduled():
    model = Sequential([Input((4,)), Dense(1)])
    model.compile(optimizers.SGD(schedules.ExponentialDecay(0.01, 10, 0.9)), "mse")
    return model, rows(12, 4), rows(12, 1, 1)


# ---- arguments of the base class -----------------------------------------------------------------------------------
case("ema-momentum", binary, lambda m, x, y: optimizers.Adam(use_ema=True, ema_momentum=2.0), ValueError,
     "ema_momentum must be a number >= 0 and <= 1", "got 2.0")
case("ema-frequency", binary, lambda m, x, y: optimizers.Adam(use_ema=True, ema_overwrite_frequency=0), ValueError,
     "ema_overwrite_frequency must be None or an integer >= 1", "got 0")
case("accumulation-one", binary, lambda m, x, y: optimizers.SGD(gradient_accumulation_steps=1), ValueError,
     "gradient_accumulation_steps must be None or an integer >= 2", "got 1")
case("loss-scale", binary, lambda m, x, y: optimizers.SGD(loss_scale_factor=-1.0), ValueError,
     "loss_scale_factor must be a number > 0", "got -1.0")
case("weight-decay-word", binary, lambda m, x, y: optimizers.Lion(weight_decay="some"), ValueError,
     "weight_decay must be a number >= 0", "got 'some'")
case("adamw-without-decay", binary, lambda m, x, y: optimizers.AdamW(weight_decay=None), ValueError,
     "weight_decay must be a number >= 0", "got None")
case("three-clips", binary, lambda m, x, y: optimizers.Nadam(clipnorm=1.0, global_clipnorm=1.0), ValueError,
     "only one of clipnorm, clipvalue and global_clipnorm can be set")
case("exclude-late", binary, lambda m, x, y: m.optimizer.exclude_from_weight_decay(var_names=["bias"]), ValueError,
     "exclude_from_weight_decay() must be called before the optimizer is built")
case("apply-too-few", binary, lambda m, x, y: m.optimizer.apply([np.ones(1)]), ValueError, "apply: 1 gradients for 4 variables")
case("apply-not-built", binary, lambda m, x, y: optimizers.Adamax().apply([np.ones(1)]), ValueError,
     "call build(trainable_variables) first")

# ---- the optimizers ------------------------------------------------------------------------------------------------
case("lion-beta", binary, lambda m, x, y: optimizers.Lion(beta_1=0.0), ValueError, "beta_1 must be a number > 0 and <= 1", "got 0.0")
case("adamax-beta", binary, lambda m, x, y: optimizers.Adamax(beta_2=1.5), ValueError, "beta_2 must be a number", "got 1.5")
case("ftrl-power", binary, lambda m, x, y: optimizers.Ftrl(learning_rate_power=0.5), ValueError,
     "learning_rate_power must be a number <= 0", "got 0.5")
case("ftrl-l1", binary, lambda m, x, y: optimizers.Ftrl(l1_regularization_strength=-0.1), ValueError,
     "l1_regularization_strength must be a number >= 0", "got -0.1")
case("ftrl-start", binary, lambda m, x, y: optimizers.Ftrl(initial_accumulator_value=-0.1), ValueError,
     "initial_accumulator_value must be a number >= 0")
case("adafactor-clip", binary, lambda m, x, y: optimizers.Adafactor(clip_threshold=0), ValueError, "clip_threshold must be a number > 0")
case("muon-steps", binary, lambda m, x, y: optimizers.Muon(ns_steps=0), ValueError, "ns_steps must be None or an integer >= 1")
case("optimizer-near", binary, lambda m, x, y: m.compile("adamax_", "mse"), ValueError, "unknown optimizer 'adamax_'", "did you mean 'adamax'")

# ---- schedules -----------------------------------------------------------------------------------------------------
case("schedule-steps", binary, lambda m, x, y: schedules.CosineDecay(0.1, 0), ValueError, "decay_steps must be a number > 0", "got 0")
case("schedule-rate", binary, lambda m, x, y: schedules.PolynomialDecay("fast", 10), ValueError,
     "initial_learning_rate must be a number", "got 'fast'")
case("schedule-first", binary, lambda m, x, y: schedules.CosineDecayRestarts(0.1, -5), ValueError, "first_decay_steps must be a number > 0")
case("schedule-values", binary, lambda m, x, y: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), ValueError,
     "boundaries: one fewer than the 2 values expected, got 2")
case("schedule-order", binary, lambda m, x, y: schedules.PiecewiseConstantDecay([5, 2], [0.1, 0.2, 0.3]), ValueError,
     "boundaries: ascending steps expected, got [5, 2]")
case("schedule-set", scheduled, lambda m, x, y: setattr(m.optimizer, "learning_rate", 0.1), TypeError,
     "changes by itself", "make the optimizer with a number")
case("schedule-plateau", scheduled, lambda m, x, y: m.optimizer.learning_rate.assign(0.1), TypeError, "changes by itself")
case("schedule-class", binary, lambda m, x, y: schedules.deserialize({"class_name": "CosinDecay", "config": {}}), ValueError,
     "unknown learning-rate schedule 'CosinDecay'", "did you mean")

# ---- constraints ---------------------------------------------------------------------------------------------------
case("constraint-name", binary, lambda m, x, y: Dense(2, kernel_constraint="unit_nrom"), ValueError,
     "Dense: kernel_constraint: unknown constraint 'unit_nrom'", "did you mean 'unit_norm'")
case("constraint-number", binary, lambda m, x, y: Dense(2, bias_constraint=3), ValueError, "Dense: bias_constraint", "got 3")
case("constraint-negative", binary, lambda m, x, y: constraints.MaxNorm(-1), ValueError, "max_value must be a number >= 0, got -1")
case("constraint-order", binary, lambda m, x, y: constraints.MinMaxNorm(2.0, 1.0), ValueError, "min_value: at most max_value=1.0 expected")
case("constraint-axis", binary, lambda m, x, y: constraints.UnitNorm(axis="rows"), ValueError, "axis must be an integer", "got 'rows'")

# ---- averages, L-BFGS ----------------------------------------------------------------------------------------------
case("swap-without-averages", binary, lambda m, x, y: m.fit(x, y, verbose=0, callbacks=[callbacks.SwapEMAWeights()]), ValueError,
     "an optimizer with use_ema=True expected")
case("lbfgs-batches", full_batch, lambda m, x, y: m.fit(x, y, batch_size=5, verbose=0), ValueError,
     "LBFGS trains on all rows at once: one batch an epoch expected, got 3", "leave batch_size out")
case("lbfgs-clip", full_batch, lambda m, x, y: optimizers.LBFGS(clipnorm=1.0), ValueError, "LBFGS: unknown argument(s) ['clipnorm']")
case("lbfgs-history", full_batch, lambda m, x, y: optimizers.LBFGS(history_size=0), ValueError, "history_size must be None or an integer >= 1")
case("lbfgs-rate", full_batch, lambda m, x, y: optimizers.LBFGS(0.0), ValueError, "learning_rate must be a number > 0")
