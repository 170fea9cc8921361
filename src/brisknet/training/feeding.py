"""What users feed, matched to the model: inputs, targets and weights as checked arrays, and their signature."""

from __future__ import annotations

import numpy as np

from brisknet import config, losses
from brisknet.layers.keras_tensor import KerasTensor, flatten, map_structure
from brisknet.layers.layer import Layer
from brisknet.layers.shapes import map_structure_shapes
from brisknet.training import data
from brisknet.training.compiled import per_output, unnested
from brisknet.training.ids import check_token_ids
from brisknet.training.step import Signature

__all__ = ["Feeding"]

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")  # dtypes of inputs that become int32


class Feeding:
    """The part of Trainer that takes data in."""

    def _inputs(self, x, name="x") -> list[np.ndarray]:
        """The flat input arrays, in the order of the model's inputs."""
        if x is None:
            raise ValueError(f"{name}: an array of samples expected, got None")
        struct = self._free_structure(x) if type(self).call is Layer.call else self._input_shape_structure()
        if struct is None:  # a subclassed model, or one that is not built: the data say what the inputs are
            many = not hasattr(type(self), "input_names") and data.is_structure(x)
            struct = map_structure(lambda _: 0, x) if many else 0
        names, ranks = _input_keys(struct, getattr(self, "input_names", None) if self.built else None)
        parts = data.match_inputs(x, names, ranks, name)
        labels = [name] if len(parts) == 1 else [f"{name}[{k!r}]" for k in names]
        arrays = [data.as_rows(p, label) for p, label in zip(parts, labels, strict=True)]
        if not self.built:
            self._build_from(arrays, struct)
        return arrays

    def _free_structure(self, x):
        """The structure of what a model without call(), which only trains others, is fed: any, also another one later."""
        struct = map_structure(lambda _: 0, x) if data.is_structure(x) else 0
        if struct != getattr(self, "_inputs_struct", 0):
            self._forget_programs()
        object.__setattr__(self, "_inputs_struct", struct)
        return struct

    def _input_shape_structure(self):
        """The structure of the inputs with a KerasTensor or 0 at each leaf; None where it is not known yet."""
        struct = getattr(self, "_inputs_struct", None)
        if struct is None and getattr(self, "_functional", None) is not None:
            struct = self._functional._inputs_struct
        return 0 if struct is None and self.built else struct

    def _build_from(self, arrays, struct=0) -> None:
        if not isinstance(struct, (dict, list, tuple)):
            self._check_rank(arrays[0])
        no_call = type(self).call is Layer.call  # a model that only trains others
        if self.run_eagerly and not self._has_graph() and not no_call:
            return self._build_eagerly(arrays, struct)
        todo = [KerasTensor((None, *a.shape[1:]), config.floatx()) for a in arrays]
        self._ensure_built((map_structure(lambda _: todo.pop(0), struct),), {})

    def _build_eagerly(self, arrays, struct) -> None:
        """Build by a call on a row of the data itself, as the Python of call() may look at values."""
        todo = [a[:1] for a in arrays]
        self.built = True
        try:
            self._eager_specs(map_structure(lambda _: todo.pop(0), struct))
        except BaseException:
            self.built = False
            raise
        if isinstance(struct, (dict, list, tuple)):
            object.__setattr__(self, "_inputs_struct", map_structure(lambda _: 0, struct))
        todo = [(None, *a.shape[1:]) for a in arrays]
        self._build_shape = map_structure(lambda _: todo.pop(0), struct)

    def _eager_specs(self, x):
        """The outputs' shapes and dtypes, from a call on arrays."""
        outputs = Layer.__call__(self, x)
        specs = map_structure(lambda t: KerasTensor((None, *t.shape[1:]), str(t.dtype)), outputs)
        self._clear_losses()
        object.__setattr__(self, "_specs_cache", specs)
        return specs

    def _check_rank(self, x) -> None:
        if x.ndim < 2:
            raise ValueError(f"x: rows of features, shape (rows, features), expected, got shape {x.shape}; "
                             f"use x.reshape({len(x)}, 1) for one feature, x[None, :] for one row")  # fmt: skip

    def _check_shapes(self, arrays, name="x") -> None:
        expected = self.inputs if hasattr(self, "inputs") and self.built else []
        for i, (a, t) in enumerate(zip(arrays, expected, strict=False)):
            want = t.shape
            shape = a.shape
            if len(shape) == len(want) - 1 and want[-1] == 1:
                shape = (*shape, 1)
            elif len(shape) == len(want) + 1 and shape[-1] == 1:
                shape = shape[:-1]
            if len(shape) != len(want) or any(w not in (None, s) for s, w in zip(shape[1:], want[1:], strict=True)):
                label = name if len(arrays) == 1 else f"{name}[{self._input_label(i)!r}]"
                hint = ""
                if len(shape) == len(want) - 1:
                    hint = f"; a single sample is given as {label}[None, :]"
                raise ValueError(f"{label}: shape (rows, {', '.join(map(str, want[1:]))}) expected, got {a.shape}{hint}")
            if a.dtype.name in ("int64", "uint64", "uint32") and t.dtype in INTS and a.size:
                low, high = int(a.min()), int(a.max())
                if low < -(2**31) or high >= 2**31:
                    label = name if len(arrays) == 1 else f"{name}[{self._input_label(i)!r}]"
                    raise ValueError(f"{label}: integers that int32 holds expected, got {high if high >= 2**31 else low}")
        if self.built:
            check_token_ids(self, arrays, lambda i: name if len(arrays) == 1 else f"{name}[{self._input_label(i)!r}]")

    def _input_label(self, i: int):
        struct = self._input_shape_structure()
        return _input_keys(struct, getattr(self, "input_names", None))[0][i]

    def _targets(self, y, name="y") -> list:
        """One array (or None) an output; for steps of the model's own, the arrays of any structure."""
        if self._own_step:
            return self._free_arrays(y, name, 0)
        if self._losses_of_outputs is None:
            self._build_compiled(self._names_of_outputs())
        names = self._losses_of_outputs.names
        if y is None:
            if any(loss is not None for loss in self._losses_of_outputs.losses):
                raise ValueError(f"{name}: targets expected, got None")
            return [None] * len(names)
        if isinstance(y, dict) or len(names) > 1:
            if not isinstance(y, (dict, list, tuple)):
                raise ValueError(
                    f"{name}: a list or dict of {len(names)} arrays for the outputs {names} expected, got one "
                    f"{type(y).__name__}"
                )
            parts = per_output(unnested(y, self._output_structure(), name), names, name)
        else:
            parts = [y[0] if isinstance(y, (list, tuple)) and len(y) == 1 and isinstance(y[0], np.ndarray) else y]
        labels = [name] if len(parts) == 1 else [f"{name}[{n!r}]" for n in names]
        return [None if p is None else data.as_rows(p, label) for p, label in zip(parts, labels, strict=True)]

    def _free_arrays(self, given, name, which: int) -> list:
        """The arrays of a structure of targets (which = 0) or weights (1), which the model's own steps get as it was given."""
        structures = list(self._target_structures)
        structures[which] = map_structure(lambda _: 0, given)
        object.__setattr__(self, "_target_structures", tuple(structures))
        object.__setattr__(self, "_target_form", repr(structures))
        return [None if a is None else data.as_rows(a, name) for a in flatten(given)]

    def _output_structure(self):
        """The structure of the outputs, or None where it is not known yet."""
        struct = getattr(self, "_outputs_struct", None)
        if struct is None and getattr(self, "_functional", None) is not None:
            struct = self._functional._outputs_struct
        if struct is None:  # a subclassed model that has been asked for its outputs before
            struct = self.__dict__.get("_specs_cache")
        return struct

    def _names_of_outputs(self) -> list[str]:
        struct = self._output_structure()
        if struct is None and not getattr(self, "output_names", None):
            struct = self._output_specs
        return self._names_of(struct)

    def _names_of(self, struct) -> list[str]:
        """How outputs of this structure are named."""
        if isinstance(struct, dict) and len(struct) == len(flatten(struct)):
            return list(struct)
        names = getattr(self, "output_names", None)
        if names:
            return names
        n = len(flatten(struct))
        return [f"output_{i + 1}" for i in range(n)] if n > 1 else ["output"]

    def _weights(self, sample_weight, class_weight, ys, name="sample_weight") -> list:
        if class_weight is not None and sample_weight is not None:
            raise ValueError("sample_weight and class_weight can't both be given; multiply them into sample_weight")
        if self._own_step:
            if class_weight is not None:
                if len(ys) != 1 or ys[0] is None:
                    raise ValueError(f"class_weight is for one array of targets, got {len(ys)}; use sample_weight")
                sample_weight = data.class_weights_to_sample_weights(ys[0], class_weight, None)
            return self._free_arrays(sample_weight, name, 1)
        names = self._losses_of_outputs.names
        if class_weight is not None:
            if len(names) > 1 or ys[0] is None:
                raise ValueError(f"class_weight is for models of one output with targets, this one has {names}; "
                                 "use sample_weight")  # fmt: skip
            return [data.class_weights_to_sample_weights(ys[0], class_weight, self._classes())]
        if sample_weight is None:
            return [None] * len(names)
        sample_weight = unnested(sample_weight, self._output_structure(), name)
        single = not isinstance(sample_weight, (dict, tuple)) and not (
            isinstance(sample_weight, list) and len(names) > 1 and len(sample_weight) == len(names)
        )
        parts = [sample_weight] * len(names) if single else per_output(sample_weight, names, name)
        out = []
        for part, shape in zip(parts, self._output_shapes(), strict=True):
            w = None if part is None else data.as_rows(part, name).astype(np.float32, copy=False)
            if w is not None and not np.isfinite(w).all():
                raise ValueError(f"{name}: finite numbers expected, got NaN or infinity")
            if w is not None and not _weights_fit(w.shape[1:], tuple(shape[1:-1])):
                places = f" or one a place, shape (rows, {', '.join(map(str, shape[1:-1]))})," if len(shape) > 2 else ""
                raise ValueError(
                    f"{name}: one weight a row, shape (rows,),{places} expected for outputs {tuple(shape)}, got shape "
                    f"{w.shape}"
                )
            out.append(w)
        return out

    def _classes(self) -> int | None:
        """How many classes the only output tells apart; None where that is not known."""
        loss, shape = self._losses_of_outputs.losses[0], self._output_shapes()[0]
        if shape[-1] != 1:
            return shape[-1]
        return 2 if isinstance(loss, losses.BinaryCrossentropy) else None

    def _batches(self, x, y, sample_weight, class_weight=None, name="x"):
        """((inputs, targets, weights), rows) of checked data for a train or test step. `name` ends in "x"."""
        before = name.removesuffix("x")
        xs = self._inputs(x, name)
        self._check_shapes(xs, name)
        ys = self._targets(y, before + "y")
        shown = {"x": name, "y": before + "y", "w": before + "sample_weight"}
        if not self._own_step:
            self._losses_of_outputs.check_targets(ys, self._output_shapes(), shown["y"])
        ws = self._weights(sample_weight, class_weight, ys, shown["w"])
        outputs = range(max(len(ys), len(ws))) if self._own_step else self._losses_of_outputs.names
        keys = {"x": [self._input_label(i) for i in range(len(xs))] if len(xs) > 1 else [], "y": outputs, "w": outputs}
        rows = data.same_length({
            f"{shown[kind]}[{keys[kind][i]!r}]" if len(arrays) > 1 else shown[kind]: a
            for kind, arrays in (("x", xs), ("y", ys), ("w", ws)) for i, a in enumerate(arrays)
        })  # fmt: skip
        return (xs, ys, ws), rows

    def _output_shapes(self):
        return [t.shape for t in flatten(self.outputs if hasattr(self, "outputs") else self._output_specs)]

    @property
    def _output_specs(self):
        if not hasattr(self, "_specs_cache"):
            if self.run_eagerly:
                return self._eager_specs(
                    map_structure_shapes(lambda s: np.zeros((1, *s[1:]), config.floatx()), self._build_shape)
                )
            x = map_structure_shapes(lambda s: KerasTensor((None, *s[1:]), config.floatx()), self._build_shape)
            object.__setattr__(self, "_specs_cache", self.compute_output_spec(x))
        return self._specs_cache

    def _signature(self, parts, rows: int) -> Signature:
        xs, ys, ws = parts
        x_specs = [((rows, *a.shape[1:]), self._input_dtype(i, a)) for i, a in enumerate(xs)]
        floatx = config.floatx()
        y_specs = [
            None if a is None else ((rows, *a.shape[1:]), self._target_dtype(i, a, floatx)) for i, a in enumerate(ys)
        ]
        w_specs = [None if a is None else ((rows, *a.shape[1:]), floatx) for a in ws]
        return Signature(x_specs, y_specs, w_specs)

    def _target_dtype(self, i: int, a, floatx: str) -> str:
        if self._own_step:
            return "int32" if a.dtype.kind in "iu" else floatx
        return "int32" if self._losses_of_outputs.is_sparse(i) else floatx

    def _input_dtype(self, i: int, a) -> str:
        if hasattr(self, "inputs") and self.built:
            declared = self.inputs[i].dtype
            return "int32" if declared in INTS else declared  # steps compute with int32 (_check_shapes looks at the values)
        return config.floatx() if a.dtype.kind == "f" else "int32"

    def _validation(self, validation_data):
        """validation_data as (x, y, sample_weight); ValueError for anything else."""
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise ValueError(
                "validation_data: (x, y) or (x, y, sample_weight) expected, got "
                f"{type(validation_data).__name__} of {len(validation_data) if hasattr(validation_data, '__len__') else '?'}"
            )
        return (*validation_data, None)[:3]

    def _feeds(self, parts) -> list:
        xs, ys, ws = parts
        return [a for a in (*xs, *ys, *ws) if a is not None]

    def _pack_outputs(self, outs, mode="predict"):
        todo = list(outs)
        struct = getattr(self, "_outputs_struct", None)
        if mode == "predict" and self._overrides("predict_step"):
            struct = self._predict_structure
        if struct is None and getattr(self, "_functional", None) is not None:
            struct = self._functional._outputs_struct
        if struct is None:
            struct = self._output_specs
        return map_structure(lambda _: todo.pop(0), struct)


def _weights_fit(given, places) -> bool:
    """Whether sample weights of a row, shape `given`, fit outputs with these axes between rows and the last."""
    given = given[:-1] if given[-1:] == (1,) and len(given) > min(len(places), 1) else given
    return given in ((), (1,)) or given == places[: len(given)]


def _input_keys(struct, names):
    """(names, ranks) of the leaves of an input structure: its keys where it is a flat dict, else `names` or numbers."""
    leaves = flatten(struct)
    if isinstance(struct, dict) and len(struct) == len(leaves):
        names = list(struct)
    elif not names or len(names) != len(leaves):
        names = list(range(len(leaves)))
    return names, [len(getattr(t, "shape", (0, 0))) for t in leaves]
