"""Convolution and pooling as PyTorch has them: explicit padding on both sides. Shapes with channels last, as here."""

import numpy as np

# name -> (shape of x, shape of the kernel [*K,C/groups,F] or, transposed, [*K,F,C], PyTorch's arguments)
CONVOLUTIONS = {
    "plain": ((2, 5, 7, 3), (3, 3, 3, 4), {}),
    "padded_strided": ((1, 7, 6, 2), (3, 2, 2, 3), {"stride": (2, 3), "padding": (1, 1)}),
    "stride_over_kernel": ((2, 9, 8, 2), (2, 2, 2, 3), {"stride": 4}),
    "dilated": ((1, 9, 9, 2), (3, 3, 2, 3), {"dilation": (2, 3), "padding": 2}),
    "dilated_strided": ((1, 11, 9, 2), (3, 2, 2, 3), {"dilation": 2, "stride": 2, "padding": 1}),
    "groups": ((1, 5, 5, 6), (3, 3, 2, 9), {"groups": 3, "padding": 1}),
    "depthwise": ((2, 6, 5, 4), (3, 3, 1, 8), {"groups": 4, "stride": 2}),
    "one_pixel": ((1, 1, 1, 3), (3, 3, 3, 2), {"padding": 1}),
    "one_axis": ((2, 9, 3), (4, 3, 5), {"stride": 2, "padding": 2}),
    "volumes": ((1, 4, 5, 3, 2), (2, 3, 2, 2, 3), {"stride": (1, 2, 1), "padding": (1, 0, 1)}),
    "transposed": ((2, 3, 4, 3), (3, 3, 2, 3), {"stride": 2, "padding": 1}),
    "transposed_output_padding": ((1, 3, 3, 2), (3, 2, 3, 2), {"stride": (2, 3), "output_padding": (1, 2)}),
    "transposed_dilated": ((1, 3, 4, 2), (2, 3, 2, 2), {"dilation": 2, "padding": 1}),
    "transposed_one_axis": ((1, 5, 2), (4, 3, 2), {"stride": 3}),
}
# name -> (shape of x, PyTorch's arguments)
POOLS = {
    "max": ((2, 6, 4, 3), {"kernel_size": 2}),
    "max_overlapping": ((1, 7, 6, 2), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "max_stride_over_pool": ((1, 8, 7, 2), {"kernel_size": 2, "stride": 3}),
    "max_one_axis": ((2, 9, 3), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "max_volumes": ((1, 4, 5, 4, 2), {"kernel_size": (2, 3, 2), "stride": (1, 2, 2)}),
    "avg": ((2, 6, 4, 3), {"kernel_size": 2}),
    "avg_overlapping": ((1, 7, 6, 2), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    "avg_one_axis": ((2, 9, 3), {"kernel_size": 4, "stride": 2}),
    "avg_volumes": ((1, 4, 5, 4, 2), {"kernel_size": 2, "stride": 1}),
}
# name -> (PyTorch's class, batch, steps, features, units)
RECURRENT = {
    f"{kind}_{b}_{t}_{f}_{h}": (kind, b, t, f, h)
    for kind in ("LSTM", "GRU", "RNN")
    for b, t, f, h in ((3, 5, 2, 4), (1, 1, 1, 1), (1, 7, 3, 5), (2, 1, 4, 17), (5, 3, 4, 18))
}
# The same with the lengths of rows (packed: what is behind a row's end does not count), or backwards, or in two calls of which
# the second goes on with the states of the first: name -> (class, batch, steps, features, units, options)
RECURRENT_OPTIONS = {
    f"{kind}_{name}": (kind, b, t, f, h, options)
    for kind in ("LSTM", "GRU", "RNN")
    for name, b, t, f, h, options in (
        ("packed", 4, 6, 3, 7, {"lengths": (6, 1, 4, 3)}),
        ("packed_one_row", 1, 13, 2, 5, {"lengths": (9,)}),
        ("backwards", 3, 5, 2, 4, {"backwards": True}),
        ("packed_backwards", 3, 5, 2, 7, {"lengths": (5, 2, 3), "backwards": True}),
        ("stateful", 3, 4, 2, 7, {"before": True}),
        ("stateful_one_of_all", 1, 1, 1, 1, {"before": True}),
        ("two_ways", 2, 5, 3, 7, {"two_ways": True}),
        ("two_ways_packed", 3, 5, 3, 4, {"two_ways": True, "lengths": (2, 5, 4)}),
    )
}


def row_mask(lengths, steps: int):
    """bool [rows, steps]: the first `lengths` steps of every row."""
    return np.arange(steps) < np.array(lengths)[:, None]


# name -> (batch, positions of query and of value, width, heads, options of the call)
MULTI_HEAD = {
    "self": (2, 5, 5, 6, 2, {}),
    "causal": (2, 13, 13, 7, 7, {"causal": True}),
    "one_of_all": (1, 1, 1, 1, 1, {}),
    "one_row": (1, 9, 9, 14, 2, {"causal": True}),
    "one_position": (3, 1, 4, 6, 3, {"cross": True}),
    "cross": (2, 3, 7, 8, 2, {"cross": True}),
    "padded": (3, 6, 6, 6, 2, {"lengths": (6, 2, 4)}),
    "padded_causal": (3, 6, 6, 6, 1, {"lengths": (6, 2, 4), "causal": True}),
    "padded_cross": (2, 3, 7, 9, 3, {"cross": True, "lengths": (7, 4)}),
    "scores": (2, 4, 6, 6, 2, {"cross": True, "lengths": (6, 3), "scores": True}),
}
