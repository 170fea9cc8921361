"""GradientTape: what is computed within its block can be differentiated. Names and arguments are TensorFlow's."""

from __future__ import annotations

import contextlib

import numpy as np

from brisknet.autograd.sources import check_connected, check_float, source_tensors, target_tensor
from brisknet.graph.eager import EagerGraph
from brisknet.graph.ir import Tensor
from brisknet.graph.trace import Trace, as_tensor, current_graph
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.passes.autodiff import gradients
from brisknet.variables import Variable

__all__ = ["GradientTape"]


class GradientTape:
    """`with GradientTape() as tape:` remembers the ops of its block; tape.gradient(target, sources) differentiates them.

    persistent                  whether gradient() may be called more than once
    watch_accessed_variables    whether trainable variables that are read in the block are watched without being told

    In a step that is traced (a model's train_step(), brisknet.function) the gradients become part of the compiled step.
    Anywhere else the block runs op by op through NumPy: tensors in it know their values, assignments to variables take
    effect at its end, and gradients are arrays. Only brisknet.ops, operators and layers record: what NumPy computes from
    plain arrays has no gradient.
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self._persistent, self._all = bool(persistent), bool(watch_accessed_variables)
        self._graph = self._trace = None
        self._done = self._ended = False  # whether gradient() was called; whether that was after the block
        self._forget()

    def _forget(self) -> None:
        self._segments: list[list] = []  # [first node, one behind the last] of what was recorded
        self._variables: dict[Variable, dict] = {}  # the tensors that each watched variable was read as
        self._wanted: set[Variable] = set()
        self._tensors: dict[Tensor, None] = {}  # watched ones
        self._arrays: list[tuple] = []  # (watched array, a copy of it)

    # ---- recording --------------------------------------------------------------------------------------------------
    def __enter__(self) -> GradientTape:
        if self._recording():
            raise ValueError("GradientTape: this tape is recording already")
        graph = current_graph()
        if self._done or (graph is not None and graph is not self._graph):
            self._forget()
            self._graph, self._done = graph, False
        if graph is None:
            self._graph = self._graph or EagerGraph(keeps=True)
            self._trace = Trace(self._graph)
            self._trace.__enter__()
        self._start()
        return self

    def __exit__(self, kind, value, traceback) -> None:
        if self._recording():
            self._stop()
        if self._trace is None:
            return
        self._trace.__exit__()
        graph, self._trace = self._trace.graph, None
        updates = graph.updates
        graph.updates, graph._reads = {}, {}
        if kind is None:
            for variable, t in updates.items():
                variable.store(t.numpy())

    def _recording(self) -> bool:
        return self._graph is not None and self in self._graph.tapes

    def _start(self) -> None:
        self._graph.tapes.append(self)
        self._segments.append([len(self._graph.nodes), None])

    def _stop(self) -> None:
        self._graph.tapes.remove(self)
        self._segments[-1][1] = len(self._graph.nodes)

    def _nodes(self) -> list:
        return [n for first, last in self._segments for n in self._graph.nodes[first:last]]

    def saw(self, variable: Variable, tensor: Tensor) -> None:
        """The graph tells that a variable was read."""
        if variable in self._wanted or (self._all and variable.trainable):
            self._variables.setdefault(variable, {})[tensor] = None

    @contextlib.contextmanager
    def stop_recording(self):
        """Within: what is computed is not remembered."""
        if not self._recording():
            raise ValueError("GradientTape: stop_recording() needs a tape that is recording")
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forget all that was recorded and watched."""
        recording = self._recording()
        if recording:
            self._stop()
        self._forget()
        if recording:
            self._start()

    def watch(self, tensor):
        """Let gradients be asked for with respect to a tensor, an array or a variable (or a structure of them) from now on.

        Returns it as tensors. Plain arrays are known by identity: brisknet.ops and layers find them, Python's operators
        on arrays do not, so go on with what is returned, x = tape.watch(x), and don't change a watched array in place.
        TypeError for anything but floats.
        """
        if not self._recording():
            raise ValueError("GradientTape: watch() is to be called within the tape's block, `with GradientTape() as tape:`")
        return map_structure(self._watch, tensor)

    def _watch(self, x):
        if isinstance(x, Variable):
            check_float(x, "watch")
            self._wanted.add(x)
            return self._graph.read(x)
        known = as_tensor(x, self._graph)
        check_float(known, "watch")
        if isinstance(x, np.ndarray) and id(x) not in self._graph.watched:
            copy = x.copy()
            known = self._graph.add_constant(copy)
            self._graph.watched[id(x)] = x, known
            self._arrays.append((x, copy))
        elif known.node.op == "constant" and known is not x:  # a tensor of another tape, or a number
            self._graph.watched[id(x)] = x, known
        self._tensors[known] = None
        return known

    def watched_variables(self) -> tuple:
        """The variables that are watched, in the order of their first use."""
        return tuple(self._variables)

    # ---- gradients --------------------------------------------------------------------------------------------------
    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        """The gradients of target (several: of their sum) with respect to sources, in the structure of sources.

        output_gradients         gradients of something with respect to target, as arrays or tensors of its structure: ones
                                 by default
        unconnected_gradients    what stands for the gradient of a source that target does not depend on: "none" (None) or
                                 "zero"

        ValueError for a target or a source that is not on the tape, and where only a step or an integer connects them;
        TypeError for what is no float; RuntimeError for the second call on a tape that is not persistent.
        """
        with self._differentiating("gradient") as nodes:
            targets = [target_tensor(t, self._graph, nodes, self._roots()) for t in flatten(target)]
            seeds = self._seeds(output_gradients, targets)
            found = self._gradients(targets, flatten(sources), nodes, seeds, _unconnected(unconnected_gradients))
            return self._packed(found, sources)

    def jacobian(self, target, sources, unconnected_gradients="none", parallel_iterations=None, experimental_use_pfor=True):
        """d target / d source of a tensor target, for each source: arrays of shape target.shape + source.shape.

        One backward pass for every element of target. The last two arguments are TensorFlow's and change nothing.
        """
        return self._jacobian("jacobian", target, sources, _unconnected(unconnected_gradients))

    def batch_jacobian(
        self, target, source, unconnected_gradients="none", parallel_iterations=None, experimental_use_pfor=True
    ):
        """d target[b] / d source[b] for each row b: [batch, ...] and [batch, ...] give [batch, target..., source...]."""
        return self._jacobian("batch_jacobian", target, source, _unconnected(unconnected_gradients), rows=True)

    def _jacobian(self, name, target, sources, zero, rows=False):
        from brisknet import ops

        with self._differentiating(name) as nodes:
            y = target_tensor(target, self._graph, nodes, self._roots())
            leaves = flatten(sources)
            if rows and (len(leaves) != 1 or not y.shape or y.shape[0] != leaves[0].shape[0]):
                raise ValueError(
                    f"batch_jacobian: a target and one source of the same number of rows expected, got shapes {y.shape} "
                    f"and {[tuple(s.shape) for s in leaves]}"
                )
            inner = y.shape[1:] if rows else y.shape
            size, parts = int(np.prod(inner, dtype=np.int64)), [[] for _ in leaves]
            for seed in np.eye(size, dtype=y.dtype).reshape(size, *inner):
                seed = self._graph.add_constant(np.array(np.broadcast_to(seed, y.shape)))
                for part, g in zip(parts, self._gradients([y], leaves, nodes, [seed], zero), strict=True):
                    part.append(g)
            found = []
            for part, source in zip(parts, leaves, strict=True):
                if not part or part[0] is None:
                    found.append(None if not part or part[0] is None else part)
                    continue
                axis, shape = int(rows), tuple(source.shape)
                stacked = ops.stack(part, axis=axis)
                found.append(ops.reshape(stacked, (*shape[:axis], *inner, *shape[axis:])))
            return self._packed(found, sources)

    @contextlib.contextmanager
    def _differentiating(self, method: str):
        """Within: the nodes of the tape, its graph recording. A tape that is not persistent ends here."""
        if self._done:
            raise RuntimeError(
                f"GradientTape: {method}() was called a second time on a tape that is not persistent; make it with "
                "GradientTape(persistent=True)"
            )
        if self._graph is None:
            raise ValueError(f"GradientTape: nothing was recorded before {method}(): compute the target within `with tape:`")
        for array, copy in self._arrays:
            if not np.array_equal(array, copy, equal_nan=True):
                raise ValueError(
                    f"GradientTape: a watched array of shape {array.shape} has been changed in place since watch(): make "
                    "a new array instead, e.g. x = x + 1"
                )
        known = isinstance(self._graph, EagerGraph)
        if not known and current_graph() is not self._graph:
            raise RuntimeError(f"GradientTape: {method}() is to be called within the traced step in which the tape recorded")
        self._ended = current_graph() is not self._graph
        with Trace(self._graph) if self._ended else contextlib.nullcontext():
            yield self._nodes()
        if not self._persistent:
            self._release()

    def _release(self) -> None:
        """Forget what was recorded, and let the memory of the block go where no other tape or trace needs it."""
        if self._recording():
            self._stop()
        for x, _ in self._arrays:
            self._graph.watched.pop(id(x), None)
        self._forget()
        self._graph, self._done = None, True

    def _roots(self) -> dict:
        """The tensors that are watched."""
        return {**self._tensors, **{t: None for tensors in self._variables.values() for t in tensors}}

    def _gradients(self, targets, sources, nodes, seeds, zero: bool) -> list:
        roots = self._roots()
        tensors = [source_tensors(s, self._graph, nodes, roots, self._variables) for s in sources]
        leaves = [t for of_one in self._variables.values() for t in of_one]
        wrt = list(dict.fromkeys(t for of_one in tensors for t in of_one))
        by_tensor = dict(zip(wrt, gradients(targets, wrt, seeds, nodes, leaves), strict=True))
        found = []
        for source, of_one in zip(sources, tensors, strict=True):
            parts = [by_tensor[t] for t in of_one if by_tensor[t] is not None]
            total = parts[0] if parts else None
            for part in parts[1:]:
                total = total + part
            if total is None and zero:
                total = self._graph.add_constant(np.zeros(source.shape, str(source.dtype)))
            found.append(total)
        if not zero and all(g is None for g in found):
            check_connected(targets, wrt, nodes)
        return found

    def _seeds(self, output_gradients, targets) -> list:
        if output_gradients is None:
            return [None] * len(targets)
        given = flatten(output_gradients)
        if len(given) != len(targets):
            raise ValueError(f"gradient: {len(targets)} output_gradients expected, one a target, got {len(given)}")
        seeds = []
        for g, t in zip(given, targets, strict=True):
            if g is not None:
                g = as_tensor(g if isinstance(g, (Tensor, Variable)) else np.asarray(g, t.dtype), self._graph)
                if g.shape != t.shape:
                    raise ValueError(f"gradient: an output gradient of shape {t.shape} expected, as the target's, got {g.shape}")
            seeds.append(g)
        return seeds

    def _packed(self, found: list, sources):
        """In the structure of the sources; as arrays where the block has ended."""
        todo = [g.numpy() if self._ended and g is not None else g for g in found]
        return map_structure(lambda _: todo.pop(0), _plain_lists(sources))


def _plain_lists(structure):
    """Lists and dicts that layers keep, as plain ones."""
    if isinstance(structure, dict):
        return {k: _plain_lists(v) for k, v in structure.items()}
    if isinstance(structure, list):
        return [_plain_lists(v) for v in structure]
    return structure


def _unconnected(value) -> bool:
    """Whether unconnected_gradients asks for zeros."""
    value = getattr(value, "value", value)
    if value not in ("none", "zero"):
        raise ValueError(f'gradient: unconnected_gradients must be "none" or "zero", got {value!r}')
    return value == "zero"
