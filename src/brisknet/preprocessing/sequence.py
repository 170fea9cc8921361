"""keras.preprocessing.sequence."""

from brisknet.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
