"""summary(): the table, its totals, and how it fits the terminal."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from brisknet import layers
from brisknet.layers import Add, BatchNormalization, Dense, Dropout, Input
from brisknet.models import Model, Sequential
from tests.golden.summary_cases import cases as golden_cases
from tests.golden.summary_cases import models as golden_models
from tests.small_models import Sum, classifier, data

KERAS = json.loads((Path(__file__).parent / "golden" / "keras_summaries.json").read_text(encoding="utf-8"))


# ---- summary ----------------------------------------------------------------------------------------------------------
def table_of(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    assert len(texts) == 1, "print_fn gets the summary as one string"
    return texts[0]


def cells(text):
    return [[c.strip() for c in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]


def test_summary_of_a_stack_before_and_after_training():
    x, y = data()
    model = classifier(optimizer="adam")
    text = table_of(model)
    assert cells(text) == [["d1 (Dense)", "(None, 8)", "40"], ["d2 (Dense)", "(None, 1)", "9"]]
    assert text.splitlines()[0] == f'Model: "{model.name}"'
    assert text.splitlines()[-3:] == [
        " Total params: 49 (196.00 B)", " Trainable params: 49 (196.00 B)", " Non-trainable params: 0 (0.00 B)"
    ]  # fmt: skip
    model.fit(x, y, verbose=0)
    assert table_of(model).splitlines()[-4:] == [  # as Keras counts: iteration and learning rate are among them
        " Total params: 149 (600.00 B)", " Trainable params: 49 (196.00 B)", " Non-trainable params: 0 (0.00 B)",
        " Optimizer params: 100 (404.00 B)",
    ]  # fmt: skip


def test_summary_of_a_model_that_is_not_built():
    model = Sequential([Dense(3, name="q"), Dropout(0.5, name="r")])
    assert cells(table_of(model)) == [["q (Dense)", "?", "0 (unbuilt)"], ["r (Dropout)", "?", "0"]]


def test_summary_of_branches_and_nested_models():
    a = Input((4,), name="a")
    inner = Model(a, Dense(3, name="i")(a), name="inner")
    inner.trainable = False
    b = Input((4,), name="b")
    h = inner(b)
    h = Add(name="sum")([h, BatchNormalization(name="bn")(h)])
    model = Model(b, h)
    assert cells(table_of(model, expand_nested=True, show_trainable=True, line_length=100)) == [
        ["b (InputLayer)", "(None, 4)", "0", "-", "-"],
        ["inner (Functional)", "(None, 3)", "15", "b[0][0]", "N"],
        ["└ a (InputLayer)", "(None, 4)", "0", "-", "-"],
        ["└ i (Dense)", "(None, 3)", "15", "a[0][0]", "N"],
        ["bn (BatchNormalization)", "(None, 3)", "12", "inner[0][0]", "Y"],
        ["sum (Add)", "(None, 3)", "0", "inner[0][0], bn[0][0]", "-"],
    ]
    assert [row[0] for row in cells(table_of(model, layer_range=("inner", "bn"), line_length=100))] == [
        "inner (Functional)", "bn (BatchNormalization)"
    ]  # fmt: skip


def test_summary_folds_to_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    model = Sequential([Input((4,)), Dense(3, name="a_layer_with_quite_a_long_name_indeed")])
    lines = table_of(model).splitlines()
    assert max(map(len, lines[1:-3])) <= 50 and len({len(x) for x in lines[1:-3]}) == 1
    assert "".join(row[0] for row in cells("\n".join(lines))).replace(" ", "") == "a_layer_with_quite_a_long_name_indeed(Dense)"
    assert {len(x) for x in table_of(model, line_length=60).splitlines()[1:-3]} == {60}


def test_summary_in_a_terminal_without_box_characters(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    classifier().summary()
    sys.stdout.flush()
    assert b"| d1 (Dense)" in raw.getvalue() and raw.getvalue().isascii()


def test_summary_of_a_subclassed_model():
    model = Sum(name="sums")
    x = [np.ones((2, 4)), np.ones((2, 4))]
    model(x)
    assert cells(table_of(model))[0][1:] == ["(None, 3)", "15"]


# ---- Keras' own text --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "columns", "options"), list(golden_cases()), ids=list(KERAS))
def test_summary_is_keras_text(monkeypatch, name, columns, options):
    monkeypatch.setenv("COLUMNS", str(columns))
    model = golden_models(layers, Model, Sequential)[name]
    assert table_of(model, **options) == KERAS[f"{name} {columns} {json.dumps(options)}"]


def test_the_word_trainable_is_never_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    lines = table_of(classifier(), show_trainable=True).splitlines()
    assert lines[2].endswith("┃ Trainable ┃") and {len(x) for x in lines[1:-3]} == {100}


@pytest.mark.parametrize("columns", [200, 80, 50, 40])
@pytest.mark.parametrize("options", [{}, {"expand_nested": True}, {"show_trainable": True}])
def test_every_table_fits_and_loses_nothing(monkeypatch, columns, options):
    monkeypatch.setenv("COLUMNS", str(columns))
    for name, model in golden_models(layers, Model, Sequential).items():
        text = table_of(model, **options)
        lines = [x for x in text.splitlines() if x[0] in "┏┃┡│├└"]
        assert len({len(x) for x in lines}) == 1, "straight edges"
        assert len(lines[0]) <= columns - 4, name
        shown = "".join(row[0] for row in cells(text)).replace(" ", "")
        assert all(f"{layer.name}({type(layer).__name__})" in shown for layer in model.layers)


def test_positions(monkeypatch):
    model = classifier()
    by_share = table_of(model, line_length=80, positions=[0.5, 0.75, 1.0])
    assert by_share == table_of(model, line_length=80, positions=[40, 60, 80])
    assert by_share.splitlines()[1].count("━") == 80 - 10 + 6
    for wrong in ([0.5], [0.5, 0.4, 1.0], "wide", [0, 0.5, 1]):
        with pytest.raises(ValueError, match="positions must be 3 growing numbers"):
            table_of(model, positions=wrong)
    for wrong in (("d1",), ("d1", "none"), "d1"):
        with pytest.raises(ValueError, match="layer_range"):
            table_of(model, layer_range=wrong)


def test_shapes_of_layers_with_several_outputs(capsys):
    """Keras shows a list of what was called with tensors, and what a layer of a subclassed model computes."""
    x = layers.Input((4,))
    a = layers.Dense(2)(x)
    two = Model(x, [a, layers.Dense(3)(a)], name="two")
    y = layers.Input((4,))
    Model(y, two(y)).summary()
    assert "[(None, 2), (None, 3)]" in capsys.readouterr().out

    class Sub(Model):
        def __init__(self):
            super().__init__()
            self.two = Model(x, two.outputs)

        def call(self, x):
            return self.two(x)[0]

    sub = Sub()
    sub(np.ones((2, 4), "float32"))
    sub.summary()
    assert "((None, 2), (None, 3))" in capsys.readouterr().out
