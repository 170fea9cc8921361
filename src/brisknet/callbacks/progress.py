"""The progress display: a tqdm bar for epochs long enough to watch, one plain line an epoch otherwise."""

from __future__ import annotations

import sys
import time

from brisknet.callbacks.base import Callback

__all__ = ["Progress", "print_line"]

# An epoch shorter than this gets no bar.
WATCHABLE_SECONDS = 0.5
# Lines of quick epochs are written together, at most this often.
FLUSH_SECONDS = 0.05


def format_logs(logs: dict) -> str:
    """"accuracy: 0.5012 - loss: 0.6931"."""
    parts = []
    for k, v in logs.items():
        small = isinstance(v, float) and v != 0 and abs(v) < 1e-3
        parts.append(f"{k}: {v:.4e}" if small else f"{k}: {v:.4f}" if isinstance(v, float) else f"{k}: {v}")
    return " - ".join(parts)


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


def _interactive() -> bool:
    return "ipykernel" in sys.modules or (hasattr(sys.stderr, "isatty") and sys.stderr.isatty())


def _ascii() -> bool:
    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    try:
        "█▏".encode(encoding)
    except (UnicodeError, LookupError):
        return True
    return False


class Progress(Callback):
    """Prints the epochs of fit. Quick epochs' lines are gathered and written together; where even formatting them
    would take longer than the training, lines in between are left out (the last epoch is always there)."""

    def __init__(self):
        super().__init__()
        self._bar = None
        self._lines: list[str] = []
        self._spent = 0.0
        self._skipped = None

    def on_train_begin(self, logs=None):
        self._start = self._flushed = time.perf_counter()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start = time.perf_counter()

    def on_progress(self, step, logs) -> None:
        """Called every 50 ms or so within an epoch."""
        elapsed = time.perf_counter() - self._epoch_start
        if self._bar is None:
            if elapsed < WATCHABLE_SECONDS or not _interactive() or self.params.get("verbose") == 2:
                return
            self._flush()
            self._bar = self._make_bar()
        self._bar.n = step
        self._bar.set_postfix_str(format_logs(logs()), refresh=False)
        self._bar.refresh()

    def _make_bar(self):
        from tqdm.auto import tqdm

        return tqdm(total=self.params.get("steps"), leave=False, ascii=_ascii(), unit="step", dynamic_ncols=True)

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._skipped = (epoch, dict(logs or {}), now - self._epoch_start)
        if self._spent > 0.5 * (now - self._start):
            return
        self._line(*self._skipped)
        self._skipped = None
        if now - self._flushed > FLUSH_SECONDS:
            self._flush()
            self._flushed = now
        self._spent += time.perf_counter() - now

    def _line(self, epoch, logs, seconds) -> None:
        total = self.params.get("epochs")
        self._lines.append(f"Epoch {epoch + 1}/{total} - {format_seconds(seconds)} - {format_logs(logs)}\n")

    def _flush(self) -> None:
        if self._lines:
            sys.stdout.write("".join(self._lines))
            sys.stdout.flush()
            self._lines = []

    def on_train_end(self, logs=None):
        if self._skipped is not None:
            self._line(*self._skipped)
        self._flush()
