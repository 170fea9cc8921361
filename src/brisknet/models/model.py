"""Model: a Layer that can be compiled, trained, evaluated and asked for predictions."""

from __future__ import annotations

import copy
import inspect

from brisknet.layers.keras_tensor import KerasTensor
from brisknet.layers.layer import Layer
from brisknet.layers.shapes import is_shape, map_structure_shapes
from brisknet.training.trainer import Trainer
from brisknet.utils.naming import near_names

__all__ = ["Model"]


class Model(Trainer, Layer):
    """Model(inputs, outputs) makes a functional model; a subclass with call() is a subclassed one."""

    def __new__(cls, *args, **kwargs):
        from brisknet.models.functional import Functional

        functional = cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs)
        return Layer.__new__(Functional if functional else cls, *args, **kwargs)

    def __init__(self, *args, **kwargs):
        if type(self) is Model and not args and not kwargs:
            raise TypeError("Model() needs inputs and outputs, or a subclass with its own call(); see also Sequential")
        if args or "inputs" in kwargs or "outputs" in kwargs:
            return _become_functional(self, args, kwargs)
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)

    # ---- structure ----------------------------------------------------------------------------------------------
    @property
    def layers(self) -> list[Layer]:
        """The layers, in order; the input layers of a functional model first."""
        return list(self._layers)

    def get_layer(self, name=None, index=None) -> Layer:
        """The layer of a name or at an index; ValueError where there is none."""
        if (name is None) == (index is None):
            raise ValueError(f"get_layer: a name or an index, one of the two, expected, got name={name!r}, index={index!r}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: index {index} is out of range for {len(self.layers)} layers")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        near = near_names(str(name), [x.name for x in self.layers], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {[x.name for x in self.layers]}"
        raise ValueError(f"get_layer: no layer named {name!r}; {hint}")

    def summary(
        self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
        layer_range=None,
    ):  # fmt: skip
        """Print a table of the layers, their output shapes and their weights."""
        from brisknet.utils.summary import summary

        return summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def build(self, input_shape) -> None:
        """Build the weights of a subclassed model by tracing call() once on inputs of this shape (or shapes)."""
        if type(self).call is Layer.call:
            if self._overrides("train_step"):  # a model that only trains others
                self._build_shape = input_shape
                return
            raise TypeError(f"{type(self).__name__} must define call(self, inputs)")
        self.built = True
        try:
            self.compute_output_spec(map_structure_shapes(lambda s: KerasTensor(s, self.dtype), input_shape))
        except BaseException:
            self.built = False
            raise
        if not is_shape(input_shape):
            object.__setattr__(self, "_inputs_struct", map_structure_shapes(lambda s: 0, input_shape))
        self._build_shape = input_shape

    # ---- text -----------------------------------------------------------------------------------------------------
    def generate(self, prompt, max_new_tokens, temperature=1.0, top_k=None, top_p=None, seed=None, stop_tokens=None):
        """The ids of `prompt`, [positions] or [rows, positions], and max_new_tokens more a row, drawn one after another: int32
        of the same rank. Rows of different lengths go in as a list, and come out as a list of arrays.

        The model takes ids [rows, positions] and gives logits [rows, positions, vocabulary] (or probabilities, where its last
        layer is a softmax). temperature divides the logits; 0 takes the likeliest id. top_k draws among the k likeliest only,
        top_p among the fewest whose probabilities reach top_p of all. An integer seed makes the text repeatable. A row ends with
        the first of the new ids that is one of stop_tokens (an id, or several): a single text is cut there, and among rows of one
        length those that end before others repeat it.

        Decoder-only models, with causal self-attention, layers of positions, and layers that work position by position, keep
        the keys and values of earlier positions: the prompt is read in one pass, and all steps run in one native call; other
        models are called on the whole text for every new id. Masks of padding ids (mask_zero) count as in the ordinary call.
        Where the model looks at so many positions only (the size of its input, or of a PositionEmbedding), the last ones count:
        with a cache, it is filled anew from the last half of them whenever it is full.
        ValueError for a prompt or settings that make no sense.
        """
        from brisknet.models.generation import generate

        return generate(self, prompt, max_new_tokens, temperature, top_k, top_p, seed, stop_tokens)

    # ---- files --------------------------------------------------------------------------------------------------
    def save_weights(self, filepath, overwrite=True, max_shard_size=None) -> None:
        """Write all weights, and the optimizer's state, into a file named ....npz, or ....weights.h5 (extra h5).

        The file appears whole or not at all. FileExistsError with overwrite=False where it is there already; ValueError
        for a model that is not built yet, for other file names, and for a max_shard_size (weights are always one file).
        """
        if max_shard_size is not None:
            raise ValueError(f"save_weights: weights are always one file; leave max_shard_size out, got {max_shard_size!r}")
        from brisknet.saving.weights import save_weights

        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath, skip_mismatch=False) -> None:
        """Set the weights from such a file; also from a .weights.h5 that Keras wrote.

        Weights are found by their place in the model. ValueError, before anything is changed, where a layer's weights
        are missing or have other shapes; with skip_mismatch=True such layers stay as they are, with a warning.
        """
        from brisknet.saving.weights import load_weights

        load_weights(self, filepath, skip_mismatch)

    def save(self, filepath, overwrite=True, zipped=None) -> None:
        """Write the whole model (config, compilation, weights, optimizer) into a file named ....npz or ....keras (extra h5).

        models.load_model() reads it; Keras reads .keras too. The file appears whole or not at all.
        """
        from brisknet.saving.models import save_model

        save_model(self, filepath, overwrite, zipped)

    def to_json(self, **kwargs) -> str:
        """The model's config as JSON, as Keras writes it; keyword arguments go to json.dumps(). See model_from_json()."""
        import json

        from brisknet.saving.keras_objects import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    # ---- config -------------------------------------------------------------------------------------------------
    def get_build_config(self) -> dict | None:
        """What build_from_config() makes the weights from; None for a model that is not built or whose config says it."""
        return None if self._has_graph() else super().get_build_config()

    def get_compile_config(self) -> dict | None:
        """The arguments of compile() as plain data; None for a model that is not compiled."""
        if not self.compiled:
            return None
        from brisknet.saving.compiled_config import compile_config

        return compile_config(self)

    def compile_from_config(self, config: dict) -> None:
        """compile() with the arguments of get_compile_config(), or of Keras'."""
        from brisknet.saving.compiled_config import compile_arguments

        self.compile(**compile_arguments(config))
        if self.built and self.trainable_weights:
            self.optimizer.build(self.trainable_weights)

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """A new model, with new weights, from get_config()'s dict."""
        if cls is Model and {"layers", "input_layers", "output_layers"} <= set(config):
            from brisknet.models.functional import Functional

            return Functional.from_config(config, custom_objects)
        known = inspect.signature(cls.__init__).parameters
        if any(p.kind is p.VAR_KEYWORD for p in known.values()):
            return cls(**config)
        # A constructor that does not pass these on: they are set afterwards.
        model = cls(**{k: v for k, v in config.items() if k in known or k not in ("name", "trainable", "dtype")})
        if config.get("name") is not None:
            model.name = config["name"]
        if config.get("trainable") is False:
            model.trainable = False
        return model

    # ---- copies -------------------------------------------------------------------------------------------------
    def __deepcopy__(self, memo):
        rebuild, args, state = self.__reduce__()
        new = rebuild(*args)
        memo[id(self)] = new
        new.__setstate__(copy.deepcopy(state, memo))
        return new

    def __reduce__(self):
        # A subclass with a call() of its own is the sum of its attributes; other models are their config and weights.
        if not self._has_graph():
            return Layer.__new__, (type(self),), {"attributes": self._attributes(), "compiled": self._compiled_state()}
        config = self.get_config()
        return _rebuild, (type(self), config, self._custom_classes()), self._pickled_state()

    def _has_graph(self) -> bool:
        return False

    def _custom_classes(self) -> dict:
        """The classes of layers inside that are not this package's, by name: a copy is made of the same classes."""
        classes = {type(layer).__name__: type(layer) for layer in self._walk() if layer is not self}
        return {n: c for n, c in classes.items() if not c.__module__.startswith("brisknet.")}

    def _attributes(self) -> dict:
        """All that makes up a subclassed model, but for compiled programs and what compile() made."""
        fresh = ("_lock", "_programs", "_short", "_id_bounds", "_fast", "_specs_cache", "history", "optimizer", "compiled", "_compile_args",
                 "_losses_of_outputs", "_metrics", "_loss_tracker", "_step_logs", "_log_values", "_predict_structure",
                 "_target_structures", "_target_form", "train_function", "test_function", "predict_function")  # fmt: skip
        return {k: v for k, v in self.__dict__.items() if k not in fresh}

    def __setstate__(self, state):
        if "attributes" in state:
            self.__dict__.update(state["attributes"])
            Trainer._renew(self)
            return self._restore_compiled(state["compiled"])
        if state["weights"] is not None:
            if not self.built:
                self.build(state["build_shape"])
            self.set_weights(state["weights"])
        self._restore_compiled(state["compiled"])
        self._restore_random(state["random"])

    def _pickled_state(self) -> dict:
        return {
            "weights": self.get_weights() if self.built else None,
            "build_shape": getattr(self, "_build_shape", None),
            "compiled": self._compiled_state(),
            "random": self._random_state(),
        }

    def _random_state(self) -> dict:
        """What random draws depend on, so that a copy goes on with the same bits: keys, step and epoch counters."""
        return {
            "step": self._step_counter.numpy(),
            "shuffle": (self._shuffle_key, self._epochs_begun),
            "keys": [layer._key for layer in self._walk() if hasattr(layer, "_key")],
        }

    def _restore_random(self, state: dict) -> None:
        self._step_counter.assign(state["step"])
        self._shuffle_key, self._epochs_begun = state["shuffle"]
        for layer, key in zip([layer for layer in self._walk() if hasattr(layer, "_key")], state["keys"], strict=True):
            layer._key = key


def _rebuild(cls, config, custom_objects):
    return cls.from_config(config, custom_objects)


def _become_functional(model, args, kwargs) -> None:
    """super().__init__(inputs, outputs) in a subclass of Model: the class becomes one of Functional (as in Keras)."""
    from brisknet.models.functional import Functional

    cls = type(model)
    if not issubclass(cls, Functional):
        cls.__bases__ = tuple(Functional if base is Model else base for base in cls.__bases__)
    Functional.__init__(model, *args, **kwargs)

