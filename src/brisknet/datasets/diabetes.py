"""Diabetes progression: 442 patients, ten measurements each and how the disease went on; comes with the package.

The table of B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least Angle Regression", Annals of Statistics 32
(2004), 407-499, as published by the authors (https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html) and
distributed with scikit-learn. The values are the raw ones, unscaled; the file is stored compressed.
"""

from brisknet.datasets.files import read_table, split_rows

__all__ = ["FEATURES", "load_data"]

# age in years, sex (1 or 2), body mass index, mean blood pressure, and six blood serum values: total cholesterol, LDL,
# HDL, total cholesterol / HDL, log of triglycerides, blood sugar
FEATURES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


def load_data(test_split=0.2, seed=113):
    """(x_train, y_train), (x_test, y_test): x is [rows, 10] with the columns FEATURES, y is [rows]; both float64.

    test_split    the share of rows to hold out, after shuffling by `seed` (as in Keras' small data sets)

    y is a measure of progression one year after the measurements, between 25 and 346.
    """
    table = read_table("diabetes.csv.gz", "float64", skip_rows=1)
    return split_rows(table[:, :10], table[:, 10], test_split, seed)
