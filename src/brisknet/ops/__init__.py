"""The vocabulary: brisknet.ops, on arrays at once, on traced tensors as nodes of the compute graph."""

from brisknet.ops.activation import (
    celu, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, log_sigmoid, log_softmax, mish,
    relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax,
    squareplus, step, tanh, tanh_shrink, threshold,
)  # fmt: skip
from brisknet.ops.assign import stop_gradient
from brisknet.ops.einsum import dot, einsum, tensordot
from brisknet.ops.linalg import dense, matmul
from brisknet.ops.dispatch import cast
from brisknet.ops.elementwise import (
    abs, add, ceil, clip, cos, divide, equal, erf, exp, expm1, floor, greater, greater_equal, less, less_equal, log,
    log1p, logical_and, logical_not, logical_or, maximum, minimum, multiply, negative, not_equal, power, reciprocal,
    round, rsqrt, sign, sin, sqrt, square, subtract, where,
)  # fmt: skip
from brisknet.ops import conv as _conv, image as _image, pool as _pool  # noqa: F401
from brisknet.ops import attention as _attention, embedding as _embedding, sampling as _sampling  # noqa: F401
from brisknet.ops import ctc as _ctc  # noqa: F401
from brisknet.ops import lookup as _lookup  # noqa: F401
from brisknet.ops import assign, loss, metric, metric_rows, metric_state, norm as _norm, norm_rows, optim, optim_state, random  # noqa: F401  (their records)
from brisknet.ops import tensor_methods as _methods  # noqa: F401
from brisknet.ops import rnn_gru as _gru, rnn_lstm as _lstm, rnn_simple as _rnn  # noqa: F401
from brisknet.ops.lookup import digitize
from brisknet.ops.normalize import layer_normalization, normalize, rms_normalization
from brisknet.ops.reduction import argmax, argmin, max, mean, min, one_hot, prod, sum
from brisknet.ops.spatial import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv
from brisknet.ops.shape import broadcast_to, concatenate, expand_dims, pad, reshape, squeeze, stack, transpose
from brisknet.ops.arithmetic import (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, bitwise_and, bitwise_left_shift, bitwise_or,
    bitwise_right_shift, bitwise_xor, cbrt, cosh, erfinv, exp2, floor_divide, log10, log2, mod, sinh, tan,
    trunc,
)  # fmt: skip
from brisknet.ops.control import (
    associative_scan, cond, custom_gradient, fori_loop, map, scan, switch, vectorize, vectorized_map, while_loop,
)  # fmt: skip
from brisknet.ops.create import (
    arange, array, bartlett, blackman, convert_to_numpy, convert_to_tensor, copy, empty, empty_like, eye, full,
    full_like, geomspace, hamming, hanning, identity, is_tensor, kaiser, linspace, logspace, meshgrid, ones,
    ones_like, tri, zeros, zeros_like,
)  # fmt: skip
from brisknet.ops.functions import (
    absolute, angle, bitwise_invert, bitwise_not, conj, conjugate, deg2rad, divide_no_nan, erfc, fabs, fmax,
    fmin, fmod, hard_swish, heaviside, hypot, imag, isclose, isfinite, isin, isinf, isnan, isneginf, isposinf,
    isreal, ldexp, left_shift, logaddexp, logaddexp2, logical_xor, nan_to_num, rad2deg, real, right_shift,
    saturate_cast, signbit, sinc, swish, true_divide,
)  # fmt: skip
from brisknet.ops.gather import (
    get_item, scatter, scatter_update, segment_max, segment_min, segment_prod, segment_sum, slice, slice_update,
    take, take_along_axis,
)  # fmt: skip
from brisknet.ops.host import (
    bincount, cholesky, cholesky_inverse, det, eig, eigh, gcd, histogram, i0, inv, lcm, logdet, lstsq,
    lu_factor, matrix_rank, nanargmax, nanargmin, nanmedian, nanpercentile, nanquantile, nextafter, nonzero,
    pinv, qr, select, slogdet, solve, solve_triangular, svd, unique, unravel_index,
)  # fmt: skip
from brisknet.ops.neural import (
    batch_normalization, binary_crossentropy, categorical_crossentropy, dot_product_attention,
    extract_sequences, in_top_k, multi_hot, psnr, sparse_categorical_crossentropy,
)  # fmt: skip
from brisknet.ops.python_call import host_call
from brisknet.ops.products import (
    cdist, correlate, cross, inner, kron, outer, vander, vdot,
)  # fmt: skip
from brisknet.ops.moving import (
    append, array_split, depth_to_space, diag, diagflat, diagonal, dsplit, dstack, flip, fliplr, flipud, hsplit,
    hstack, moveaxis, ravel, repeat, roll, rot90, space_to_depth, split, swapaxes, tile, trace, tril, triu,
    unstack, vsplit, vstack,
)  # fmt: skip
from brisknet.ops.sorting import (
    argpartition, argsort, cumprod, cumsum, diff, median, nancumprod, nancumsum, percentile, quantile,
    searchsorted, sort, top_k, trapezoid,
)  # fmt: skip
from brisknet.ops.statistics import (
    all, allclose, amax, amin, any, array_equal, average, corrcoef, count_nonzero, logsumexp, moments, nanmax,
    nanmean, nanmin, nanprod, nanstd, nansum, nanvar, norm, ptp, std, var,
)  # fmt: skip
from brisknet.ops.attributes import dtype, ndim, shape, size

__all__ = [
    "abs", "absolute", "add", "all", "allclose", "amax", "amin", "angle", "any", "append", "arange", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition",
    "argsort", "array", "array_equal", "array_split", "associative_scan", "average", "average_pool", "bartlett",
    "batch_normalization", "binary_crossentropy", "bincount", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman",
    "broadcast_to", "cast", "categorical_crossentropy", "cbrt", "cdist", "ceil", "celu", "cholesky",
    "cholesky_inverse", "clip", "concatenate", "cond", "conj", "conjugate", "conv", "conv_transpose",
    "convert_to_numpy", "convert_to_tensor", "copy", "corrcoef", "correlate", "cos", "cosh", "count_nonzero",
    "cross", "cumprod", "cumsum", "custom_gradient", "deg2rad", "dense", "depth_to_space", "depthwise_conv", "det", "diag",
    "diagflat", "diagonal", "diff", "digitize", "divide", "divide_no_nan", "dot", "dot_product_attention",
    "dsplit", "dstack", "dtype", "eig", "eigh", "einsum", "elu", "empty", "empty_like", "equal", "erf", "erfc",
    "erfinv", "exp", "exp2", "expand_dims", "expm1", "extract_sequences", "eye", "fabs", "flip", "fliplr",
    "flipud", "floor", "floor_divide", "fmax", "fmin", "fmod", "fori_loop", "full", "full_like", "gcd", "gelu",
    "geomspace", "get_item", "glu", "greater", "greater_equal", "hamming", "hanning", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "heaviside", "histogram", "host_call", "hsplit", "hstack",
    "hypot", "i0", "identity", "imag", "in_top_k", "inner", "inv", "is_tensor", "isclose", "isfinite", "isin",
    "isinf", "isnan", "isneginf", "isposinf", "isreal", "kaiser", "kron", "layer_normalization", "lcm", "ldexp",
    "leaky_relu", "left_shift", "less", "less_equal", "linspace", "log", "log10", "log1p", "log2",
    "log_sigmoid", "log_softmax", "logaddexp", "logaddexp2", "logdet", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logspace", "logsumexp", "lstsq", "lu_factor", "map", "matmul", "matrix_rank",
    "max", "max_pool", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mish", "mod", "moments",
    "moveaxis", "multi_hot", "multiply", "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum",
    "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum",
    "nanvar", "ndim", "negative", "nextafter", "nonzero", "norm", "normalize", "not_equal", "one_hot", "ones",
    "ones_like", "outer", "pad", "percentile", "pinv", "power", "prod", "psnr", "ptp", "qr", "quantile",
    "rad2deg", "ravel", "real", "reciprocal", "relu", "relu6", "repeat", "reshape", "right_shift",
    "rms_normalization", "roll", "rot90", "round", "rsqrt", "saturate_cast", "scan", "scatter",
    "scatter_update", "searchsorted", "segment_max", "segment_min", "segment_prod", "segment_sum", "select",
    "selu", "separable_conv", "shape", "sigmoid", "sign", "signbit", "silu", "sin", "sinc", "sinh", "size",
    "slice", "slice_update", "slogdet", "soft_shrink", "softmax", "softplus", "softsign", "solve",
    "solve_triangular", "sort", "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "split", "sqrt", "square", "squareplus", "squeeze", "stack", "std", "step",
    "stop_gradient", "subtract", "sum", "svd", "swapaxes", "swish", "switch", "take", "take_along_axis", "tan",
    "tanh", "tanh_shrink", "tensordot", "threshold", "tile", "top_k", "trace", "transpose", "trapezoid", "tri",
    "tril", "triu", "true_divide", "trunc", "unique", "unravel_index", "unstack", "vander", "var", "vdot",
    "vectorize", "vectorized_map", "vsplit", "vstack", "where", "while_loop", "zeros", "zeros_like",
]  # fmt: skip
