"""keras.preprocessing: other names for functions of utils."""

from brisknet.preprocessing import sequence
from brisknet.utils.text_dataset import text_dataset_from_directory
from brisknet.utils.timeseries import timeseries_dataset_from_array

__all__ = ["sequence", "text_dataset_from_directory", "timeseries_dataset_from_array"]
