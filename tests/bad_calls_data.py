"""Bad calls: inputs, targets, weights and options of fit, evaluate and predict."""

# fmt: off
import numpy as np

from brisknet import callbacks
from brisknet.layers import Input
from tests.bad_calls import Holder, Raises, binary, case, deferred, frame, onehot, put, regression, rows, sparse, two

# ---- x -------------------------------------------------------------------------------------------------------------
case("x-none", binary, lambda m, x, y: m.fit(None, y), ValueError,
     "x: an array of samples expected", "got None")
case("x-rank-1", binary, lambda m, x, y: m.fit(x[:, 0], y), ValueError,
     "x: shape (rows, 4) expected", "got (12,)")
case("x-one-row", binary, lambda m, x, y: m.predict(x[0]), ValueError,
     "x: shape (rows, 4) expected", "got (4,)")
case("x-rank-3", binary, lambda m, x, y: m.predict(x[:, :, None, None]), ValueError,
     "x: shape (rows, 4) expected", "got (12, 4, 1, 1)")
case("x-scalar", binary, lambda m, x, y: m.predict(3.0), ValueError,
     "x: an array with one row a sample expected", "got the single number 3.0")
case("x-features", binary, lambda m, x, y: m.fit(x[:, :3], y), ValueError,
     "x: shape (rows, 4) expected", "got (12, 3)")
case("x-features-predict", binary, lambda m, x, y: m.predict(np.ones((2, 5))), ValueError,
     "x: shape (rows, 4) expected", "got (2, 5)")
case("x-features-call", binary, lambda m, x, y: m(np.ones((2, 5))), ValueError,
     "x: shape (rows, 4) expected", "got (2, 5)")
case("x-features-evaluate", binary, lambda m, x, y: m.evaluate(x[:, 1:], y), ValueError,
     "x: shape (rows, 4) expected", "got (12, 3)")
case("x-features-train-on-batch", binary, lambda m, x, y: m.train_on_batch(x[:, 1:], y), ValueError,
     "x: shape (rows, 4) expected", "got (12, 3)")
case("x-empty", binary, lambda m, x, y: m.fit(x[:0], y[:0]), ValueError,
     "x: at least one row expected", "got an empty array")
case("x-empty-predict", binary, lambda m, x, y: m.predict(x[:0]), ValueError,
     "x: at least one row expected", "got an empty array")
case("x-no-features", binary, lambda m, x, y: m.predict(x[:, :0]), ValueError,
     "x: shape (rows, 4) expected", "got (12, 0)")
case("x-empty-list", binary, lambda m, x, y: m.fit([], []), ValueError,
     "x: shape (rows, 4) expected", "got (0,)")
case("x-ragged", binary, lambda m, x, y: m.predict([[1, 2, 3, 4], [1, 2]]), ValueError,
     "x: rows of equal length expected", "got a ragged sequence")
case("x-objects", binary, lambda m, x, y: m.predict(np.array([[1, 2, 3, None]], dtype=object)), TypeError,
     "x: an array of numbers expected", "got objects (dtype object)")
case("x-object-numbers", binary, lambda m, x, y: m.predict(x.astype(object)), TypeError,
     "x: an array of numbers expected", "got objects (dtype object)")
case("x-strings", binary, lambda m, x, y: m.predict([["a", "b", "c", "d"]]), TypeError,
     "x: an array of numbers expected", "got strings (dtype <U1)")
case("x-text", binary, lambda m, x, y: m.predict("data.csv"), TypeError,
     "x: an array of numbers expected", "got the str 'data.csv'")
case("x-bytes", binary, lambda m, x, y: m.predict(b"data"), TypeError,
     "x: an array of numbers expected", "got a bytes")
case("x-complex", binary, lambda m, x, y: m.predict(x + 1j), TypeError,
     "x: an array of numbers expected", "got complex numbers (dtype complex64)")
case("x-dates", binary, lambda m, x, y: m.predict(np.zeros((2, 4), "datetime64[s]")), TypeError,
     "x: an array of numbers expected", "got dates (dtype datetime64[s])")
case("x-records", binary, lambda m, x, y: m.predict(np.zeros(2, [("a", "f4"), ("b", "f4")])), TypeError,
     "x: an array of numbers expected", "got records (dtype [('a', '<f4'), ('b', '<f4')])")
case("x-masked", binary, lambda m, x, y: m.predict(np.ma.masked_greater(x, 0.5)), ValueError,
     "x: an array without gaps expected", "got a masked array", "x.filled")
case("x-generator-and-y", binary, lambda m, x, y: m.fit((r for r in x), y), ValueError,
     "y: None expected, as x is a generator", "got ndarray")
case("x-set", binary, lambda m, x, y: m.predict({1.0, 2.0}), TypeError,
     "x: an array of numbers expected", "got a set")
case("x-opaque", binary, lambda m, x, y: m.predict(Holder()), TypeError,
     "x: an array of numbers expected", "got a Holder")
case("x-refuses", binary, lambda m, x, y: m.predict(Raises()), TypeError,
     "x: an array of numbers expected", "got a Raises (this object does not want to be an array)")
case("x-function", binary, lambda m, x, y: m.predict(rows), TypeError,
     "x: an array of numbers expected", "got a function")
case("x-symbolic", binary, lambda m, x, y: m.predict(Input((4,))), TypeError,
     "x: an array expected", "got a symbolic KerasTensor of shape (None, 4)")
case("x-model", binary, lambda m, x, y: m.predict(m), TypeError,
     "x: an array of numbers expected", "got a Sequential")
case("x-dict", binary, lambda m, x, y: m.predict({"wrong": x}), ValueError,
     "x: no array for input(s) [", "got ['wrong']")
case("x-pair", binary, lambda m, x, y: m.predict((x, y)), ValueError,
     "x: rows of equal length expected", "got a tuple of arrays of shapes [(12, 4), (12,)]")
case("x-frame-of-words", binary, lambda m, x, y: m.predict(frame(x).assign(b="word")), TypeError,
     "x: column 'b'", "can't be turned into numbers", "encode or drop it")
case("x-series-of-words", binary, lambda m, x, y: m.predict(frame(x).assign(b="word").b), TypeError,
     "x: numbers expected", "got a series of dtype")
case("x-longer-than-y", binary, lambda m, x, y: m.fit(x, y[:-1]), ValueError,
     "all arrays must have the same number of rows, but x has 12, y has 11")
case("x-list-for-two", two, lambda m, x, y: m.fit(x[0], y), ValueError,
     "x: a list of 2 arrays for the inputs ['a', 'b'] expected", "got one ndarray")
case("x-three-for-two", two, lambda m, x, y: m.fit([*x, x[0]], y), ValueError,
     "x: one array for each of the 2 inputs ['a', 'b'] expected", "got 3")
case("x-swapped", two, lambda m, x, y: m.fit(x[::-1], y), ValueError,
     "x['a']: shape (rows, 3) expected", "got (12, 2)")
case("x-key-missing", two, lambda m, x, y: m.fit({"a": x[0]}, y), ValueError,
     "x: no array for input(s) ['b']", "got ['a']")
case("x-keys-wrong", two, lambda m, x, y: m.predict({"a": x[0], "B": x[1]}), ValueError,
     "x: no array for input(s) ['b']", "got ['B', 'a']")
case("x-lengths-differ", two, lambda m, x, y: m.predict([x[0], x[1][:5]]), ValueError,
     "all arrays must have the same number of rows", "has 12", "has 5")
case("x-one-of-two-words", two, lambda m, x, y: m.predict([x[0], [["a", "b"]] * 12]), TypeError,
     "x['b']: an array of numbers expected", "got strings (dtype <U1)")
case("x-deferred-rank-1", deferred, lambda m, x, y: m.fit(x[:, 0], y), ValueError,
     "x: rows of features, shape (rows, features), expected", "got shape (12,)")
case("x-deferred-text", deferred, lambda m, x, y: m.fit("words", y), TypeError,
     "x: an array of numbers expected", "got the str 'words'")

# ---- y -------------------------------------------------------------------------------------------------------------
case("y-none", binary, lambda m, x, y: m.fit(x), ValueError,
     "y: targets expected", "got None")
case("y-none-evaluate", binary, lambda m, x, y: m.evaluate(x), ValueError,
     "y: targets expected", "got None")
case("y-nan", binary, lambda m, x, y: m.fit(x, put(y, np.nan, 3)), ValueError,
     "y: numbers expected", "got NaN in row 3")
case("y-nan-train-on-batch", regression, lambda m, x, y: m.train_on_batch(x, put(y, np.nan, 2, 1)), ValueError,
     "y: numbers expected", "got NaN in row 2")
case("y-words", binary, lambda m, x, y: m.fit(x, ["yes", "no"] * 6), TypeError,
     "y: an array of numbers expected", "got strings (dtype <U3)")
case("y-objects", binary, lambda m, x, y: m.fit(x, np.array([1, None] * 6, dtype=object)), TypeError,
     "y: an array of numbers expected", "got objects (dtype object)")
case("y-complex", regression, lambda m, x, y: m.fit(x, y * 1j), TypeError,
     "y: an array of numbers expected", "got complex numbers (dtype complex64)")
case("y-ragged", regression, lambda m, x, y: m.fit(x, [[1, 2]] * 11 + [[1]]), ValueError,
     "y: rows of equal length expected", "got a ragged sequence")
case("y-scalar", binary, lambda m, x, y: m.fit(x, 1), ValueError,
     "y: an array with one row a sample expected", "got the single number 1")
case("y-columns", binary, lambda m, x, y: m.fit(x, np.eye(3)[y]), ValueError,
     "y: shape (rows, 1) expected", "got (12, 3)")
case("y-rank-3", regression, lambda m, x, y: m.fit(x, y[:, :, None, None]), ValueError,
     "y: shape (rows, 2) expected", "got (12, 2, 1, 1)")
case("y-columns-regression", regression, lambda m, x, y: m.fit(x, rows(12, 3)), ValueError,
     "y: shape (rows, 2) expected", "got (12, 3)")
case("y-shorter", binary, lambda m, x, y: m.evaluate(x, y[:5]), ValueError,
     "all arrays must have the same number of rows, but x has 12, y has 5")
case("y-empty", binary, lambda m, x, y: m.fit(x, y[:0]), ValueError,
     "all arrays must have the same number of rows, but x has 12, y has 0")
case("label-too-large", sparse, lambda m, x, y: m.fit(x, put(y, 3, 5).astype(int)), ValueError,
     "y: class labels in [0, 3) expected, as the model has 3 outputs", "got 3 at position 5")
case("label-negative", sparse, lambda m, x, y: m.fit(x, put(y, -1, 5).astype(int)), ValueError,
     "y: class labels in [0, 3) expected, as the model has 3 outputs", "got -1 at position 5")
case("label-fraction", sparse, lambda m, x, y: m.fit(x, put(y, 0.5, 5)), ValueError,
     "y: whole class labels expected", "got 0.5")
case("label-infinite", sparse, lambda m, x, y: m.fit(x, put(y, np.inf, 5)), ValueError,
     "y: whole class labels expected", "got inf")
case("label-nan", sparse, lambda m, x, y: m.evaluate(x, put(y, np.nan, 5)), ValueError,
     "y: numbers expected", "got NaN in row 5")
case("label-onehot-for-sparse", sparse, lambda m, x, y: m.fit(x, np.eye(3)[y]), ValueError,
     "y: integer labels of rank 1 expected for outputs (None, 3)", "got shape (12, 3)")
case("label-in-validation", sparse, lambda m, x, y: m.fit(x, y, validation_data=(x, y + 1)), ValueError,
     "validation y: class labels in [0, 3) expected, as the model has 3 outputs", "got 3 at position 2")
case("label-integer-for-onehot", onehot, lambda m, x, y: m.fit(x, y.argmax(1)), ValueError,
     "y: one-hot rows of shape (3,) expected by categorical_crossentropy", "got ()")
case("label-onehot-width", onehot, lambda m, x, y: m.fit(x, np.eye(4)[y.argmax(1)]), ValueError,
     "y: one-hot rows of shape (3,) expected by categorical_crossentropy", "got (4,)")
case("y-one-for-two", two, lambda m, x, y: m.fit(x, y[0]), ValueError,
     "y: a list or dict of 2 arrays for the outputs ['left', 'right'] expected", "got one ndarray")
case("y-three-for-two", two, lambda m, x, y: m.fit(x, [*y, y[0]]), ValueError,
     "y: one entry for each of the outputs ['left', 'right'] expected", "got 3")
case("y-key-missing", two, lambda m, x, y: m.fit(x, {"left": y[0]}), ValueError,
     "y['right']: targets expected, as this output has a loss (sparse_categorical_crossentropy)", "got None")
case("y-key-unknown", two, lambda m, x, y: m.fit(x, {"left": y[0], "rihgt": y[1]}), ValueError,
     "y: no output named 'rihgt'", "the outputs are ['left', 'right']")
case("y-label-of-second", two, lambda m, x, y: m.fit(x, [y[0], y[1] + 1]), ValueError,
     "y['right']: class labels in [0, 3) expected, as the model has 3 outputs", "got 3 at position 2")
case("y-lengths-differ", two, lambda m, x, y: m.fit(x, [y[0], y[1][:5]]), ValueError,
     "all arrays must have the same number of rows", "y['left'] has 12, y['right'] has 5")

# ---- weights and options of fit ------------------------------------------------------------------------------------
case("sample-weight-length", binary, lambda m, x, y: m.fit(x, y, sample_weight=np.ones(5)), ValueError,
     "all arrays must have the same number of rows, but x has 12, y has 12, sample_weight has 5")
case("sample-weight-infinite", binary,
     lambda m, x, y: m.fit(x, y, sample_weight=put(np.ones(12), np.inf, 2)), ValueError,
     "sample_weight: finite numbers expected", "got NaN or infinity")
case("sample-weight-nan", binary, lambda m, x, y: m.train_on_batch(x, y, put(np.ones(12), np.nan, 2)), ValueError,
     "sample_weight: finite numbers expected", "got NaN or infinity")
case("sample-weight-shape", binary, lambda m, x, y: m.fit(x, y, sample_weight=np.ones((12, 2))), ValueError,
     "sample_weight: one weight a row, shape (rows,), expected for outputs (None, 1)", "got shape (12, 2)")
case("sample-weight-words", binary, lambda m, x, y: m.fit(x, y, sample_weight=["a"] * 12), TypeError,
     "sample_weight: an array of numbers expected", "got strings (dtype <U1)")
case("sample-weight-key", two, lambda m, x, y: m.fit(x, y, sample_weight={"lfet": np.ones(12)}), ValueError,
     "sample_weight: no output named 'lfet'", "the outputs are ['left', 'right']")
case("class-weight-and-sample-weight", binary,
     lambda m, x, y: m.fit(x, y, class_weight={0: 1}, sample_weight=np.ones(12)), ValueError,
     "sample_weight and class_weight can't both be given")
case("class-weight-list", binary, lambda m, x, y: m.fit(x, y, class_weight=[1, 2]), TypeError,
     "class_weight: a dict {class: weight} expected", "got list")
case("class-weight-key-word", binary, lambda m, x, y: m.fit(x, y, class_weight={"yes": 2.0}), ValueError,
     "class_weight: whole class numbers and weights >= 0 expected", "got {'yes': 2.0}")
case("class-weight-key-unknown", binary, lambda m, x, y: m.fit(x, y, class_weight={0: 1.0, 2: 2.0}), ValueError,
     "class_weight: classes 0 to 1 expected", "got 2, which no label has")
case("class-weight-key-of-three", sparse, lambda m, x, y: m.fit(x, y, class_weight={3: 2.0}), ValueError,
     "class_weight: classes 0 to 2 expected", "got 3, which no label has")
case("class-weight-negative", sparse, lambda m, x, y: m.fit(x, y, class_weight={1: -2.0}), ValueError,
     "class_weight: whole class numbers and weights >= 0 expected", "got {1: -2.0}")
case("class-weight-nan", sparse, lambda m, x, y: m.fit(x, y, class_weight={1: np.nan}), ValueError,
     "class_weight: whole class numbers and weights >= 0 expected", "got {1: nan}")
case("class-weight-two-outputs", two, lambda m, x, y: m.fit(x, y, class_weight={0: 1.0}), ValueError,
     "class_weight is for models of one output with targets, this one has ['left', 'right']")
case("batch-size-zero", binary, lambda m, x, y: m.fit(x, y, batch_size=0), ValueError,
     "batch_size must be an integer >= 1", "got 0")
case("batch-size-negative", binary, lambda m, x, y: m.predict(x, batch_size=-1), ValueError,
     "batch_size must be an integer >= 1", "got -1")
case("batch-size-fraction", binary, lambda m, x, y: m.fit(x, y, batch_size=2.5), ValueError,
     "batch_size must be an integer >= 1", "got 2.5")
case("batch-size-word", binary, lambda m, x, y: m.evaluate(x, y, batch_size="all"), ValueError,
     "batch_size must be an integer >= 1", "got 'all'")
case("epochs-negative", binary, lambda m, x, y: m.fit(x, y, epochs=-1), ValueError,
     "epochs must be an integer >= 0", "got -1")
case("epochs-fraction", binary, lambda m, x, y: m.fit(x, y, epochs=1.5), ValueError,
     "epochs must be an integer >= 0", "got 1.5")
case("epochs-none", binary, lambda m, x, y: m.fit(x, y, epochs=None), ValueError,
     "epochs must be an integer >= 0", "got None")
case("initial-epoch", binary, lambda m, x, y: m.fit(x, y, initial_epoch=-1), ValueError,
     "initial_epoch must be an integer >= 0", "got -1")
case("steps-per-epoch", binary, lambda m, x, y: m.fit(x, y, steps_per_epoch=0), ValueError,
     "steps_per_epoch must be an integer >= 1", "got 0")
case("validation-batch-size", binary, lambda m, x, y: m.fit(x, y, validation_split=0.5, validation_batch_size=0), ValueError,
     "validation_batch_size must be an integer >= 1", "got 0")
case("validation-steps", binary, lambda m, x, y: m.fit(x, y, validation_split=0.5, validation_steps=-1), ValueError,
     "validation_steps must be an integer >= 1", "got -1")
case("evaluate-steps", binary, lambda m, x, y: m.evaluate(x, y, steps=0), ValueError,
     "steps must be an integer >= 1", "got 0")
case("validation-freq", binary, lambda m, x, y: m.fit(x, y, validation_split=0.5, validation_freq=0), ValueError,
     "validation_freq must be an integer >= 1", "got 0")
case("verbose", binary, lambda m, x, y: m.fit(x, y, verbose="loud"), ValueError,
     'verbose must be "auto", 0, 1 or 2', "got 'loud'")
case("validation-split-one", binary, lambda m, x, y: m.fit(x, y, validation_split=1.0), ValueError,
     "validation_split must be a number between 0 and 1", "got 1.0")
case("validation-split-negative", binary, lambda m, x, y: m.fit(x, y, validation_split=-0.1), ValueError,
     "validation_split must be a number between 0 and 1", "got -0.1")
case("validation-split-word", binary, lambda m, x, y: m.fit(x, y, validation_split="20%"), ValueError,
     "validation_split must be a number between 0 and 1", "got '20%'")
case("validation-split-tiny", binary, lambda m, x, y: m.fit(x[:3], y[:3], validation_split=0.9), ValueError,
     "validation_split=0.9 of 3 rows leaves 0 for training and 3 for validation")
case("validation-data-array", binary, lambda m, x, y: m.fit(x, y, validation_data=x), ValueError,
     "validation_data: (x, y) or (x, y, sample_weight) expected", "got ndarray of 12")
case("validation-data-one", binary, lambda m, x, y: m.fit(x, y, validation_data=(x,)), ValueError,
     "validation_data: (x, y) or (x, y, sample_weight) expected", "got tuple of 1")
case("validation-data-features", binary, lambda m, x, y: m.fit(x, y, validation_data=(x[:, :2], y)), ValueError,
     "validation x: shape (rows, 4) expected", "got (12, 2)")
case("validation-data-lengths", binary, lambda m, x, y: m.fit(x, y, validation_data=(x, y[:4])), ValueError,
     "all arrays must have the same number of rows, but validation x has 12, validation y has 4")
case("callback-function", binary, lambda m, x, y: m.fit(x, y, callbacks=[print]), TypeError,
     "callbacks: Callback objects expected", "got <built-in function print> of type builtin_function_or_method")
case("callback-class", binary, lambda m, x, y: m.fit(x, y, callbacks=[callbacks.EarlyStopping]), TypeError,
     "callbacks: a Callback object expected", "got the class EarlyStopping")
case("callback-word", binary, lambda m, x, y: m.fit(x, y, callbacks="early_stopping"), TypeError,
     "callbacks: Callback objects expected", "got 'early_stopping' of type str")
case("callback-of-evaluate", binary, lambda m, x, y: m.evaluate(x, y, callbacks=[1]), TypeError,
     "callbacks: Callback objects expected", "got 1 of type int")
