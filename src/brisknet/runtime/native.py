"""The native executor: gives every operand of a plan an address, binds the kernels, and runs steps without the GIL."""

from __future__ import annotations

import contextlib
import os

import numpy as np

from brisknet import _core
from brisknet.passes.lower import lower
from brisknet.passes.lower.plan import ALIGN, BLOCK, PAD, Buf, Host, Table
from brisknet.passes.memory import plan_memory
from brisknet.runtime import host
from brisknet.variables import Variable, panel_shape

__all__ = ["NativeLoop", "NativeProgram"]

CONVERT_BYTES = 1 << 22  # feeds up to this size are converted when a loop is made
PIECES = 16  # of one parameter, in an update of many


def thread_flops() -> float:
    """Work (floating-point operations, four for each byte moved) above which a program uses several threads."""
    return float(os.environ.get("BRISKNET_THREAD_FLOPS", "6e6"))


def address(array: np.ndarray) -> int:
    """Where an array's elements begin."""
    return array.__array_interface__["data"][0]


class NativeProgram:
    """A graph lowered to instructions. It is bound when it first runs, and again whenever a variable has moved.

    Raises Unsupported (from lower) where the graph has something that no kernel computes.
    """

    executor = "native"

    def __init__(self, graph):
        self.graph = graph
        self.plan = plan_memory(lower(graph), _core.INPLACE)
        self._program = None
        self.hosts: list = []
        self.has_hosts = any(i.op == "host_call" for i in self.plan.instructions)
        self._epoch = -1
        self._shapes = [t.shape for t in graph.outputs]
        self._dtypes = [np.float32 if d == "float32" else np.int32 for d in self.plan.output_dtypes]

    # ---- binding ------------------------------------------------------------------------------------------------
    def bound(self) -> _core.Program:
        """The bound program, up to date with where the variables are."""
        if self._epoch != _core.epoch():
            self._bind()
        return self._program

    def _bind(self) -> None:
        if any(v.native and v.layout != layout for v, layout in self.plan.layouts.items()):
            self.plan = plan_memory(lower(self.graph), _core.INPLACE)  # another program has moved a weight to panels
        settle(self.plan.layouts)
        arena = _core.Buffer(self.plan.arena_bytes)
        keep, constants, hosts = [], {}, []
        for value in self.plan.constants:
            home = _core.Buffer(value.nbytes)
            np.frombuffer(home, np.uint8, value.nbytes)[...] = np.frombuffer(value.tobytes(), np.uint8)
            keep.append(home)
            constants[id(value)] = home.address

        def place(ref) -> int:
            base = ref.base
            if base is None:
                return 0
            if isinstance(base, Buf):
                return arena.address + base.offset + ref.offset
            if isinstance(base, Variable):
                return address(base.storage) + ref.offset
            if isinstance(base, Host):
                return hosts[-1].address
            return constants[id(base)] + ref.offset

        instructions = []
        for i in self.plan.instructions:
            ints, pointers = i.ints, []
            if i.op == "host_call":
                hosts.append(host.bind(i, place))
                pointers.append(_core.HOST_CALLER)
            for ref in i.operands:
                if isinstance(ref.base, Table):
                    table, ints = _table(ref.base.segments, place, join=i.op.endswith("_update"), ints=ints)
                    keep.append(table)
                    pointers.append(table.address)
                else:
                    pointers.append(place(ref))
            instructions.append((_core.OPS[i.op], i.flags, pointers, ints, i.floats))
        keep += [v.storage for v in self.plan.layouts] + hosts
        self.hosts = hosts
        self._program = _core.Program(instructions, arena, keep, thread_flops(), self.plan.poison)
        self._epoch = _core.epoch()

    # ---- running ------------------------------------------------------------------------------------------------
    def run(self, feeds) -> list[np.ndarray]:
        """feeds: one array an input, in order, of the graph's static shapes. Returns fresh output arrays."""
        outs = [np.empty(s, d) for s, d in zip(self._shapes, self._dtypes, strict=True)]
        with host.undone([self]) if self.has_hosts else host.NOTHING:
            self.bound().run([np.ascontiguousarray(f) for f in feeds], outs)
        return [o.astype(bool) if d == "bool" else o for o, d in zip(outs, self.plan.output_dtypes, strict=True)]

    def fast_call(self):
        """A function from one array to the one output array in about a microsecond, or None where the graph has more.

        It returns None itself for anything but an array of the program's shape; then the ordinary way must be taken.
        """
        if self.has_hosts or len(self.graph.inputs) != 1 or self.plan.output_dtypes != ["float32"]:
            return None
        return _core.FastCall(self.bound(), self.graph.inputs[0].shape, self._shapes[0]).call

    @contextlib.contextmanager
    def timed(self):
        """While this lasts, runs add up the time of each instruction: yields an array of seconds for `show`.

        The times are those of the first thread, with its waits for the others, and a clock's 20 ns an instruction.
        """
        seconds = np.zeros(len(self.plan.instructions))
        program = self.bound()
        program.time(seconds)
        try:
            yield seconds
        finally:
            program.time(np.zeros(0))

    def show(self, seconds=None) -> str:
        """The instructions as text, with the layer that each came from, and with their share of the time if given."""
        lines = []
        for i, instruction in enumerate(self.plan.instructions):
            mark = "|" if instruction.barrier else " "
            share = "" if seconds is None else f"{100 * seconds[i] / max(seconds.sum(), 1e-12):5.1f} % "
            floats = tuple(round(f, 6) for f in instruction.floats)
            lines.append(f"{i:4} {mark} {share}{instruction.op:16} {instruction.ints} {floats}  # {instruction.scope}")
        return "\n".join(lines)


def _table(segments, place, join: bool, ints):
    """(the bk_segment array, the instruction's ints for it). With join, an update of few parameters gets segments that lie
    one after another in every buffer as one; an update of many gets each segment in pieces, in an order in which every
    thread updates the same part of a weight whose gradient it has computed."""
    rows = [[place(s.param), place(s.grad), [place(r) for r in s.slots], s.n, 0, s.decay, s.l1, s.l2] for s in segments]
    if join:
        many = sum(s.n for s in segments) > PIECES * BLOCK
        rows = _spread(rows, [s.granule for s in segments]) if many else _joined(rows)
    units = 0
    for row in rows:
        row[4] = units
        units += -(-row[3] // BLOCK)
    table = _core.Buffer(len(rows) * _core.SEGMENT_BYTES)
    _core.pack_segments(rows, table)
    return table, (len(rows), units, *ints[2:])


def _joined(rows) -> list:
    """Neighbours as one. Only alignment gaps may lie between; what they hold is updated too, and never read."""
    out: list = []
    for row in rows:
        if out and out[-1][5:] == row[5:] and (gap := _gap(out[-1], row)) is not None:
            out[-1][3] += gap + row[3]
        else:
            out.append(row)
    return out


def _spread(rows, granules) -> list:
    """Pieces of all rows, sorted by where in its row a piece lies: at first the first pieces of all, at last the last."""
    pieces = []
    for row, granule in zip(rows, granules, strict=True):
        total = -(-row[3] // granule)
        count = min(PIECES, total)
        edges = [min(total * c // count * granule, row[3]) for c in range(count + 1)]
        for c, (start, stop) in enumerate(zip(edges, edges[1:], strict=False)):
            moved = [p + 4 * start for p in (row[0], row[1], *row[2])]
            pieces.append(((2 * c + 1) / count, [moved[0], moved[1], moved[2:], stop - start, 0, *row[5:]]))
    return [row for _, row in sorted(pieces, key=lambda piece: piece[0])]


def _gap(last, row) -> int | None:
    """Elements between two segments where it is the same alignment gap in every buffer, else None."""
    n = 4 * last[3]
    gap = row[0] - last[0] - n
    buffers = [(last[1], row[1]), *zip(last[2], row[2], strict=True)]
    if not 0 <= gap < ALIGN or any(b - a - n != gap for a, b in buffers):
        return None
    return gap // 4


def settle(layouts: dict) -> None:
    """Move variables that are not there yet into native memory: one block for all, in order, each in its layout."""
    moving = [(v, layout) for v, layout in layouts.items() if not v.native or v.layout != layout]
    if not moving:
        return
    shapes = [panel_shape(v.shape) if layout == "panel" else v.shape for v, layout in moving]
    sizes = [int(np.prod(s, dtype=np.int64)) * v.storage.itemsize for s, (v, _) in zip(shapes, moving, strict=True)]
    offsets, end = [], 0
    for size in sizes:
        offsets.append(end)
        end += -(-size // ALIGN) * ALIGN
    home = _core.Buffer(end + PAD)
    for (v, layout), shape, size, offset in zip(moving, shapes, sizes, offsets, strict=True):
        count = size // v.storage.itemsize
        v.set_storage(np.frombuffer(home, v.storage.dtype, count, offset).reshape(shape), layout)
    _core.bump()


class NativeLoop:
    """Epochs of steps over arrays. Has the methods of ReferenceLoop, and run_epochs for several epochs in one call."""

    executor = "native"

    def __init__(self, program_for, arrays, rows: int, batch: int, shuffle_key=None, fetch=None, metrics=()):
        """metrics: float64 variables whose values run_epochs reports, and zeroes, at the end of every epoch."""
        self.rows, self.batch, self.steps = rows, batch, -(-rows // batch)
        self.programs = [program_for(batch)] + ([program_for(rows % batch)] if rows % batch else [])
        self._arrays = [_converted(a, t) for a, t in zip(arrays, self.programs[0].graph.inputs, strict=True)]
        self._fetch, self._key, self._metrics = list(fetch or ()), shuffle_key, list(metrics)
        self._width = sum(v.size for v in self._metrics)  # numbers that are reported
        self._has_hosts = any(p.has_hosts for p in self.programs)
        self._loop = None
        self._ready()
        self._log = np.empty((1, max(self._width, 1)))

    def _ready(self) -> _core.Loop:
        """The native loop, made again where a variable has moved since."""
        if self._loop is not None and self._epoch == _core.epoch():
            return self._loop
        for _ in range(2):  # binding one program may move variables of the other
            bound = [p.bound() for p in self.programs]
        before = self._loop
        self._keep = [v.storage for v in self._metrics]
        self._loop = _core.Loop(
            bound[0], bound[1] if len(bound) > 1 else None, self._arrays, self._fetch, self.rows, self.batch, self._key,
            [address(s) + 8 * i for s in self._keep for i in range(s.size)],
        )  # fmt: skip
        if before is not None:
            self._loop.resume(before)
        self._epoch = _core.epoch()
        return self._loop

    @property
    def step(self) -> int:
        """The next step of the epoch under way; `steps` where it has ended."""
        return self._loop.step

    def begin_epoch(self, epoch: int) -> None:
        """Start one epoch at the first row; shuffle where a key was given."""
        self._ready().begin(epoch, 1)

    def run(self, max_steps: int = 0, seconds: float = float("inf")) -> bool:
        """Run steps until the epoch has ended (True), max_steps are done, or the time is up (False)."""
        loop = self._ready()
        with host.undone(self.programs) if self._has_hosts else host.NOTHING:
            return loop.run(max_steps, min(seconds, 1e9), self._log)[0]

    def run_epochs(self, epoch: int, epochs: int, seconds: float):
        """Run whole epochs from `epoch` on, at most `epochs`; stop at the first epoch end after `seconds`.

        Returns float64 [epochs done, numbers]: the elements of all metrics, in order, at the end of each.
        """
        loop = self._ready()
        log = np.empty((epochs, max(self._width, 1)))
        loop.begin(epoch, epochs)
        with host.undone(self.programs) if self._has_hosts else host.NOTHING:
            done, finished = loop.run(0, seconds, log)
            if not done and loop.step:  # within an epoch: go on to its end
                finished += loop.run(self.steps - loop.step, 1e9, log[finished:])[1]
        return log[:finished, : self._width]


def _converted(a: np.ndarray, t) -> np.ndarray:
    """Feeds of another dtype than the program's: small ones are converted once, large ones row by row as they are used."""
    dtype = np.float32 if t.dtype == "float32" else np.int32
    return np.ascontiguousarray(a, dtype if a.size * 4 <= CONVERT_BYTES else None)
