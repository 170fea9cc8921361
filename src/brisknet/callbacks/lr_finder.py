"""LearningRateFinder: one short sweep over learning rates tells which are good to train with."""

from __future__ import annotations

import math

import numpy as np

from brisknet.callbacks.base import Callback

__all__ = ["LearningRateFinder"]

# Steps after a divergence was noticed lie at rates that are much too large: suggestions leave out the last ones.
TAIL = 5
FEWEST = 10
NOISE = 0.02


class LearningRateFinder(Callback):
    """Trains while the learning rate grows step by step, records the loss, and puts everything back afterwards.

        finder = LearningRateFinder().find(model, x, y)
        model.optimizer.learning_rate = finder.suggestion()
        finder.plot()

    or as a callback of fit, whose other callbacks then run too. The range test is that of L. N. Smith, "Cyclical
    learning rates for training neural networks" (arXiv:1506.01186, 2015, section 3.3); growing exponentially, smoothing
    and the valley follow the finder of the fastai library (J. Howard, S. Gugger, arXiv:2002.04688, 2020).

    min_lr, max_lr   the first and the last rate
    num_steps        training steps of the sweep; fewer where fit ends before
    mode             "exponential": each rate is a fixed multiple of the one before; "linear": a fixed sum more
    smoothing        the losses are averaged exponentially with this factor (0: not at all), without a bias at the start;
                     fastai's 0.98 makes the curve of 100 steps lag far behind the rates
    divergence       the sweep ends where the smoothed loss is not finite, or this many times the smallest so far
    restore          put back weights, the optimizer's state, the learning rate and the step counter

    Afterwards learning_rates, losses (each of its own batch) and smoothed_losses hold one value a step, and `diverged`
    says whether the sweep ended early.
    """

    def __init__(self, min_lr=1e-7, max_lr=10.0, num_steps=100, mode="exponential", smoothing=0.9, divergence=4.0,
                 restore=True):  # fmt: skip
        super().__init__()
        for name, value, low, high in (("min_lr", min_lr, 0, math.inf), ("max_lr", max_lr, min_lr, math.inf),
                                       ("smoothing", smoothing, -1e-300, 1), ("divergence", divergence, 1, math.inf)):  # fmt: skip
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not number or not low < value < high:
                expected = {"max_lr": f"larger than min_lr={min_lr!r}", "smoothing": "in [0, 1)"}.get(name, f"larger than {low}")
                raise ValueError(f"LearningRateFinder: {name} must be a number {expected}, got {value!r}")
        if isinstance(num_steps, bool) or not isinstance(num_steps, (int, np.integer)) or num_steps < FEWEST:
            raise ValueError(f"LearningRateFinder: num_steps must be an integer >= {FEWEST}, got {num_steps!r}")
        if mode not in ("exponential", "linear"):
            raise ValueError(f'LearningRateFinder: mode must be "exponential" or "linear", got {mode!r}')
        self.min_lr, self.max_lr, self.num_steps, self.mode = float(min_lr), float(max_lr), int(num_steps), mode
        self.smoothing, self.divergence, self.restore = float(smoothing), float(divergence), bool(restore)
        self._before = None
        self._clear()

    def _clear(self) -> None:
        self.learning_rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed_losses: list[float] = []
        self.diverged = False
        self._average, self._best = 0.0, math.inf

    def find(self, model, x=None, y=None, batch_size=None, **fit_arguments) -> LearningRateFinder:
        """Sweep on these data: a fit of as many epochs as num_steps takes, and nothing of it kept. Returns self."""
        fit_arguments = {"verbose": 0, **fit_arguments, "epochs": self.num_steps}  # the sweep ends fit itself
        fit_arguments["callbacks"] = [*(fit_arguments.get("callbacks") or ()), self]
        model.fit(x, y, batch_size=batch_size, **fit_arguments)
        return self

    # ---- the sweep ----------------------------------------------------------------------------------------------
    def on_train_begin(self, logs=None):
        self._clear()
        epochs, steps = self.params.get("epochs"), self.params.get("steps")
        whole = epochs * steps if epochs and steps else self.num_steps
        if whole < FEWEST:
            raise ValueError(f"LearningRateFinder: fit has {whole} step(s), and a sweep needs {FEWEST}; give more epochs")
        self._steps = min(self.num_steps, whole)
        self._before = self._state()
        try:
            self.model.optimizer.learning_rate = self.min_lr
        except TypeError as error:
            raise ValueError(
                "LearningRateFinder: compile() the model with a number as learning rate for the sweep, not with a schedule"
            ) from error

    def rate(self, step: int) -> float:
        """The learning rate of a step of the sweep."""
        share = step / (self._steps - 1)
        if self.mode == "linear":
            return self.min_lr + share * (self.max_lr - self.min_lr)
        return self.min_lr * (self.max_lr / self.min_lr) ** share

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # so that the loss in the logs is that of this batch alone
        self.model.optimizer.learning_rate = self.rate(len(self.losses))

    def on_train_batch_end(self, batch, logs=None):
        loss = float(logs["loss"])
        self.learning_rates.append(self.rate(len(self.losses)))
        self.losses.append(loss)
        self._average = self.smoothing * self._average + (1 - self.smoothing) * loss
        smoothed = self._average / (1 - self.smoothing ** len(self.losses))
        self.smoothed_losses.append(smoothed)
        # A loss may be negative or zero, so the limit is the distance that `divergence` means for a positive one.
        self.diverged = not smoothed - self._best <= (self.divergence - 1) * abs(self._best)
        self._best = min(self._best, smoothed)
        if self.diverged or len(self.losses) >= self._steps:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.close()

    def close(self) -> None:
        """Put the model back, also where fit ended by an exception."""
        if self._before is not None and self.restore:
            for variable, value in self._before:
                variable.assign(value)
        self._before = None

    def _state(self) -> list:
        model, optimizer = self.model, self.model.optimizer
        if not optimizer.built:
            optimizer.build(model.trainable_weights)
        return [(v, v.numpy()) for v in (*model.weights, *optimizer.variables, model._step_counter)]

    # ---- what it found ------------------------------------------------------------------------------------------
    def suggestion(self, method="valley") -> float:
        """A learning rate to train with.

        "valley"     halfway down the longest fall of the smoothed loss (fastai's suggestion, but blind to ripples)
        "steepest"   where the smoothed loss falls most for a change of the rate by a factor
        "minimum"    a tenth of the rate at which the smoothed loss was smallest

        Looked at is the sweep but for its first tenth, up to where the loss was smallest. ValueError before a sweep,
        and where the loss never falls.
        """
        rates, losses = self._judged()
        if method == "valley":
            return float(rates[_middle_of_valley(losses)])
        if method == "steepest":
            slope = np.gradient(losses, np.log(rates))
            return float(rates[slope.argmin()])
        if method == "minimum":
            return float(rates[losses.argmin()]) / 10
        raise ValueError(f'suggestion: method must be "valley", "steepest" or "minimum", got {method!r}')

    def _judged(self):
        """(rates, smoothed losses) of the steps that suggestions look at: at least 5, the last one the lowest."""
        stop = len(self.losses) - (TAIL if self.diverged else 0)
        start = len(self.losses) // 10
        if stop > start:  # beyond its smallest value the loss has turned
            stop = start + int(np.nanargmin(self.smoothed_losses[start:stop])) + 1
        if stop - start < FEWEST - TAIL:
            raise ValueError(
                f"suggestion: a sweep in which the loss falls is needed first, and this one has {len(self.losses)} step(s); "
                "call find(model, x, y), begin at a smaller min_lr where the loss diverges at once, or take more steps"
            )
        return np.array(self.learning_rates[start:stop]), np.array(self.smoothed_losses[start:stop])

    def plot(self, path=None, suggestions=("valley", "steepest")):
        """The losses over the learning rates with the suggestions as lines; returns the matplotlib figure.

        path          file to write the figure to (the format is that of the name)
        suggestions   the methods of suggestion() to show
        """
        from brisknet.utils.plotting import finish, pyplot

        marks = {method: self.suggestion(method) for method in suggestions}
        figure, axes = pyplot("LearningRateFinder.plot()").subplots()
        axes.plot(self.learning_rates, self.losses, color="0.75", linewidth=1, label="loss of the batch")
        axes.plot(self.learning_rates, self.smoothed_losses, color="C0", label="smoothed")
        for i, (method, rate) in enumerate(marks.items()):
            axes.axvline(rate, color=f"C{i + 1}", linestyle="--", label=f"{method}: {rate:.2g}")
        until = int(np.nanargmin(self.smoothed_losses)) + 1  # what comes after it may leave the picture
        low, high = np.min(self.losses[:until]), np.max(self.losses[:until])
        margin = 0.1 * (high - low) or 1.0
        axes.set(xlabel="learning rate", ylabel="loss", ylim=(low - margin, high + margin))
        if self.mode == "exponential":
            axes.set_xscale("log")
        axes.legend()
        return finish(figure, path)


def _middle_of_valley(losses) -> int:
    """Index of the middle member of the longest falling subsequence (ties: the first that is found).

    A fall counts from NOISE of the whole depth on: the ripples of the flat part, where rates are too small to matter,
    would make it most of the valley.
    """
    least = NOISE * (losses.max() - losses.min())
    length, before = np.ones(len(losses), int), np.arange(len(losses))
    for i in range(1, len(losses)):
        higher = np.flatnonzero(losses[:i] > losses[i] + least)
        if len(higher):
            before[i] = higher[length[higher].argmax()]
            length[i] = length[before[i]] + 1
    at = int(length.argmax())
    for _ in range(length[at] // 2):
        at = int(before[at])
    return at
