"""Where every box, frame and edge of a model's picture lies, in a picture that flows from top to bottom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from brisknet.utils.drawing.layout import order_ranks, rank_nodes, spread, topological
from brisknet.utils.drawing.model_graph import Edge, ModelGraph

__all__ = ["Placed", "Spacing", "place"]

# Edges whose ends are this near to being above each other get no corners.
JOG = 3


@dataclass(frozen=True)
class Spacing:
    """Room in pixels. frame: what a frame keeps free inside on its left, top, right and bottom."""

    between: float = 28
    gap: float = 34
    track: float = 9
    frame: tuple = (14, 30, 14, 14)
    frame_least: tuple = (0, 0)  # smallest width and height, so that its name fits, per letter


@dataclass
class Placed:
    """boxes: (Box, x, y, width, height). frames: (name, x, y, width, height). paths: (points, whether it has an arrow).

    enter, leave: x at which the edges to input i and from output j of the model cross the rim.
    """

    boxes: list = field(default_factory=list)
    frames: list = field(default_factory=list)
    paths: list = field(default_factory=list)
    enter: dict = field(default_factory=dict)
    leave: dict = field(default_factory=dict)
    width: float = 0
    height: float = 0

    def add(self, other: Placed, dx: float, dy: float) -> None:
        """Take in another picture, moved."""
        self.boxes += [(b, x + dx, y + dy, w, h) for b, x, y, w, h in other.boxes]
        self.frames += [(n, x + dx, y + dy, w, h) for n, x, y, w, h in other.frames]
        self.paths += [([(x + dx, y + dy) for x, y in points], arrow) for points, arrow in other.paths]


def place(graph: ModelGraph, size_of, spacing: Spacing, entered=(), left=()) -> Placed:
    """Lay out a graph; `entered` and `left` are the numbers of the inputs and outputs that edges from outside lead to.

    size_of(box) gives width and height.
    """
    return _Placing(graph, size_of, spacing, sorted(entered), sorted(left)).run()


class _Placing:
    def __init__(self, graph, size_of, spacing, entered, left):
        self.graph, self.size_of, self.spacing = graph, size_of, spacing
        self.entered, self.left = entered, left
        self.inner: dict = {}
        self.size: dict = {}

    def run(self) -> Placed:
        self._measure()
        nodes = [*[("in", i) for i in self.entered], *[b.key for b in self.graph.boxes], *[("out", j) for j in self.left]]
        edges = self._all_edges()
        nodes = topological(nodes, [(e.source, e.target) for e in edges])
        at = {n: i for i, n in enumerate(nodes)}
        rank = self._ranks(nodes, edges)
        chains = [self._chain(i, e, rank, at) for i, e in enumerate(edges) if e.source != e.target]
        self._order(nodes, rank, chains)
        self._rows(chains)
        return self._draw(chains, [e.source for e in edges if e.source == e.target])

    def _measure(self) -> None:
        for box in self.graph.boxes:
            if box.inner is None:
                self.size[box.key] = self.size_of(box)
                continue
            into = {e.into for e in self.graph.edges if e.target == box.key}
            out = {e.out for e in self.graph.edges if e.source == box.key}
            if box.key in self.graph.inputs and self.entered:
                into.add(0)
            out |= {o for j, (key, o) in enumerate(self.graph.outputs) if key == box.key and j in self.left}
            inner = place(box.inner, self.size_of, self.spacing, into, out)
            left, top, right, bottom = self.spacing.frame
            # Where edges cross the rim, there is room already.
            top, bottom = top - self.spacing.gap * bool(into), bottom - self.spacing.gap * bool(out)
            top, bottom = max(top, 2), max(bottom, 2)
            least = [k * len(box.inner.name) for k in self.spacing.frame_least]
            framed = Placed(width=max(inner.width + left + right, least[0]), height=max(inner.height + top + bottom, least[1]))
            framed.add(inner, left, top)
            framed.frames.insert(0, (box.inner.name, 0, 0, framed.width, framed.height))
            # The edges from outside go on to the rim of the frame.
            for i, x in inner.enter.items():
                framed.paths.append(([(x + left, 0), (x + left, top)], False))
                framed.enter[i] = x + left
            for j, x in inner.leave.items():
                framed.paths.append(([(x + left, inner.height + top), (x + left, framed.height)], False))
                framed.leave[j] = x + left
            self.inner[box.key], self.size[box.key] = framed, (framed.width, framed.height)
        self.size.update({("in", i): (0, 0) for i in self.entered} | {("out", j): (0, 0) for j in self.left})

    def _all_edges(self) -> list[Edge]:
        inputs, outputs = self.graph.inputs, self.graph.outputs
        edges = [Edge(("in", i), inputs[min(i, len(inputs) - 1)]) for i in self.entered] + self.graph.edges
        return edges + [Edge(outputs[j][0], ("out", j), outputs[j][1]) for j in self.left]

    def _ranks(self, nodes, edges) -> dict:
        rank = rank_nodes(nodes, [(e.source, e.target) for e in edges])
        rank.update({("in", i): 0 for i in self.entered} | {("out", j): max(rank.values()) for j in self.left})
        return rank

    @staticmethod
    def _chain(number, edge, rank, at):
        """(edge, nodes from the upper end to the lower one, whether it is drawn upwards)."""
        a, b = edge.source, edge.target
        upwards = at[a] > at[b]
        upper, lower = (b, a) if upwards else (a, b)
        return edge, [upper, *[("via", number, r) for r in range(rank[upper] + 1, rank[lower])], lower], upwards

    def _order(self, nodes, rank, chains) -> None:
        via = [n for _, chain, _ in chains for n in chain[1:-1]]
        self.size.update({n: (6, 0) for n in via})
        self.rank = {**rank, **{n: n[2] for n in via}}
        ranks = [[] for _ in range(max(self.rank.values()) + 1)]
        for n in [*nodes, *via]:
            ranks[self.rank[n]].append(n)
        links = list(dict.fromkeys(pair for _, chain, _ in chains for pair in zip(chain, chain[1:])))
        self.ranks = order_ranks(ranks, links)
        widths = {n: w for n, (w, _) in self.size.items()}
        self.x = spread(self.ranks, links, widths, self.spacing.between)
        first = min((self.x[n] - self.size[n][0] / 2 for n in self.x), default=0)
        self.x = {n: x - first for n, x in self.x.items()}

    # ---- rows and edges -----------------------------------------------------------------------------------------
    def _rows(self, chains) -> None:
        """Top and height of every rank; between two of them as many tracks as edges that run side by side need."""
        self.ends = [self._end_points(edge, chain, upwards) for edge, chain, upwards in chains]
        self.tracks: dict = {}
        self.top, self.height, y = [], [], 0.0
        used = self._choose_tracks(chains)
        for r, nodes in enumerate(self.ranks):
            self.top.append(y)
            self.height.append(max(self.size[n][1] for n in nodes))
            y += self.height[-1] + self.spacing.gap + self.spacing.track * max(used.get(r, 1) - 1, 0)
        self.bottom = self.top[-1] + self.height[-1]

    def _end_points(self, edge, chain, upwards) -> list[float]:
        """x of every node of the chain, as the edge passes it."""
        xs = [self.x[n] for n in chain]
        upper, lower = (edge.into, edge.out) if upwards else (edge.out, edge.into)
        for i, rims, number in ((0, "leave", upper), (-1, "enter", lower)):
            if chain[i] in self.inner and number in getattr(self.inner[chain[i]], rims):
                xs[i] = self.x[chain[i]] - self.size[chain[i]][0] / 2 + getattr(self.inner[chain[i]], rims)[number]
        return xs

    def _choose_tracks(self, chains) -> dict:
        """{rank above: number of tracks}. Pieces from one node share a track, and so do those that lead to one."""
        pieces: dict = {}
        for c, (_, chain, _) in enumerate(chains):
            for i, (a, b) in enumerate(zip(chain, chain[1:])):
                x0, x1 = self.ends[c][i], self.ends[c][i + 1]
                if abs(x0 - x1) > JOG:
                    pieces.setdefault(self.rank[a], []).append((c, i, a, b, x0, x1))
        return {r: self._assign(found) for r, found in pieces.items()}

    def _assign(self, found) -> int:
        fan = Counter(a for _, _, a, _, _, _ in found)
        groups: dict = {}
        for piece in found:
            groups.setdefault(("from", piece[2]) if fan[piece[2]] > 1 else ("to", piece[3]), []).append(piece)
        spans = sorted((min(min(p[4:]) for p in g), max(max(p[4:]) for p in g), k) for k, (_, g) in enumerate(groups.items()))
        lists, ends = list(groups.values()), []
        for low, high, k in spans:
            track = next((t for t, end in enumerate(ends) if end + 4 < low), len(ends))
            ends[track:] = [high, *ends[track + 1 :]]
            self.tracks.update({(c, i): track for c, i, *_ in lists[k]})
        return len(ends)

    def _draw(self, chains, loops) -> Placed:
        out = Placed(height=self.bottom)
        for box in self.graph.boxes:
            (w, h), x, y = self.size[box.key], *self._corner(box.key)
            if box.key in self.inner:
                out.add(self.inner[box.key], x, y)
            else:
                out.boxes.append((box, x, y, w, h))
        for c, (edge, chain, upwards) in enumerate(chains):
            points = self._points(c, chain)
            ends_here = not (isinstance(edge.target, tuple) or edge.target in self.inner)
            out.paths.append((points[::-1] if upwards else points, ends_here or upwards))
        for key in loops:
            (w, h), x, y = self.size[key], *self._corner(key)
            side = x + w + 16
            out.paths.append(([(x + w, y + h * 0.7), (side, y + h * 0.7), (side, y + h * 0.3), (x + w, y + h * 0.3)], True))
        rims = [x for points, _ in out.paths for x, _ in points]
        out.width = max([self.x[n] + self.size[n][0] / 2 for n in self.x] + rims)
        out.enter = {i: self.x["in", i] for i in self.entered}
        out.leave = {j: self.x["out", j] for j in self.left}
        return out

    def _corner(self, n) -> tuple[float, float]:
        (w, h), r = self.size[n], self.rank[n]
        return self.x[n] - w / 2, self.top[r] + (self.height[r] - h) / 2

    def _points(self, c, chain) -> list[tuple[float, float]]:
        """Corners of an edge: out of the upper box, sideways in its track, past the ranks between, into the lower box."""
        xs, first, last = self.ends[c], chain[0], chain[-1]
        points = [(xs[0], self._corner(first)[1] + self.size[first][1])]
        for i, n in enumerate(chain[:-1]):
            r = self.rank[n]
            if abs(xs[i] - xs[i + 1]) > JOG:
                y = self.top[r] + self.height[r] + self.spacing.gap / 2 + self.spacing.track * self.tracks[c, i]
                points += [(xs[i], y), (xs[i + 1], y)]
        return [*points, (xs[-1], self._corner(last)[1])]
