"""Helpers, names, seeds, the keras alias, and what importing the package costs."""

import importlib
import random
import subprocess
import sys

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import Dense, Input
from brisknet.models import Sequential
from brisknet.utils import clear_session, normalize, set_random_seed, to_categorical
from brisknet.utils.naming import lookup, near_names, to_snake_case
from brisknet.utils.terminal import can_draw


def test_to_categorical_forms():
    eye = np.eye(3)
    assert np.array_equal(to_categorical([0, 2, 1]), eye[[0, 2, 1]])
    assert np.array_equal(to_categorical([[0], [1]]), np.eye(2))
    assert np.array_equal(to_categorical([[0, 1], [1, 0]], 3), eye[[[0, 1], [1, 0]]])
    assert np.array_equal(to_categorical(2, 3), eye[2])
    assert np.array_equal(to_categorical([True, False]), np.eye(2)[[1, 0]])
    assert np.array_equal(to_categorical(np.array([0.0, 1.0])), np.eye(2))
    assert to_categorical([], 4).shape == (0, 4)


@pytest.mark.parametrize(
    ("x", "classes", "fragments"),
    [
        ([-1, 0], 2, ("labels must lie in [0, 2)", "got -1")),
        ([0, 5], 3, ("labels must lie in [0, 3)", "to 5")),
        ([0.5, 1], None, ("whole numbers", "float64")),
        (["a"], None, ("whole numbers", "<U1")),
    ],
)
def test_to_categorical_refuses(x, classes, fragments):
    with pytest.raises(ValueError, match="to_categorical") as caught:
        to_categorical(x, classes)
    assert all(f in str(caught.value) for f in fragments)


def test_normalize():
    assert np.allclose(normalize(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0.0, 0.0]])
    assert np.allclose(normalize(np.array([[1.0, -3.0]]), order=1), [[0.25, -0.75]])
    assert np.allclose(np.linalg.norm(normalize(np.arange(1.0, 7).reshape(2, 3), axis=0), axis=0), 1)


def test_set_random_seed_seeds_all_generators():
    def draws():
        set_random_seed(7)
        return random.random(), np.random.rand(), Dense(3)(np.ones((1, 2), np.float32)).tolist()

    assert draws() == draws()
    set_random_seed(8)
    assert Dense(3)(np.ones((1, 2), np.float32)).tolist() != draws()[2]


def test_clear_session_restarts_the_numbering():
    clear_session()
    assert [Dense(1).name, Dense(1).name] == ["dense", "dense_1"]
    clear_session()
    assert Dense(1).name == "dense"


@pytest.mark.parametrize(
    ("cls", "snake"),
    [("Dense", "dense"), ("LeakyReLU", "leaky_re_lu"), ("PReLU", "p_re_lu"), ("ELU", "elu"),
     ("BatchNormalization", "batch_normalization")],
)  # fmt: skip
def test_names_are_keras_names(cls, snake):
    assert to_snake_case(cls) == snake


def test_lookup_names_what_is_near():
    assert near_names("adma", ["adam", "sgd"]) == ["adam"]
    with pytest.raises(ValueError, match="unknown optimizer 'adma'; did you mean 'adam'"):
        lookup("optimizer", "adma", {"adam": 1, "sgd": 2})
    with pytest.raises(ValueError, match="known: adam, sgd"):
        lookup("optimizer", "zzzzzz", {"adam": 1, "sgd": 2})


def test_can_draw_follows_the_encoding():
    class Stream:
        def __init__(self, encoding):
            self.encoding = encoding

    assert can_draw(Stream("utf-8")) and can_draw(Stream("cp437"), "═║") and not can_draw(Stream("cp1252"))
    assert not can_draw(Stream("ascii")) and not can_draw(Stream(None)) and not can_draw(Stream("no-such-codec"))


# ---- the keras alias --------------------------------------------------------------------------------------------------
def test_keras_is_the_package_under_another_name():
    import brisknet.keras as keras
    import brisknet.keras.layers.core as core
    from brisknet.keras import layers
    from brisknet.keras.callbacks import EarlyStopping
    from brisknet.keras.models import Sequential as AliasSequential

    assert keras is bn and layers is bn.layers and AliasSequential is Sequential
    assert EarlyStopping is bn.callbacks.EarlyStopping
    assert core is sys.modules["brisknet.layers.core"] and core.__name__ == "brisknet.layers.core"
    assert core.__spec__.name == "brisknet.layers.core"
    assert bn.keras.optimizers.SGD(learning_rate=0.5).learning_rate == 0.5
    assert bn.Input is Input


def test_unknown_names_are_errors():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bn.nothing  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("brisknet.keras.nothing")


def test_alias_does_not_load_modules_twice():
    code = (
        "import brisknet.keras.models.sequential, brisknet.keras.layers.core, sys\n"
        "twins = [n for n in sys.modules if n.startswith('brisknet.keras.')]\n"
        "assert twins\n"
        "assert all(sys.modules[n] is sys.modules[n.replace('.keras', '', 1)] for n in twins), twins\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


# ---- cost of the import -----------------------------------------------------------------------------------------------
def loaded_after(code: str) -> set:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], check=True, capture_output=True, text=True
    )
    return set(out.stdout.split())


def test_import_loads_nothing_heavy():
    bare = loaded_after("import numpy")
    added = loaded_after("import numpy, brisknet") - bare
    assert not any(m.startswith("brisknet.layers") for m in added), "the package must load its parts when they are used"
    fit = (
        "import numpy as np, brisknet as bn\n"
        "m = bn.Sequential([bn.Input((2,)), bn.layers.Dense(1)])\n"
        "m.compile('sgd', 'mse')\n"
        "m.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0)"
    )
    heavy = {"tqdm", "pandas", "matplotlib", "scipy", "csv", "difflib", "unittest", "asyncio", "multiprocessing"}
    assert not heavy & (loaded_after(fit) - bare)


def test_split_dataset():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (xl, yl), (xr, yr) = bn.utils.split_dataset((x, y), left_size=0.8)
    assert np.array_equal(xl, x[:8]) and np.array_equal(yl, y[:8]) and np.array_equal(xr, x[8:]) and np.array_equal(yr, y[8:])
    left, right = bn.utils.split_dataset({"a": x, "b": y}, right_size=3, shuffle=True, seed=1)
    assert sorted([*left["b"], *right["b"]]) == list(range(10)) and len(right["a"]) == 3
    assert np.array_equal(left["a"][:, 0], 2 * left["b"]) and not np.array_equal(left["b"], y[:7])
    (xl, yl), (xr, _) = bn.utils.split_dataset(((x[i : i + 4], y[i : i + 4]) for i in (0, 4, 8)), left_size=6, right_size=2)
    assert np.array_equal(xl, x[:6]) and np.array_equal(yl, y[:6]) and np.array_equal(xr, x[8:])
    for sizes, message in (({}, "left_size or right_size"), ({"left_size": 10}, "left_size must be"),
                           ({"right_size": 1.5}, "right_size must be"), ({"left_size": 0.7, "right_size": 0.5}, "at most 1"),
                           ({"left_size": 8, "right_size": 8}, "fit into 10 rows")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            bn.utils.split_dataset((x, y), **sizes)


def test_packing_of_batches():
    x, y, w = np.zeros(3), np.ones(3), np.ones(3)
    for given in ((x,), (x, y), (x, y, w)):
        parts = bn.utils.unpack_x_y_sample_weight(given)
        assert parts == (*given, None, None)[:3]
        packed = bn.utils.pack_x_y_sample_weight(*parts)
        assert packed is x if len(given) == 1 else packed == given
    assert bn.utils.pack_x_y_sample_weight([x, x]) == ([x, x],)
    with pytest.raises(ValueError, match="a tuple of 4"):
        bn.utils.unpack_x_y_sample_weight((x, y, w, w))
