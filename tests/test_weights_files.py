"""save_weights and load_weights: what Keras wrote, files that do not fit, crashes while writing."""

import os
import pathlib

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import Dense, Input
from brisknet.models import Model, Sequential
from brisknet.saving.weights import model_arrays
from tests.golden.saving_cases import MODELS, inputs
from tests.small_models import classifier, data, equal

GOLDEN = dict(np.load(pathlib.Path(__file__).parent / "golden" / "keras_saving.npz"))


def group(prefix):
    return {k.removeprefix(prefix): v for k, v in GOLDEN.items() if k.startswith(prefix)}


@pytest.fixture(params=list(MODELS))
def case(request):
    return request.param


def test_names_and_values_of_a_file_that_keras_wrote(backend, case, tmp_path):
    model = MODELS[case](bn)
    wanted = group(f"{case}/file/")
    assert {k: v.shape for k, v in model_arrays(model).items()} == {k: v.shape for k, v in wanted.items()}
    np.savez(tmp_path / "keras.npz", **wanted)
    model.load_weights(tmp_path / "keras.npz")
    out = model(inputs(case, bn))
    for key, value in group(f"{case}/out/").items():
        assert np.allclose(out[key] if isinstance(out, dict) else out, value, rtol=1e-5, atol=1e-6)
    model.save_weights(tmp_path / "ours.npz")
    ours = np.load(tmp_path / "ours.npz")
    assert set(ours.files) == set(wanted) and all(np.array_equal(ours[k], wanted[k]) for k in wanted)


def test_keras_own_format(case, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        for k, v in group(f"{case}/file/").items():
            file[k] = v
    model, twin = MODELS[case](bn), MODELS[case](bn)
    model.load_weights(tmp_path / "m.weights.h5")
    model.save_weights(tmp_path / "n.weights.h5")
    twin.load_weights(tmp_path / "n.weights.h5")
    assert equal(model.get_weights(), twin.get_weights())


def test_without_h5py_the_error_names_the_extra(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install brisknet\[h5\].*npz"):
        classifier().save_weights(tmp_path / "m.weights.h5")
    assert not list(tmp_path.iterdir())


def test_training_goes_on_from_a_file(backend, tmp_path):
    x, y = data()
    model, twin = classifier(optimizer="adam"), classifier(optimizer="adam")
    model.fit(x, y, verbose=0)
    twin.fit(x, y, verbose=0, epochs=2)
    model.save_weights(tmp_path / "w.npz")
    twin.load_weights(str(tmp_path / "w.npz"))
    runs = [m.fit(x, y, verbose=0, shuffle=False).history for m in (model, twin)]
    assert runs[0] == runs[1] and equal(model.get_weights(), twin.get_weights())


def test_weights_for_a_model_with_other_names_and_another_optimizer(tmp_path):
    x, y = data()
    model = classifier(optimizer="adam")
    model.fit(x, y, verbose=0)
    model.save_weights(tmp_path / "w.npz")
    other = Sequential([Input((4,)), Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
    other.load_weights(tmp_path / "w.npz")
    assert equal(other.get_weights(), model.get_weights())
    sgd = classifier(optimizer="sgd")
    sgd.fit(x, y, verbose=0)
    with pytest.warns(UserWarning, match=r"state of optimizer 'sgd.*' \(2 variables\) was not loaded.*\(10 variables\)"):
        sgd.load_weights(tmp_path / "w.npz")
    assert equal(sgd.get_weights(), model.get_weights())


def test_mismatches_change_nothing_or_are_skipped(tmp_path):
    classifier().save_weights(tmp_path / "w.npz")
    wider = Sequential([Input((4,)), Dense(9, name="wide"), Dense(1, name="top"), Dense(1, name="new")])
    before = wider.get_weights()
    with pytest.raises(ValueError, match=r"3 part.*'wide'.*weight 'kernel' has shape \(4, 9\), in the file \(4, 8\).*'new'"):
        wider.load_weights(tmp_path / "w.npz")
    assert equal(before, wider.get_weights())
    same_top = Sequential([Input((4,)), Dense(8), Dense(1), Dense(1, name="new")])
    kept = same_top.get_weights()[4:]
    with pytest.warns(UserWarning, match="layer 'new'.*finds no weights in the file"):
        same_top.load_weights(tmp_path / "w.npz", skip_mismatch=True)
    assert equal(same_top.get_weights()[:4], classifier().get_weights()) and equal(kept, same_top.get_weights()[4:])
    with pytest.raises(ValueError, match="the file has weights of 'layers/dense_1', which the model has not"):
        Sequential([Input((4,)), Dense(8)]).load_weights(tmp_path / "w.npz")
    no_bias = Sequential([Input((4,)), Dense(8, use_bias=False, name="bare"), Dense(1)])
    with pytest.raises(ValueError, match="layer 'bare'.* has 1 weights, the file 2"):
        no_bias.load_weights(tmp_path / "w.npz")


def test_a_crash_while_writing_loses_nothing(monkeypatch, tmp_path):
    path = tmp_path / "deep" / "w.npz"
    classifier().save_weights(path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        classifier().save_weights(path)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == ["w.npz"]


def test_overwrite_links_and_permissions(tmp_path):
    path, link = tmp_path / "w.npz", tmp_path / "link.npz"
    classifier().save_weights(path)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        classifier().save_weights(path, overwrite=False)
    os.chmod(path, 0o640)
    link.symlink_to(path)
    model = classifier()
    model.set_weights([w * 0 for w in model.get_weights()])
    model.save_weights(link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert not np.load(path)["layers/dense/vars/0"].any()
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        classifier().save_weights(tmp_path / "folder.npz")


def test_files_that_are_none(tmp_path):
    model = classifier()
    with pytest.raises(FileNotFoundError, match="no file .*nowhere.npz"):
        model.load_weights(tmp_path / "nowhere.npz")
    (tmp_path / "bad.npz").write_bytes(b"not a zip file at all")
    with pytest.raises(ValueError, match="no readable file of weights"):
        model.load_weights(tmp_path / "bad.npz")
    np.savez(tmp_path / "objects.npz", a=np.array([{}], object))
    with pytest.raises(ValueError, match="no readable file of weights"):
        model.load_weights(tmp_path / "objects.npz")
    for bad in ("weights.txt", "weights"):
        with pytest.raises(ValueError, match=r"files named \.\.\.\.npz"):
            model.save_weights(tmp_path / bad)
    with pytest.raises(ValueError, match="not built yet"):
        Sequential([Dense(2)]).save_weights(tmp_path / "w.npz")


def test_layers_that_no_attribute_holds(tmp_path):
    class Hidden(Model):
        def __init__(self):
            super().__init__()
            self._track(Dense(2))

        def call(self, x):
            return self._layers[0](x)

    model, twin = Hidden(), Hidden()
    for m in (model, twin):
        m(np.ones((2, 3)))
    model.save_weights(tmp_path / "w.npz")
    twin.load_weights(tmp_path / "w.npz")
    assert equal(model.get_weights(), twin.get_weights())


def test_paths_of_weights_as_in_keras(case):
    bn.utils.clear_session()
    assert [w.path for w in MODELS[case](bn).weights] == GOLDEN[f"{case}/paths"].tolist()
