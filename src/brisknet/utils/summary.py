"""summary(): the model as a table that fits the terminal, laid out like Keras'."""

from __future__ import annotations

import re
import shutil
import sys

from brisknet.layers.core import InputLayer
from brisknet.layers.keras_tensor import flatten
from brisknet.layers.shapes import map_structure_shapes
from brisknet.utils.terminal import can_draw

__all__ = ["summary"]

# left, middle, right of the four rules; the bars of the head and of the rows; the mark of a nested layer
_UNICODE = ("┏━┳┓", "┡━╇┩", "├─┼┤", "└─┴┘", "┃", "│", "└ ")
_ASCII = ("+-++", "+=++", "+-++", "+-++", "|", "|", "- ")
# Keras' table: its width, and where columns end as shares of it, by the number of columns without "Trainable".
_KERAS = {3: (88, (0.45, 0.80, 1.0)), 4: (108, (0.3, 0.56, 0.74, 1.0))}
_ALIGN = {"Param #": str.rjust, "Trainable": str.center}


def summary(
    model, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False, layer_range=None
) -> None:
    """Print the table; print_fn, where given, gets it as one string (as in Keras 3).

    line_length     width of the table; by default Keras' (88, and more for the further columns), or the terminal's
    positions       where the columns end, as shares of line_length; by default where Keras' do, and where a text needs
                    more room than that, each column gets what it needs
    layer_range     (first, last): names, or regular expressions, of the layers to show
    """
    style = _UNICODE if print_fn is not None or can_draw(sys.stdout) else _ASCII
    rows = list(_rows(_shown(model.layers, layer_range), model, 0, expand_nested, style[-1]))
    heads = ["Layer (type)", "Output Shape", "Param #", "Connected to", "Trainable"]
    keep = [0, 1, 2] + ([3] if _branched(model) else []) + ([4] if show_trainable else [])
    heads, table = [heads[i] for i in keep], [[r[i] for i in keep] for r in rows]
    columns = list(zip(heads, *table, strict=True))
    widths = _widths([max(map(len, c)) for c in columns], heads, line_length, positions)
    text = "\n".join([f'Model: "{model.name}"', *_draw(heads, table, widths, style), *_totals(model)]) + "\n"
    if print_fn is not None:
        print_fn(text)
    else:
        print(text, end="", file=sys.stdout)


# ---- content ----------------------------------------------------------------------------------------------------------
def _shown(layers, layer_range):
    if layer_range is None:
        return layers
    if not isinstance(layer_range, (list, tuple)) or len(layer_range) != 2:
        raise ValueError(f"summary: layer_range must be two layer names, got {layer_range!r}")
    at = [[i for i, layer in enumerate(layers) if re.match(pattern, layer.name)] for pattern in layer_range]
    if not all(at):
        raise ValueError(f"summary: layer_range {layer_range!r} names no layers of {[x.name for x in layers]}")
    return layers[min(at[0]) : max(at[1]) + 1]


def _nodes(model, layer):
    """The calls of a layer that belong to the model."""
    return [n for n in getattr(model, "_nodes", ()) if n.layer is layer]


def _branched(model) -> bool:
    """True where the calls of a functional model are no chain."""
    nodes = [n for n in getattr(model, "_nodes", ()) if not isinstance(n.layer, InputLayer)]
    shared = len({id(n.layer) for n in nodes}) < len(nodes)
    fed = [id(t) for n in nodes for t in n.inputs]
    return shared or any(len(n.inputs) > 1 for n in nodes) or len(set(fed)) < len(fed)


def _rows(layers, model, depth, expand_nested, mark):
    for layer in layers:
        name = f"{'   ' * depth + mark if depth else ''}{layer.name} ({type(layer).__name__})"
        params = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
        sources = [
            f"{t._keras_history[0].name}[{t._keras_history[1]}][{t._keras_history[2]}]"
            for node in _nodes(model, layer) for t in node.inputs
        ]  # fmt: skip
        trained = ("Y" if layer.trainable else "N") if layer.built and layer.weights else "-"
        yield name, _output_shape(model, layer), params, ", ".join(sources) or "-", trained
        if expand_nested and hasattr(layer, "layers"):
            yield from _rows(layer.layers, layer, depth + 1, expand_nested, mark)


def _output_shape(model, layer) -> str:
    nodes, around = _nodes(model, layer) or layer._inbound_nodes[-1:], "()"
    if nodes:
        shapes, around = [t.shape for t in flatten(nodes[-1].outputs)], "[]"
    elif layer.built and getattr(layer, "_build_shape", None) is not None:
        # A layer of a subclassed model has seen traced batches only: its first axis is open.
        opened = map_structure_shapes(lambda s: (None, *s[1:]), layer._build_shape)
        try:
            shapes = layer.compute_output_shape(opened)
        except Exception:  # a summary must not fail for a layer that can't tell
            return "?"
        shapes = shapes if isinstance(shapes, list) else [shapes]
    else:
        return "?"
    text = ", ".join(str(tuple(s)) for s in shapes)
    return text if len(shapes) == 1 else around[0] + text + around[1]


def _totals(model):
    trained, other = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    slots = optimizer.variables if optimizer is not None and optimizer.built else []
    parts = {"Total": [*trained, *other, *slots], "Trainable": trained, "Non-trainable": other}
    if slots:
        parts["Optimizer"] = slots
    for label, variables in parts.items():
        count = sum(v.size for v in variables)
        nbytes = sum(v.size * int(re.sub(r"\D", "", v.dtype) or 8) // 8 for v in variables)
        yield f" {label} params: {count:,} ({_bytes(nbytes)})"


def _bytes(n) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1024 or unit == "GB":
            return f"{n:.2f} {unit}"
        n /= 1024


# ---- drawing ----------------------------------------------------------------------------------------------------------
def _widths(needed, heads, line_length, positions) -> list[int]:
    """Widths of the columns: Keras' where all texts fit into them, else what the texts need within the same line."""
    trainable = heads[-1] == "Trainable"
    length, shares = _KERAS[len(heads) - trainable]
    given = positions is not None
    shares = _shares(positions, len(heads) - trainable, line_length) if given else shares
    if trainable:
        length, shares = length + 12, [*(0.9 * s for s in shares), 1.0]
    length = line_length or min(length, shutil.get_terminal_size((88, 24)).columns - 4)
    ends = [int(s * length) for s in shares]
    widths = _without_rules([b - a for a, b in zip([0, *ends], ends)])
    if given:
        return [max(w, 4) for w in widths]
    if all(n <= w for n, w in zip(needed, widths, strict=True)):
        return widths
    return _fit(needed, length - 3 * len(heads) - 1)


def _shares(positions, columns: int, line_length) -> list[float]:
    ok = isinstance(positions, (list, tuple)) and all(isinstance(p, (int, float)) and p > 0 for p in positions)
    if not ok or len(positions) < columns or any(b <= a for a, b in zip(positions, positions[1:])):
        raise ValueError(f"summary: positions must be {columns} growing numbers, one for each column, got {positions!r}")
    absolute = positions[-1] > 1
    return [p / (line_length or positions[-1]) if absolute else p for p in positions[:columns]]


def _without_rules(widths) -> list[int]:
    """The widths less the room for rules and margins, taken from all columns alike (as the library rich does)."""
    left, out = 3 * len(widths) + 1, []
    for i, w in enumerate(widths):
        part = round(left / (len(widths) - i))
        out.append(w - part)
        left -= part
    return out


def _fit(widths, limit):
    """Column widths that sum to limit: the widest give way, down to 4, or the first gets what is over."""
    widths = list(widths)
    while sum(widths) > limit and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    if sum(widths) < limit:
        widths[0] += limit - sum(widths)
    return widths


def _draw(heads, table, widths, style):
    top, head, between, bottom, head_bar, bar, _ = style

    def rule(chars):
        left, line, middle, right = chars
        return left + middle.join(line * (w + 2) for w in widths) + right

    def lines(cells, bar):
        folded = [_fold(c, w) for c, w in zip(cells, widths, strict=True)]
        for i in range(max(len(f) for f in folded)):
            texts = [f[i] if i < len(f) else "" for f in folded]
            aligned = [_ALIGN.get(h, str.ljust)(t, w) for h, t, w in zip(heads, texts, widths, strict=True)]
            yield f"{bar} " + f" {bar} ".join(aligned) + f" {bar}"

    yield rule(top)
    yield from lines(heads, head_bar)
    yield rule(head)
    for i, row in enumerate(table):
        if i:
            yield rule(between)
        yield from lines(row, bar)
    yield rule(bottom)


def _fold(text, width) -> list[str]:
    """The text in lines of at most width characters, broken at spaces where that is possible."""
    out = []
    while len(text) > width:
        at = text.rfind(" ", 1, width + 1)
        at = at if at > 0 and text[:at].strip() else width
        out.append(text[:at])
        text = text[at:].lstrip()
    return [*out, text]
