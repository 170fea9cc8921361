"""Bad calls of brisknet.ops and brisknet.random: axes, shapes, indices and dtypes that do not fit, loops of unknown length."""

import numpy as np

from brisknet import ops, random
from tests.bad_calls import binary, case

X = np.ones((3, 5), np.float32)


def bad(name, call, error, *fragments):
    """A call without a model."""
    case(f"ops-{name}", binary, lambda m, x, y: call(), error, *fragments)


bad("take-range", lambda: ops.take(X, [5], axis=1), IndexError, "index 5 is out of range", "size 5")
bad("take-float", lambda: ops.take(X, [0.5]), TypeError, "take: integer indices expected", "float64", "ops.cast")
bad("take-axis", lambda: ops.take(X, [0], axis=2), ValueError, "take: axis 2", "rank 2")
bad("along-rank", lambda: ops.take_along_axis(X, [0], axis=1), ValueError, "indices of rank 2 expected", "(1,)")
bad("split-sections", lambda: ops.split(X, 2, axis=1), ValueError, "axis 1 of size 5", "2 equal sections", "array_split")
bad("stack-shapes", lambda: ops.stack([X, X[:2]]), ValueError, "stack: tensors of one shape expected", "(2, 5)", "(3, 5)")
bad("concatenate-axis", lambda: ops.concatenate([X, X], axis=2), ValueError, "concatenate: axis 2", "rank 2")
bad("one-hot-sparse", lambda: ops.one_hot([1], 3, sparse=True), ValueError, "sparse=True is not supported")
bad("moveaxis", lambda: ops.moveaxis(X, [0, 1], 0), ValueError, "as many sources as destinations", "[0, 1]", "[0]")
bad("diag-rank", lambda: ops.diag(np.ones((2, 2, 2))), ValueError, "diag: a vector or a matrix expected", "(2, 2, 2)")
bad("top-k", lambda: ops.top_k(X, 6), ValueError, "top_k: k must be between 0", "k=6", "(3, 5)")
bad("quantile-range", lambda: ops.quantile(X, 1.5), ValueError, "quantile: q must be known numbers from 0 to 1")
bad("quantile-method", lambda: ops.quantile(X, 0.5, method="best"), ValueError, "linear, lower, higher", "'best'")
bad("norm-ord", lambda: ops.norm(X, ord="nuc"), ValueError, "None, 'fro', 1, -1, inf or -inf", "'nuc'")
bad("average-weights", lambda: ops.average(X, axis=1, weights=np.ones(3)), ValueError, "weights of x's shape (3, 5)", "(3,)")
bad("pad-mode", lambda: ops.pad(X, 1, mode="mirror"), ValueError, "constant, edge, reflect, symmetric or wrap", "'mirror'")
bad("pad-values", lambda: ops.pad(X, 1, mode="edge", constant_values=1), ValueError, "goes with mode 'constant' only")
bad("slice-fit", lambda: ops.slice(X, [0, 3], [3, 3]), ValueError, "slice: start [0, 3]", "(3, 5)")
bad("slice-update", lambda: ops.slice_update(X, [1, 0], X), ValueError, "slice_update: updates of shape (3, 5)", "[1, 0]")
bad("scatter-reduction", lambda: ops.scatter_update(X, [[0, 0]], [1.0], reduction="or"), ValueError, "reduction must be one of", "'or'")
bad("scatter-axes", lambda: ops.scatter([[0, 0, 0]], [1.0], (2, 2)), ValueError, "index 3 axes", "(2, 2)")
bad("segment-rank", lambda: ops.segment_sum(X, np.zeros((3, 1), int), 2), ValueError, "segment_ids of rank 1")
bad("cross-size", lambda: ops.cross(np.ones(4), np.ones(4)), ValueError, "vectors of 2 or 3 elements", "4")
bad("depth-to-space", lambda: ops.depth_to_space(np.ones((1, 2, 2, 3)), 2), ValueError, "block_size^2 = 4", "3")
bad("where-half", lambda: ops.where(X > 0, X), ValueError, "give both x1 and x2")
bad("scan-lengths", lambda: ops.scan(lambda c, x: (c, x), 0, [X, X[:2]]), ValueError, "scan: one length", "[2, 3]")
bad("scan-no-function", lambda: ops.scan(3, 0, X), TypeError, "scan: f must be a function", "3")
bad("bce-shapes", lambda: ops.binary_crossentropy(X, X[:2]), ValueError, "one shape expected", "(3, 5)", "(2, 5)")
bad("sparse-cce", lambda: ops.sparse_categorical_crossentropy([1, 2], X), ValueError, "a class for each row", "(2,)", "(3, 5)")
bad("attention-rank", lambda: ops.dot_product_attention(X, X, X), ValueError, "rank 4 expected", "(3, 5)")
bad("bits-of-floats", lambda: ops.bitwise_and(X, X), TypeError, "bitwise_and: integers or bools expected", "float32")
bad("random-seed", lambda: random.normal((2,), seed="x"), ValueError, "seed must be an integer, a SeedGenerator or None", "'x'")
bad("random-shape", lambda: random.normal((None, 2)), ValueError, "a shape of known sizes expected", "(None, 2)")
bad("random-int", lambda: random.normal((2,), dtype="int32"), ValueError, "random.normal: a float dtype expected", "'int32'")
bad("randint-range", lambda: random.randint((2,), 5, 5), ValueError, "minval < maxval", "minval=5")
bad("dropout-rate", lambda: random.dropout(X, 1.5), ValueError, "rate from 0 to 1", "1.5")
bad("categorical-rank", lambda: random.categorical(np.ones(3), 2), ValueError, "logits of rank 2", "(3,)")
