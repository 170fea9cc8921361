"""plot_model and model_to_dot: what the picture shows, where it lies, and what is said when it can't be drawn."""

import re
import stat
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from brisknet.layers import Add, Concatenate, Dense, Dropout, Input
from brisknet.models import Model, Sequential
from brisknet.utils import model_to_dot, plot_model
from brisknet.utils.drawing.model_graph import Shown, model_graph
from brisknet.utils.drawing.place import Spacing, place
from tests.small_models import Sum

FULL = dict(show_shapes=True, show_dtype=True, show_layer_names=True, show_layer_activations=True, show_trainable=True)
SVG = "{http://www.w3.org/2000/svg}"


def nested():
    """Two inputs, a shared layer, a frozen functional and a sequential model inside, two outputs."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(5, activation="tanh", name="shared")
    h, k = shared(a), shared(b)
    x = Input((5,), name="x")
    inner = Model(x, Add(name="sum")([Dense(3, name="p")(x), Dense(3, name="q")(x)]), name="inner")
    inner.trainable = False
    stack = Sequential([Dense(6, activation="relu", name="s1"), Dropout(0.1, name="s2")], name="stack")
    joined = Concatenate(name="cat")([inner(h), k, Dense(2, name="late")(a)])
    out = stack(joined)
    return Model([a, b], [Dense(1, name="left")(out), Dense(2, name="right")(Concatenate(name="end")([out, h]))], name="m")


def drawn(model, tmp_path, **options):
    plot_model(model, tmp_path / "m.svg", **options)
    return ElementTree.parse(tmp_path / "m.svg").getroot()


def texts(root):
    return [t.text for t in root.iter(SVG + "text")]


def layout(model, expand=True):
    return place(model_graph(model, Shown(layer_names=True), expand), lambda box: (30 + 8 * len(box.title[0]), 28), Spacing())


def overlap(a, b):
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


# ---- what is shown ----------------------------------------------------------------------------------------------------
def test_everything_that_can_be_shown(tmp_path):
    model = Sequential([Input((4,)), Dense(3, activation="relu", name="one"), Dropout(0.5, name="two")])
    assert texts(drawn(model, tmp_path)) == ["Dense", "Dropout"]
    assert texts(drawn(model, tmp_path, show_layer_names=True)) == ["one", "(Dense)", "two", "(Dropout)"]
    assert texts(drawn(model, tmp_path, **FULL)) == [
        "one", "(Dense)", "Activation:", "relu", "Input shape:", "(None, 4)", "Output shape:", "(None, 3)",
        "Output dtype:", "float32", "Trainable", "two", "(Dropout)", "Input shape:", "(None, 3)", "Output shape:",
        "(None, 3)", "Output dtype:", "float32",
    ]  # fmt: skip


def test_a_model_with_branches(tmp_path):
    root = drawn(nested(), tmp_path, show_layer_names=True, show_shapes=True)
    shown = texts(root)
    assert shown.count("shared") == 1, "a shared layer is one box"
    assert "[(None, 3), (None, 5), (None, 2)]" in shown and "inner" in shown and "p" not in shown
    arrows = [p for p in root.iter(SVG + "path") if p.get("marker-end")]
    # a, b -> shared; a -> late; shared -> inner, cat, end; inner, late -> cat; cat -> stack -> left, end; end -> right
    assert len(arrows) == 12


def test_frozen_and_nested_layers(tmp_path):
    root = drawn(nested(), tmp_path, expand_nested=True, **FULL)
    shown = texts(root)
    assert shown.count("Non-trainable") == 2 and {"inner", "stack", "p", "q", "s1", "s2", "sum"} <= set(shown)
    frames = [r for r in root.iter(SVG + "rect") if r.get("stroke-dasharray")]
    assert len(frames) == 2


def test_a_subclassed_model_is_one_box(tmp_path):
    model = Sum(name="sums")
    with pytest.raises(ValueError, match="'sums' is not built yet"):
        plot_model(model, tmp_path / "m.svg")
    model([np.ones((2, 4))] * 2)
    assert texts(drawn(model, tmp_path, show_layer_names=True)) == ["sums", "(Sum)"]


def test_names_are_escaped(tmp_path):
    model = Sequential([Input((2,)), Dense(1, name="a<b&c>")], name="x<y")
    assert texts(drawn(model, tmp_path, show_layer_names=True)) == ["a<b&c>", "(Dense)"]
    assert "a&lt;b&amp;c&gt;" in model_to_dot(model)


# ---- where it lies ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("expand", [False, True])
def test_boxes_do_not_overlap_and_edges_lead_down_to_them(expand):
    placed = layout(nested(), expand)
    boxes = [b[1:] for b in placed.boxes]
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    for x, y, w, h in boxes:
        assert x >= 0 and y >= 0 and x + w <= placed.width + 1e-6 and y + h <= placed.height + 1e-6
    tops = [(x, y, w) for x, y, w, _ in boxes]
    for points, arrow in placed.paths:
        assert all(a[1] <= b[1] + 1e-6 for a, b in zip(points, points[1:])), "downwards"
        assert all(a[0] == b[0] or a[1] == b[1] or abs(a[0] - b[0]) <= 3 for a, b in zip(points, points[1:])), "right angles"
        x, y = points[-1]
        assert arrow == any(abs(y - top) < 1e-6 and left <= x <= left + w for left, top, w in tops)


def test_edges_go_around_boxes():
    placed = layout(nested(), True)
    for points, _ in placed.paths:
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            line = (min(x0, x1), min(y0, y1) + 0.1, abs(x1 - x0) + 0.01, abs(y1 - y0) - 0.2)
            if line[3] > 0 and line[2] < 1:
                assert not any(overlap(line, b[1:]) for b in placed.boxes)


def test_frames_hold_their_boxes_and_nothing_else():
    placed = layout(nested(), True)
    inside = {"inner": {"x", "p", "q", "sum"}, "stack": {"s1", "s2"}}
    for name, *frame in placed.frames:
        held = {b[0].title[0] for b in placed.boxes if overlap(frame, b[1:])}
        assert held == inside[name]


def test_order_avoids_crossings():
    """Two chains whose layers were made crosswise: they are drawn side by side."""
    a, b = Input((2,), name="a"), Input((2,), name="b")
    p, q = Dense(2, name="p")(b), Dense(2, name="q")(a)
    model = Model([a, b], [Dense(1, name="u")(q), Dense(1, name="v")(p)])
    x = {box.title[0]: left + w / 2 for box, left, _, w, _ in layout(model).boxes}
    assert (x["a"] < x["b"]) == (x["q"] < x["p"]) == (x["u"] < x["v"])
    assert abs(x["a"] - x["q"]) < 40 and abs(x["b"] - x["p"]) < 40


def test_a_chain_is_straight_and_a_repeated_call_is_a_loop():
    i = Input((3,), name="i")
    again = Dense(3, name="again")
    placed = layout(Model(i, again(again(i))))
    assert len(placed.boxes) == 2
    straight, loop = sorted((points for points, _ in placed.paths), key=len)
    assert len(straight) == 2 and len(loop) == 4 and loop[0][0] == loop[-1][0]


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_directions(tmp_path, rankdir):
    root = drawn(nested(), tmp_path, rankdir=rankdir, expand_nested=True, show_layer_names=True)
    place_of = {t.text: (float(t.get("x")), float(t.get("y"))) for t in root.iter(SVG + "text")}
    (ax, ay), (rx, ry) = place_of["shared"], place_of["right"]
    assert {"TB": ay < ry, "BT": ay > ry, "LR": ax < rx, "RL": ax > rx}[rankdir]
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(0 < x < width and 0 < y < height for x, y in place_of.values())


@pytest.mark.parametrize(("splines", "has"), [("ortho", "LQM"), ("curved", "CLM"), ("spline", "CLM"), ("line", "LM"), ("polyline", "LM")])
def test_kinds_of_edges(tmp_path, splines, has):
    root = drawn(nested(), tmp_path, splines=splines)
    used = {c for p in root.iter(SVG + "path") if p.get("stroke") for c in re.findall("[A-Z]", p.get("d"))}
    assert used == set(has)


# ---- graphviz ---------------------------------------------------------------------------------------------------------
def edges_of(dot):
    names = dict(re.findall(r"^(\d+) \[.*?<b>(\w+)</b>", dot, re.M))
    return {(names[a], names[b]) for a, b in re.findall(r"^(\d+) -> (\d+)", dot, re.M)}


def test_dot():
    dot = model_to_dot(nested(), rankdir="LR", dpi=96)
    assert dot.startswith("digraph G {\nrankdir=LR;") and "dpi=96;" in dot and dot.to_string() == dot
    assert edges_of(dot) == {
        ("a", "shared"), ("b", "shared"), ("a", "late"), ("shared", "inner"), ("shared", "cat"), ("shared", "end"),
        ("inner", "cat"), ("late", "cat"), ("cat", "stack"), ("stack", "left"), ("stack", "end"), ("end", "right"),
    }  # fmt: skip
    dot = model_to_dot(nested(), expand_nested=True, show_trainable=True)
    assert 'subgraph "cluster_inner" {' in dot and "Non-trainable" in dot and dot.count("{") == dot.count("}") == 3
    assert {("shared", "x"), ("x", "p"), ("p", "sum"), ("sum", "cat"), ("cat", "s1"), ("s1", "s2"), ("s2", "end")} <= edges_of(dot)
    assert model_to_dot(nested(), subgraph=True).startswith('subgraph "cluster_m" {')


def test_other_formats_go_through_graphviz(tmp_path, monkeypatch):
    """A stand-in for graphviz' program writes down what it is called with."""
    program = tmp_path / "dot"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen(sys.argv[3], 'w').write(sys.argv[1] + sys.stdin.read())\n"
        "sys.exit('no such thing' if 'bad' in sys.argv[3] else 0)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    plot_model(nested(), tmp_path / "m.png", show_shapes=True)
    assert (tmp_path / "m.png").read_text().startswith("-Tpngdigraph G {\nrankdir=TB;")
    plot_model(nested(), str(tmp_path / "m"))
    assert (tmp_path / "m").read_text().startswith("-Tpng")
    with pytest.raises(ValueError, match="graphviz could not write .*no such thing"):
        plot_model(nested(), tmp_path / "bad.pdf")
    model = nested()
    plot_model(model, tmp_path / "m.dot")
    assert (tmp_path / "m.dot").read_text() == model_to_dot(model, show_layer_names=False)


def test_without_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("m.png", "m.pdf"):
        with pytest.raises(ImportError, match="apt install graphviz.*model.svg"):
            plot_model(nested(), tmp_path / name)


def test_errors(tmp_path):
    model = Sequential([Input((2,)), Dense(1)])
    for options, message in (
        ({"rankdir": "UP"}, "rankdir must be one of TB, BT, LR, RL"), ({"splines": "wavy"}, "splines must be one of"),
        ({"layer_range": ("a", "b")}, "layer_range is no longer supported"), ({"shapes": True}, r"unknown argument\(s\)"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            plot_model(model, tmp_path / "m.svg", **options)
    with pytest.raises(TypeError, match="a model expected"):
        plot_model(model.layers[0], tmp_path / "m.svg")
    with pytest.raises(TypeError, match="to_file must be a path"):
        plot_model(model, None)
    assert not (tmp_path / "m.svg").exists()
