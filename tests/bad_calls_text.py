"""Bad calls: texts, their folders, padding and windows."""

# fmt: off
import numpy as np

from brisknet import utils
from brisknet.layers import Input, TextVectorization
from tests.bad_calls import binary, case
from tests.bad_calls_preprocessing import asked

WORDS = ["a", "b"]


def vectorization(**kwargs):
    return lambda: TextVectorization(**kwargs)


def given(**kwargs):
    return vectorization(vocabulary=WORDS, **kwargs)


def windows(*args, **kwargs):
    return lambda m, x, y: utils.timeseries_dataset_from_array(x, *args, **kwargs)


def padded(*args, **kwargs):
    return lambda m, x, y: utils.pad_sequences(*args, **kwargs)


def folder(*args, **kwargs):
    return lambda m, x, y: utils.text_dataset_from_directory(*args, **kwargs)


# ---- TextVectorization -----------------------------------------------------------------------------------------------
case("text-unlearnt", binary, asked(vectorization(name="v1"), ["a"]), ValueError,
     "TextVectorization 'v1' has no vocabulary yet", "call adapt(data) or set_vocabulary(tokens)")
case("text-standardize", binary, asked(vectorization(standardize="upper")), ValueError,
     "TextVectorization: standardize must be None, a function, or one of 'lower'", "got 'upper'")
case("text-split", binary, asked(vectorization(split="words")), ValueError,
     "TextVectorization: split must be None, a function, or one of 'whitespace', 'character'", "got 'words'")
case("text-ngrams", binary, asked(vectorization(ngrams=0)), ValueError,
     "ngrams must be None, a positive integer or a tuple of them", "got 0")
case("text-ngrams-list", binary, asked(vectorization(ngrams=[1, 2])), ValueError, "a tuple of them", "got [1, 2]")
case("text-mode", binary, asked(vectorization(output_mode="one_hot")), ValueError,
     "output_mode must be one of 'int', 'multi_hot', 'count', 'tf_idf'", "got 'one_hot'")
case("text-length", binary, asked(vectorization(output_sequence_length=-1)), ValueError,
     "output_sequence_length must be an integer >= 0", "got -1")
case("text-length-of-counts", binary, asked(vectorization(output_mode="count", output_sequence_length=3)), ValueError,
     'output_sequence_length belongs to output_mode="int"', "got 'count'")
case("text-ragged", binary, asked(vectorization(ragged=True)), ValueError,
     "ragged=True is not supported", "rows are padded with 0")
case("text-sparse", binary, asked(vectorization(output_mode="count", sparse=True)), ValueError,
     "TextVectorization: sparse=True is not supported")
case("text-pad", binary, asked(vectorization(pad_to_max_tokens=True)), ValueError, "pad_to_max_tokens=True needs max_tokens")
case("text-idf", binary, asked(given(output_mode="tf_idf")), ValueError, 'output_mode="tf_idf" needs idf_weights too')
case("text-too-many", binary, asked(given(max_tokens=3)), ValueError, "at most max_tokens=3 tokens expected", "got 4")
case("text-numbers", binary, asked(given(), [1, 2]), TypeError, "strings expected, got 1 at position 0", "a text is one str")
case("text-floats", binary, asked(given(), np.ones(3)), TypeError, "texts expected, got dtype float64")
case("text-missing", binary, asked(given(), ["a", None]), TypeError,
     "strings expected, got None at position 1", "fill missing entries first")
case("text-tokens-unsplit", binary, asked(given(), [["a", "b"]]), ValueError,
     "one text a row, shape (rows,) or (rows, 1), expected", "got shape (1, 2)")
case("text-ragged-lists", binary, asked(given(), [["a"], ["b", "c"]]), TypeError, "strings expected, got ['a'] at position 0")
case("text-in-model", binary, lambda m, x, y: given()()(Input((1,))), TypeError,
     "data expected, got a symbolic tensor", "TextVectorization computes before a model")
case("text-adapt-given", binary, lambda m, x, y: given()().adapt(["b"]), ValueError,
     "adapt() is for layers made without vocabulary")
case("text-adapt-nothing", binary, lambda m, x, y: TextVectorization().adapt(["", "  "]), ValueError,
     "adapt: at least one token expected, got none")
case("text-standardize-shape", binary, asked(given(standardize=lambda x: x[:1]), ["a", "b"]), ValueError,
     "standardize must give an array of the shape it gets, (2,)", "gave (1,)")
case("text-split-rows", binary, asked(given(split=lambda x: [["a"]]), ["a", "b"]), ValueError,
     "split must give one list of strings for each of 2 texts", "gave 1")
case("text-split-strings", binary, asked(given(split=lambda x: list(x)), ["a", "b"]), TypeError,
     "split must give a list of strings for each text", "'a'")

# ---- pad_sequences ---------------------------------------------------------------------------------------------------
case("pad-side", binary, padded([[1]], padding="left"), ValueError, 'padding must be "pre" or "post"', "got 'left'")
case("pad-truncating", binary, padded([[1]], truncating="both"), ValueError, 'truncating must be "pre" or "post"', "got 'both'")
case("pad-number", binary, padded(3), ValueError, "sequences must be a list of sequences, got a int")
case("pad-flat", binary, padded([1, 2]), ValueError, "got the int 1 at position 0")
case("pad-texts", binary, padded(["one", "two"]), ValueError, "got the str 'one' at position 0", "TextVectorization")
case("pad-maxlen", binary, padded([[1]], 0), ValueError, "maxlen must be an integer >= 1", "got 0")
case("pad-value", binary, padded([[1]], value="x"), ValueError, "value 'x' does not fit dtype int32", "dtype=object")
case("pad-shapes", binary, padded([np.ones((2, 3)), np.ones((2, 4))]), ValueError,
     "elements of one shape expected, (3,)", "got (4,) in sequence 1")
case("pad-words", binary, padded([["a"]]), ValueError, "sequence 0 can't be read as an array of int32")

# ---- windows ---------------------------------------------------------------------------------------------------------
case("windows-length", binary, windows(None, 0), ValueError, "sequence_length must be an integer >= 1", "got 0")
case("windows-too-long", binary, windows(None, 13), ValueError, "at least one window of 13 steps, 1 apart, expected", "only 12")
case("windows-stride", binary, windows(None, 2, sequence_stride=0), ValueError, "sequence_stride must be an integer >= 1", "got 0")
case("windows-stride-long", binary, windows(None, 2, sequence_stride=12), ValueError,
     "sequence_stride must be below the length of data, 12", "got 12")
case("windows-rate", binary, windows(None, 2, sampling_rate=99), ValueError, "sampling_rate must be below the length of data, 12")
case("windows-start", binary, windows(None, 2, start_index=12), ValueError, "start_index must be an integer from 0 to 11", "got 12")
case("windows-end", binary, windows(None, 2, end_index=-3), ValueError, "end_index must be an integer from 0 to 11", "got -3")
case("windows-order", binary, windows(None, 2, start_index=5, end_index=5), ValueError,
     "end_index must be above start_index, 5", "got 5")
case("windows-batch", binary, windows(None, 2, batch_size=0), ValueError, "batch_size must be an integer >= 1", "got 0")
case("windows-targets", binary, windows(np.ones(3), 2, start_index=4), ValueError,
     "targets: at least one from step 4 on expected, got none")
case("windows-words", binary, windows(["a"] * 12, 2), TypeError, "targets: an array of numbers expected", "strings")
case("windows-features", binary, lambda m, x, y: m.fit(utils.timeseries_dataset_from_array(x, y, 3), verbose=0), ValueError,
     "x: shape (rows, 4) expected", "got (10, 3, 4)")

# ---- folders of texts ------------------------------------------------------------------------------------------------
case("folder-missing", binary, folder("no such folder"), ValueError, "directory 'no such folder' is not a folder")
case("folder-labels", binary, folder(".", labels="found"), ValueError, 'labels must be "inferred", None or a list', "got 'found'")
case("folder-mode", binary, folder(".", label_mode="one_hot"), ValueError, "label_mode must be", "got 'one_hot'")
case("folder-subset", binary, folder(".", subset="training"), ValueError, "validation_split and subset belong together")
case("folder-share", binary, folder(".", validation_split=1.5, subset="training"), ValueError,
     "validation_split must be a number between 0 and 1", "got 1.5")
case("folder-seed", binary, folder(".", validation_split=0.5, subset="both"), ValueError, "seed must be given")
case("folder-names", binary, folder(".", class_names=["no such class"]), ValueError, "class_names must be among the folders")

# ---- texts where numbers are due ---------------------------------------------------------------------------------------
case("text-fed", binary, lambda m, x, y: m.predict(np.array(["a text"] * 3)), TypeError,
     "x: an array of numbers expected, got strings", "encode the words as numbers first, e.g. by layers.TextVectorization")
case("text-input", binary, lambda m, x, y: Input((1,), dtype="string"), ValueError,
     'Input: dtype "string" is not supported inside a model', "call the layer that takes texts (TextVectorization, StringLookup)")
