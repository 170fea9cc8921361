"""Helpers a Keras user knows: to_categorical, normalize, set_random_seed, clear_session, split_dataset, PyDataset."""

from __future__ import annotations

import importlib
import random as _python_random

import numpy as np

from brisknet.random import set_seed
from brisknet.utils.naming import reset_names
from brisknet.utils.numerical import normalize, to_categorical

# Loaded when first used: name -> (module, name there).
_LATER = {
    "array_to_img": ("brisknet.utils.image_files", "array_to_img"),
    "img_to_array": ("brisknet.utils.image_files", "img_to_array"),
    "load_img": ("brisknet.utils.image_files", "load_img"),
    "save_img": ("brisknet.utils.image_files", "save_img"),
    "CustomObjectScope": ("brisknet.saving", "CustomObjectScope"),
    "custom_object_scope": ("brisknet.saving", "custom_object_scope"),
    "deserialize_keras_object": ("brisknet.saving", "deserialize_keras_object"),
    "get_custom_objects": ("brisknet.saving", "get_custom_objects"),
    "get_registered_name": ("brisknet.saving", "get_registered_name"),
    "get_registered_object": ("brisknet.saving", "get_registered_object"),
    "register_keras_serializable": ("brisknet.saving", "register_keras_serializable"),
    "serialize_keras_object": ("brisknet.saving", "serialize_keras_object"),
    "PyDataset": ("brisknet.training.sources.pydataset", "PyDataset"),
    "Sequence": ("brisknet.training.sources.pydataset", "PyDataset"),
    "model_to_dot": ("brisknet.utils.drawing.plot", "model_to_dot"),
    "pack_x_y_sample_weight": ("brisknet.training.sources.unpack", "pack_x_y_sample_weight"),
    "pad_sequences": ("brisknet.utils.sequences", "pad_sequences"),
    "plot_model": ("brisknet.utils.drawing.plot", "plot_model"),
    "split_dataset": ("brisknet.utils.split", "split_dataset"),
    "text_dataset_from_directory": ("brisknet.utils.text_dataset", "text_dataset_from_directory"),
    "timeseries_dataset_from_array": ("brisknet.utils.timeseries", "timeseries_dataset_from_array"),
    "unpack_x_y_sample_weight": ("brisknet.training.sources.unpack", "unpack_x_y_sample_weight"),
}

__all__ = ["clear_session", "normalize", "set_random_seed", "to_categorical", *_LATER]


def __getattr__(name: str):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _LATER[name]
    globals()[name] = value = getattr(importlib.import_module(module), there)
    return value


def clear_session(free_memory=True) -> None:
    """Start the numbering of automatic names anew; models own all else, so there is nothing more to clear."""
    reset_names()


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and brisknet's generators: the same program gives the same bits again."""
    set_seed(seed)
    _python_random.seed(seed)
    np.random.seed(int(seed) & 0xFFFFFFFF)
