"""Byte-pair encoding: which pairs are merged (Sennrich et al. 2016), and words merged by them."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict

__all__ = ["learn_merges", "merged", "split_words"]

# Words, numbers and signs with the space before them, endings such as 's, and the rest of the white space (as GPT-2 splits).
_WORDS = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")

split_words = _WORDS.findall


def learn_merges(words: Counter, count: int, least: int = 2) -> list[tuple[int, int]]:
    """At most `count` merges, from {bytes: how often}: each of the most frequent pair, of equals the one of lower ids.

    Merge i makes token 256 + i. Pairs that occur less than `least` times are not merged.
    """
    parts = [list(word) for word in words]
    often = list(words.values())
    pairs, where = Counter(), defaultdict(set)
    for i, part in enumerate(parts):
        for pair in zip(part, part[1:], strict=False):
            pairs[pair] += often[i]
            where[pair].add(i)
    heap = [(-n, pair) for pair, n in pairs.items()]
    heapq.heapify(heap)
    merges: list[tuple[int, int]] = []
    while heap and len(merges) < count:
        n, pair = heapq.heappop(heap)
        if -n != pairs[pair]:  # an older count of this pair; the newer one is in the heap too
            continue
        if -n < least:
            break
        changed = _merge_everywhere(pair, 256 + len(merges), parts, often, pairs, where)
        merges.append(pair)
        for other in changed:
            if pairs[other] > 0:
                heapq.heappush(heap, (-pairs[other], other))
    return merges


def _merge_everywhere(pair, new: int, parts, often, pairs, where) -> set:
    """Merge a pair in all words that have it; the pairs whose counts have changed."""
    changed = set()
    for i in where.pop(pair):
        before = parts[i]
        parts[i] = after = _joined(before, pair, new)
        for old in zip(before, before[1:], strict=False):
            pairs[old] -= often[i]
            changed.add(old)
        for made in zip(after, after[1:], strict=False):
            pairs[made] += often[i]
            where[made].add(i)
            changed.add(made)
    changed.discard(pair)
    pairs[pair] = 0
    return changed


def _joined(part: list[int], pair, new: int) -> list[int]:
    out, i = [], 0
    while i < len(part):
        if i + 1 < len(part) and part[i] == pair[0] and part[i + 1] == pair[1]:
            out.append(new)
            i += 2
        else:
            out.append(part[i])
            i += 1
    return out


def merged(word: bytes, ranks: dict) -> list[int]:
    """The tokens of a word: of the pairs it has, the one merged first in training is merged first, until none is left."""
    part = list(word)
    while len(part) > 1:
        pair = min(zip(part, part[1:], strict=False), key=lambda p: ranks.get(p, len(ranks)))
        if pair not in ranks:
            break
        part = _joined(part, pair, 256 + ranks[pair])
    return part
