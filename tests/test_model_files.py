"""model.save and load_model."""

import io
import json
import pathlib
import zipfile

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import Dense, Input, Layer
from brisknet.models import Model, Sequential, load_model, save_model
from brisknet.saving import register_keras_serializable
from tests.golden.saving_cases import MODELS, inputs
from tests.small_models import classifier, data, equal

GOLDEN = np.load(pathlib.Path(__file__).parent / "golden" / "keras_saving.npz")


@pytest.fixture(params=["npz", "keras"])
def ending(request):
    if request.param == "keras":
        pytest.importorskip("h5py")
    return request.param


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_goes_on_exactly(backend, ending, tmp_path, optimizer):
    x, y = data()
    model = classifier(optimizer=optimizer, metrics=["accuracy", bn.metrics.AUC()])
    model.fit(x, y, verbose=0)
    model.save(tmp_path / f"m.{ending}")
    twin = load_model(tmp_path / f"m.{ending}")
    assert equal(model.get_weights(), twin.get_weights()) and [v.path for v in twin.weights] == [v.path for v in model.weights]
    a, b = (m.fit(x, y, verbose=0, shuffle=False).history for m in (model, twin))
    assert list(a.values()) == list(b.values()) and equal(model.get_weights(), twin.get_weights())
    plain = load_model(tmp_path / f"m.{ending}", compile=False)
    assert not plain.compiled and plain.count_params() == model.count_params()


@pytest.mark.parametrize("name", [n for n in MODELS if n != "written"])
def test_models_of_every_form(backend, ending, tmp_path, name):
    model = MODELS[name](bn)
    save_model(model, tmp_path / f"m.{ending}")
    twin = load_model(str(tmp_path / f"m.{ending}"))
    p, q = model(inputs(name, bn)), twin(inputs(name, bn))
    for key in p if isinstance(p, dict) else [...]:
        assert np.array_equal(p[key], q[key])


@pytest.mark.parametrize("name", [n for n in MODELS if n != "written"])
def test_a_file_of_keras(backend, tmp_path, name):
    h5py = pytest.importorskip("h5py")
    raw = io.BytesIO()
    with h5py.File(raw, "w") as file:
        for key in GOLDEN.files:
            if key.startswith(f"{name}/file/"):
                file[key.removeprefix(f"{name}/file/")] = GOLDEN[key]
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", str(GOLDEN[f"{name}/json"]))
        archive.writestr("model.weights.h5", raw.getvalue())
    out = load_model(tmp_path / "m.keras")(inputs(name, bn))
    for key in GOLDEN.files:
        if key.startswith(f"{name}/out/"):
            value = out[key.rpartition("/")[2]] if isinstance(out, dict) else out
            assert np.allclose(value, GOLDEN[key], rtol=1e-5, atol=1e-6)


@register_keras_serializable("tests")
class Shifted(Layer):
    def build(self, input_shape):
        self.shift = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="shift")

    def call(self, x):
        return x + self.shift


@register_keras_serializable("tests")
class Tower(Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.blocks = units, [Shifted(), Dense(units)]

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_classes_of_ones_own(backend, ending, tmp_path):
    model = Tower(3)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    model.save(tmp_path / f"m.{ending}")
    twin = load_model(tmp_path / f"m.{ending}")
    assert type(twin) is Tower and np.array_equal(twin.predict(np.ones((4, 2))), model.predict(np.ones((4, 2))))

    class Unknown(Shifted):
        pass

    Sequential([Input((2,)), Unknown()]).save(tmp_path / f"u.{ending}")
    with pytest.raises(ValueError, match="Unknown"):
        load_model(tmp_path / f"u.{ending}")
    assert load_model(tmp_path / f"u.{ending}", {"Unknown": Unknown}).count_params() == 2


def test_weights_of_a_whole_models_file(ending, tmp_path):
    model, twin = classifier(), classifier()
    twin.set_weights([w * 0 for w in twin.get_weights()])
    model.save(tmp_path / f"m.{ending}")
    twin.load_weights(tmp_path / f"m.{ending}")
    assert equal(model.get_weights(), twin.get_weights())


def test_files_that_are_no_models(tmp_path):
    classifier().save_weights(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="holds weights only.*load_weights"):
        load_model(tmp_path / "w.npz")
    with pytest.raises(FileNotFoundError, match="no file .*nothing.npz"):
        load_model(tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match=r"files named \.\.\.\.npz, or \.\.\.\.keras"):
        load_model(tmp_path / "model.h5")
    with pytest.raises(ValueError, match=r"files named \.\.\.\.npz, or \.\.\.\.keras"):
        classifier().save(tmp_path / "model")
    with pytest.raises(ValueError, match="not built yet"):
        Sequential([Dense(2)]).save(tmp_path / "m.npz")
    (tmp_path / "bad.npz").write_bytes(b"nothing of a zip")
    with pytest.raises(ValueError, match="no readable file"):
        load_model(tmp_path / "bad.npz")
    np.savez(tmp_path / "cut.npz", **{"config.json": np.array("{")})
    with pytest.raises(ValueError, match="is damaged: its config is no JSON"):
        load_model(tmp_path / "cut.npz")
    np.savez(tmp_path / "layer.npz", **{"config.json": np.array(json.dumps({"class_name": "Dense", "config": {"units": 2}}))})
    with pytest.raises(ValueError, match="holds a Dense, not a model"):
        load_model(tmp_path / "layer.npz")
    classifier().save(tmp_path / "m.npz")
    with pytest.raises(FileExistsError):
        classifier().save(tmp_path / "m.npz", overwrite=False)
    with pytest.raises(ValueError, match="whole model: use model.save"):
        classifier().save_weights(tmp_path / "m.keras")


def test_a_loss_that_is_not_registered_says_so(tmp_path):
    def own(y_true, y_pred):
        return bn.ops.mean(bn.ops.square(y_true - y_pred), axis=-1)

    with pytest.raises(ValueError, match="neither a Loss nor a built-in function"):
        classifier(loss=own).save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())
