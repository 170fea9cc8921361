"""The picture of a model as SVG text, written without any library."""

from __future__ import annotations

import math
from html import escape

from brisknet.utils.drawing.model_graph import Box, ModelGraph
from brisknet.utils.drawing.place import Placed, Spacing, place

__all__ = ["draw_svg"]

MARGIN, LINE, PAD, ROUND, STEP = 12, 28, 12, 5, 17
TITLE, BODY = 15, 13
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
# Widths of letters as shares of the font's size, on the wide side: which font the viewer has is not known.
_NARROW, _WIDE = set("iljtfrI.,:;'!| "), set("mwMW@%")


def draw_svg(graph: ModelGraph, rankdir: str = "TB", splines: str = "ortho") -> str:
    """The SVG text. rankdir is TB, BT, LR or RL; splines says how edges run (ortho, curved, spline, line, polyline)."""
    sideways = rankdir in ("LR", "RL")

    def size_of(box):
        w, h = _size(box)
        return (h, w) if sideways else (w, h)

    # A frame has its name at its upper left, wherever the picture flows.
    frame = {"TB": (14, 32, 14, 14), "BT": (14, 14, 14, 32), "LR": (32, 14, 14, 14), "RL": (32, 14, 14, 14)}[rankdir]
    least = (0, 0.62 * BODY) if sideways else (0.62 * BODY, 0)
    placed = place(graph, size_of, Spacing(frame=frame, frame_least=least))
    turn = _Turn(rankdir, placed.width, placed.height)
    width, height = (math.ceil(v + 2 * MARGIN) for v in turn.size)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{escape(FONT)}">',
        f"<title>{escape(graph.name)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto" '
        'markerUnits="userSpaceOnUse"><path d="M0 0.5L10 5L0 9.5z" fill="#444"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
        *_drawn(placed, turn, splines), "</g>", "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _drawn(placed: Placed, turn, splines: str):
    for name, *rect in placed.frames:
        x, y, w, h = turn.rect(*rect)
        yield _rect(x, y, w, h, "none", 'stroke="#666" stroke-dasharray="5 4" rx="6"')
        yield _text(x + 10, y + 19, name, BODY, "start", "#333")
    for points, arrow in placed.paths:
        end = ' marker-end="url(#arrow)"' if arrow else ""
        yield f'<path d="{_path([turn.point(*p) for p in points], splines)}" fill="none" stroke="#444" stroke-width="1.5"{end}/>'
    for box, *rect in placed.boxes:
        yield from _box(box, *turn.rect(*rect))


class _Turn:
    """From a picture that flows from top to bottom to one that flows elsewhere."""

    def __init__(self, rankdir, width, height):
        self.sideways, self.back = rankdir in ("LR", "RL"), rankdir in ("BT", "RL")
        self.length = height
        self.size = (height, width) if self.sideways else (width, height)

    def point(self, x, y):
        y = self.length - y if self.back else y
        return (y, x) if self.sideways else (x, y)

    def rect(self, x, y, w, h):
        y = self.length - y - h if self.back else y
        return (y, x, h, w) if self.sideways else (x, y, w, h)


# ---- boxes ------------------------------------------------------------------------------------------------------------
def _wide(text: str, size: float, bold: bool = False) -> float:
    return sum(map(_em, text)) * size * (1.12 if bold else 1.0)


def _em(c: str) -> float:
    if c in "()[]-":
        return 0.42
    if c in _NARROW:
        return 0.36
    if c in _WIDE or ord(c) > 0x2E7F:
        return 1.0
    return 0.72 if c.isupper() else 0.62


def _size(box: Box) -> tuple[float, float]:
    title = _wide(box.title[0], TITLE, True) + (_wide(" " + box.title[1], TITLE) if box.title[1] else 0)
    lines = [title + 2 * PAD]
    if box.activation:
        lines.append(_wide("Activation: ", BODY) + _wide(box.activation, BODY, True) + 2 * PAD)
    if box.cells:
        lines.append(sum(_cell_widths(box)))
    return max(lines), LINE * len(lines)


def _cell_widths(box: Box) -> list[float]:
    return [(_wide(label + ": ", BODY) if label else 0) + _wide(value, BODY, True) + 2 * PAD for label, value, _ in box.cells]


def _box(box: Box, x, y, w, h):
    yield _rect(x, y, w, LINE, "#222")
    name, kind = box.title
    yield from _pair(x + w / 2, y + LINE / 2 + 5, (name, True), (kind and f" {kind}", False), TITLE, "white")
    y += LINE
    if box.activation:
        yield _rect(x, y, w, LINE, "white", 'stroke="#222"')
        yield from _labelled(x + w / 2, y, "Activation", box.activation, "#111")
        y += LINE
    widths = _cell_widths(box)
    for (label, value, colour), cell in zip(box.cells, widths):
        cell *= w / sum(widths)
        yield _rect(x, y, cell, LINE, colour, 'stroke="#222"')
        yield from _labelled(x + cell / 2, y, label, value, "#111" if colour == "white" else "white")
        x += cell


def _labelled(x, y, label, value, colour):
    yield from _pair(x, y + LINE / 2 + 4.5, (label and f"{label}: ", False), (value, True), BODY, colour)


def _pair(x, y, left, right, size, colour):
    """Two texts (text, bold) side by side with their middle near x: they meet at one point, whatever the font."""
    if not left[0] or not right[0]:
        text, bold = left if left[0] else right
        yield _text(x, y, text, size, "middle", colour, bold)
        return
    x += (_wide(left[0], size, left[1]) - _wide(right[0], size, right[1])) / 2
    yield _text(x, y, left[0].rstrip(), size, "end", colour, left[1])
    yield _text(x + 0.3 * size, y, right[0].lstrip(), size, "start", colour, right[1])


def _rect(x, y, w, h, fill, more="") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="{fill}" {more}/>'


def _text(x, y, text, size, anchor, colour, bold=False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
        f"{escape(text)}</text>"
    )


# ---- edges ------------------------------------------------------------------------------------------------------------
def _path(points, splines: str) -> str:
    points = [p for i, p in enumerate(points) if not i or p != points[i - 1]]
    start = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    if splines in ("line", "polyline"):
        return start + "".join(map(_line_to, _without_steps(points)))
    if splines in ("curved", "spline"):
        return start + "".join(_steps(points)) + _line_to(points[-1])
    return start + "".join(_corner(*three) for three in zip(points, points[1:], points[2:])) + _line_to(points[-1])


def _line_to(p) -> str:
    return f"L{p[0]:.1f} {p[1]:.1f}"


def _without_steps(points):
    """The ends, and the middle of every step sideways, instead of the steps' corners."""
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(points[1:-1:2], points[2:-1:2])]
    return [*(middles if len(points) > 4 else []), points[-1]]


def _steps(points):
    """Every step sideways as one smooth curve that begins and ends along the flow."""
    for before, a, b, after in zip(points[::2], points[1::2], points[2::2], points[3::2]):
        start = _towards(a, before, min(STEP, math.dist(a, before)))
        room = math.dist(b, after)
        end = _towards(b, after, min(STEP, room - 9 if after is points[-1] else room / 2))  # an arrow needs a straight end
        numbers = " ".join(f"{v:.1f}" for p in (a, b, end) for v in p)
        yield f"{_line_to(start)}C{numbers}"


def _corner(a, b, c) -> str:
    """A line from a towards b, and round the corner there towards c."""
    r = min(ROUND, math.dist(a, b) / 2, math.dist(b, c) / 2)
    (x0, y0), (x1, y1) = (_towards(b, a, r), _towards(b, c, r))
    return f"L{x0:.1f} {y0:.1f}Q{b[0]:.1f} {b[1]:.1f} {x1:.1f} {y1:.1f}"


def _towards(p, q, distance):
    length = math.dist(p, q) or 1.0
    return p[0] + (q[0] - p[0]) * distance / length, p[1] + (q[1] - p[1]) * distance / length
