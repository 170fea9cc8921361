"""Whole models against real Keras: ten for 100 steps (losses, weights, predict, evaluate), and saturated outputs."""

import numpy as np
import pytest

import brisknet as bn
from tests.golden.compare import Golden, close, mode, notes  # noqa: F401
from tests.golden.model_cases import BATCH, EPOCHS, MODELS, SATURATED

GOLDEN = Golden("keras_models")
EVALUATED = notes()["evaluate"]
RTOL = {"float64": 1e-13, "float32": 2e-5}


class Case:
    """One model with the weights that Keras began with, and its data."""

    def __init__(self, name, floatx):
        make, x_names, y_names, w_name = MODELS[name]
        bn.utils.set_random_seed(5)
        self.name, self.model = name, make(bn)
        self.model.set_weights(GOLDEN.group(f"{name}/start"))
        self._x, self._y = [GOLDEN[f"data/{n}"] for n in x_names], [GOLDEN[f"data/{n}"] for n in y_names]
        self._w = GOLDEN[f"data/{w_name}"] if w_name else None
        self.rtol = RTOL[floatx]

    def data(self, part=slice(None)):
        one = lambda group: group[0][part] if len(group) == 1 else [a[part] for a in group]  # noqa: E731
        return one(self._x), one(self._y), None if self._w is None else self._w[part]

    def rows(self):
        n = len(self._x[0])
        return [(first, min(first + BATCH, n)) for first in range(0, n, BATCH)]

    def check_end(self):
        for i, (w, v) in enumerate(zip(GOLDEN.group(f"{self.name}/end"), self.model.weights, strict=True)):
            close(v.numpy(), w, self.rtol, f"weight {i} {v.path}")
        x, y, w = self.data()
        p = self.model.predict(x)
        for got, want in zip(p if isinstance(p, list) else [p], GOLDEN.group(f"{self.name}/predict"), strict=True):
            close(got, want, self.rtol, "predict")
        logs = self.model.evaluate(x, y, batch_size=BATCH, sample_weight=w, verbose=0, return_dict=True)
        assert set(logs) == set(EVALUATED[self.name])
        for key, want in EVALUATED[self.name].items():
            assert logs[key] == pytest.approx(want, rel=self.rtol), key


@pytest.mark.parametrize("name", MODELS)
def test_hundred_single_steps(name, mode):  # noqa: F811
    case = Case(name, mode[1])
    wanted = iter(GOLDEN[f"{name}/losses"])
    for _ in range(EPOCHS):
        for first, stop in case.rows():
            x, y, w = case.data(slice(first, stop))
            loss = case.model.train_on_batch(x, y, sample_weight=w, return_dict=True)["loss"]
            assert loss == pytest.approx(next(wanted), rel=case.rtol)
    case.check_end()


@pytest.mark.parametrize("name", MODELS)
def test_fit_gives_the_same(name, mode):  # noqa: F811
    case = Case(name, mode[1])
    x, y, w = case.data()
    history = case.model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, sample_weight=w, verbose=0).history
    sizes = [b - a for a, b in case.rows()]
    by_epoch = GOLDEN[f"{name}/losses"].reshape(EPOCHS, -1) @ sizes / sum(sizes)
    assert np.allclose(history["loss"], by_epoch, rtol=case.rtol, atol=0)
    case.check_end()


@pytest.mark.parametrize("name", SATURATED)
def test_saturated_outputs_go_by_the_logits(name, mode):  # noqa: F811
    golden, (make, target) = Golden("keras_saturated"), SATURATED[name]
    model = make(bn)
    model.set_weights(golden.group(f"{name}/start"))
    for want in golden[f"{name}/logs"]:
        logs = model.train_on_batch(golden["x"], golden[target], return_dict=True)
        assert sorted(logs) == list(golden[f"{name}/names"])
        assert [logs[k] for k in sorted(logs)] == pytest.approx(want, rel=2e-6)
    for v, want in zip(model.weights, golden.group(f"{name}/end"), strict=True):
        close(v.numpy(), want, 2e-6, v.path)
