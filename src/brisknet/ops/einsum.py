"""einsum and dot, composed of reductions, transposes and one batched matrix product for each pair of operands."""

from __future__ import annotations

import string

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import composite, dtype_of, float_array, match_floats
from brisknet.ops.linalg import product
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.ops.shape import reshape, transpose

__all__ = ["dot", "einsum", "parse_equation", "tensordot"]


def parse_equation(equation: str, ranks) -> tuple[list[str], str]:
    """(letters of each operand, letters of the output) of an einsum equation, with ellipses spelled out.

    Without "->" the output has the letters that occur once, in alphabetical order, behind those of the ellipses, as in
    NumPy. ValueError says what is wrong.
    """
    if not isinstance(equation, str):
        raise TypeError(f"einsum: the equation must be a string, e.g. 'ij,jk->ik', got {equation!r}")
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {equation!r} has {len(terms)} operands, got {len(ranks)}")
    if not set(text.replace("->", "").replace("...", "")) <= set(string.ascii_letters + ","):
        raise ValueError(f"einsum: letters, commas, '...' and '->' expected in the equation, got {equation!r}")
    spare = [c for c in string.ascii_letters[::-1] if c not in text]
    wide = max((r - len(t) + 3 for t, r in zip(terms, ranks, strict=True) if "..." in t), default=0)
    names = "".join(spare[:wide])[::-1]
    operands = []
    for term, rank in zip(terms, ranks, strict=True):
        plain = term.replace("...", "")
        extra = rank - len(plain)
        if extra < 0 or (extra and "..." not in term):
            raise ValueError(f"einsum: operand {term!r} of {equation!r} has {len(plain)} axes, got a tensor of rank {rank}")
        operands.append(term.replace("...", names[len(names) - extra :]))
    if not arrow:
        once = sorted(c for c in set(left) - set(",.") if left.count(c) == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    out = right.replace("...", names)
    unknown = sorted(set(out) - set("".join(operands)))
    if unknown or len(set(out)) != len(out):
        what = f"the letter {unknown[0]!r}, which no operand has" if unknown else "a letter twice"
        raise ValueError(f"einsum: the output of {equation!r} has {what}")
    return operands, out


def _sizes(operands, tensors, equation) -> dict:
    """{letter: size}; sizes of 1 broadcast, as NumPy has it for ellipses and letters alike."""
    sizes: dict = {}
    for term, t in zip(operands, tensors, strict=True):
        for c, d in zip(term, t.shape, strict=True):
            if sizes.setdefault(c, d) == 1:
                sizes[c] = d
            elif d not in (1, sizes[c]):
                shapes = [tuple(x.shape) for x in tensors]
                raise ValueError(f"einsum: {equation!r} gives axis {c!r} the sizes {sizes[c]} and {d}, got shapes {shapes}")
    return sizes


@composite
def einsum(subscripts, *operands, **kwargs):
    """Sum of products by Einstein's convention, as in NumPy: einsum("bij,bjk->bik", x, y).

    Any number of operands, ellipses and repeated letters (diagonals) are allowed. ValueError names what does not fit.
    """
    kwargs.pop("optimize", None)  # NumPy's and Keras' argument: the order is always chosen
    if kwargs:
        raise TypeError(f"einsum: unknown argument {sorted(kwargs)[0]!r}; its operands are given by position")
    tensors = _of_one_dtype(operands)
    terms, out = parse_equation(subscripts, [len(t.shape) for t in tensors])
    sizes = _sizes(terms, tensors, subscripts)
    pairs = [_own_axes(t, term, sizes) for t, term in zip(tensors, terms, strict=True)]
    for first, second in _order(pairs, out):
        b, a = pairs.pop(second), pairs.pop(first)
        later = set(out).union(*(term for _, term in pairs))
        pairs.append(_contract(a, b, later, out if not pairs else None, sizes))
    t, term = pairs[0]
    gone = tuple(i for i, c in enumerate(term) if c not in out)
    if gone:
        t, term = reduce_sum(t, axis=gone), "".join(c for c in term if c in out)
    return t if term == out else transpose(t, [term.index(c) for c in out])


def _of_one_dtype(operands) -> list:
    tensors = [x if hasattr(x, "shape") else np.asarray(x) for x in operands]
    if not tensors:
        raise ValueError("einsum: at least one operand expected, got none")
    first = tensors[0] if len(tensors) > 1 else float_array(tensors[0])
    out = [first]
    for t in tensors[1:]:
        out[0], t = match_floats(out[0], float_array(t))
        out.append(t)
    return [match_floats(t, out[0])[0] if dtype_of(t) != dtype_of(out[0]) else t for t in out]


def _own_axes(t, term, sizes):
    """(tensor, letters) with the diagonal taken of every repeated letter, and broadcast axes left out."""
    for c in sorted(set(term)):
        while term.count(c) > 1:
            i, n = term.index(c), sizes[c]
            j = term.index(c, i + 1)
            eye = np.eye(n).reshape([n if k in (i, j) else 1 for k in range(len(term))])
            t = reduce_sum(ew.multiply(t, eye.astype(dtype_of(t))), axis=j)
            term = term[:j] + term[j + 1 :]
    kept = [i for i, c in enumerate(term) if t.shape[i] == sizes[c]]
    if len(kept) < len(term):
        t, term = reshape(t, [t.shape[i] for i in kept]), "".join(term[i] for i in kept)
    return t, term


def _order(pairs, out) -> list:
    """Pairs of positions to contract, one after another; the product of each goes to the end of the list."""
    if len(pairs) < 3:
        return [(0, 1)] * (len(pairs) - 1)
    equation = ",".join(term for _, term in pairs) + "->" + out
    shapes = [np.broadcast_to(np.zeros(()), t.shape) for t, _ in pairs]
    path = np.einsum_path(equation, *shapes, optimize="greedy")[0][1:]
    steps, count = [], len(pairs)
    for step in path:
        step = sorted(step)
        steps.append((step[0], step[1]))
        count -= 1
        for _ in step[2:]:  # NumPy may join more than two at once: the product is the last of the list
            steps.append((step[0], count - 1))
            count -= 1
    return steps


def _contract(a, b, later, out, sizes):
    """(product, letters) of two (tensor, letters): letters that are not in `later` are summed over. `out` is the order that
    the result is wanted in, None where it does not matter."""
    (ta, la), (tb, lb) = (_summed(t, term, other, later) for (t, term), other in ((a, b[1]), (b, a[1])))
    if out is not None:  # the operand whose letters come last in the output goes second, so that nothing is transposed
        free = [c for c in out if (c in la) != (c in lb)]
        if free and free[0] in lb and free[-1] in la:
            ta, la, tb, lb = tb, lb, ta, la
    shared = [c for c in la if c in lb]
    batch = [c for c in (out or la) if c in shared and c in later]
    summed = [c for c in shared if c not in later]
    rows, cols = [c for c in la if c not in shared], [c for c in lb if c not in shared]
    if out is not None:
        rows, cols = sorted(rows, key=out.index), sorted(cols, key=out.index)
    lead = [sizes[c] for c in batch]
    shape = [*lead, *(sizes[c] for c in rows), *(sizes[c] for c in cols)]
    term = "".join([*batch, *rows, *cols])
    if not summed:
        x = _arranged(ta, la, [*batch, *rows], [*lead, *(sizes[c] for c in rows), *(1 for _ in cols)])
        y = _arranged(tb, lb, [*batch, *cols], [*lead, *(1 for _ in rows), *(sizes[c] for c in cols)])
        return ew.multiply(x, y), term
    if not rows and not cols:  # nothing but dot products: no matrix to multiply
        x, y = (_arranged(t, one, [*batch, *summed], [*lead, *(sizes[c] for c in summed)]) for t, one in ((ta, la), (tb, lb)))
        return reduce_sum(ew.multiply(x, y), axis=tuple(range(len(batch), x.ndim))), term
    m, n, k = (int(np.prod([sizes[c] for c in group], dtype=np.int64)) for group in (rows, cols, summed))
    first = _side(ta, la, batch, rows, summed, (*lead, m, k), (*lead, k, m))
    second = _side(tb, lb, batch, summed, cols, (*lead, k, n), (*lead, n, k))
    return reshape(product(first[0], second[0], first[1], second[1]), shape), term


def _summed(t, term, other, later):
    """The tensor summed over letters that nothing else has."""
    alone = tuple(i for i, c in enumerate(term) if c not in other and c not in later)
    if not alone:
        return t, term
    return reduce_sum(t, axis=alone), "".join(c for i, c in enumerate(term) if i not in alone)


def _arranged(t, term, order, shape):
    return reshape(transpose(t, [term.index(c) for c in order]), shape)


def _side(t, term, batch, first, second, shape, transposed_shape):
    """(operand, whether it is transposed) of a batched product: as it lies in memory, if it lies in one of the two orders."""
    if list(term) == [*batch, *second, *first]:
        return reshape(t, transposed_shape), True
    return _arranged(t, term, [*batch, *first, *second], shape), False


@composite
def dot(x1, x2):
    """NumPy's dot: sum over the last axis of x1 and the last but one of x2 (the only one of a vector)."""
    a, b = match_floats(float_array(x1), float_array(x2))
    ra, rb = len(a.shape), len(b.shape)
    if not ra or not rb:
        return ew.multiply(a, b)
    left, right = string.ascii_letters[: ra - 1], string.ascii_letters[ra - 1 : ra + rb - 2]
    inner = string.ascii_letters[ra + rb - 2]
    second = right[:-1] + inner + right[-1:] if rb > 1 else inner
    return einsum(f"{left}{inner},{second}->{left}{right}", a, b)


@composite
def tensordot(x1, x2, axes=2):
    """Sum over pairs of axes: the last `axes` of x1 with the first of x2, or two lists of axes."""
    a, b = match_floats(float_array(x1), float_array(x2))
    ra, rb = len(a.shape), len(b.shape)
    if isinstance(axes, (int, np.integer)):
        axes = list(range(ra - axes, ra)), list(range(axes))
    first, second = ([int(v)] if isinstance(v, (int, np.integer)) else [int(i) for i in v] for v in axes)
    if len(first) != len(second):
        raise ValueError(f"tensordot: as many axes of x1 as of x2 expected, got {first} and {second}")
    la, lb = list(string.ascii_letters[:ra]), list(string.ascii_letters[ra : ra + rb])
    for i, j in zip(first, second, strict=True):
        lb[j] = la[i]
    summed = {la[i] for i in first}
    out = [c for c in la if c not in summed] + [c for c in lb if c not in summed]
    return einsum(f"{''.join(la)},{''.join(lb)}->{''.join(out)}", a, b)
