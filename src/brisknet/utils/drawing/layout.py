"""A layered layout of boxes and edges, after Sugiyama, Tagawa and Toda (1981): ranks, order within ranks, coordinates.

Everything here flows from top to bottom; other directions are turned by the caller.
"""

from __future__ import annotations

__all__ = ["order_ranks", "rank_nodes", "spread", "topological"]

SWEEPS = 8


def topological(nodes, edges) -> list:
    """The nodes with each after those that lead to it; where shared layers make a circle, it is cut at its first node."""
    into = {n: {a for a, b in edges if b == n and a != n} for n in nodes}
    out: dict = {}
    for n, sources in into.items():
        for a in sources:
            out.setdefault(a, []).append(n)
    order, todo = [], dict.fromkeys(nodes)
    while todo:
        n = next((m for m in todo if not into[m]), None)
        n = next(iter(todo)) if n is None else n
        order.append(n)
        del todo[n]
        for m in out.get(n, ()):
            into[m].discard(n)
    return order


def rank_nodes(nodes, edges) -> dict:
    """{node: rank}: every edge leads downwards, by as little as may be; nodes without a way in stand close to their use.

    `nodes` come in topological order (edges against it are left out of account: a shared layer may call back).
    """
    at = {n: i for i, n in enumerate(nodes)}
    into, out = {n: [] for n in nodes}, {n: [] for n in nodes}
    for a, b in edges:
        if at[a] < at[b]:
            into[b].append(a)
            out[a].append(b)
    rank = {}
    for n in nodes:
        rank[n] = max((rank[m] + 1 for m in into[n]), default=0)
    for n in reversed(nodes):
        if not into[n] and out[n]:
            rank[n] = min(rank[m] for m in out[n]) - 1
    return rank


def order_ranks(ranks: list[list], links: list[tuple]) -> list[list]:
    """The ranks with their nodes ordered so that few links (pairs of nodes of neighbouring ranks) cross."""
    above, below = _neighbours(links)
    best = current = [list(r) for r in ranks]
    least = _crossings(best, below)
    for sweep in range(SWEEPS):
        if not least:
            break
        current = [list(r) for r in current]
        down = sweep % 2 == 0
        for i in range(1, len(ranks)) if down else range(len(ranks) - 2, -1, -1):
            place = {n: j for j, n in enumerate(current[i - 1 if down else i + 1])}
            _sort_by_neighbours(current[i], above if down else below, place)
        count = _crossings(current, below)
        if count < least:
            best, least = current, count
    return best


def _neighbours(links):
    above, below = {}, {}
    for a, b in links:
        above.setdefault(b, []).append(a)
        below.setdefault(a, []).append(b)
    return above, below


def _sort_by_neighbours(rank: list, neighbours, place) -> None:
    """By the mean place of their neighbours; nodes that have none keep theirs."""
    means = {}
    for j, n in enumerate(rank):
        places = [place[m] for m in neighbours.get(n, ())]
        means[n] = sum(places) / len(places) if places else j
    rank.sort(key=means.get)


def _crossings(ranks, below) -> int:
    count = 0
    for upper, lower in zip(ranks, ranks[1:]):
        place = {n: j for j, n in enumerate(lower)}
        ends: list[int] = []
        for n in upper:
            mine = sorted(place[m] for m in below.get(n, ()))
            count += sum(1 for e in ends for m in mine if e > m)
            ends += mine
    return count


def spread(ranks: list[list], links, widths: dict, gap: float) -> dict:
    """{node: x of its centre}: nodes of a rank keep their order and a gap, and stand near the middle of their neighbours."""
    above, below = _neighbours(links)
    x = {}
    for rank in ranks:
        left = 0.0
        for n in rank:
            x[n] = left + widths[n] / 2
            left += widths[n] + gap
        for n in rank:
            x[n] -= (left - gap) / 2
    for sweep in range(3 * SWEEPS):
        # Down, up, and at last by both sides.
        sides = (above,) if sweep % 2 == 0 else (below,)
        if sweep >= 2 * SWEEPS:
            sides = (above, below)
        for rank in ranks if sweep % 2 == 0 else reversed(ranks):
            wanted, weights = [], []
            for n in rank:
                near = [m for side in sides for m in side.get(n, ())]
                wanted.append(sum(x[m] for m in near) / len(near) if near else x[n])
                weights.append(1.0 if near else 0.01)
            x.update(zip(rank, _apart(wanted, weights, [widths[n] for n in rank], gap)))
    return x


def _apart(wanted, weights, widths, gap) -> list[float]:
    """The places nearest to the wanted ones (least squares) with room for each: pooled where they would overlap."""
    offsets, total = [], 0.0
    for i, w in enumerate(widths):
        total += (widths[i - 1] + w) / 2 + gap if i else 0.0
        offsets.append(total)
    pools: list[list[float]] = []  # [mean, weight, how many]
    for want, weight, offset in zip(wanted, weights, offsets):
        pools.append([want - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, more, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * more) / (last[1] + more)
            last[1] += more
            last[2] += count
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets)]
