"""Models, as in keras.models."""

from brisknet.models.cloning import clone_model
from brisknet.models.functional import Functional
from brisknet.models.model import Model
from brisknet.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def model_from_json(json_string, custom_objects=None):
    """A new model, with new weights, from Model.to_json() or from the JSON of Keras; compiled where that one was.

    custom_objects   {name: class or function} of one's own that the JSON names, beside those that are registered
    """
    import json

    from brisknet.saving.keras_objects import deserialize_keras_object

    try:
        config = json.loads(json_string)
    except (TypeError, ValueError) as error:
        raise ValueError(f"model_from_json: the JSON text of a model expected, got {json_string!r:.80} ({error})") from None
    model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(f"model_from_json: the JSON text of a model expected, got that of {type(model).__name__}")
    return model


def __getattr__(name: str):
    if name not in ("load_model", "save_model"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from brisknet.saving import models

    return getattr(models, name)
