"""summary(): the table, its totals, and how it fits the terminal."""

import io
import sys

import numpy as np

from brisknet.layers import Add, BatchNormalization, Dense, Dropout, Input
from brisknet.models import Model, Sequential
from tests.small_models import Sum, classifier, data


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
