"""Settings of the process: float type, epsilon, back end, threads. Environment: BRISKNET_BACKEND, BRISKNET_NUM_THREADS."""

from __future__ import annotations

import os
import sys

import numpy as np

from brisknet._version import __version__

__all__ = [
    "backend", "epsilon", "floatx", "image_data_format", "isa", "native_available", "num_threads", "set_backend",
    "set_epsilon", "set_floatx", "set_image_data_format", "set_num_threads", "show",
]

_state = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last", "backend": None}
# Compiled programs are kept under this number; it grows whenever a setting changes what a program would be.
generation = 0


def _changed() -> None:
    global generation
    generation += 1
    core = sys.modules.get("brisknet._core")
    if core is not None:
        core.bump()


def floatx() -> str:
    """The default float type: "float32", or "float64" (which runs on the reference executor)."""
    return _state["floatx"]


def set_floatx(value: str) -> None:
    """Set the default float type of layers made from now on; ValueError unless "float32" or "float64"."""
    if value not in ("float32", "float64"):
        raise ValueError(f'floatx must be "float32" or "float64", got {value!r}')
    _state["floatx"] = value
    _changed()


def epsilon() -> float:
    """The fuzz factor of losses and normalisations, 1e-7 by default (Keras)."""
    return _state["epsilon"]


def set_epsilon(value: float) -> None:
    """Set the fuzz factor; ValueError unless it is a positive number."""
    if not np.isfinite(value) or value <= 0:
        raise ValueError(f"epsilon must be a positive number, got {value!r}")
    _state["epsilon"] = float(value)
    _changed()


def image_data_format() -> str:
    """"channels_last" or "channels_first", for layers that take images."""
    return _state["image_data_format"]


def set_image_data_format(value: str) -> None:
    """Set where image layers expect the channels; ValueError for another word."""
    if value not in ("channels_last", "channels_first"):
        raise ValueError(f'data format must be "channels_last" or "channels_first", got {value!r}')
    _state["image_data_format"] = value


def _core():
    """The compiled module, or None in the pure-Python package."""
    try:
        from brisknet import _core
    except ImportError:
        return None
    return _core


def native_available() -> bool:
    """True where the compiled kernels are installed and this processor can run them."""
    return _core() is not None


def backend() -> str:
    """The executor that compiled programs use: "native" or "numpy"."""
    if _state["backend"] is None:
        wanted = os.environ.get("BRISKNET_BACKEND", "").strip().lower()
        if not wanted:
            wanted = "native" if native_available() else "numpy"
        _check_backend(wanted)
        _state["backend"] = wanted  # the first choice: no program was compiled under another one
    return _state["backend"]


def set_backend(name: str) -> None:
    """Choose the executor: "native" (compiled kernels) or "numpy" (the reference).

    ValueError for another name; RuntimeError for "native" in a package that was built without the extension.
    """
    _check_backend(name)
    _state["backend"] = name
    _changed()


def _check_backend(name: str) -> None:
    if name not in ("native", "numpy"):
        raise ValueError(f'backend must be "native" or "numpy", got {name!r} (BRISKNET_BACKEND or set_backend)')
    if name == "native" and not native_available():
        raise RuntimeError(
            "the native backend is not in this installation (it was built with BRISKNET_NO_EXT=1 or without a C "
            'compiler): reinstall brisknet with a compiler present, or use set_backend("numpy")'
        )


def isa() -> str:
    """The instruction set of the chosen kernels ("avx2", "v2", ...), or "none" in the pure package."""
    core = _core()
    return core.isa() if core else "none"


def num_threads() -> int:
    """Threads that a large program may use."""
    core = _core()
    return core.threads() if core else 1


def set_num_threads(n: int) -> None:
    """Bound the threads of a program (0: as many as affinity, cgroup quota and BRISKNET_NUM_THREADS allow)."""
    if not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"number of threads must be an integer >= 0, got {n!r}")
    core = _core()
    if core:
        core.set_threads(int(n))


def show(file=None) -> None:
    """Print version, back end, instruction set and threads."""
    lines = {
        "brisknet": __version__,
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "backend": backend(),
        "isa": isa(),
        "threads": num_threads(),
        "floatx": floatx(),
    }
    print("\n".join(f"{k:9} {v}" for k, v in lines.items()), file=file or sys.stdout)
