"""Lowering: a graph becomes a flat list of native instructions.

plan.py         what lowering makes: instructions, buffers, operands
builder.py      where every tensor lives, and in which layout; conversions; updates in place
rules_*.py      one rule an op family: how a node becomes instructions
lowering.py     the driver: order of nodes, outputs, updates
"""

from brisknet.passes.lower.lowering import lower
from brisknet.passes.lower.plan import Plan, Unsupported

__all__ = ["Plan", "Unsupported", "lower"]
