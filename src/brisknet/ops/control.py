"""Loops and branches. A traced step is a flat list of operations, so loops are unrolled: their length must be known."""

from __future__ import annotations

import numpy as np

from brisknet.graph.trace import current_graph
from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import is_symbolic
from brisknet.ops.gather import getitem, plain
from brisknet.ops.shape import reshape, stack

__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorize", "vectorized_map", "while_loop",
]  # fmt: skip


def _known(x):
    """The value of x as an array, None for a tensor whose value comes later. Tensors of an eager step have theirs."""
    return x.numpy() if hasattr(x, "tolist") and is_symbolic(x) else plain(x)


def _leaves(structure) -> list:
    if isinstance(structure, dict):
        return [leaf for v in structure.values() for leaf in _leaves(v)]
    if isinstance(structure, (list, tuple)):
        return [leaf for v in structure for leaf in _leaves(v)]
    return [] if structure is None else [structure]


def _mapped(fn, *structures):
    """fn over the leaves of structures that are nested in the same way."""
    first = structures[0]
    if isinstance(first, dict):
        return {k: _mapped(fn, *(s[k] for s in structures)) for k in first}
    if isinstance(first, (list, tuple)):
        if any(not isinstance(s, (list, tuple)) or len(s) != len(first) for s in structures):
            raise ValueError(f"the results of a branch, or of a step of a loop, must be nested in the same way, got {structures}")
        out = [_mapped(fn, *parts) for parts in zip(*structures, strict=True)]
        return type(first)(*out) if hasattr(first, "_fields") else type(first)(out)
    return None if first is None else fn(*structures)


def _length(xs, op, length=None) -> int:
    sizes = {x.shape[0] for x in _leaves(xs)} | ({length} if length is not None else set())
    if len(sizes) != 1:
        raise ValueError(f"{op}: one length of the first axes expected, got {sorted(sizes)}" if sizes else f"{op}: give xs or length")
    return int(sizes.pop())


def _rows(xs, i):
    return _mapped(lambda x: getitem(x, i) if is_symbolic(x) else np.asarray(x)[i], xs)


def _stacked(rows):
    return _mapped(lambda *parts: stack(list(parts), axis=0), *rows) if rows else None


# ---- loops --------------------------------------------------------------------------------------------------------------------
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """(carry, ys) of carry, y = f(carry, x) over the rows x of xs (None: `length` times), from the last one if reverse.

    ys holds the stacked y. `unroll` changes nothing: a loop in a traced step is unrolled, and its length is that of xs.
    """
    if not callable(f):
        raise TypeError(f"scan: f must be a function (carry, x) -> (carry, y), got {f!r}")
    n = _length(xs, "scan", length)
    carry, ys = init, []
    for i in range(n)[:: -1 if reverse else 1]:
        carry, y = f(carry, None if xs is None else _rows(xs, i))
        ys.append(y)
    return carry, _stacked(ys[::-1] if reverse else ys)


def associative_scan(f, elems, reverse=False, axis=0):
    """The running results of the associative f(a, b) along axis of (nested) elems, in order, from the last if reverse."""
    if not callable(f):
        raise TypeError(f"associative_scan: f must be a function of two elements, got {f!r}")
    sizes = {x.shape[axis] for x in _leaves(elems)}
    if len(sizes) != 1:
        raise ValueError(f"associative_scan: elems of one size along axis {axis} expected, got {sorted(sizes)}")
    (n,) = sizes

    def part(i):
        return _mapped(lambda x: getitem(x, (*[slice(None)] * (axis % len(x.shape)), slice(i, i + 1))), elems)

    places = list(range(n))[:: -1 if reverse else 1]
    results = [part(places[0])]
    for i in places[1:]:
        results.append(f(results[-1], part(i)))
    from brisknet.ops.shape import concatenate

    return _mapped(lambda *parts: concatenate(list(parts), axis=axis), *results[:: -1 if reverse else 1])


def fori_loop(lower, upper, body_fun, init_val):
    """init_val after value = body_fun(i, value) for i from lower up to upper, which must be known."""
    bounds = [_known(v) for v in (lower, upper)]
    if any(b is None for b in bounds):
        raise TypeError("fori_loop: lower and upper must be known while a step is traced, for the loop is unrolled; see while_loop")
    value = init_val
    for i in range(int(bounds[0]), int(bounds[1])):
        value = body_fun(i, value)
    return value


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """loop_vars after loop_vars = body(*loop_vars) while cond(*loop_vars) is true, at most maximum_iterations times.

    Where the condition is a tensor of a traced step, maximum_iterations must be given: so many iterations are computed, and
    those after the condition has become false change nothing.
    """
    single = not isinstance(loop_vars, (list, tuple))
    values, count = ([loop_vars] if single else loop_vars), 0
    running = None
    while maximum_iterations is None or count < maximum_iterations:
        wanted = cond(*values)
        known = _known(wanted)
        if known is not None and not bool(known):
            break
        if known is None and maximum_iterations is None:
            raise TypeError(
                "while_loop: the condition is a tensor of a traced step, so the number of iterations is not known: give "
                "maximum_iterations, or run the step with run_eagerly=True"
            )
        new = body(*values)
        new = [new] if single or not isinstance(new, (list, tuple)) else new
        if known is None:
            wanted = reshape(wanted, ())
            running = wanted if running is None else ew.logical_and(running, wanted)
        if running is not None:
            new = _mapped(lambda a, b, keep=running: ew.where(keep, a, b), type(values)(new), values)
        values, count = type(values)(new), count + 1
    return values[0] if single else values


def map(f, xs):
    """f of each row of xs, stacked."""
    if not callable(f):
        raise TypeError(f"map: f must be a function, got {f!r}")
    return _stacked([f(_rows(xs, i)) for i in range(_length(xs, "map"))])


def vectorized_map(function, elements):
    """function of each row of elements, stacked. In a traced step every row gets operations of its own."""
    return map(function, elements)


def vectorize(pyfunc, *, excluded=None, signature=None):
    """A function that calls pyfunc, a function of numbers, for every element of its broadcast arguments."""
    if signature is not None:
        raise ValueError("vectorize: signature is not supported; call the function on whole tensors, or use vectorized_map")
    excluded = set(excluded or ())

    def call(*args):
        looped = [i for i in range(len(args)) if i not in excluded]
        shape = np.broadcast_shapes(*(np.shape(args[i]) if not hasattr(args[i], "shape") else tuple(args[i].shape) for i in looped))
        from brisknet.ops.shape import broadcast_to

        flat = {i: reshape(broadcast_to(args[i], shape), (-1,)) for i in looped}
        n = int(np.prod(shape, dtype=np.int64))
        rows = [pyfunc(*(getitem(flat[i], k) if i in flat else args[i] for i in range(len(args)))) for k in range(n)]
        return _mapped(lambda *parts: reshape(stack(list(parts)), shape), *rows)

    return call


def custom_gradient(f):
    """A function with a gradient of its own: see brisknet.custom_gradient."""
    from brisknet.autograd import custom_gradient as decorate  # here, as autograd is made of ops

    return decorate(f)


# ---- branches -------------------------------------------------------------------------------------------------------------------
def cond(pred, true_fn, false_fn):
    """true_fn() if pred is true, else false_fn().

    A pred that is a tensor of a traced step computes both and picks one; then neither branch may change a variable.
    """
    known = _known(pred)
    if known is None:
        yes, no = _both("cond", [true_fn, false_fn], ())
        pred = reshape(pred, ())
        return _mapped(lambda a, b: ew.where(pred, a, b), yes, no)
    return true_fn() if bool(known) else false_fn()


def switch(index, branches, *operands):
    """branches[index](*operands), the index kept within the list. An index that is a tensor of a traced step computes all
    branches and picks one; then none of them may change a variable."""
    branches = list(branches)
    if not branches:
        raise ValueError("switch: at least one branch expected, got none")
    known = _known(index)
    if known is not None:
        return branches[min(max(int(known), 0), len(branches) - 1)](*operands)
    results, index = _both("switch", branches, operands), reshape(index, ())
    out = results[-1]
    for i in reversed(range(len(results) - 1)):
        out = _mapped(lambda a, b, i=i: ew.where(ew.less_equal(index, i), a, b), results[i], out)
    return out


def _both(op, branches, operands) -> list:
    graph = current_graph()
    before = dict(graph.updates)
    results = [branch(*operands) for branch in branches]
    changed = [v.path for v, t in graph.updates.items() if before.get(v) is not t]
    if changed:
        raise TypeError(
            f"{op}: its condition is a tensor of a traced step, so all branches are computed, and none may change a variable; one "
            f"changed {changed[0]!r}. Assign ops.where(condition, new, old) instead, or run with run_eagerly=True"
        )
    return results
