"""Generation with a cache of keys and values, and single steps of an LSTM, in eager PyTorch: see workloads/generation.py."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers.worker import Task
from benchmarks.workloads import generation


class Block(nn.Module):
    """A block whose keys and values are kept in memory made beforehand, or concatenated."""

    def __init__(self, spec, weights):
        super().__init__()
        self.heads, width = spec["heads"], spec["width"]
        self.norm1, self.qkv = _norm(width, weights), _linear(weights)
        self.out, self.norm2 = _linear(weights), _norm(width, weights)
        self.up, self.down = _linear(weights), _linear(weights)
        self.room, self.kept = (spec["context"], width // self.heads), None

    def reset(self, preallocated):
        self.kept = [torch.zeros(1, self.heads, *self.room) for _ in range(2)] if preallocated else None

    def keys_and_values(self, k, v, start, preallocated):
        end = start + k.shape[2]
        if preallocated:
            for cache, new in zip(self.kept, (k, v)):
                cache[:, :, start:end] = new
            return [cache[:, :, :end] for cache in self.kept]
        self.kept = [k, v] if self.kept is None else [torch.cat([cache, new], 2) for cache, new in zip(self.kept, (k, v))]
        return self.kept

    def forward(self, x, start, preallocated):
        t = x.shape[1]
        q, k, v = self.qkv(self.norm1(x)).view(1, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        k, v = self.keys_and_values(k, v, start, preallocated)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=t > 1)
        x = x + self.out(y.transpose(1, 2).reshape(1, t, -1))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, spec):
        super().__init__()
        weights = iter(generation.weights(spec))
        self.tokens, self.positions = (nn.Parameter(torch.from_numpy(next(weights))) for _ in range(2))
        self.blocks = nn.ModuleList(Block(spec, weights) for _ in range(spec["blocks"]))
        self.norm, self.head = _norm(spec["width"], weights), nn.Parameter(torch.from_numpy(next(weights)).T.contiguous())

    def forward(self, ids, start, preallocated):
        """Logits [vocabulary] of what follows ids [1, t], which begin at position `start`."""
        x = functional.embedding(ids, self.tokens) + self.positions[start : start + ids.shape[1]]
        for block in self.blocks:
            x = block(x, start, preallocated)
        return functional.linear(self.norm(x[0, -1]), self.head)

    @torch.inference_mode()
    def generate(self, ids, count, temperature, preallocated=True):
        for block in self.blocks:
            block.reset(preallocated)
        new, start = torch.as_tensor(ids, dtype=torch.long)[None], 0
        out = []
        for _ in range(count):
            logits = self(new, start, preallocated)
            start += new.shape[1]
            token = torch.multinomial(torch.softmax(logits / temperature, -1), 1) if temperature else logits.argmax(keepdim=True)
            new = token[None]
            out.append(token)
        return torch.cat(out)


def _norm(width, weights):
    norm = nn.LayerNorm(width, eps=generation.EPSILON)
    norm.weight.data, norm.bias.data = torch.from_numpy(next(weights)), torch.from_numpy(next(weights))
    return norm


def _linear(weights):
    kernel, bias = next(weights), next(weights)
    layer = nn.Linear(*kernel.shape)
    layer.weight.data, layer.bias.data = torch.from_numpy(kernel).T.contiguous(), torch.from_numpy(bias)
    return layer


# ---- LSTM -----------------------------------------------------------------------------------------------------------------
class Stepper:
    """One step a call, the state kept: by LSTMCell, or by LSTM on a sequence of one."""

    def __init__(self, spec, cell):
        kernel, recurrent, bias = (torch.from_numpy(w) for w in generation.weights(spec))
        sizes = spec["features"], spec["units"]
        self.cell, self.layer = cell, nn.LSTMCell(*sizes) if cell else nn.LSTM(*sizes)
        for p, w in zip(self.layer.parameters(), (kernel.T, recurrent.T, bias, torch.zeros_like(bias))):
            p.data = w.contiguous()
        self.state = None

    @torch.inference_mode()
    def __call__(self, x):
        """x [1, 1, features] -> [1, units]."""
        if self.cell:
            self.state = self.layer(x[0], self.state)
            return self.state[0]
        y, self.state = self.layer(x, self.state)
        return y[0]


# ---- what the peer is asked for ---------------------------------------------------------------------------------------------
def variants(spec: dict, compiled: bool) -> dict:
    if compiled:
        return {}
    if spec["kind"] == "generate":
        return {f"eager, {how}": lambda kept=kept: generate_task(spec, kept) for how, kept in (("cache made beforehand", True), ("torch.cat", False))}
    return {f"eager, {name}": lambda cell=cell: step_task(spec, cell) for name, cell in (("LSTMCell", True), ("LSTM", False))}


def generate_task(spec: dict, preallocated: bool) -> Task:
    model, given = GPT(spec).eval(), generation.prompt(spec)

    def run():
        model.generate(given, spec["tokens"], spec["temperature"], preallocated)

    return Task(run, spec["tokens"])


def step_task(spec: dict, cell: bool) -> Task:
    step, x, calls = Stepper(spec, cell), torch.from_numpy(generation.rows(spec, 1)[0]), spec["slow_calls"]

    def run():
        for _ in range(calls):
            step(x)

    return Task(run, calls)


def outputs(spec: dict):
    if spec["kind"] == "lstm_step":
        step = Stepper(spec, True)
        return torch.cat([step(torch.from_numpy(x)) for x in generation.rows(spec, generation.GATE_STEPS)]).numpy()
    model = GPT(spec).eval()
    return model.generate(generation.prompt(spec), generation.GATE_TOKENS, 0)[None].numpy()
