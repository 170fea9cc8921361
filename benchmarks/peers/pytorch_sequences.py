"""The layers of sequences.py in PyTorch, each made from Keras' weights; pytorch_nets.Builder inherits how."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.workloads.sequences import EPSILON


class Turned(nn.Embedding):
    """[rows, steps] of tokens -> [steps, rows, width], the order in which a recurrent layer goes through them."""

    def forward(self, ids):
        return super().forward(ids.t())


class Positions(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table = nn.Parameter(table)

    def forward(self, x):
        return x + self.table


class Last(nn.Module):
    """The last state of a recurrent layer."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        _, state = self.layer(x)
        return (state[0] if isinstance(state, tuple) else state)[0]


class Add(nn.Module):
    def __init__(self, main):
        super().__init__()
        self.main = nn.Sequential(*main)

    def forward(self, x):
        return x + self.main(x)


class Attention(nn.Module):
    """Causal self-attention: one product for queries, keys and values."""

    def __init__(self, heads, qkv, out):
        super().__init__()
        self.heads, self.qkv, self.out = heads, qkv, out

    def forward(self, x):
        b, t, width = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(b, t, width))


class SequenceBuilder:
    """One method a kind of layer: (layer, shape before it) -> modules."""

    time_major = False

    def embedding(self, layer, shape):
        kind = Turned if self.time_major else nn.Embedding
        return [self.filled(kind(layer["vocabulary"], layer["n"]), next(self.weights), None)]

    def positions(self, layer, shape):
        return [Positions(torch.from_numpy(next(self.weights)))]

    def layernorm(self, layer, shape):
        return [self.filled(nn.LayerNorm(shape[-1], eps=EPSILON), next(self.weights), next(self.weights))]

    def add(self, layer, shape):
        return [Add(self.chain(layer["main"], shape))]

    def attention(self, layer, shape):
        w, width = [next(self.weights) for _ in range(8)], shape[-1]
        kernel, bias = np.concatenate([k.reshape(width, width) for k in w[:6:2]], axis=1), np.concatenate([b.ravel() for b in w[1:6:2]])
        qkv = self.filled(nn.Linear(width, 3 * width), kernel.T, bias)
        return [Attention(layer["heads"], qkv, self.filled(nn.Linear(width, width), w[6].reshape(width, width).T, w[7]))]

    def recurrent(self, kind, layer, shape, gates):
        """`gates`: for each of PyTorch's gates Keras' number of it. Where Keras has one bias, PyTorch's second stays zero."""
        kernel, recurrent, bias = (next(self.weights) for _ in range(3))
        order = np.concatenate([np.arange(layer["n"]) + g * layer["n"] for g in gates])
        module = kind(shape[-1], layer["n"], batch_first=not self.time_major)
        biases = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
        with torch.no_grad():
            for p, w in zip(module.parameters(), (kernel.T, recurrent.T, *biases), strict=True):
                p.copy_(torch.from_numpy(w[order]))
        if bias.ndim == 1:
            module.bias_hh_l0.requires_grad_(False)
        return [Last(module)]

    def lstm(self, layer, shape):
        return self.recurrent(nn.LSTM, layer, shape, (0, 1, 2, 3))

    def gru(self, layer, shape):
        return self.recurrent(nn.GRU, layer, shape, (1, 0, 2))

    def rnn(self, layer, shape):
        return self.recurrent(nn.RNN, layer, shape, (0,))
