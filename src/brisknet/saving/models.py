"""Whole models in files: config, compilation, weights and the optimizer's state.

Two forms. ....keras is Keras' own (a zip of JSON and HDF5, with h5py), which Keras reads too; ....npz needs NumPy only: the
arrays of save_weights() and, as "config.json", the text of the config. Neither holds code, and none is run on loading.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from brisknet import __version__
from brisknet.saving import weights
from brisknet.saving.arrays import CONFIG, read_arrays, write_arrays, write_h5
from brisknet.saving.files import atomic_write

__all__ = ["load_model", "save_model"]


def _is_keras(path) -> bool:
    name = os.fspath(path)
    if not isinstance(name, str) or not name.endswith((".keras", ".npz")):
        raise ValueError(f"models are kept in files named ....npz, or ....keras with h5py; got {name!r}")
    return name.endswith(".keras")


def save_model(model, filepath, overwrite=True, zipped=None) -> None:
    """Write a whole model, compiled or not, into a file named ....npz or ....keras (extra h5).

    The file appears whole or not at all. ValueError for a model that is not built yet, for other file names, and for
    functions in compile() that are not registered; FileExistsError with overwrite=False where the file is there.
    """
    from brisknet.saving.keras_objects import serialize_keras_object

    if zipped not in (None, True):
        raise ValueError(f"zipped={zipped!r}: a model is always one file; leave it out")
    as_keras = _is_keras(filepath)
    weights.need_built(model, "save")
    text = json.dumps(serialize_keras_object(model))
    arrays = weights.model_arrays(model)
    if not as_keras:
        return write_arrays(filepath, {**arrays, CONFIG: np.array(text)}, overwrite)
    packed = io.BytesIO()
    write_h5(packed, arrays)
    metadata = json.dumps({"keras_version": "3", "brisknet_version": __version__})
    with atomic_write(filepath, overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", metadata)
        archive.writestr(CONFIG, text)
        archive.writestr("model.weights.h5", packed.getvalue())
    return None


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model of a file that save_model() or Keras wrote, with its weights; compiled as it was, unless compile=False.

    custom_objects   {name: class or function} of one's own that the model needs, beside what is registered
    safe_mode        Keras' argument; code in a file is never run here, whatever it is

    FileNotFoundError; ValueError where the file is damaged, holds weights only, or names unknown classes.
    """
    from brisknet.models.model import Model
    from brisknet.saving.keras_objects import deserialize_keras_object

    as_keras, name = _is_keras(filepath), os.fspath(filepath)
    if not Path(filepath).is_file():
        raise FileNotFoundError(f"there is no file {name!r} to load a model from")
    arrays = read_arrays(filepath)
    text = _config_in_zip(filepath) if as_keras else arrays.pop(CONFIG, None)
    if text is None:
        raise ValueError(f"{name!r} holds weights only: build the model and use model.load_weights({name!r})")
    try:
        config = json.loads(str(text))
    except ValueError as error:
        raise ValueError(f"{name!r} is damaged: its config is no JSON ({error})") from None
    if not compile and isinstance(config, dict):
        config.pop("compile_config", None)
    model = deserialize_keras_object(config, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(f"{name!r} holds a {type(model).__name__}, not a model")
    if not model.built:
        raise ValueError(f"{name!r}: model {model.name!r} could not be built from its config; it must say its input's shape")
    weights.set_arrays(model, arrays, name)
    return model


def _config_in_zip(filepath) -> str:
    try:
        with zipfile.ZipFile(filepath) as archive:
            return archive.read(CONFIG).decode()
    except (KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ValueError(f"{os.fspath(filepath)!r} is no readable .keras file: {error}") from None
