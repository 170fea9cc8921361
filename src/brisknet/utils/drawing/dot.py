"""The picture of a model as text in graphviz' language, and graphviz itself where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from html import escape

from brisknet.utils.drawing.model_graph import Box, ModelGraph

__all__ = ["Dot", "draw_dot"]


class Dot(str):
    """Text in graphviz' language, with the methods of pydot.Dot that a Keras user calls."""

    def to_string(self) -> str:
        """The text."""
        return str(self)

    def write(self, path, format="raw") -> None:
        """Write the text (format "raw" or "dot"), or the picture that graphviz draws in any of its formats."""
        if format in ("raw", "dot"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(self)
        else:
            _run_graphviz(self, path, format)


def _run_graphviz(text: str, path, format: str) -> None:
    program = shutil.which("dot")
    if program is None:
        raise ImportError(
            f"plot_model: .{format} files are drawn by graphviz, whose program dot is not installed: install graphviz "
            "(apt install graphviz, brew install graphviz, https://graphviz.org/download), or write to_file='model.svg', "
            "which needs nothing"
        )
    done = subprocess.run([program, f"-T{format}", "-o", os.fspath(path)], input=text.encode(), capture_output=True)
    if done.returncode:
        raise ValueError(f"plot_model: graphviz could not write {os.fspath(path)!r}: {done.stderr.decode().strip()}")


def draw_dot(graph: ModelGraph, rankdir="TB", dpi=200, splines="ortho", subgraph=False) -> Dot:
    """The graph in graphviz' language: tables as boxes, dashed clusters for models inside, as Keras draws them."""
    if subgraph:
        lines = list(_cluster(graph, ""))
    else:
        lines = ["digraph G {", f"rankdir={rankdir};", "concentrate=true;", f"dpi={dpi};", f"splines={splines};",
                 "node [shape=record];", *_body(graph), "}"]  # fmt: skip
    return Dot("\n".join(lines) + "\n")


def _cluster(graph: ModelGraph, indent: str):
    yield f"{indent}subgraph {_quoted('cluster_' + graph.name)} {{"
    yield f"{indent}style=dashed; labeljust=l; label={_quoted(graph.name)};"
    yield from _body(graph)
    yield f"{indent}}}"


def _body(graph: ModelGraph):
    inner = {b.key: b.inner for b in graph.boxes if b.inner is not None}
    for box in graph.boxes:
        if box.inner is not None:
            yield from _cluster(box.inner, "")
        else:
            yield f"{box.key} [fontname=Helvetica, border=0, margin=0, label=<{_table(box)}>];"
    pairs = [(_source(e.source, e.out, inner), _target(e.target, e.into, inner)) for e in graph.edges]
    for a, b in dict.fromkeys(pairs):
        yield f"{a} -> {b} [penwidth=2];"


def _source(key, out, inner):
    """The box that edges from output `out` begin at: inside, where that is a model drawn as a cluster."""
    while key in inner:
        graph = inner[key]
        key, out = graph.outputs[out]
        inner = {b.key: b.inner for b in graph.boxes if b.inner is not None}
    return key


def _target(key, into, inner):
    while key in inner:
        graph = inner[key]
        key, into = graph.inputs[min(into, len(graph.inputs) - 1)], 0
        inner = {b.key: b.inner for b in graph.boxes if b.inner is not None}
    return key


def _table(box: Box) -> str:
    span = max(len(box.cells), 1)
    name, kind = (escape(t) for t in box.title)
    rows = [
        f'<tr><td colspan="{span}" bgcolor="black"><font point-size="16" color="white"><b>{name}</b>'
        f"{' ' + kind if kind else ''}</font></td></tr>"
    ]
    if box.activation:
        rows.append(
            f'<tr><td bgcolor="white" colspan="{span}"><font point-size="14">Activation: <b>{escape(box.activation)}</b>'
            "</font></td></tr>"
        )
    if box.cells:
        rows.append(f"<tr>{''.join(_cell(*cell) for cell in box.cells)}</tr>")
    return f'<table border="0" cellborder="1" bgcolor="black" cellpadding="10">{"".join(rows)}</table>'


def _cell(label, value, colour) -> str:
    text = "" if colour == "white" else ' color="white"'
    return (
        f'<td bgcolor="{colour}"><font point-size="14"{text}>{label + ": " if label else ""}<b>{escape(value)}</b>'
        "</font></td>"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
