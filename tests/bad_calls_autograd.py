"""Bad calls of tapes, compiled functions and host calls around a model: the model is as it was, and trains on."""

import numpy as np

import brisknet
from brisknet import GradientTape, ops
from brisknet.layers import Dense, Input, Lambda
from brisknet.models import Sequential
from tests.bad_calls import case, regression


def on_tape(ask, target=lambda model, x: ops.sum(model(x))):
    """A call that computes a target on a tape, then asks the tape."""

    def call(model, x, y):
        with GradientTape() as tape:
            value = target(model, x)
        return ask(tape, value, model, x)

    return call


case("tape_source_not_watched", regression, on_tape(lambda t, v, m, x: t.gradient(v, x)), ValueError, "tape.watch(x)", "(12, 4)")
case("tape_target_an_array", regression, on_tape(lambda t, v, m, x: t.gradient(m.predict(x, verbose=0), m.trainable_weights)),
     ValueError, "target", "not on the tape")
case("tape_target_of_ints", regression, on_tape(lambda t, v, m, x: t.gradient(v, m.trainable_weights),
     lambda m, x: ops.argmax(m(x), axis=-1)), TypeError, "int32", "astype")
case("tape_through_argmax", regression, on_tape(lambda t, v, m, x: t.gradient(v, m.trainable_weights),
     lambda m, x: ops.sum(ops.cast(ops.argmax(m(x), axis=-1), "float32"))), ValueError, "argmax", "smooth")
case("tape_through_a_step", regression, on_tape(lambda t, v, m, x: t.gradient(v, m.trainable_weights),
     lambda m, x: ops.sum(ops.step(m(x)))), ValueError, "step", "sigmoid")
case("tape_twice", regression, on_tape(lambda t, v, m, x: [t.gradient(v, m.trainable_weights) for _ in range(2)]),
     RuntimeError, "persistent=True")
case("apply_of_too_few_gradients", regression, on_tape(
     lambda t, v, m, x: m.optimizer.apply(t.gradient(v, m.trainable_weights)[:1], m.trainable_weights)),
     ValueError, "1 gradients for 2 variables")  # fmt: skip
case("apply_of_gradients_in_another_order", regression, on_tape(
     lambda t, v, m, x: m.optimizer.apply(t.gradient(v, m.trainable_weights)[::-1], m.trainable_weights)),
     ValueError, "kernel", "expected")  # fmt: skip
case("apply_without_any_gradient", regression, lambda m, x, y: m.optimizer.apply([None, None], m.trainable_weights),
     ValueError, "no gradient for any variable")
case("function_that_decides_by_values", regression,
     lambda m, x, y: brisknet.function(lambda x: m(x) if ops.sum(m(x)) > 0 else x)(x),
     TypeError, "can't be compiled", "ops.where", "run_eagerly = True")
case("grad_of_a_vector", regression, lambda m, x, y: brisknet.grad(lambda x: m(x))(x), TypeError, "shape (12, 2)", "ops.sum")
case("grad_of_ints", regression, lambda m, x, y: brisknet.grad(lambda x: ops.sum(m(x)))(np.ones((12, 4), int)),
     TypeError, "argument 0", "int32")
case("gradcheck_of_words", regression, lambda m, x, y: brisknet.gradcheck("model", x), TypeError, "a model, a layer or a function")


def with_host_call(fn, **options):
    model = Sequential([Input((4,)), Dense(2), Lambda(lambda x: ops.host_call(fn, x, **options))])
    model.compile("sgd", "mse")
    return model


case("host_call_without_a_gradient", regression, lambda m, x, y: with_host_call(np.tanh).fit(x, y, verbose=0),
     ValueError, "tanh", "gradient=function")
case("host_call_of_another_shape", regression, lambda m, x, y: with_host_call(np.sum).predict(x, verbose=0),
     ValueError, "(12, 2)", "got ()")
