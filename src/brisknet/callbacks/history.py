"""History: what fit returns, the logs of every epoch, and their picture."""

from __future__ import annotations

import numpy as np

from brisknet.callbacks.base import Callback

__all__ = ["History"]


class History(Callback):
    """Records the logs of every epoch: .epoch, and .history {name: [values]}; plot() draws them. fit() returns one."""

    def __init__(self):
        super().__init__()
        self.history: dict[str, list] = {}
        self.epoch: list[int] = []
        self._validated: list[int] = []  # the epochs with a validation

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for k, v in (logs or {}).items():
            self.history.setdefault(k, []).append(v)
        if any(k.startswith("val_") for k in logs or ()):
            self._validated.append(epoch)
        self.model.history = self

    def on_epochs(self, epochs, logs, seconds):
        """Several epochs at once: logs holds lists."""
        self.epoch.extend(epochs)
        for k, values in logs.items():
            self.history.setdefault(k, []).extend(values)
        self.model.history = self

    def plot(self, path=None, metrics=None, log_scale=False):
        """Losses and metrics over the epochs, one panel each, training and validation together; returns the figure.

        path        file to write the figure to (the format is that of its name: .png, .svg, .pdf)
        metrics     names in .history to show, without val_; by default all, losses first
        log_scale   logarithmic axes for the losses, whose values must then be larger than 0

        Needs matplotlib (pip install brisknet[plot]). ValueError before any epoch has ended, and for names that are not
        in .history. Values that are not numbers, as a metric of several values gives, are left out.
        """
        from brisknet.utils.plotting import finish, pyplot

        names = self._panels(metrics)
        plt = pyplot("History.plot()")
        columns = min(len(names), 3)
        rows = -(-len(names) // columns)
        figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(4.8 * columns, 3.6 * rows))
        for ax, name in zip(axes.flat, names):
            for key, label in ((name, "training"), (f"val_{name}", "validation")):
                if key in self.history:
                    epochs, values = self._line(key)
                    ax.plot(epochs, values, label=label, marker="o" if len(values) < 2 else None)
            ax.set(title=name, xlabel="epoch")
            ax.xaxis.get_major_locator().set_params(integer=True)
            if log_scale and _is_loss(name):
                ax.set_yscale("log")
            ax.grid(alpha=0.3)
            ax.legend()
        for ax in axes.flat[len(names) :]:
            ax.remove()
        return finish(figure, path)

    def _line(self, key: str):
        """(numbers of the epochs from 1, values). Validation may have taken place in some epochs only."""
        values = self.history[key]
        epochs = self._validated if key.startswith("val_") else self.epoch
        if len(epochs) != len(values) or any(b <= a for a, b in zip(epochs, epochs[1:])):
            return list(range(1, len(values) + 1)), values  # of several fits: count on
        return [e + 1 for e in epochs], values

    def _panels(self, metrics) -> list[str]:
        shown = [k for k, values in self.history.items() if all(np.ndim(v) == 0 and not isinstance(v, str) for v in values)]
        known = list(dict.fromkeys(k.removeprefix("val_") for k in shown))
        if not known:
            raise ValueError("History.plot: there is nothing to show yet; call fit() first")
        if metrics is None:
            return sorted(known, key=lambda name: (not _is_loss(name), name != "loss"))
        given = [metrics] if isinstance(metrics, str) else list(metrics)
        unknown = [name for name in given if name not in known]
        if unknown or not given:
            raise ValueError(f"History.plot: metrics must be names among {known}, got {unknown or given}")
        return given


def _is_loss(name: str) -> bool:
    return name == "loss" or name.endswith("_loss")
