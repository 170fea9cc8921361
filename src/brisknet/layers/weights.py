"""What a layer knows of its weights and of the layers inside it."""

from __future__ import annotations

import numpy as np

from brisknet import initializers, regularizers
from brisknet.layers.arguments import constraint as constraint_of
from brisknet.layers.arguments import dtype_name
from brisknet.layers.call_context import weight_path
from brisknet.layers.keras_tensor import flatten
from brisknet.layers.tracking import tracked
from brisknet.variables import Variable

__all__ = ["Weights"]

# Attributes that hold layers or variables which are known already, or are none of the layer's parts.
_UNTRACKED = frozenset({
    "_layers", "_own", "_inbound_nodes", "_losses", "_given", "_build_shape", "_compile_args", "history", "_own_metrics",
    "_loss_tracker",
})  # fmt: skip
_PLAIN = frozenset({bool, int, float, str, type(None)})  # values that hold no parts


class Weights:
    """The part of Layer that keeps weights, inner layers and penalties."""

    # ---- weights ------------------------------------------------------------------------------------------------
    def add_weight(
        self, shape=None, initializer=None, dtype=None, trainable=True, autocast=True, regularizer=None, constraint=None,
        aggregation="none", overwrite_with_gradient=False, name=None,
    ) -> Variable:  # fmt: skip
        """A new variable of the layer: shape (), Glorot uniform (zeros for ints and bools) unless told otherwise.

        initializer, regularizer   names, objects, or any callables (shape, dtype) -> array and (weight) -> scalar
        constraint                 applied to the weight after every update
        autocast and aggregation are Keras' and change nothing here.
        """
        if overwrite_with_gradient:
            raise ValueError(f"layer {self.name!r}: overwrite_with_gradient=True is not supported; leave it at False")
        shape = self._weight_shape(shape, name)
        dtype = dtype_name(dtype) if dtype is not None else self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if dtype.startswith("float") else "zeros"
        name = name or "variable"
        value = np.asarray(initializers.get(initializer)(shape, dtype=dtype))
        if value.shape != shape:
            raise ValueError(
                f"layer {self.name!r}: the initializer of weight {name!r} must give an array of shape {shape}, got one of "
                f"shape {value.shape}"
            )
        variable = Variable(value, dtype=dtype, trainable=trainable, name=name)
        variable.path = weight_path(self, variable.name)
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraint_of(constraint, f"layer {self.name!r}: constraint of weight {name!r}")
        self._own.append(variable)
        return variable

    def _weight_shape(self, shape, name) -> tuple:
        """A shape as a tuple of sizes; an error for anything else."""
        if isinstance(shape, str):
            raise ValueError(
                f"layer {self.name!r}: add_weight() takes the shape first and the name by keyword, "
                f"add_weight(shape=..., name={shape!r}); got the string {shape!r} as shape"
            )
        if isinstance(shape, (int, np.integer)) and not isinstance(shape, bool):
            shape = (shape,)
        shape = () if shape is None else shape
        whole = isinstance(shape, (tuple, list)) and all(isinstance(d, (int, np.integer)) and d >= 0 for d in shape)
        if not whole:
            raise ValueError(f"layer {self.name!r}: weight {name!r} needs a full shape of sizes >= 0, got {shape!r}")
        return tuple(int(d) for d in shape)

    def add_loss(self, loss) -> None:
        """Add scalar losses computed in call() to the model's loss."""
        self._losses.extend(flatten(loss))

    @property
    def losses(self) -> list:
        """Penalties of this layer and those inside: weight regularizers, then what call() added."""
        found = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return found + [loss for layer in self._walk() for loss in layer._losses]

    def _clear_losses(self) -> None:
        for layer in self._walk():
            layer._losses = []

    def _walk(self):
        """This layer and all inside, each once."""
        seen, todo = set(), [self]
        while todo:
            layer = todo.pop(0)
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            yield layer
            todo[:0] = layer._layers

    def __setattr__(self, name, value):
        if type(value) not in _PLAIN and name not in _UNTRACKED and "_layers" in self.__dict__:
            self._track(value)
            value = tracked(value, self)
        object.__setattr__(self, name, value)

    def _track(self, value) -> None:
        """Take the layers, variables and metrics in `value` for parts of this layer."""
        for item in flatten(value) if isinstance(value, (list, tuple, dict)) else (value,):
            if isinstance(item, Weights) and item is not self:
                if all(item is not known for known in self._layers):
                    self._layers.append(item)
            elif isinstance(item, Variable) and all(item is not v for v in self.__dict__.get("_own", (item,))):
                if "/" not in item.path:  # a weight that another layer has made keeps its path
                    item.path = weight_path(self, item.name)
                self._own.append(item)
            elif hasattr(item, "update_state") and hasattr(item, "reset_state"):
                known = self.__dict__.setdefault("_own_metrics", [])
                if all(item is not m for m in known):
                    known.append(item)

    @property
    def metrics(self) -> list:
        """The metrics that this layer and the layers inside keep in their attributes."""
        return [m for layer in self._walk() for m in layer.__dict__.get("_own_metrics", ())]

    @property
    def weights(self) -> list[Variable]:
        """Trainable then other weights of the layer, then those of the layers inside, each once."""
        own = [v for v in self._own if v.born_trainable] + [v for v in self._own if not v.born_trainable]
        out = {id(v): v for v in own}
        for layer in self._layers:
            for v in layer.weights:
                out.setdefault(id(v), v)
        return list(out.values())

    variables = weights

    @property
    def compute_dtype(self) -> str:
        """The dtype that the layer computes in, which is that of its weights."""
        return self.dtype

    variable_dtype = dtype_policy = compute_dtype

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value) -> None:
        value = bool(value)
        self._trainable = value
        for v in self._own:
            v.trainable = value and v.born_trainable
        for layer in self._layers:
            layer.trainable = value

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone (moving statistics, frozen layers)."""
        return [v for v in self.weights if not v.trainable] if self._trainable else self.weights

    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights) -> None:
        """Set all weights from a list of arrays in the order of `weights`.

        ValueError, before anything is changed, where their number or a shape does not fit.
        """
        if isinstance(weights, (str, bytes, dict)) or not hasattr(weights, "__iter__"):
            raise TypeError(f"layer {self.name!r}: set_weights() needs a list of arrays, got {type(weights).__name__}")
        own, weights = self.weights, list(weights)
        if len(weights) != len(own):
            raise ValueError(f"layer {self.name!r} has {len(own)} weights, set_weights() was given {len(weights)}")
        for v, w in zip(own, weights, strict=True):
            if isinstance(w, (str, bytes)) or w is None:
                raise TypeError(f"layer {self.name!r}: weight {v.path!r} needs an array of shape {v.shape}, got {w!r}")
        try:
            arrays = [np.asarray(w) for w in weights]
        except ValueError as error:
            raise ValueError(f"layer {self.name!r}: set_weights() needs arrays, got a ragged sequence ({error})") from None
        for v, a in zip(own, arrays, strict=True):
            if a.shape != v.shape:
                raise ValueError(f"layer {self.name!r}: weight {v.path!r} has shape {v.shape}, got {a.shape}")
            if a.dtype.kind not in "fiub":
                raise TypeError(f"layer {self.name!r}: weight {v.path!r} needs numbers, got dtype {a.dtype}")
        for v, a in zip(own, arrays, strict=True):
            v.assign(a)

    def count_params(self) -> int:
        """The number of weights; ValueError before the layer is built."""
        if not self.built:
            raise ValueError(f"layer {self.name!r} is not built yet: call it on data, or build(input_shape), first")
        return sum(v.size for v in self.weights)
