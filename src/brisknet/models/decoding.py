"""Steps of generation: the programs that read a prompt and draw one token after another, with keys and values kept.

A prompt is read in one pass over all its tokens but the last, padded to one of a few lengths so that few programs are traced;
layers of attention leave keys and values in caches on the way. From then on a step is one position: the model is traced on one
token a row, attention adds its key and value to the cache and looks at all of it, layers of positions are told where each row
is, and the next token is drawn. The steps of a text are one loop of the executor. What depends on weights alone, such as
another layout of them, is computed once a call (passes/hoist.py).

Whether a model may be computed so (it may not where a layer mixes positions in another way) is found out once, by comparing
with the ordinary call.
"""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.graph.trace import Trace, current_graph
from brisknet.layers.layer import calling
from brisknet.ops.attention import cache_store
from brisknet.ops.metric import count_step
from brisknet.ops.sampling import sample_tokens
from brisknet.passes.hoist import hoist
from brisknet.runtime.program import compile_graph, make_loop, optimize
from brisknet.variables import Variable

__all__ = ["Cached", "Decoding", "NotCached", "Stop", "length_for"]

POLL_SECONDS = 0.05  # how long steps may run before Python looks at signals
STOP_STEPS = 32  # how many, where a token may end the text
PROBE = 6  # positions that are compared with the ordinary call
LEAST = -80.0  # logits below it are compared as it: the logarithms of probabilities go down to -inf
SHORTEST = 16  # tokens that a program for texts of many lengths takes at least


def length_for(count: int, limit: int | None) -> int:
    """The length to which so many ids are padded, one of a few."""
    size = max(SHORTEST, 1 << (count - 1).bit_length())
    return min(size, limit) if limit else size


class NotCached(Exception):
    """The model cannot be computed position by position (the message says why)."""


class Decoding:
    """What the layers are told while `count` tokens a row go in: `position`, int32 [rows], of each row's token in a step, None where
    a prompt is read from its beginning; and where they keep keys and values."""

    def __init__(self, rows: int, room: int):
        self.rows, self.room, self.position, self.count = rows, room, None, 1
        self._caches: dict = {}
        self._calls: dict = {}

    def begin(self, count: int, counter=None) -> None:
        """Start a trace: of a step at the positions that the counter says, or of a prompt."""
        self.count, self.position = count, None
        if counter is not None:
            graph = current_graph()
            self.position = graph.read(counter)
            graph.updates[counter] = self.position + np.array(1, np.int32)
        self._calls.clear()

    def store(self, layer, name: str, new):
        """The values [B,room,...] of all positions, after `new` [B,count,...] has been put in."""
        if new.shape[:2] != (self.rows, self.count):
            self.refuse(f"{layer.name!r} is not given the positions of the tokens")
        key = (id(layer), name)
        call = self._calls[key] = self._calls.get(key, -1) + 1
        shape = (self.rows, self.room, *new.shape[2:])
        cache = self._caches.get((*key, call))
        if cache is None:
            cache = self._caches[(*key, call)] = Variable(
                np.zeros(shape, new.dtype), dtype=new.dtype, trainable=False, name=f"{layer.name}_{name}s"
            )
        graph = current_graph()
        at = np.array(0, np.int32) if self.position is None else self.position
        graph.updates[cache] = cache_store(graph.read(cache), new, at)
        return graph.updates[cache]

    def refuse(self, why: str):
        """Give the cache up."""
        raise NotCached(why)

    def forget(self) -> None:
        """Zero all that is kept."""
        for cache in self._caches.values():
            cache.assign(np.zeros(cache.shape, cache.dtype))


class Stop:
    """Looks for tokens that end a row: `ends[b]` is how many of the new ones row b has, the last of them included."""

    def __init__(self, tokens, rows: int, count: int):
        self.tokens, self.ends, self._seen = np.asarray(tokens, np.int32), np.full(rows, count), 0

    def all_ended(self, new) -> bool:
        """Whether every row has ended; new [tokens so far, rows]."""
        if self.tokens.size:
            for n in range(self._seen, len(new)):
                self.ends = np.where(np.isin(new[n], self.tokens), np.minimum(self.ends, n + 1), self.ends)
            self._seen = len(new)
        return bool((self.ends <= len(new)).all())


class Cached:
    """The compiled steps of a model for some rows and a room for positions."""

    def __init__(self, model, rows: int, room: int, logits_of):
        self.model, self.rows, self.room, self._logits_of = model, rows, room, logits_of
        self.decoding = Decoding(rows, room)
        self.counter = Variable(np.zeros(rows, np.int32), dtype="int32", trainable=False, name="position")
        self.token = Variable(np.zeros(rows, np.int32), dtype="int32", trainable=False, name="token")
        self.draw = Variable(np.array(0, np.int64), dtype="int64", trainable=False, name="draw")
        self.settings = Variable(np.zeros(3), dtype=config.floatx(), trainable=False, name="settings")
        self.prepare, self.step = self._traced(self._next)
        self.readers: dict = {}

    @property
    def executor(self) -> str:
        """Which executor runs the steps."""
        return self.step.executor

    # ---- programs -----------------------------------------------------------------------------------------------
    def _traced(self, what):
        """(the program of what is the same in all steps, or None; the program of a step)."""
        with Trace() as graph, calling(training=False, model=self.model, decoding=self.decoding):
            given = graph.add_input((1, self.rows), "int32", "forced")
            self.decoding.begin(1, self.counter)
            graph.outputs = [what(graph, given.reshape((self.rows,)))]
        once = hoist(optimize(graph))
        return (None if once is None else compile_graph(once)), compile_graph(graph)

    def _logits(self, tokens):
        out = self.model(tokens.reshape((self.rows, 1)), training=False)
        if len(out.shape) != 3 or out.shape[:2] != (self.rows, 1):
            self.decoding.refuse("it gives no logits for each position")
        return self._logits_of(self.model, out.reshape((self.rows, out.shape[2])))

    def _next(self, graph, forced):
        logits = self._logits(graph.read(self.token))
        token = sample_tokens(logits, forced, graph.read(self.settings), graph.read(self.draw))
        graph.updates[self.token] = token
        graph.updates[self.draw] = count_step(graph.read(self.draw), 1)
        return token.reshape((1, self.rows))

    def _look(self, graph, forced):
        logits = self._logits(forced)
        return logits.reshape((1, *logits.shape))

    def _reader(self, count: int):
        """The program that leaves keys and values of the first `count` positions in the caches."""
        if count not in self.readers:
            with Trace() as graph, calling(training=False, model=self.model, decoding=self.decoding):
                tokens = graph.add_input((self.rows, count), "int32", "tokens")
                self.decoding.begin(count)
                self.model(tokens, training=False)
            self.readers[count] = compile_graph(graph)
        return self.readers[count]

    def _read(self, parts) -> None:
        """Fill the caches with rows of tokens, from position 0 on, and let the counter say how many there are."""
        counts = np.array([len(p) for p in parts], np.int32)
        self.counter.assign(counts)
        longest = int(counts.max())
        if longest:
            size = length_for(longest, self.room)
            tokens = np.zeros((self.rows, size), np.int32)  # what follows a row's tokens is overwritten before it is looked at
            for row, part in zip(tokens, parts, strict=True):
                row[: len(part)] = part
            self._reader(size).run([tokens])

    def agrees(self, tokens, ordinary) -> bool:
        """Whether logits after a prompt, position by position, are those of the ordinary call; tokens [B,T]."""
        count = min(self.room, PROBE)
        tokens = np.resize(tokens, (self.rows, count)) if tokens.shape[1] < count else tokens[:, :count]
        prepare, look = self._traced(self._look)
        if prepare is not None:
            prepare.run([])
        self._read(tokens[:, : count // 2])
        got = [look.run([np.ascontiguousarray(t[None])])[0][0] for t in tokens.T[count // 2 :]]
        want, got = (np.maximum(z, LEAST) for z in (ordinary(self.model, tokens)[:, count // 2 :], np.stack(got, 1)))
        return bool(np.allclose(got, want, rtol=0, atol=2e-3 * float(np.ptp(want))))

    # ---- text ---------------------------------------------------------------------------------------------------
    def run(self, texts, lengths, count: int, settings, draw: int, stop: Stop):
        """int32 [count, rows] of new tokens, arbitrary where all rows have ended before. texts [rows, longest], of which row b
        has lengths[b] tokens."""
        self.settings.assign(settings)
        if self.prepare is not None:
            self.prepare.run([])
        if self.executor == "numpy":
            self.decoding.forget()
        rows, new = [t[:n] for t, n in zip(texts, lengths, strict=True)], np.empty((count, self.rows), np.int32)
        made = 0
        while made < count and not stop.all_ended(new[:made]):
            rows = [r[-max(self.room // 2, 1) :] if len(r) > self.room else r for r in rows]
            self._read([r[:-1] for r in rows])
            self.token.assign(np.array([r[-1] for r in rows], np.int32))
            self.draw.assign(np.array(draw + made, np.int64))
            steps = min(count - made, self.room + 1 - max(len(r) for r in rows))
            self._steps(new, made, made + steps, stop)
            rows = [np.concatenate([r, new[made : made + steps, b]]) for b, r in enumerate(rows)]
            made += steps
        stop.all_ended(new[:made])
        return new

    def _steps(self, new, begin: int, end: int, stop: Stop) -> None:
        """Fill new[begin:end]."""
        free = np.full((end - begin, self.rows), -1, np.int32)
        loop = make_loop(lambda n: self.step, [free], len(free), 1, fetch=[new[begin:end]])
        loop.begin_epoch(0)
        while not loop.run(STOP_STEPS if stop.tokens.size else 0, POLL_SECONDS):
            if stop.all_ended(new[: begin + loop.step]):
                return
