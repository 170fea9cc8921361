"""Text from decoder-only models: generate(), with the keys and values of earlier positions kept.

A step is one position: the model is traced on one token a row, its causal self-attention layers add their key and value to
their cache and look at all of it, position layers are told where they are, and the next token is drawn. The steps of a whole
text are one loop of the executor. Whether a model may be computed so (it may not where a layer mixes positions in another way)
is found out once, by comparing with the ordinary call; one that may not gets the ordinary call for every token.
"""

from __future__ import annotations

import numpy as np

from brisknet import activations, config
from brisknet.graph.trace import Trace, current_graph
from brisknet.layers.activation_layers import Softmax
from brisknet.layers.layer import calling
from brisknet.ops import log
from brisknet.ops.attention import cache_store
from brisknet.ops.dispatch import cast
from brisknet.ops.embedding import check_ids
from brisknet.ops.metric import count_step
from brisknet.ops.registry import get_op
from brisknet.ops.sampling import sample_tokens
from brisknet.random import draw_seed
from brisknet.runtime.philox import derive
from brisknet.runtime.program import compile_graph, make_loop
from brisknet.training.ids import id_bounds
from brisknet.variables import Variable

__all__ = ["generate"]

POLL_SECONDS = 0.05  # how long steps may run before Python looks at signals
PROBE = 6  # positions that are compared with the ordinary call
LEAST = -80.0  # logits below it are compared as it: the logarithms of probabilities go down to -inf
ROOM = 64  # where nothing bounds the context, caches have a multiple of this many positions


def generate(model, prompt, max_new_tokens, temperature, top_k, top_p, seed) -> np.ndarray:
    """See Model.generate()."""
    tokens, settings, single = _checked(prompt, max_new_tokens, temperature, top_k, top_p)
    if max_new_tokens:
        if not model.built:
            model._infer(tokens, "predict")
        fixed = _fixed_size(model)
        for entries in id_bounds(model, [np.zeros((1, fixed), np.int32) if fixed else tokens]).values():
            check_ids(tokens, entries, "generate: prompt")
        rows, given = tokens.shape
        limit = _context(model)
        room = limit or -(-(given + max_new_tokens) // ROOM) * ROOM
        step = derive(draw_seed(seed))
        cached = _cached(model, rows, room, tokens)
        run = _windows if cached is None else cached.run
        args = (model, limit) if cached is None else ()
        tokens = run(*args, tokens, max_new_tokens, settings, step)
    return tokens[0] if single else tokens


# ---- arguments ------------------------------------------------------------------------------------------------------
def _checked(prompt, count, temperature, top_k, top_p):
    tokens = np.asarray(prompt)
    if tokens.ndim not in (1, 2) or not tokens.size or tokens.dtype.kind not in "iu":
        raise ValueError(
            f"generate: prompt must be integer ids of shape (positions,) or (rows, positions), at least one a row, got "
            f"{tokens.dtype} of shape {tokens.shape}"
        )
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
    settings = np.array([temperature, top_k or 0, 1.0 if top_p is None else top_p])
    return np.array(tokens, np.int32, ndmin=2), settings, tokens.ndim == 1


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


# ---- with a cache -----------------------------------------------------------------------------------------------------
class NotCached(Exception):
    """The model cannot be computed position by position (the message says why)."""


class Decoding:
    """What the layers of a step of generation are told: `position`, an int32 scalar; and where they keep keys and values."""

    def __init__(self, rows: int, room: int):
        self.rows, self.room, self.position = rows, room, None
        self._caches: dict = {}
        self._calls: dict = {}

    def begin(self, counter) -> None:
        """Start a trace, at the position that the counter says."""
        graph = current_graph()
        self.position = cast(graph.read(counter), "int32")
        graph.updates[counter] = count_step(graph.read(counter), 1)
        self._calls.clear()

    def store(self, layer, name: str, new):
        """The values [B,room,...] of all positions, after `new` [B,1,...] has been put in at this one."""
        if new.shape[:2] != (self.rows, 1):
            self.refuse(f"{layer.name!r} is not given one position at a time")
        key = (id(layer), name)
        call = self._calls[key] = self._calls.get(key, -1) + 1
        shape = (self.rows, self.room, *new.shape[2:])
        cache = self._caches.get((*key, call))
        if cache is None:
            cache = self._caches[(*key, call)] = Variable(
                np.zeros(shape, new.dtype), dtype=new.dtype, trainable=False, name=f"{layer.name}_{name}s"
            )
        graph = current_graph()
        graph.updates[cache] = cache_store(graph.read(cache), new, self.position)
        return graph.updates[cache]

    def refuse(self, why: str):
        """Give the cache up."""
        raise NotCached(why)

    def forget(self) -> None:
        """Zero all that is kept."""
        for cache in self._caches.values():
            cache.assign(np.zeros(cache.shape, cache.dtype))


class Cached:
    """The compiled steps of a model for some rows and a room for positions."""

    def __init__(self, model, rows: int, room: int):
        self.model, self.rows, self.room = model, rows, room
        self.decoding = Decoding(rows, room)
        self.counter = Variable(np.array(0, np.int64), dtype="int64", trainable=False, name="position")
        self.token = Variable(np.zeros(rows, np.int32), dtype="int32", trainable=False, name="token")
        self.draw = Variable(np.array(0, np.int64), dtype="int64", trainable=False, name="draw")
        self.settings = Variable(np.zeros(3), dtype=config.floatx(), trainable=False, name="settings")
        self.step, self.probe = self._traced(self._next), self._traced(self._look)

    def _traced(self, what):
        """The program of a step: the token of the input, or else the last one, goes in."""
        with Trace() as graph, calling(training=False, model=self.model, decoding=self.decoding):
            given = graph.add_input((1, self.rows), "int32", "forced")
            self.decoding.begin(self.counter)
            graph.outputs = [what(graph, given.reshape((self.rows,)))]
        return compile_graph(graph)

    def _logits(self, tokens):
        out = self.model(tokens.reshape((self.rows, 1)), training=False)
        if len(out.shape) != 3 or out.shape[:2] != (self.rows, 1):
            self.decoding.refuse("it gives no logits for each position")
        return _logits(self.model, out.reshape((self.rows, out.shape[2])))

    def _next(self, graph, forced):
        logits = self._logits(graph.read(self.token))
        token = sample_tokens(logits, forced, graph.read(self.settings), graph.read(self.draw))
        graph.updates[self.token] = token
        graph.updates[self.draw] = count_step(graph.read(self.draw), 1)
        return token.reshape((1, self.rows))

    def _look(self, graph, forced):
        logits = self._logits(forced)
        return logits.reshape((1, *logits.shape))

    def agrees(self, tokens) -> bool:
        """Whether logits position by position are those of the ordinary call."""
        count = min(self.room, PROBE)
        tokens = np.resize(tokens, (self.rows, count)) if tokens.shape[1] < count else tokens[:, :count]
        self.counter.assign(0)
        got = [self.probe.run([np.ascontiguousarray(t[None])])[0][0] for t in tokens.T]
        self.decoding.forget()
        want, got = (np.maximum(z, LEAST) for z in (_ordinary(self.model, tokens), np.stack(got, 1)))
        return bool(np.allclose(got, want, rtol=0, atol=2e-3 * float(np.ptp(want))))

    def run(self, tokens, count: int, settings, draw: int):
        """tokens [B,T] and `count` new ones a row."""
        self.settings.assign(settings)
        self.draw.assign(np.array(draw, np.int64))
        out = np.full((tokens.shape[1] + count, self.rows), -1, np.int32)
        out[: tokens.shape[1]] = tokens.T
        end, known = len(out), tokens.shape[1]
        while known < end:
            begin = max(0, known - (self.room if known == tokens.shape[1] and known <= self.room else max(self.room // 2, 1)))
            stop = min(end, begin + self.room + 1)
            self._segment(out, begin, stop, known)
            known = stop
        return np.ascontiguousarray(out.T)

    def _segment(self, out, begin: int, stop: int, known: int) -> None:
        """Fill out[known:stop] from a cache that begins at out[begin]."""
        self.counter.assign(0)
        self.token.assign(out[begin])
        forced = np.ascontiguousarray(out[begin + 1 : stop])
        made = np.empty_like(forced)
        loop = make_loop(lambda n: self.step, [forced], len(forced), 1, fetch=[made])
        loop.begin_epoch(0)
        while not loop.run(seconds=POLL_SECONDS):
            pass
        out[known:stop] = made[known - begin - 1 :]


def _cached(model, rows: int, room: int, tokens) -> Cached | None:
    """The model's steps with a cache, made once for a room and some rows; None where it has none."""
    key = ("generate", rows, room, config.backend(), config.floatx())
    if key not in model._programs:
        try:
            made = Cached(model, rows, room)
            model._programs[key] = made if made.agrees(tokens) else None
        except (NotCached, ValueError):  # a layer that asks for all positions at once
            model._programs[key] = None
    return model._programs[key]


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


def _windows(model, limit, tokens, count: int, settings, draw: int):
    """`count` new tokens a row, each from an ordinary call on all tokens so far, or the last `limit` of them."""
    sample = get_op("sample_tokens").reference
    forced = np.full(len(tokens), -1, np.int32)
    for _ in range(count):
        logits = _ordinary(model, tokens[:, -limit:] if limit else tokens)[:, -1]
        new = sample(logits, forced, settings.astype(logits.dtype), draw + tokens.shape[1] - 1, 0)
        tokens = np.concatenate([tokens, new[:, None]], axis=1)
    return tokens
