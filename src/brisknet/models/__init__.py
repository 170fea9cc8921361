"""Models, as in keras.models."""

from brisknet.models.cloning import clone_model
from brisknet.models.functional import Functional
from brisknet.models.model import Model
from brisknet.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model"]
