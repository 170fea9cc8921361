"""Convolution and pooling as PyTorch has them: explicit padding on both sides. Shapes with channels last, as here."""

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
