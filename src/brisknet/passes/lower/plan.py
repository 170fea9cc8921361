"""What lowering makes. Pure data: runtime/native.py gives every operand an address and binds the kernels."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Buf", "Host", "Instruction", "Plan", "Ref", "Segment", "Table", "Unsupported"]

# Sizes that csrc/brisknet.h, csrc/kernels/loss.h and microkernel.h have too; a test holds them together.
ALIGN = 64  # bytes
PAD = 64  # bytes that kernels may read behind a buffer (BK_PAD)
BLOCK = 4096  # elements in one unit of an optimizer update or of a sum over parameters (BK_BLOCK)
HEAD_ELEMENTS = 16384  # predictions in one unit of a loss head
STRIP = 144  # rows that a matrix product works on at a time


class Unsupported(Exception):
    """The graph has something that no kernel computes (the message says what): it runs on the reference executor."""


class Buf:
    """A stretch of the arena. The planner (passes/memory.py) gives it an offset."""

    __slots__ = ("nbytes", "offset")

    def __init__(self, nbytes: int):
        self.nbytes, self.offset = max(int(nbytes), 4), None


class Table:
    """The segments of an optimizer instruction, or of a sum over parameters."""

    __slots__ = ("segments",)

    def __init__(self, segments):
        self.segments = segments


class Host:
    """Python that a host_call instruction runs: `run(inputs)` gives the output arrays; sizes as the operands after it."""

    __slots__ = ("run", "inputs", "outputs")

    def __init__(self, run, inputs, outputs):
        self.run, self.inputs, self.outputs = run, inputs, outputs  # [(shape, dtype)] of each


@dataclass(frozen=True, slots=True)
class Ref:
    """An operand: `offset` bytes into a Buf, a Variable's storage, a constant array, a Table or a Host; base None is NULL."""

    base: object
    offset: int = 0


NULL = Ref(None)


@dataclass(slots=True)
class Segment:
    """One run of parameters: a bk_segment before it has addresses. `n` elements, panel padding included; it is cut at
    multiples of `granule` elements (a panel) only."""

    param: Ref
    grad: Ref
    slots: tuple
    n: int
    granule: int = 16
    decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0


@dataclass(slots=True)
class Instruction:
    """One kernel and its operands. `writes` lists operand positions; `scope` is the layer it came from.

    Where the units are the images of a batch in order, `images` is how many there are (or blocks of them), and `sliced` lists
    the operands of which part of the units reads or writes that part only. passes/chain.py makes `chain` of it: on the first
    instruction of a chain its length and parts.
    """

    op: str
    operands: tuple
    ints: tuple = ()
    floats: tuple = ()
    writes: tuple = ()
    scope: str = ""
    barrier: bool = False
    images: int = 0
    sliced: tuple = ()
    chain: tuple = (0, 0)

    @property
    def flags(self) -> int:
        """bk_instr.flags."""
        length, parts = self.chain
        return int(self.barrier) | length << 8 | parts << 16

    def refs(self):
        """(ref, written) of everything that the instruction touches, the segments of tables included."""
        for i, ref in enumerate(self.operands):
            if isinstance(ref.base, Table):
                for s in ref.base.segments:
                    yield s.param, i in self.writes
                    yield s.grad, False
                    yield from ((slot, True) for slot in s.slots)
            elif ref.base is not None and not isinstance(ref.base, Host):
                yield ref, i in self.writes


@dataclass
class Plan:
    """Instructions in order, the variables with the layout that they need, the constants, and the outputs' dtypes."""

    instructions: list = field(default_factory=list)
    layouts: dict = field(default_factory=dict)
    constants: list = field(default_factory=list)
    output_dtypes: list = field(default_factory=list)
    arena_bytes: int = 0
    poison: bool = False
