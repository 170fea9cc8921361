"""Callbacks that write files or talk to a server: ModelCheckpoint, BackupAndRestore, RemoteMonitor."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import numpy as np
import pytest

import brisknet as bn
from brisknet import callbacks
from brisknet.layers import Dense, Dropout, Input
from brisknet.models import Sequential


def data(n=70):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def classifier(seed=1, optimizer="adam"):
    bn.utils.set_random_seed(seed)
    model = Sequential([Input((4,)), Dense(8, activation="relu"), Dropout(0.3), Dense(1, activation="sigmoid")])
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def same(a, b):
    return all(np.array_equal(u, v) for u, v in zip(a.get_weights(), b.get_weights(), strict=True))


class Fake:
    """Stands for a model whose logs are made up."""

    metrics = ()

    def __init__(self):
        self.saved = []

    def save_weights(self, path, overwrite=True):
        self.saved.append(os.path.basename(path))


def drive(callback, epochs, steps=0, name="val_loss"):
    """Run the hooks of a fit whose monitored value is what `epochs` says; returns the names of the files."""
    callback.set_model(Fake())
    callback.on_train_begin({})
    for epoch, value in enumerate(epochs):
        callback.on_epoch_begin(epoch, {})
        for batch in range(steps):
            callback.on_train_batch_end(batch, {name: value})
        callback.on_epoch_end(epoch, {name: value})
    return callback.model.saved


# ---- ModelCheckpoint --------------------------------------------------------------------------------------------------
def test_checkpoints_of_a_real_training(tmp_path, backend):
    x, y = data()
    path = tmp_path / "new" / "w-{epoch:02d}-{val_loss:.3f}-{accuracy:.2f}.npz"
    seen = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((dict(logs), model.get_weights())))
    model = classifier()
    model.fit(x, y, epochs=3, validation_split=0.2, verbose=0, callbacks=[keep, callbacks.ModelCheckpoint(path)])
    files = sorted(os.listdir(tmp_path / "new"))
    assert files == [f"w-{e + 1:02d}-{m['val_loss']:.3f}-{m['accuracy']:.2f}.npz" for e, (m, _) in enumerate(seen)]
    for name, (_, weights) in zip(files, seen, strict=True):
        other = classifier(seed=9)
        other.load_weights(tmp_path / "new" / name)
        assert all(np.array_equal(u, v) for u, v in zip(other.get_weights(), weights, strict=True))


def test_only_the_best_is_kept(tmp_path, backend):
    x, y = data()
    path = tmp_path / "best.npz"
    checkpoint = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
    model = classifier(optimizer=bn.optimizers.SGD(40.0))
    weights = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    history = model.fit(x, y, epochs=8, validation_split=0.4, verbose=0, callbacks=[checkpoint, keep]).history
    best = int(np.argmin(history["val_loss"]))
    assert checkpoint.best == history["val_loss"][best] and best < 7, "the last epoch must not be the best here"
    model.load_weights(path)
    assert all(np.array_equal(u, v) for u, v in zip(model.get_weights(), weights[best], strict=True))


@pytest.mark.parametrize(
    ("options", "values", "saved"),
    [
        ({}, [3, 4, 2], [1, 2, 3]),
        ({"save_best_only": True}, [3, 4, 2, 2], [1, 3]),
        ({"save_best_only": True, "mode": "max"}, [3, 4, 2], [1, 2]),
        ({"save_best_only": True, "monitor": "val_accuracy"}, [0.3, 0.4, 0.2], [1, 2]),
        ({"save_best_only": True, "initial_value_threshold": 2.5}, [3, 4, 2], [3]),
        ({"save_best_only": True, "initial_value_threshold": 2.5, "mode": "max"}, [2, 2.6, 2.4], [2]),
        ({"save_best_only": True}, [float("nan"), 2, 1], [1]),
    ],
)  # fmt: skip
def test_which_epochs_are_saved_as_keras_does(tmp_path, options, values, saved):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "{epoch}.npz", **options)
    assert drive(checkpoint, values, name=options.get("monitor", "val_loss")) == [f"{e}.npz" for e in saved]


def test_steps_are_counted_across_epochs(tmp_path):
    """Keras: 3 epochs of 5 steps, saved after every 4 steps."""
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.npz", save_freq=4)
    assert drive(checkpoint, [1, 1, 1], steps=5) == ["1-4.npz", "2-3.npz", "3-2.npz"]
    best = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.npz", save_freq=2, save_best_only=True)
    assert drive(best, [3, 4, 2], steps=2) == ["1-2.npz", "3-2.npz"]


def test_weights_of_the_step_are_saved(tmp_path, backend):
    x, y = data(64)
    after = {}
    model = classifier()

    class Keep(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            after[batch] = model.get_weights()

    model.fit(x, y, batch_size=8, verbose=0, callbacks=[Keep(), callbacks.ModelCheckpoint(
        tmp_path / "{batch}.npz", save_freq=3)])  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == ["3.npz", "6.npz"]
    model.load_weights(tmp_path / "6.npz")
    assert all(np.array_equal(u, v) for u, v in zip(model.get_weights(), after[5], strict=True))


def test_only_a_checkpoint_in_steps_stops_between_steps(tmp_path):
    lists = [callbacks.CallbackList([callbacks.ModelCheckpoint(tmp_path / "w.npz", save_freq=f)]) for f in ("epoch", 7)]
    assert [x.wants_batches for x in lists] == [False, True]


def test_what_a_checkpoint_says(tmp_path, capsys):
    drive(callbacks.ModelCheckpoint("a.npz", save_best_only=True, verbose=1), [3.0, 4.0])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1: val_loss improved from None to 3.00000, saving model to a.npz",
        "Epoch 1: finished saving model to a.npz",
        "Epoch 2: val_loss did not improve from 3.00000",
    ]
    drive(callbacks.ModelCheckpoint("a.npz", verbose=1), [3.0])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1: saving model to a.npz", "Epoch 1: finished saving model to a.npz"
    ]  # fmt: skip


def test_a_checkpoint_that_cannot_judge_saves_and_warns(tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "w.npz", save_best_only=True)
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available"):
        assert drive(checkpoint, [1.0], name="loss") == ["w.npz"]
    with pytest.warns(UserWarning, match="`monitor` is a scalar value"):
        assert drive(checkpoint, [np.ones(2)]) == ["w.npz"]


def test_bad_checkpoints(tmp_path):
    x, y = data()
    for path, better in (("best.keras", "'best.npz'"), ("best.weights.h5", "'best.npz'"), ("w", "'w.npz'")):
        with pytest.raises(ValueError, match="filepath must end in .npz") as caught:
            callbacks.ModelCheckpoint(path)
        assert better in str(caught.value)
    assert callbacks.ModelCheckpoint("best.weights.h5", save_weights_only=True).filepath == "best.weights.h5"
    for freq in (0, -1, 1.5, True, "batch"):
        with pytest.raises(ValueError, match='save_freq must be "epoch" or a number of steps'):
            callbacks.ModelCheckpoint("w.npz", save_freq=freq)
    with pytest.raises(TypeError, match="filepath must be a path"):
        callbacks.ModelCheckpoint(3)
    with pytest.raises(ValueError, match="initial_value_threshold must be a number"):
        callbacks.ModelCheckpoint("w.npz", initial_value_threshold="low")
    with pytest.raises(KeyError, match="val_f1"):
        classifier().fit(x, y, verbose=0, callbacks=callbacks.ModelCheckpoint(tmp_path / "{val_f1}.npz"))
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(IsADirectoryError, match="must name a file"):
        classifier().fit(x, y, verbose=0, callbacks=callbacks.ModelCheckpoint(tmp_path / "folder.npz"))


# ---- BackupAndRestore -------------------------------------------------------------------------------------------------
class Crash(callbacks.Callback):
    """Fails at a step of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise RuntimeError("power cut")


def interrupted(tmp_path, at=(3, 1), **options):
    """A training that fails, and the model of the program that is started again."""
    x, y = data()
    with pytest.raises(RuntimeError, match="power cut"):
        classifier().fit(x, y, epochs=6, batch_size=16, verbose=0, callbacks=[
            callbacks.BackupAndRestore(tmp_path / "b", **options), Crash(*at)])  # fmt: skip
    model = classifier()
    history = model.fit(x, y, epochs=6, batch_size=16, verbose=0, callbacks=[
        callbacks.BackupAndRestore(tmp_path / "b", **options)])  # fmt: skip
    return model, history


def test_a_training_goes_on_with_the_same_bits(tmp_path, backend):
    x, y = data()
    whole = classifier()
    expected = whole.fit(x, y, epochs=6, batch_size=16, verbose=0, callbacks=[Crash(9, 9)]).history
    model, history = interrupted(tmp_path)
    assert history.epoch == [3, 4, 5]
    assert history.history["loss"] == expected["loss"][3:], "order of rows and dropout go on too"
    assert same(model, whole)
    assert all(np.array_equal(a, b) for a, b in zip(
        model.optimizer.variables, whole.optimizer.variables, strict=True))  # fmt: skip
    assert not (tmp_path / "b").exists(), "deleted at the end"
    again = model.fit(x, y, epochs=2, verbose=0)
    assert again.epoch == [0, 1], "the next fit starts at its own initial_epoch"


def test_a_backup_within_an_epoch(tmp_path):
    model, history = interrupted(tmp_path, at=(3, 3), save_freq=2, delete_checkpoint=False)
    assert history.epoch == [3, 4, 5]
    assert os.listdir(tmp_path / "b") == ["latest.npz"]
    assert int(model.optimizer.iterations) == 18 + 3 * 5, "18 steps were kept, then the epoch begins anew"


def test_the_backup_before_the_last_is_taken_where_the_last_is_broken(tmp_path):
    x, y = data()
    options = {"double_checkpoint": True, "delete_checkpoint": False}
    with pytest.raises(RuntimeError, match="power cut"):
        classifier().fit(x, y, epochs=6, verbose=0, callbacks=[
            callbacks.BackupAndRestore(tmp_path, **options), Crash(3, 0)])  # fmt: skip
    (tmp_path / "latest.npz").write_bytes(b"PK\x03\x04 half a file")
    history = classifier().fit(x, y, epochs=6, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path, **options)])
    assert history.epoch == [2, 3, 4, 5]
    (tmp_path / "latest.npz").write_bytes(b"no archive")
    (tmp_path / "previous.npz").unlink()
    with pytest.raises(ValueError, match="latest.npz"):
        classifier().fit(x, y, epochs=6, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])


def test_a_backup_of_another_model_is_an_error(tmp_path):
    x, y = data()
    keep = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    classifier().fit(x, y, verbose=0, callbacks=[keep])
    other = Sequential([Input((4,)), Dense(3), Dense(1)])
    other.compile("adam", "mse")
    with pytest.raises(ValueError, match="do not fit model"):
        other.fit(x, y, verbose=0, callbacks=[keep])
    for path in ("", None, 3):
        with pytest.raises(ValueError, match="backup_dir must be the path of a folder"):
            callbacks.BackupAndRestore(path)
    with pytest.raises(ValueError, match="save_freq"):
        callbacks.BackupAndRestore(tmp_path, save_freq=False)


# ---- RemoteMonitor ----------------------------------------------------------------------------------------------------
@pytest.fixture
def server(monkeypatch):
    """A server on this machine that keeps what it is sent and answers with .status."""
    monkeypatch.setenv("NO_PROXY", "*")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.server.got.append((self.path, dict(self.headers), body))
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.status = [], 200
    server.root = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_remote_monitor_sends_a_form(server):
    x, y = data()
    history = classifier().fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.RemoteMonitor(server.root)])
    assert [path for path, _, _ in server.got] == ["/publish/epoch/end/"] * 2
    sent = [json.loads(parse_qs(body)["data"][0]) for _, _, body in server.got]
    assert [s["epoch"] for s in sent] == [0, 1]
    assert [s["loss"] for s in sent] == history.history["loss"]
    assert server.got[0][1]["Content-Type"] == "application/x-www-form-urlencoded"


def test_remote_monitor_sends_json(server):
    server.status = 500  # what it answers does not matter
    monitor = callbacks.RemoteMonitor(server.root, "/logs", headers={"X-Token": "t"}, send_as_json=True)
    monitor.on_epoch_end(4, {"loss": np.float32(0.5), "m": np.array([1.0, 2.0]), "bad": float("nan")})
    path, headers, body = server.got[0]
    assert path == "/logs" and headers["X-Token"] == "t" and headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"epoch": 4, "loss": 0.5, "m": [1.0, 2.0], "bad": None}


def test_remote_monitor_without_a_server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    x, y = data()
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = server.server_port
    server.server_close()  # nobody listens there now
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server"):
        history = classifier().fit(x, y, verbose=0, callbacks=[callbacks.RemoteMonitor(f"http://127.0.0.1:{port}")])
    assert len(history.epoch) == 1
    with pytest.raises(ValueError, match="root must begin with http"):
        callbacks.RemoteMonitor("localhost:9000")
    with pytest.raises(ValueError, match="headers must be a dict"):
        callbacks.RemoteMonitor(headers="X: 1")
