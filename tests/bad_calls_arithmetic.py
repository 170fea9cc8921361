"""Bad calls: layers of arithmetic, einsum, initializers and regularizers."""

# fmt: off
import numpy as np

from brisknet import initializers, layers, ops, random, regularizers
from tests.bad_calls import binary, case


def asked(fn):
    """A call that has nothing to do with the model."""
    return lambda m, x, y: fn()


ONES = np.ones((4, 3), "float32")

# ---- noise ---------------------------------------------------------------------------------------------------------
case("noise-stddev", binary, asked(lambda: layers.GaussianNoise(1.5)), ValueError,
     "GaussianNoise: stddev must be a number in [0, 1]", "got 1.5")
case("gaussian-dropout-rate", binary, asked(lambda: layers.GaussianDropout(-0.1)), ValueError,
     "GaussianDropout: rate must be a number in [0, 1]", "got -0.1")
case("gaussian-dropout-all", binary, asked(lambda: layers.GaussianDropout(1.0, name="g")(ONES, training=True)), ValueError,
     "GaussianDropout 'g': rate must be below 1 for training")
case("alpha-dropout-all", binary, asked(lambda: layers.AlphaDropout(1.0, name="g")(ONES, training=True)), ValueError,
     "AlphaDropout 'g': rate must be below 1 for training")
case("noise-shape-word", binary, asked(lambda: layers.Dropout(0.5, noise_shape="all")), ValueError,
     "Dropout: noise_shape must be a tuple of sizes", "got 'all'")
case("noise-shape-zero", binary, asked(lambda: layers.AlphaDropout(0.5, noise_shape=(None, 0))), ValueError,
     "every size of noise_shape must be a positive integer or None", "got (None, 0)")
case("noise-shape-rank", binary, asked(lambda: layers.Dropout(0.5, (1,), name="d")(ONES, training=True)), ValueError,
     "Dropout 'd': noise_shape must have a 1, None or the input's size for each axis of (4, 3)", "got (1,)")
case("noise-seed", binary, asked(lambda: layers.GaussianNoise(0.5, seed="x")), ValueError,
     "seed must be an integer, a SeedGenerator or None", "got 'x'")
case("activity-factor", binary, asked(lambda: layers.ActivityRegularization(l1=-1)), ValueError,
     "l1 must be a finite number >= 0", "got -1")

# ---- merging -------------------------------------------------------------------------------------------------------
case("subtract-three", binary, asked(lambda: layers.Subtract(name="s")([ONES] * 3)), ValueError,
     "Subtract 's': exactly 2 inputs expected", "got 3")
case("maximum-single", binary, asked(lambda: layers.Maximum(name="s")(ONES)), ValueError,
     "Maximum 's': a list of inputs expected", "got (4, 3)")
case("multiply-shapes", binary, asked(lambda: layers.Multiply(name="s")([ONES, np.ones((4, 2))])), ValueError,
     "layer 's': inputs of shapes (4, 3) and (4, 2) can't be merged")
case("average-batch", binary, asked(lambda: layers.Average(name="s")([ONES, np.ones((5, 3))])), ValueError,
     "Average 's': inputs of one batch size expected")
case("dot-axes-word", binary, asked(lambda: layers.Dot("last")), TypeError,
     "Dot: axes must be an integer or two integers", "got 'last'")
case("dot-axes-three", binary, asked(lambda: layers.Dot((1, 2, 3))), ValueError,
     "Dot: axes must be an integer or two integers", "got (1, 2, 3)")
case("dot-batch-axis", binary, asked(lambda: layers.Dot(0)), ValueError,
     "Dot: axes can't name the batch axis 0", "got 0")
case("dot-sizes", binary, asked(lambda: layers.Dot(1, name="s")([ONES, np.ones((4, 2))])), ValueError,
     "Dot 's': axes of one size expected, got 3 and 2")
case("dot-axis-range", binary, asked(lambda: layers.Dot(2, name="s")([ONES, ONES])), ValueError,
     "Dot 's': axis 2 is no axis behind the batch of an input of shape (4, 3)")

# ---- normalisation -------------------------------------------------------------------------------------------------
case("layer-norm-axis-word", binary, asked(lambda: layers.LayerNormalization(axis="last")), TypeError,
     "LayerNormalization: axis must be an integer or a list of integers", "got 'last'")
case("layer-norm-axis-range", binary, asked(lambda: layers.LayerNormalization(axis=2, name="n")(ONES)), ValueError,
     "LayerNormalization 'n': axis 2 is out of range for input (4, 3)")
case("layer-norm-axis-twice", binary, asked(lambda: layers.LayerNormalization(axis=[1, -1], name="n")(ONES)), ValueError,
     "axis names one axis of input (4, 3) twice", "got [1, -1]")
case("layer-norm-open", binary, asked(lambda: layers.LayerNormalization(name="n")(layers.Input((None,)))), ValueError,
     "LayerNormalization 'n': axis -1 of (None, None) must have a known size")
case("layer-norm-epsilon", binary, asked(lambda: layers.LayerNormalization(epsilon=-1)), ValueError,
     "LayerNormalization: epsilon must be a number >= 0", "got -1")
case("group-norm-groups", binary, asked(lambda: layers.GroupNormalization(0)), ValueError,
     "GroupNormalization: groups must be a positive integer, or -1 for one a channel", "got 0")
case("group-norm-divisor", binary, asked(lambda: layers.GroupNormalization(2, name="n")(ONES)), ValueError,
     "GroupNormalization 'n': groups must divide the number of channels (3 on axis -1)", "got 2")
case("group-norm-batch-axis", binary, asked(lambda: layers.GroupNormalization(2, axis=0, name="n")(ONES)), ValueError,
     "GroupNormalization 'n': axis 0 holds the batch")
case("unit-norm-axis", binary, asked(lambda: layers.UnitNormalization(3, name="n")(ONES)), ValueError,
     "UnitNormalization 'n': axis 3 is out of range for input (4, 3)")
case("rms-norm-axis", binary, asked(lambda: layers.RMSNormalization(axis=[0.5])), TypeError,
     "RMSNormalization: axis must be an integer or a list of integers", "got [0.5]")
case("spectral-no-layer", binary, asked(lambda: layers.SpectralNormalization("dense")), ValueError,
     "SpectralNormalization: layer must be a Layer", "got 'dense'")
case("spectral-no-kernel", binary, asked(lambda: layers.SpectralNormalization(layers.Flatten(name="f"))(ONES)), ValueError,
     "SpectralNormalization: the layer needs a kernel or embeddings, Flatten 'f' has none")
case("spectral-iterations", binary, asked(lambda: layers.SpectralNormalization(layers.Dense(2), 0)), ValueError,
     "SpectralNormalization: power_iterations must be a positive integer", "got 0")
case("normalize-order", binary, asked(lambda: ops.normalize(ONES, order=0)), ValueError,
     "normalize: order must be an integer >= 1", "got 0")
case("layer-normalization-gamma", binary, asked(lambda: ops.layer_normalization(ONES, gamma=np.ones(4, "float32"))), ValueError,
     "gamma needs 3 values", "got (4,)")

# ---- the rest ------------------------------------------------------------------------------------------------------
case("permute-dims", binary, asked(lambda: layers.Permute((1, 3))), ValueError,
     "Permute: dims must hold every axis from 1 to its length once", "got (1, 3)")
case("permute-rank", binary, asked(lambda: layers.Permute((2, 1), name="p")(ONES)), ValueError,
     "layer 'p': input of rank 3 expected", "got shape (4, 3)")
case("repeat-float", binary, asked(lambda: layers.RepeatVector(2.5)), TypeError,
     "RepeatVector: n must be an integer", "got 2.5")
case("repeat-zero", binary, asked(lambda: layers.RepeatVector(0)), ValueError,
     "RepeatVector: n must be a positive integer", "got 0")
case("repeat-rank", binary, asked(lambda: layers.RepeatVector(2, name="r")(np.ones((2, 3, 4)))), ValueError,
     "layer 'r': input of rank 2 expected", "got shape (2, 3, 4)")
case("rescaling-word", binary, asked(lambda: layers.Rescaling("1/255")), ValueError,
     "Rescaling: scale must be a finite number or an array of them", "got '1/255'")
case("lambda-no-function", binary, asked(lambda: layers.Lambda(3)), TypeError,
     "Lambda: function must be callable", "got 3")
case("lambda-arguments", binary, asked(lambda: layers.Lambda(abs, arguments=[1])), TypeError,
     "Lambda: arguments must be a dict of keyword arguments", "got [1]")
case("lambda-output-shape", binary, asked(lambda: layers.Lambda(abs, output_shape="same")), TypeError,
     "Lambda: output_shape must be a tuple of sizes or a function", "got 'same'")
case("einsum-equation", binary, asked(lambda: layers.EinsumDense("ab->ac", 3)), ValueError,
     "EinsumDense: equation must look like 'ab,bc->ac'", "got 'ab->ac'")
case("einsum-output-letter", binary, asked(lambda: layers.EinsumDense("ab,bc->az", 3)), ValueError,
     "EinsumDense: axis 'z' of the output of 'ab,bc->az' is in no operand")
case("einsum-bias-axes", binary, asked(lambda: layers.EinsumDense("ab,bc->ac", 3, bias_axes="b")), ValueError,
     "EinsumDense: bias_axes must be letters of the output 'ac'", "got 'b'")
case("einsum-output-shape", binary, asked(lambda: layers.EinsumDense("ab,bc->ac", (3, 4), name="e")(ONES)), ValueError,
     "EinsumDense 'e': output_shape must have a size for each axis of the output 'ac' but the batch", "got (3, 4)")
case("einsum-size", binary, asked(lambda: layers.EinsumDense("ab,b->ab", 7, name="e")(ONES)), ValueError,
     "EinsumDense 'e': axis 'b' of 'ab,b->ab' is 3 in the input and 7 in output_shape")
case("einsum-lora", binary, asked(lambda: layers.EinsumDense("ab,bc->ac", 3, lora_rank=2)), ValueError,
     "EinsumDense: lora_rank=2 is not supported")
case("ops-einsum-size", binary, asked(lambda: ops.einsum("ij,jk->ik", ONES, ONES)), ValueError,
     "einsum: 'ij,jk->ik' gives axis 'j' the sizes 3 and 4")
case("ops-einsum-argument", binary, asked(lambda: ops.einsum("ij->i", ONES, axis=1)), TypeError,
     "einsum: unknown argument 'axis'")
case("input-spec-axes", binary, asked(lambda: layers.InputSpec(axes=[1])), TypeError,
     "InputSpec: axes must be a dict of axes and sizes", "got [1]")
case("layer-dtype-mixed", binary, asked(lambda: layers.Dense(3, dtype="mixed_float16")), ValueError,
     "got 'mixed_float16'", "layers compute in float32 on the CPU")
case("add-weight-name-first", binary, lambda m, x, y: m.layers[0].add_weight("kernel", (2, 3)), ValueError,
     "add_weight() takes the shape first and the name by keyword", "got the string 'kernel' as shape")
case("add-weight-open", binary, lambda m, x, y: m.layers[0].add_weight((None, 3), name="w"), ValueError,
     "weight 'w' needs a full shape of sizes >= 0", "got (None, 3)")
case("add-weight-initializer-shape", binary,
     lambda m, x, y: m.layers[0].add_weight((2,), lambda shape, dtype: np.ones(3), name="w"), ValueError,
     "the initializer of weight 'w' must give an array of shape (2,)", "got one of shape (3,)")

# ---- initializers and regularizers ---------------------------------------------------------------------------------
case("orthogonal-mode", binary, asked(lambda: regularizers.OrthogonalRegularizer(mode="both")), ValueError,
     'OrthogonalRegularizer: mode must be "rows" or "columns"', "got 'both'")
case("orthogonal-factor", binary, asked(lambda: regularizers.OrthogonalRegularizer(factor=-1.0)), ValueError,
     "factor must be a finite number >= 0", "got -1.0")
case("orthogonal-vector", binary, asked(lambda: regularizers.OrthogonalRegularizer()(np.ones(3, "float32"))), ValueError,
     "OrthogonalRegularizer: a matrix expected", "got a weight of shape (3,)")
case("seed-generator-seed", binary, asked(lambda: random.SeedGenerator(1.5)), ValueError,
     "SeedGenerator: seed must be an integer or None", "got 1.5")
case("initializer-config", binary, asked(lambda: initializers.get({"name": "zeros"})), ValueError,
     'initializer: a dict with "class_name" and "config" expected', "got {'name': 'zeros'}")
case("renorm-clipping", binary, asked(lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"max": 2})), ValueError,
     "BatchNormalization: renorm_clipping knows 'rmax', 'rmin' and 'dmax'", "got 'max'")
case("renorm-limits", binary,
     asked(lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 0.5, "rmin": 1.0})), ValueError,
     "rmax >= rmin expected in renorm_clipping", "got rmax=0.5, rmin=1.0")
