"""The picture of activations.plot(): a panel for each, the function and its derivative over one axis."""

from __future__ import annotations

import math

import numpy as np

from brisknet.utils.plotting import finish, pyplot


def draw(functions, limit: float, path=None):
    """matplotlib's figure of [(name, function)] from -limit to limit, saved to path where one is given."""
    from brisknet.activations import derivative, step

    plt = pyplot("activations.plot()")
    columns = min(4, math.ceil(math.sqrt(len(functions))))
    rows = math.ceil(len(functions) / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.2 * columns, 2.4 * rows + 0.4), squeeze=False)
    x = np.linspace(-limit, limit, 801)
    for panel, (name, fn) in zip(axes.flat, functions, strict=False):
        y = np.asarray(fn(x))
        if y.shape != x.shape:
            plt.close(figure)
            raise ValueError(f"activations.plot: {name!r} is not element-wise: it makes shape {y.shape} of {x.shape}")
        panel.axhline(0, color="0.8", linewidth=0.8)
        panel.axvline(0, color="0.8", linewidth=0.8)
        panel.plot(x, y, label="f(x)")
        if fn is not step:
            panel.plot(x, derivative(fn)(x), "--", label="f'(x)")
        panel.set_ylim(max(np.nanmin(y), -limit) - 0.3, min(np.nanmax(y), limit) + 0.3)
        panel.set_title(name, fontsize=10)
        panel.tick_params(labelsize=8)
    for panel in axes.flat[len(functions) :]:
        panel.set_visible(False)
    figure.legend(*axes.flat[min(1, len(functions) - 1)].get_legend_handles_labels(), loc="upper right", fontsize=8)
    return finish(figure, path)
