"""Optical recognition of handwritten digits: 1,797 real images of 8 x 8 pixels; comes with the package.

The test part of the UCI data set of the same name by E. Alpaydin and C. Kaynak (1998), from 13 writers,
https://doi.org/10.24432/C50P49, licensed under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/). The values
are those of scikit-learn's copy, unchanged; the file is stored compressed.
"""

from brisknet.datasets.files import read_table, split_rows

__all__ = ["load_data"]


def load_data(test_split=0.2, seed=113):
    """(x_train, y_train), (x_test, y_test): images [rows, 8, 8] and labels [rows], both uint8.

    test_split    the share of rows to hold out, after shuffling by `seed` (as in Keras' small data sets)

    Pixels go from 0 to 16: the count of dark points in a block of 4 x 4 of the scan. Labels are the digits 0 to 9.
    """
    table = read_table("digits.csv.gz", "uint8")
    return split_rows(table[:, :64].reshape(-1, 8, 8), table[:, 64], test_split, seed)
