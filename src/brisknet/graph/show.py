"""A graph as text, for people."""

from __future__ import annotations

from brisknet.graph.ir import Graph

__all__ = ["show"]


def show(graph: Graph) -> str:
    """One line a node: number, op, shape, inputs, attributes, and the layer it came from."""
    number = {t: f"%{i}" for i, t in enumerate(t for n in graph.nodes for t in n.outputs)}
    lines = []
    for node in graph.nodes:
        outs = ", ".join(f"{number[t]}: {t.dtype}{list(t.shape)}" for t in node.outputs)
        ins = ", ".join(number[t] for t in node.inputs)
        attrs = ", ".join(f"{k}={_short(v)}" for k, v in node.attrs.items())
        lines.append(f"{outs} = {node.op}({ins}) {{{attrs}}}" + (f"  # {node.scope}" if node.scope else ""))
    lines += [f"return {', '.join(number[t] for t in graph.outputs)}"]
    lines += [f"{v.path} <- {number[t]}" for v, t in graph.updates.items()]
    return "\n".join(lines)


def _short(value) -> str:
    path = getattr(value, "path", None)
    text = path if path else repr(value).replace("\n", " ")
    return text if len(text) <= 40 else text[:37] + "..."
