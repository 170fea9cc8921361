"""Layers that prepare data: they learn from a data set by adapt(), not by training."""

from brisknet.layers.preprocessing.category_encoding import CategoryEncoding
from brisknet.layers.preprocessing.discretization import Discretization
from brisknet.layers.preprocessing.hashed_crossing import HashedCrossing
from brisknet.layers.preprocessing.hashing import Hashing
from brisknet.layers.preprocessing.integer_lookup import IntegerLookup
from brisknet.layers.preprocessing.normalization import Normalization
from brisknet.layers.preprocessing.string_lookup import StringLookup
from brisknet.layers.preprocessing.text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "Normalization", "StringLookup",
    "TextVectorization",
]  # fmt: skip
