"""Text from decoder-only models: generate(). Steps with a cache of keys and values are in decoding.py; a model that may not be
computed so gets the ordinary call on the whole text for every token."""

from __future__ import annotations

import numpy as np

from brisknet import activations, config
from brisknet.layers.activation_layers import Softmax
from brisknet.models.decoding import Cached, NotCached, Stop, length_for
from brisknet.ops import log
from brisknet.ops.embedding import check_ids
from brisknet.ops.registry import get_op
from brisknet.random import draw_seed
from brisknet.runtime.philox import derive
from brisknet.training.ids import id_bounds

__all__ = ["generate"]

ROOM = 64  # where nothing bounds the context, caches have a multiple of this many positions


def generate(model, prompt, max_new_tokens, temperature, top_k, top_p, seed, stop_tokens):
    """See Model.generate()."""
    rows, form = _rows_of(prompt)
    settings, stops = _checked(max_new_tokens, temperature, top_k, top_p, stop_tokens)
    if not max_new_tokens:
        return _shaped(rows, np.zeros((0, len(rows)), np.int32), [0] * len(rows), form)
    lengths = [len(r) for r in rows]
    texts = np.array([np.pad(r, (0, max(lengths) - len(r)), "edge") for r in rows], np.int32)
    if not model.built:
        model._infer(texts, "predict")
    writer = model._programs.get("generate")
    if writer is None:
        writer = model._programs["generate"] = Writer(model)
    writer.check(texts[:, : min(lengths)], texts, stops)
    step, stop = derive(draw_seed(seed)), Stop(stops, len(rows), max_new_tokens)
    cached = writer.cached(texts[:, : min(lengths)], max(lengths) + max_new_tokens)
    run = writer.windows if cached is None else cached.run
    new = run(texts, lengths, max_new_tokens, settings, step, stop)
    return _shaped(rows, new, stop.ends, form)


# ---- arguments ------------------------------------------------------------------------------------------------------
def _rows_of(prompt):
    """(rows of int32 ids, "one" text, "many" of a length, or "ragged")."""
    if isinstance(prompt, (list, tuple)) and prompt and all(np.ndim(r) == 1 for r in prompt):
        rows, form = [np.asarray(r) for r in prompt], "ragged" if len({len(r) for r in prompt}) > 1 else "many"
    else:
        tokens = np.asarray(prompt)
        rows, form = ([tokens], "one") if tokens.ndim == 1 else (list(tokens) if tokens.ndim == 2 else [], "many")
    if not rows or any(r.ndim != 1 or not r.size or r.dtype.kind not in "iu" for r in rows):
        got = [f"{r.dtype} of shape {r.shape}" for r in (rows or [np.asarray(prompt)])]
        raise ValueError(
            f"generate: prompt must be integer ids of shape (positions,) or (rows, positions), or a list of rows, at least one id a "
            f"row, got {got[0] if len(set(got)) == 1 else ', '.join(got)}"
        )
    return [np.array(r, np.int32) for r in rows], form


def _shaped(rows, new, ends, form):
    """The ids that generate() returns: row b with its first ends[b] new ones, new [made, rows]; where rows of one length end
    earlier than others, their last id is repeated."""
    if form == "ragged":
        return [np.concatenate([r, n[:end]]) for r, n, end in zip(rows, new.T, ends, strict=True)]
    if form == "one":
        return np.concatenate([rows[0], new[: ends[0], 0]])
    last = np.minimum(np.arange(max(ends))[:, None], np.asarray(ends) - 1)
    return np.concatenate([np.array(rows), np.take_along_axis(new, last, 0).T], axis=1)


def _checked(count, temperature, top_k, top_p, stop_tokens):
    """(settings of sample_tokens, ids that end a text)."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
        raise ValueError(f"generate: max_new_tokens must be an integer >= 0, got {count!r}")
    for name, value, good in (
        ("temperature", temperature, lambda v: v >= 0), ("top_p", 1.0 if top_p is None else top_p, lambda v: 0 < v <= 1),
    ):  # fmt: skip
        number = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
        if not number or not np.isfinite(value) or not good(value):
            wanted = "a number >= 0" if name == "temperature" else "a number in (0, 1], or None"
            raise ValueError(f"generate: {name} must be {wanted}, got {value!r}")
    whole = isinstance(top_k, (int, np.integer)) and not isinstance(top_k, bool)
    if top_k is not None and (not whole or top_k < 1):
        raise ValueError(f"generate: top_k must be an integer >= 1, or None, got {top_k!r}")
    stops = np.atleast_1d(np.asarray([] if stop_tokens is None else stop_tokens))
    if stops.ndim != 1 or (stops.size and stops.dtype.kind not in "iu"):
        raise ValueError(f"generate: stop_tokens must be an integer id, a list of them, or None, got {stop_tokens!r}")
    return np.array([temperature, top_k or 0, 1.0 if top_p is None else top_p]), stops.astype(np.int32)


def _context(model) -> int | None:
    """The positions that the model can look at: what its input or a layer of positions bounds; None: any number."""
    bounds = [getattr(layer, "sequence_length", None) for layer in model._walk()] + [_fixed_size(model)]
    return min((int(n) for n in bounds if n), default=None)


def _fixed_size(model) -> int | None:
    """Positions that the model's input must have, None where any number may go in."""
    inputs = getattr(model, "inputs", None)
    return inputs[0].shape[1] if inputs and len(inputs[0].shape) == 2 else None


def _logits(model, out):
    """Logits from a model's outputs [B,T,V]: their logarithm where the last layer is a softmax."""
    layers = model.layers
    last = layers[-1] if layers else None
    soft = isinstance(last, Softmax) or getattr(last, "activation", None) is activations.softmax
    return log(out) if soft else out


class Writer:
    """What is kept of a model that writes: the positions that it looks at, and its steps for numbers of rows and rooms."""

    def __init__(self, model):
        self.model, self.limit, self.fixed = model, _context(model), _fixed_size(model)
        self.steps: dict = {}
        self._causal = None  # whether the ordinary call looks at no later position; found out when that is needed

    @property
    def executor(self) -> str:
        """Which executor runs the steps; "numpy" without a cache, as tokens are then drawn by NumPy."""
        ran = {"numpy" if s is None else s.executor for s in self.steps.values()}
        return ran.pop() if len(ran) == 1 else "mixed"

    def check(self, tokens, texts, stops) -> None:
        """ValueError for ids that the model has no entry for; tokens [B,T] are a part of the texts that all rows have."""
        given = np.zeros((1, self.fixed), np.int32) if self.fixed else tokens
        for entries in id_bounds(self.model, [given]).values():
            check_ids(texts, entries, "generate: prompt")
            check_ids(stops, entries, "generate: stop_tokens")

    def cached(self, tokens, longest: int):
        """The steps with a cache for texts of at most `longest` tokens, made once for a room and some rows; None where the model has
        none. tokens [B,T] are what it is tried on."""
        room = self.limit or -(-longest // ROOM) * ROOM
        key = (len(tokens), room, config.backend(), config.floatx())
        if key not in self.steps:
            try:
                made = Cached(self.model, len(tokens), room, _logits)
                self.steps[key] = made if made.agrees(tokens, _ordinary) else None
            except (NotCached, ValueError):  # a layer that asks for all positions at once
                self.steps[key] = None
        return self.steps[key]

    def windows(self, texts, lengths, count: int, settings, draw: int, stop):
        """int32 [count, rows] of new tokens: each from an ordinary call on all tokens of a row so far, or the last `limit` of them;
        arbitrary where all rows have ended before."""
        sample = get_op("sample_tokens").reference
        forced = np.full(len(texts), -1, np.int32)
        rows, new = [t[:n] for t, n in zip(texts, lengths, strict=True)], np.empty((count, len(texts)), np.int32)
        made = 0
        while made < count and not stop.all_ended(new[:made]):
            logits = self._last([r[-self.limit :] if self.limit else r for r in rows])
            new[made] = sample(logits, forced, settings.astype(logits.dtype), draw + made, 0)
            rows = [np.append(r, n) for r, n in zip(rows, new[made], strict=True)]
            made += 1
        stop.all_ended(new[:made])
        return new

    def _last(self, rows):
        """Logits [B,V] of what follows each row. Rows are padded to few lengths where the model does not look ahead: every length
        is a program of its own."""
        if self.fixed is None and self._causal is None:
            self._causal = self._ignores_what_follows(rows[0])
        if self._causal:
            size = length_for(max(len(r) for r in rows), self.limit)
            logits = _ordinary(self.model, np.array([np.pad(r, (0, size - len(r))) for r in rows]))
            return logits[np.arange(len(rows)), [len(r) - 1 for r in rows]]
        if len({len(r) for r in rows}) == 1:
            return _ordinary(self.model, np.array(rows))[:, -1]
        return np.concatenate([_ordinary(self.model, r[None])[:, -1] for r in rows])

    def _ignores_what_follows(self, row) -> bool:
        """Whether the logits after a row are the same with any ids behind it."""
        row = row[: (self.limit or len(row) + 1) - 1]
        if not row.size:
            return False
        size = length_for(len(row) + 1, self.limit)
        want = _ordinary(self.model, row[None])[0, -1]
        padded = [np.pad(row, (0, size - len(row)), constant_values=filler)[None] for filler in (0, row[-1], row[0])]
        got = [_ordinary(self.model, p)[0, len(row) - 1] for p in padded]
        return all(np.allclose(g, want, rtol=0, atol=1e-4 * float(np.ptp(want))) for g in got)


# ---- without --------------------------------------------------------------------------------------------------------
def _ordinary(model, tokens) -> np.ndarray:
    """Logits [B,T,V] of the ordinary call."""
    count, fixed = tokens.shape[1], _fixed_size(model)
    if fixed:
        tokens = np.pad(tokens, ((0, 0), (0, fixed - count)))
    out = np.asarray(model._infer(tokens, "predict"))
    if out.ndim != 3 or out.shape[:2] != tokens.shape:
        raise ValueError(
            f"generate: a model that gives logits of shape (rows, positions, vocabulary) for tokens (rows, positions) expected; "
            f"model {model.name!r} gives {out.shape} for {tokens.shape}"
        )
    with np.errstate(divide="ignore"):
        return _logits(model, out[:, :count])
