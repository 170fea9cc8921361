"""What a layer does with symbolic tensors: shapes of outputs, and its place in the layer graph."""

from __future__ import annotations

from brisknet.graph.trace import Trace
from brisknet.layers.keras_tensor import CallNode, KerasTensor, flatten, map_structure
from brisknet.layers.shapes import Spec, map_structure_shapes, shapes_of, tensors_of, zip_structure

__all__ = ["Symbolic"]


class Symbolic:
    """The part of Layer that is called on KerasTensors."""

    def _symbolic_call(self, args, kwargs):
        self._ensure_built(args, kwargs)
        given = dict(kwargs)
        mask = self._take_masks(args, given)
        outputs = self.compute_output_spec(*args, **kwargs)
        CallNode(self, args, kwargs, outputs)
        self._give_masks(args, kwargs, outputs, mask)
        return outputs

    def compute_output_spec(self, *args, **kwargs):
        """KerasTensors of the outputs for KerasTensors of the inputs."""
        own = type(self).compute_output_shape is not Symbolic.compute_output_shape
        if own and len(args) == 1 and not any(isinstance(t, KerasTensor) for t in flatten(kwargs)):
            shape = self.compute_output_shape(shapes_of(args[0]))
            first = flatten(args[0])[0]
            dtype = first.dtype if first.dtype.startswith("float") else self.dtype
            return tensors_of(shape, dtype)
        return self._traced_spec(args, kwargs)

    def _traced_spec(self, args, kwargs):
        # Trace call() with two different sizes for every open dimension: what changes in the output is open there.
        traced = [self._trace_spec(args, kwargs, size) for size in (2, 3)]
        return map_structure(
            lambda pair: KerasTensor(
                tuple(None if a != b else a for a, b in zip(pair.a[0], pair.b[0], strict=True)), pair.a[1]
            ),
            zip_structure(*traced),
        )

    def _trace_spec(self, args, kwargs, size):
        with Trace() as graph:

            def leaf(t):
                if not isinstance(t, KerasTensor):
                    return t
                x = graph.add_input(tuple(size if d is None else d for d in t.shape), t.dtype)
                if t._keras_mask is not None:
                    x._keras_mask = leaf(t._keras_mask)
                return x

            out = self(*map_structure(leaf, args), **map_structure(leaf, kwargs))
        self._clear_losses()
        return map_structure(lambda t: Spec((tuple(t.shape), str(t.dtype))), out)

    def compute_output_shape(self, input_shape):
        """The output's shape for an input's shape (None where open)."""
        x = map_structure_shapes(lambda s: KerasTensor(s, self.dtype), input_shape)
        out = self.compute_output_spec(x)
        return map_structure(lambda t: t.shape, out)

    # ---- the layer graph ----------------------------------------------------------------------------------------
    @property
    def input(self):
        """The symbolic input of the layer's first call; AttributeError where there was none."""
        args = self._first_node().args
        return args[0] if len(args) == 1 else list(args)

    @property
    def output(self):
        """The symbolic output of the layer's first call; AttributeError where there was none."""
        return self._first_node().outputs

    def _first_node(self) -> CallNode:
        if not self._inbound_nodes:
            raise AttributeError(
                f"layer {self.name!r} has never been called on a symbolic tensor, so it has no input and no output yet"
            )
        return self._inbound_nodes[0]
