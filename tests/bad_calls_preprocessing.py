"""Bad calls: sources of batches, and preprocessing layers."""

# fmt: off
import numpy as np

from brisknet import utils
from brisknet.layers import (
    CategoryEncoding, Discretization, HashedCrossing, Hashing, Input, IntegerLookup, Normalization, StringLookup,
)
from brisknet.models import Sequential
from tests.bad_calls import binary, case, rows


def parts(x, y):
    yield x, y


class Empty(utils.PyDataset):
    def __len__(self):
        return 0


class Nameless(utils.PyDataset):
    """Has neither __len__ nor num_batches."""


def asked(make, x=None):
    """A call of a layer, as a call on a model."""
    return lambda m, *_: make() if x is None else make()(x)


# ---- sources of batches ----------------------------------------------------------------------------------------------
case("source-empty", binary, lambda m, x, y: m.fit(iter([])), ValueError,
     "x: at least one batch expected", "got an empty list_iterator")
case("source-empty-generator", binary, lambda m, x, y: m.fit(p for p in ()), ValueError,
     "x: at least one batch expected", "got an empty generator")
case("source-empty-predict", binary, lambda m, x, y: m.predict(iter([])), ValueError,
     "x: at least one batch expected", "got none")
case("source-weight", binary, lambda m, x, y: m.fit(parts(x, y), sample_weight=y), ValueError,
     "sample_weight: None expected, as x is a generator", "got ndarray")
case("source-evaluate-y", binary, lambda m, x, y: m.evaluate(parts(x, y), y), ValueError,
     "y: None expected, as x is a generator")
case("source-split", binary, lambda m, x, y: m.fit(parts(x, y), validation_split=0.2), ValueError,
     "validation_split: 0 expected, as x is a generator", "got 0.2", "give validation_data instead")
case("source-features", binary, lambda m, x, y: m.fit(parts(x[:, :3], y)), ValueError,
     "x: shape (rows, 4) expected", "got (12, 3)")
case("source-no-targets", binary, lambda m, x, y: m.fit(iter([(x,)])), ValueError,
     "y: targets expected", "got None")
case("source-four-parts", binary, lambda m, x, y: m.fit(iter([(x, y, y, y)])), ValueError,
     "a batch: x, (x,), (x, y) or (x, y, sample_weight) expected", "got a tuple of 4")
case("source-numbers", binary, lambda m, x, y: m.fit(iter([3])), ValueError,
     "x: an array with one row a sample expected", "got the single number 3")
case("dataset-empty", binary, lambda m, x, y: m.fit(Empty()), ValueError,
     "x: a PyDataset of at least one batch expected", "got Empty of length 0")
case("dataset-without-length", binary, lambda m, x, y: m.fit(Nameless()), NotImplementedError,
     "Nameless must define __len__() or the property num_batches")
case("validation-source-features", binary, lambda m, x, y: m.fit(x, y, validation_data=parts(x[:, 1:], y)), ValueError,
     "validation x: shape (rows, 4) expected", "got (12, 3)")
case("split-dataset-sizes", binary, lambda m, x, y: utils.split_dataset((x, y)), ValueError,
     "split_dataset: left_size or right_size must be given")

# ---- preprocessing layers --------------------------------------------------------------------------------------------
case("normalization-one-moment", binary, asked(lambda: Normalization(mean=3.0)), ValueError,
     "Normalization: mean and variance must be given together", "got 3.0 and None")
case("normalization-axis", binary, asked(lambda: Normalization(axis=1.5)), ValueError,
     "Normalization: axis must be an integer", "got (1.5,)")
case("normalization-range", binary, asked(lambda: Normalization(axis=3), rows(4, 2)), ValueError,
     "Normalization: axis (3,) is out of range", "(4, 2)")
case("normalization-adapt-given", binary, lambda m, x, y: Normalization(mean=0.0, variance=1.0).adapt(x), ValueError,
     "adapt() is for layers made without mean and variance")
case("normalization-adapt-words", binary, lambda m, x, y: Normalization().adapt(["a", "b"]), TypeError,
     "adapt: data: an array of numbers expected", "got strings")
case("normalization-adapt-nothing", binary, lambda m, x, y: Normalization().adapt(iter([])), ValueError,
     "adapt: at least one batch expected")
case("bins-both", binary, asked(lambda: Discretization([0.0], num_bins=3)), ValueError,
     "Discretization: bin_boundaries or num_bins, one of the two, expected")
case("bins-order", binary, asked(lambda: Discretization([1.0, 0.0])), ValueError,
     "Discretization: bin_boundaries must be increasing numbers", "got [1.0, 0.0]")
case("bins-unlearnt", binary, asked(lambda: Discretization(num_bins=3), rows(4, 2)), ValueError,
     "has no boundaries yet", "call adapt(data)")
case("bins-mode", binary, asked(lambda: Discretization([0.0], output_mode="hot")), ValueError,
     "Discretization: output_mode must be one of 'int', 'one_hot', 'multi_hot', 'count'", "got 'hot'")
case("encoding-tokens", binary, asked(lambda: CategoryEncoding()), ValueError,
     "CategoryEncoding: num_tokens must be given")
case("encoding-weights", binary, lambda m, x, y: CategoryEncoding(3)([[0, 1]], count_weights=[[1.0, 2.0]]), ValueError,
     'count_weights belong to output_mode="count"', "'multi_hot'")
case("hashing-bins", binary, asked(lambda: Hashing(0)), ValueError,
     "Hashing: num_bins must be a positive integer", "got 0")
case("hashing-salt", binary, asked(lambda: Hashing(3, salt=[1, 2, 3])), ValueError,
     "Hashing: salt must be an integer or two of them", "got [1, 2, 3]")
case("hashing-missing", binary, asked(lambda: Hashing(3), np.array(["a", None], object)), TypeError,
     "strings expected, got None at position 1", "fill missing entries first")
case("crossing-one", binary, asked(lambda: HashedCrossing(3), (["a"],)), ValueError,
     "a list of two or more features expected", "got a tuple of 1")
case("crossing-shapes", binary, asked(lambda: HashedCrossing(3), (["a", "b"], [1])), ValueError,
     "features of one shape", "[(2,), (1,)]")
case("lookup-unlearnt", binary, asked(lambda: StringLookup(), ["a"]), ValueError,
     "has no vocabulary yet", "call adapt(data) or set_vocabulary(tokens)")
case("lookup-repeated", binary, asked(lambda: StringLookup(vocabulary=["a", "b", "a"])), ValueError,
     "different tokens expected in the vocabulary", "['a']")
case("lookup-out-of-vocabulary", binary, asked(lambda: StringLookup(vocabulary=["a"], num_oov_indices=0), ["a", "q"]), ValueError,
     "tokens of the vocabulary expected, as num_oov_indices is 0", "got ['q']", "num_oov_indices=1")
case("lookup-ints-for-strings", binary, asked(lambda: StringLookup(vocabulary=["a"]), [1, 2]), TypeError,
     "strings expected, got 1 at position 0", "use IntegerLookup")
case("lookup-strings-for-ints", binary, asked(lambda: IntegerLookup(vocabulary=[1]), ["a"]), TypeError,
     "integers expected, got strings")
case("lookup-nan", binary, asked(lambda: IntegerLookup(vocabulary=[1]), [1.0, np.nan]), ValueError,
     "integers expected, got NaN or infinity")
case("lookup-mask-inside", binary, asked(lambda: IntegerLookup(vocabulary=[12, 0], mask_token=0)), ValueError,
     "the mask token 0 may only stand at the start of the vocabulary", "index 1")
case("lookup-too-many", binary, asked(lambda: StringLookup(max_tokens=2, vocabulary=["a", "b"])), ValueError,
     "at most max_tokens=2 tokens expected", "got 3")
case("lookup-file", binary, asked(lambda: StringLookup(vocabulary="no such file")), ValueError,
     "vocabulary file 'no such file' can't be read")
case("lookup-idf", binary, asked(lambda: StringLookup(vocabulary=["a"], output_mode="tf_idf")), ValueError,
     'a vocabulary with output_mode="tf_idf" needs idf_weights too')
case("lookup-idf-length", binary, asked(lambda: StringLookup(vocabulary=["a", "b"], output_mode="tf_idf", idf_weights=[1.0])), ValueError,
     "one of idf_weights a token, shape (2,), expected", "got (1,)")
case("lookup-adapt-given", binary, lambda m, x, y: StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError,
     "adapt() is for layers made without vocabulary")
case("lookup-invert-mode", binary, asked(lambda: StringLookup(invert=True, output_mode="count")), ValueError,
     'output_mode must be "int" where invert is True', "got 'count'")
case("lookup-max-tokens", binary, asked(lambda: StringLookup(max_tokens=1)), ValueError,
     "StringLookup: max_tokens must be an integer >= 2", "got 1")
case("lookup-in-model", binary, lambda m, x, y: StringLookup(vocabulary=["a"])(Input((1,))), TypeError,
     "data expected, got a symbolic tensor", "call it on the data")
case("crossing-in-model", binary, lambda m, x, y: HashedCrossing(3)((Input((1,)), Input((1,)))), TypeError,
     "data expected, got a symbolic tensor", "HashedCrossing computes before a model")
case("lookup-large-in-model", binary, lambda m, x, y: Sequential([Input((1,), dtype="int32"), IntegerLookup(vocabulary=[2**40])]), ValueError,
     "tokens that int32 holds expected inside a model", "call the layer on the data first")
