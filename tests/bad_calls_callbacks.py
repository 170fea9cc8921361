"""Bad arguments of callbacks and pictures."""

from brisknet import callbacks, utils
from tests.bad_calls import binary, case, two

case("checkpoint-whole-model", binary, lambda m, x, y: callbacks.ModelCheckpoint("m.keras"), ValueError,
     "filepath must end in .npz", "'m.keras'", "'m.npz'")  # fmt: skip
case("checkpoint-path", binary, lambda m, x, y: callbacks.ModelCheckpoint(None), TypeError, "filepath must be a path")
case("checkpoint-save-freq", binary, lambda m, x, y: callbacks.ModelCheckpoint("m.npz", save_freq=0), ValueError,
     'save_freq must be "epoch"', "0")  # fmt: skip
case("checkpoint-threshold", binary, lambda m, x, y: callbacks.ModelCheckpoint("m.npz", initial_value_threshold="low"),
     ValueError, "initial_value_threshold must be a number", "'low'")  # fmt: skip
case("backup-folder", binary, lambda m, x, y: callbacks.BackupAndRestore(""), ValueError, "backup_dir", "folder")
case("backup-save-freq", binary, lambda m, x, y: callbacks.BackupAndRestore("b", save_freq="step"), ValueError,
     "save_freq", "'step'")  # fmt: skip
case("remote-root", binary, lambda m, x, y: callbacks.RemoteMonitor("localhost:9000"), ValueError, "http://",
     "'localhost:9000'")  # fmt: skip
case("remote-headers", binary, lambda m, x, y: callbacks.RemoteMonitor(headers="a: b"), ValueError, "headers", "dict")
case("finder-range", binary, lambda m, x, y: callbacks.LearningRateFinder(1.0, 0.1), ValueError, "max_lr",
     "larger than min_lr=1.0")  # fmt: skip
case("finder-too-few-steps", binary, lambda m, x, y: m.fit(x, y, verbose=0, callbacks=[callbacks.LearningRateFinder()]),
     ValueError, "1 step(s)", "give more epochs")  # fmt: skip
case("finder-nothing-found", binary, lambda m, x, y: callbacks.LearningRateFinder().suggestion(), ValueError, "find(model")
case("history-nothing-to-plot", binary, lambda m, x, y: callbacks.History().plot(), ValueError, "call fit() first")
case("plot-model-direction", two, lambda m, x, y: utils.plot_model(m, "m.svg", rankdir="DOWN"), ValueError, "rankdir",
     "TB, BT, LR, RL", "'DOWN'")  # fmt: skip
case("plot-model-of-a-layer", two, lambda m, x, y: utils.plot_model(m.layers[0], "m.svg"), TypeError, "a model expected")
case("plot-model-argument", two, lambda m, x, y: utils.plot_model(m, "m.svg", shapes=True), ValueError, "unknown", "shapes")
case("summary-positions", two, lambda m, x, y: m.summary(positions=[0.5, 0.2]), ValueError, "positions", "4 growing numbers")
