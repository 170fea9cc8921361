"""Layer: the base of everything that has weights and is called on tensors."""

from __future__ import annotations

import functools
import inspect

import numpy as np

from brisknet import config, regularizers
from brisknet.graph.ir import Tensor
from brisknet.graph.trace import current_graph, name_scope
from brisknet.layers.arguments import dtype_name, is_plain, positive_int, shape_argument, unknown_arguments
from brisknet.layers.call_context import call_context, calling, kept_values, owning, undone_on_error, untraced
from brisknet.layers.input_spec import InputSpec, check_input_spec
from brisknet.layers.keras_tensor import CallNode, KerasTensor, flatten, map_structure
from brisknet.layers.masks import Masked, get_mask, set_mask
from brisknet.layers.shapes import map_structure_shapes, shapes_of
from brisknet.layers.symbolic import Symbolic
from brisknet.layers.weights import Weights
from brisknet.utils.naming import auto_name, to_snake_case
from brisknet.variables import Variable

__all__ = ["InputSpec", "Layer", "call_context", "calling", "undone_on_error"]


class Layer(Weights, Symbolic, Masked):
    """A callable with weights. Subclasses define __init__, build(input_shape), call(inputs, ...) and get_config().

    name        defaults to the class name in snake case, numbered
    trainable   whether its weights are trained
    dtype       dtype of its weights, config.floatx() by default
    autocast    Keras' argument; inputs are always cast
    activity_regularizer   a penalty on its outputs
    """

    input_spec = None  # an InputSpec, or a list of one an input, that calls are checked against

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _marking_built(vars(cls)["build"])
        if "compute_mask" in vars(cls) and "supports_masking" not in vars(cls):
            cls.supports_masking = True

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
            self._input_shape_arg = (positive_int(kwargs.pop("input_dim"), "input_dim"),)
        if "input_shape" in kwargs:
            self._input_shape_arg = shape_argument(kwargs.pop("input_shape"), "input_shape")
        if "batch_input_shape" in kwargs:
            self._input_shape_arg = shape_argument(kwargs.pop("batch_input_shape"), "batch_input_shape")[1:]
        if kwargs:
            raise TypeError(f"{type(self).__name__}: {unknown_arguments(type(self), kwargs)}")
        parameters = inspect.signature(self.call).parameters
        self._accepts = frozenset(parameters)
        default = parameters["training"].default if "training" in parameters else None
        self._training_default = default is not inspect.Parameter.empty and bool(default)

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

    @property
    def path(self) -> str:
        """Where the layer is, as the paths of its weights begin: "model/block/dense"; its name where it has none."""
        return self._own[0].path.rpartition("/")[0] if self._own else self.name

    def get_build_config(self) -> dict | None:
        """What build_from_config() makes the weights from; None for a layer that is not built, or has nothing to build."""
        shape = getattr(self, "_build_shape", None)
        return {"input_shape": shape} if self.built and shape is not None else None

    def build_from_config(self, config: dict) -> None:
        """Make the weights as they are in a layer with this get_build_config()."""
        shape = config.get("input_shape")
        if not self.built and shape is not None:
            self.build(map_structure_shapes(tuple, shape))

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
        elif any(isinstance(t, np.ndarray) for t in leaves):  # arrays among what is traced: constants, or watched by a tape
            args = tuple(map_structure(self._in_trace, a) for a in args)
        self._ensure_built(args, kwargs)
        mask = self._take_masks(args, kwargs)
        if call_context() is None:  # penalties of an earlier call by hand
            self._clear_losses()
        with calling(kwargs.get("training")) as context:
            # As in Keras: what the caller says, else what the layers around were told, else the default of call().
            if "training" in self._accepts and kwargs.get("training") is None:
                if context.training is None and self._training_default:
                    context.training = True
                kwargs["training"] = bool(context.training)
            elif "training" in kwargs and "training" not in self._accepts:
                kwargs.pop("training")
            with name_scope(self.name), owning(self):
                outputs = self.call(*args, **kwargs)
        if self.activity_regularizer is not None:
            for out in flatten(outputs):
                penalty = self.activity_regularizer(out)
                self.add_loss(penalty / float(max(out.shape[0] if out.shape else 1, 1)))
        self._give_masks(args, kwargs, outputs, mask)
        return outputs

    def _in_trace(self, x):
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        watched = current_graph().watched.get(id(x))
        return self._to_array(x) if watched is None else watched[1]

    def _to_array(self, x):
        if x is None or isinstance(x, (Tensor, bool, str)):
            return x
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"layer {self.name!r}: numbers expected, got an array of dtype {array.dtype}")
        if array.dtype.kind != "f" or array.dtype == self.dtype:
            return array
        converted = array.astype(self.dtype)
        set_mask(converted, get_mask(array))
        return converted

    def _ensure_built(self, args, kwargs) -> None:
        if not args and not kwargs:
            raise TypeError(f"layer {self.name!r}: a tensor or an array to be called on expected, got nothing")
        first = args[0] if args else next(iter(kwargs.values()))
        shapes = shapes_of(first)
        if not self.built:
            self._build_now(shapes, args, kwargs)
        if self.input_spec is not None:
            check_input_spec(self.input_spec, first, f"layer {self.name!r}")
        self._check_input(shapes)

    def _build_now(self, shapes, args=(), kwargs=None) -> None:
        parameters = inspect.signature(self.build).parameters
        if len(parameters) > 1 and all(p.endswith("_shape") for p in parameters):  # build(query_shape, value_shape)
            given = inspect.signature(self.call).bind_partial(*args, **(kwargs or {})).arguments
            named = {f"{k}_shape": shapes_of(v) for k, v in given.items() if v is not None}
            self.build(**{p: named.get(p) for p in parameters})
        else:
            self.build(shapes)
        self.built, self._build_shape = True, shapes

    def _check_input(self, shapes) -> None:
        """Raise ValueError for inputs that the built layer cannot take; overridden where a layer is particular."""

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"

    # ---- without side effects -----------------------------------------------------------------------------------
    def stateless_call(self, trainable_variables, non_trainable_variables, *args, return_losses=False, **kwargs):
        """call() with given values of the weights, which keep their own: (outputs, new non-trainable values[, losses]).

        ValueError before the layer is built, and for lists that do not fit its weights.
        """
        if not self.built:
            raise ValueError(f"layer {self.name!r} must be built before stateless_call(): call it on data first")
        trained, others = self.trainable_variables, self.non_trainable_variables
        for name, given, own in (("trainable_variables", trainable_variables, trained),
                                 ("non_trainable_variables", non_trainable_variables, others)):  # fmt: skip
            if len(given) != len(own):
                raise ValueError(f"layer {self.name!r}: {len(own)} {name} expected by stateless_call(), got {len(given)}")
        with kept_values(self.variables):
            for v, value in zip([*trained, *others], [*trainable_variables, *non_trainable_variables], strict=True):
                v.assign(value)
            self._clear_losses()
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
            after = [v.value if current_graph() is not None else v.numpy() for v in others]
        return (outputs, after, losses) if return_losses else (outputs, after)


def _marking_built(build):
    """build(), outside any trace (weights are state, not part of a step), after which the layer counts as built."""

    @functools.wraps(build)
    def marking(self, *args, **kwargs):
        if type(self).build is not marking:  # the build() of a base class, called by that of the class
            return build(self, *args, **kwargs)
        with untraced(), owning(self):
            build(self, *args, **kwargs)
        if not self.built:
            self.built = True
            self._build_shape = args[0] if args else next(iter(kwargs.values()), None)
        if not self._trainable:
            self.trainable = False
        return None

    return marking
