"""summary(): the model as a table that fits the terminal."""

from __future__ import annotations

import shutil
import sys

from brisknet.layers.core import InputLayer
from brisknet.layers.keras_tensor import flatten

__all__ = ["summary"]


def _rows(model, depth, expand_nested):
    for layer in model.layers:
        shape = "?"
        if layer._inbound_nodes:
            shapes = [str(t.shape) for t in flatten(layer._inbound_nodes[-1].outputs)]
            shape = ", ".join(shapes)
        sources = []
        for node in layer._inbound_nodes[-1:]:
            sources = [t._keras_history[0].name for t in node.inputs]
        count = layer.count_params() if layer.built else 0
        label = "  " * depth + f"{layer.name} ({type(layer).__name__})"
        params = f"{count:,}" if layer.built else "0 (unbuilt)"
        yield label, shape, params, ", ".join(sources) or "-", "Y" if layer.trainable else "N"
        if expand_nested and hasattr(layer, "layers"):
            yield from _rows(layer, depth + 1, expand_nested)


def summary(model, line_length=None, print_fn=None, expand_nested=False, show_trainable=False) -> None:
    """Print the table; print_fn gets it line by line where given."""
    write = print_fn or (lambda line: print(line, file=sys.stdout))
    width = line_length or min(shutil.get_terminal_size((88, 24)).columns, 110)
    branched = any(len(n.inputs) > 1 for layer in model.layers for n in layer._inbound_nodes)
    branched = branched or any(isinstance(layer, InputLayer) for layer in model.layers)
    rows = list(_rows(model, 0, expand_nested))
    heads = ["Layer (type)", "Output Shape", "Param #", "Connected to", "Trainable"]
    keep = [0, 1, 2] + ([3] if branched else []) + ([4] if show_trainable else [])
    table = [[r[i] for i in keep] for r in rows]
    heads = [heads[i] for i in keep]
    widths = _fit([max(len(x) for x in col) for col in zip(heads, *table, strict=True)] if table else [len(h) for h in heads], width)
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    write(f'Model: "{model.name}"')
    write(rule)
    write("  ".join(h.ljust(w) for h, w in zip(heads, widths, strict=True)).rstrip())
    write(rule)
    for row in table:
        write("  ".join(_cut(x, w).ljust(w) for x, w in zip(row, widths, strict=True)).rstrip())
    write(rule)
    total = sum(v.size for v in model.weights)
    trained = sum(v.size for v in model.trainable_weights)
    write(f"Total params: {total:,} ({_bytes(total * 4)})")
    write(f"Trainable params: {trained:,} ({_bytes(trained * 4)})")
    write(f"Non-trainable params: {total - trained:,} ({_bytes((total - trained) * 4)})")


def _fit(widths, limit):
    over = sum(widths) + 2 * (len(widths) - 1) - limit
    while over > 0 and max(widths) > 12:
        i = widths.index(max(widths))
        cut = min(over, widths[i] - 12)
        widths[i] -= cut
        over -= cut
    return widths


def _cut(text, width):
    return text if len(text) <= width else text[: width - 2] + ".."


def _bytes(n):
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1024 or unit == "GB":
            return f"{n:.2f} {unit}"
        n /= 1024
