"""Second-order gradients: the penalty on a critic's slopes, and its gradient for every weight, against PyTorch."""

import numpy as np
import pytest

import brisknet
from brisknet import GradientTape, layers, ops
from brisknet.models import Model, Sequential
from brisknet.ops.attention import attention
from tests.golden.compare import Golden, close, mode  # noqa: F401
from tests.golden.penalty_cases import CRITICS, EPSILON, SLOPE, WEIGHT, drawn

GOLDEN = Golden("torch_penalty")
RTOL = {"float64": 1e-12, "float32": 2e-5}


def leaky():
    return layers.LeakyReLU(negative_slope=SLOPE)


def norm():
    return layers.LayerNormalization(epsilon=EPSILON)


def attentive():
    x = layers.Input((5, 4))
    y = layers.MultiHeadAttention(2, 3)(x, x)
    return Model(x, layers.Dense(1)(layers.Flatten()(norm()(layers.Add()([x, y])))))


MADE = {
    "dense": lambda: Sequential([
        layers.Input((6,)), layers.Dense(8), norm(), leaky(), layers.Dense(7), leaky(), layers.Dense(1),
    ]),
    "conv": lambda: Sequential([
        layers.Input((8, 7, 2)), layers.Conv2D(4, 3, 2, "same"), leaky(), layers.Conv2D(5, 3, 2, "same"), norm(), leaky(),
        layers.Flatten(), layers.Dense(1),
    ]),
    "pooling": lambda: Sequential([
        layers.Input((4, 4, 2)), layers.Conv2DTranspose(3, 3, 2, "same"), leaky(), layers.MaxPooling2D(),
        layers.Conv2D(4, 3, 1, "same", activation="tanh"), layers.AveragePooling2D(2), layers.Flatten(), layers.Dense(1),
    ]),
    "attention": attentive,
}  # fmt: skip


def penalised(critic, x):
    """(slopes, loss, gradients of the loss with respect to x and the weights)."""
    with GradientTape() as outer:
        x = outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            scores = critic(x, training=True)
        slopes = inner.gradient(scores, x)
        lengths = ops.sqrt(ops.sum(ops.square(slopes), axis=tuple(range(1, len(x.shape)))))
        loss = ops.mean(scores) + WEIGHT * ops.mean(ops.square(lengths - 1.0))
    dx, *dw = outer.gradient(loss, [x, *critic.trainable_weights], unconnected_gradients="zero")
    return slopes, loss, dx, dw


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "eager"])
@pytest.mark.parametrize("name", CRITICS)
def test_gradient_penalty_and_all_its_gradients_are_pytorchs(name, compiled, mode):  # noqa: F811
    x, weights = drawn(name)
    critic = MADE[name]()
    assert [w.shape for w in critic.trainable_weights] == [w.shape for w in weights]
    critic.set_weights(weights)
    step = brisknet.function(lambda x: penalised(critic, x)) if compiled else lambda x: penalised(critic, x)
    slopes, loss, dx, dw = step(x.astype(mode[1]))
    close(slopes, GOLDEN[f"{name}/slopes"], RTOL[mode[1]], "slopes")
    close(loss, GOLDEN[f"{name}/loss"], RTOL[mode[1]], "loss")
    close(dx, GOLDEN[f"{name}/dx"], RTOL[mode[1]], "dx")
    for i, g in enumerate(dw):
        want, path = GOLDEN[f"{name}/d{i}"], critic.trainable_weights[i].path
        if path.endswith("key/bias"):  # softmax does not see it
            assert np.abs(g).max() <= RTOL[mode[1]]
        else:
            close(g, want, RTOL[mode[1]], path)


def masked_slopes(q, k, v, mask, causal):
    """The squared slopes of attention, and their gradients: of second order for all that is given."""
    with GradientTape() as outer:
        q, k, v = outer.watch([q, k, v])
        with GradientTape() as inner:
            inner.watch([q, k, v])
            y = ops.sum(ops.square(attention(q, k, v, mask, causal)[0]))
        loss = sum(ops.sum(ops.square(g)) for g in inner.gradient(y, [q, k, v]))
    return outer.gradient(loss, [q, k, v])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shape", [None, (2, 1, 1, 7), (1, 4, 6, 7)], ids=["all", "padding", "each"])
def test_second_order_of_masked_attention_with_shared_heads(shape, causal, backend):
    draw = np.random.default_rng(3)
    arrays = [draw.normal(size=s) for s in ((2, 6, 4, 5), (2, 7, 2, 5), (2, 7, 2, 3))]
    mask = None if shape is None else draw.random(shape) < 0.7
    fn = brisknet.function(lambda *a: masked_slopes(*a, mask, causal))
    got = fn(*[a.astype("float32") for a in arrays])
    for g, want in zip(got, masked_slopes(*arrays, mask, causal), strict=True):
        close(g, want, 2e-5)
