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
from brisknet.passes.autodiff import gradients
from brisknet.variables import Variable

__all__ = ["grad", "hessian", "jacobian", "value_and_grad"]


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
    with that of the argument (or a tuple of several) in it. One backward pass for each element of the value.
    """
    numbers = _numbers(argnums, "jacobian")

    def pulled(seeds, *args, **kwargs):
        graph, chosen, args = _leaves_of(args, numbers, "jacobian")
        first = len(graph.nodes)
        targets = [_float_target(t, graph, "jacobian") for t in flatten(fn(*args, **kwargs))]
        return _pull(graph, targets, chosen, list(seeds), first)

    values, pull = Function(_named(fn, fn)), Function(_named(pulled, fn))

    def compute(*args, **kwargs):
        outs = values(*args, **kwargs)
        parts = []
        for i, out in enumerate(flatten(outs)):
            rows = [pull(seeds, *args, **kwargs) for seeds in _unit_seeds(flatten(outs), i)]
            parts.append(_stacked(rows, tuple(out.shape), [args[n] for n in numbers], argnums))
        return map_structure(lambda _: parts.pop(0), outs)

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
        found = _pull(graph, [value], chosen, [None], first)
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


def _pull(graph, targets, chosen, seeds, first) -> tuple:
    """Gradients in the structures of the chosen arguments; zeros where nothing depends on them."""
    nodes, wrt = graph.nodes[first:], flatten(chosen)
    seeds = [s if s is None else as_tensor(s, graph) for s in seeds]
    found = gradients(list(targets), wrt, seeds, nodes)
    if all(g is None for g in found):
        check_connected(targets, wrt, nodes)
    todo = [graph.add_constant(np.zeros(t.shape, t.dtype)) if g is None else g for t, g in zip(wrt, found, strict=True)]
    return tuple(map_structure(lambda _: todo.pop(0), chosen))


def _unit_seeds(outs, i: int):
    """For every element of output i: one in its place, zeros in all others."""
    seeds = [np.zeros(o.shape, "float32" if isinstance(o, Tensor) and o.dtype == "float32" else str(o.dtype)) for o in outs]
    for k in range(seeds[i].size):
        seeds[i] = np.zeros(outs[i].shape, seeds[i].dtype)
        seeds[i].reshape(-1)[k] = 1
        yield list(seeds)


def _stacked(rows, shape, arguments, argnums):
    """The rows of a Jacobian put together, in the structure of the arguments."""
    from brisknet import ops

    flat = [flatten(row) for row in rows]
    todo = []
    for j, x in enumerate(flatten(arguments)):
        inner = tuple(np.shape(x)) if not hasattr(x, "shape") else tuple(x.shape)
        if not flat:
            todo.append(np.zeros((*shape, *inner), "float32"))
        elif isinstance(flat[0][j], Tensor):
            todo.append(ops.reshape(ops.stack([r[j] for r in flat]), (*shape, *inner)))
        else:
            todo.append(np.stack([r[j] for r in flat]).reshape(*shape, *inner))
    packed = tuple(map_structure(lambda _: todo.pop(0), list(arguments)))
    return packed if isinstance(argnums, (tuple, list)) else packed[0]
