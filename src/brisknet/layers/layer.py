"""Layer: the base of everything that has weights and is called on tensors."""

from __future__ import annotations

import contextlib
import inspect
import threading

import numpy as np

from brisknet import config, initializers, regularizers
from brisknet.graph.ir import Tensor
from brisknet.graph.trace import Trace, current_graph, name_scope
from brisknet.layers.arguments import dtype_name, is_plain, shape_argument, unknown_arguments
from brisknet.layers.arguments import positive_int as _positive_int
from brisknet.layers.keras_tensor import CallNode, KerasTensor, flatten, map_structure
from brisknet.layers.shapes import Spec, map_structure_shapes, shapes_of, tensors_of, zip_structure
from brisknet.layers.tracking import tracked
from brisknet.utils.naming import auto_name, to_snake_case
from brisknet.variables import Variable

__all__ = ["Layer", "call_context"]

_context = threading.local()


class _CallContext:
    """What a call passes down to the layers inside it."""

    def __init__(self, training=None, model=None):
        self.training, self.model = training, model


def call_context() -> _CallContext | None:
    """The context of the outermost call under way in this thread."""
    return getattr(_context, "current", None)


@contextlib.contextmanager
def calling(training=None, model=None):
    """Enter a call; inner calls inherit what they are not told."""
    outer = call_context()
    if training is None and outer is not None:
        training = outer.training
    if model is None and outer is not None:
        model = outer.model
    _context.current = _CallContext(training, model)
    try:
        yield _context.current
    finally:
        _context.current = outer


# Attributes that hold layers or variables which are known already, or are none of the layer's parts.
_UNTRACKED = frozenset({"_layers", "_own", "_inbound_nodes", "_losses", "_given", "_build_shape", "_compile_args", "history"})


class Layer:
    """A callable with weights. Subclasses define __init__, build(input_shape), call(inputs, ...) and get_config().

    name        defaults to the class name in snake case, numbered
    trainable   whether its weights are trained
    dtype       dtype of its weights, config.floatx() by default
    autocast    Keras' argument; inputs are always cast
    activity_regularizer   a penalty on its outputs
    """

    def __new__(cls, *args, **kwargs):
        layer = object.__new__(cls)
        object.__setattr__(layer, "_given", (args, kwargs))  # for the config of classes without get_config()
        return layer

    def __init__(self, *, activity_regularizer=None, trainable=True, dtype=None, autocast=True, name=None, **kwargs):
        object.__setattr__(self, "_layers", [])
        self.name = name if name is not None else auto_name(to_snake_case(type(self).__name__))
        if not isinstance(self.name, str) or "/" in self.name:
            raise ValueError(f"layer name must be a string without '/', got {name!r}")
        self._trainable = bool(trainable)
        self._own: list[Variable] = []
        self._inbound_nodes: list[CallNode] = []
        self._losses: list = []
        self.built = False
        self.dtype = dtype_name(dtype) if dtype is not None else config.floatx()
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._input_shape_arg = None
        if "input_dim" in kwargs:
            self._input_shape_arg = (_positive_int(kwargs.pop("input_dim"), "input_dim"),)
        if "input_shape" in kwargs:
            self._input_shape_arg = shape_argument(kwargs.pop("input_shape"), "input_shape")
        if "batch_input_shape" in kwargs:
            self._input_shape_arg = shape_argument(kwargs.pop("batch_input_shape"), "batch_input_shape")[1:]
        if kwargs:
            raise TypeError(f"{type(self).__name__}: {unknown_arguments(type(self), kwargs)}")
        self._accepts = frozenset(inspect.signature(self.call).parameters)

    # ---- what subclasses define ---------------------------------------------------------------------------------
    def build(self, input_shape) -> None:
        """Create the weights for inputs of this shape (None where open)."""

    def call(self, inputs, *args, **kwargs):
        """Compute the outputs with brisknet.ops."""
        raise NotImplementedError(f"layer {type(self).__name__} must define call(self, inputs)")

    def get_config(self) -> dict:
        """The constructor's arguments. A class with arguments of its own gets them here where they are plain data."""
        out = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        if self.activity_regularizer is not None:
            out["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config and type(self).__init__ is not Layer.__init__:
            out.update(self._own_arguments())
        return out

    def _own_arguments(self) -> dict:
        args, kwargs = self._given
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs).arguments
        given = {k: v for k, v in list(bound.items())[1:] if k != "kwargs"}
        hard = [k for k, v in given.items() if not all(is_plain(leaf) for leaf in flatten(v))]
        if hard:
            raise NotImplementedError(
                f"{type(self).__name__}: the argument(s) {hard} can't be written into a config; define get_config()"
            )
        return given

    @classmethod
    def from_config(cls, config: dict):
        """A new layer from get_config()'s dict."""
        return cls(**config)

    # ---- weights ------------------------------------------------------------------------------------------------
    def add_weight(
        self, shape=None, initializer=None, dtype=None, trainable=True, autocast=True, regularizer=None, constraint=None,
        aggregation="none", overwrite_with_gradient=False, name=None,
    ) -> Variable:  # fmt: skip
        """A new variable of the layer: shape (), Glorot uniform (zeros for ints and bools) unless told otherwise.

        autocast and aggregation are Keras' and change nothing here.
        """
        if overwrite_with_gradient:
            raise ValueError(f"layer {self.name!r}: overwrite_with_gradient=True is not supported; leave it at False")
        if isinstance(shape, (int, np.integer)):
            shape = (shape,)
        shape = tuple(shape) if shape is not None else ()
        if any(d is None or int(d) < 0 for d in shape):
            raise ValueError(f"layer {self.name!r}: weight {name!r} needs a full shape of sizes >= 0, got {shape}")
        dtype = np.dtype(dtype or self.dtype).name
        if initializer is None:
            initializer = "glorot_uniform" if dtype.startswith("float") else "zeros"
        variable = Variable(
            shape=shape, dtype=dtype, initializer=initializers.get(initializer), trainable=trainable,
            name=name or "variable",
        )  # fmt: skip
        variable.path = f"{self.name}/{variable.name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraint
        self._own.append(variable)
        return variable

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
        if name not in _UNTRACKED and "_layers" in self.__dict__:
            self._track(value)
            value = tracked(value, self)
        object.__setattr__(self, name, value)

    def _track(self, value) -> None:
        """Take the layers and variables in `value` for parts of this layer."""
        for item in flatten(value) if isinstance(value, (list, tuple, dict)) else (value,):
            if isinstance(item, Layer) and item is not self:
                if all(item is not known for known in self._layers):
                    self._layers.append(item)
            elif isinstance(item, Variable) and all(item is not v for v in self.__dict__.get("_own", (item,))):
                item.path = f"{self.name}/{item.name}"
                self._own.append(item)

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

    variable_dtype = compute_dtype

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

    # ---- calling ------------------------------------------------------------------------------------------------
    def __call__(self, *args, **kwargs):
        leaves = flatten([args, kwargs])
        if any(isinstance(t, KerasTensor) for t in leaves):
            return self._symbolic_call(args, kwargs)
        if current_graph() is None:
            if args and isinstance(args[0], (list, tuple)) and any(isinstance(t, (int, float)) for t in flatten(args[0])):
                raise TypeError(
                    f"layer {self.name!r}: arrays expected, got numbers in a {type(args[0]).__name__}; make it an array "
                    "first, np.array(...)"
                )
            args = tuple(map_structure(self._to_array, a) for a in args)
        self._ensure_built(args, kwargs)
        with calling(kwargs.get("training")) as context:
            if "training" in self._accepts and kwargs.get("training") is None:
                kwargs["training"] = bool(context.training)
            elif "training" in kwargs and "training" not in self._accepts:
                kwargs.pop("training")
            with name_scope(self.name):
                outputs = self.call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for out in flatten(outputs):
                penalty = self.activity_regularizer(out)
                self.add_loss(penalty / float(max(out.shape[0] if out.shape else 1, 1)))
        return outputs

    def _to_array(self, x):
        if x is None or isinstance(x, (Tensor, bool, str)):
            return x
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"layer {self.name!r}: numbers expected, got an array of dtype {array.dtype}")
        return array.astype(self.dtype) if array.dtype.kind == "f" and array.dtype != self.dtype else array

    def _ensure_built(self, args, kwargs) -> None:
        if not args and not kwargs:
            raise TypeError(f"layer {self.name!r}: a tensor or an array to be called on expected, got nothing")
        shapes = shapes_of(args[0] if args else next(iter(kwargs.values())))
        if not self.built:
            self._build_now(shapes)
        self._check_input(shapes)

    def _build_now(self, shapes) -> None:
        # Weights are made outside any trace and any call: they are state, not part of the step.
        with _untraced():
            self.build(shapes)
        self.built = True
        self._build_shape = shapes
        if not self._trainable:
            self.trainable = False

    def _check_input(self, shapes) -> None:
        """Raise ValueError for inputs that the built layer cannot take; overridden where a layer is particular."""

    def _symbolic_call(self, args, kwargs):
        self._ensure_built(args, kwargs)
        outputs = self.compute_output_spec(*args, **kwargs)
        CallNode(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args, **kwargs):
        """KerasTensors of the outputs for KerasTensors of the inputs."""
        own = type(self).compute_output_shape is not Layer.compute_output_shape
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
                if isinstance(t, KerasTensor):
                    return graph.add_input(tuple(size if d is None else d for d in t.shape), t.dtype)
                return t

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

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


@contextlib.contextmanager
def undone_on_error(layers):
    """Within: calls that may build `layers`. Where one fails, weights and calls that the block has made are taken back."""
    inside = {id(x): x for layer in layers for x in layer._walk()}.values()
    before = [(x, x.built, list(x._own), list(x._inbound_nodes), getattr(x, "_build_shape", None)) for x in inside]
    try:
        yield
    except BaseException:
        for layer, built, own, nodes, shape in before:
            layer.built, layer._own[:], layer._inbound_nodes[:] = built, own, nodes
            layer._build_shape = shape
        raise


@contextlib.contextmanager
def _untraced():
    from brisknet.graph import trace

    saved = current_graph()
    trace._state.graph = None
    try:
        yield
    finally:
        trace._state.graph = saved
