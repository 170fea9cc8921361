"""Bad calls: compile, use too early, weights, layers, models, callbacks, settings."""

# fmt: off
import numpy as np

from brisknet import callbacks, config, initializers, losses, metrics, optimizers, regularizers, utils
from brisknet.layers import (
    ELU, Activation, Add, BatchNormalization, Concatenate, Dense, Dropout, Flatten, Input, LeakyReLU, PReLU, ReLU,
    Reshape,
)
from brisknet.models import Model, Sequential, clone_model
from tests.bad_calls import (
    binary, case, cyclic, deferred, disconnected, duplicate_names, monitored, refitted, renamed, split_model, step_net,
    two, uncompiled,
)

# ---- compile -------------------------------------------------------------------------------------------------------
case("optimizer-name", binary, lambda m, x, y: m.compile("adma", "mse"), ValueError,
     "unknown optimizer 'adma'", "did you mean", "'adam'")
case("optimizer-none", binary, lambda m, x, y: m.compile(None, "mse"), ValueError,
     "optimizer: a name or an Optimizer expected", "got None")
case("optimizer-number", binary, lambda m, x, y: m.compile(0.01, "mse"), ValueError,
     "optimizer: a name or an Optimizer expected", "got 0.01")
case("optimizer-loss-swapped", binary, lambda m, x, y: m.compile("binary_crossentropy", "adam"), ValueError,
     "unknown optimizer 'binary_crossentropy'", "known: adadelta, adafactor, adagrad, adam,", "rmsprop, sgd")
case("loss-name", binary, lambda m, x, y: m.compile("sgd", "binary_crosentropy"), ValueError,
     "unknown loss 'binary_crosentropy'", "did you mean 'binary_crossentropy'")
case("loss-of-numbers", binary, lambda m, x, y: refitted(m, x, y, lambda t, p: 3.0), ValueError,
     "loss '<lambda>': a tensor computed from y_true and y_pred", "got array(3.)")
case("loss-number", binary, lambda m, x, y: m.compile("sgd", 3), ValueError,
     "loss: a name, a callable or a Loss expected", "got 3")
case("loss-two-for-one", binary, lambda m, x, y: m.compile("sgd", ["mse", "mae"]), ValueError,
     "loss: one entry for each of the outputs ['out'] expected", "got 2")
case("loss-key", two, lambda m, x, y: m.compile("sgd", {"left": "mse", "rihgt": "mse"}), ValueError,
     "loss: an entry for each of the outputs ['left', 'right'] expected", "got ['left', 'rihgt']")
case("loss-key-missing", two, lambda m, x, y: m.compile("sgd", {"left": "mse"}), ValueError,
     "loss: an entry for each of the outputs ['left', 'right'] expected", "got ['left']")
case("loss-three-for-two", two, lambda m, x, y: m.compile("sgd", ["mse"] * 3), ValueError,
     "loss: one entry for each of the outputs ['left', 'right'] expected", "got 3")
case("loss-weights-word", two, lambda m, x, y: m.compile("sgd", "mse", loss_weights=["a", 1]), ValueError,
     "loss_weights: finite numbers expected", "got 'a'")
case("loss-weights-count", two, lambda m, x, y: m.compile("sgd", "mse", loss_weights=[1.0]), ValueError,
     "loss_weights: one entry for each of the outputs ['left', 'right'] expected", "got 1")
case("loss-weights-nan", two, lambda m, x, y: m.compile("sgd", "mse", loss_weights=[1.0, np.nan]), ValueError,
     "loss_weights: finite numbers expected", "got nan")
case("loss-weights-key", two, lambda m, x, y: m.compile("sgd", "mse", loss_weights={"x": 1.0}), ValueError,
     "loss_weights: no output named 'x'", "the outputs are ['left', 'right']")
case("metrics-word", binary, lambda m, x, y: m.compile("sgd", "mse", metrics="accuracy"), ValueError,
     "metrics: a list of metrics expected", "got 'accuracy'")
case("metrics-name", binary, lambda m, x, y: m.compile("sgd", "mse", metrics=["acuracy"]), ValueError,
     "unknown metric 'acuracy'", "did you mean 'accuracy'")
case("metrics-number", binary, lambda m, x, y: m.compile("sgd", "mse", metrics=[3]), ValueError,
     "metric: a name, a callable or a Metric expected", "got 3")
case("weighted-metrics-name", binary,
     lambda m, x, y: m.compile("sgd", "mse", weighted_metrics=["acuracy"]), ValueError,
     "unknown metric 'acuracy'", "did you mean 'accuracy'")
case("metrics-one-for-two", two, lambda m, x, y: m.compile("sgd", "mse", metrics=["mae"]), ValueError,
     "metrics: one entry for each of the outputs ['left', 'right'] expected", "got 1")
case("metrics-key", two, lambda m, x, y: m.compile("sgd", "mse", metrics={"rihgt": "mae"}), ValueError,
     "metrics: no output named 'rihgt'", "the outputs are ['left', 'right']")
case("steps-per-execution", binary, lambda m, x, y: m.compile("sgd", "mse", steps_per_execution=0), ValueError,
     "steps_per_execution must be an integer >= 1", "got 0")
case("metrics-name-deferred", deferred, lambda m, x, y: m.compile("sgd", "mse", metrics=["acuracy"]), ValueError,
     "unknown metric 'acuracy'", "did you mean 'accuracy'")
case("learning-rate-negative", binary, lambda m, x, y: m.compile(optimizers.SGD(-0.1), "mse"), ValueError,
     "learning_rate must be a number >= 0", "got -0.1")
case("learning-rate-word", binary, lambda m, x, y: optimizers.Adam(learning_rate="fast"), ValueError,
     "learning_rate must be a number >= 0", "got 'fast'")
case("learning-rate-set-nan", binary, lambda m, x, y: setattr(m.optimizer, "learning_rate", float("nan")), ValueError,
     "learning_rate must be a number >= 0", "got nan")
case("clipnorm-and-clipvalue", binary, lambda m, x, y: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), ValueError,
     "only one of clipnorm, clipvalue and global_clipnorm can be set",
     "got {'clipnorm': 1.0, 'clipvalue': 1.0, 'global_clipnorm': None}")
case("clipnorm-negative", binary, lambda m, x, y: optimizers.SGD(clipnorm=-1.0), ValueError,
     "clipnorm must be a number > 0", "got -1.0")
case("momentum-range", binary, lambda m, x, y: optimizers.SGD(momentum=1.5), ValueError,
     "momentum must be a number >= 0 and <= 1", "got 1.5")
case("beta-range", binary, lambda m, x, y: optimizers.Adam(beta_1=-0.1), ValueError,
     "beta_1 must be a number >= 0 and <= 1", "got -0.1")
case("label-smoothing", binary, lambda m, x, y: losses.BinaryCrossentropy(label_smoothing=2), ValueError,
     "label_smoothing must be a number in [0, 1]", "got 2")
case("reduction", binary, lambda m, x, y: losses.MeanSquaredError(reduction="avg"), ValueError,
     "reduction must be one of ('sum_over_batch_size', 'sum', 'mean', 'mean_with_sample_weight', 'none', None)",
     "got 'avg'")
case("huber-delta", binary, lambda m, x, y: losses.Huber(delta=0), ValueError,
     "Huber: delta must be a positive number", "got 0")
case("threshold", binary, lambda m, x, y: metrics.BinaryAccuracy(threshold="half"), ValueError,
     "BinaryAccuracy: threshold must be a number", "got 'half'")

# ---- before compile, before build ----------------------------------------------------------------------------------
case("fit-uncompiled", uncompiled, lambda m, x, y: m.fit(x, y), ValueError,
     "model", "must be compiled before fit(): call model.compile(...) first")
case("evaluate-uncompiled", uncompiled, lambda m, x, y: m.evaluate(x, y), ValueError,
     "model", "must be compiled before evaluate(): call model.compile(...) first")
case("train-on-batch-uncompiled", uncompiled, lambda m, x, y: m.train_on_batch(x, y), ValueError,
     "model", "must be compiled before train_on_batch(): call model.compile(...) first")
case("count-params-unbuilt", deferred, lambda m, x, y: m.count_params(), ValueError,
     "layer", "is not built yet: call it on data, or build(input_shape), first")
case("input-shape-unbuilt", deferred, lambda m, x, y: m.input_shape, AttributeError,
     "Sequential",
     "is not built yet: give its first layer an Input, call build(input_shape), or call the model on data")
case("set-weights-unbuilt", deferred, lambda m, x, y: m.set_weights([np.ones((4, 3))]), ValueError,
     "layer", "has 0 weights, set_weights() was given 1")
case("build-shape", deferred, lambda m, x, y: m.build("wide"), ValueError,
     "Sequential", "the shape of one input, e.g. (None, 10), expected", "got 'wide'")
case("build-open-shape", deferred, lambda m, x, y: m.build((None, None)), ValueError,
     "Dense", "the last axis must have a known size", "got (None, None)")
case("no-layers", binary, lambda m, x, y: Sequential()(x), ValueError,
     "Sequential", "has no layers yet: add() some before using it")
case("layer-called-on-nothing", binary, lambda m, x, y: m.layers[0](), TypeError,
     "layer 'hidden': a tensor or an array to be called on expected", "got nothing")
case("layer-called-on-words", binary, lambda m, x, y: m.layers[0](np.array([["a"] * 4])), TypeError,
     "layer 'hidden': numbers expected", "got an array of dtype <U1")
case("layer-features", binary, lambda m, x, y: m.layers[0](np.ones((2, 3))), ValueError,
     "Dense 'hidden': input of shape (..., 4) expected", "got (2, 3)")
case("layer-rank", binary, lambda m, x, y: m.layers[0](np.ones(4)), ValueError,
     "Dense 'hidden': input of shape (..., 4) expected", "got (4,)")

# ---- weights of the model ------------------------------------------------------------------------------------------
case("set-weights-count", binary, lambda m, x, y: m.set_weights(m.get_weights()[:3]), ValueError,
     "layer", "has 4 weights, set_weights() was given 3")
case("set-weights-shape", binary, lambda m, x, y: m.set_weights([w.T for w in m.get_weights()]), ValueError,
     "layer", "/hidden/kernel' has shape (4, 6)", "got (6, 4)")
case("set-weights-last-shape", binary,
     lambda m, x, y: m.set_weights([w * 0 for w in m.get_weights()[:3]] + [np.ones(2)]), ValueError,
     "layer", "/out/bias' has shape (1,)", "got (2,)")
case("set-weights-words", binary, lambda m, x, y: m.set_weights(["a", "b", "c", "d"]), TypeError,
     "layer", "/hidden/kernel' needs an array of shape (4, 6)", "got 'a'")
case("set-weights-complex", binary, lambda m, x, y: m.set_weights([w + 1j for w in m.get_weights()]), TypeError,
     "layer", "/hidden/kernel' needs numbers", "got dtype complex64")
case("set-weights-one-array", binary, lambda m, x, y: m.set_weights(np.ones((4, 6))), ValueError,
     "layer", "/hidden/kernel' has shape (4, 6)", "got (6,)")
case("set-weights-number", binary, lambda m, x, y: m.set_weights(3), TypeError,
     "layer", "set_weights() needs a list of arrays", "got int")
case("set-weights-dict", binary, lambda m, x, y: m.set_weights({"hidden": 1}), TypeError,
     "layer", "set_weights() needs a list of arrays", "got dict")
case("set-weights-ragged", binary, lambda m, x, y: m.set_weights([[[1, 2], [3]], 0, 0, 0]), ValueError,
     "layer", "set_weights() needs arrays", "got a ragged sequence")
case("assign-shape", binary, lambda m, x, y: m.layers[0].kernel.assign(np.ones((6, 4))), ValueError,
     "/hidden/kernel' has shape (4, 6)", "got a value of shape (6, 4)")
case("get-layer-name", binary, lambda m, x, y: m.get_layer("hiden"), ValueError,
     "get_layer: no layer named 'hiden'", "did you mean 'hidden'")
case("get-layer-index", binary, lambda m, x, y: m.get_layer(index=7), ValueError,
     "get_layer: index 7 is out of range for 2 layers")
case("get-layer-both", binary, lambda m, x, y: m.get_layer("hidden", 0), ValueError,
     "get_layer: a name or an index, one of the two, expected", "got name='hidden', index=0")
case("summary-layer-range", binary, lambda m, x, y: m.summary(layer_range=("hidden", "nowhere")), ValueError,
     "summary: layer_range ('hidden', 'nowhere') names no layers of ['hidden', 'out']")

# ---- layers --------------------------------------------------------------------------------------------------------
case("units-negative", binary, lambda m, x, y: Dense(-1), ValueError,
     "Dense: units must be a positive integer", "got -1")
case("units-zero", binary, lambda m, x, y: Dense(0), ValueError,
     "Dense: units must be a positive integer", "got 0")
case("units-fraction", binary, lambda m, x, y: Dense(2.5), ValueError,
     "Dense: units must be a positive integer", "got 2.5")
case("units-word", binary, lambda m, x, y: Dense("ten"), ValueError,
     "Dense: units must be a positive integer", "got 'ten'")
case("units-missing", binary, lambda m, x, y: Dense(), TypeError,
     "missing 1 required positional argument: 'units'")
case("activation-name", binary, lambda m, x, y: Dense(3, activation="rleu"), ValueError,
     "unknown activation 'rleu'", "did you mean 'relu'")
case("activation-number", binary, lambda m, x, y: Activation(3), ValueError,
     "activation: a name or a callable expected", "got 3")
case("initializer-name", binary, lambda m, x, y: Dense(3, kernel_initializer="glorot_unifrom"), ValueError,
     "unknown initializer 'glorot_unifrom'", "did you mean 'glorot_uniform'")
case("initializer-scale", binary, lambda m, x, y: initializers.VarianceScaling(scale=-1.0), ValueError,
     "scale must be a positive number", "got -1.0")
case("regularizer-name", binary, lambda m, x, y: Dense(3, kernel_regularizer="l3"), ValueError,
     "unknown regularizer 'l3'", "did you mean 'l2'")
case("regularizer-negative", binary, lambda m, x, y: regularizers.L2(-0.1), ValueError,
     "l2 must be a finite number >= 0", "got -0.1")
case("layer-argument", binary, lambda m, x, y: Dense(3, activaton="relu"), TypeError,
     "Dense: unknown argument 'activaton'", "did you mean 'activation'")
case("layer-dtype", binary, lambda m, x, y: Dense(3, dtype="float99"), ValueError,
     "dtype must be one of float32, float64", "got 'float99'")
case("layer-name-slash", binary, lambda m, x, y: Dense(3, name="a/b"), ValueError,
     "layer name must be a string without '/'", "got 'a/b'")
case("input-dim", binary, lambda m, x, y: Dense(3, input_dim=-4), ValueError,
     "input_dim must be a positive integer", "got -4")
case("input-shape-word", binary, lambda m, x, y: Dense(3, input_shape="wide"), ValueError,
     "input_shape must be a tuple of sizes, e.g. (10,)", "got 'wide'")
case("input-no-shape", binary, lambda m, x, y: Input(), ValueError,
     "Input: shape must be given, e.g. Input(shape=(10,)) for rows of 10 features")
case("input-number", binary, lambda m, x, y: Input(4), ValueError,
     "Input: shape must be a tuple", "got the number 4")
case("input-negative", binary, lambda m, x, y: Input((-4,)), ValueError,
     "Input: every size of shape must be a positive integer", "got -4")
case("input-fraction", binary, lambda m, x, y: Input((2.5,)), ValueError,
     "Input: every size of shape must be a positive integer", "got 2.5")
case("dropout-rate", binary, lambda m, x, y: Dropout(1.5), ValueError,
     "Dropout: rate must be a number in [0, 1]", "got 1.5")
case("dropout-percent", binary, lambda m, x, y: Dropout(50), ValueError,
     "Dropout: rate must be a number in [0, 1]", "got 50")
case("reshape-does-not-fit", binary, lambda m, x, y: Reshape((5,))(Input((4,))), ValueError,
     "Reshape", "a tensor of shape (4,) (4 elements) does not fit newshape (5,)")
case("reshape-two-open", binary, lambda m, x, y: Reshape((-1, -1)), ValueError,
     "Reshape: target_shape needs positive sizes and at most one -1", "got (-1, -1)")
case("flatten-format", binary, lambda m, x, y: Flatten(data_format="rows_first"), ValueError,
     'Flatten: data_format must be "channels_last" or "channels_first"', "got 'rows_first'")
case("relu-slope", binary, lambda m, x, y: ReLU(negative_slope=-1.0), ValueError,
     "ReLU: negative_slope must be a number >= 0", "got -1.0")
case("leaky-relu-slope", binary, lambda m, x, y: LeakyReLU(negative_slope="steep"), ValueError,
     "LeakyReLU: negative_slope must be a number >= 0", "got 'steep'")
case("elu-alpha", binary, lambda m, x, y: ELU(alpha=None), ValueError,
     "ELU: alpha must be a number", "got None")
case("prelu-axes", binary, lambda m, x, y: PReLU(shared_axes=[3])(Input((4,))), ValueError,
     "PReLU: shared_axes must lie in 1..1", "got 3")
case("batchnorm-axis", binary, lambda m, x, y: BatchNormalization(axis=5)(Input((4,))), ValueError,
     "BatchNormalization: axis 5 is out of range for input (None, 4)")
case("batchnorm-momentum", binary, lambda m, x, y: BatchNormalization(momentum=2.0), ValueError,
     "BatchNormalization: momentum must lie in [0, 1]", "got 2.0")
case("dense-rank-1", binary, lambda m, x, y: Dense(3)(Input(())), ValueError,
     "Dense", "input of rank >= 2 expected", "got shape (None,)")
case("dense-open-features", binary, lambda m, x, y: Dense(3)(Input((None,))), ValueError,
     "Dense", "the last axis must have a known size", "got (None, None)")
case("add-shapes", binary, lambda m, x, y: Add()([Input((3,)), Input((4,))]), ValueError,
     "layer", "inputs of shapes (None, 3) and (None, 4) can't be merged")
case("add-one", binary, lambda m, x, y: Add()(Input((3,))), ValueError,
     "a list of inputs expected", "got (None, 3)")
case("concatenate-shapes", binary, lambda m, x, y: Concatenate()([Input((3, 2)), Input((4, 2))]), ValueError,
     "Concatenate", "inputs must agree but for axis 2", "got shapes [(None, 3, 2), (None, 4, 2)]")
case("concatenate-axis", binary, lambda m, x, y: Concatenate(axis=4)([Input((3,)), Input((4,))]), ValueError,
     "Concatenate", "axis 4 is out of range for inputs of rank 2")
case("concatenate-arrays", binary, lambda m, x, y: Concatenate()([np.ones((2, 3)), np.ones((3, 3))]), ValueError,
     "Concatenate", "inputs must agree but for axis 1", "got shapes [(2, 3), (3, 3)]")
case("add-weight-shape", binary, lambda m, x, y: Dense(2).add_weight((3, -1)), ValueError,
     "layer", "weight None needs a full shape of sizes >= 0", "got (3, -1)")
case("step-has-no-gradient", binary, lambda m, x, y: step_net().fit(x, y, verbose=0), ValueError,
     "the step activation has no usable gradient", 'loss="hinge"')

# ---- models --------------------------------------------------------------------------------------------------------
case("sequential-function", binary, lambda m, x, y: Sequential([Dense(2), np.tanh]), ValueError,
     "Sequential.add: a Layer expected", "got the function <ufunc 'tanh'>")
case("sequential-word", binary, lambda m, x, y: m.add("relu"), ValueError,
     "Sequential.add: a Layer expected", "got 'relu' of type str")
case("sequential-class", binary, lambda m, x, y: m.add(Flatten), ValueError,
     "Sequential.add: a Layer expected", "got the class Flatten")
case("sequential-double-input", binary, lambda m, x, y: m.add(Input((4,))), ValueError,
     "Sequential.add: an Input must come first", "after 'out'")
case("sequential-layer-does-not-fit", binary, lambda m, x, y: m.add(Reshape((3,))), ValueError,
     "Reshape", "a tensor of shape (1,) (1 elements) does not fit newshape (3,)")
case("sequential-duplicate-name", binary, lambda m, x, y: m.add(Dense(2, name="hidden")), ValueError,
     "Sequential.add: a layer named 'hidden' is in the model already")
case("sequential-pop-empty", binary, lambda m, x, y: Sequential().pop(), ValueError,
     "Sequential.pop: there is no layer to take off")
case("sequential-two-input-model", two, lambda m, x, y: Sequential([m, Dense(1)]), ValueError,
     "Sequential", "layers of one input expected", "got model", "with 2")
case("sequential-two-outputs", two, lambda m, x, y: Sequential([Input((4,)), split_model(), Dense(1)]), ValueError,
     "Sequential", "every layer must have one output, the one before", "has 2")
case("functional-duplicate-name", binary, lambda m, x, y: duplicate_names(), ValueError,
     'Model: the name "same" is used 2 times in the model')
case("functional-disconnected", binary, lambda m, x, y: disconnected(), ValueError,
     "Model: outputs depend on input 'forgotten', which is not among the inputs")
case("functional-array-input", binary, lambda m, x, y: Model(x, m.outputs), ValueError,
     "Model: inputs must be symbolic tensors from Input() and layer calls", "got an array of shape (12, 4)")
case("functional-layer-output", binary, lambda m, x, y: Model(m.inputs, m.layers[0]), ValueError,
     "Model: outputs must be symbolic tensors from Input() and layer calls", "got <Dense name=hidden, built=True>")
case("functional-no-outputs", binary, lambda m, x, y: Model(inputs=m.inputs), ValueError,
     "Model: inputs and outputs must both be given")
case("model-of-nothing", binary, lambda m, x, y: Model(), TypeError,
     "Model() needs inputs and outputs, or a subclass with its own call()")
case("model-without-call", binary, lambda m, x, y: type("Bare", (Model,), {})()(x), TypeError,
     "Bare must define call(self, inputs)")
case("functional-called-on-shape", two, lambda m, x, y: m([Input((3,)), Input((3,))]), ValueError,
     "model", "input 'b' expects shape (None, 2)", "got (None, 3)")
case("functional-called-on-count", two, lambda m, x, y: m(Input((3,))), ValueError,
     "model", "has 2 input(s)", "got 1")
case("symbolic-as-array", binary, lambda m, x, y: np.asarray(m.outputs[0]), ValueError,
     "a symbolic KerasTensor (shape (None, 1)) can't be turned into an array", "Call the model on data")
case("symbolic-truth", binary, lambda m, x, y: bool(m.outputs[0]), TypeError,
     "a symbolic KerasTensor has no truth value")
case("symbolic-loop", binary, lambda m, x, y: list(m.outputs[0]), TypeError,
     "a symbolic KerasTensor can't be iterated")
case("layer-output-unconnected", binary, lambda m, x, y: Dense(2).output, AttributeError,
     "layer", "has never been called on a symbolic tensor, so it has no input and no output yet")
case("config-cyclic", two, lambda m, x, y: Model.from_config(cyclic(m)), ValueError,
     "model config: the calls of", "'left', 'right'] never get their inputs")
case("config-unknown-class", binary, lambda m, x, y: Sequential.from_config(renamed(m)), ValueError,
     "unknown layer class 'Dens'", "did you mean 'Dense'")
case("config-no-class", binary,
     lambda m, x, y: Sequential.from_config({"name": "a", "layers": [{"units": 3}]}), ValueError,
     'layer config: a dict with "class_name" and "config" expected', "got {'units': 3}")
case("clone-of-a-layer", binary, lambda m, x, y: clone_model(m.layers[0]), ValueError,
     "clone_model: a model expected", "got <Dense name=hidden, built=True>")
case("clone-function", binary, lambda m, x, y: clone_model(m, clone_function="wider"), ValueError,
     "clone_model: clone_function must be a function layer -> layer", "got 'wider'")

# ---- callbacks, settings, helpers ----------------------------------------------------------------------------------
case("patience-negative", binary, lambda m, x, y: callbacks.EarlyStopping(patience=-1), ValueError,
     "EarlyStopping: patience must be an integer >= 0", "got -1")
case("patience-fraction", binary, lambda m, x, y: callbacks.ReduceLROnPlateau(patience=1.5), ValueError,
     "ReduceLROnPlateau: patience must be an integer >= 0", "got 1.5")
case("monitor-number", binary, lambda m, x, y: callbacks.EarlyStopping(monitor=3), ValueError,
     "EarlyStopping: monitor must be a name in the logs", "got 3")
case("monitor-unknown", binary, lambda m, x, y: monitored(m, x, y), ValueError,
     "EarlyStopping: can't tell whether monitor='val_acuracy' is to fall or to rise")
case("plateau-factor", binary, lambda m, x, y: callbacks.ReduceLROnPlateau(factor=1.5), ValueError,
     "ReduceLROnPlateau: factor must lie between 0 and 1", "got 1.5")
case("halving-factor", binary, lambda m, x, y: callbacks.HalveOnDivergence(factor=0.5), ValueError,
     "HalveOnDivergence: factor must be a number larger than 1", "got 0.5")
case("halving-cut", binary, lambda m, x, y: callbacks.HalveOnDivergence(cut=2), ValueError,
     "HalveOnDivergence: cut must lie between 0 and 1", "got 2")
case("lambda-hook-name", binary, lambda m, x, y: callbacks.LambdaCallback(on_epoch_ends=print), TypeError,
     "LambdaCallback: no hook is named 'on_epoch_ends'", "the hooks are on_batch_begin")
case("lambda-hook-no-function", binary, lambda m, x, y: callbacks.LambdaCallback(on_epoch_end=3), TypeError,
     "LambdaCallback: on_epoch_end must be a function", "got 3")
case("schedule-no-function", binary, lambda m, x, y: callbacks.LearningRateScheduler(0.1), TypeError,
     "LearningRateScheduler: a function (epoch, lr) -> lr expected", "got 0.1")
case("csv-separator", binary, lambda m, x, y: callbacks.CSVLogger("log.csv", separator="::"), ValueError,
     "CSVLogger: separator must be one character", "got '::'")
case("seed-negative", binary, lambda m, x, y: utils.set_random_seed(-1), ValueError,
     "seed must be an integer >= 0", "got -1")
case("seed-word", binary, lambda m, x, y: utils.set_random_seed("seed"), ValueError,
     "seed must be an integer >= 0", "got 'seed'")
case("to-categorical-range", binary, lambda m, x, y: utils.to_categorical([0, 3], 3), ValueError,
     "to_categorical: labels must lie in [0, 3)", "got 0 to 3")
case("floatx", binary, lambda m, x, y: config.set_floatx("float16"), ValueError,
     'floatx must be "float32" or "float64"', "got 'float16'")
case("backend", binary, lambda m, x, y: config.set_backend("cuda"), ValueError,
     'backend must be "native" or "numpy"', "got 'cuda'")
case("epsilon", binary, lambda m, x, y: config.set_epsilon(-1.0), ValueError,
     "epsilon must be a positive number", "got -1.0")
case("threads", binary, lambda m, x, y: config.set_num_threads(-1), ValueError,
     "number of threads must be an integer >= 0", "got -1")
