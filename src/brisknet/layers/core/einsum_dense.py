"""EinsumDense."""

from __future__ import annotations

import re

import numpy as np

from brisknet import activations, initializers, ops, regularizers
from brisknet.layers.arguments import constraint, refuse, serialize_constraint
from brisknet.layers.layer import Layer
from brisknet.ops.activation import FROM_OUTPUT
from brisknet.ops.dispatch import float_array
from brisknet.ops.linalg import dense

__all__ = ["EinsumDense"]


class EinsumDense(Layer):
    """y = activation(einsum(equation, x, kernel) + bias).

    equation       like "ab,bc->ac", "...x,xy->...y" or "ab...,bc->ac..."
    output_shape   sizes of the output's axes, without the batch and the axes of an ellipsis; None where the input has it
    bias_axes      letters of the output along which the bias varies; None: no bias
    """

    def __init__(
        self, equation, output_shape, activation=None, bias_axes=None, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        bias_constraint=None, lora_rank=None, lora_alpha=None, gptq_unpacked_column_size=None, quantization_config=None,
        **kwargs,
    ):  # fmt: skip
        refuse("EinsumDense", lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config,
               gptq_unpacked_column_size=gptq_unpacked_column_size)  # fmt: skip
        super().__init__(**kwargs)
        self.equation, self.bias_axes = equation, bias_axes
        self._terms = _parsed(equation)
        self.partial_output_shape = _partial_shape(output_shape)
        if bias_axes is not None and (not isinstance(bias_axes, str) or not set(bias_axes) <= set(self._terms[2])):
            raise ValueError(
                f"EinsumDense: bias_axes must be letters of the output {self._terms[2]!r} of the equation, got {bias_axes!r}"
            )
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraint(kernel_constraint, "EinsumDense: kernel_constraint")
        self.bias_constraint = constraint(bias_constraint, "EinsumDense: bias_constraint")

    def build(self, input_shape):
        kernel_shape, bias_shape, _, axes = self._shapes(tuple(input_shape))
        if None in kernel_shape or None in (bias_shape or ()):
            raise ValueError(
                f"EinsumDense {self.name!r}: the axes of kernel and bias must have known sizes, got input {tuple(input_shape)} "
                f"and output_shape {self.partial_output_shape}"
            )
        initializer = self.kernel_initializer
        if isinstance(initializer, initializers.VarianceScaling) and None in (initializer.input_axes, initializer.output_axes):
            initializer = initializer.with_axes(*axes)
        self.kernel = self.add_weight(
            kernel_shape, initializer, regularizer=self.kernel_regularizer, constraint=self.kernel_constraint, name="kernel"
        )
        self.bias = None
        if bias_shape is not None:
            self.bias = self.add_weight(
                bias_shape, self.bias_initializer, regularizer=self.bias_regularizer, constraint=self.bias_constraint,
                name="bias",
            )  # fmt: skip
        self._ndim = len(input_shape)

    def _check_input(self, shape):
        if len(shape) != self._ndim:
            raise ValueError(f"EinsumDense {self.name!r}: input of rank {self._ndim} expected, got shape {tuple(shape)}")
        if self._shapes(tuple(shape))[0] != self.kernel.shape:
            raise ValueError(
                f"EinsumDense {self.name!r}: input that fits {self.equation!r} with a kernel of shape {self.kernel.shape} "
                f"expected, got shape {tuple(shape)}"
            )

    def call(self, inputs, training=None):
        x = float_array(inputs)
        if self._is_dense():
            return self._call_dense(x)
        y = ops.einsum(self.equation, x, self.kernel)
        y = y if self.bias is None else ops.add(y, self.bias)
        return self.activation(y)

    # ---- the same as a Dense layer over the last axes: bias and activation in the product ---------------------------
    def _is_dense(self) -> bool:
        """Whether the kernel begins with the input's last axes, and all its others end the output."""
        x, w, out, side = self._terms
        summed = next((n for n in range(len(w)) if w[n] in out), len(w))
        free, made = x[: len(x) - summed], w[summed:]
        last = 0 < summed < len(w) and x.endswith(w[:summed]) and out == free + made and not set(made) & set(x)
        return last and side != "right" and (self.bias_axes is None or sorted(self.bias_axes) == sorted(made))

    def _call_dense(self, x):
        name = getattr(self.activation, "__name__", "")
        fused = name in ("relu", "tanh", "linear") and name in FROM_OUTPUT and activations.get(name) is self.activation
        made = [c for c in self._terms[1] if c in self._terms[2]]
        summed = len(self._terms[1]) - len(made)
        kernel, bias, sizes = self.kernel, self.bias, self.kernel.shape[summed:]
        k, n = (int(np.prod(d, dtype=np.int64)) for d in (self.kernel.shape[:summed], sizes))
        if len(kernel.shape) > 2:
            kernel, bias = ops.reshape(kernel, (k, n)), None if bias is None else ops.reshape(bias, (n,))
        lead = x.shape[: len(x.shape) - summed]
        rows = int(np.prod(lead, dtype=np.int64))
        y = dense(ops.reshape(x, (rows, k)), kernel, bias, name if fused else "linear")
        y = ops.reshape(y, (*lead, *sizes))
        return y if fused else self.activation(y)

    # ---- shapes -----------------------------------------------------------------------------------------------------
    def _shapes(self, input_shape):
        """(kernel shape, bias shape or None, output shape, (input axes, output axes) of the kernel) for an input shape."""
        x, w, out, side = self._terms
        name = f"EinsumDense {self.name!r}"
        extra = len(input_shape) - len(x)
        if extra < 0 or (extra and not side):
            raise ValueError(f"{name}: input of rank {len(x)} expected by {self.equation!r}, got shape {input_shape}")
        given = dict(zip(x, input_shape[extra:] if side == "left" else input_shape, strict=False))
        known = [input_shape[0], *self.partial_output_shape]
        elided = input_shape[1:extra] if side == "left" else input_shape[len(x) :]
        full = [known[0], *elided, *known[1:]] if side == "left" and extra else [*known, *elided]
        if side == "left" and not extra:  # the ellipsis stands for nothing: the first letter is the batch
            full = known
        letters = full[extra:] if side == "left" else full[: len(full) - len(elided)]
        if len(letters) != len(out):
            raise ValueError(
                f"{name}: output_shape must have a size for each axis of the output {out!r} but the batch, got "
                f"{self.partial_output_shape}"
            )
        made = dict(zip(out, letters, strict=True))
        for c in x:
            if made.get(c) is not None and given[c] is not None and made[c] != given[c]:
                raise ValueError(f"{name}: axis {c!r} of {self.equation!r} is {given[c]} in the input and {made[c]} in output_shape")
            if c in made and made[c] is None:
                made[c] = given[c]
        kernel = tuple(made[c] if c in made else given[c] for c in w)
        axes = [i for i, c in enumerate(w) if c not in made], [i for i, c in enumerate(w) if c in made]
        full = [made[c] for c in out]
        full = [*input_shape[:extra], *full] if side == "left" else [*full, *elided]
        return kernel, self._bias_shape(out, made, extra if side == "right" else 0), tuple(full), axes

    def _bias_shape(self, out, sizes, behind: int):
        if self.bias_axes is None:
            return None
        first = min(out.find(c) for c in self.bias_axes) if self.bias_axes else len(out)
        return (*(sizes[c] if c in self.bias_axes else 1 for c in out[first:]), *(1,) * behind)

    def compute_output_shape(self, input_shape):
        return self._shapes(tuple(input_shape))[2]

    def get_config(self):
        return {
            **super().get_config(),
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": self.kernel_regularizer and regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": self.bias_regularizer and regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": self.activity_regularizer and regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": serialize_constraint(self.kernel_constraint),
            "bias_constraint": serialize_constraint(self.bias_constraint),
            "quantization_config": None,
        }


def _parsed(equation):
    """(input letters, kernel letters, output letters, where the ellipsis stands: "left", "right" or "")."""
    text = equation.replace(" ", "").replace("...", "0") if isinstance(equation, str) else ""
    for side, pattern in (("", r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)"), ("left", r"0([a-zA-Z]+),([a-zA-Z]+)->0([a-zA-Z]+)"),
                          ("right", r"([a-zA-Z]{2,})0,([a-zA-Z]+)->([a-zA-Z]+)0")):  # fmt: skip
        found = re.fullmatch(pattern, text)
        if found:
            x, w, out = found.groups()
            for c in out:
                if c not in x and c not in w:
                    raise ValueError(f"EinsumDense: axis {c!r} of the output of {equation!r} is in no operand")
            for c in w:
                if c not in x and c not in out:
                    raise ValueError(f"EinsumDense: axis {c!r} of the kernel of {equation!r} is in neither input nor output")
            return x, w, out, side
    raise ValueError(f"EinsumDense: equation must look like 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...', got {equation!r}")


def _partial_shape(shape) -> tuple:
    sizes = (shape,) if isinstance(shape, (int, np.integer)) or shape is None else shape
    whole = isinstance(sizes, (tuple, list)) and all(
        d is None or isinstance(d, (int, np.integer)) and not isinstance(d, bool) and d > 0 for d in sizes
    )
    if not whole:
        raise ValueError(f"EinsumDense: output_shape must be positive sizes, None where the input has the axis, got {shape!r}")
    return tuple(None if d is None else int(d) for d in sizes)
