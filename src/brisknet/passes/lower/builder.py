"""The builder: where every tensor of the graph lives while rules turn nodes into instructions."""

from __future__ import annotations

import numpy as np

from brisknet.ops.registry import get_op
from brisknet.passes.lower.plan import NULL, Buf, Instruction, Plan, Ref, Unsupported
from brisknet.variables import PANEL

__all__ = ["SIZES", "Builder", "lanes_size", "matrix_of", "padded_size", "size_of"]

# Bytes of an element inside a program; booleans are int32 0/1, and 8-byte types exist as scalars and as states of metrics.
ITEM_BYTES = {"float32": 4, "int32": 4, "bool": 4, "int64": 8, "float64": 8}
DTYPE_CODES = {"float32": 0, "float64": 1, "int32": 2, "int64": 3, "bool": 10}


def size_of(shape) -> int:
    """Number of elements of a shape."""
    n = 1
    for d in shape:
        n *= d
    return n


def matrix_of(shape) -> tuple[int, int]:
    """[K, N] of an array seen as a matrix of its last axis."""
    return size_of(shape[:-1]), shape[-1]


def padded_size(shape) -> int:
    """Elements of a matrix, or of an array seen as one of its last axis, in panels."""
    k, n = matrix_of(shape)
    return -(-n // PANEL) * k * PANEL


def lanes_size(shape) -> int:
    """Elements of an array [N, ...] with images as lanes: [N/16][...][16]."""
    return -(-shape[0] // PANEL) * PANEL * size_of(shape[1:])


def _blocks_of(n: int) -> dict:
    """How an instruction between rows and lanes is sliced: by blocks, where there are whole ones only."""
    return {"images": n // PANEL, "sliced": (0, 1)} if n % PANEL == 0 else {}


# Elements that an array takes in each layout.
SIZES = {"row": size_of, "panel": padded_size, "lanes": lanes_size}


class Builder:
    """Instructions so far, and for every tensor its place: {layout: Ref}.

    A layout is "row" (C order), "panel" (weights [..., N] as [N/16][...][16]) or "lanes" (activations [N, ...] as
    [N/16][...][16]: images are the lanes of vectors).
    """

    def __init__(self, graph):
        self.graph = graph
        self.plan = Plan()
        self.places: dict = {}
        self.scope = ""
        self._constants: dict = {}
        self._last_reader: dict = {}
        self.position = 0
        # Tensors that must end up in a variable, and where gradients of the fused update lie side by side.
        self.finals = {}
        for v, t in graph.updates.items():
            self.finals.setdefault(t, v)
        self.current: dict = {}  # {variable: the tensor that its memory holds}, where it has been updated
        self.reserved: dict = {}
        self.in_panels: set = set()
        self.in_lanes: set = set()  # convolutions
        self.folded_penalties: set = set()
        self.wgrad_pairs: dict = {}  # {the earlier of two dense_wgrad of one dz: the later}
        self.wgrad_done: set = set()  # the later ones

    # ---- tensors ------------------------------------------------------------------------------------------------
    def new(self, nbytes: int) -> Ref:
        """Fresh memory of the arena."""
        return Ref(Buf(nbytes))

    def out(self, t, layout: str = "row") -> Ref:
        """Memory for the value of a tensor that an instruction is about to compute."""
        if t.dtype not in ITEM_BYTES or (ITEM_BYTES[t.dtype] == 8 and t.shape and not get_op(t.node.op).states):
            raise Unsupported(f"a tensor of dtype {t.dtype} and shape {t.shape}")
        n = SIZES[layout](t.shape)
        ref = self.reserved.pop((t, layout), None) or self.new(n * ITEM_BYTES[t.dtype])
        self.places[t] = {layout: ref}
        return ref

    def alias(self, t, ref: Ref, layout: str = "row") -> None:
        """Let a tensor's value be what lies at ref."""
        self.places[t] = {layout: ref}

    def layout(self, t) -> str:
        """The layout in which a tensor was made."""
        return next(iter(self.places[t]))

    def row(self, t) -> Ref:
        """The row-major value of a tensor; unpacked where it was made in another layout."""
        places = self.places[t]
        if "row" not in places:
            ref = self.new(4 * size_of(t.shape))
            if "lanes" in places:
                ints = t.shape[0], size_of(t.shape[1:])
                self.emit("from_lanes", (places["lanes"], ref), ints, writes=(1,), **_blocks_of(t.shape[0]))
            else:
                self.emit("unpack_panel", (places["panel"], ref), matrix_of(t.shape), writes=(1,))
            places["row"] = ref
        return places["row"]

    def lanes(self, t) -> Ref:
        """The value of a tensor [N, ...] with images as lanes, zeros past the last image."""
        places = self.places[t]
        if "lanes" not in places:
            source, ref = self.row(t), self.new(4 * lanes_size(t.shape))
            ints = t.shape[0], size_of(t.shape[1:])
            self.emit("to_lanes", (source, ref), ints, writes=(1,), **_blocks_of(t.shape[0]))
            places["lanes"] = ref
        return places["lanes"]

    def panel(self, t) -> Ref:
        """Weights [..., N] as kernels want them: in panels, or as the plain vector that they are where N is 1."""
        if t.shape[-1] == 1:
            return self.row(t)
        places = self.places[t]
        if "panel" not in places:
            ref = self.new(4 * padded_size(t.shape))
            self.emit("pack_panel", (places["row"], ref), matrix_of(t.shape), writes=(1,))
            places["panel"] = ref
        return places["panel"]

    def as_layout(self, t, layout: str) -> Ref:
        """The value in a layout."""
        return {"row": self.row, "panel": self.panel, "lanes": self.lanes}[layout](t)

    def constant(self, value: np.ndarray) -> Ref:
        """A constant array, kept once."""
        value = np.ascontiguousarray(value, np.int32 if value.dtype == bool else value.dtype)
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            self._constants[key] = Ref(value)
            self.plan.constants.append(value)
        return self._constants[key]

    # ---- instructions -------------------------------------------------------------------------------------------
    def emit(self, op: str, operands, ints=(), floats=(), writes=(), images=0, sliced=()) -> None:
        """Add an instruction; None among the operands is a NULL pointer. `images` and `sliced`: see Instruction."""
        refs = tuple(NULL if r is None else r for r in operands)
        instruction = Instruction(op, refs, tuple(ints), tuple(floats), tuple(writes), self.scope)
        instruction.images, instruction.sliced = images, tuple(sliced)
        self.plan.instructions.append(instruction)

    # ---- variables ----------------------------------------------------------------------------------------------
    def variable(self, v, layout: str | None = None) -> Ref:
        """A variable's own storage, in the layout that the plan gives it (it is fixed at first use)."""
        standard = "panel" if v in self.in_panels else v.layout
        known = self.plan.layouts.setdefault(v, layout or standard)
        if layout is not None and known != layout:
            raise Unsupported(f"variable {v.path} in two layouts")
        return Ref(v)

    def read_later(self, t) -> bool:
        """Whether something after the node being lowered still reads this tensor."""
        return self._last_reader.get(t, -1) > self.position

    def set_readers(self, nodes) -> None:
        """Note for every tensor the last node that reads it; results are read at the very end."""
        for i, node in enumerate(nodes):
            for t in node.inputs:
                self._last_reader[t] = i
        for t in self.graph.results():
            if t.node.op in ("variable", "input", "constant"):
                self._last_reader[t] = len(nodes)
        for t in self.graph.outputs:
            self._last_reader[t] = len(nodes)

    def update_place(self, t, v=None) -> Ref:
        """Where the new value of a variable goes: into the variable, in place, where t is its final value, or where the
        caller names the variable (its final value then follows from t). What still has to read the old value gets a copy
        of it first.
        """
        v = self.finals.get(t) if v is None else v
        if v is None:
            return self.out(t)
        old = self.current.get(v, self.graph._reads.get(v))
        if old is not None and old in self.places and self.read_later(old):
            self._preserve(old, v)
        self.current[v] = t
        self.alias(t, self.variable(v), self.plan.layouts[v])
        return Ref(v)

    def settle(self, t, v) -> None:
        """Bring the value of t, which the node being lowered is about to update in the place of v, to that place: it is
        somewhere else where a step updates a variable twice, and something such as a constraint comes between."""
        source = self.as_layout(t, self.plan.layouts[v])
        if source != Ref(v):
            self.emit("copy_bytes", (source, self.update_place(t, v)), (self._nbytes(v),), writes=(1,))

    def _preserve(self, old, v) -> None:
        kept = self.new(self._nbytes(v))
        self.emit("copy_bytes", (Ref(v), kept), (self._nbytes(v),), writes=(1,))
        self.places[old] = {self.plan.layouts[v]: kept}

    def _nbytes(self, v) -> int:
        """What a variable takes in its layout."""
        return SIZES[self.plan.layouts[v]](v.shape) * ITEM_BYTES[v.dtype]
