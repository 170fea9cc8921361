"""Compiled functions: a step of one's own, traced once for each form of its arguments and run as one program."""

from __future__ import annotations

import functools
import itertools
import warnings
import weakref

from brisknet import config
from brisknet.autograd.arguments import Leaves, describe_changes, described
from brisknet.autograd.results import Results
from brisknet.autograd.tracing import explained
from brisknet.graph.trace import Trace, current_graph
from brisknet.runtime.program import collector_paused, compile_graph

__all__ = ["Function", "function"]

FEW = 8  # traces that need no warning
KEPT = 64  # programs


def function(func=None, *, run_eagerly=False, name=None):
    """Decorator: compile a function of arrays into one program, native like the steps of fit().

        @brisknet.function
        def step(x, y):
            with brisknet.GradientTape() as tape:
                loss = loss_fn(y, model(x, training=True))
            optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
            return loss

    The Python of the function runs when arguments of new shapes or dtypes come (tracing); from then on its ops run without
    Python, with the variables of models, optimizers and metrics as state. Arrays and Python floats, also in lists, tuples
    and dicts, are inputs of the program: floats as config.floatx(), integers as int32. Anything else (ints, strings, None,
    models, functions) is part of what is traced: another value is another program. Returns arrays in the structure that
    the function returns.

    run_eagerly   run the Python at every call, on arrays and without compiling; also an attribute that can be set later
    name          for messages, the function's own by default

    TypeError where the function looks at values, or leaves brisknet.ops, while it is traced; it names the line. A
    RuntimeWarning tells once where ever new arguments lead to ever new programs.
    """
    if func is None:
        return functools.partial(function, run_eagerly=run_eagerly, name=name)
    if not callable(func):
        raise TypeError(f"function: a Python function expected, got {func!r}")
    return Function(func, run_eagerly, name)


class Function:
    """A Python function and the programs that it was compiled into. Made by brisknet.function."""

    def __init__(self, python_function, run_eagerly=False, name=None):
        self.python_function, self.run_eagerly = python_function, bool(run_eagerly)
        functools.update_wrapper(self, python_function)
        self.name = name or getattr(python_function, "__name__", type(python_function).__name__)
        self._entries: dict = {}
        self._traces, self._warned = 0, False
        self._bound = weakref.WeakKeyDictionary()

    def __call__(self, *args, **kwargs):
        if self.run_eagerly or current_graph() is not None:
            return self.python_function(*args, **kwargs)
        leaves = Leaves(args, kwargs)
        key = leaves.key, config.generation
        for entry in self._entries.get(key, ()):
            if entry.holds():
                return entry.run(leaves.feeds)
        return self._trace(key, leaves).run(leaves.feeds)

    def __get__(self, instance, owner=None):
        """As a method: programs of its own for every object."""
        if instance is None:
            return self
        if instance not in self._bound:
            ref, fn = weakref.ref(instance), self.python_function

            @functools.wraps(fn)
            def method(*args, **kwargs):
                return fn(ref(), *args, **kwargs)

            self._bound[instance] = Function(method, self.run_eagerly, self.name)
        return self._bound[instance]

    @property
    def traces(self) -> int:
        """How often the Python of the function has been traced."""
        return self._traces

    def _trace(self, key, leaves):
        if key not in self._entries:
            self._warn_of_storms(leaves)
            while len(self._entries) >= KEPT:
                self._entries.pop(next(iter(self._entries)))
        with collector_paused(), Trace() as graph, explained(self):
            args, kwargs = leaves.symbolic(graph)
            outputs = self.python_function(*args, **kwargs)
            results = Results(outputs, graph)
        with collector_paused():
            entry = _Entry(compile_graph(graph), results, graph.settings, leaves.others, described(self.python_function, leaves))
        self._traces += 1
        self._entries.setdefault(key, []).append(entry)
        return entry

    def _warn_of_storms(self, leaves) -> None:
        if len(self._entries) < FEW or self._warned:
            return
        self._warned = True
        known = [entries[0].described for entries in itertools.islice(reversed(self._entries.values()), FEW - 1)]
        change = describe_changes([*reversed(known), described(self.python_function, leaves)])
        warnings.warn(
            f"function {self.name!r} is being traced and compiled for the {self._traces + 1}th time, because "
            f"{change}. Pad arrays to one shape, or pass changing "
            "numbers as floats or arrays, or set its run_eagerly = True",
            RuntimeWarning, stacklevel=4,
        )  # fmt: skip

    def __repr__(self):
        return f"<brisknet.function {self.name}, {self._traces} traces>"


class _Entry:
    """One program, and what it takes for granted: trainable flags and settings of optimizers as they were traced."""

    def __init__(self, program, results, settings, others, described):
        self.program, self.results, self.described = program, results, described
        self._keep = others  # their identities are part of the key
        self._dtypes = [t.dtype for t in program.graph.inputs]
        self._native = program.executor == "native"
        variables = [v for v in program.graph.variables if v.born_trainable]
        self._settings = [(v, "trainable", v.trainable) for v in variables] + list(settings)

    def holds(self) -> bool:
        """Whether what was taken for granted still is so."""
        return all(getattr(thing, name) == value for thing, name, value in self._settings)

    def run(self, feeds):
        if not self._native:
            feeds = [f.astype(d, copy=False) for f, d in zip(feeds, self._dtypes, strict=True)]
        return self.results.packed(self.program.run(feeds))
