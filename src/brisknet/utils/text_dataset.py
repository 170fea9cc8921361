"""text_dataset_from_directory: text files in folders, one folder a class, in batches."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from brisknet.utils.counts import check_count
from brisknet.utils.batches import Batches
from brisknet.utils.numerical import to_categorical

__all__ = ["TextDataset", "text_dataset_from_directory"]

OWNER = "text_dataset_from_directory"


def text_dataset_from_directory(
    directory, labels="inferred", label_mode="int", class_names=None, batch_size=32, max_length=None, shuffle=True,
    seed=None, validation_split=None, subset=None, follow_links=False, format=None, verbose=True,
):  # fmt: skip
    """The .txt files below a directory as batches of (texts, labels), read when they are due.

    labels             "inferred": the folder that a file is in, numbered by name (or as class_names are given); None: batches
                       are texts alone; a list of integers: one a file, in the order of their paths
    label_mode         "int": int32 [batch]; "binary": 0.0 or 1.0, float32 [batch, 1]; "categorical": one-hot rows; None
    batch_size         texts in a batch; None: one text at a time
    max_length         texts are cut to so many characters
    shuffle, seed      another order in each pass, the same passes for the same seed
    validation_split   the share of files of the subset "validation"; subset "training" are the others, "both" gives both
    format             Keras' argument, which changes nothing here

    Texts are an array of str objects, for TextVectorization; `.class_names` are the folders, `.map(function)` works on the
    batches. ValueError for arguments that do not fit each other or the folder.
    """
    _check(labels, label_mode, class_names, validation_split, subset, shuffle, seed, format)
    batch_size = check_count(batch_size, f"{OWNER}: batch_size", none=True)
    max_length = check_count(max_length, f"{OWNER}: max_length", none=True)
    if labels is None or label_mode is None:
        labels = label_mode = None
    seed = np.random.randint(1_000_000) if seed is None else seed
    files, labels, names = _files(Path(directory), labels, class_names, follow_links)
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(f'{OWNER}: label_mode="binary" is for two classes, but there are {len(names)}: {names}')
    if verbose:
        print(f"Found {len(files)} files." if names is None else f"Found {len(files)} files belonging to {len(names)} classes.")
    if shuffle:
        order = np.arange(len(files))
        np.random.RandomState(seed).shuffle(order)
        files, labels = [files[i] for i in order], None if labels is None else labels[order]
    held = int((validation_split or 0) * len(files))
    parts = {None: slice(None), "training": slice(0, len(files) - held), "validation": slice(len(files) - held, None)}
    made = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        at = parts[part]
        if not files[at]:
            raise ValueError(f"{OWNER}: at least one .txt file expected for subset={part!r}, but {directory} has {len(files)} in all")
        again = shuffle and not (subset == "both" and part == "validation")
        chosen = None if labels is None else labels[at]
        made.append(TextDataset(files[at], chosen, label_mode, names, batch_size, max_length, again, seed))
    return made if subset == "both" else made[0]


class TextDataset(Batches):
    """Texts of files, or (texts, labels); made by text_dataset_from_directory()."""

    def __init__(self, files, labels, label_mode, class_names, batch_size, max_length, shuffle, seed):
        super().__init__(len(files), batch_size, shuffle, seed)
        self.file_paths = [str(f) for f in files]
        self.class_names, self.max_length = class_names, max_length
        self.labels = labels
        if label_mode == "binary":
            self.labels = labels.astype(np.float32)[:, None]
        elif label_mode == "categorical":
            self.labels = to_categorical(labels, len(class_names)).astype(np.float32)

    def read(self, numbers):
        """(texts, labels), or the texts alone."""
        texts = self._text(numbers) if np.ndim(numbers) == 0 else np.array([self._text(i) for i in numbers], object)
        return texts if self.labels is None else (texts, self.labels[numbers])

    def _text(self, number) -> str:
        with open(self.file_paths[number], encoding="utf-8", errors="replace") as file:
            return file.read() if self.max_length is None else file.read(self.max_length)


def _check(labels, label_mode, class_names, split, subset, shuffle, seed, format) -> None:
    if labels is not None and not isinstance(labels, (list, tuple, np.ndarray)) and labels != "inferred":
        raise ValueError(f'{OWNER}: labels must be "inferred", None or a list of integers, got {labels!r}')
    if class_names is not None and not (isinstance(labels, str) and labels == "inferred"):
        raise ValueError(f'{OWNER}: class_names belong to labels="inferred", got labels={labels!r}')
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(f'{OWNER}: label_mode must be "int", "categorical", "binary" or None, got {label_mode!r}')
    if split is not None and (isinstance(split, bool) or not isinstance(split, (int, float)) or not 0 < split < 1):
        raise ValueError(f"{OWNER}: validation_split must be a number between 0 and 1, got {split!r}")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f'{OWNER}: subset must be "training", "validation", "both" or None, got {subset!r}')
    if (split is None) != (subset is None):
        raise ValueError(f"{OWNER}: validation_split and subset belong together, got {split!r} and {subset!r}")
    if split is not None and shuffle and seed is None:
        raise ValueError(f"{OWNER}: seed must be given where shuffled files are split, so that the two parts do not overlap")
    if format not in (None, "tf", "grain"):
        raise ValueError(f'{OWNER}: format must be None, "tf" or "grain", got {format!r}')


def _files(directory: Path, labels, class_names, follow_links):
    """(paths, int32 labels or None, names of classes or None), in the order of the paths class by class."""
    if not directory.is_dir():
        raise ValueError(f"{OWNER}: directory {str(directory)!r} is not a folder")
    if not isinstance(labels, str):
        files = _below(directory, follow_links)
        if labels is None:
            return files, None, None
        if len(labels) != len(files):
            raise ValueError(f"{OWNER}: labels: one for each of the {len(files)} .txt files expected, got {len(labels)}")
        return files, np.asarray(labels, np.int32), [str(v) for v in sorted(set(labels))]
    found = sorted(p.name for p in directory.iterdir() if p.is_dir() and not p.name.startswith("."))
    if class_names is not None and not set(class_names) <= set(found):
        raise ValueError(f"{OWNER}: class_names must be among the folders {found}, got {list(class_names)}")
    names = found if class_names is None else list(class_names)
    parts = [_below(directory / name, follow_links) for name in names]
    return [f for part in parts for f in part], np.repeat(np.arange(len(names), dtype=np.int32), [len(p) for p in parts]), names


def _below(folder: Path, follow_links) -> list[Path]:
    walked = sorted(os.walk(folder, followlinks=bool(follow_links)), key=lambda w: w[0])
    return [Path(root, name) for root, _, names in walked for name in sorted(names) if name.lower().endswith(".txt")]
