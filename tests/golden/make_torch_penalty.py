"""Makes torch_penalty.npz with PyTorch: `python -m tests.golden.make_torch_penalty`. Differentiated twice, in float64."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from tests.golden.compare import HERE
from tests.golden.penalty_cases import CRITICS, EPSILON, SLOPE, WEIGHT, drawn


def leaky(x):
    return F.leaky_relu(x, SLOPE)


def norm(x, gamma, beta):
    return F.layer_norm(x, x.shape[-1:], gamma, beta, EPSILON)


def conv(x, w, b, stride, padding):
    """Channels last, as Keras pads: `padding` is (left, right, top, bottom)."""
    y = F.conv2d(F.pad(x.permute(0, 3, 1, 2), padding), w.permute(3, 2, 0, 1), b, stride)
    return y.permute(0, 2, 3, 1)


def dense(x, w1, b1, gamma, beta, w2, b2, w3, b3):
    return leaky(leaky(norm(x @ w1 + b1, gamma, beta)) @ w2 + b2) @ w3 + b3


def convolutional(x, w1, b1, w2, b2, gamma, beta, w3, b3):
    h = leaky(conv(x, w1, b1, 2, (1, 1, 0, 1)))  # 8x7 to 4x4
    h = leaky(norm(conv(h, w2, b2, 2, (0, 1, 0, 1)), gamma, beta))  # to 2x2
    return h.flatten(1) @ w3 + b3


def pooling(x, w1, b1, w2, b2, w3, b3):
    h = F.conv_transpose2d(x.permute(0, 3, 1, 2), w1.permute(3, 2, 0, 1), b1, 2)  # 4x4 to 9x9
    h = F.max_pool2d(leaky(h[:, :, :8, :8]), 2)  # "same" keeps 8x8
    h = torch.tanh(conv(h.permute(0, 2, 3, 1), w2, b2, 1, (1, 1, 1, 1)))
    return F.avg_pool2d(h.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1).flatten(1) @ w3 + b3


def attention(x, wq, bq, wk, bk, wv, bv, wo, bo, gamma, beta, w, b):
    q, k, v = (torch.einsum("btc,chd->bthd", x, a) + c for a, c in ((wq, bq), (wk, bk), (wv, bv)))
    p = torch.softmax(torch.einsum("bthd,bshd->bhts", q, k) * q.shape[-1] ** -0.5, -1)
    y = torch.einsum("bthd,hdc->btc", torch.einsum("bhts,bshd->bthd", p, v), wo) + bo
    return norm(x + y, gamma, beta).flatten(1) @ w + b


FUNCTIONS = {"dense": dense, "conv": convolutional, "pooling": pooling, "attention": attention}


def main() -> None:
    out: dict = {}
    for name in CRITICS:
        x, weights = drawn(name)
        x, *weights = (torch.tensor(v.astype("float64"), requires_grad=True) for v in (x, *weights))
        scores = FUNCTIONS[name](x, *weights)
        (slopes,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
        lengths = slopes.flatten(1).square().sum(1).sqrt()
        loss = scores.mean() + WEIGHT * (lengths - 1.0).square().mean()
        found = torch.autograd.grad(loss, [x, *weights])
        values = {"slopes": slopes, "loss": loss, "dx": found[0], **{f"d{i}": g for i, g in enumerate(found[1:])}}
        out.update({f"{name}/{k}": v.detach().numpy() for k, v in values.items()})
    np.savez_compressed(HERE / "torch_penalty.npz", **out)


if __name__ == "__main__":
    main()
