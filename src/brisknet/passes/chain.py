"""Chains: neighbouring instructions that work image by image run part by part, so that what passes along stays in a cache.

An instruction whose units are the images of a batch in order says so (Instruction.images, .sliced). A run of such instructions
is a chain if none needs more of what another wrote than the part that it is about to work on. Sums of gradients over shards
that stand between are moved behind the chain, and what brings weights into the right layout before it.
"""

from __future__ import annotations

from brisknet.passes.lower.plan import Buf, Plan

__all__ = ["chain_instructions", "chains"]

BEHIND = {"conv_wgrad_sum", "shard_sum"}
BEFORE = {"conv_pack", "unpack_panel"}
LONGEST, MOST_PARTS = 255, 65535


def chain_instructions(plan: Plan) -> Plan:
    """Reorder a little, and mark the first instruction of every chain."""
    out: list = []
    todo = plan.instructions
    while todo:
        chain, before, behind, rest = _grow(todo)
        if len(chain) > 1:
            chain[0].chain = (len(chain), chain[0].images)
            out += [*before, *chain, *behind]
            todo = rest
        else:
            out.append(todo[0])
            todo = todo[1:]
    plan.instructions = out
    return plan


def chains(plan: Plan):
    """(first, last) of every chain; instructions outside are chains of one."""
    i = 0
    while i < len(plan.instructions):
        length = max(plan.instructions[i].chain[0], 1)
        yield i, i + length - 1
        i += length


def _grow(todo):
    """The longest chain that begins with the first instruction: (chain, moved before it, moved behind it, what follows)."""
    first = todo[0]
    chain, before, behind = [], [], []
    if not 1 < first.images <= MOST_PARTS:
        return chain, before, behind, todo
    touched: dict = {}  # base -> whether it was written, whether every instruction so far took it by slices
    k = 0
    for k, instruction in enumerate(todo):
        if instruction.images == first.images and len(chain) < LONGEST and _joins(instruction, touched, behind):
            _touch(instruction, touched)
            chain.append(instruction)
        elif instruction.op in BEHIND and not _meets(instruction, behind):
            behind.append(instruction)
        elif instruction.op in BEFORE and not _meets(instruction, [*chain, *behind]):
            before.append(instruction)
        else:
            return chain, before, behind, todo[k:]
    return chain, before, behind, todo[k + 1 :]


def _operands(instruction):
    """(identity of the base, written, sliced and in the arena) of everything it touches."""
    for i, ref in enumerate(instruction.operands):
        if ref.base is not None:
            sliced = i in instruction.sliced and ref.offset == 0 and isinstance(ref.base, Buf)
            yield id(ref.base), i in instruction.writes, sliced


def _joins(instruction, touched, behind) -> bool:
    for base, written, sliced in _operands(instruction):
        if written and not sliced:
            return False
        if base in touched:
            was_written, was_sliced = touched[base]
            if (written or was_written) and not (sliced and was_sliced):
                return False
    return not _meets(instruction, behind)


def _touch(instruction, touched) -> None:
    for base, written, sliced in _operands(instruction):
        was_written, was_sliced = touched.get(base, (False, True))
        touched[base] = was_written or written, was_sliced and sliced


def _meets(instruction, others) -> bool:
    """Whether one writes what the other touches."""
    mine = [(ref.base, w) for ref, w in instruction.refs()]
    return any(a is b and (w or v) for o in others for b, v in ((ref.base, w) for ref, w in o.refs()) for a, w in mine)
