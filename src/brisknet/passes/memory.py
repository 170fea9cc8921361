"""The memory planner: buffers whose lifetimes do not meet share a place in one arena; barriers where threads could meet.

BRISKNET_PLANNER=off gives every buffer memory of its own, filled with NaN before each step: results must not change.
"""

from __future__ import annotations

import bisect
import os

from brisknet.passes.chain import chain_instructions, chains
from brisknet.passes.lower.plan import ALIGN, PAD, Buf, Plan

__all__ = ["place_barriers", "plan_memory"]



def plan_memory(plan: Plan, inplace: dict) -> Plan:
    """Give every Buf of the plan its offset. `inplace` maps kernel names to the mask of inputs that an output may replace."""
    chain_instructions(plan)
    plan.poison = os.environ.get("BRISKNET_PLANNER", "").lower() == "off"
    if plan.poison:
        offset = 0
        for buf in _lifetimes(plan):
            buf.offset = offset
            offset += _rounded(buf)
        plan.arena_bytes = offset
    else:
        _first_fit(plan, _lifetimes(plan), inplace)
    place_barriers(plan)
    return plan


def _rounded(buf: Buf) -> int:
    return -(-(buf.nbytes + PAD) // ALIGN) * ALIGN


def _lifetimes(plan: Plan) -> dict:
    """{Buf: [first instruction, last instruction]} in order of first use."""
    lives: dict = {}
    for first, last in chains(plan):  # parts of a chain run one after another: its buffers live through all of it
        for instruction in plan.instructions[first : last + 1]:
            for ref, _ in instruction.refs():
                if isinstance(ref.base, Buf):
                    lives.setdefault(ref.base, [first, last])[1] = last
    return lives


def _first_fit(plan: Plan, lives: dict, inplace: dict) -> None:
    """Walk through time with a list of free gaps; an output replaces an input that dies with the same instruction."""
    free: list = []  # (offset, bytes), sorted, never touching
    end = 0
    ends: dict = {}
    for buf, (_, last) in lives.items():
        ends.setdefault(last, []).append(buf)
    starts: dict = {}
    for buf, (first, _) in lives.items():
        starts.setdefault(first, []).append(buf)
    inherited = set()
    for i, instruction in enumerate(plan.instructions):
        for buf in starts.get(i, ()):
            giver = _giver(instruction, buf, lives, i, inplace, inherited)
            if giver is not None:
                buf.offset = giver.offset
                inherited.add(giver)
                continue
            need = _rounded(buf)
            at = next((k for k, (_, size) in enumerate(free) if size >= need), None)
            if at is None:
                if free and free[-1][0] + free[-1][1] == end:  # grow the gap at the end
                    buf.offset = free.pop()[0]
                else:
                    buf.offset = end
                end = buf.offset + need
            else:
                offset, size = free[at]
                buf.offset = offset
                free[at : at + 1] = [(offset + need, size - need)] if size > need else []
        for buf in ends.get(i, ()):
            if buf not in inherited:
                _release(free, buf.offset, _rounded(buf))
    plan.arena_bytes = end


def _giver(instruction, buf, lives, i, inplace, inherited):
    """The input whose memory buf takes over, if the kernel allows it and nothing needs it afterwards."""
    mask = inplace.get(instruction.op, 0)
    for k, ref in enumerate(instruction.operands):
        if mask >> k & 1 and isinstance(ref.base, Buf) and ref.offset == 0 and ref.base not in inherited:
            other = ref.base
            if lives[other][1] == i and other.nbytes == buf.nbytes and lives[other][0] < i:
                return other
    return None


def _release(free: list, offset: int, size: int) -> None:
    at = bisect.bisect(free, (offset, 0))
    free.insert(at, (offset, size))
    for k in (at, at - 1):  # join with the gap behind, then with the one before
        if 0 <= k < len(free) - 1 and free[k][0] + free[k][1] == free[k + 1][0]:
            free[k : k + 2] = [(free[k][0], free[k][1] + free[k + 1][1])]


def place_barriers(plan: Plan) -> None:
    """Mark the instructions before which all threads must meet: those that touch what an earlier one since the last
    barrier wrote, or write what it touched. Threads share an instruction's units, so nothing orders them otherwise."""
    read: list = []
    written: list = []
    for first, last in chains(plan):
        reads, writes = [], []
        for instruction in plan.instructions[first : last + 1]:
            instruction.barrier = instruction is not plan.instructions[first]  # only where a chain is run one by one
            for ref, is_write in instruction.refs():
                (writes if is_write else reads).append(_range(ref))
        if _meet(writes, written) or _meet(writes, read) or _meet(reads, written):
            plan.instructions[first].barrier = True
            read, written = [], []
        read += reads
        written += writes


def _range(ref):
    if isinstance(ref.base, Buf):
        return None, ref.base.offset, ref.base.offset + ref.base.nbytes
    return ref.base, 0, 0


def _meet(some, others) -> bool:
    for base, a0, a1 in some:
        for other, b0, b1 in others:
            if base is None and other is None:
                if a0 < b1 and b0 < a1:
                    return True
            elif base is other:
                return True
    return False
