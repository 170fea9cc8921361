"""Callbacks: hooks in Keras' order, every argument of the monitors, files, the progress display."""

import io
import math
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import brisknet as bn
from brisknet import callbacks
from brisknet.callbacks import progress
from brisknet.layers import Dense, Input
from brisknet.models import Sequential


def data(n=70):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def classifier(optimizer="sgd", metrics=("accuracy",)):
    model = Sequential([Input((4,)), Dense(8, activation="relu"), Dense(1, activation="sigmoid")])
    model.compile(optimizer, "binary_crossentropy", metrics=list(metrics))
    return model


class Recorder(callbacks.Callback):
    """Writes down every hook with its index and the names in its logs."""

    def __init__(self):
        super().__init__()
        self.seen = []


def _recording(hook):
    def method(self, *args):
        *index, logs = args
        assert isinstance(logs, dict), f"{hook} must get a dict"
        self.seen.append((hook.removeprefix("on_"), *index, "+".join(sorted(logs))))

    return method


for _hook in [h for h in dir(callbacks.Callback) if h.startswith("on_") and h not in ("on_batch_begin", "on_batch_end")]:
    setattr(Recorder, _hook, _recording(_hook))


# ---- hooks ------------------------------------------------------------------------------------------------------------
def epoch_of(number, batches, end="accuracy+loss"):
    steps = [s for b in range(batches) for s in (("train_batch_begin", b, ""), ("train_batch_end", b, "accuracy+loss"))]
    return [("epoch_begin", number, ""), *steps, ("epoch_end", number, end)]


def test_hooks_of_fit_in_keras_order(backend):
    x, y = data()
    recorder = Recorder()
    classifier().fit(x, y, epochs=2, batch_size=32, verbose=0, callbacks=[recorder])
    assert recorder.seen == [
        ("train_begin", ""), *epoch_of(0, 3), *epoch_of(1, 3), ("train_end", "accuracy+loss")
    ]  # fmt: skip


def test_hooks_of_evaluate_in_keras_order(backend):
    x, y = data()
    recorder = Recorder()
    classifier().evaluate(x, y, verbose=0, callbacks=[recorder])
    steps = [s for b in range(3) for s in (("test_batch_begin", b, ""), ("test_batch_end", b, "accuracy+loss"))]
    assert recorder.seen == [("test_begin", ""), *steps, ("test_end", "accuracy+loss")]


def test_hooks_of_fit_with_validation_in_keras_order(backend):
    x, y = data()
    recorder = Recorder()
    classifier().fit(x, y, epochs=2, batch_size=32, validation_split=0.2, verbose=0, callbacks=[recorder])
    test = [("test_begin", ""), ("test_batch_begin", 0, ""), ("test_batch_end", 0, "accuracy+loss"),
            ("test_end", "accuracy+loss")]  # fmt: skip
    end = "accuracy+loss+val_accuracy+val_loss"
    first, second = epoch_of(0, 2, end), epoch_of(1, 2, end)
    assert recorder.seen == [
        ("train_begin", ""), *first[:-1], *test, first[-1], *second[:-1], *test, second[-1], ("train_end", end)
    ]  # fmt: skip


def test_hooks_of_predict_in_keras_order(backend):
    x, _ = data()
    recorder, model, shapes = Recorder(), classifier(), []
    look = callbacks.LambdaCallback(on_predict_batch_end=lambda b, logs: shapes.append(logs["outputs"].shape))
    whole = model.predict(x, verbose=0)
    p = model.predict(x, verbose=0, callbacks=[recorder, look])
    steps = [s for b in range(3) for s in (("predict_batch_begin", b, ""), ("predict_batch_end", b, "outputs"))]
    assert recorder.seen == [("predict_begin", ""), *steps, ("predict_end", "")]
    assert shapes == [(32, 1), (32, 1), (6, 1)] and np.allclose(p, whole, atol=1e-6)
    assert model.predict(x, batch_size=20, steps=2, verbose=0).shape == (40, 1)


def test_validation_in_chosen_epochs(backend):
    x, y = data()
    h = classifier().fit(x, y, epochs=4, validation_split=0.2, validation_freq=[1, 4], verbose=0).history
    assert len(h["loss"]) == 4 and len(h["val_loss"]) == 2


def test_validation_comes_between_the_last_batch_and_the_epochs_end(backend):
    x, y = data()
    recorder = Recorder()
    classifier().fit(x, y, validation_split=0.2, verbose=0, callbacks=[recorder])
    names = [s[0] for s in recorder.seen]
    assert names.index("test_begin") > max(i for i, n in enumerate(names) if n == "train_batch_end")
    assert names.index("test_end") < names.index("epoch_end")
    assert recorder.seen[-2] == ("epoch_end", 0, "accuracy+loss+val_accuracy+val_loss")


def test_batch_aliases_are_called_for_training_steps(backend):
    x, y = data()
    seen = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch))

    classifier().fit(x, y, verbose=0, callbacks=[Old()])
    assert seen == [(w, b) for b in range(3) for w in ("begin", "end")]


def test_params_and_model_are_set(backend):
    x, y = data()
    seen = {}

    class Look(callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.update(self.params, model=self.model)

    model = classifier()
    model.fit(x, y, epochs=2, verbose=0, callbacks=[Look()])
    assert seen == {"epochs": 2, "steps": 3, "verbose": 0, "model": model}


def test_batch_logs_are_those_of_the_epoch_so_far(backend):
    x, y = data(64)
    logs = []
    hook = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs_: logs.append(logs_["loss"]))
    model = classifier(bn.optimizers.SGD(0.0))
    history = model.fit(x, y, verbose=0, shuffle=False, callbacks=[hook])
    first = model.evaluate(x[:32], y[:32], verbose=0)[0]
    assert logs == pytest.approx([first, history.history["loss"][0]], rel=1e-6)


def test_stop_training_within_an_epoch(backend):
    x, y = data()
    seen = []

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)
            self.model.stop_training = True

    history = classifier().fit(x, y, epochs=3, validation_split=0.2, verbose=0, callbacks=[Stop()])
    assert seen == [0] and history.epoch == [0] and len(history.history["val_loss"]) == 1


def test_one_callback_without_a_list_and_nested_lists(backend):
    x, y = data()
    seen = []
    hook = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(e))
    classifier().fit(x, y, verbose=0, callbacks=hook)
    classifier().fit(x, y, verbose=0, callbacks=[[hook], hook])
    assert seen == [0, 0, 0]


# ---- History ----------------------------------------------------------------------------------------------------------
def test_history_of_two_fits(backend):
    x, y = data()
    model = classifier()
    first = model.fit(x, y, epochs=2, verbose=0)
    second = model.fit(x, y, epochs=5, initial_epoch=2, validation_split=0.2, verbose=0)
    assert (first.epoch, second.epoch) == ([0, 1], [2, 3, 4])
    assert list(first.history) == ["accuracy", "loss"]
    assert {len(v) for v in second.history.values()} == {3}
    assert model.history is second and second.model is model and second.params["epochs"] == 5
    assert classifier().fit(x, y, epochs=0, verbose=0).history == {}


# ---- monitors: expectations worked out by running Keras 3.15 on the same values -----------------------------------------
VALUES = [1.0, 0.9, 0.95, 0.89, 0.8, 0.85, 0.86, 0.87, 0.88, 0.7]


@pytest.mark.parametrize(
    ("options", "last", "stopped", "best", "best_epoch", "wait", "restored"),
    [
        ({"patience": 2}, 6, 6, 0.8, 4, 2, None),
        ({"patience": 0}, 2, 2, 0.9, 1, 1, None),
        ({"patience": 1, "min_delta": 0.05}, 2, 2, 0.9, 1, 1, None),
        ({"patience": 3, "baseline": 0.85}, 2, 2, 0.9, 1, 3, None),
        ({"patience": 1, "baseline": 2.0}, 2, 2, 0.9, 1, 1, None),
        ({"patience": 2, "start_from_epoch": 4}, 6, 6, 0.8, 4, 2, None),
        ({"patience": 2, "restore_best_weights": True}, 6, 6, 0.8, 4, 2, 4),
        ({"patience": 2, "mode": "max"}, 2, 2, 1.0, 0, 2, None),
        ({"patience": 20, "restore_best_weights": True}, 9, 0, 0.7, 9, 0, 9),
        ({"patience": 1, "start_from_epoch": 3, "restore_best_weights": True}, 5, 5, 0.8, 4, 1, 4),
        ({"patience": 2, "mode": "min", "min_delta": -0.1}, 2, 2, 1.0, 0, 2, None),
    ],
)
def test_early_stopping_follows_keras(options, last, stopped, best, best_epoch, wait, restored):
    stop = callbacks.EarlyStopping(monitor="loss", **options)
    state = {"weights": None, "restored": None}
    model = SimpleNamespace(
        stop_training=False, get_weights=lambda: state["weights"], set_weights=lambda w: state.update(restored=w)
    )
    stop.set_model(model)
    for _ in range(2):  # an object can be used again
        model.stop_training, state["restored"] = False, None
        stop.on_train_begin()
        for epoch, value in enumerate(VALUES):
            state["weights"] = epoch
            stop.on_epoch_end(epoch, {"loss": value})
            if model.stop_training:
                break
        stop.on_train_end()
        assert (epoch, stop.stopped_epoch, stop.best, stop.best_epoch, stop.wait) == (last, stopped, best, best_epoch, wait)
        assert state["restored"] == restored


def test_early_stopping_says_what_it_does(capsys, backend):
    x, y = data()
    stop = callbacks.EarlyStopping("loss", min_delta=10, patience=2, restore_best_weights=True, verbose=1)
    classifier().fit(x, y, epochs=9, verbose=1, callbacks=[stop])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        "Epoch 3: early stopping", "Restoring model weights from the end of the best epoch: 1."
    ]  # fmt: skip
    assert [line.split(" - ")[0] for line in lines[:-2]] == ["Epoch 1/9", "Epoch 2/9", "Epoch 3/9"]


def test_nan_from_the_first_epoch_stops_after_patience():
    stop = callbacks.EarlyStopping("loss", patience=2)
    stop.set_model(SimpleNamespace(stop_training=False))
    stop.on_train_begin()
    for epoch in range(3):
        assert not stop.model.stop_training
        stop.on_epoch_end(epoch, {"loss": math.nan})
    assert stop.model.stop_training


@pytest.mark.parametrize(
    ("monitor", "metrics", "op"),
    [("loss", [], np.less), ("val_loss", [], np.less), ("val_accuracy", ["accuracy"], np.greater), ("mae", ["mae"], np.less),
     ("my_recall", [], np.greater), ("left_loss", [], np.less)],
)  # fmt: skip
def test_auto_mode_knows_the_direction(monitor, metrics, op):
    x, y = data()
    model = classifier(metrics=metrics)
    model.fit(x, y, verbose=0)
    stop = callbacks.EarlyStopping(monitor)
    stop.set_model(model)
    stop._set_monitor_op()
    assert stop.monitor_op is op


def test_auto_mode_that_cannot_tell_is_an_error():
    x, y = data()
    with pytest.raises(ValueError, match="EarlyStopping: can't tell whether monitor='oddity' is to fall or to rise"):
        classifier().fit(x, y, verbose=0, callbacks=[callbacks.EarlyStopping("oddity")])


def test_missing_value_and_unknown_mode_warn():
    x, y = data()
    message = "Early stopping conditioned on metric `val_loss` which is not available. Available metrics are: accuracy,loss"
    with pytest.warns(UserWarning, match=message):
        history = classifier().fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.EarlyStopping()])
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match="EarlyStopping mode 'up' is unknown, fallback to auto mode."):
        assert callbacks.EarlyStopping(mode="up").mode == "auto"


PLATEAU = [1.0, 0.9, 0.95, 0.99, 0.91, 0.92, 0.85, 0.851, 0.852, 0.853, 0.854, 0.855, 0.856, 0.857, 0.858]


@pytest.mark.parametrize(
    ("options", "reductions"),  # the epochs (from 0) that end with a lower rate, and the factor
    [
        ({"patience": 2}, [3, 5, 8, 10, 12, 14]),
        ({"patience": 1, "cooldown": 2}, [2, 4, 7, 9, 11, 13]),
        ({"patience": 2, "min_delta": 0.1}, [2, 4, 8, 10, 12, 14]),
        ({"patience": 2, "mode": "max"}, [2, 4, 6, 8, 10, 12, 14]),
        ({"patience": 0}, [2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14]),
    ],
)
def test_reduce_lr_on_plateau_follows_keras(options, reductions):
    plateau = callbacks.ReduceLROnPlateau(monitor="loss", **options)
    model = classifier(bn.optimizers.SGD(1.0))
    plateau.set_model(model)
    plateau.on_train_begin()
    seen, logged = [], []
    for epoch, value in enumerate(PLATEAU):
        before = float(model.optimizer.learning_rate)
        logs = {"loss": value}
        plateau.on_epoch_end(epoch, logs)
        logged.append(logs["learning_rate"] == before)
        after = float(model.optimizer.learning_rate)
        if after < before:
            assert after == pytest.approx(before * 0.1, rel=1e-6)
            seen.append(epoch)
    assert seen == reductions
    assert all(logged), "the logs must hold the rate that the epoch was trained with"


def test_reduce_lr_stops_at_min_lr(backend, capsys):
    x, y = data()
    plateau = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10, min_lr=0.3, verbose=1)
    history = classifier(bn.optimizers.SGD(1.0)).fit(x, y, epochs=5, verbose=0, callbacks=[plateau])
    assert history.history["learning_rate"] == pytest.approx([1.0, 1.0, 0.5, 0.3, 0.3])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.5.",
        "Epoch 3: ReduceLROnPlateau reducing learning rate to 0.3.",
    ]


# ---- LearningRateScheduler, LambdaCallback, TerminateOnNaN ---------------------------------------------------------------
def test_learning_rate_scheduler(backend, capsys):
    x, y = data()
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    history = classifier().fit(x, y, epochs=3, verbose=0, callbacks=[halve])
    assert history.history["learning_rate"] == pytest.approx([0.005, 0.0025, 0.00125])
    assert capsys.readouterr().out.startswith("Epoch 1: LearningRateScheduler setting learning rate to 0.00499")
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    history = classifier().fit(x, y, epochs=3, verbose=0, callbacks=[by_epoch])
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.05, 0.1 / 3])


def test_scheduled_rate_is_the_rate_of_the_update(backend):
    x, y = data(32)
    model = classifier(bn.optimizers.SGD(0.5))
    before = model.get_weights()
    model.fit(x, y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda e: 0.0)])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_scheduler_that_raises_type_errors_is_not_hidden():
    x, y = data()

    def schedule(epoch, rate):
        return rate + "no number"

    with pytest.raises(TypeError, match="unsupported operand"):
        classifier().fit(x, y, verbose=0, callbacks=[callbacks.LearningRateScheduler(schedule)])


def test_lambda_callback_takes_every_hook(backend):
    x, y = data()
    hooks = [h for h in dir(callbacks.Callback) if h.startswith("on_")]
    seen = set()

    def note(hook):
        return lambda *args: seen.add(hook)

    aliases = {"on_batch_begin", "on_batch_end"}
    every = callbacks.LambdaCallback(**{h: note(h) for h in hooks if h not in aliases}, tag="kept")
    model = classifier()
    model.fit(x, y, verbose=0, callbacks=[every])
    model.evaluate(x, y, verbose=0, callbacks=[every])
    model.predict(x, verbose=0, callbacks=[every])
    assert seen >= {h for h in hooks if h not in aliases}
    assert every.tag == "kept"


def test_terminate_on_nan(backend, capsys):
    x, y = data()
    model = classifier(bn.optimizers.SGD(1e30), metrics=())
    model.compile(bn.optimizers.SGD(1e30), "mse")
    history = model.fit(x, y.astype("float32") * 1e20, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"
    assert len(history.history["loss"]) == 1


# ---- CSVLogger --------------------------------------------------------------------------------------------------------
def test_csv_logger_columns_append_and_separator(tmp_path, backend):
    x, y = data()
    model, path = classifier(), tmp_path / "log.csv"
    h = model.fit(x, y, epochs=2, verbose=0, validation_split=0.2, callbacks=[callbacks.CSVLogger(path)]).history
    rows = path.read_text().splitlines()
    assert rows[0] == "epoch,accuracy,loss,val_accuracy,val_loss"
    values = [float(v) for v in rows[2].split(",")]
    assert values == [1, h["accuracy"][1], h["loss"][1], h["val_accuracy"][1], h["val_loss"][1]]
    model.fit(x, y, verbose=0, validation_split=0.2, callbacks=[callbacks.CSVLogger(path, append=True)])
    again = path.read_text().splitlines()
    assert again[:3] == rows and len(again) == 4
    model.fit(x, y, verbose=0, callbacks=[callbacks.CSVLogger(str(path), separator=";")])
    fresh = path.read_text().splitlines()
    assert fresh[0] == "epoch;accuracy;loss;val_accuracy;val_loss" and fresh[1].endswith(";NA;NA")


def test_csv_logger_of_validation_now_and_then(tmp_path, backend):
    x, y = data()
    path = tmp_path / "log.csv"
    classifier().fit(
        x, y, epochs=4, verbose=0, validation_split=0.2, validation_freq=2, callbacks=[callbacks.CSVLogger(path)]
    )
    cells = [row.split(",") for row in path.read_text().splitlines()[1:]]
    assert [row[3] == "NA" for row in cells] == [True, False, True, False]


def test_csv_logger_closes_its_file(tmp_path):
    x, y = data()
    logger = callbacks.CSVLogger(tmp_path / "log.csv")
    fail = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        classifier().fit(x, y, verbose=0, callbacks=[logger, fail])
    classifier().fit(x, y, verbose=0, callbacks=[logger])
    assert logger.csv_file is None
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


# ---- HalveOnDivergence ------------------------------------------------------------------------------------------------
def test_halving_restores_weights_and_optimizer(capsys):
    halve = callbacks.HalveOnDivergence(factor=2.0, cut=0.5, max_halvings=2)
    x, y = data(32)
    model = classifier(bn.optimizers.Adam(0.1))
    halve.set_model(model)
    kept = []

    def epoch(number, value):
        logs = {"loss": value}
        rate = float(model.optimizer.learning_rate)
        model.train_on_batch(x, y)
        halve.on_epoch_end(number, logs)
        assert logs["learning_rate"] == rate, "the logs must hold the rate that the epoch was trained with"
        kept.append([*model.get_weights(), *(v.numpy() for v in model.optimizer.variables if v.name != "learning_rate")])

    def same(a, b):
        return all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))

    halve.on_train_begin()
    epoch(0, 1.0)
    epoch(1, 1.9)  # worse, but not twice the best
    epoch(2, math.nan)
    assert same(kept[2], kept[0]) and not same(kept[1], kept[0]), "back to where the last good epoch began"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05) and not model.stop_training
    epoch(3, 2.1)
    assert same(kept[3], kept[0]) and float(model.optimizer.learning_rate) == pytest.approx(0.025)
    assert model.stop_training, "after max_halvings training ends"
    assert capsys.readouterr().out.startswith("Epoch 3: loss = nan diverged; learning rate cut to 0.05\n")


def test_halving_rescues_a_rate_that_is_too_high(backend):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)).astype("float32")
    y = x @ np.array([1.0, -2.0, 3.0], "float32")

    def last_loss(*cbs):
        model = Sequential([Input((3,)), Dense(1)])
        model.compile(bn.optimizers.SGD(20.0), "mse")
        return model.fit(x, y, epochs=40, verbose=0, callbacks=list(cbs)).history["loss"][-1]

    assert not math.isfinite(last_loss())
    assert last_loss(callbacks.HalveOnDivergence(verbose=0)) < 0.1


# ---- the progress display ---------------------------------------------------------------------------------------------
def test_one_plain_line_an_epoch(backend, capsys):
    x, y = data()
    for verbose in ("auto", 1, 2, True):
        classifier().fit(x, y, epochs=3, validation_split=0.2, verbose=verbose)
        out = capsys.readouterr()
        lines = out.out.splitlines()
        assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]
        assert [part.split(":")[0] for part in lines[0].split(" - ")[2:]] == ["accuracy", "loss", "val_accuracy", "val_loss"]
        assert out.err == "" and out.out.isascii()
    classifier().fit(x, y, epochs=3, verbose=0)
    assert capsys.readouterr().out == ""


def test_lines_and_the_users_prints_keep_their_order(backend, capsys):
    x, y = data()

    class Loud(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            print(f"begin {epoch}")

    classifier().fit(x, y, epochs=3, verbose=1, callbacks=[Loud()])
    lines = [line.split("/")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["begin 0", "Epoch 1", "begin 1", "Epoch 2", "begin 2", "Epoch 3"]


def test_numbers_for_people():
    assert progress.format_seconds(75.2) == "75s" and progress.format_seconds(1.23) == "1.2s"
    assert progress.format_seconds(0.0354) == "35ms" and progress.format_seconds(41e-5) == "410us"
    logs = {"loss": 0.5, "tiny": 1e-5, "zero": 0.0, "below": -2.5, "n": 3}
    assert progress.format_logs(logs) == "loss: 0.5000 - tiny: 1.0000e-05 - zero: 0.0000 - below: -2.5000 - n: 3"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(("encoding", "ascii_only"), [("utf-8", False), ("ascii", True)])
def test_long_epochs_get_a_bar(monkeypatch, encoding, ascii_only):
    screen = Terminal()
    screen.encoding = encoding
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "WATCHABLE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.0)
    x, y = data()
    slow = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.01))
    model = classifier()
    model.fit(x, y, batch_size=8, verbose=1, callbacks=[slow])
    drawn = screen.getvalue()
    assert "/9 [" in drawn and "loss: " in drawn
    assert drawn.isascii() is ascii_only
    screen.truncate(0)
    screen.seek(0)
    model.fit(x, y, batch_size=8, verbose=2, callbacks=[slow])
    assert screen.getvalue() == "", "verbose=2 draws no bar"


def test_an_exception_leaves_lines_written_and_no_bar(monkeypatch, capsys):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progress, "WATCHABLE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 1e9)
    x, y = data()

    def stop(batch, logs):
        if stop.steps == 6:
            raise KeyboardInterrupt
        stop.steps += 1

    stop.steps = 0
    with pytest.raises(KeyboardInterrupt):
        classifier().fit(x, y, batch_size=16, epochs=3, verbose=1, callbacks=[callbacks.LambdaCallback(on_train_batch_end=stop)])
    assert capsys.readouterr().out.startswith("Epoch 1/3 - ")
    assert screen.getvalue().endswith("\r"), "the bar is wiped"


def test_no_bar_without_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(progress, "WATCHABLE_SECONDS", 0.0)
    x, y = data()
    slow = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    classifier().fit(x, y, batch_size=8, verbose=1, callbacks=[slow])
    out = capsys.readouterr()
    assert out.err == "" and len(out.out.splitlines()) == 1


def test_formatting_never_takes_most_of_the_time():
    """With a clock on which writing lines is as slow as training, lines are left out but for the last."""
    display = callbacks.ProgbarLogger()
    display.set_params({"epochs": 200, "verbose": 1})
    display.on_train_begin()
    display._spent = 1e9
    written = io.StringIO()
    stdout, sys.stdout = sys.stdout, written
    try:
        for epoch in range(200):
            display.on_epoch_begin(epoch)
            display.on_epoch_end(epoch, {"loss": 1.0})
        display.on_train_end()
    finally:
        sys.stdout = stdout
    assert written.getvalue().startswith("Epoch 200/200 - ") and written.getvalue().count("\n") == 1


def test_a_history_of_ones_own_sees_every_epoch(backend):
    class History(callbacks.History):
        """Named like ours, and listening: epochs must not be run several at a time past it."""

        def __init__(self):
            super().__init__()
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            self.seen.append(epoch)

    x = np.ones((8, 2), np.float32)
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", "mse")
    mine = History()
    model.fit(x, x[:, :1], epochs=20, verbose=0, callbacks=[mine])
    assert mine.seen == list(range(20))
