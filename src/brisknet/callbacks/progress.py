"""The progress display: a tqdm bar for epochs long enough to watch, one plain line an epoch otherwise."""

from __future__ import annotations

import sys
import time
import warnings

from brisknet.callbacks.base import Callback
from brisknet.utils.terminal import can_draw

__all__ = ["ProgbarLogger", "format_logs", "format_seconds", "print_line"]

# An epoch shorter than this gets no bar.
WATCHABLE_SECONDS = 0.5
# The bar is drawn, and lines of quick epochs are written, at most this often.
REFRESH_SECONDS = 0.05


def format_logs(logs: dict) -> str:
    """"accuracy: 0.5012 - loss: 0.6931"."""
    return " - ".join([
        f"{k}: {v:.4f}" if isinstance(v, float) and (v >= 1e-3 or v == 0) else _format_other(k, v) for k, v in logs.items()
    ])  # fmt: skip


def _format_other(name, value) -> str:
    if not isinstance(value, float):
        return f"{name}: {value}"
    return f"{name}: {value:.4e}" if abs(value) < 1e-3 else f"{name}: {value:.4f}"


def format_seconds(seconds: float) -> str:
    """Seconds for people: 12s, 1.2s, 35ms, 410us."""
    if seconds >= 10:
        return f"{seconds:.0f}s"
    if seconds >= 1:
        return f"{seconds:.1f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def print_line(logs: dict, seconds: float) -> None:
    """One line for evaluate."""
    sys.stdout.write(f"{format_seconds(seconds)} - {format_logs(logs)}\n")


def interactive() -> bool:
    """True in a notebook, and where the error stream, which the bar is drawn on, is a terminal."""
    return "ipykernel" in sys.modules or (hasattr(sys.stderr, "isatty") and sys.stderr.isatty())


class ProgbarLogger(Callback):
    """Prints the epochs of fit; fit itself adds one unless verbose=0.

    Lines of quick epochs are gathered and written together, unless at_once is True. Where even formatting them would
    take longer than the training, lines in between are left out; the last epoch's is always there. It draws within an
    epoch without making fit return to Python after every step. In a training loop of one's own, call its hooks.
    """

    at_once = False  # set by CallbackList

    def __init__(self):
        super().__init__()
        self._bar = None
        self._lines: list[str] = []
        self._restart()

    def _restart(self) -> None:
        self._spent, self._skipped = 0.0, None
        self._start = self._flushed = self._epoch_start = self._drawn = time.perf_counter()

    def on_train_begin(self, logs=None):
        self._restart()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start = self._drawn = time.perf_counter()

    def on_progress(self, step, logs) -> None:
        """Within an epoch: `step` steps are done; logs is a function. Draws the bar where that is due."""
        now = time.perf_counter()
        if self._bar is None:
            if now - self._epoch_start < WATCHABLE_SECONDS or self.params.get("verbose", 1) != 1 or not interactive():
                return
            self._flush()
            self._bar = self._make_bar()
        elif now - self._drawn < REFRESH_SECONDS:
            return
        self._bar.n = step
        self._bar.set_postfix_str(format_logs(logs()), refresh=False)
        self._bar.refresh()
        self._drawn = now

    def on_train_batch_end(self, batch, logs=None):
        self.on_progress(batch + 1, lambda: logs or {})

    def _make_bar(self):
        with warnings.catch_warnings():  # a notebook without widgets gets the text bar, and no lecture
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

        ascii_only = not can_draw(sys.stderr)
        return tqdm(total=self.params.get("steps"), leave=False, ascii=ascii_only, unit="step", dynamic_ncols=True)

    def close(self) -> None:
        """Take the bar away and write what is held back."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self.make_way()

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if not self.params.get("verbose", 1):
            return
        if self._spent > 0.5 * (now - self._start):
            self._skipped = (epoch, dict(logs or {}), now - self._epoch_start)
            return
        self._line(epoch, logs or {}, now - self._epoch_start)
        self._skipped = None
        if self.at_once or now - self._flushed > REFRESH_SECONDS:
            self._flush()
            self._flushed = now
        self._spent += time.perf_counter() - now

    def on_epochs(self, epochs, logs, seconds):
        """Several epochs at once: as many of them get a line as their share of the time allows, the last one always."""
        for i, epoch in enumerate(epochs) if self.params.get("verbose", 1) else ():
            now = time.perf_counter()
            self._skipped = (epoch, {k: v[i] for k, v in logs.items()}, seconds)
            if self._spent > 0.5 * (now - self._start):
                self._skipped = (epochs[-1], {k: v[-1] for k, v in logs.items()}, seconds)
                return
            self._line(*self._skipped)
            self._skipped = None
            self._spent += time.perf_counter() - now
        self._flush()

    def _line(self, epoch, logs, seconds) -> None:
        total = self.params.get("epochs")
        number = f"{epoch + 1}/{total}" if total else f"{epoch + 1}"
        self._lines.append(f"Epoch {number} - {format_seconds(seconds)} - {format_logs(logs)}\n")

    def make_way(self) -> None:
        """Write what is held back, and wipe the bar: something else is about to be printed."""
        if self._bar is not None:
            self._bar.clear()
        if self._skipped is not None:
            self._line(*self._skipped)
            self._skipped = None
        self._flush()

    def _flush(self) -> None:
        if self._lines:
            sys.stdout.write("".join(self._lines))
            sys.stdout.flush()
            self._lines = []

    def on_train_end(self, logs=None):
        self.make_way()
