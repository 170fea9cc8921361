"""GradientTape: eagerly and in traced steps, against closed forms, finite differences and other frameworks' values."""

import json
import pathlib

import numpy as np
import pytest

import brisknet
from brisknet import GradientTape, Variable, layers, losses, ops
from tests.golden.autograd_cases import critic_weights

GOLDEN = json.loads((pathlib.Path(__file__).parent / "golden" / "autograd.json").read_text())


def model_and_data(rows=6):
    model = brisknet.Sequential([layers.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(2)])
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(rows, 4)), rng.normal(size=(rows, 2))


def test_variables_are_watched_and_structures_come_back():
    a, b, frozen = Variable(3.0), Variable([1.0, 2.0]), Variable(4.0, trainable=False)
    with GradientTape() as tape:
        y = a * a * frozen + ops.sum(b * a)
    grads = tape.gradient(y, {"a": a, "rest": [b, frozen]})
    assert np.allclose(grads["a"], 2 * 3 * 4 + 3) and np.allclose(grads["rest"][0], [3, 3])
    assert grads["rest"][1] is None and all(isinstance(g, np.ndarray) for g in (grads["a"], grads["rest"][0]))
    assert tape.watched_variables() == () and float(y) == 45.0


def test_arrays_are_watched_by_identity_and_as_tensors():
    x = np.array([1.0, 2.0, 3.0], "float32")
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.square(x))
    assert np.allclose(tape.gradient(y, x), 2 * x)
    with GradientTape() as tape:
        t = tape.watch(x)
        y = np.sum(np.tanh(t) * (2.0 * x.copy()))
    got = tape.gradient(y, t)
    assert got.dtype == np.float32 and np.allclose(got, (1 - np.tanh(x) ** 2) * 2 * x, atol=1e-6)


def test_several_targets_seeds_and_unconnected_ones():
    v, w = Variable([1.0, 2.0]), Variable(5.0)
    with GradientTape(persistent=True) as tape:
        y, z = v * v, ops.sum(v) * 3.0
    assert np.allclose(tape.gradient([y, z], v), 2 * v.numpy() + 3)
    assert np.allclose(tape.gradient(y, v, output_gradients=np.array([1.0, 10.0])), [2, 40])
    assert tape.gradient(y, w) is None
    assert np.array_equal(tape.gradient(y, [v, w], unconnected_gradients="zero")[1], np.zeros(()))
    assert np.allclose(tape.jacobian(y, v), np.diag(2 * v.numpy()))


def test_persistent_or_once():
    v = Variable(2.0)
    with GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)
    with GradientTape(persistent=True) as tape:
        y = v * v
        z = y * y
    assert [float(tape.gradient(t, v)) for t in (y, z, y)] == [4.0, 32.0, 4.0]


def test_second_order_through_nested_tapes():
    x = np.array(3.0)
    with GradientTape() as outer:
        outer_x = outer.watch(x)
        with GradientTape() as inner:
            inner.watch(outer_x)
            y = outer_x**3
        first = inner.gradient(y, outer_x)
    assert float(first) == 27.0 and float(outer.gradient(first, outer_x)) == 18.0


def test_what_tapes_are_told_to_leave_out():
    v, w = Variable(2.0), Variable(3.0)
    with GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(v)
        y = v * w
        with tape.stop_recording():
            z = v * v
        u = ops.stop_gradient(y) * v
    assert float(tape.gradient(y, v)) == 3.0 and tape.gradient(y, w) is None and float(tape.gradient(u, v)) == 6.0
    with pytest.raises(ValueError, match="outside the tape's block"):
        tape.gradient(z, v)
    with GradientTape() as tape:
        y = v * v
        tape.reset()
        y = v * 5.0
    assert float(tape.gradient(y, v)) == 5.0


def test_assignments_take_effect_at_the_end_and_gradients_see_what_was_read():
    v = Variable(2.0)
    with GradientTape() as tape:
        y = v * v
        v.assign(10.0)
        z = y * v
    assert float(v) == 10.0 and float(tape.gradient(z, v)) == 2 * 2 * 10 + 4  # both readings are leaves
    with GradientTape() as tape:
        y = v * v
    v.assign(-1.0)
    assert float(tape.gradient(y, v)) == 20.0
    with pytest.raises(ZeroDivisionError), GradientTape():
        v.assign(5.0)
        1 / 0  # noqa: B018
    assert float(v) == -1.0, "a block that fails changes nothing"


def test_a_loop_of_ones_own_learns_and_equals_fit(backend):
    model, x, y = model_and_data()
    twin = brisknet.models.clone_model(model)
    twin.set_weights(model.get_weights())
    twin.compile(brisknet.optimizers.SGD(0.1), "mse")
    fitted = [twin.train_on_batch(x, y) for _ in range(4)]
    model(x)  # the compiled call must not be taken for the one on the tape
    loss_fn, optimizer, seen = losses.MeanSquaredError(), brisknet.optimizers.SGD(0.1), []
    for _ in range(4):
        with GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        seen.append(float(loss))
    assert np.allclose(seen, fitted, rtol=1e-5) and seen[-1] < seen[0]
    with GradientTape() as tape:
        loss = loss_fn(y, model(x))
    assert all(g is not None and np.abs(g).max() > 0 for g in tape.gradient(loss, model.trainable_weights))


def test_jacobians():
    v = Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        y = ops.stack([v[0] * v[1], v[2] ** 2])
    assert np.allclose(tape.jacobian(y, v), [[2, 1, 0], [0, 0, 6]])
    x = np.arange(6.0).reshape(3, 2)
    with GradientTape() as tape:
        t = tape.watch(x)
        y = ops.stack([t[:, 0] * t[:, 1], t[:, 0] ** 2, ops.sum(t, axis=1)], axis=1)
    expected = np.stack([np.array([[b, a], [2 * a, 0], [1, 1]]) for a, b in x])
    assert np.allclose(tape.batch_jacobian(y, t), expected)


def penalty(weights, x):
    """The gradient penalty of a critic, and its gradients with respect to the weights."""
    w1, b1, w2, b2 = weights
    with GradientTape() as outer:
        with GradientTape() as inner:
            x = inner.watch(x)
            score = ops.matmul(ops.leaky_relu(ops.matmul(x, w1) + b1, 0.2), w2) + b2
        grads = inner.gradient(score, x)
        norm = ops.sqrt(ops.sum(ops.square(grads), axis=1) + 1e-12)
        loss = ops.mean(ops.square(norm - 1.0))
    return loss, outer.gradient(loss, weights, unconnected_gradients="zero")


def test_gradient_penalty_is_tensorflows(backend):
    *weights, x = critic_weights()
    weights = [Variable(w) for w in weights]
    compiled = brisknet.function(lambda x: penalty(weights, x))
    for loss, grads in (penalty(weights, x), compiled(x)):
        assert np.isclose(float(loss), GOLDEN["penalty"]["loss"], rtol=1e-5)
        for g, expected in zip(grads, GOLDEN["penalty"]["grads"], strict=True):
            assert np.allclose(g, expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("make", [
    lambda: [layers.Conv2D(3, 3, padding="same", activation="tanh"), layers.Flatten(), layers.Dense(1)],
    lambda: [layers.Conv2DTranspose(2, 3, strides=2), layers.LayerNormalization(), layers.Activation("tanh")],
    lambda: [layers.GroupNormalization(1), layers.Activation("tanh"), layers.RMSNormalization(), layers.Activation("tanh")],
    lambda: [layers.BatchNormalization(), layers.Activation("tanh")],
], ids=["conv", "transposed_conv_and_norm", "norms", "batch_norm"])  # fmt: skip
def test_second_order_gradients_of_layers_are_finite_differences(make):
    model = brisknet.Sequential([layers.Input((4, 4, 2)), *make()])

    def slope(x):
        with GradientTape() as tape:
            x = tape.watch(x)
            y = ops.sum(ops.square(model(x, training=True)))
        return ops.sum(ops.square(tape.gradient(y, x)))

    assert brisknet.gradcheck(slope, np.random.default_rng(3).normal(size=(1, 4, 4, 2)))


def test_a_traced_step_needs_its_own_tape(backend):
    kept = {}

    @brisknet.function
    def step(x):
        with GradientTape() as tape:
            x = tape.watch(x)
            kept["y"], kept["tape"] = ops.sum(x * x), tape
        return kept["y"]

    assert float(step(np.ones(3, "float32"))) == 3.0
    with pytest.raises(RuntimeError, match="within the traced step"):
        kept["tape"].gradient(kept["y"], kept["y"])


# ---- bad calls ------------------------------------------------------------------------------------------------------------
def taped(body, **kwargs):
    """Runs body(tape, x, v) within a tape, then calls what it gives."""
    tape, v = GradientTape(**kwargs), Variable([1.0, 2.0])
    with tape:
        x = tape.watch(np.array([1.0, 2.0]))
        after = body(tape, x, v)
    return after()


BAD = {
    "plain target": (lambda t, x, v: lambda: t.gradient(np.ones(2), v), ValueError, "is not on the tape"),
    "number target": (lambda t, x, v: lambda: t.gradient(3.0, v), ValueError, "target, 3.0"),
    "plain source": (lambda t, x, v: (lambda y: lambda: t.gradient(y, np.ones(2)))(x * x), ValueError, "x = tape.watch(x)"),
    "number source": (lambda t, x, v: (lambda y: lambda: t.gradient(y, 3.0))(x * x), TypeError, "variables, tensors or arrays"),
    "int target": (lambda t, x, v: (lambda y: lambda: t.gradient(y, x))(ops.argmax(x)), TypeError, "int32"),
    "int watched": (lambda t, x, v: lambda: None if t.watch(np.arange(3)) else None, TypeError, "watch: gradients are of floats"),
    "through a step": (lambda t, x, v: (lambda y: lambda: t.gradient(y, x))(ops.step(x)), ValueError, "sigmoid or tanh"),
    "through a comparison": (
        lambda t, x, v: (lambda y: lambda: t.gradient(y, x))(ops.cast(ops.greater(x, 0.0), "float32")), ValueError, "greater"
    ),
    "through argmax": (
        lambda t, x, v: (lambda y: lambda: t.gradient(y, v))(ops.cast(ops.argmax(v), "float32") * 2.0), ValueError, "'argmax'"
    ),
    "seed of another shape": (
        lambda t, x, v: (lambda y: lambda: t.gradient(y, x, output_gradients=np.ones(3)))(x * x), ValueError, "shape (2,)"
    ),
    "several seeds": (
        lambda t, x, v: (lambda y: lambda: t.gradient(y, x, output_gradients=[x, x]))(x * x), ValueError, "1 output_gradients"
    ),
    "unconnected": (
        lambda t, x, v: (lambda y: lambda: t.gradient(y, x, unconnected_gradients="nan"))(x * x), ValueError, '"none" or "zero"'
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_calls(name):
    body, error, message = BAD[name]
    with pytest.raises(error) as caught:
        if name == "int watched":
            with GradientTape() as tape:
                tape.watch(np.arange(3))
        taped(body)
    assert message in str(caught.value)


def test_bad_use_of_the_block():
    with pytest.raises(ValueError, match="nothing was recorded"):
        GradientTape().gradient(np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="within the tape's block"):
        GradientTape().watch(np.ones(2))
    with GradientTape() as tape, pytest.raises(ValueError, match="recording already"):
        tape.__enter__()
    x = np.array([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.square(x))
        x += 1
    with pytest.raises(ValueError, match="changed in place"):
        tape.gradient(y, x)


def test_tensors_of_a_tape_are_arrays_afterwards():
    v = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = v * 2.0
    tape.gradient(y, v)
    assert np.allclose(ops.sum(y) + 1.0, 7.0) and np.allclose(np.asarray(y * v), [2, 8])
    with GradientTape() as tape:  # a constant for the next one
        z = ops.sum(y * v)
    assert np.allclose(tape.gradient(z, v), [2, 4])


def test_variables_without_a_gradient_are_named_and_stay():
    used, unused = brisknet.Variable(np.ones(2), name="used"), brisknet.Variable(np.ones(3), name="unused")
    with GradientTape() as tape:
        loss = ops.sum(used * used)
    with pytest.warns(UserWarning, match="does not depend on the variables .*unused.*trainable = False"):
        brisknet.optimizers.SGD(0.1).apply(tape.gradient(loss, [used, unused]), [used, unused])
    assert np.allclose(used.numpy(), 0.8) and np.array_equal(unused.numpy(), np.ones(3))
