"""brisknet: Keras programs on the CPU, at the speed of hand-written C."""

from __future__ import annotations

import importlib
import sys

from brisknet._version import __version__

# Submodules and names are loaded when they are first used: importing the package costs next to nothing.
_SUBMODULES = (
    "activations", "autograd", "callbacks", "config", "constraints", "datasets", "initializers", "kernels", "layers", "losses",
    "metrics", "models", "ops", "optimizers", "preprocessing", "random", "regularizers", "saving", "tokenizers",
    "utils",
)  # fmt: skip
_NAMES = {
    "Input": "layers", "Layer": "layers", "Loss": "losses", "Metric": "metrics", "Model": "models",
    "Optimizer": "optimizers", "Sequential": "models", "Variable": "variables", "Initializer": "initializers",
    "Regularizer": "regularizers", "GradientTape": "autograd", "custom_gradient": "autograd", "function": "autograd",
    "grad": "autograd", "gradcheck": "autograd", "hessian": "autograd", "jacobian": "autograd",
    "stop_gradient": "ops", "value_and_grad": "autograd",
}  # fmt: skip

__all__ = ["__version__", "keras", *_NAMES, *_SUBMODULES]


def __getattr__(name: str):
    if name in _NAMES:
        value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)


class _KerasFinder:
    """`brisknet.keras.X` is `brisknet.X`: one module object under two names."""

    _prefix = __name__ + ".keras."

    def find_spec(self, fullname, path=None, target=None):
        if not fullname.startswith(self._prefix):
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(fullname, self)

    def create_module(self, spec):
        module = importlib.import_module(f"{__name__}.{spec.name.removeprefix(self._prefix)}")
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module):
        """The module has run already, under its own name, which it keeps."""
        module.__spec__ = module.__spec__.loader_state


keras = sys.modules[__name__]
sys.modules[__name__ + ".keras"] = keras
# First in the path: the finder of files would load a second copy of a module under its keras name.
sys.meta_path[:] = [_KerasFinder(), *(f for f in sys.meta_path if type(f).__name__ != "_KerasFinder")]
