"""Gradients of plain functions: grad, value_and_grad, jacobian, hessian. Names and arguments are JAX's."""

from __future__ import annotations

import functools

import numpy as np

from brisknet.autograd.function import Function
from brisknet.autograd.sources import check_connected, check_float
from brisknet.graph.eager import EagerGraph
from brisknet.graph.ir import Tensor
from brisknet.graph.trace import Trace, as_tensor, current_graph
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.ops.shape import stack
from brisknet.passes.autodiff import gradients
from brisknet.variables import Variable

__all__ = ["grad", "hessian", "jacobian", "value_and_grad"]

ROWS = 16  # of a Jacobian that one call computes


def grad(fn, argnums=0, has_aux=False) -> Function:
    """A function that computes the gradient of fn, whose value is a scalar, with respect to the arguments `argnums`.

    fn        a function of arrays (or of lists and dicts of them), which computes with brisknet.ops and operators
    argnums   which argument: its gradient has the argument's structure; a tuple of numbers gives a tuple
    has_aux   fn returns (value, other results), and the function (gradient, other results)

    Compiled at the first call with arrays of new shapes (brisknet.function). Floats are computed as config.floatx().
    TypeError for arguments that are no floats and for a value that is no scalar; ValueError where only something without
    a derivative connects them. Gradients of arguments that do not matter are zeros.
    """
    both = _differentiated(fn, argnums, has_aux, "grad")

    def gradient(*args, **kwargs):
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return Function(_named(gradient, fn))


def value_and_grad(fn, argnums=0, has_aux=False) -> Function:
    """As grad(), for a function that gives (value, gradient), or with has_aux ((value, other results), gradient)."""
    return Function(_named(_differentiated(fn, argnums, has_aux, "value_and_grad"), fn))


def jacobian(fn, argnums=0):
    """A function that computes d fn / d argument: arrays of shape value.shape + argument.shape.

    fn may give a list or dict of arrays, and arguments may be such structures: the result has the structure of the value,
    with that of the argument (or a tuple of several) in it. One backward pass for each element of the value, many of them
    after one forward pass in one call.
    """
    numbers = _numbers(argnums, "jacobian")

    def traced(args, kwargs):
        """(graph, its nodes of fn, the outputs as tensors, the arguments that count)."""
        graph, chosen, args = _leaves_of(args, numbers, "jacobian")
        first = len(graph.nodes)
        outs = map_structure(lambda t: _float_target(t, graph, "jacobian"), fn(*args, **kwargs))
        return graph, graph.nodes[first:], outs, chosen

    def whole(*args, most=ROWS, **kwargs):
        """(True, everything), or (False, the values) where they have so many elements that it takes several calls."""
        graph, nodes, outs, chosen = traced(args, kwargs)
        if most is not None and sum(t.size for t in flatten(outs)) > most:
            return False, outs
        return True, map_structure(lambda t: packed(_rows(graph, nodes, t, chosen, _unit_seeds(t)), t, args), outs)

    def pulled(i, seeds, *args, **kwargs):
        graph, nodes, outs, chosen = traced(args, kwargs)
        return _rows(graph, nodes, flatten(outs)[i], chosen, seeds)

    def packed(rows, out, args):
        """The rows of each argument in the structure of the arguments."""
        chosen = [args[n] for n in numbers]
        todo = [r.reshape(*out.shape, *np.shape(x)) for r, x in zip(rows, flatten(chosen), strict=True)]
        found = tuple(map_structure(lambda _: todo.pop(0), chosen))
        return found if isinstance(argnums, (tuple, list)) else found[0]

    once, pull = Function(_named(whole, fn)), Function(_named(pulled, fn))

    def compute(*args, **kwargs):
        if current_graph() is not None:
            return whole(*args, most=None, **kwargs)[1]
        done, found = once(*args, **kwargs)
        if done:
            return found
        parts = []
        for i, out in enumerate(flatten(found)):
            calls = [pull(i, seeds, *args, **kwargs) for seeds in _seeds_by_call(out)]
            rows = [np.concatenate(of_one)[: out.size] for of_one in zip(*calls, strict=True)]
            parts.append(packed(rows if calls else _no_rows([args[n] for n in numbers]), out, args))
        return map_structure(lambda _: parts.pop(0), found)

    return functools.wraps(fn)(compute) if hasattr(fn, "__name__") else compute


def hessian(fn, argnums=0):
    """A function that computes the second derivatives of fn, whose value is a scalar: argument.shape + argument.shape.

    With several arguments, or structures, a structure of gradients each with the structure of the arguments in it.
    """
    return jacobian(grad(fn, argnums), argnums)


# ---- parts --------------------------------------------------------------------------------------------------------------
def _named(function, fn):
    function.__name__ = function.__qualname__ = getattr(fn, "__name__", type(fn).__name__)
    function.__wrapped__ = fn
    return function


def _numbers(argnums, name: str) -> tuple:
    numbers = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    if not numbers or not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in numbers):
        raise TypeError(f"{name}: argnums must be the number of an argument, or a tuple of such, got {argnums!r}")
    return tuple(int(n) for n in numbers)


def _differentiated(fn, argnums, has_aux, name):
    """(*args) -> (value, gradient), for use in a trace and outside."""
    numbers = _numbers(argnums, name)

    def compute(*args, **kwargs):
        if current_graph() is None:
            with Trace(EagerGraph(keeps=True)):
                out = compute(*args, **kwargs)
            return map_structure(lambda t: t.numpy() if isinstance(t, Tensor) else t, out)
        graph, chosen, args = _leaves_of(args, numbers, name)
        first = len(graph.nodes)
        out = fn(*args, **kwargs)
        if has_aux and not (isinstance(out, tuple) and len(out) == 2):
            raise TypeError(f"{name}: with has_aux=True the function must return (value, other results), got {out!r}")
        value = _float_target(out[0] if has_aux else out, graph, name)
        if value.size != 1 or value.shape not in ((), (1,)):
            raise TypeError(
                f"{name}: a function with a scalar value expected, got shape {value.shape}; reduce it by ops.sum or ops.mean, or "
                "use brisknet.jacobian"
            )
        found = _pull(graph, [value], chosen, [None], graph.nodes[first:])
        found = found if isinstance(argnums, (tuple, list)) else found[0]
        return ((value, out[1]) if has_aux else value), found

    return compute


def _leaves_of(args, numbers, name):
    """(graph, [argument as tensors of its own], all arguments with these in place)."""
    graph, args, chosen = current_graph(), list(args), []
    for n in numbers:
        if not -len(args) <= n < len(args):
            raise TypeError(f"{name}: argnums={n}, but the function was called with {len(args)} positional arguments")
        args[n] = map_structure(lambda x, n=n: _leaf(x, graph, f"{name}: argument {n}"), args[n])
        chosen.append(args[n])
    return graph, chosen, args


def _leaf(x, graph, where: str) -> Tensor:
    if not isinstance(x, (Tensor, Variable, np.ndarray, float, np.floating)):
        raise TypeError(f"{where}: floats expected, got {x!r}; pass an array of floats or a float")
    t = as_tensor(x, graph)
    check_float(t, where)
    # A node of its own, so that other uses of the same tensor stay apart.
    return graph.add("reshape", [t], {"shape": t.shape})[0]


def _float_target(value, graph, name: str) -> Tensor:
    if isinstance(value, (Variable, np.ndarray, np.number, float, int)):
        value = as_tensor(value, graph)
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: the function must return a tensor computed by brisknet.ops, got {value!r}")
    check_float(value, name)
    return value


def _pull(graph, targets, chosen, seeds, nodes) -> tuple:
    """Gradients in the structures of the chosen arguments; zeros where nothing depends on them."""
    wrt = flatten(chosen)
    seeds = [s if s is None else as_tensor(s, graph) for s in seeds]
    found = gradients(list(targets), wrt, seeds, nodes)
    if all(g is None for g in found):
        check_connected(targets, wrt, nodes)
    todo = [graph.add_constant(np.zeros(t.shape, t.dtype)) if g is None else g for t, g in zip(wrt, found, strict=True)]
    return tuple(map_structure(lambda _: todo.pop(0), chosen))


def _rows(graph, nodes, target, chosen, seeds) -> list:
    """[seeds, *shape] for each leaf of the arguments: one backward pass for each seed."""
    rows = [flatten(_pull(graph, [target], chosen, [seed], nodes)) for seed in seeds]
    if not rows:
        return [graph.add_constant(np.zeros((0, *t.shape), t.dtype)) for t in flatten(chosen)]
    return [stack(of_one) for of_one in zip(*rows, strict=True)]


def _no_rows(arguments) -> list:
    return [np.zeros((0, *np.shape(x)), "float32") for x in flatten(arguments)]


def _unit_seeds(out):
    """For every element of `out`, in order: an array that is one there and zero in all others."""
    return np.eye(out.size, dtype=str(out.dtype)).reshape(out.size, *out.shape)


def _seeds_by_call(out):
    """The unit seeds in lists of ROWS; the last one is filled up with zeros, so that all calls run one program."""
    for start in range(0, out.size, ROWS):
        yield list(np.eye(ROWS, out.size, start, dtype=str(out.dtype)).reshape(ROWS, *out.shape))
