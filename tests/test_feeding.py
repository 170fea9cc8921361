"""Everything that can be fed to a model."""

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import Dense, Input
from brisknet.models import Sequential
from tests.small_models import classifier, data


# ---- what can be fed --------------------------------------------------------------------------------------------------
class OnlyArray:
    def __init__(self, value):
        self._value = value

    def __array__(self, dtype=None, copy=None):
        return self._value if dtype is None else self._value.astype(dtype)


class OnlyDLPack:
    def __init__(self, value):
        self._value = value

    def __dlpack__(self, **kwargs):
        return self._value.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self._value.__dlpack_device__()


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


FORMS = {
    "list": lambda a, _: a.tolist(),
    "tuple": lambda a, _: tuple(map(tuple, a.tolist())),
    "rows": lambda a, _: list(a),
    "in_a_list": lambda a, _: [a],
    "float64": lambda a, _: a.astype("float64"),
    "float16": lambda a, _: a.astype("float16"),
    "longdouble": lambda a, _: a.astype(np.longdouble),
    "big_endian": lambda a, _: a.astype(">f4"),
    "fortran": lambda a, _: np.asfortranarray(a),
    "strided": lambda a, _: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a, _: a[::-1][::-1],
    "columns": lambda a, _: np.concatenate([a, a], axis=1)[:, : a.shape[1]],
    "read_only": lambda a, _: read_only(a),
    "memmap": lambda a, tmp: memmap(a, tmp),
    "array_only": lambda a, _: OnlyArray(a),
    "dlpack_only": lambda a, _: OnlyDLPack(a.copy()),
    "memoryview": lambda a, _: memoryview(np.ascontiguousarray(a)),
    "matrix_of_ints": lambda a, _: np.round(a).astype("int16"),
    "bool": lambda a, _: a > 0,
}


def memmap(a, tmp):
    out = np.memmap(tmp / "x.bin", a.dtype, "w+", shape=a.shape)
    out[:] = a
    out.flush()
    return np.memmap(tmp / "x.bin", a.dtype, "r", shape=a.shape)


@pytest.mark.parametrize("form", FORMS)
def test_arrays_of_any_form(backend, tmp_path, form):
    x, y = data()
    fed = FORMS[form](x, tmp_path)
    plain = np.asarray(fed._value if isinstance(fed, (OnlyArray, OnlyDLPack)) else fed)
    plain = np.ascontiguousarray(plain.reshape(70, 4), dtype="float32")
    model, other = classifier(), classifier()
    assert np.array_equal(model.predict(fed, verbose=0), other.predict(plain, verbose=0))
    assert model.evaluate(fed, y, verbose=0) == other.evaluate(plain, y, verbose=0)
    bn.utils.set_random_seed(1)
    a = model.fit(fed, y, verbose=0, shuffle=False).history
    assert a == other.fit(plain, y, verbose=0, shuffle=False).history
    assert np.allclose(model(fed), model.predict(plain, verbose=0), atol=1e-6)
    assert np.array_equal(np.asarray(plain), plain)


@pytest.mark.parametrize("form", ["list", "tuple", "float16", "big_endian", "strided", "read_only", "memmap", "array_only",
                                  "dlpack_only", "bool", "int8", "uint8", "uint64", "column"])  # fmt: skip
def test_targets_of_any_form(backend, tmp_path, form):
    x, y = data()
    y = y.astype("float32")
    if form == "column":
        fed = y[:, None]
    elif form == "tuple":
        fed = tuple(y.tolist())
    else:
        fed = FORMS[form](y, tmp_path) if form in FORMS else y.astype(form)
    assert classifier().evaluate(x, fed, verbose=0) == classifier().evaluate(x, y, verbose=0)


def test_pandas(backend):
    pd = pytest.importorskip("pandas")
    x, y = data()
    model = classifier()
    p, scores = model.predict(x, verbose=0), model.evaluate(x, y, verbose=0)
    frame = pd.DataFrame(x, columns=list("abcd"), index=np.arange(70)[::-1])
    assert np.array_equal(model.predict(frame, verbose=0), p)
    for target in (pd.Series(y), pd.Series(y, index=np.arange(70)[::-1]), pd.DataFrame({"y": y}), pd.Series(y > 0),
                   pd.Series(y).astype("Int64"), pd.Series(y > 0).astype("boolean"), pd.Series(y).astype("Float32")):  # fmt: skip
        assert model.evaluate(frame, target, verbose=0) == scores
    nullable = frame.round().astype("Int32")
    mixed = frame.round().assign(b=lambda f: f.b.astype("Int8"), c=lambda f: f.c.astype("float64"))
    assert np.array_equal(model.predict(nullable, verbose=0), model.predict(np.round(x), verbose=0))
    assert np.array_equal(model.predict(mixed, verbose=0), model.predict(np.round(x), verbose=0))
    a, b = classifier(), classifier()
    w = pd.Series(np.linspace(0, 1, 70))
    runs = [m.fit(f, t, sample_weight=v, validation_split=0.2, verbose=0, shuffle=False).history
            for m, f, t, v in ((a, frame, pd.Series(y), w), (b, x, y, w.to_numpy()))]  # fmt: skip
    assert runs[0] == runs[1]


def test_feeding_changes_no_array_of_the_user(backend):
    x, y = data()
    kept = x.copy(), y.copy()
    classifier().fit(x, y, epochs=2, verbose=0)
    assert np.array_equal(x, kept[0]) and np.array_equal(y, kept[1])


def test_one_feature_may_come_without_its_axis(backend):
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(6.0)
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x[:, None], verbose=0))
    model.fit(x, x, verbose=0)


def test_polars(backend):
    pl = pytest.importorskip("polars")
    x, y = data()
    model = classifier()
    p, scores = model.predict(x, verbose=0), model.evaluate(x, y, verbose=0)
    frame = pl.DataFrame({name: x[:, i] for i, name in enumerate("abcd")})
    assert np.array_equal(model.predict(frame, verbose=0), p)
    for target in (pl.Series(y), pl.Series(y > 0), pl.Series(y, dtype=pl.Int8), pl.DataFrame({"y": y})):
        assert model.evaluate(frame, target, verbose=0) == scores
    gaps = pl.DataFrame({"a": [1, None], "b": [True, None], "c": [1.0, 2.0], "d": [0, 1]})
    assert np.isnan(model.predict(gaps, verbose=0)).ravel().tolist() == [False, True]
    for bad, message in ((frame.with_columns(b=pl.lit("word")), "column 'b'"), (frame.lazy(), "collect")):
        with pytest.raises(TypeError, match=message):
            model.predict(bad, verbose=0)
